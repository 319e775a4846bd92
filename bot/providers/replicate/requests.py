"""What is sent to Replicate: inputs, bodies, names; and whether a listed task is one of ours. Pure.

Facts: replicate.com/docs/reference/http, github.com/replicate/flux-fine-tuner train.py and predict.py.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self
from urllib.parse import quote, urlsplit

from bot.errors import ProviderRefused
from bot.providers.card import Mode
from bot.providers.replicate.cards import CARD, TRAINED_VERSION
from bot.providers.replicate.schemas import Schema, fitting, knows
from bot.providers.tasks import GenerationRequest, TrainingRequest, TrainingSettings, Webhook

LONGEST_NAME = 60
STEPS = ("steps", "training_steps")  # clients of the fast trainer send either: its schema decides
EVENTS = ("start", "completed")
HARDWARE = ("gpu-t4", "cpu")  # a fine-tune runs on its trainer's hardware, whatever its model says (docs: hardware)
VERSION = re.compile(r"([A-Za-z0-9][\w.-]{0,99})/([A-Za-z0-9][\w.-]{0,99}):([0-9a-f]{8,64})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What one training begins with and goes on with; stored as JSON, so it holds no secret.

    `version` and `schema` are the trainer's; `destination` is "owner/name"; `file_*` are empty without an upload.
    """

    trainer: str
    version: str
    schema: Schema
    destination: str
    file_id: str = ""
    file_url: str = ""
    file_expires_at: float | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, prepared: Mapping[str, Any]) -> Self:
        """Raises `ProviderRefused` when it is not what `prepare_training` answered."""
        try:
            read = cls(**prepared)
        except TypeError:
            raise ProviderRefused("This training was not prepared for Replicate: please start it again.") from None
        return read


@dataclass(frozen=True, kw_only=True)
class Version:
    """A trained version, "owner/name:hash" on the wire."""

    owner: str
    name: str
    id: str

    @classmethod
    def of(cls, remote: Mapping[str, str]) -> Self:
        """From `ModelInUse.remote`. Raises `ProviderRefused` for a model that Replicate does not know."""
        match = VERSION.fullmatch(str(remote.get("version", "")))
        if match is None:
            raise ProviderRefused(
                "This model was not trained at Replicate, which can only use its own: choose another generator."
            )
        return cls(owner=match[1], name=match[2], id=match[3])


def training_input(trainer: str, schema: Schema, settings: TrainingSettings, images: str) -> dict[str, Any]:
    """The trainer's input: what its card offers and its version knows.

    Raises `ProviderRefused` when this version does not take what was chosen.
    """
    steps = next((name for name in STEPS if knows(schema, name)), None)
    missing = [name for name in ("input_images", "trigger_word") if not knows(schema, name)]
    if steps is None or missing:
        raise ProviderRefused(
            "Replicate has changed what this trainer takes, so nothing was sent: choose another trainer.",
            advice=f"its newest version knows no {', '.join(missing) or ' and no '.join(STEPS)}",
        )
    wanted = {"input_images": images, "trigger_word": settings.trigger_word, steps: settings.iterations}
    return fitting(schema, {**wanted, **_offered_settings(trainer, settings)}, wishes={})


def _offered_settings(trainer: str, settings: TrainingSettings) -> dict[str, Any]:
    card = CARD.trainer(trainer)
    if card is None:
        raise ProviderRefused("Replicate does not offer that trainer (any more): choose another one.")
    offered: dict[str, Any] = {}
    if card.describes_pictures:
        offered["autocaption"] = settings.captioning
    if card.lora_ranks:
        offered["lora_rank"] = settings.lora_rank
    if card.learning_rate is not None and settings.learning_rate is not None:
        offered["learning_rate"] = settings.learning_rate
    if card.modes:
        offered["lora_type"] = "style" if settings.mode is Mode.STYLE else "subject"
    return offered


def training_body(prepared: Prepared, request: TrainingRequest) -> dict[str, Any]:
    return {
        "destination": prepared.destination,
        "input": training_input(prepared.trainer, prepared.schema, request.settings, images_of(prepared, request)),
        **webhook_fields(request.webhook),
    }


