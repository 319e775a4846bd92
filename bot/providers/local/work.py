"""The units of the local provider's work, picklable for a process pool. ValueErrors mean bad input."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from bot.pictures.describing import describe
from bot.pictures.learning import Look, atlas_side, look
from bot.pictures.learnt import read_manifest, read_pictures
from bot.pictures.painting import paint, png_info

MAX_ENTRIES = 2000
MAX_PICTURE_BYTES = 64 * 1024 * 1024
MAX_CAPTION_BYTES = 32 * 1024  # of 4,000 characters, and a trigger word
MAX_DESCRIBED_BYTES = 20 * 1024 * 1024  # as every provider that describes pictures
PICTURE_ENDINGS = {".jpg", ".jpeg", ".png"}


class DatasetUnreadable(ValueError):
    """The dataset is not a zip of pictures that may be trusted."""


class PictureUnreadable(ValueError):
    """The picture is not one that can be described."""


@dataclass(frozen=True, kw_only=True)
class PaintOrder:
    """One picture to be painted."""

    prompt: str
    strength: float
    aspect_ratio: str
    seed: int
    index: int


def picture_names(dataset: Path) -> list[str]:
    """The pictures in a dataset, by name, in the order in which they are learnt."""
    try:
        with zipfile.ZipFile(dataset) as archive:
            entries = archive.infolist()
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise DatasetUnreadable("The dataset cannot be read as a zip.") from error
    if len(entries) > MAX_ENTRIES:
        raise DatasetUnreadable("The dataset has too many files.")
    pictures = [entry for entry in entries if PurePosixPath(entry.filename).suffix.lower() in PICTURE_ENDINGS]
    if any(entry.file_size > MAX_PICTURE_BYTES for entry in pictures):
        raise DatasetUnreadable("A picture in the dataset is too large.")
    return sorted({entry.filename for entry in pictures})


def look_at(dataset: Path, name: str, count: int) -> Look:
    """Learn one picture of a dataset of `count`."""
    content, caption = _read_with_caption(dataset, name)
    return _look(content, caption, count)


def look_at_and_describe(dataset: Path, name: str, count: int) -> Look:
    """The same, with a caption of our own where there is none."""
    content, caption = _read_with_caption(dataset, name)
    seen = _look(content, caption, count)
    return seen if caption.strip() else replace(seen, caption=describe(seen.jpeg))


def describe_file(picture: Path) -> str:
    """A line that describes the picture. Raises `PictureUnreadable`, with a sentence."""
    try:
        with picture.open("rb") as file:
            content = file.read(MAX_DESCRIBED_BYTES + 1)
    except OSError as error:
        raise PictureUnreadable("The picture that should be described is not there any more.") from error
    if len(content) > MAX_DESCRIBED_BYTES:
        raise PictureUnreadable("The picture is too large to be described.")
    try:
        return describe(content)
    except ValueError as error:
        raise PictureUnreadable("Only PNG, JPEG and WebP pictures can be described.") from error


def _read_with_caption(dataset: Path, name: str) -> tuple[bytes, str]:
    try:
        with zipfile.ZipFile(dataset) as archive:
            content = _read(archive, name, MAX_PICTURE_BYTES)
            return content, _caption(archive, str(PurePosixPath(name).with_suffix(".txt")))
    except (OSError, zipfile.BadZipFile, LookupError, NotImplementedError, RuntimeError, EOFError) as error:
        raise DatasetUnreadable("The dataset cannot be read to its end.") from error


def _look(content: bytes, caption: str, count: int) -> Look:
    try:
        return look(content, caption, atlas_side(count))
    except ValueError as error:
        raise DatasetUnreadable(f"A picture in the dataset was refused: {error}.") from error


def check_weights(weights: Path) -> None:
    """Raises WeightsUnreadable unless this is a weights file with pictures that decode."""
    read_pictures(weights, read_manifest(weights).pictures[:1])


def paint_png(weights: Path, order: PaintOrder) -> bytes:
    """One finished picture file, saying in its metadata what it is."""
    image = paint(
        weights,
        order.prompt,
        strength=order.strength,
        aspect_ratio=order.aspect_ratio,
        seed=order.seed,
        index=order.index,
    )
    trigger_word = read_manifest(weights).trigger_word
    info = png_info(prompt=order.prompt, seed=order.seed, strength=order.strength, trigger_word=trigger_word)
    file = io.BytesIO()
    image.save(file, "PNG", pnginfo=info, compress_level=4)
    return file.getvalue()


def orders(request: dict[str, object], count: int) -> Sequence[PaintOrder]:
    """One order per picture of a remembered generation request."""
    return [
        PaintOrder(
            prompt=str(request["prompt"]),
            strength=float(str(request["strength"])),
            aspect_ratio=str(request["aspect_ratio"]),
            seed=int(str(request["seed"])),
            index=index,
        )
        for index in range(count)
    ]


def _read(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    with archive.open(name) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise DatasetUnreadable("A file in the dataset is too large.")
    return content


def _caption(archive: zipfile.ZipFile, name: str) -> str:
    if name not in archive.namelist():
        return ""
    return _read(archive, name, MAX_CAPTION_BYTES).decode("utf-8", "replace")
