"""What a picture looks like in 64 bits, and its colours in 48 bytes; made by `measures`, compared by `twins`.

The fingerprint is the DCT hash of Zauner, "Implementation and benchmarking of perceptual image hash functions" (2010):
the signs, around their median, of the 64 lowest frequencies of a picture of 32 by 32 pixels.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Bits = NDArray[np.uint64]
Distances = NDArray[np.uint8]
Strengths = NDArray[np.float64]

_SIDE = 32
_FREQUENCIES = 8
_FIELDS = 4
_MIRROR = np.where(np.arange(_FREQUENCIES) % 2, -1.0, 1.0)


def fingerprints(grey: Image.Image) -> tuple[str, str]:
    """Of the picture and of its mirror image, whose odd waves across have the opposite sign."""
    small = np.asarray(grey.resize((_SIDE, _SIDE), Image.Resampling.BOX, reducing_gap=4.0))
    waves = _waves()
    strengths = waves @ small @ waves.T
    return _hexadecimal(strengths), _hexadecimal(strengths * _MIRROR)


def _waves() -> Strengths:
    """The first rows of the discrete cosine transform, type II."""
    places = (2 * np.arange(_SIDE) + 1) * np.pi / (2 * _SIDE)
    waves: Strengths = np.cos(np.outer(np.arange(_FREQUENCIES), places))
    return waves


def _hexadecimal(strengths: Strengths) -> str:
    flat = strengths.ravel()
    return np.packbits(flat > np.median(flat[1:])).tobytes().hex()  # the first is the mean: how light it is


def layout_of(colours: Image.Image) -> str:
    return colours.resize((_FIELDS, _FIELDS), Image.Resampling.BOX, reducing_gap=4.0).tobytes().hex()


def distances(some: Sequence[str], others: Sequence[str]) -> Distances:
    """How many of the 64 bits differ, for each of `some` with each of `others`; unlike pictures differ in about 32."""
    found: Distances = np.bitwise_count(_bits(some)[:, None] ^ _bits(others)[None, :])
    return found


def _bits(fingerprints: Sequence[str]) -> Bits:
    return np.array([int(fingerprint, 16) for fingerprint in fingerprints], dtype=np.uint64)


def layout_distances(layouts: Sequence[str]) -> NDArray[np.float32]:
    """Mean difference of the colours of two pictures, 0 to 255, for each with each."""
    colours = np.array([list(bytes.fromhex(layout)) for layout in layouts], dtype=np.float32)
    found = np.empty((len(layouts), len(layouts)), dtype=np.float32)
    for row, own in enumerate(colours):
        found[row] = np.abs(colours - own).mean(axis=1)
    return found
