"""Contact sheets: a dataset at one glance. Runs in a worker process."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from bot.pictures.badges import Mark, corners, font, frame, strip_height, write_words

__all__ = ["Mark", "Tile", "write_report_sheet"]

BACKGROUND = (43, 45, 49)  # the cards' own, so that gaps look like gaps

WIDTH = 1320  # a telephone shows it 330 units wide at 3 pixels each, and a third more is left for looking closer
MOST_TILES = 40
SPACE = 14
UNITS = {5: 44, 4: 48}  # words are so high, by columns: 11 and 12 units on a telephone
LARGEST_UNIT = 52
WIDEST_CROP = 16 / 9  # what is wider or narrower is shown whole: its shape may be its flaw
PANEL = (30, 31, 34)


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One picture of a sheet; `label` is a word or two of ours, or empty.

    What people write may be in any script, and the font has few: it is never drawn, only written beside a sheet.
    """

    path: Path
    number: int
    mark: Mark
    label: str
    is_whole: bool = False  # shown without cropping, for its rim or its shape is its flaw

    def __post_init__(self) -> None:
        assert self.label.isascii(), "the font draws no other letters"


def write_report_sheet(tiles: Sequence[Tile], into: Path, *, beyond: int = 0) -> Path:
    """Numbered tiles with their verdicts in one JPEG; what is not shown, and `beyond`, is counted on a last tile."""
    total = len(tiles) + beyond
    shown = tiles if total == len(tiles) <= MOST_TILES else tiles[: MOST_TILES - 1]
    images = len(shown) + (total > len(shown))
    columns = _columns(images)
    side = (WIDTH + SPACE) // max(columns, 3) - SPACE
    rows = math.ceil(images / columns)
    step, unit = side + SPACE, UNITS.get(columns, LARGEST_UNIT)
    sheet = Image.new("RGB", (columns * step + SPACE, rows * step + SPACE), BACKGROUND)
    for place in range(images):
        tile = _drawn(shown[place], side, unit) if place < len(shown) else _count(total - len(shown), side, unit)
        corner = (SPACE + place % columns * step, SPACE + place // columns * step)
        sheet.paste(tile, corner, corners(side))
    sheet.save(into, "JPEG", quality=84, optimize=True)
    return into


def _columns(images: int) -> int:
    """Few, so that tiles are large, and so that the last row is full if that can be had."""
    if images <= 3:
        return max(1, images)
    choices = (3, 4) if images <= 9 else (4, 5) if images <= 20 else (5,)
    return min(choices, key=lambda columns: (-images % columns, columns))


def _drawn(tile: Tile, side: int, unit: int) -> Image.Image:
    size = (side, side - strip_height(unit) * bool(tile.label))
    with Image.open(tile.path) as image:
        image.draft("RGB", (side, side))
        picture = _whole(image.convert("RGB"), size) if tile.is_whole else _fitted(image.convert("RGB"), size)
    if tile.mark is Mark.OUT:
        picture = ImageEnhance.Brightness(picture.convert("L").convert("RGB")).enhance(0.45)
    square = Image.new("RGB", (side, side))
    square.paste(picture)
    over = frame(tile.mark, side, unit, digits=len(str(tile.number)), has_label=bool(tile.label))
    square.paste(over, (0, 0), over)
    write_words(square, tile.mark, tile.number, tile.label, unit)
    return square


def _fitted(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Cropped, rather at the bottom than at the top, where faces are."""
    if max(image.size) > WIDEST_CROP * min(image.size):
        return _whole(image, size)
    return ImageOps.fit(image, size, Image.Resampling.LANCZOS, centering=(0.5, 0.35))


def _whole(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return ImageOps.pad(image, size, Image.Resampling.LANCZOS, color=BACKGROUND)


def _count(pictures: int, side: int, unit: int) -> Image.Image:
    tile = Image.new("RGB", (side, side), PANEL)
    draw = ImageDraw.Draw(tile)
    middle = side / 2
    draw.text((middle, middle), f"+{pictures:,}", font=font(round(unit * 1.4)), fill="white", anchor="ms")
    draw.text((middle, middle + unit * 0.35), "more", font=font(unit), fill=(181, 186, 193), anchor="mt")
    return tile
