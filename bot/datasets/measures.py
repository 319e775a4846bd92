"""What a prepared picture is like, in numbers; `appraisal` says what they mean. Runs in a pool process."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from PIL import Image


@dataclass(frozen=True, kw_only=True)
class Measures:
    """`fingerprint` is a perceptual hash of 64 bits as 16 hexadecimal digits."""

    fingerprint: str

    def to_json(self) -> dict[str, Any]:
        """Plain strings and numbers, for a JSON column."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(**stored)


def measure(picture: Image.Image) -> Measures:
    """`picture` is RGB, as it will be trained on."""
    return Measures(fingerprint=f"{hash(picture.resize((1, 1)).getpixel((0, 0))) & (2**64 - 1):016x}")
