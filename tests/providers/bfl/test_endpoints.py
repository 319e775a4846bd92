"""Black Forest Labs, endpoint by endpoint: what is offered, what is sent to each, and what is refused beforehand."""

import base64
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.errors import ProviderGone, ProviderModerated, ProviderRefused
from bot.providers.base_models import BY_ID as BASE_MODELS
from bot.providers.bfl.cards import ASPECT_RATIOS
from bot.providers.bfl.endpoints import (
    API_URL,
    BY_ID,
    ENDPOINTS,
    FLUX_1_PIXELS,
    FLUX_2_PIXELS,
    LARGEST_IMAGE,
    LEGACY_REGIONS,
    LIVE_REGIONS,
    ONE_MEGAPIXEL,
    Pixels,
    in_use_today,
    regions_of,
)
from bot.providers.bfl.provider import BflProvider
from bot.providers.bfl.requests import size_of
from bot.providers.card import GeneratorCard
from bot.providers.tasks import Finished, ModelInUse, Webhook
from tests.dataset_files import photo, png_bytes
from tests.providers.benches.bfl import a_generation, a_model, provider_for
from tests.simulators.bfl import BflSimulator
from tests.simulators.bfl_fields import LORA_BASES

WEBHOOK = Webhook(url="https://atelier.example/hooks/aZ09", secret="s3cret")
KLEIN_VARIANTS = ("4b", "9b", "9b-kv", "9b-kv-bf16", "base-4b", "base-9b")
IDS = [endpoint.id for endpoint in ENDPOINTS]
# As in PROVIDERS.md 1.4: how many reference pictures, in which fields.
REFERENCES = {
    "flux-2-pro": 8,
    "flux-2-max": 8,
    "flux-2-flex": 8,
    "flux-2-pro-preview": 8,
    "flux-2-klein-4b": 4,
    "flux-2-klein-9b": 4,
    "flux-2-klein-9b-preview": 4,
    "flux-kontext-pro": 4,
    "flux-kontext-max": 4,
    "flux-pro-1.1": 1,
    "flux-pro-1.1-ultra": 1,
    "flux-dev": 1,
    **{f"flux-2-klein-{variant}-finetuned": 4 for variant in KLEIN_VARIANTS},
    "flux-pro-finetuned": 1,
    "flux-pro-1.1-ultra-finetuned": 1,
}


@pytest.fixture
async def service() -> AsyncIterator[BflSimulator]:
    async with BflSimulator(has_legacy_finetune=True) as service:
        for base in {endpoint.base_model for endpoint in ENDPOINTS if endpoint.base_model}:
            service.add_lora(_lora(base), base)
        yield service


@pytest.fixture
def provider(service: BflSimulator, client: httpx.AsyncClient) -> BflProvider:
    """With the legacy flag, so that every endpoint is offered."""
    return provider_for(service, client, legacy_finetune=True)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "reference.png"
    path.write_bytes(png_bytes(photo(1, (64, 64))))
    return path


def _lora(base_model: str) -> str:
    return "lora-of-" + base_model.replace(".", "_")


def _model_for(generator: str) -> ModelInUse | None:
    base = BY_ID[generator].base_model
    return a_model(base, _lora(base)) if base else None


def _card(provider: BflProvider, generator: str) -> GeneratorCard:
    card = provider.card.generator(generator)
    assert card is not None
    return card


async def _sent(provider: BflProvider, service: BflSimulator, generator: str, **changes: Any) -> dict[str, Any]:
    """The body that was paid for."""
    card = _card(provider, generator)
    strength = card.strength.default if card.strength else 1.0
    request = a_generation(generator=generator, **{"model": _model_for(generator), "strength": strength, **changes})
    await provider.submit_generation(request)
    endpoint, body = service.ledger[-1]
    assert endpoint == generator
    return dict(body)


# Every endpoint.


@pytest.mark.parametrize("generator", IDS)
async def test_an_endpoint_takes_all_that_is_sent_to_it(
    provider: BflProvider, service: BflSimulator, generator: str, picture: Path
) -> None:
    images = (picture,) * REFERENCES[generator]
    body = await _sent(provider, service, generator, images=images, webhook=WEBHOOK, aspect_ratio="21:9")
    assert set(body) == BY_ID[generator].fields
    service.finish_all()


