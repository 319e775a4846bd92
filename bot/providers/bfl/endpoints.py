"""What Black Forest Labs has, as data: its hosts, and each endpoint with the fields it knows. Pure.

Fields, ranges and sizes: bfl.openapi.json (`*Inputs` schemas); prices: docs.bfl.ml/quick_start/pricing. Only the
fields that this bot has a value for are listed; every other one is left to the service's own default.

`flux-3-image` is left out: it is known second-hand only, and takes neither seed nor size.
"""

from dataclasses import dataclass

TITLE = "Black Forest Labs"
API_URL = "https://api.bfl.ai"
LIVE_REGIONS = ("https://api.eu.bfl.ai", "https://api.us.bfl.ai")
LEGACY_REGIONS = ("https://api.eu1.bfl.ai", "https://api.us1.bfl.ai")  # where finetunes of 2025 live
HOSTS = frozenset({".bfl.ai", ".bfl.ml"})  # polls and deliveries; the key only goes to the API's own origins

LARGEST_IMAGE = 20_000_000  # bytes, of each reference picture
LARGEST_DATASET = 64 * 2**20  # bytes; what the service takes is not documented
ONE_MEGAPIXEL = 2**20  # what is paid for as the first one

WEBHOOK_FIELDS = frozenset({"webhook_url", "webhook_secret"})
ALWAYS = frozenset({"prompt", "seed", "output_format"}) | WEBHOOK_FIELDS
MODEL_FIELDS = frozenset({"finetune_id", "finetune_strength"})
SIZE_FIELDS = frozenset({"width", "height"})
RATIO_FIELDS = frozenset({"aspect_ratio"})

FINETUNE_FIELDS = WEBHOOK_FIELDS | {
    "file_data",
    "finetune_comment",
    "trigger_word",
    "mode",
    "iterations",
    "learning_rate",
    "captioning",
    "priority",
    "finetune_type",
    "lora_rank",
}


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """Width and height are multiples of `step`, each at most `longest` (the FLUX.2 schemas name no limit)."""

    step: int
    longest: int


FLUX_1_PIXELS = Pixels(step=32, longest=1440)
FLUX_2_PIXELS = Pixels(step=16, longest=4096)


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """`POST /v1/<id>`. `pixels` None: the endpoint takes `aspect_ratio` instead of a width and a height."""

    id: str
    title: str
    pixels: Pixels | None
    image_fields: tuple[str, ...]
    usd_per_picture: float | None
    base_model: str | None = None
    default_strength: float | None = None  # of 0 to 2
    is_retired: bool = False

    @property
    def fields(self) -> frozenset[str]:
        size = SIZE_FIELDS if self.pixels else RATIO_FIELDS
        model = MODEL_FIELDS if self.base_model else frozenset()
        return ALWAYS | size | model | frozenset(self.image_fields)


def _flux_1(id: str, title: str, pixels: Pixels | None, usd: float | None) -> Endpoint:  # noqa: A002 - the field's name
    return Endpoint(id=id, title=title, pixels=pixels, image_fields=("image_prompt",), usd_per_picture=usd)


def _input_images(count: int) -> tuple[str, ...]:
    return ("input_image", *(f"input_image_{number}" for number in range(2, count + 1)))


def _kontext(id: str, title: str, usd: float) -> Endpoint:  # noqa: A002 - the field's name
    return Endpoint(id=id, title=title, pixels=None, image_fields=_input_images(4), usd_per_picture=usd)


def _flux_2(id: str, title: str, images: int, usd: float) -> Endpoint:  # noqa: A002 - the field's name
    return Endpoint(id=id, title=title, pixels=FLUX_2_PIXELS, image_fields=_input_images(images), usd_per_picture=usd)


def _klein_lora(variant: str, title: str, usd: float) -> Endpoint:
    """docs.bfl.ai/flux_2/flux2_lora_inference: a LoRA works at the endpoint of its own base model only."""
    return Endpoint(
        id=f"flux-2-klein-{variant}-finetuned",
        title=f"FLUX.2 [klein] {title} with a LoRA",
        pixels=FLUX_2_PIXELS,
        image_fields=_input_images(4),
        usd_per_picture=usd,
        base_model=f"flux.2-klein-{variant}",
        default_strength=1.0,  # bounds are not documented
    )


def _finetuned_pro(id: str, title: str, pixels: Pixels | None, strength: float) -> Endpoint:  # noqa: A002 - as above
    return Endpoint(
        id=id,
        title=title,
        pixels=pixels,
        image_fields=("image_prompt",),
        usd_per_picture=None,
        base_model="flux-pro",
        default_strength=strength,
        is_retired=True,
    )


# The previews' prices are those of what they preview: the price list does not name them, nor flux-dev.
ENDPOINTS = (
    _flux_2("flux-2-pro", "FLUX.2 [pro]", 8, 0.03),
    _flux_2("flux-2-max", "FLUX.2 [max]", 8, 0.07),
    _flux_2("flux-2-flex", "FLUX.2 [flex]", 8, 0.05),
    _flux_2("flux-2-pro-preview", "FLUX.2 [pro] preview", 8, 0.03),
    _flux_2("flux-2-klein-4b", "FLUX.2 [klein] 4B", 4, 0.014),
    _flux_2("flux-2-klein-9b", "FLUX.2 [klein] 9B", 4, 0.015),
    _flux_2("flux-2-klein-9b-preview", "FLUX.2 [klein] 9B preview", 4, 0.015),
    _kontext("flux-kontext-pro", "FLUX.1 Kontext [pro]", 0.04),
    _kontext("flux-kontext-max", "FLUX.1 Kontext [max]", 0.08),
    _flux_1("flux-pro-1.1", "FLUX1.1 [pro]", FLUX_1_PIXELS, 0.04),
    _flux_1("flux-pro-1.1-ultra", "FLUX1.1 [pro] Ultra", None, 0.06),
    _flux_1("flux-dev", "FLUX.1 [dev]", FLUX_1_PIXELS, None),
    _klein_lora("4b", "4B", 0.014),
    _klein_lora("9b", "9B", 0.015),
    _klein_lora("9b-kv", "9B KV", 0.015),
    _klein_lora("9b-kv-bf16", "9B KV, BF16", 0.015),
    _klein_lora("base-4b", "base 4B", 0.014),
    _klein_lora("base-9b", "base 9B", 0.015),
    _finetuned_pro("flux-pro-finetuned", "FLUX.1 [pro] with a finetune of 2025", FLUX_1_PIXELS, 1.1),
    _finetuned_pro("flux-pro-1.1-ultra-finetuned", "FLUX1.1 [pro] Ultra with a finetune of 2025", None, 1.2),
)
BY_ID = {endpoint.id: endpoint for endpoint in ENDPOINTS}


def regions_of(api_url: str) -> tuple[str, ...]:
    """The vendor's other hosts that a finetune may live on, when `api_url` is one of them; none beside a proxy."""
    all_of_them = (API_URL, *LIVE_REGIONS, *LEGACY_REGIONS)
    return tuple(url for url in all_of_them if url != api_url) if api_url in all_of_them else ()


def in_use_today(urls: tuple[str, ...]) -> tuple[str, ...]:
    """Without the hosts of 2025: nothing can be uploaded to them any more."""
    return tuple(url for url in urls if url not in LEGACY_REGIONS)
