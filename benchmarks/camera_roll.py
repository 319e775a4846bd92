"""A zip of photographs as a camera makes them, always the same for the same number; `datasets` measures with it.

Twenty scenes of noise over structure are encoded once. Each further picture is one of them with other numbers in its
quantisation table, which makes other pixels of the same bytes: no two are equal, and decoding costs what it costs.
"""

import io
import zipfile
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (4000, 3000)
_SCENES = 20
_QUALITY = 94
_LUMINANCE = (
    4  # where a table's numbers begin behind its mark, its length and its name: the mean of a block comes first
)
_QUANTISATION = b"\xff\xdb"


def make_camera_roll(path: Path, images: int, packing: int) -> None:
    """Appears under its name when it is whole."""
    unfinished = path.with_suffix(".part")
    scenes = [photograph(number) for number in range(min(_SCENES, images))]
    with zipfile.ZipFile(unfinished, "w", packing, compresslevel=1) as archive:
        for number in range(images):
            variant, scene = divmod(number, len(scenes))
            entry = zipfile.ZipInfo(f"DCIM/IMG_{number:04}.JPG", date_time=(2024, 5, 1, 12, 0, 0))
            entry.compress_type = packing
            archive.writestr(entry, varied(scenes[scene], variant))
    unfinished.replace(path)


def photograph(seed: int) -> bytes:
    width, height = SIZE
    chance = np.random.default_rng(seed)
    light = np.zeros((height, width), np.float32)
    for power in range(2, 11):
        coarse = chance.normal(0, 60 / power**1.2, (2**power * 3 // 4, 2**power)).astype(np.float32)
        light += np.asarray(Image.fromarray(coarse).resize(SIZE, Image.Resampling.BICUBIC))
    pixels = np.empty((height, width, 3), np.uint8)
    for band, tint in enumerate(chance.uniform(0.6, 1.2, 3)):
        grain = chance.normal(110, 8, (height, width)).astype(np.float32)
        pixels[..., band] = np.clip(light * tint + grain, 0, 255)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def varied(jpeg: bytes, variant: int) -> bytes:
    """The coarsest waves of each block a little stronger, in a way of its own for each variant."""
    changed = bytearray(jpeg)
    numbers = jpeg.index(_QUANTISATION) + 1 + _LUMINANCE
    choices = list(product(range(3), repeat=4))[variant]
    for place, more in enumerate(choices, start=1):
        changed[numbers + place] += more
    return bytes(changed)
