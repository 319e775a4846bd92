"""How sharp a picture is, and how much of it is print; both from the differences of neighbouring pixels."""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.int16]
Energies = NDArray[np.float32]

NO_DETAIL = 0.25  # a ramp rises a quarter of the way in a quarter of the distance
_LAG = 4
_BLOCK = 64
_EVERY = 4  # rows that are looked at
_STRONG_BLOCKS = 30  # per cent of the blocks: what is in focus counts, not the soft background behind it
_LEAST_ENERGY = 30.0  # of a block, squared steps of luminance: below, nothing is there that could be sharp
_MOST_NOISE = 16.0  # squared steps; more than that at the quietest place is texture
_LEAST_BLOCKS = 3  # for a direction to have a say

_FIELD = 16
_EVEN = 2  # steps between neighbours on paper or a screen, after JPEG
_STROKE = 48  # steps at the rim of a letter
_EVEN_SHARE = 0.25
_STROKE_SHARE = 0.12


def sharpness_by_direction(pixels: Pixels) -> tuple[float, float]:
    """How steep edges are: the change over one pixel relative to the change over four, the better direction first.

    1-D like the ratio of Crete et al., "The blur effect" (2007), but by blocks, with the noise floor taken off, and
    without a second blurring: what is blurred already changes evenly, by a quarter per pixel.
    """
    found = [_sharpness(pixels[::_EVERY]), _sharpness(np.ascontiguousarray(pixels[:, ::_EVERY].T))]
    known = [value for value in found if value is not None]
    return (max(known), min(known)) if known else (NO_DETAIL, NO_DETAIL)


def _sharpness(lines: Pixels) -> float | None:
    """Along the lines; None where nothing changes."""
    if lines.shape[0] < _BLOCK // _EVERY or lines.shape[1] < _BLOCK + _LAG:
        return None
    near = _blocks((lines[:, 1 : 1 - _LAG] - lines[:, :-_LAG]).astype(np.float32) ** 2)
    far = _blocks((lines[:, _LAG:] - lines[:, :-_LAG]).astype(np.float32) ** 2)
    is_strong = far >= max(float(np.percentile(far, 100 - _STRONG_BLOCKS)), _LEAST_ENERGY)
    if np.count_nonzero(is_strong) < min(_LEAST_BLOCKS, far.size):
        return None
    noise = min(float(np.percentile(near, 5)), _MOST_NOISE)
    ratios = np.sqrt(np.maximum(near - noise, 0)[is_strong] / np.maximum(far - noise, 1)[is_strong])
    return float(np.percentile(ratios, 75))


def _blocks(squares: Energies) -> Energies:
    down, across = _BLOCK // _EVERY, _BLOCK
    rows, columns = squares.shape[0] // down, squares.shape[1] // across
    whole = squares[: rows * down, : columns * across]
    means: Energies = whole.reshape(rows, down, columns, across).mean(axis=3).mean(axis=1)
    return means


def text_share(pixels: Pixels) -> float:
    """Fields with strokes on an even ground. Photographs have no even ground between strong edges, drawings have few
    edges to a field."""
    rows, columns = (pixels.shape[0] - 1) // _FIELD, (pixels.shape[1] - 1) // _FIELD
    if rows == 0 or columns == 0:
        return 0.0
    part = pixels[: rows * _FIELD + 1, : columns * _FIELD + 1]
    across, down = np.abs(part[:-1, 1:] - part[:-1, :-1]), np.abs(part[1:, :-1] - part[:-1, :-1])
    is_text = (
        (_by_field(across <= _EVEN) >= _EVEN_SHARE)
        & (_by_field(across > _STROKE) >= _STROKE_SHARE)
        & (_by_field(down > _STROKE) >= _STROKE_SHARE / 2)
    )
    return float(is_text.mean())


def _by_field(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The share that is true. A row of a field is 16 bits, and bits are counted faster than truths."""
    words = np.packbits(mask, axis=1).view(np.uint16)
    counts = np.bitwise_count(words).reshape(-1, _FIELD, words.shape[1]).sum(axis=1, dtype=np.uint16)
    shares: NDArray[np.float64] = counts / _FIELD**2
    return shares
