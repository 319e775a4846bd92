"""Contact sheets: a dataset at one glance. Runs in a worker process."""

import math
import zipfile
from pathlib import Path

from PIL import Image, ImageOps

TILES = 20
TILE = 180
GAP = 6
BACKGROUND = (43, 45, 49)  # the cards' own, so that gaps look like gaps


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
