"""The colours of a dataset: measured while learning, refined by mini-batch k-means, handed on to what is painted.

Everything is computed in OKLab, where equal distances look about equally different.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Floats = NDArray[np.floating[Any]]

PALETTE_COLOURS = 12
BATCH = 768
LUT_SIZE = 17

_TO_LMS = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929],
     [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]], dtype=np.float32)  # fmt: skip
_TO_LAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468],
     [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]], dtype=np.float32)  # fmt: skip
_FROM_LMS = np.linalg.inv(_TO_LMS.astype(np.float64)).astype(np.float32)
_FROM_LAB = np.linalg.inv(_TO_LAB.astype(np.float64)).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Palette:
    """`colours` are OKLab rows with their share of the dataset in `weights`; `mean` and `spread` are per OKLab axis."""

    colours: tuple[tuple[float, float, float], ...]
    weights: tuple[float, ...]
    mean: tuple[float, float, float]
    spread: tuple[float, float, float]


def to_oklab(rgb: Floats) -> Floats:
    """sRGB 0 to 1, channels last, to OKLab."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((np.maximum(rgb, 0) + 0.055) / 1.055) ** 2.4)
    lab: Floats = (np.cbrt(linear.astype(np.float32) @ _TO_LMS.T) @ _TO_LAB.T).astype(np.float32)
    return lab


def from_oklab(lab: Floats) -> Floats:
    """OKLab to sRGB, clipped to 0 to 1."""
    linear = np.clip((lab @ _FROM_LAB.T) ** 3 @ _FROM_LMS.T, 0, 1)
    rgb: Floats = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055).astype(np.float32)
    return rgb


def first_palette(samples: Floats) -> Floats:
    """A start for the refinement: colours of the samples that are far from one another."""
    chosen = [samples[int(np.argmin(((samples - samples.mean(0)) ** 2).sum(1)))]]
    distances = np.full(len(samples), np.inf, dtype=np.float32)
    for _ in range(PALETTE_COLOURS - 1):
        distances = np.minimum(distances, ((samples - chosen[-1]) ** 2).sum(1))
        chosen.append(samples[int(np.argmax(distances))])
    return np.stack(chosen)


def refine(samples: Floats, colours: Floats, *, first: int, last: int) -> Floats:
    """Steps `first` up to `last` of mini-batch k-means; the same step always looks at the same samples."""
    colours = colours.copy()
    for step in range(first, last):
        batch = samples[np.random.default_rng(step).integers(0, len(samples), BATCH)]
        nearest = _nearest(batch, colours)
        pace = 1.0 / (1.0 + step / 20)
        for index in np.unique(nearest):
            colours[index] += pace * (batch[nearest == index].mean(0) - colours[index])
    return colours


def finish(samples: Floats, colours: Floats) -> Palette:
    """The palette with its shares, darkest colour first."""
    colours = colours[np.argsort(colours[:, 0], kind="stable")]
    shares = np.bincount(_nearest(samples, colours), minlength=len(colours)) / len(samples)
    return Palette(
        colours=tuple(_triple(colour) for colour in colours),
        weights=tuple(round(float(share), 6) for share in shares),
        mean=_triple(samples.mean(0)),
        spread=_triple(samples.std(0)),
    )


def recolour(image: Image.Image, palette: Palette, *, amount: float, hold: float = 0.35) -> Image.Image:
    """`image` in the dataset's colours. `amount` 0 to 1; `hold` is how much of the picture's own light stays."""
    rgb = np.asarray(image.resize((96, 96), Image.Resampling.BOX), dtype=np.float32) / 255
    lab = to_oklab(rgb.reshape(-1, 3))
    cube = _cube()
    moved = _towards(cube, palette, mean=lab.mean(0), spread=lab.std(0), hold=hold)
    table = from_oklab(cube + np.float32(amount) * (moved - cube))
    return image.filter(ImageFilter.Color3DLUT(LUT_SIZE, table.reshape(-1).tolist()))


