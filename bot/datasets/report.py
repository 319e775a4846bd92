"""What became of every file handed over: the prepared pictures, and what was left out with its reason."""

import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

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
    """One picture as it will be trained on; `name` is what its person called it."""

    name: str
    stem: str
    file_name: str
    width: int
    height: int
    sha256: str
    size_bytes: int
    caption: str | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    images: tuple[PreparedImage, ...]
    left_out: tuple[LeftOut, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain lists, strings and numbers, for a JSON column."""
        return {
            "images": [asdict(image) for image in self.images],
            "left_out": [asdict(left_out) for left_out in self.left_out],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(
            images=tuple(PreparedImage(**image) for image in stored["images"]),
            left_out=tuple(LeftOut(**left_out) for left_out in stored["left_out"]),
        )


@dataclass(frozen=True, kw_only=True)
class PreparedDataset:
    report: Report
    zip_path: Path


def top_reasons(left_out: tuple[LeftOut, ...], most: int = 3) -> str:
    """The commonest reasons, each with one file as its example."""
    counts = Counter(each.reason for each in left_out)
    examples = {each.reason: each.name for each in reversed(left_out)}
    return "; ".join(
        f"“{examples[reason]}” {reason}" + (f" (and {count - 1} more like it)" if count > 1 else "")
        for reason, count in counts.most_common(most)
    )
