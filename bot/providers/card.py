"""A provider as data: commands, autocomplete, checks, quotes, limits and help are made from these cards. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """What the model should learn; the words of `FinetuneInputs.mode` in bfl-legacy-2025.openapi.json."""

    GENERAL = "general"
    CHARACTER = "character"
    STYLE = "style"
    PRODUCT = "product"


class Priority(StrEnum):
    SPEED = "speed"
    QUALITY = "quality"
    HIGH_RES_ONLY = "high_res_only"


class FinetuneType(StrEnum):
    LORA = "lora"
    FULL = "full"


class Handover(StrEnum):
    """How a trainer gets its dataset, best first in a trainer's card."""

    FILE = "file"  # reads our disk: the local provider
    LINK = "link"  # fetches a presigned link from our object storage
    UPLOAD = "upload"  # has a file upload of its own, done in `prepare_training`
    INLINE = "inline"  # inside the request, as base64


class CaptionRule(StrEnum):
    """What a trainer does with a picture that has no caption; a caption that is there is learnt by every trainer."""

    OPTIONAL = "optional"  # learns it without one: its trigger word says enough
    DESCRIBED = "described"  # describes it itself, unless captioning is off
    DEFAULTED = "defaulted"  # fails, so that we send a default caption, which names the trigger word


class ModelBy(StrEnum):
    """How a generator gets hold of a model."""

    FILE = "file"  # reads our disk: the local provider
    REMOTE = "remote"  # trained or stored there, known by what that provider calls it
    LINK = "link"  # fetches a link that it can read: presigned, or public


@dataclass(frozen=True, kw_only=True)
class Range:
    lowest: float
    highest: float
    default: float

    def holds(self, value: float) -> bool:
        return self.lowest <= value <= self.highest


@dataclass(frozen=True, kw_only=True)
class Price:
    """US dollars. `is_certain` False for a figure that the provider itself does not publish as a fixed price."""

    once: float = 0.0
    per_iteration: float = 0.0
    is_certain: bool = True

    def of(self, iterations: int) -> float:
        return self.once + self.per_iteration * iterations


@dataclass(frozen=True, kw_only=True)
class TrainerCard:
    """An empty tuple or None means that this trainer knows no such parameter: it is not offered and never sent."""

    id: str
    title: str
    base_model: str
    image_count: Range
    advised_images: tuple[int, int]  # from how many pictures on it learns well, and from where on more help little
    advised_side: int  # pixels it works at: what is smaller is learnt blurred, what is larger is made smaller
    iterations: Range
    learning_rate: Range | None
    lora_ranks: tuple[int, ...]  # the first is the default
    modes: tuple[Mode, ...]
    priorities: tuple[Priority, ...]
    finetune_types: tuple[FinetuneType, ...]
    captions: CaptionRule
    trigger_in_captions: bool  # where there are captions, it learns the trigger word from them alone
    handover: tuple[tuple[Handover, int], ...]  # with the largest dataset in bytes that goes this way
    price: Price | None
    usual_seconds: float
    deadline_seconds: float
    can_be_found: bool  # whether `find` finding nothing proves that nothing was accepted
    retired: str = ""  # why it is not offered any more, in a sentence; what runs there goes on

    @property
    def describes_pictures(self) -> bool:
        """Whether `TrainingSettings.captioning` means anything here."""
        return self.captions is CaptionRule.DESCRIBED

    def most_bytes(self, *, has_object_storage: bool) -> int | None:
        """The largest dataset that gets there, whichever way it goes; None when there is no way."""
        ways = [most for way, most in self.handover if way is not Handover.LINK or has_object_storage]
        return max(ways, default=None)


@dataclass(frozen=True, kw_only=True)
class GeneratorCard:
    """`base_models` are those whose LoRAs it takes. `pictures` are made in one request; a job may need several."""

    id: str
    title: str
    base_models: tuple[str, ...]
    needs_model: bool
    strength: Range | None
    aspect_ratios: tuple[str, ...]
    pictures: Range
    prompt_characters: int
    has_seed: bool
    reference_images: int
    usd_per_picture: float | None
    deadline_seconds: float
    can_be_found: bool
    model_by: tuple[ModelBy, ...] = ()  # any of these will do; empty when it takes no model
    retired: str = ""  # why it is not offered any more, in a sentence


@dataclass(frozen=True, kw_only=True)
class CaptionerCard:
    """Who describes one picture at a time. `usd_per_caption` None: paid, and no price is published; 0.0 is free."""

    title: str
    usd_per_caption: float | None


@dataclass(frozen=True, kw_only=True)
class ProviderCard:
    """Durations in seconds. `notice` is shown on every card; empty for a real FLUX provider."""

    name: str
    title: str
    notice: str
    trainers: tuple[TrainerCard, ...]
    generators: tuple[GeneratorCard, ...]
    concurrent_jobs: int
    submissions_per_minute: int | None
    training_poll_seconds: float
    generation_poll_seconds: float
    settles_in_seconds: float = 0.0  # after that long, what it accepted is in its list
    captioner: CaptionerCard | None = None  # None when it describes no pictures
    no_training: str = ""  # why it trains nothing and what to choose instead, when people may expect it to

    def trainer(self, trainer_id: str) -> TrainerCard | None:
        return next((trainer for trainer in self.trainers if trainer.id == trainer_id), None)

    def generator(self, generator_id: str) -> GeneratorCard | None:
        return next((generator for generator in self.generators if generator.id == generator_id), None)

    def generators_for(self, base_model: str | None) -> tuple[GeneratorCard, ...]:
        """Those in use that take a LoRA of this base model, or with None those that need no model."""
        return tuple(
            generator
            for generator in self.generators
            if not generator.retired
            and (base_model in generator.base_models if base_model else not generator.needs_model)
        )
