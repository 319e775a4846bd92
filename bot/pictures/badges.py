"""What is drawn over a tile of a report sheet: ring, symbol, number and label; `sheets` asks."""

from enum import StrEnum
from functools import cache

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Point = tuple[float, float]

SMOOTHING = 4  # shapes are drawn this much larger, because Pillow draws hard edges
INK: Colour = (255, 255, 255)
DARK: Colour = (24, 25, 28)


class Mark(StrEnum):
    """A tile's verdict, shown by colour and by the shape of a symbol."""

    GOOD = "good"
    DOUBT = "doubt"
    BAD = "bad"
    OUT = "out"  # left out of the training
    PLAIN = "plain"  # no verdict at all


COLOURS: dict[Mark, Colour] = {
    Mark.GOOD: (45, 160, 95),
    Mark.DOUBT: (245, 184, 61),
    Mark.BAD: (229, 57, 63),
    Mark.OUT: (104, 108, 118),
    Mark.PLAIN: (78, 80, 88),
}
RINGS = {Mark.GOOD: 0.012, Mark.DOUBT: 0.028, Mark.BAD: 0.028, Mark.OUT: 0.012, Mark.PLAIN: 0.012}  # of the tile's side
RADIUS = 0.06


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@cache
def corners(side: int) -> Image.Image:
    """The mask of a tile with rounded corners."""
    mask = Image.new("L", (side * SMOOTHING, side * SMOOTHING))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, *mask.size), RADIUS * mask.width, fill=255)
    return mask.reduce(SMOOTHING)


@cache
def frame(mark: Mark, side: int, unit: int, *, digits: int, has_label: bool) -> Image.Image:
    """Everything of a tile but its picture and its words. `unit` is the height of the words."""
    large, scale = side * SMOOTHING, unit * SMOOTHING
    image = Image.new("RGBA", (large, large))
    draw = ImageDraw.Draw(image)
    seen = large - strip_height(unit) * SMOOTHING * has_label
    if mark is Mark.OUT:
        _cross(draw, (large / 2, seen / 2), seen * 0.28, (*INK, 150), round(large * 0.025))
    draw.rectangle((0, seen, large, large), fill=(*COLOURS[mark], 255))
    draw.rounded_rectangle(
        (0, 0, large - 1, large - 1),
        RADIUS * large,
        outline=(*COLOURS[mark], 255),
        width=round(RINGS[mark] * large),
    )
    _symbol(draw, mark, (large - 0.95 * scale, 0.95 * scale), 0.62 * scale)
    draw.rounded_rectangle([edge * SMOOTHING for edge in _pill(digits, unit)], 0.35 * scale, fill=(*DARK, 225))
    return image.reduce(SMOOTHING)


def _pill(digits: int, unit: int) -> tuple[float, float, float, float]:
    """Where the number stands."""
    return (0.32 * unit, 0.32 * unit, (1.07 + 0.5 * digits) * unit, 1.57 * unit)


def strip_height(unit: int) -> int:
    return round(unit * 1.5)


def _symbol(draw: ImageDraw.ImageDraw, mark: Mark, centre: Point, radius: float) -> None:
    """A disc with a tick, a triangle with an exclamation mark, an octagon or a disc with a cross."""
    x, y = centre
    stroke = round(radius * 0.28)
    match mark:
        case Mark.GOOD:
            _disc(draw, centre, radius, COLOURS[mark])
            tick = [
                (x - 0.45 * radius, y),
                (x - 0.1 * radius, y + 0.36 * radius),
                (x + 0.48 * radius, y - 0.36 * radius),
            ]
            draw.line(tick, fill=INK, width=stroke, joint="curve")
        case Mark.DOUBT:
            _polygon(draw, (x, y + 0.22 * radius), 1.15 * radius, 3, COLOURS[mark])
            draw.line(((x, y - 0.38 * radius), (x, y + 0.28 * radius)), fill=DARK, width=stroke)
            draw.circle((x, y + 0.56 * radius), radius * 0.15, fill=DARK)
        case Mark.BAD:
            _polygon(draw, centre, 1.06 * radius, 8, COLOURS[mark])
            _cross(draw, centre, radius * 0.4, (*INK, 255), stroke)
        case Mark.OUT:
            _disc(draw, centre, radius, COLOURS[mark])
            draw.line(((x - 0.5 * radius, y), (x + 0.5 * radius, y)), fill=INK, width=stroke)
        case Mark.PLAIN:
            return


def _disc(draw: ImageDraw.ImageDraw, centre: Point, radius: float, colour: Colour) -> None:
    draw.circle(centre, radius * 1.12, fill=DARK)
    draw.circle(centre, radius, fill=colour)


def _polygon(draw: ImageDraw.ImageDraw, centre: Point, radius: float, sides: int, colour: Colour) -> None:
    """With a dark rim, which sets it off from any picture."""
    draw.regular_polygon((*centre, radius * (1.12 if sides > 3 else 1.24)), sides, fill=DARK)
    draw.regular_polygon((*centre, radius), sides, fill=colour)


def _cross(
    draw: ImageDraw.ImageDraw, centre: Point, reach: float, colour: tuple[int, int, int, int], stroke: int
) -> None:
    x, y = centre
    draw.line(((x - reach, y - reach), (x + reach, y + reach)), fill=colour, width=stroke)
    draw.line(((x - reach, y + reach), (x + reach, y - reach)), fill=colour, width=stroke)


def write_words(tile: Image.Image, mark: Mark, number: int, label: str, unit: int) -> None:
    """The number in its pill, the label on its strip."""
    draw = ImageDraw.Draw(tile)
    left, top, right, bottom = _pill(len(str(number)), unit)
    middle = ((left + right) / 2, (top + bottom) / 2)
    draw.text(middle, str(number), font=font(round(unit * 0.86)), fill=INK, anchor="mm", stroke_width=unit / 50)
    if label:
        size = _fitting(draw, label, round(unit * 0.9), tile.width - 0.6 * unit)
        colour = DARK if mark is Mark.DOUBT else INK
        place = (tile.width / 2, tile.height - strip_height(unit) / 2 - unit * 0.04)
        draw.text(place, label, font=font(size), fill=colour, anchor="mm", stroke_width=unit / 70)


def _fitting(draw: ImageDraw.ImageDraw, words: str, size: int, width: float) -> int:
    while size > 10 and draw.textlength(words, font=font(size)) > width:
        size -= 1
    return size
