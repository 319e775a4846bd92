"""Writes prepared pictures and captions as the one zip a trainer receives. Runs in a pool process."""

import contextlib
import os
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.datasets.captions.captions import with_trigger_word

_EVERY_ENTRY_IS_DATED = (1980, 1, 1, 0, 0, 0)  # the zip format's first day: the same pictures give the same bytes


@dataclass(frozen=True, kw_only=True)
class Page:
    """A prepared picture in a file, and what is said about it."""

    picture: Path
    caption: str | None = None


def pack(pages: Sequence[Page], zip_path: Path) -> None:
    """Numbers the pictures; the zip appears under its name whole or not at all."""
    with _appearing_whole(zip_path) as archive:
        for number, page in enumerate(pages, start=1):
            with page.picture.open("rb") as picture, archive.open(_entry(f"{number:04}.jpg"), "w") as packed:
                shutil.copyfileobj(picture, packed)
            if page.caption:
                archive.writestr(_entry(f"{number:04}.txt"), page.caption.encode())


def pack_with_trigger_word(prepared: Path, zip_path: Path, word: str) -> None:
    """A copy of a prepared zip in which every caption has the trigger word once; the same bytes each time."""
    with zipfile.ZipFile(prepared) as archive, _appearing_whole(zip_path) as packed:
        for entry in archive.infolist():
            if entry.filename.endswith(".txt"):
                caption = with_trigger_word(archive.read(entry).decode(), word)
                packed.writestr(_entry(entry.filename), caption.encode())
            else:
                with archive.open(entry) as source, packed.open(_entry(entry.filename), "w") as target:
                    shutil.copyfileobj(source, target)


@contextlib.contextmanager
def _appearing_whole(zip_path: Path) -> Iterator[zipfile.ZipFile]:
    unfinished = zip_path.with_suffix(".part")
    try:
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                yield archive
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(zip_path)
    finally:
        unfinished.unlink(missing_ok=True)
    _make_lasting(zip_path.parent)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=_EVERY_ENTRY_IS_DATED)
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    return entry


def _make_lasting(folder: Path) -> None:
    """A rename survives a power cut only once its folder is written too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
