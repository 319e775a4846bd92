"""Letterbox and pillarbox: uniform bars at two opposite sides of a picture; `measures` asks.

Opposite sides only: a clipped sky above a level horizon is a bar in every other respect.
"""

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]

_UNIFORM = 12  # spread of tones within one row of a bar: ringing of JPEG at quality 50 reaches 9
_SAME_TONE = 8  # between rows of one bar, and between the two bars
_EDGE = 24  # how far the picture's first row is from the bar's tone, at least
_ALONG_THE_EDGE = 0.5  # share of that row: a bar ends everywhere at once, a plain background behind something does not
_EDGE_ROWS = 3  # rows between the bar's last and the picture's first, which scaling mixes
_LEAST = 0.01  # of the side: below it, a rim of scanning or resizing
_MOST = 0.45


def bars_around(grey: Grey) -> tuple[int, int, int, int]:
    """Pixels at the top, right, bottom and left."""
    top, bottom = _pair(grey)
    left, right = _pair(grey[top : grey.shape[0] - bottom].T)
    return top, right, bottom, left


def _pair(grey: Grey) -> tuple[int, int]:
    """Bars above and below, or none."""
    rows = len(grey)
    if min(grey.shape) < 16 or int(np.ptp(grey[0])) > _UNIFORM or int(np.ptp(grey[-1])) > _UNIFORM:
        return 0, 0
    tones, spreads = grey.mean(axis=1), np.ptp(grey, axis=1)
    if abs(tones[0] - tones[-1]) > _SAME_TONE:
        return 0, 0
    is_bar = (spreads <= _UNIFORM) & (np.abs(tones - tones[0]) <= _SAME_TONE)
    if is_bar.all():
        return 0, 0
    above, below = int(np.argmin(is_bar)), int(np.argmin(is_bar[::-1]))
    if min(above, below) < _LEAST * rows or max(above, below) > _MOST * rows:
        return 0, 0
    edges = (grey[min(above + _EDGE_ROWS, rows - 1)], grey[max(rows - 1 - below - _EDGE_ROWS, 0)])
    clear = max(float((np.abs(edge.astype(np.int16) - tones[0]) > _EDGE).mean()) for edge in edges)
    return (above, below) if clear >= _ALONG_THE_EDGE else (0, 0)
