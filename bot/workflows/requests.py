"""What a person asked for, checked before anything is stored. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from bot.downloads import Upload, too_large
from bot.errors import BadInput
from bot.providers.base_models import title_of
from bot.providers.card import FinetuneType, GeneratorCard, Mode, Priority, Range, TrainerCard
from bot.providers.tasks import TrainingSettings
from storage.jobs import Job
from storage.models import NAME_CHARACTERS

TRIGGER_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,29}")
DEFAULT_TRIGGER_WORD = "TOK"
LOOSE_UPLOADS = 10
MOST_UPLOADS = 1 + LOOSE_UPLOADS  # a zip beside them
MOST_NUMBERS = 2000  # in one span, of pictures
SEEDS = 2**32
PICTURES_PER_JOB = 4
REFERENCE_BYTES = 20 * 2**20  # what the strictest provider takes (PROVIDERS.md section 1.4)


@dataclass(frozen=True, kw_only=True)
class FinetuneRequest:
    """`name` may be empty: then `suggested` is taken, numbered when it is taken already. `trainer` is a choice that
    autocomplete gave; empty means the first that is offered. `dataset` is an id or name of one that exists; empty means
    a new one from the uploads."""

    name: str
    trigger_word: str
    mode: str
    uploads: tuple[Upload, ...]
    trainer: str = ""
    dataset: str = ""
    suggested: str = "My model"


class Which(Enum):
    """What the words for a dataset mean."""

    EITHER = "an id or name of one that exists, or else the name of a new one"
    KNOWN = "the id of one that exists"
    NEW = "the name of a new one, numbered when there is one of that name"


@dataclass(frozen=True, kw_only=True)
class AddRequest:
    dataset: str
    uploads: tuple[Upload, ...]
    which: Which = Which.EITHER


@dataclass(frozen=True, kw_only=True)
class GenerateRequest:
    """`model` is an id that autocomplete gave, a name that was typed, or a generator that needs no model.

    `generator` is a choice that autocomplete gave, empty means the first that fits the model; `seed` None means a
    random one, `strength` None the generator's own.
    """

    model: str
    prompt: str
    strength: float | None
    aspect_ratio: str
    count: int
    seed: int | None
    generator: str = ""
    images: tuple[Upload, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AdvancedChoices:
    """As typed in the dialog; what this trainer does not know was not asked and keeps its value."""

    iterations: str
    learning_rate: str = ""
    captioning: bool | None = None
    priority: str = ""
    finetune_type_and_rank: str = ""


def checked_name(name: str, what: str = "model") -> str:
    cleaned = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
    if not 1 <= len(cleaned) <= NAME_CHARACTERS:
        raise BadInput(f"Give the {what} a name of 1 to {NAME_CHARACTERS} characters.")
    return cleaned


def numbers_meant(text: str) -> tuple[int, ...]:
    """Of pictures, as people write them: `3, 7-9`. Raises `BadInput`."""
    numbers: set[int] = set()
    for part in re.findall(r"[^,;\s]+", re.sub(r"\s*[-–]\s*", "-", text)):
        span = re.fullmatch(r"(\d{1,6})(?:-(\d{1,6}))?", part)
        if span is None:
            raise BadInput("Write the numbers on the pictures, for example 3, 7-9.")
        first, last = sorted((int(span[1]), int(span[2] or span[1])))
        if last - first >= MOST_NUMBERS:
            raise BadInput(f"Write fewer than {MOST_NUMBERS:,} numbers at once, for example 3, 7-9.")
        numbers.update(range(first, last + 1))
    return tuple(sorted(numbers))


def checked_uploads(uploads: Sequence[Upload], *, max_bytes: int) -> None:
    if not uploads:
        raise BadInput("Attach a zip or pictures: there is nothing to learn from yet.")
    if len(uploads) > MOST_UPLOADS:
        raise BadInput(f"Send at most {MOST_UPLOADS} files at once, or put them all in one zip.")
    if sum(upload.size_bytes for upload in uploads) > max_bytes:
        raise too_large(max_bytes)


def default_settings(trainer: TrainerCard, *, trigger_word: str, mode: str) -> TrainingSettings:
    """The settings a review card starts with. Raises `BadInput`."""
    return TrainingSettings(
        trigger_word=checked_trigger_word(trigger_word),
        mode=_mode(trainer, mode),
        iterations=int(trainer.iterations.default),
        learning_rate=None,
        captioning=trainer.describes_pictures,
        priority=next(iter(trainer.priorities), Priority.QUALITY),
        finetune_type=next(iter(trainer.finetune_types), FinetuneType.LORA),
        lora_rank=next(iter(trainer.lora_ranks), 0),
    )


def checked_trigger_word(text: str) -> str:
    word = text.strip() or DEFAULT_TRIGGER_WORD
    if not TRIGGER_WORD.fullmatch(word):
        raise BadInput("Choose a trigger word of 2 to 30 letters, digits, - or _, for example ohwx.")
    return word


def _mode(trainer: TrainerCard, text: str) -> Mode:
    """A trainer that knows no modes takes any: then it only tells us what the pictures show."""
    offered = trainer.modes or tuple(Mode)
    if text not in offered:
        raise BadInput(f"Choose a mode: {', '.join(offered)}.")
    return Mode(text)


def settings_of(job: Job) -> TrainingSettings:
    """The training settings stored with a finetune job."""
    stored = job.details["settings"]
    return TrainingSettings(
        trigger_word=stored["trigger_word"],
        mode=Mode(stored["mode"]),
        iterations=stored["iterations"],
        learning_rate=stored["learning_rate"],
        captioning=stored["captioning"],
        priority=Priority(stored["priority"]),
        finetune_type=FinetuneType(stored["finetune_type"]),
        lora_rank=stored["lora_rank"],
    )


def advanced_settings(trainer: TrainerCard, before: TrainingSettings, choices: AdvancedChoices) -> TrainingSettings:
    """The settings with what the Advanced dialog changed. Raises `BadInput`."""
    iterations = _number(choices.iterations, trainer.iterations, "iterations")
    changed = replace(before, iterations=int(trainer.iterations.default if iterations is None else iterations))
    if trainer.learning_rate is not None:
        rate = _number(choices.learning_rate, trainer.learning_rate, "a learning rate")
        changed = replace(changed, learning_rate=rate)
    if choices.captioning is not None:
        changed = replace(changed, captioning=choices.captioning)
    if choices.priority:
        if choices.priority not in trainer.priorities:
            raise BadInput("Choose the priority from the list.")
        changed = replace(changed, priority=Priority(choices.priority))
    if choices.finetune_type_and_rank:
        kind, rank = _kind_and_rank(trainer, choices.finetune_type_and_rank)
        changed = replace(changed, finetune_type=kind, lora_rank=rank)
    return changed


def _kind_and_rank(trainer: TrainerCard, text: str) -> tuple[FinetuneType, int]:
    kind, _, rank = text.partition("-")
    if kind not in (trainer.finetune_types or (FinetuneType.LORA,)) or not rank.isdecimal():
        raise BadInput("Choose type and rank from the list.")
    if int(rank) not in trainer.lora_ranks:
        raise BadInput(f"{trainer.title} knows rank {' or '.join(str(known) for known in sorted(trainer.lora_ranks))}.")
    return FinetuneType(kind), int(rank)


def checked_generation(
    generator: GeneratorCard, request: GenerateRequest, *, base_model: str | None
) -> GenerateRequest:
    """The request with a clean prompt and a strength. Raises `BadInput`."""
    if base_model is not None and base_model not in generator.base_models:
        raise BadInput(
            f"{generator.title} cannot use that model: it belongs to {title_of(base_model)}. Leave the generator out, "
            "and one that fits is taken."
        )
    prompt = request.prompt.strip()
    if not prompt:
        raise BadInput("Write what the picture should show: the prompt is empty.")
    if len(prompt) > generator.prompt_characters:
        raise BadInput(
            f"The prompt has {len(prompt):,} characters; {generator.title} takes {generator.prompt_characters:,}: "
            "shorten it."
        )
    if request.aspect_ratio not in generator.aspect_ratios:
        raise BadInput(f"Choose an aspect ratio: {', '.join(generator.aspect_ratios)}.")
    if not 1 <= request.count <= PICTURES_PER_JOB:
        raise BadInput(f"Ask for 1 to {PICTURES_PER_JOB} pictures at a time.")
    if request.seed is not None and not 0 <= request.seed < SEEDS:
        raise BadInput(f"Choose a seed from 0 to {SEEDS - 1}, or leave it out for a new one each time.")
    _check_images(generator, request.images)
    return replace(request, prompt=prompt, strength=_strength(generator, request.strength))


def _strength(generator: GeneratorCard, wished: float | None) -> float:
    allowed = generator.strength
    if allowed is None:
        return 1.0
    if wished is None:
        return allowed.default
    if not allowed.holds(wished):
        raise BadInput(f"Choose a strength from {allowed.lowest:g} to {allowed.highest:g}.")
    return wished


def _check_images(generator: GeneratorCard, images: Sequence[Upload]) -> None:
    if images and not generator.reference_images:
        raise BadInput(f"{generator.title} takes no reference picture: leave it out, or choose another generator.")
    if len(images) > generator.reference_images:
        raise BadInput(f"{generator.title} takes at most {generator.reference_images} reference pictures.")
    if any(image.size_bytes > REFERENCE_BYTES for image in images):
        raise BadInput(f"A reference picture may have at most {REFERENCE_BYTES // 2**20} MiB.")


def _number(text: str, allowed: Range, what: str) -> float | None:
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not allowed.holds(value):
        raise BadInput(f"Choose {what} from {allowed.lowest:g} to {allowed.highest:g}.")
    return value
