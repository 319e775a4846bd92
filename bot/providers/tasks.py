"""What goes to a provider and what comes back: requests, tasks, their states and results. Pure data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.errors import ProviderError
from bot.providers.card import FinetuneType, Mode, Priority


@dataclass(frozen=True, kw_only=True)
class Task:
    """Something a provider accepted. `links` are the addresses it named for asking after it, never rebuilt or shown."""

    id: str
    links: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """Where the provider may knock when a task moves on; whatever it says there is read back from it."""

    url: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """`learning_rate` None means the trainer's own default; ranges are in the trainer's card."""

    trigger_word: str
    mode: Mode
    iterations: int
    learning_rate: float | None
    captioning: bool
    priority: Priority
    finetune_type: FinetuneType
    lora_rank: int


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """`dataset` is a prepared zip: flat, JPEG or PNG, same-stem UTF-8 `.txt` captions where there are any.

    `dataset_link` is a presigned link to the same bytes, when there is object storage. `prepared` is what
    `prepare_training` answered. `name` is what its person calls the model.
    """

    job_id: str
    trainer: str
    name: str
    settings: TrainingSettings
    dataset: Path
    image_count: int
    dataset_link: str | None = field(default=None, repr=False)
    prepared: Mapping[str, Any] = field(default_factory=dict)
    webhook: Webhook | None = None


@dataclass(frozen=True, kw_only=True)
class ModelInUse:
    """A model as a generator needs it. `remote` is what this provider calls it; empty when it was trained elsewhere.

    `weights` is our archived file (None for a model that lives only at its provider), `weights_link` a presigned link
    to the same bytes when there is object storage.
    """

    base_model: str
    weights: Path | None
    weights_link: str | None = field(default=None, repr=False)
    remote: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class GenerationRequest:
    """One paid request. A job for more pictures than the generator makes at once is several, numbered by `part`.

    `strength` is how strongly the model shows; `seed` 0 to 2**32 - 1; `images` are reference pictures.
    """

    job_id: str
    part: int
    generator: str
    model: ModelInUse | None
    prompt: str
    strength: float
    aspect_ratio: str
    count: int
    seed: int
    images: tuple[Path, ...] = ()
    webhook: Webhook | None = None


@dataclass(frozen=True, kw_only=True)
class Working:
    """`progress` 0.0 to 1.0, None when nobody can say; so for `seconds_left`. `note` is shown to the person."""

    progress: float | None
    note: str = ""
    seconds_left: float | None = None


@dataclass(frozen=True, kw_only=True)
class Finished:
    pass


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """The task ended without a result; `error` says why, in a sentence a person can read."""

    error: ProviderError


TaskState = Working | Finished | Stopped


@dataclass(frozen=True, kw_only=True)
class TrainedWeights:
    """`path` is the `.safetensors` (for the local provider its own format); `remote` goes into `ModelInUse.remote`.

    None for weights that the provider has kept to itself: then there is always a `remote`.
    """

    path: Path | None
    remote: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.path is None and not self.remote:
            raise ValueError("weights that are neither here nor there")


@dataclass(frozen=True, kw_only=True)
class FetchedPictures:
    """`withheld` pictures were held back by the provider's safety checker; of `missing` ones nobody says why."""

    paths: Sequence[Path]
    withheld: int = 0
    missing: int = 0


@dataclass(frozen=True, kw_only=True)
class Balance:
    """What is left on the account; `amount` in US dollars, None when the provider only says who it belongs to."""

    account: str
    amount_usd: float | None = None
