"""What a scene is drawn on: soft shapes, noise and ridges, laid over one another in colour. Used by `scenery` only."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bot.pictures.composition import Colour

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True)
class Guide:
    """`rgb` 0 to 1; `detail` 0 to 1 says how much texture belongs there."""

    rgb: Floats
    detail: Floats


class Canvas:
    """A guide while it is being drawn: `paint` lays a colour wherever `cover` is above zero."""

    def __init__(self, width: int, height: int, random: np.random.Generator) -> None:
        self.width, self.height, self.random = width, height, random
        down = (np.arange(height, dtype=np.float32) + 0.5) / height
        across = (np.arange(width, dtype=np.float32) + 0.5) / width
        self.y = np.repeat(down[:, None], width, axis=1)
        self.x = np.repeat(across[None, :], height, axis=0)
        self.aspect = width / height
        self.rgb: Floats = np.zeros((height, width, 3), dtype=np.float32)
        self.detail: Floats = np.full((height, width), 0.2, dtype=np.float32)

    def paint(self, cover: Floats, colour: Floats | Colour, detail: float | None = None) -> None:
        share = np.clip(cover, 0, 1).astype(np.float32)
        self.rgb += share[..., None] * (np.asarray(colour, dtype=np.float32) - self.rgb)
        if detail is not None:
            self.detail += share * (np.float32(detail) - self.detail)

    def noise(self, cells: float, octaves: int = 4, stretch: float = 1.0) -> Floats:
        """Soft fractal noise around zero; `cells` across the picture's height, `stretch` lengthens it sideways."""
        total = np.zeros((self.height, self.width), dtype=np.float32)
        for octave in range(octaves):
            down = max(2, round(cells * 2**octave))
            across = max(2, round(cells * 2**octave * self.aspect / stretch))
            grid = self.random.normal(0, 1, (down, across)).astype(np.float32)
            field = Image.fromarray(grid).resize((self.width, self.height), Image.Resampling.BICUBIC)
            total += np.asarray(field, dtype=np.float32) / 2**octave
        return total / 1.6

    def line(self, cells: float, octaves: int = 5, roughness: float = 0.5) -> Floats:
        """A wavy line across the picture, around zero."""
        total = np.zeros(self.width, dtype=np.float32)
        across = np.linspace(0, 1, self.width, dtype=np.float32)
        for octave in range(octaves):
            points = max(3, round(cells * 2**octave * self.aspect) + 1)
            heights = self.random.normal(0, 1, points)
            place = across * (points - 1)
            left = np.minimum(place.astype(int), points - 2)
            share = place - left
            share = share * share * (3 - 2 * share)
            total += (heights[left] * (1 - share) + heights[left + 1] * share).astype(np.float32) * roughness**octave
        return total

    def below(self, edge: Floats) -> Floats:
        """1 below the line `edge`, 0 above it, a pixel or two in between."""
        return np.clip((self.y - edge[None, :]) * self.height / 1.5 + 0.5, 0, 1)

    def disc(self, x: float, y: float, radius: float, softness: float = 0.04) -> Floats:
        distance = np.hypot((self.x - x) * self.aspect, self.y - y) / min(self.aspect, 1.0)
        return np.clip((radius - distance) / (radius * softness + 1e-6) + 0.5, 0, 1).astype(np.float32)

    def glow(self, x: float, y: float, radius: float) -> Floats:
        distance = np.hypot((self.x - x) * self.aspect, self.y - y) / min(self.aspect, 1.0)
        return np.exp(-((distance / radius) ** 2)).astype(np.float32)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return (red, green, blue)
