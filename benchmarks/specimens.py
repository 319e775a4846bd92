"""Photographs that come with installed packages, what can go wrong with them, and drawn things; for `appraisal`."""

import io
import random
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

Change = Callable[[Image.Image], Image.Image]

_PHOTOGRAPHS = {
    ("skimage", "data"): (
        "astronaut.png coffee.png chelsea.png rocket.jpg hubble_deep_field.jpg retina.jpg motorcycle_left.png ihc.png "
        "camera.png coins.png moon.png brick.png grass.png gravel.png"  # not cell and clock_motion, which are blurred
    ),
    ("sklearn", "datasets/images"): "china.jpg flower.jpg",
}
_TEXT = (
    "the quick brown fox jumps over a lazy dog while seven wizards make a toxic brew and jack looks on every evening"
)


def photographs() -> dict[str, Image.Image]:
    found: dict[str, Image.Image] = {}
    for (package, folder), names in _PHOTOGRAPHS.items():
        spec = find_spec(package)
        assert spec is not None, f"{package} is not installed"
        assert spec.origin is not None
        for name in names.split():
            with Image.open(Path(spec.origin).parent / folder / name) as image:
                found[Path(name).stem] = image.convert("RGB")
    return found


def by_stops(stops: float) -> Change:
    """More or less light, as a camera's exposure changes it: in linear light, and clipped."""
    values = np.arange(256) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    exposed = np.clip(linear * 2.0**stops, 0, 1)
    encoded = np.where(exposed <= 0.0031308, exposed * 12.92, 1.055 * exposed ** (1 / 2.4) - 0.055)
    table = [round(float(value) * 255) for value in encoded] * 3
    return lambda image: image.point(table)


def blurred(radius: float) -> Change:
    return lambda image: image.filter(ImageFilter.GaussianBlur(radius))


def focused(image: Image.Image) -> Image.Image:
    """Sharp in the middle half only, as a portrait before a soft background."""
    width, height = image.size
    middle = Image.new("L", image.size)
    ImageDraw.Draw(middle).ellipse((width / 4, height / 4, width * 3 / 4, height * 3 / 4), fill=255)
    return Image.composite(image, blurred(8)(image), middle.filter(ImageFilter.GaussianBlur(12)))


def noisy(deviation: float) -> Change:
    """As from a small sensor in the evening."""

    def add(image: Image.Image) -> Image.Image:
        grain = np.random.default_rng(1).normal(0, deviation, (image.height, image.width, 3))
        return Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8))

    return add


def moved(length: int) -> Change:
    """A camera that moved sideways."""

    def move(image: Image.Image) -> Image.Image:
        pixels = np.pad(np.asarray(image).astype(np.float32), ((0, 0), (length, 0), (0, 0)), mode="edge")
        sums = np.cumsum(pixels, axis=1)
        return Image.fromarray(((sums[:, length:] - sums[:, :-length]) / length).round().astype(np.uint8))

    return move


def as_jpeg(quality: int) -> Change:
    def save(image: Image.Image) -> Image.Image:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        return Image.open(buffer).convert("RGB")

    return save


def scaled(factor: float) -> Change:
    return lambda image: image.resize(
        (round(image.width * factor), round(image.height * factor)), Image.Resampling.LANCZOS
    )


def cropped(share: float, across: float = 0.5, down: float = 0.5) -> Change:
    """Loses a share of each side, so much of it left and above."""

    def crop(image: Image.Image) -> Image.Image:
        width, height = round(image.width * (1 - share)), round(image.height * (1 - share))
        left, top = round((image.width - width) * across), round((image.height - height) * down)
        return image.crop((left, top, left + width, top + height))

    return crop


def turned(degrees: float) -> Change:
    """And cropped, so that no corner is empty."""
    return lambda image: cropped(0.06)(image.rotate(degrees, Image.Resampling.BICUBIC))


def warmer(image: Image.Image) -> Image.Image:
    red, green, blue = image.split()
    return Image.merge(
        "RGB", (red.point(lambda v: min(255, round(v * 1.15))), green, blue.point(lambda v: round(v * 0.8)))
    )


def boxed(across: float, down: float, colour: tuple[int, int, int] = (0, 0, 0)) -> Change:
    """Bars of this share of the picture, at each of two sides."""
    return lambda image: ImageOps.expand(image, (round(image.width * across), round(image.height * down)), fill=colour)


def text_page(seed: int, paper: str = "white", ink: str = "black") -> Image.Image:
    page = Image.new("RGB", (1100, 1500), paper)
    _write(ImageDraw.Draw(page), (90, 100, 1010, 1400), 28, ink, random.Random(seed))
    return page


def chat(seed: int, *, ground: str, bubble: str, ink: str) -> Image.Image:
    """A screenshot of a telephone, in the size that is trained on."""
    chance = random.Random(seed)
    screen = Image.new("RGB", (720, 1536), ground)
    draw = ImageDraw.Draw(screen)
    _status_line(draw, ink)
    top = 120
    while top < 1336:
        height, is_own = chance.choice((80, 140, 200)), chance.random() < 0.5
        left, right = (160, 690) if is_own else (30, 560)
        draw.rounded_rectangle((left, top, right, top + height), 24, fill="#3c6ef0" if is_own else bubble)
        _write(draw, (left + 20, top + 16, right - 20, top + height - 8), 28, "white" if is_own else ink, chance)
        top += height + 24
    return screen


def feed(seed: int, photograph: Image.Image) -> Image.Image:
    """A screenshot with a photograph in it."""
    chance = random.Random(seed)
    screen = Image.new("RGB", (720, 1536), "white")
    draw = ImageDraw.Draw(screen)
    _status_line(draw, "black")
    draw.ellipse((30, 110, 100, 180), fill="#c8505a")
    draw.text((120, 125), "someone_there", font=ImageFont.load_default(30), fill="black")
    height = round(720 * photograph.height / photograph.width)
    screen.paste(photograph.resize((720, height)), (0, 200))
    _write(draw, (30, 300 + height, 690, 1400), 30, "black", chance)
    return screen


def screens(photos: Mapping[str, Image.Image]) -> dict[str, Image.Image]:
    return {
        "page": text_page(1),
        "page at night": text_page(2, "#1e1e22", "#e6e6e6"),
        "page, small": scaled(0.5)(text_page(3)),
        "chat": chat(1, ground="#f5f6f8", bubble="#e4e6eb", ink="#141414"),
        "chat at night": chat(2, ground="#121418", bubble="#2c2e36", ink="#ebebeb"),
        "chat, JPEG 50": as_jpeg(50)(chat(3, ground="#f5f6f8", bubble="#e4e6eb", ink="#141414")),
        "feed": feed(1, photos["astronaut"]),
        "feed, JPEG 50": as_jpeg(50)(feed(2, photos["coffee"])),
    }


def _status_line(draw: ImageDraw.ImageDraw, ink: str) -> None:
    draw.text((30, 20), "9:41", font=ImageFont.load_default(32), fill=ink)
    draw.text((540, 20), "5G 87%", font=ImageFont.load_default(32), fill=ink)


def _write(
    draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], size: int, ink: str, chance: random.Random
) -> None:
    left, top, right, bottom = box
    font, words = ImageFont.load_default(size), _TEXT.split()
    while top + size < bottom:
        line = ""
        while draw.textlength(line + (word := chance.choice(words)), font=font) <= right - left:
            line += word + " "
        draw.text((left, top), line, font=font, fill=ink)
        top += round(size * 1.45)
