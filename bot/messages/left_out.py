"""Files that were handed over and not used: in short where everybody reads, by name for their person alone."""

import io
from collections import Counter
from collections.abc import Sequence

import discord

from bot.datasets.report import in_general
from bot.messages.words import flat, plain

LEFT_OUT_LINES = 5  # that a card itself names
LEFT_OUT_FILE = "files-left-out.txt"
REASONS_TOLD = 3
TEXT_CHARACTERS = 3700  # of the 4000 of a card, beside its heading and how many more there are
LINES_BESIDE_THE_LIST = 10
LINES_IN_FILE = 5000  # of at most 301 signs: in any script well below the 10 MB that Discord takes

LeftOut = Sequence[tuple[str, str]]  # a name and the reason, the latest addition first


def left_out_in_short(left_out: LeftOut) -> list[str]:
    """How many, and the commonest reasons. What people call their files, and what else they collect, is their own."""
    if not left_out:
        return []
    reasons = Counter(_without_names(reason) for _, reason in left_out)
    told = [f"{plain(reason, 60)} ({count:,})" for reason, count in reasons.most_common(REASONS_TOLD)]
    told += ["other reasons"] if len(reasons) > REASONS_TOLD else []
    return [f"**Files left out: {len(left_out):,}**", f"-# {' · '.join(told)}"]


def left_out_lines(left_out: LeftOut) -> list[str]:
    """The first few by name."""
    if not left_out:
        return []
    lines = [
        f"**Files left out: {len(left_out):,}**",
        *(f"- {plain(name, 60)} {plain(reason, 120)}" for name, reason in left_out[:LEFT_OUT_LINES]),
    ]
    if len(left_out) > LEFT_OUT_LINES:
        lines.append(f"- … and {len(left_out) - LEFT_OUT_LINES:,} more")
    return lines


def left_out_by_name(left_out: LeftOut) -> tuple[list[str], int]:
    """All of them, or what one card holds, and how many more there are. Where the list comes too, a few are enough:
    who reads it on a telephone has it at the end of the card."""
    lines: list[str] = []
    room = TEXT_CHARACTERS
    for name, reason in left_out:
        line = f"- {plain(name, 100)} {plain(reason)}"
        room -= len(line) + 1
        if room < 0:
            del lines[LINES_BESIDE_THE_LIST:]
            break
        lines.append(line)
    return lines, len(left_out) - len(lines)


def left_out_files(left_out: LeftOut) -> list[discord.File]:
    """The whole list, when one card does not hold it. Nothing in it is read as mark-up."""
    if left_out_by_name(left_out)[1] == 0:
        return []
    lines = [f"{flat(name, 100)} {flat(reason)}" for name, reason in left_out[:LINES_IN_FILE]]
    lines += [f"… and {len(left_out) - LINES_IN_FILE:,} more"] if len(left_out) > LINES_IN_FILE else []
    return [discord.File(io.BytesIO("\n".join(lines).encode()), filename=LEFT_OUT_FILE)]


def _without_names(reason: str) -> str:
    """What a reason has in common with others of its kind: no name of another file, no size, no number, no advice."""
    return in_general(reason).partition(": ")[0].removeprefix("is ")
