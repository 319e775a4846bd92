"""Finds the subject of a training picture without a network: what is in the middle and unlike the border."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bot.pictures.brushwork import blur
from bot.pictures.palette import to_oklab

Floats = NDArray[np.floating[Any]]

SIDE = 112
ROUNDS = 4
GROUPS = 5


def find_subject(image: Image.Image, *, looseness: float) -> Floats:
    """0 to 1 for every pixel. `looseness` 0 to 1: only the subject, up to nearly everything."""
    small = image.resize((SIDE, SIDE), Image.Resampling.BOX)
    lab = to_oklab(np.asarray(small, dtype=np.float32) / 255)
    prior = _middle(SIDE, SIDE)
    inside = prior.copy()
    for _ in range(ROUNDS):
        likely = _likely(lab, inside)
        inside = blur(np.clip(0.62 * likely + 0.38 * prior, 0, 1), 2.5)
    core = np.clip((prior - 0.80) * 5, 0, 1)
    soft = np.clip((inside - 0.45 + 0.28 * looseness) * 5 + 0.5, 0, 1)
    fine = _follow_edges(np.maximum(soft, core).astype(np.float32), image)
    return np.asarray(np.clip(fine * 1.15 - 0.07, 0, 1))


def _middle(height: int, width: int) -> Floats:
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    across = np.linspace(-1, 1, width, dtype=np.float32)[None]
    return np.exp(-((across / 0.62) ** 2) - ((down - 0.06) / 0.78) ** 2).astype(np.float32)


def _likely(lab: Floats, inside: Floats) -> Floats:
    """How much nearer each pixel is to the colours inside than to those outside."""
    pixels = lab.reshape(-1, 3)
    order = np.argsort(inside.reshape(-1), kind="stable")
    share = len(order) // 4
    outside, within = _groups(pixels[order[:share]]), _groups(pixels[order[-share:]])
    far = _nearest(pixels, outside)
    near = _nearest(pixels, within)
    return np.asarray((far / (far + near + 1e-4)).reshape(inside.shape), dtype=np.float32)


def _groups(pixels: Floats) -> Floats:
    """A few typical colours: a short k-means from evenly spread lightness."""
    ordered = pixels[np.argsort(pixels[:, 0], kind="stable")]
    centres = ordered[np.linspace(0, len(ordered) - 1, GROUPS).astype(int)].copy()
    for _ in range(6):
        nearest = np.argmin(((pixels[:, None] - centres[None]) ** 2).sum(-1), axis=1)
        for index in range(GROUPS):
            if (nearest == index).any():
                centres[index] = pixels[nearest == index].mean(0)
    return np.asarray(centres)


def _nearest(pixels: Floats, centres: Floats) -> Floats:
    return np.asarray(((pixels[:, None] - centres[None]) ** 2).sum(-1).min(1), dtype=np.float32)


def _follow_edges(mask: Floats, image: Image.Image) -> Floats:
    """A guided filter at the picture's own size: the mask's border moves to the picture's edges."""
    size = image.size
    light = np.asarray(image.convert("L"), dtype=np.float32) / 255
    wide = Image.fromarray(mask).resize(size, Image.Resampling.BICUBIC)
    rough = np.clip(np.asarray(wide, dtype=np.float32), 0, 1)
    radius = max(2, min(size) // 40)
    mean_light, mean_mask = _box(light, radius), _box(rough, radius)
    slope = (_box(light * rough, radius) - mean_light * mean_mask) / (_box(light**2, radius) - mean_light**2 + 2e-3)
    offset = mean_mask - slope * mean_light
    return np.asarray(np.clip(_box(slope, radius) * light + _box(offset, radius), 0, 1))


def _box(field: Floats, radius: int) -> Floats:
    wide = 2 * radius + 1
    for _ in range(2):
        sums = np.cumsum(np.pad(field, ((radius + 1, radius), (0, 0)), mode="edge"), axis=0, dtype=np.float64)
        field = ((sums[wide:] - sums[:-wide]) / wide).astype(np.float32).T
    return field