def settle(image: Image.Image, palette: Palette, *, light: float, tint: float = 0.01) -> Image.Image:
    """Holds the picture's mean colour within `light` and `tint` of the dataset's, and its contrasts near to it."""
    rgb = np.asarray(image.resize((96, 96), Image.Resampling.BOX), dtype=np.float32) / 255
    lab = to_oklab(rgb.reshape(-1, 3))
    mean, spread = lab.mean(0), np.maximum(lab.std(0), 1e-3)
    reach = np.array([light, tint, tint], dtype=np.float32)
    wanted = np.asarray(palette.mean, dtype=np.float32)
    settled = wanted + np.clip(mean - wanted, -reach, reach)
    scale = np.clip(np.asarray(palette.spread, dtype=np.float32) / spread, 0.5, 1.3)
    scale[0] = scale[0] ** 0.8
    cube = _cube()
    table = from_oklab(settled + (cube - mean) * scale)
    return image.filter(ImageFilter.Color3DLUT(LUT_SIZE, table.reshape(-1).tolist()))


def colour_distance(one: Palette, other: Palette) -> float:
    """How different two sets of colours are: means and spreads, in OKLab."""
    means = math.dist(one.mean, other.mean)
    return means + 0.5 * math.dist(one.spread, other.spread)


def measure(images: Sequence[Image.Image]) -> Palette:
    """The palette of finished pictures, for comparing them with a dataset."""
    samples = np.concatenate([sample_colours(image) for image in images])
    return finish(samples, first_palette(samples))


def sample_colours(image: Image.Image, side: int = 40) -> Floats:
    """An even sample of the picture's colours in OKLab."""
    rgb = np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.BOX), dtype=np.float32) / 255
    return to_oklab(rgb.reshape(-1, 3))


def _cube() -> Floats:
    """Every colour of the table that is laid over a picture, red fastest."""
    grid = np.linspace(0, 1, LUT_SIZE, dtype=np.float32)
    blue, green, red = np.meshgrid(grid, grid, grid, indexing="ij")
    return to_oklab(np.stack([red, green, blue], axis=-1).reshape(-1, 3))


def _towards(lab: Floats, palette: Palette, *, mean: Floats, spread: Floats, hold: float) -> Floats:
    """Statistics first (mean and spread of each axis), then a pull to the palette's colours of that lightness."""
    wanted_mean = np.asarray(palette.mean, dtype=np.float32)
    wanted_spread = np.asarray(palette.spread, dtype=np.float32)
    scale = np.clip(wanted_spread / np.maximum(spread, 1e-3), 0.25, 1.6)
    scale[0] = hold + (1 - hold) * scale[0]
    kept_mean = wanted_mean + (mean - wanted_mean) * np.array([hold, 0, 0], dtype=np.float32)
    matched = kept_mean + (lab - mean) * scale
    pulled = _pull(matched, palette)
    blend = np.array([0.2, 0.6, 0.6], dtype=np.float32)
    return np.asarray(matched + blend * (pulled - matched), dtype=np.float32)


def _pull(lab: Floats, palette: Palette) -> Floats:
    colours = np.asarray(palette.colours, dtype=np.float32)
    shares = np.asarray(palette.weights, dtype=np.float32)
    stretch = np.array([1.0, 1.4, 1.4], dtype=np.float32)
    distances = (((lab[:, None] - colours[None]) * stretch) ** 2).sum(-1)
    closeness = np.exp(-(distances - distances.min(1, keepdims=True)) / 0.010) * np.sqrt(shares + 0.01)
    closeness /= closeness.sum(1, keepdims=True)
    return np.asarray(closeness @ colours, dtype=np.float32)


def _nearest(samples: Floats, colours: Floats) -> NDArray[np.intp]:
    return np.asarray(np.argmin(((samples[:, None] - colours[None]) ** 2).sum(-1), axis=1))


def _triple(row: Floats) -> tuple[float, float, float]:
    return (round(float(row[0]), 6), round(float(row[1]), 6), round(float(row[2]), 6))
