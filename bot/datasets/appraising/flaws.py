"""What is wrong with one picture, seen for itself; `appraisal` asks."""

from collections.abc import Iterator

from bot.datasets.appraising import thresholds as at
from bot.datasets.appraising.findings import Finding, Flaw, Shot, Wishes
from bot.datasets.measuring.measures import Measures


def flaws_of(shot: Shot, wishes: Wishes) -> tuple[Finding, ...]:
    return (*_of_shape(shot), *_of_content(shot, wishes))


def _of_shape(shot: Shot) -> Iterator[Finding]:
    pixels = shot.width * shot.height
    if pixels < at.SMALL_PIXELS:
        yield Finding(flaw=Flaw.SMALL, is_grave=pixels < at.TOO_SMALL_PIXELS)
    width = max(shot.width, shot.height) / min(shot.width, shot.height)
    if width > at.WIDE:
        yield Finding(flaw=Flaw.NARROW, is_grave=width > at.TOO_WIDE)


def _of_content(shot: Shot, wishes: Wishes) -> Iterator[Finding]:
    """In this order, because what is print has margins, and what shows nothing has no sharpness."""
    measures = shot.measures
    light = _of_light(measures, wishes)
    is_blinding = light is not None and light.flaw is Flaw.BRIGHT and measures.shadows >= at.TOO_BRIGHT_SHADOWS
    if measures.text >= at.TEXT and not is_blinding:  # what is left of a texture then looks like print
        yield Finding(flaw=Flaw.SCREEN, is_grave=measures.text >= at.MOSTLY_TEXT and not wishes.keeps_drawings)
        return
    if (bars := share_of_bars(measures)) >= at.BARS:
        yield Finding(flaw=Flaw.BORDERED, is_grave=bars >= at.WIDE_BARS)
    if measures.contrast < at.TOO_FLAT:
        if light is not None and light.flaw is Flaw.DARK and measures.highlights < at.TOO_DARK:
            yield light
        elif not wishes.keeps_drawings:
            yield Finding(flaw=Flaw.FLAT, is_grave=True)
        return
    if light is not None:
        yield light
    elif measures.contrast < at.FLAT and not wishes.keeps_drawings:
        yield Finding(flaw=Flaw.FLAT, is_grave=False)
    is_visible = measures.highlights >= at.TOO_DARK and measures.contrast >= at.FLAT
    if is_visible and (measures.sharpness < at.SOFT or measures.steadiness < at.SMEARED):
        yield Finding(flaw=Flaw.BLURRED, is_grave=measures.sharpness < at.BLURRED and not wishes.keeps_drawings)


def _of_light(measures: Measures, wishes: Wishes) -> Finding | None:
    if measures.highlights < at.DARK:
        is_grave = measures.highlights < at.TOO_DARK
        return Finding(flaw=Flaw.DARK, is_grave=is_grave and not wishes.keeps_drawings)
    if measures.clipped >= at.BRIGHT_CLIPPED and measures.shadows >= at.BRIGHT_SHADOWS:
        is_grave = measures.clipped >= at.TOO_BRIGHT_CLIPPED and measures.shadows >= at.TOO_BRIGHT_SHADOWS
        return Finding(flaw=Flaw.BRIGHT, is_grave=is_grave and not wishes.keeps_drawings)
    return None


def share_of_bars(measures: Measures) -> float:
    top, right, bottom, left = measures.bars
    return 1 - (1 - top - bottom) * (1 - left - right)
