"""What a prepared picture is like, in numbers; `appraisal` says what they mean. Runs in a pool process."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from PIL import Image

from bot.datasets.measuring.bars import bars_around
from bot.datasets.measuring.detail import sharpness_by_direction, text_share
from bot.datasets.measuring.fingerprints import fingerprints, layout_of

WORKING_SIDE = 1024  # no trainer here looks closer; a larger picture is halved first, which costs 2 ms at 1536 by 1152
_WHITE = 250  # of 255: what a JPEG leaves of clipped white


@dataclass(frozen=True, kw_only=True)
class Measures:
    """Shares and luminances run from 0 to 1. All but `bars` are of the picture inside its bars."""

    fingerprint: str  # perceptual hash of 64 bits as 16 hexadecimal digits
    mirrored: str  # the fingerprint of the same picture seen in a mirror
    layout: str  # mean colours of a grid of 4 by 4 fields, as 96 hexadecimal digits
    sharpness: float  # of edges in the sharper direction: 0.25 without fine detail, 1 when they are one pixel wide
    steadiness: float  # the same in the other direction, which a moving camera smears
    shadows: float  # luminance of the darkest 2 %
    highlights: float  # luminance of the brightest 2 %
    clipped: float  # share of pixels that are plain white
    contrast: float  # standard deviation of luminance: 0 for a single tone, 0.5 at most
    text: float  # share of small fields that look like print or user interface
    bars: tuple[float, float, float, float]  # uniform bars at the top, right, bottom and left, of the whole side

    def to_json(self) -> dict[str, Any]:
        """Plain strings, numbers and lists, for a JSON column."""
        return {**asdict(self), "bars": list(self.bars)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(**{**stored, "bars": tuple(stored["bars"])})


def measure(picture: Image.Image) -> Measures:
    """`picture` is RGB, as it will be trained on."""
    factor = -(-max(picture.size) // WORKING_SIDE)
    colours = picture.reduce(factor) if factor > 1 else picture
    grey = colours.convert("L")
    top, right, bottom, left = bars_around(np.asarray(grey))
    inside = (left, top, grey.width - right, grey.height - bottom)
    if any((top, right, bottom, left)):
        colours, grey = colours.crop(inside), grey.crop(inside)
    pixels = np.asarray(grey).astype(np.int16)
    fingerprint, mirrored = fingerprints(grey)
    sharpness, steadiness = sharpness_by_direction(pixels)
    width, height = colours.width + left + right, colours.height + top + bottom
    return Measures(
        fingerprint=fingerprint,
        mirrored=mirrored,
        layout=layout_of(colours),
        sharpness=round(sharpness, 4),
        steadiness=round(steadiness, 4),
        text=round(text_share(pixels), 4),
        bars=(round(top / height, 4), round(right / width, 4), round(bottom / height, 4), round(left / width, 4)),
        **_light(grey),
    )


def _light(grey: Image.Image) -> dict[str, float]:
    """Percentiles instead of means: a night picture has some bright points, one taken two stops too dark has none."""
    share = np.array(grey.histogram()) / (grey.width * grey.height)
    up_to = np.cumsum(share)
    tones = np.arange(256)
    mean = float(share @ tones)
    return {
        "shadows": round(int(np.searchsorted(up_to, 0.02)) / 255, 4),
        "highlights": round(int(np.searchsorted(up_to, 0.98)) / 255, 4),
        "clipped": round(float(share[_WHITE:].sum()), 4),
        "contrast": round(float(np.sqrt(share @ (tones - mean) ** 2)) / 255, 4),
    }
