"""Image quilting and texture transfer after Efros and Freeman (SIGGRAPH 2001): a guide repainted in patches.

Patches are laid in overlapping rows. Each is the one that fits both its neighbours and the guide, and every overlap is
cut along the path of least difference, so that no straight seam shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Bytes = NDArray[np.uint8]
Indices = NDArray[np.intp]

CELLS = 4
SHORTLIST = 48


@dataclass(frozen=True, kw_only=True)
class Patches:
    """`whole` are the patches; `half` the same at half size for comparing; `traits` describe them for the guide."""

    size: int
    whole: Bytes
    half: Floats
    traits: Floats


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How a patch is chosen: `guide_weight` against the fit with its neighbours, `detail_weight` for texture."""

    guide_weight: float
    detail_weight: float


def cut_patches(pictures: Sequence[Bytes], *, size: int, count: int, random: np.random.Generator) -> Patches:
    """`count` patches of `size` pixels from the pictures, half of them mirrored. `size` is a multiple of 8."""
    shares = np.sqrt([picture.shape[0] * picture.shape[1] for picture in pictures])
    amounts = np.maximum(1, np.round(count * shares / shares.sum())).astype(int)
    found = [_windows(picture, size, int(amount), random) for picture, amount in zip(pictures, amounts, strict=True)]
    whole = np.concatenate(found)
    whole[::2] = whole[::2, :, ::-1]
    half = whole.reshape(len(whole), size // 2, 2, size // 2, 2, 3).mean((2, 4), dtype=np.float32) / 255
    return Patches(size=size, whole=whole, half=half, traits=_traits(half))


def quilt(guide: Floats, detail: Floats, patches: Patches, fit: Fit, random: np.random.Generator) -> Floats:
    """The guide repainted, 0 to 1. `detail` 0 to 1 asks for smooth or textured patches."""
    height, width = guide.shape[:2]
    step = patches.size * 3 // 4
    rows, columns = -(-max(0, height - patches.size) // step) + 1, -(-max(0, width - patches.size) // step) + 1
    tall, wide = (rows - 1) * step + patches.size, (columns - 1) * step + patches.size
    padding = ((0, tall - height), (0, wide - width))
    wanted = _wanted(np.pad(guide, (*padding, (0, 0)), mode="edge"), np.pad(detail, padding, mode="edge"), patches.size)
    distances = _distances(wanted, patches.traits, fit.detail_weight)
    sheet = Sheet(tall, wide, patches)
    for number in range(rows * columns):
        row, column = divmod(number, columns)
        sheet.lay(row * step, column * step, distances[number], fit.guide_weight, random)
    return sheet.whole[:height, :width]


class Sheet:
    """The quilt while it is laid, at full size and, for comparing, at half size."""

    def __init__(self, height: int, width: int, patches: Patches) -> None:
        self.patches = patches
        self.whole: Floats = np.zeros((height, width, 3), dtype=np.float32)
        self.half: Floats = np.zeros((height // 2, width // 2, 3), dtype=np.float32)
        self.uses: Floats = np.zeros(len(patches.whole), dtype=np.float32)

    def lay(self, top: int, left: int, distances: Floats, guide_weight: float, random: np.random.Generator) -> None:
        """Choose the patch for this place and sew it in."""
        size, overlap = self.patches.size // 2, self.patches.size // 8
        there = self.half[top // 2 : top // 2 + size, left // 2 : left // 2 + size]
        costs = distances + 0.0015 * self.uses
        shortlist = np.argpartition(costs, SHORTLIST)[:SHORTLIST] if len(costs) > SHORTLIST else np.arange(len(costs))
        misfit = np.zeros(len(shortlist), dtype=np.float32)
        if left:
            misfit += _difference(self.patches.half[shortlist, :, :overlap], there[:, :overlap])
        if top:
            misfit += _difference(self.patches.half[shortlist, :overlap], there[:overlap])
        total = guide_weight * costs[shortlist] + (1 - guide_weight) * misfit
        good = np.flatnonzero(total <= total.min() * 1.1)
        chosen = int(shortlist[good[int(random.integers(len(good)))]])
        self.uses[chosen] += 1
        self._sew(top, left, chosen, there, overlap)

    def _sew(self, top: int, left: int, chosen: int, there: Floats, overlap: int) -> None:
        patch, size = self.patches.half[chosen], self.patches.size
        errors = ((patch - there) ** 2).sum(-1)
        cover = np.ones(patch.shape[:2], dtype=np.float32)
        if left:
            cover[:, :overlap] *= seam(errors[:, :overlap])
        if top:
            cover[:overlap] *= seam(errors[:overlap].T).T
        there += cover[..., None] * (patch - there)
        full = self.whole[top : top + size, left : left + size]
        share = np.repeat(np.repeat(cover, 2, 0), 2, 1)[..., None]
        full += share * (self.patches.whole[chosen].astype(np.float32) / 255 - full)


def seam(errors: Floats) -> Floats:
    """For an overlap (rows along the seam): 0 where the old picture stays, 1 where the patch goes."""
    length, width = errors.shape
    costs = np.empty((length, width), dtype=np.float32)
    costs[0] = errors[0]
    padded = np.full(width + 2, np.inf, dtype=np.float32)
    for row in range(1, length):
        padded[1:-1] = costs[row - 1]
        costs[row] = errors[row] + np.minimum(np.minimum(padded[:-2], padded[1:-1]), padded[2:])
    path = np.empty(length, dtype=np.float32)
    place = int(np.argmin(costs[-1]))
    for row in range(length - 1, -1, -1):
        path[row] = place
        if row:
            first = max(0, place - 1)
            place = first + int(np.argmin(costs[row - 1, first : place + 2]))
    return np.asarray(np.clip((np.arange(width, dtype=np.float32)[None, :] - path[:, None]) * 0.5 + 0.5, 0, 1))


def _windows(picture: Bytes, size: int, amount: int, random: np.random.Generator) -> Bytes:
    short_rows, short_columns = max(0, size - picture.shape[0]), max(0, size - picture.shape[1])
    if short_rows or short_columns:
        picture = np.pad(picture, ((0, short_rows), (0, short_columns), (0, 0)), mode="edge")
    tops = random.integers(0, picture.shape[0] - size + 1, amount)
    lefts = random.integers(0, picture.shape[1] - size + 1, amount)
    return np.stack([picture[top : top + size, left : left + size] for top, left in zip(tops, lefts, strict=True)])


def _traits(half: Floats) -> Floats:
    """Mean colours of the cells of a patch, and how busy it is."""
    count, side = half.shape[:2]
    cells = half.reshape(count, CELLS, side // CELLS, CELLS, side // CELLS, 3).mean((2, 4))
    busy = half.mean(-1).std((1, 2))
    return np.concatenate([cells.reshape(count, -1), busy[:, None]], axis=1).astype(np.float32)


def _wanted(guide: Floats, detail: Floats, size: int) -> Floats:
    """The same traits for every place of the guide, row by row."""
    cell, step = size // CELLS, size * 3 // 4
    grid = _shrunk(guide, cell)
    busy = _shrunk(detail[..., None], cell)[..., 0]
    stride = step // cell
    rows, columns = (grid.shape[0] - CELLS) // stride + 1, (grid.shape[1] - CELLS) // stride + 1
    wanted = np.empty((rows * columns, CELLS * CELLS * 3 + 1), dtype=np.float32)
    for number in range(rows * columns):
        row, column = (part * stride for part in divmod(number, columns))
        wanted[number, :-1] = grid[row : row + CELLS, column : column + CELLS].reshape(-1)
        wanted[number, -1] = busy[row : row + CELLS, column : column + CELLS].mean() * 0.2
    return wanted


def _shrunk(field: Floats, cell: int) -> Floats:
    rows, columns = field.shape[0] // cell, field.shape[1] // cell
    blocks = field[: rows * cell, : columns * cell].reshape(rows, cell, columns, cell, -1)
    return np.asarray(blocks.mean((1, 3)), dtype=np.float32)


def _distances(wanted: Floats, traits: Floats, detail_weight: float) -> Floats:
    """Mean squared difference of every place to every patch."""
    scale = np.full(traits.shape[1], (1 / (traits.shape[1] - 1)) ** 0.5, dtype=np.float32)
    scale[-1] = detail_weight**0.5
    one, other = wanted * scale, traits * scale
    squares = (one**2).sum(1)[:, None] + (other**2).sum(1)[None] - 2 * one @ other.T
    return np.asarray(np.maximum(squares, 0), dtype=np.float32)


def _difference(patches: Floats, there: Floats) -> Floats:
    return np.asarray(((patches - there) ** 2).mean((1, 2, 3)), dtype=np.float32)
