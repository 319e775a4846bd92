"""What goes to Black Forest Labs: checks before anything is paid for, and the bodies that are sent. Pure."""

import base64
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import ProviderRefused
from bot.providers.bfl.endpoints import (
    BY_ID,
    FINETUNE_FIELDS,
    LARGEST_DATASET,
    LARGEST_IMAGE,
    ONE_MEGAPIXEL,
    Endpoint,
    Pixels,
)
from bot.providers.card import GeneratorCard, ProviderCard, Range, TrainerCard
from bot.providers.tasks import GenerationRequest, ModelInUse, TrainingRequest, Webhook

SEEDS = Range(lowest=0, highest=2**32 - 1, default=0)
# Chosen at upload: docs.bfl.ai/flux_2/flux2_lora_inference; those of 2025 are UUIDs.
FINETUNE_ID = re.compile(r"(?:[A-Za-z0-9_-]{1,128}/)?[a-z0-9_-]{1,128}")
LONGEST_WEBHOOK_URL = 2083
LONGEST_TRIGGER_WORD = 100
LONGEST_NAME = 200


def check_generation(request: GenerationRequest, card: ProviderCard) -> Endpoint:
    """The endpoint that is meant. Raises `ProviderRefused` for what would be refused, or billed in vain."""
    generator = card.generator(request.generator)
    if generator is None:
        raise ProviderRefused("Black Forest Labs has no such generator: pick one from the list.")
    if generator.retired:
        raise ProviderRefused(generator.retired)
    _text(request.prompt, generator.prompt_characters, "The prompt")
    _within(generator.pictures, request.count, "The number of pictures in one request")
    _within(SEEDS, request.seed, "The seed")
    if generator.strength is not None:
        _within(generator.strength, request.strength, "The strength")
    if request.aspect_ratio not in generator.aspect_ratios:
        raise ProviderRefused(f"The aspect ratio must be one of {', '.join(generator.aspect_ratios)}.")
    if len(request.images) > generator.reference_images:
        raise ProviderRefused(f"{generator.title} takes at most {generator.reference_images} reference pictures.")
    _check_model(request.model, generator)
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
    if not card.trainers:
        raise ProviderRefused(card.no_training)
    trainer = card.trainer(request.trainer)
    if trainer is None:
        raise ProviderRefused("Black Forest Labs has no such trainer: pick one from the list.")
    settings = request.settings
    _within(trainer.image_count, request.image_count, "The number of pictures")
    _within(trainer.iterations, settings.iterations, "The number of iterations")
    if trainer.learning_rate is not None and settings.learning_rate is not None:
        _within(trainer.learning_rate, settings.learning_rate, "The learning rate")
    if settings.lora_rank not in trainer.lora_ranks:
        raise ProviderRefused(f"The LoRA rank must be one of {', '.join(map(str, trainer.lora_ranks))}.")
    _text(settings.trigger_word, LONGEST_TRIGGER_WORD, "The trigger word")
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


def _check_model(model: ModelInUse | None, generator: GeneratorCard) -> None:
    if model is None and generator.needs_model:
        raise ProviderRefused(f"{generator.title} needs a model: choose one.")
    if model is None:
        return
    if not generator.needs_model:
        raise ProviderRefused(f"{generator.title} takes no model: leave the model out, or choose another generator.")
    if model.base_model not in generator.base_models:
        raise ProviderRefused(f"{generator.title} does not take models of {model.base_model}.")
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


def _within(allowed: Range, value: float, what: str) -> None:
    if not allowed.holds(value):
        raise ProviderRefused(f"{what} must be from {allowed.lowest:g} to {allowed.highest:g}.")


def _text(value: str, longest: int, what: str) -> None:
    if not value.strip():
        raise ProviderRefused(f"{what} must not be empty.")
    if len(value) > longest:
        raise ProviderRefused(f"{what} must have at most {longest} characters.")
    if any("\ud800" <= sign <= "\udfff" for sign in value):
        raise ProviderRefused(f"{what} holds characters that are no text.")
