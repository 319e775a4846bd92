"""Builds Together AI's one request, and refuses what it would refuse, before it costs anything. No network."""

import base64
from pathlib import Path
from typing import Any

from bot.errors import ProviderRefused
from bot.providers.card import GeneratorCard, ProviderCard
from bot.providers.checks import check_generation
from bot.providers.tasks import GenerationRequest, ModelInUse
from bot.providers.together.card import REFERENCE_FIELDS, SIZES, STEPS, TITLE

LARGEST_REFERENCE = 8 * 2**20  # bytes of one picture; ours: no limit is documented, and base64 adds a third
PICTURE_STARTS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


def generator_for(card: ProviderCard, request: GenerationRequest) -> GeneratorCard:
    """The generator, when the request keeps within what its card says. Raises `ProviderGone`, `ProviderRefused`."""
    generator = check_generation(card, request)
    if request.model is not None:
        _link_of(request.model)
    return generator


def body_of(request: GenerationRequest, generator: GeneratorCard) -> dict[str, Any]:
    """The JSON of `POST /images/generations` (section 3.1). Reads reference pictures: blocking."""
    width, height = SIZES[request.aspect_ratio]
    body: dict[str, Any] = {
        "model": generator.id,
        "prompt": request.prompt,
        "n": request.count,
        "width": width,
        "height": height,
        "seed": request.seed,
        "response_format": "base64",  # the pictures are in the answer: no link that expires
        "output_format": "png",
    }
    if generator.id in STEPS:
        body["steps"] = STEPS[generator.id]
    if request.model is not None:
        body["image_loras"] = [{"path": _link_of(request.model), "scale": request.strength}]
    if request.images:
        pictures = [_data_uri(path) for path in request.images]
        field = REFERENCE_FIELDS[generator.id]
        body[field] = pictures[0] if field == "image_url" else pictures
    return body


def _link_of(model: ModelInUse) -> str:
    """Where the service may fetch the weights: they must be readable without a key (section 3.3)."""
    link = model.weights_link or model.remote.get("hub_url")
    if not link:
        raise ProviderRefused(
            f"{TITLE} fetches a model's weights from a link and this one has none: publish the model on the Hub first.",
            advice="with object storage set up, every model has a link",
        )
    return link


def _data_uri(picture: Path) -> str:
    """That a data URI is taken where an address is expected is UNCONFIRMED; a refusal costs nothing."""
    try:
        with picture.open("rb") as file:
            content = file.read(LARGEST_REFERENCE + 1)
    except OSError:
        raise ProviderRefused("A reference picture is no longer here: hand it over again.") from None
    if len(content) > LARGEST_REFERENCE:
        raise ProviderRefused(f"A reference picture may have at most {LARGEST_REFERENCE // 2**20} MiB.")
    for start, media_type in PICTURE_STARTS.items():
        if content.startswith(start):
            return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
    raise ProviderRefused("A reference picture must be a PNG or a JPEG.")
