"""How a case of the corpus is written: what is handed over, and what must become of it."""

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.datasets.limits import MEBIBYTE, DatasetLimits
from tests.datasets.hostile_files import zip_bytes

Files = Mapping[str, bytes]
LIMITS = DatasetLimits(
    max_entries=60,
    max_entry_bytes=2 * MEBIBYTE,
    max_total_bytes=6 * MEBIBYTE,
    max_upload_bytes=8 * MEBIBYTE,
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """`kept` are the names shown of the pictures, in order; `left_out` the rest with reasons, in any order."""

    files: Callable[[], Files]
    kept: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    captions: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""


def zipped(
    files: Callable[[], Files],
    *kept: str,
    out: Mapping[str, str] | None = None,
    captions: Mapping[str, str] | None = None,
) -> Case:
    """The same in a zip called cats.zip that packs nothing, as plain pictures pack like bombs."""
    return Case(
        files=lambda: {"cats.zip": zip_bytes(files(), zipfile.ZIP_STORED)},
        kept=kept,
        left_out=tuple((out or {}).items()),
        captions=captions or {},
    )


def as_zip(
    archive: Callable[[], bytes],
    *kept: str,
    out: Mapping[str, str] | None = None,
    captions: Mapping[str, str] | None = None,
) -> Case:
    """A zip that is made in a way of its own."""
    return Case(
        files=lambda: {"cats.zip": archive()},
        kept=kept,
        left_out=tuple((out or {}).items()),
        captions=captions or {},
    )


def refused(archive: Callable[[], bytes], sentence: str, name: str = "cats.zip") -> Case:
    return Case(files=lambda: {name: archive()}, refused=sentence)
