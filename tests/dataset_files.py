"""Pictures and zips as people send them; used by every test that hands something over."""

import io
import random
import zipfile
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw

Palette = Literal["warm", "cool"]

_SKIES = {"warm": ((250, 190, 110), (190, 60, 50)), "cool": ((150, 210, 250), (30, 60, 140))}
_SHAPES = {
    "warm": ((240, 120, 40), (200, 40, 60), (250, 220, 120), (120, 50, 30)),
    "cool": ((40, 120, 220), (30, 160, 160), (200, 230, 250), (40, 40, 110)),
}
_BUNDLED_PHOTOS = (
    ("skimage", "data", "astronaut.png"),
    ("skimage", "data", "coffee.png"),
    ("skimage", "data", "chelsea.png"),
    ("skimage", "data", "rocket.jpg"),
    ("skimage", "data", "hubble_deep_field.jpg"),
    ("skimage", "data", "retina.jpg"),
    ("sklearn", "datasets/images", "china.jpg"),
    ("sklearn", "datasets/images", "flower.jpg"),
)


def photo(seed: int, size: tuple[int, int] = (640, 480), palette: Palette = "warm") -> Image.Image:
    """A sky, a horizon and a few solid things before it: structured, and different for every seed."""
    chance = random.Random(f"{palette} {seed}")
    top, bottom = _SKIES[palette]
    sky = Image.merge("RGB", [_slope(size, *ends) for ends in zip(top, bottom, strict=True)])
    draw = ImageDraw.Draw(sky)
    width, height = size
    horizon = round(height * chance.uniform(0.55, 0.75))
    draw.rectangle((0, horizon, width, height), fill=chance.choice(_SHAPES[palette]))
    for _ in range(8):
        across, up = chance.uniform(0.05, 0.25) * width, chance.uniform(0.1, 0.4) * height
        left, foot = chance.uniform(0, width - across), chance.uniform(horizon, height)
        shape = chance.choice((draw.ellipse, draw.rectangle))
        shape(
            (left, foot - up, left + across, foot), fill=chance.choice(_SHAPES[palette]), outline=(20, 20, 20), width=2
        )
    return sky


def _slope(size: tuple[int, int], start: int, end: int) -> Image.Image:
    """One band that runs from one brightness at the top to another at the bottom."""
    column = Image.new("L", (1, size[1]))
    column.putdata([start + (end - start) * row // max(1, size[1] - 1) for row in range(size[1])])
    return column.resize(size)


def jpeg_bytes(image: Image.Image, **options: object) -> bytes:
    return encoded(image, "JPEG", **{"quality": 90, **options})


def png_bytes(image: Image.Image, **options: object) -> bytes:
    return encoded(image, "PNG", **options)


def encoded(image: Image.Image, picture_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, picture_format, **options)
    return buffer.getvalue()


def zip_of(files: Mapping[str, bytes], path: Path, *, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def photo_zip(path: Path, count: int, palette: Palette = "warm", seed: int = 0) -> Path:
    return zip_of(photo_files(count, palette, seed), path)


@cache
def photo_files(count: int, palette: Palette = "warm", seed: int = 0) -> Mapping[str, bytes]:
    return {
        f"{palette}-{number:02}.jpg": jpeg_bytes(photo(1000 * seed + number, palette=palette))
        for number in range(1, count + 1)
    }


def real_photos() -> dict[str, bytes]:
    """Photographs that come with installed packages; nothing is fetched."""
    found: dict[str, bytes] = {}
    for package, folder, name in _BUNDLED_PHOTOS:
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            continue
        path = Path(spec.origin).parent / folder / name
        if path.is_file():
            found[name] = path.read_bytes()
    return found


def real_photo_zip(path: Path) -> Path:
    return zip_of(real_photos(), path)