@pytest.mark.parametrize("generator", IDS)
async def test_what_is_sent_is_what_was_asked_for(provider: BflProvider, service: BflSimulator, generator: str) -> None:
    body = await _sent(provider, service, generator, prompt="Ein fantastisches Bild 🐈", seed=2**32 - 1)
    assert body["prompt"] == "Ein fantastisches Bild 🐈"
    assert body["seed"] == 2**32 - 1
    assert body["output_format"] == "png"
    assert "safety_tolerance" not in body
    assert "webhook_url" not in body


@pytest.mark.parametrize("generator", IDS)
async def test_each_offer_is_as_the_endpoint_has_it(provider: BflProvider, generator: str) -> None:
    card = _card(provider, generator)
    assert card.reference_images == REFERENCES[generator]
    assert (card.pictures.lowest, card.pictures.highest, card.pictures.default) == (1, 1, 1)
    assert card.has_seed
    assert card.title
    assert set(card.base_models) <= set(BASE_MODELS)
    assert not card.retired


@pytest.mark.parametrize("generator", IDS)
async def test_reference_pictures_go_in_their_fields_in_order(
    provider: BflProvider, service: BflSimulator, generator: str, tmp_path: Path
) -> None:
    pictures = []
    for number in range(REFERENCES[generator]):
        pictures.append(tmp_path / f"{number}.png")
        pictures[-1].write_bytes(png_bytes(photo(number, (32, 32))))
    body = await _sent(provider, service, generator, images=tuple(pictures))
    if generator.startswith(("flux-2-", "flux-kontext-")):
        names = ["input_image", *(f"input_image_{number}" for number in range(2, len(pictures) + 1))]
    else:
        names = ["image_prompt"]
    assert [base64.b64decode(body[name]) for name in names] == [path.read_bytes() for path in pictures]


@pytest.mark.parametrize("generator", IDS)
async def test_a_picture_more_than_the_endpoint_takes_is_refused(
    provider: BflProvider, service: BflSimulator, generator: str, picture: Path
) -> None:
    with pytest.raises(ProviderRefused, match="reference pictures"):
        await _sent(provider, service, generator, images=(picture,) * (REFERENCES[generator] + 1))
    assert service.requests == []


@pytest.mark.parametrize("generator", [one.id for one in ENDPOINTS if one.pixels is None])
@pytest.mark.parametrize("aspect_ratio", ASPECT_RATIOS)
async def test_kontext_and_ultra_take_the_aspect_ratio_itself(
    provider: BflProvider, service: BflSimulator, generator: str, aspect_ratio: str
) -> None:
    body = await _sent(provider, service, generator, aspect_ratio=aspect_ratio)
    assert body["aspect_ratio"] == aspect_ratio
    assert not {"width", "height"} & set(body)


@pytest.mark.parametrize("generator", ["flux-dev", "flux-2-pro", "flux-2-klein-base-9b-finetuned"])
@pytest.mark.parametrize("aspect_ratio", ASPECT_RATIOS)
async def test_the_others_take_a_width_and_a_height(
    provider: BflProvider, service: BflSimulator, generator: str, aspect_ratio: str
) -> None:
    body = await _sent(provider, service, generator, aspect_ratio=aspect_ratio)
    assert "aspect_ratio" not in body
    assert body["width"] * body["height"] <= ONE_MEGAPIXEL


@pytest.mark.parametrize("pixels", [FLUX_1_PIXELS, FLUX_2_PIXELS])
@pytest.mark.parametrize("aspect_ratio", ASPECT_RATIOS)
def test_a_size_is_about_a_megapixel_of_that_shape(aspect_ratio: str, pixels: Pixels) -> None:
    width, height = size_of(aspect_ratio, pixels)
    across, down = map(int, aspect_ratio.split(":"))
    assert width % pixels.step == height % pixels.step == 0
    assert 256 <= min(width, height) <= max(width, height) <= pixels.longest
    assert 0.8 * ONE_MEGAPIXEL < width * height <= ONE_MEGAPIXEL
    assert width / height == pytest.approx(across / down, rel=0.03)


