"""Describes a picture without a neural network: its main colours, how bright it is, its format. Pure, deterministic.

What it says is true and little: it cannot tell what a picture shows.
"""

import io
from collections import Counter

from PIL import Image, ImageOps

from bot.pictures.learning import MAX_SOURCE_PIXELS

SIDE = 32  # pixels it looks at
LEAST_SHARE = 0.2  # of the picture, for a second colour to be named
BRIGHT, DARK = 170, 85  # of 255
# A pixel is called what the nearest of these is called.
COLOURS = {
    "black": ((8, 8, 8), (30, 30, 34)),
    "grey": ((75, 75, 78), (128, 128, 128), (190, 190, 190)),
    "white": ((250, 250, 250), (230, 230, 232)),
    "red": ((220, 30, 40), (250, 20, 20), (140, 20, 30)),
    "orange": ((245, 140, 40), (210, 110, 50), (255, 165, 0)),
    "brown": ((120, 70, 35), (75, 45, 25), (150, 100, 60)),
    "beige": ((225, 205, 170), (250, 220, 180), (205, 175, 135)),
    "yellow": ((250, 220, 60), (255, 255, 20), (215, 190, 40)),
    "green": ((40, 140, 60), (120, 190, 90), (30, 75, 40), (100, 110, 40), (60, 230, 60)),
    "teal": ((20, 130, 130), (70, 190, 190), (15, 80, 85), (60, 245, 245)),
    "blue": ((40, 80, 200), (20, 25, 110), (110, 170, 230), (10, 10, 240), (150, 205, 240)),
    "purple": ((120, 40, 150), (170, 130, 210), (75, 30, 100)),
    "pink": ((250, 150, 180), (230, 60, 150), (255, 195, 205), (245, 40, 240)),
}
ANCHORS = tuple((name, anchor) for name, anchors in COLOURS.items() for anchor in anchors)


def describe(picture: bytes) -> str:
    """Such as "a bright, mostly orange and teal picture in landscape format". Raises ValueError for no picture."""
    try:
        with Image.open(io.BytesIO(picture), formats=("JPEG", "PNG", "WEBP")) as opened:
            if opened.width * opened.height > MAX_SOURCE_PIXELS:
                raise ValueError("the picture has too many pixels")
            opened.draft("RGB", (SIDE * 4, SIDE * 4))
            opened.thumbnail((SIDE * 4, SIDE * 4), Image.Resampling.BOX)
            image = ImageOps.exif_transpose(opened).convert("RGBA")
    except (OSError, SyntaxError, EOFError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError("the picture cannot be read") from error
    seen = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    format_word = _format(*seen.size)
    seen = seen.resize((SIDE, SIDE), Image.Resampling.BOX)
    return f"a {_brightness(seen)}, mostly {' and '.join(_colours(seen))} picture in {format_word} format"


def _format(width: int, height: int) -> str:
    if width * 10 > height * 11:
        return "landscape"
    return "portrait" if height * 10 > width * 11 else "square"


def _brightness(image: Image.Image) -> str:
    grey = image.convert("L").tobytes()
    mean = sum(grey) / len(grey)
    if mean > BRIGHT:
        return "bright"
    return "dark" if mean < DARK else "softly lit"


def _colours(image: Image.Image) -> list[str]:
    """One or two names, the commonest first; of equals the one that comes first in the alphabet."""
    raw = image.tobytes()
    counts = Counter(_name(*raw[place : place + 3]) for place in range(0, len(raw), 3))
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    least = LEAST_SHARE * SIDE * SIDE
    return [name for place, (name, count) in enumerate(ranked[:2]) if place == 0 or count >= least]


def _name(red: int, green: int, blue: int) -> str:
    """The nearest by "redmean", which weighs the differences about as an eye does."""

    def distance(anchor: tuple[int, int, int]) -> float:
        mean = (red + anchor[0]) / 2
        squares = ((red - anchor[0]) ** 2, (green - anchor[1]) ** 2, (blue - anchor[2]) ** 2)
        return (2 + mean / 256) * squares[0] + 4 * squares[1] + (2 + (255 - mean) / 256) * squares[2]

    return min(ANCHORS, key=lambda pair: distance(pair[1]))[0]
