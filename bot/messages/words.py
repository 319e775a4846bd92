"""Small pieces of wording that several cards share."""

from collections.abc import Iterable

import discord

from storage.statuses import JobKind, JobStatus, Stage

BAR_CELLS = 12
COLOURS = {
    JobStatus.PREPARING: discord.Colour(0x5865F2),
    JobStatus.REVIEW: discord.Colour(0xF0B232),
    JobStatus.RUNNING: discord.Colour(0x5865F2),
    JobStatus.UNCERTAIN: discord.Colour(0xF0B232),
    JobStatus.CANCELLING: discord.Colour(0x80848E),
    JobStatus.DONE: discord.Colour(0x23A55A),
    JobStatus.FAILED: discord.Colour(0xDA373C),
    JobStatus.CANCELLED: discord.Colour(0x80848E),
}
STATUS_WORDS = {
    JobStatus.PREPARING: "getting ready",
    JobStatus.REVIEW: "waiting for you",
    JobStatus.RUNNING: "at work",
    JobStatus.UNCERTAIN: "needs your decision",
    JobStatus.CANCELLING: "stopping",
    JobStatus.DONE: "done",
    JobStatus.FAILED: "failed",
    JobStatus.CANCELLED: "cancelled",
}
STAGE_WORDS = {
    Stage.RECEIVED: "Received",
    Stage.PREPARED: "Prepared",
    Stage.DESCRIBED: "Described",
    Stage.STAGED: "Staged",
    Stage.TRAINING: "Training",
    Stage.GENERATING: "Generating",
    Stage.ARCHIVED: "Archived",
    Stage.VERIFIED: "Verified",
    Stage.PUBLISHED: "Published",
    Stage.ANNOUNCED: "Announced",
}

KIND_WORDS = {
    JobKind.ADD: "Pictures for",
    JobKind.CAPTION: "Captions for",
    JobKind.FINETUNE: "Training of",
    JobKind.GENERATE: "Pictures with",
    JobKind.IMPORT: "Import of",
    JobKind.PUBLISH: "Publishing of",
}
TITLES = {
    JobKind.ADD: {
        JobStatus.DONE: "Pictures added to {}",
        JobStatus.FAILED: "Nothing was added to {}",
        JobStatus.CANCELLED: "Adding to {} cancelled",
        JobStatus.RUNNING: "Adding pictures to {}",
    },
    JobKind.CAPTION: {
        JobStatus.DONE: "The pictures of {} are described",
        JobStatus.FAILED: "The pictures of {} were not all described",
        JobStatus.CANCELLED: "Describing {} cancelled",
        JobStatus.RUNNING: "Describing the pictures of {}",
    },
    JobKind.FINETUNE: {
        JobStatus.REVIEW: "Ready to train {}?",
        JobStatus.UNCERTAIN: "Is {} being trained?",
        JobStatus.DONE: "{} is trained",
        JobStatus.FAILED: "{} was not trained",
        JobStatus.CANCELLED: "Training of {} cancelled",
        JobStatus.PREPARING: "Getting {} ready",
        JobStatus.RUNNING: "Training {}",
    },
    JobKind.GENERATE: {
        JobStatus.DONE: "Pictures with {}",
        JobStatus.FAILED: "No pictures with {}",
        JobStatus.UNCERTAIN: "Are there pictures with {}?",
        JobStatus.RUNNING: "Generating with {}",
    },
    JobKind.IMPORT: {
        JobStatus.DONE: "{} is imported",
        JobStatus.FAILED: "{} was not imported",
        JobStatus.CANCELLED: "Import of {} cancelled",
        JobStatus.RUNNING: "Importing {}",
    },
    JobKind.PUBLISH: {
        JobStatus.DONE: "{} is published",
        JobStatus.FAILED: "{} was not published",
        JobStatus.CANCELLED: "Publishing of {} cancelled",
        JobStatus.RUNNING: "Publishing {}",
    },
}


def plain(text: str, longest: int = 200) -> str:
    """A person's words, shown as they are: no mark-up, no line breaks, cut with an ellipsis."""
    return discord.utils.escape_mentions(discord.utils.escape_markdown(flat(text, longest)))


def flat(text: str, longest: int = 200) -> str:
    """The same where Discord knows no mark-up and would show what escapes it: in pictures, alt texts, dialogs."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def place_named(source: str, longest: int = 80) -> str:
    """Where somebody's LoRA is, without what a link carries behind its path: that may be a signature."""
    return plain(source.partition("?")[0].partition("#")[0], longest)


def progress_bar(progress: float) -> str:
    progress = min(max(progress, 0.0), 1.0)
    filled = round(progress * BAR_CELLS)
    return f"{'▰' * filled}{'▱' * (BAR_CELLS - filled)}  {progress:.0%}"


def moment(epoch_ms: int, style: str = "R") -> str:
    """A time that Discord shows in the reader's own clock; style R is relative."""
    return f"<t:{epoch_ms // 1000}:{style}>"


def duration(milliseconds: int) -> str:
    seconds = milliseconds / 1000
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def rough(seconds: float) -> str:
    """An estimate: whole minutes, or hours and a half."""
    minutes = max(round(seconds / 60), 1)
    if seconds < 45:
        return "half a minute"
    return f"{minutes} min" if minutes < 90 else f"{round(minutes / 30) / 2:g} h"


def count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def spans(numbers: Iterable[int], longest: int) -> str:
    """Numbers as people write them, `3, 7-9`; cut behind a whole one."""
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        begun = runs.pop() if runs and number == runs[-1][1] + 1 else (number, number)
        runs.append((begun[0], number))
    whole = ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in runs)
    return whole if len(whole) <= longest else whole[: longest - 1].rpartition(", ")[0] + " …"