def test_a_square_is_exactly_a_megapixel() -> None:
    assert size_of("1:1", FLUX_1_PIXELS) == size_of("1:1", FLUX_2_PIXELS) == (1024, 1024)


# Prices and what is offered.


@pytest.mark.parametrize(
    ("generator", "usd"),
    [
        ("flux-2-klein-4b", 0.014),
        ("flux-2-klein-9b", 0.015),
        ("flux-2-pro", 0.03),
        ("flux-2-max", 0.07),
        ("flux-2-flex", 0.05),
        ("flux-kontext-pro", 0.04),
        ("flux-kontext-max", 0.08),
        ("flux-pro-1.1", 0.04),
        ("flux-pro-1.1-ultra", 0.06),
        ("flux-dev", None),
        ("flux-2-klein-4b-finetuned", 0.014),
        ("flux-2-klein-base-9b-finetuned", 0.015),
    ],
)
async def test_prices_are_those_of_the_list(provider: BflProvider, generator: str, usd: float | None) -> None:
    assert _card(provider, generator).usd_per_picture == usd


@pytest.mark.parametrize("variant", KLEIN_VARIANTS)
async def test_a_klein_lora_is_taken_by_one_endpoint_only(today: BflProvider, variant: str) -> None:
    taking = today.card.generators_for(f"flux.2-klein-{variant}")
    assert [generator.id for generator in taking] == [f"flux-2-klein-{variant}-finetuned"]
    assert LORA_BASES[taking[0].id] == f"flux.2-klein-{variant}"
    assert taking[0].strength is not None
    assert (taking[0].strength.lowest, taking[0].strength.highest, taking[0].strength.default) == (0, 2, 1)


async def test_twelve_generators_need_no_model(today: BflProvider) -> None:
    assert len(today.card.generators_for(None)) == 12
    assert today.card.concurrent_jobs == 24
    assert today.card.generation_poll_seconds == 1.0


async def test_the_finetuned_endpoints_of_2025_are_retired_without_the_flag(today: BflProvider) -> None:
    assert today.card.generators_for("flux-pro") == ()
    assert "retired" in _card(today, "flux-pro-finetuned").retired


@pytest.mark.parametrize("generator", ["flux-pro-finetuned", "flux-pro-1.1-ultra-finetuned"])
async def test_a_retired_generator_is_refused_with_the_reason(
    today: BflProvider, service: BflSimulator, generator: str
) -> None:
    with pytest.raises(ProviderGone, match="31 October 2025"):
        await _sent(today, service, generator)
    assert service.requests == []


@pytest.mark.parametrize(("generator", "default"), [("flux-pro-finetuned", 1.1), ("flux-pro-1.1-ultra-finetuned", 1.2)])
async def test_finetunes_of_2025_have_their_own_default_strength(
    provider: BflProvider, service: BflSimulator, generator: str, default: float
) -> None:
    strength = _card(provider, generator).strength
    assert strength is not None
    assert (strength.lowest, strength.highest, strength.default) == (0, 2, default)
    body = await _sent(provider, service, generator)
    assert (body["finetune_id"], body["finetune_strength"]) == ("lora-of-flux-pro", default)


@pytest.mark.parametrize("strength", [0.0, 0.7, 2.0])
async def test_the_strength_is_sent_with_a_model_only(
    provider: BflProvider, service: BflSimulator, strength: float
) -> None:
    body = await _sent(provider, service, "flux-2-klein-4b-finetuned", strength=strength)
    assert body["finetune_strength"] == strength
    assert not {"finetune_id", "finetune_strength"} & set(await _sent(provider, service, "flux-2-klein-4b"))


