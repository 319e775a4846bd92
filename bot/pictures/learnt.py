"""The weights file of the offline preview: one zip with a manifest and a bounded atlas of the training pictures.

Written by `learning`, read by `painting`. Whoever hands one over is not trusted: sizes, counts, names and types first.
"""

import io
import json
import math
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from bot.pictures.palette import Palette

METHOD = "image-quilting"
VERSION = 1
MODES = ("general", "character", "style", "product")
MANIFEST = "manifest.json"
MAX_PICTURES = 400
MAX_FILE_BYTES = 96 * 1024 * 1024
MAX_MANIFEST_BYTES = 1024 * 1024
MAX_PICTURE_BYTES = 1024 * 1024
MAX_SIDE = 1024
MAX_CAPTION = 240
FIXED_TIME = (1980, 1, 1, 0, 0, 0)


class WeightsUnreadable(ValueError):
    """The file is not a weights file of this method, or not one that may be trusted."""


@dataclass(frozen=True, kw_only=True)
class LearntPicture:
    """One picture of the atlas; `mean` and `spread` in OKLab."""

    file: str
    width: int
    height: int
    mean: tuple[float, float, float]
    spread: tuple[float, float, float]
    caption: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    mode: str
    trigger_word: str
    iterations: int
    palette: Palette
    pictures: tuple[LearntPicture, ...]


def pack(manifest: Manifest, atlas: Sequence[bytes]) -> bytes:
    """The same manifest and atlas always give the same bytes."""
    text = json.dumps(_as_json(manifest), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(MANIFEST, FIXED_TIME), text.encode())
        for picture, content in zip(manifest.pictures, atlas, strict=True):
            archive.writestr(zipfile.ZipInfo(picture.file, FIXED_TIME), content)
    return whole.getvalue()


def read_manifest(weights: Path) -> Manifest:
    """The manifest of a weights file whose every entry has been checked against it; pictures are not decoded yet."""
    try:
        if weights.stat().st_size > MAX_FILE_BYTES:
            raise WeightsUnreadable("the weights file is too large")
        with zipfile.ZipFile(weights) as archive:
            return _checked(archive)
    except WeightsUnreadable:
        raise
    except (
        OSError,
        zipfile.BadZipFile,
        ValueError,
        TypeError,
        LookupError,
        RecursionError,
        NotImplementedError,
    ) as error:
        raise WeightsUnreadable(f"not a weights file of this method ({type(error).__name__})") from error


def read_pictures(weights: Path, wanted: Sequence[LearntPicture]) -> list[Image.Image]:
    """These pictures of the atlas, decoded."""
    try:
        with zipfile.ZipFile(weights) as archive:
            return [_decode(archive.read(picture.file), picture) for picture in wanted]
    except (OSError, zipfile.BadZipFile, LookupError, ValueError, SyntaxError, NotImplementedError) as error:
        raise WeightsUnreadable(f"a picture in the weights file cannot be read ({type(error).__name__})") from error


def _decode(content: bytes, picture: LearntPicture) -> Image.Image:
    with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
        if image.size != (picture.width, picture.height):
            raise WeightsUnreadable("a picture in the weights file is not the size it claims")
        return image.convert("RGB")


def _checked(archive: zipfile.ZipFile) -> Manifest:
    entries = archive.infolist()
    if not 2 <= len(entries) <= MAX_PICTURES + 1:
        raise WeightsUnreadable("the weights file has too few or too many entries")
    sizes: dict[str, int] = {}
    for entry in entries:
        limit = MAX_MANIFEST_BYTES if entry.filename == MANIFEST else MAX_PICTURE_BYTES
        if entry.compress_type != zipfile.ZIP_STORED or not 0 < entry.file_size <= limit or entry.filename in sizes:
            raise WeightsUnreadable("the weights file has an entry that does not belong")
        sizes[entry.filename] = entry.file_size
    manifest = _from_json(json.loads(archive.read(MANIFEST)))
    if {picture.file for picture in manifest.pictures} != set(sizes) - {MANIFEST}:
        raise WeightsUnreadable("the weights file does not hold the pictures it lists")
    return manifest


def _as_json(manifest: Manifest) -> dict[str, Any]:
    palette = manifest.palette
    return {
        "method": METHOD,
        "version": VERSION,
        "mode": manifest.mode,
        "trigger_word": manifest.trigger_word,
        "iterations": manifest.iterations,
        "palette": {
            "colours": palette.colours,
            "weights": palette.weights,
            "mean": palette.mean,
            "spread": palette.spread,
        },
        "pictures": [vars(picture) for picture in manifest.pictures],
    }


def _from_json(raw: Mapping[str, Any]) -> Manifest:
    if not isinstance(raw, dict) or raw.get("method") != METHOD or raw.get("version") != VERSION:
        raise WeightsUnreadable("the weights file was made by another method or version")
    pictures = _list(raw["pictures"], 1, MAX_PICTURES)
    palette = raw["palette"]
    colours = _list(palette["colours"], 2, 64)
    return Manifest(
        mode=_one_of(raw["mode"], MODES),
        trigger_word=_text(raw["trigger_word"], 100),
        iterations=_whole(raw["iterations"], 0, 100_000),
        palette=Palette(
            colours=tuple(_triple(colour) for colour in colours),
            weights=tuple(_number(weight) for weight in _list(palette["weights"], len(colours), len(colours))),
            mean=_triple(palette["mean"]),
            spread=_triple(palette["spread"]),
        ),
        pictures=tuple(_picture(index, picture) for index, picture in enumerate(pictures)),
    )


def _picture(index: int, raw: Mapping[str, Any]) -> LearntPicture:
    file = _text(raw["file"], 40)
    if not re.fullmatch(r"atlas/\d{3}\.jpg", file):
        raise WeightsUnreadable(f"picture {index} has a name that does not belong")
    return LearntPicture(
        file=file,
        width=_whole(raw["width"], 8, MAX_SIDE),
        height=_whole(raw["height"], 8, MAX_SIDE),
        mean=_triple(raw["mean"]),
        spread=_triple(raw["spread"]),
        caption=_text(raw["caption"], MAX_CAPTION),
    )


def _list(value: object, fewest: int, most: int) -> list[Any]:
    if not isinstance(value, list) or not fewest <= len(value) <= most:
        raise WeightsUnreadable("a list in the manifest has the wrong length")
    return value


def _text(value: object, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise WeightsUnreadable("a text in the manifest is missing or too long")
    return value


def _one_of(value: object, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise WeightsUnreadable("the manifest names an unknown mode")
    return str(value)


def _whole(value: object, lowest: int, highest: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise WeightsUnreadable("a number in the manifest is out of range")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > 2:
        raise WeightsUnreadable("a number in the manifest is out of range")
    return float(value)


def _triple(value: object) -> tuple[float, float, float]:
    one, two, three = (_number(part) for part in _list(value, 3, 3))
    return (one, two, three)
