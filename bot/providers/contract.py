"""What every provider promises. Workflows speak to this and to nothing behind it.

A provider is data (`ProviderCard`) plus a few calls. Submitting may cost money, so it is the one call that is never
repeated blindly: every request carries our job id, and `find` answers which task already belongs to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from bot.errors import ProviderError


class Mode(StrEnum):
    """What the model should learn; the words of `FinetuneInputs.mode` in bfl-legacy-2025.openapi.json."""

    GENERAL = "general"
    CHARACTER = "character"
    STYLE = "style"
    PRODUCT = "product"


class Priority(StrEnum):
    SPEED = "speed"
    QUALITY = "quality"


class FinetuneType(StrEnum):
    LORA = "lora"
    FULL = "full"


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """`learning_rate` None means the trainer's own default; ranges are in the provider's card."""

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
    """`dataset` is a prepared zip: flat, JPEG or PNG, same-stem UTF-8 `.txt` captions where there are any."""

    job_id: str
    settings: TrainingSettings
    dataset: Path
    image_count: int


@dataclass(frozen=True, kw_only=True)
class GenerationRequest:
    """`weights` is the archived file; `strength` 0 to 2 is how strongly the model shows; `seed` 0 to 2**32 - 1."""

    job_id: str
    weights: Path
    prompt: str
    strength: float
    aspect_ratio: str
    count: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class Working:
    """`progress` 0.0 to 1.0; `seconds_left` None when nobody can say."""

    progress: float
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
class Range:
    lowest: float
    highest: float
    default: float

    def holds(self, value: float) -> bool:
        return self.lowest <= value <= self.highest


@dataclass(frozen=True, kw_only=True)
class ProviderCard:
    """A provider as data: cogs, validation, cards and help are made from it. Durations in seconds."""

    name: str
    title: str
    notice: str  # shown on every card and kept in the picture's metadata; empty for a real FLUX provider
    base_models: tuple[str, ...]
    image_count: Range
    iterations: Range
    learning_rate: Range
    strength: Range
    pictures_per_job: Range
    lora_ranks: tuple[int, ...]
    modes: tuple[Mode, ...]
    aspect_ratios: tuple[str, ...]
    prompt_characters: int
    concurrent_jobs: int
    poll_seconds: float
    training_deadline_seconds: float
    generation_deadline_seconds: float
    tasks_can_be_found: bool  # whether `find` finding nothing proves that nothing was accepted


class Provider(Protocol):
    """Every call raises only `ProviderError`s. `submit_*` raises `ProviderBusy` only when certainly not accepted."""

    @property
    def card(self) -> ProviderCard: ...

    async def submit_training(self, request: TrainingRequest) -> str:
        """Start a training, answer the provider's task id."""

    async def submit_generation(self, request: GenerationRequest) -> str:
        """Start a generation, answer the provider's task id."""

    async def find(self, job_id: str) -> str | None:
        """The task that was submitted for this job, if there is one."""

    async def check(self, task_id: str) -> TaskState: ...

    async def cancel(self, task_id: str) -> bool:
        """Ask the task to stop; False when it had already ended."""

    async def fetch_weights(self, task_id: str, into: Path) -> Path:
        """Write the trained weights as one file below `into`, answer its path."""

    async def fetch_pictures(self, task_id: str, into: Path) -> Sequence[Path]:
        """Write the finished pictures below `into`, in order, answer their paths."""

    async def close(self) -> None: ...