# What is refused before anything is sent.


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"generator": "flux-9"}, "no such generator"),
        ({"generator": "flux-3-image"}, "no such generator"),
        ({"prompt": "  "}, "must not be empty"),
        ({"prompt": "x" * 4001}, "at most 4000"),
        ({"prompt": "a \ud800 cat"}, "no text"),
        ({"count": 2}, "from 1 to 1"),
        ({"count": 0}, "from 1 to 1"),
        ({"seed": -1}, "The seed"),
        ({"seed": 2**32}, "The seed"),
        ({"aspect_ratio": "5:1"}, "aspect ratio"),
        ({"aspect_ratio": "square"}, "aspect ratio"),
        ({"model": a_model()}, "takes no model"),
        ({"generator": "flux-2-klein-9b-finetuned"}, "needs a model"),
        ({"generator": "flux-2-klein-4b-finetuned", "model": a_model("flux.2-klein-9b")}, "cannot use this model"),
        ({"generator": "flux-2-klein-9b-finetuned", "model": a_model(), "strength": 2.1}, "The strength"),
        ({"generator": "flux-2-klein-9b-finetuned", "model": a_model(), "strength": -0.1}, "The strength"),
        ({"generator": "flux-2-klein-9b-finetuned", "model": a_model(), "strength": float("nan")}, "The strength"),
        (
            {
                "generator": "flux-2-klein-9b-finetuned",
                "model": ModelInUse(base_model="flux.2-klein-9b", weights=Path("/weights")),
            },
            "upload it at dashboard.bfl.ai",
        ),
        ({"generator": "flux-2-klein-9b-finetuned", "model": a_model(finetune_id="Not A Name")}, "no name of a model"),
        ({"webhook": Webhook(url="https://a.example/" + "x" * 2083, secret="s")}, "too long"),
        ({"images": (Path("/no/such/file.png"),)}, "cannot be read"),
    ],
)
async def test_what_cannot_work_is_refused_before_it_is_sent(
    provider: BflProvider, service: BflSimulator, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(ProviderRefused, match=why):
        await provider.submit_generation(a_generation(**changes))
    assert service.requests == []


@pytest.mark.parametrize("size", [0, LARGEST_IMAGE + 1])
async def test_a_reference_picture_that_is_empty_or_too_large_is_refused(
    provider: BflProvider, service: BflSimulator, tmp_path: Path, size: int
) -> None:
    picture = tmp_path / "huge.png"
    picture.write_bytes(b"\0" * size)
    with pytest.raises(ProviderRefused, match="20 MB"):
        await provider.submit_generation(a_generation(images=(picture,)))
    assert service.requests == []


async def test_a_reference_picture_that_is_none_is_refused_by_the_service(
    provider: BflProvider, service: BflSimulator, tmp_path: Path
) -> None:
    picture = tmp_path / "text.png"
    picture.write_bytes(b"not a picture")
    with pytest.raises(ProviderRefused, match="input_image: Value error"):
        await provider.submit_generation(a_generation(images=(picture,)))
    assert service.ledger == []


# Where a model is used.


async def test_a_model_is_used_at_the_host_where_it_lives(client: httpx.AsyncClient, service: BflSimulator) -> None:
    async with BflSimulator() as europe:
        europe.add_lora("cats-of-rome")
        provider = provider_for(service, client, region_urls=(europe.url,))
        model = a_model(api_url=europe.url)
        request = a_generation(generator="flux-2-klein-9b-finetuned", model=model)
        task = await provider.submit_generation(request)
        europe.finish_all()
        assert await provider.check(task) == Finished()
        assert len(europe.ledger) == 1
        hooked = await provider.submit_generation(
            a_generation(generator="flux-2-klein-9b-finetuned", model=model, webhook=WEBHOOK)
        )
        europe.moderate_all()
        state = await provider.check(hooked)
        assert isinstance(getattr(state, "error", None), ProviderModerated)
        assert service.requests == []


async def test_an_address_out_of_storage_that_is_no_host_of_theirs_never_gets_the_key(
    provider: BflProvider, service: BflSimulator
) -> None:
    async with BflSimulator() as stranger:
        model = a_model("flux.2-klein-9b", _lora("flux.2-klein-9b"), api_url=stranger.url)
        await provider.submit_generation(a_generation(generator="flux-2-klein-9b-finetuned", model=model))
        assert stranger.requests == []
        assert len(service.ledger) == 1


def test_the_vendors_hosts_stand_beside_the_vendors_host_only() -> None:
    assert set(regions_of(API_URL)) == {*LIVE_REGIONS, *LEGACY_REGIONS}
    assert API_URL in regions_of(LIVE_REGIONS[0])
    assert regions_of("http://127.0.0.1:8080") == ()


def test_the_hosts_of_2025_are_not_asked_for_uploads_of_today() -> None:
    assert in_use_today(regions_of(API_URL)) == LIVE_REGIONS


# The simulator is as strict as the service.


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("flux-2-pro", {"prompt": "x", "image_prompt": "x"}),
        ("flux-2-pro", {"prompt": "x", "safety_tolerance": 6}),
        ("flux-2-pro", {"prompt": "x", "aspect_ratio": "1:1"}),
        ("flux-2-pro", {"prompt": "x", "width": 1000, "height": 1024}),
        ("flux-2-pro", {}),
        ("flux-2-klein-4b", {"prompt": "x", "input_image_5": "x"}),
        ("flux-2-flex", {"prompt": "x", "guidance": 11}),
        ("flux-dev", {"prompt": "x", "width": 1472}),
        ("flux-dev", {"prompt": "x", "width": 1000}),
        ("flux-dev", {"prompt": "x", "seed": "7"}),
        ("flux-dev", {"prompt": "x", "output_format": "gif"}),
        ("flux-pro-1.1-ultra", {"prompt": "x", "width": 1024}),
        ("flux-pro-1.1-ultra", {"prompt": "x", "aspect_ratio": "22:9"}),
        ("flux-kontext-pro", {"prompt": "x", "aspect_ratio": "wide"}),
        ("flux-kontext-pro", {"prompt": "x", "webhook_url": ""}),
        ("flux-2-klein-9b-finetuned", {"prompt": "x"}),
        ("flux-2-klein-9b-finetuned", {"prompt": "x", "finetune_id": _lora("flux.2-klein-4b")}),
        ("flux-pro-finetuned", {"finetune_id": "lora-of-flux-pro", "finetune_strength": 2.5}),
    ],
)
async def test_the_simulator_refuses_what_does_not_fit(
    service: BflSimulator, client: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    reply = await client.post(f"{service.url}/v1/{path}", json=body, headers={"x-key": service.key})
    assert reply.status_code == 422
    assert reply.json()["detail"][0]["loc"][0] == "body"
    assert service.ledger == []
    service.broken_promises.clear()  # that is what was to be shown


async def test_the_simulator_knows_no_other_endpoint_and_no_other_key(
    service: BflSimulator, client: httpx.AsyncClient
) -> None:
    wrong = await client.post(f"{service.url}/v1/flux-dev", json={"prompt": "x"}, headers={"x-key": "bfl_other"})
    assert (wrong.status_code, wrong.json()) == (403, {"detail": "Not authenticated - Invalid Authentication"})
    other = await client.post(f"{service.url}/v1/flux-9", json={"prompt": "x"}, headers={"x-key": service.key})
    assert other.status_code == 404
    keyed = await client.get(f"{service.url}/v1/get_result", params={"id": "x"}, headers={"x-key": service.key})
    assert keyed.json()["status"] == "Task not found"
    assert "the key was sent to /v1/get_result" in service.broken_promises
    service.broken_promises.clear()


@pytest.mark.skipif("SPECS_DIR" not in os.environ, reason="needs the OpenAPI files")
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=IDS)
def test_every_field_is_in_the_vendors_schema(endpoint: Any) -> None:
    document = json.loads((Path(os.environ["SPECS_DIR"]) / "bfl.openapi.json").read_text())
    body = document["paths"][f"/v1/{endpoint.id}"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schema = document["components"]["schemas"][body["$ref"].rpartition("/")[2]]
    assert endpoint.fields <= set(schema["properties"])
    assert set(schema.get("required", [])) <= endpoint.fields
    pictures = {name for name in schema["properties"] if name.startswith(("input_image", "image_prompt"))}
    assert set(endpoint.image_fields) == pictures - {"image_prompt_strength", "input_image_blob_path"}
