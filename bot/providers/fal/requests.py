"""What fal.ai is asked for: the bodies of its trainers and generators, and what is checked before paying. Pure.

Field names differ from trainer to trainer: fal.openapi.json, PROVIDERS.md section 4.4.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from bot.errors import ProviderRefused
from bot.providers.card import Mode
from bot.providers.fal import cards
from bot.providers.tasks import GenerationRequest, ModelInUse, TrainingRequest, TrainingSettings, Webhook

# The platform runs a failed job again by itself, up to ten times (section 4.1); a training should cost once.
NO_SECOND_RUN = {"x-fal-no-retry": "1"}


def check_inline(size: int) -> None:
    """Whether a dataset without a link may travel inside the request. Raises `ProviderRefused`."""
    if size > cards.LARGEST_INLINE:
        raise ProviderRefused(
            f"The dataset is larger than the {cards.LARGEST_INLINE // 2**20} MiB that can be sent to fal.ai inside "
            "a request: use fewer or smaller pictures, or ask the bot's operator to set up object storage.",
            advice="with object storage configured, fal.ai fetches datasets through a presigned link",
        )


def as_data_uri(zip_bytes: bytes) -> str:
    return "data:application/zip;base64," + base64.b64encode(zip_bytes).decode("ascii")


def training_body(request: TrainingRequest, dataset_url: str) -> dict[str, Any]:
    """`dataset_url` is a link that fal can read, or a data URI."""
    return _BODIES[request.trainer](request.settings, dataset_url)


def _flux_2(settings: TrainingSettings, dataset_url: str) -> dict[str, Any]:
    """These know no trigger, and fail on a picture without caption unless there is a default one."""
    return {
        "image_data_url": dataset_url,
        "default_caption": default_caption(settings),
        "steps": settings.iterations,
        "output_lora_format": "fal",
        **_learning_rate(settings),
    }


def _fast(settings: TrainingSettings, dataset_url: str) -> dict[str, Any]:
    return {
        "images_data_url": dataset_url,
        "data_archive_format": "zip",  # else read off the address, which a signed link or a data URI may hide
        "trigger_word": settings.trigger_word,
        "is_style": settings.mode is Mode.STYLE,
        "steps": settings.iterations,
    }


def _portrait(settings: TrainingSettings, dataset_url: str) -> dict[str, Any]:
    return {
        "images_data_url": dataset_url,
        "data_archive_format": "zip",
        "trigger_phrase": settings.trigger_word,
        "steps": settings.iterations,
        **_learning_rate(settings),
    }


def _turbo(settings: TrainingSettings, dataset_url: str) -> dict[str, Any]:
    return {
        "images_data_url": dataset_url,
        "trigger_phrase": settings.trigger_word,
        "training_style": "style" if settings.mode is Mode.STYLE else "subject",
        "face_crop": settings.mode is Mode.CHARACTER,  # fal's default crops every picture to a face
        "steps": settings.iterations,
        **_learning_rate(settings),
    }


_BODIES: Mapping[str, Callable[[TrainingSettings, str], dict[str, Any]]] = {
    cards.KLEIN_4B_TRAINER: _flux_2,
    cards.KLEIN_9B_TRAINER: _flux_2,
    cards.FLUX_2_TRAINER: _flux_2,
    cards.FLUX_2_TRAINER_V2: _flux_2,
    cards.FAST_TRAINER: _fast,
    cards.KREA_TRAINER: _fast,
    cards.PORTRAIT_TRAINER: _portrait,
    cards.TURBO_TRAINER: _turbo,
}


def default_caption(settings: TrainingSettings) -> str:
    trigger = settings.trigger_word
    return f"in the style of {trigger}" if settings.mode is Mode.STYLE else f"a photo of {trigger}"


def generation_body(request: GenerationRequest) -> dict[str, Any]:
    """Only fields that the endpoint's schema names. Raises `ProviderRefused` when fal cannot get at the model."""
    body: dict[str, Any] = {"prompt": request.prompt, "seed": request.seed, "output_format": "png"}
    if request.generator != cards.FLUX_2_PRO:
        body["num_images"] = request.count
    if request.generator == cards.ULTRA:
        return {**body, "aspect_ratio": request.aspect_ratio}
    width, height = cards.SIZES[request.aspect_ratio]
    body |= {"image_size": {"width": width, "height": height}, "enable_safety_checker": True}
    if request.model is not None:
        body["loras"] = [{"path": lora_path(request.model), "scale": request.strength}]
    return body


def lora_path(model: ModelInUse) -> str:
    """An address that fal can read. Raises `ProviderRefused`."""
    path = model.weights_link or model.remote.get("lora_url")
    if not path:
        raise ProviderRefused(
            "fal.ai cannot get at this model, because it was trained elsewhere: "
            "ask the bot's operator to set up object storage.",
            advice="with object storage configured, fal.ai fetches weights through a presigned link",
        )
    return path


def webhook_query(webhook: Webhook | None) -> dict[str, str] | None:
    return {"fal_webhook": webhook.url} if webhook else None


def links_of(api_url: str, endpoint: str, request_id: str) -> dict[str, str]:
    """Where a request is asked after when no answer named it: of the endpoint only its owner and alias are kept.

    fal.ai/docs/documentation/model-apis/inference/queue, as in fal.openapi.json and PROVIDERS.md section 4.1.
    """
    app = "/".join(endpoint.split("/")[:2])
    here = f"{api_url.rstrip('/')}/{app}/requests/{request_id}"
    return {"status_url": f"{here}/status", "response_url": here, "cancel_url": f"{here}/cancel"}


def with_logs(status_url: str) -> str:
    """The address as fal gave it, with whatever query it has, and the wish for logs."""
    return f"{status_url}{'&' if '?' in status_url else '?'}logs=1"


def _learning_rate(settings: TrainingSettings) -> dict[str, float]:
    return {} if settings.learning_rate is None else {"learning_rate": settings.learning_rate}
