"""Learns a set of pictures without a neural network: looks at each, refines a common palette, packs an atlas.

`learn` does it all; a provider that shows progress calls the same steps one by one, each small and picklable.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from bot.pictures import palette as colours_of
from bot.pictures.learnt import MAX_CAPTION, MAX_PICTURES, MODES, LearntPicture, Manifest, pack

Floats = NDArray[np.floating[Any]]

MAX_SOURCE_PIXELS = 64_000_000
CHUNK = 50
MAX_SAMPLES = 60_000


@dataclass(frozen=True, kw_only=True)
class Look:
    """What is remembered of one picture: itself, smaller, and a sample of its colours."""

    jpeg: bytes
    width: int
    height: int
    samples: Floats
    caption: str


def atlas_side(count: int) -> int:
    """The longest side kept of each of `count` pictures, so that the file stays small."""
    if count <= 24:
        return 768
    return 512 if count <= 100 else 320


def look(picture: Path | bytes, caption: str, side: int) -> Look:
    """Decode one picture, keep it at `side` pixels, sample its colours. Raises ValueError for what is no picture."""
    source = io.BytesIO(picture) if isinstance(picture, bytes) else picture
    try:
        with Image.open(source, formats=("JPEG", "PNG")) as opened:
            if opened.width * opened.height > MAX_SOURCE_PIXELS:
                raise ValueError("the picture has too many pixels")
            opened.draft("RGB", (side * 2, side * 2))
            image = _flat(ImageOps.exif_transpose(opened))
    except (OSError, SyntaxError) as error:
        raise ValueError("the picture cannot be read") from error
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    image = image.resize((max(8, image.width), max(8, image.height)))
    kept = io.BytesIO()
    image.save(kept, "JPEG", quality=90)
    return Look(
        jpeg=kept.getvalue(),
        width=image.width,
        height=image.height,
        samples=colours_of.sample_colours(image),
        caption=caption[:MAX_CAPTION],
    )


def gather(looks: Sequence[Look]) -> Floats:
    """The colour samples of all pictures, thinned out evenly where there are very many."""
    every = np.concatenate([one.samples for one in looks])
    return every[:: -(-len(every) // MAX_SAMPLES)]


def finish(looks: Sequence[Look], colours: Floats, *, mode: str, trigger_word: str, iterations: int) -> bytes:
    """The weights file."""
    if mode not in MODES or not 1 <= len(looks) <= MAX_PICTURES:
        raise ValueError("an unknown mode, or too few or too many pictures")
    manifest = Manifest(
        mode=mode,
        trigger_word=trigger_word,
        iterations=iterations,
        palette=colours_of.finish(gather(looks), colours),
        pictures=tuple(_picture(index, one) for index, one in enumerate(looks)),
    )
    return pack(manifest, [one.jpeg for one in looks])


def learn(
    images: Sequence[Path | bytes],
    captions: Sequence[str],
    *,
    mode: str,
    trigger_word: str,
    iterations: int,
    report: Callable[[float], None] = lambda _progress: None,
) -> bytes:
    """The weights file for these pictures; `report` hears the progress, 0 to 1, after every unit of work."""
    units = len(images) + -(-iterations // CHUNK)
    looks: list[Look] = []
    for image, caption in zip(images, captions, strict=True):
        looks.append(look(image, caption, atlas_side(len(images))))
        report(len(looks) / units)
    samples = gather(looks)
    colours = colours_of.first_palette(samples)
    for done, first in enumerate(range(0, iterations, CHUNK), 1):
        colours = colours_of.refine(samples, colours, first=first, last=min(first + CHUNK, iterations))
        report((len(looks) + done) / units)
    return finish(looks, colours, mode=mode, trigger_word=trigger_word, iterations=iterations)


def _flat(image: Image.Image) -> Image.Image:
    """Without transparency, which would otherwise turn black."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    layers = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers).convert("RGB")


def _picture(index: int, seen: Look) -> LearntPicture:
    mean, spread = seen.samples.mean(0), seen.samples.std(0)
    return LearntPicture(
        file=f"atlas/{index:03d}.jpg",
        width=seen.width,
        height=seen.height,
        mean=(round(float(mean[0]), 6), round(float(mean[1]), 6), round(float(mean[2]), 6)),
        spread=(round(float(spread[0]), 6), round(float(spread[1]), 6), round(float(spread[2]), 6)),
        caption=seen.caption,
    )
