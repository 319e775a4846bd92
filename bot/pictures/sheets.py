"""Contact sheets: a dataset at one glance. Runs in a worker process."""

import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from PIL import Image, ImageOps

TILES = 20
TILE = 180
GAP = 6
BACKGROUND = (43, 45, 49)  # the cards' own, so that gaps look like gaps


class Mark(StrEnum):
    """A tile's verdict, shown by colour and by symbol."""

    GOOD = "good"
    DOUBT = "doubt"
    BAD = "bad"
    OUT = "out"  # left out of the training


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One picture of a sheet; `label` is a word or two, or empty."""

    path: Path
    number: int
    mark: Mark
    label: str


def write_report_sheet(tiles: Sequence[Tile], into: Path, *, beyond: int = 0) -> Path:
    """Numbered tiles with their verdicts in one JPEG; `beyond` pictures more are only counted, on a last tile."""
    places = max(1, len(tiles) + bool(beyond))
    columns = min(5, places)
    rows = math.ceil(places / columns)
    sheet = Image.new("RGB", (columns * (TILE + GAP) - GAP, rows * (TILE + GAP) - GAP), BACKGROUND)
    for place, tile in enumerate(tiles):
        with Image.open(tile.path) as image:
            image.draft("RGB", (TILE * 2, TILE * 2))
            fitted = ImageOps.fit(image.convert("RGB"), (TILE, TILE), Image.Resampling.LANCZOS)
        sheet.paste(fitted, (place % columns * (TILE + GAP), place // columns * (TILE + GAP)))
    sheet.save(into, "JPEG", quality=85)
    return into


def write_contact_sheet(prepared: Path, into: Path) -> Path:
    """The first pictures of a prepared zip as square tiles in one JPEG."""
    with zipfile.ZipFile(prepared) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith((".jpg", ".png")))[:TILES]
        tiles = [_tile(archive, name) for name in names]
    columns = len(tiles) if len(tiles) <= 5 else min((5, 4, 3), key=lambda wide: (-len(tiles) % wide, -wide))
    rows = math.ceil(len(tiles) / columns)
    sheet = Image.new("RGB", (columns * (TILE + GAP) - GAP, rows * (TILE + GAP) - GAP), BACKGROUND)
    for place, tile in enumerate(tiles):
        sheet.paste(tile, (place % columns * (TILE + GAP), place // columns * (TILE + GAP)))
    sheet.save(into, "JPEG", quality=85)
    return into


def _tile(archive: zipfile.ZipFile, name: str) -> Image.Image:
    with archive.open(name) as file, Image.open(file) as image:
        image.draft("RGB", (TILE * 2, TILE * 2))
        return ImageOps.fit(image.convert("RGB"), (TILE, TILE), Image.Resampling.LANCZOS, centering=(0.5, 0.4))
