"""What goes to Black Forest Labs: checks before anything is paid for, and the bodies that are sent. Pure."""

import base64
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import ProviderRefused
from bot.providers import checks
from bot.providers.bfl.endpoints import (
    BY_ID,
    FINETUNE_FIELDS,
    LARGEST_DATASET,
    LARGEST_IMAGE,
    ONE_MEGAPIXEL,
    Endpoint,
    Pixels,
)
from bot.providers.card import ProviderCard, TrainerCard
from bot.providers.tasks import GenerationRequest, ModelInUse, TrainingRequest, Webhook

# Chosen at upload: docs.bfl.ai/flux_2/flux2_lora_inference; those of 2025 are UUIDs.
FINETUNE_ID = re.compile(r"(?:[A-Za-z0-9_-]{1,128}/)?[a-z0-9_-]{1,128}")
LONGEST_WEBHOOK_URL = 2083
LONGEST_NAME = 200


def check_generation(request: GenerationRequest, card: ProviderCard) -> Endpoint:
    """The endpoint that is meant. Raises `ProviderRefused` for what would be refused, or billed in vain."""
    generator = checks.check_generation(card, request)
    if request.model is not None:
        _check_finetune(request.model)
    _check_webhook(request.webhook)
    return BY_ID[generator.id]


def generation_body(request: GenerationRequest, endpoint: Endpoint, images: Sequence[bytes]) -> dict[str, Any]:
    """The JSON of `POST /v1/<endpoint>`: only fields that the endpoint knows. Raises `ProviderRefused`."""
    if any(not 0 < len(image) <= LARGEST_IMAGE for image in images):
        raise ProviderRefused("A reference picture is empty or larger than 20 MB: hand over a smaller one.")
    width, height = size_of(request.aspect_ratio, endpoint.pixels) if endpoint.pixels else (None, None)
    values = {
        "prompt": request.prompt,
        "seed": request.seed,
        "output_format": "png",
        "width": width,
        "height": height,
        "aspect_ratio": request.aspect_ratio,
        "finetune_id": request.model.remote["finetune_id"] if request.model else None,
        "finetune_strength": request.strength,
        **_webhook_fields(request.webhook),
        **dict(zip(endpoint.image_fields, map(_base64, images), strict=False)),
    }
    return _known(values, endpoint.fields)


def size_of(aspect_ratio: str, pixels: Pixels) -> tuple[int, int]:
    """Width and height of at most one megapixel, rounded down: a pixel more may be billed as a second one."""
    across, down = (int(part) for part in aspect_ratio.split(":"))
    width = min(math.sqrt(ONE_MEGAPIXEL * across / down), pixels.longest)
    height = min(width * down / across, pixels.longest)
    width = height * across / down
    return _stepped(width, pixels.step), _stepped(height, pixels.step)


def check_training(request: TrainingRequest, card: ProviderCard) -> TrainerCard:
    """The trainer that is meant. Raises `ProviderRefused`; without the legacy flag always, and says why."""
    trainer = checks.check_training(card, request)
    _check_webhook(request.webhook)
    return trainer


def finetune_body(request: TrainingRequest, archive: bytes) -> dict[str, Any]:
    """The JSON of `POST /v1/finetune` with all of `FinetuneInputs`. Raises `ProviderRefused`."""
    if not 0 < len(archive) <= LARGEST_DATASET:
        raise ProviderRefused(f"The dataset is empty or larger than {LARGEST_DATASET // 2**20} MiB.")
    settings = request.settings
    values = {
        "file_data": _base64(archive),
        "finetune_comment": comment_of(request.job_id) + request.name[:LONGEST_NAME],
        "trigger_word": settings.trigger_word,
        "mode": settings.mode.value,
        "iterations": settings.iterations,
        "learning_rate": settings.learning_rate,
        "captioning": settings.captioning,
        "priority": settings.priority.value,
        "finetune_type": settings.finetune_type.value,
        "lora_rank": settings.lora_rank,
        **_webhook_fields(request.webhook),
    }
    return _known(values, FINETUNE_FIELDS)


def comment_of(job_id: str) -> str:
    """How our trainings are told from others in the list of finetunes: their comment begins so."""
    return f"Atelier job {job_id}: "


def checked_finetune_id(finetune_id: object) -> str:
    """Raises `ProviderRefused`."""
    if isinstance(finetune_id, str) and FINETUNE_ID.fullmatch(finetune_id):
        return finetune_id
    raise ProviderRefused(
        "That is no name of a model at Black Forest Labs: it has small letters, digits, - and _ only, "
        "and `owner/` before it when another organisation shares it."
    )


def check_base_model(base_model: str, card: ProviderCard) -> None:
    """Raises `ProviderRefused` when nothing here takes a model of that base."""
    if card.generators_for(base_model or "none"):
        return
    retired = next((one.retired for one in card.generators if base_model in one.base_models), "")
    known = sorted({base for one in card.generators if not one.retired for base in one.base_models})
    raise ProviderRefused(
        retired or f"Black Forest Labs generates with models of these base models only: {', '.join(known)}."
    )


def _check_finetune(model: ModelInUse) -> None:
    if not model.remote.get("finetune_id"):
        raise ProviderRefused(
            "Black Forest Labs does not have this model: upload it at dashboard.bfl.ai under Customization, "
            "Finetunes, then import it by its name."
        )
    checked_finetune_id(model.remote["finetune_id"])


def _check_webhook(webhook: Webhook | None) -> None:
    if webhook is not None and not 0 < len(webhook.url) <= LONGEST_WEBHOOK_URL:
        raise ProviderRefused("The address for webhooks is too long: the bot's operator has to look at it.")


def _webhook_fields(webhook: Webhook | None) -> Mapping[str, str]:
    return {"webhook_url": webhook.url, "webhook_secret": webhook.secret} if webhook else {}


def _known(values: Mapping[str, Any], fields: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in fields and value is not None}


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _stepped(length: float, step: int) -> int:
    return int(length + 1e-6) // step * step
