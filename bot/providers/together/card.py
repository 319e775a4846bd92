"""What Together AI offers, as data: PROVIDERS.md section 3, figures with their source. Pure."""

from dataclasses import replace

from bot.providers.card import GeneratorCard, ModelBy, ProviderCard, Range

TITLE = "Together AI"
VENDOR = "black-forest-labs/"
SCHNELL = f"{VENDOR}FLUX.1-schnell"
PRO_1_1 = f"{VENDOR}FLUX.1.1-pro"
KONTEXT_PRO = f"{VENDOR}FLUX.1-kontext-pro"
KONTEXT_MAX = f"{VENDOR}FLUX.1-kontext-max"
DEV_2 = f"{VENDOR}FLUX.2-dev"
PRO_2 = f"{VENDOR}FLUX.2-pro"
FLEX_2 = f"{VENDOR}FLUX.2-flex"
MAX_2 = f"{VENDOR}FLUX.2-max"
DEV_LORA = f"{VENDOR}FLUX.1-dev-lora"

# About one megapixel, which is what prices mean; multiples of 16 are advised (section 3.1), 32 suits the [pro] models
# too, which are those of BFL (section 1.4). No side is longer than BFL's 1440.
SIZES = {
    "1:1": (1024, 1024), "4:3": (1152, 864), "3:4": (864, 1152), "3:2": (1248, 832), "2:3": (832, 1248),
    "16:9": (1344, 768), "9:16": (768, 1344),
}  # fmt: skip

# Distilled for 4 steps. No other model is told a number: a report of July 2026 has FLUX.2 [pro] and [flex] refuse one.
STEPS = {SCHNELL: 4}

# docs.together.ai/docs/inference/images/reference-images; it does not name FLUX.2 [max].
REFERENCE_FIELDS = {
    KONTEXT_PRO: "image_url",
    KONTEXT_MAX: "image_url",
    DEV_2: "reference_images",
    PRO_2: "reference_images",
    FLEX_2: "reference_images",
}

USEFUL_STRENGTH = Range(lowest=0.3, highest=1.2, default=1.0)  # docs.together.ai/docs/quickstart-flux-lora


def _generator(id: str, title: str, *, references: int = 0, usd: float | None = None) -> GeneratorCard:  # noqa: A002 - the field's name
    return GeneratorCard(
        id=id,
        title=title,
        base_models=(),
        needs_model=False,
        strength=None,
        aspect_ratios=tuple(SIZES),
        pictures=Range(lowest=1, highest=4, default=1),  # section 3.1
        prompt_characters=2000,  # ours: "maximum length varies by model"
        has_seed=True,
        reference_images=references,
        usd_per_picture=usd,
        deadline_seconds=300.0,  # the one call is given 180, and its pictures may still have to be downloaded
        can_be_found=False,  # no list of requests, no idempotency key (section 0)
    )


def _with_lora(card: GeneratorCard) -> GeneratorCard:
    return replace(
        card,
        base_models=("flux.1-dev",),
        needs_model=True,
        strength=USEFUL_STRENGTH,
        model_by=(ModelBy.LINK,),  # the path of a LoRA must be readable by everybody
    )


# The vendor publishes its prices only on a page that changes; the one figure here is second-hand, of May 2026.
# FLUX.2 [dev] is not offered for LoRAs: the overview page says that it takes them, no request shows how (section 3.2).
CARD = ProviderCard(
    name="together",
    title=TITLE,
    notice="",
    trainers=(),
    generators=(
        _generator(SCHNELL, "FLUX.1 [schnell]", usd=0.0027),
        _generator(PRO_1_1, "FLUX 1.1 [pro]"),
        _generator(KONTEXT_PRO, "FLUX.1 Kontext [pro]", references=1),
        _generator(KONTEXT_MAX, "FLUX.1 Kontext [max]", references=1),
        _generator(DEV_2, "FLUX.2 [dev]", references=4),
        _generator(PRO_2, "FLUX.2 [pro]", references=4),
        _generator(FLEX_2, "FLUX.2 [flex]", references=4),
        _generator(MAX_2, "FLUX.2 [max]"),
        _with_lora(_generator(DEV_LORA, "FLUX.1 [dev] with LoRA (Together AI will remove it soon)")),
    ),
    concurrent_jobs=4,
    submissions_per_minute=None,  # limits are per model and change with the load (section 3.3)
    training_poll_seconds=60.0,  # never used: it trains nothing
    generation_poll_seconds=0.5,  # the pictures are here before there is a task
    no_training=f"{TITLE} does not train FLUX LoRAs: train with fal or Replicate instead.",  # section 3.2
)


def card_of(offered: frozenset[str] | None) -> ProviderCard:
    """The card when these model ids are offered; None when the service does not list them."""
    if offered is None:
        return CARD
    generators = tuple(
        generator if generator.id in offered else replace(generator, retired=_why_retired(generator))
        for generator in CARD.generators
    )
    return replace(CARD, generators=generators)


def _why_retired(generator: GeneratorCard) -> str:
    if generator.id == DEV_LORA:
        return f"{TITLE} no longer generates with FLUX.1 [dev] LoRAs: generate with fal or Replicate instead."
    return f"{TITLE} no longer offers {generator.title}: choose another generator."
