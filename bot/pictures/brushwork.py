"""Turns a quilted picture into a painting: colour is smeared along the shapes, as a brush would, and lit a little."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Floats = NDArray[np.floating[Any]]


def blur(field: Floats, radius: float) -> Floats:
    """A soft blur of a colour picture or of one channel, both 0 to 1."""
    image = Image.fromarray(np.clip(field * 255, 0, 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32) / 255


def brush(picture: Floats, *, length: int, hair: float, random: np.random.Generator) -> Floats:
    """Strokes of `length` pixels to each side; `hair` is how strongly the bristles show."""
    height, width = picture.shape[:2]
    down, across = _directions(picture, random)
    bristles = blur(random.random((height, width), dtype=np.float32), 0.6)
    layers = np.concatenate([picture, bristles[..., None]], axis=-1).reshape(-1, 4)
    total = layers.copy()
    for sign in (-1.0, 1.0):
        _smear(total, layers, sign * down, sign * across, length)
    total /= 2 * length + 1
    painted = total.reshape(height, width, 4)
    relief = painted[..., 3] - blur(painted[..., 3], 3)
    lit = painted[..., :3] * (1 + hair * 3.0 * relief[..., None])
    return np.asarray(np.clip(lit, 0, 1))


def _smear(total: Floats, layers: Floats, down: Floats, across: Floats, length: int) -> None:
    """Add, for every pixel, the pixels along its stroke; the stroke follows the directions it meets."""
    height, width = down.shape
    rows, columns = (grid.astype(np.float32) for grid in np.mgrid[0:height, 0:width])
    steps = np.stack([down, across], axis=-1).reshape(-1, 2)
    place = np.arange(height * width)
    last = steps.copy()
    for _ in range(length):
        here = steps[place]
        turned = np.where((here * last).sum(-1, keepdims=True) < 0, -here, here)
        last = turned
        rows += turned[:, 0].reshape(height, width)
        columns += turned[:, 1].reshape(height, width)
        np.clip(rows, 0, height - 1, out=rows)
        np.clip(columns, 0, width - 1, out=columns)
        place = ((rows + 0.5).astype(np.int32) * width + (columns + 0.5).astype(np.int32)).reshape(-1)
        total += layers[place]


def _directions(picture: Floats, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Along the edges where there are any, along a slow swirl elsewhere; computed at a quarter of the size."""
    height, width = picture.shape[:2]
    small = (max(8, width // 4), max(8, height // 4))
    image = Image.fromarray((picture * 255).astype(np.uint8)).convert("L").resize(small, Image.Resampling.BOX)
    light = np.asarray(image.filter(ImageFilter.GaussianBlur(1)), dtype=np.float32) / 255
    slope_down, slope_across = np.gradient(light)
    doubled = np.stack([slope_across**2 - slope_down**2, 2 * slope_across * slope_down], axis=-1)
    angles = Image.fromarray(random.normal(0, 0.7, (4, 5)).astype(np.float32)).resize(small, Image.Resampling.BICUBIC)
    swirl = 2 * np.asarray(angles, dtype=np.float32) + np.pi
    doubled += 2e-4 * np.stack([np.cos(swirl), np.sin(swirl)], axis=-1)
    smooth = [_spread(doubled[..., channel], 3) for channel in range(2)]
    angle = 0.5 * np.arctan2(smooth[1], smooth[0]) + np.pi / 2
    down, across = np.sin(angle).astype(np.float32), np.cos(angle).astype(np.float32)
    order = (np.minimum(np.arange(height) // 4, small[1] - 1)[:, None], np.minimum(np.arange(width) // 4, small[0] - 1))
    return down[order], across[order]


def _spread(field: Floats, radius: int) -> Floats:
    """A box blur of values that an eight-bit picture could not hold."""
    wide = 2 * radius + 1
    for axis in (0, 1):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (radius + 1, radius)
        sums = np.cumsum(np.pad(field, padding, mode="edge"), axis=axis, dtype=np.float64)
        first = sums[wide:] if axis == 0 else sums[:, wide:]
        second = sums[:-wide] if axis == 0 else sums[:, :-wide]
        field = ((first - second) / wide).astype(np.float32)
    return field