def recognised_input(prepared: Prepared, request: TrainingRequest) -> dict[str, Any]:
    """What a training of ours was sent: without its dataset, when nobody knows any more where that lay."""
    images = images_of(prepared, request)
    fields = training_input(prepared.trainer, prepared.schema, request.settings, images)
    return fields if images else without_images(fields)


def images_of(prepared: Prepared, request: TrainingRequest) -> str:
    """Where the trainer finds the dataset; "" when it was neither linked nor uploaded."""
    return prepared.file_url or request.dataset_link or ""


def webhook_fields(webhook: Webhook | None) -> dict[str, Any]:
    """Replicate only knocks at https; without a webhook it is asked instead."""
    if webhook is None or not webhook.url.startswith("https://"):
        return {}
    return {"webhook": webhook.url, "webhook_events_filter": list(EVENTS)}


def destination_name(job_id: str) -> str:
    """A model's name of lower-case letters, digits and `-`: the same for the same job, and for no other."""
    plain = re.sub(r"[^a-z0-9-]+", "-", job_id.lower()).strip("-")[:LONGEST_NAME]
    return (
        f"atelier-{plain}" if plain == job_id else f"atelier-{plain}-{hashlib.sha256(job_id.encode()).hexdigest()[:10]}"
    )


def hardware_of(offered: Sequence[str]) -> str:
    """The sku that a new model is given; it has to name one."""
    return next((sku for sku in HARDWARE if sku in offered), offered[0])


def generation_input(schema: Schema, request: GenerationRequest) -> dict[str, Any]:
    """The input of a generator. Raises `ProviderRefused` when this version does not take what was chosen."""
    needed = {"prompt"} | ({"num_outputs"} if request.count > 1 else set())
    if unknown := sorted(name for name in needed if not knows(schema, name)):
        raise ProviderRefused(
            "This generator makes one picture at a time." if unknown == ["num_outputs"] else "It takes no prompt.",
            advice=f"its version knows no {', '.join(unknown)}",
        )
    return fitting(schema, chosen_input(request), wishes={"output_format": "png"})


def chosen_input(request: GenerationRequest) -> dict[str, Any]:
    """What a person chose, whether or not a version knows it."""
    chosen: dict[str, Any] = {"prompt": request.prompt, "aspect_ratio": request.aspect_ratio, "seed": request.seed}
    chosen |= {"num_outputs": request.count}
    return chosen | ({"lora_scale": request.strength} if request.generator == TRAINED_VERSION else {})


def caption_input(schema: Schema, image: str) -> dict[str, Any]:
    """`task` is how salesforce/blip tells a description from an answer."""
    if not knows(schema, "image"):
        raise ProviderRefused("The captioning model takes no picture.", advice="choose another captioning model")
    return fitting(schema, {"image": image}, wishes={"task": "image_captioning"})


def is_same_input(sent: Mapping[str, Any], listed: Mapping[str, Any]) -> bool:
    """Everything that we send is there and equal; a link's query (its signature) does not count."""
    return all(name in listed and _without_query(listed[name]) == _without_query(sent[name]) for name in sent)


def without_images(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != "input_images"}


def model_path(model: str, *further: str) -> str:
    owner, _, name = model.partition("/")
    return "/".join(["models", quote(owner, safe=""), quote(name, safe=""), *(quote(one, safe="") for one in further)])


def names_job(link: Any, job_id: str) -> bool:
    """Whether a dataset's link is ours for this job: they end in `<job id>.zip`."""
    return isinstance(link, str) and str(_without_query(link)).endswith(f"/{job_id}.zip")


def lies_elsewhere(ours: Mapping[str, Any], listed: Mapping[str, Any]) -> bool:
    """The dataset lies on another host: nobody says that Replicate keeps a link as it was."""
    try:
        return bool(urlsplit(ours["input_images"]).hostname != urlsplit(listed["input_images"]).hostname)
    except (KeyError, ValueError, TypeError, AttributeError):
        return "input_images" in ours


def _without_query(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith(("https://", "http://")):
        return value
    try:
        return urlsplit(value)._replace(query="", fragment="").geturl()
    except ValueError:
        return value
