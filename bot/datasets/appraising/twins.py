"""Which pictures show the same thing, and how much a dataset varies; `appraisal` asks."""

from collections.abc import Sequence

import numpy as np

from bot.datasets.appraising import thresholds as at
from bot.datasets.appraising.findings import Finding, Flaw, Shot
from bot.datasets.measuring.fingerprints import distances, layout_distances


def twins_among(shots: Sequence[Shot]) -> dict[int, Finding]:
    """By number. `shots` begin with the best: each is kept, or is the twin of a better one that is kept.

    Not by chains: in a slow pan every picture is like the next one, and still the last shows something else.
    """
    if len(shots) < 2:
        return {}
    same, near = _alike(shots)
    kept = np.zeros(len(shots), dtype=bool)
    found: dict[int, Finding] = {}
    for place, shot in enumerate(shots):
        for alike, is_grave in ((same, True), (near, False)):
            better = alike[place] & kept
            if better.any():
                twin_of = shots[int(better.argmax())].number
                found[shot.number] = Finding(flaw=Flaw.TWIN, is_grave=is_grave, twin_of=twin_of)
                break
        kept[place] = shot.number not in found or not found[shot.number].is_grave
    return found


def _alike(shots: Sequence[Shot]) -> tuple[np.ndarray, np.ndarray]:
    """For each with each, whether they are the same picture, and whether nearly: cropped, or seen in a mirror."""
    own = [shot.measures.fingerprint for shot in shots]
    bits = distances(own, own)
    has_same_colours = layout_distances([shot.measures.layout for shot in shots]) <= at.TWINS_COLOURS
    mirrored = distances(own, [shot.measures.mirrored for shot in shots])
    same = (bits <= at.SURELY_TWINS_BITS) | ((bits <= at.TWINS_BITS) & has_same_colours)
    near = ((bits <= at.NEARLY_TWINS_BITS) & has_same_colours) | (mirrored <= at.SURELY_TWINS_BITS)
    return same, near


def are_alike(shots: Sequence[Shot]) -> bool:
    """Whether half of all pairs have the same composition."""
    if len(shots) < at.ALIKE_PICTURES:
        return False
    fingerprints = [shot.measures.fingerprint for shot in shots]
    pairs = distances(fingerprints, fingerprints)[np.triu_indices(len(shots), 1)]
    return float(np.median(pairs)) <= at.ALIKE_BITS
