"""What became of every file handed over: the prepared pictures, and what was left out with its reason."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from bot.datasets.measuring.measures import Measures

MAX_SHOWN_NAME = 80


def shown_name(name: str) -> str:
    """A stranger's file name made harmless to show: no control or direction marks, and its end kept when it is long."""
    visible = "".join(sign for sign in name if not unicodedata.category(sign).startswith(("C", "Zl", "Zp")))
    cleaned = " ".join(visible.split()) or "a file without a name"
    if len(cleaned) <= MAX_SHOWN_NAME:
        return cleaned
    return "…" + cleaned[1 - MAX_SHOWN_NAME :]


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A file that is not in the dataset. The reason reads after the name: “notes.pdf” is not a picture."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class PreparedImage:
    """One picture as it will be trained on, in a file named for its hash; `name` is what its person called it.

    The original's sides are as a person sees them, after turning it the way the camera was held.
    """

    name: str
    sha256: str
    width: int
    height: int
    original_width: int
    original_height: int
    size_bytes: int
    measures: Measures
    caption: str | None = None


@dataclass(frozen=True, kw_only=True)
class Prepared:
    images: tuple[PreparedImage, ...]
    left_out: tuple[LeftOut, ...]


def top_reasons(left_out: tuple[LeftOut, ...], most: int = 3) -> str:
    """The commonest, in words that everybody may read."""
    counts = Counter(in_general(each.reason) for each in left_out)
    examples = {in_general(each.reason): each.reason for each in reversed(left_out)}
    return "; ".join(
        f"one {_nameless(examples[reason])}" + (f" (and {count - 1} more like it)" if count > 1 else "")
        for reason, count in counts.most_common(most)
    )


def in_general(reason: str) -> str:
    """What it has in common with others of its kind: no name of another file, no size."""
    return re.sub(r"[\d,]+ × [\d,]+", "…", _nameless(reason))


def _nameless(reason: str) -> str:
    """What people call their files is their own: a reason speaks of another file without its name or number."""
    return re.sub(r", as number [\d,]+", "", re.sub(r"“.*”|“.*", "another", reason, flags=re.DOTALL))
