"""Writes prepared pictures and captions as the one zip a trainer receives. Runs in a pool process."""

import os
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bot.datasets.captions import is_caption, with_trigger_word
from bot.datasets.report import PreparedImage

_EVERY_ENTRY_IS_DATED = (1980, 1, 1, 0, 0, 0)  # the zip format's first day: the same pictures give the same bytes


def pack(images: Sequence[PreparedImage], pictures: Path, zip_path: Path) -> tuple[PreparedImage, ...]:
    """Numbers the pictures; the zip appears under its name whole or not at all."""
    numbered = tuple(
        replace(image, stem=f"{number:04}", file_name=f"{number:04}.jpg")
        for number, image in enumerate(images, start=1)
    )
    unfinished = pictures / "unfinished.zip"
    with unfinished.open("xb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for source, image in zip(images, numbered, strict=True):
                _add(archive, pictures / source.file_name, image)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(zip_path)
    _make_lasting(zip_path.parent)
    return numbered


def pack_with_trigger_word(prepared: Path, zip_path: Path, word: str) -> None:
    """A copy of a prepared zip in which every caption has the trigger word once; the same bytes each time."""
    unfinished = zip_path.with_suffix(".part")
    with zipfile.ZipFile(prepared) as archive, zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as packed:
        for entry in archive.infolist():
            if is_caption(entry.filename):
                caption = with_trigger_word(archive.read(entry).decode(), word)
                packed.writestr(_entry(entry.filename), caption.encode())
            else:
                with archive.open(entry) as source, packed.open(_entry(entry.filename), "w") as target:
                    shutil.copyfileobj(source, target)
    unfinished.replace(zip_path)


def _add(archive: zipfile.ZipFile, source: Path, image: PreparedImage) -> None:
    with source.open("rb") as picture, archive.open(_entry(image.file_name), "w") as packed:
        shutil.copyfileobj(picture, packed)
    if image.caption:
        archive.writestr(_entry(f"{image.stem}.txt"), image.caption.encode())


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
