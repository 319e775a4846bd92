"""What a person asked for, checked before anything is stored. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.downloads import Upload, too_large
from bot.errors import BadInput
from bot.providers.contract import FinetuneType, Mode, Priority, ProviderCard, Range, TrainingSettings

NAME_CHARACTERS = 50
TRIGGER_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,29}")
DEFAULT_TRIGGER_WORD = "TOK"
LOOSE_UPLOADS = 10
SEEDS = 2**32


@dataclass(frozen=True, kw_only=True)
class FinetuneRequest:
    name: str
    trigger_word: str
    mode: str
    uploads: tuple[Upload, ...]


@dataclass(frozen=True, kw_only=True)
class GenerateRequest:
    """`model` is an id that autocomplete gave, or a name that was typed; `seed` None means a random one."""

    model: str
    prompt: str
    strength: float
    aspect_ratio: str
    count: int
    seed: int | None


@dataclass(frozen=True, kw_only=True)
class AdvancedChoices:
    """As typed in the dialog; an empty text keeps the trainer's default."""

    iterations: str
    learning_rate: str
    captioning: bool
    priority: str
    finetune_type_and_rank: str


def checked_name(name: str) -> str:
    cleaned = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
    if not 1 <= len(cleaned) <= NAME_CHARACTERS:
        raise BadInput(f"Give the model a name of 1 to {NAME_CHARACTERS} characters.")
    return cleaned


def checked_uploads(uploads: Sequence[Upload], *, max_bytes: int) -> None:
    if not uploads:
        raise BadInput("Attach a zip or pictures: there is nothing to learn from yet.")
    if len(uploads) > LOOSE_UPLOADS:
        raise BadInput(f"Send at most {LOOSE_UPLOADS} loose pictures, or put them all in one zip.")
    if sum(upload.size_bytes for upload in uploads) > max_bytes:
        raise too_large(max_bytes)


def default_settings(card: ProviderCard, *, trigger_word: str, mode: str) -> TrainingSettings:
    """The settings a review card starts with. Raises `BadInput`."""
    word = trigger_word.strip() or DEFAULT_TRIGGER_WORD
    if not TRIGGER_WORD.fullmatch(word):
        raise BadInput("Choose a trigger word of 2 to 30 letters, digits, - or _, for example ohwx.")
    if mode not in card.modes:
        raise BadInput(f"Choose a mode: {', '.join(card.modes)}.")
    return TrainingSettings(
        trigger_word=word,
        mode=Mode(mode),
        iterations=int(card.iterations.default),
        learning_rate=None,
        captioning=True,
        priority=Priority.QUALITY,
        finetune_type=FinetuneType.LORA,
        lora_rank=max(card.lora_ranks),
    )


def advanced_settings(card: ProviderCard, before: TrainingSettings, choices: AdvancedChoices) -> TrainingSettings:
    """The settings with what the Advanced dialog changed. Raises `BadInput`."""
    kind, _, rank = choices.finetune_type_and_rank.partition("-")
    if choices.priority not in list(Priority) or kind not in list(FinetuneType) or not rank.isdecimal():
        raise BadInput("Choose priority, type and rank from the lists.")
    if int(rank) not in card.lora_ranks:
        raise BadInput(f"{card.title} knows rank {' or '.join(str(known) for known in card.lora_ranks)}.")
    iterations = _number(choices.iterations, card.iterations, "iterations")
    return replace(
        before,
        iterations=int(card.iterations.default if iterations is None else iterations),
        learning_rate=_number(choices.learning_rate, card.learning_rate, "a learning rate"),
        captioning=choices.captioning,
        priority=Priority(choices.priority),
        finetune_type=FinetuneType(kind),
        lora_rank=int(rank),
    )


def checked_generation(card: ProviderCard, request: GenerateRequest) -> GenerateRequest:
    """The request with a clean prompt. Raises `BadInput`."""
    prompt = request.prompt.strip()
    if not prompt:
        raise BadInput("Write what the picture should show: the prompt is empty.")
    if len(prompt) > card.prompt_characters:
        raise BadInput(
            f"The prompt has {len(prompt):,} characters; {card.title} takes {card.prompt_characters:,}: shorten it."
        )
    if not card.strength.holds(request.strength):
        raise BadInput(f"Choose a strength from {card.strength.lowest:g} to {card.strength.highest:g}.")
    if request.aspect_ratio not in card.aspect_ratios:
        raise BadInput(f"Choose an aspect ratio: {', '.join(card.aspect_ratios)}.")
    if not card.pictures_per_job.holds(request.count):
        raise BadInput(f"Ask for 1 to {card.pictures_per_job.highest:g} pictures at a time.")
    if request.seed is not None and not 0 <= request.seed < SEEDS:
        raise BadInput(f"Choose a seed from 0 to {SEEDS - 1}, or leave it out for a new one each time.")
    return replace(request, prompt=prompt)


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
