"""Whether a dataset is worth its training, said before any money is spent: flaws of pictures, remarks on the whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.datasets.measures import Measures


class Flaw(StrEnum):
    """What may be wrong with one picture."""

    SMALL = "small"  # too few pixels
    BLURRED = "blurred"
    DARK = "dark"
    BRIGHT = "bright"
    FLAT = "flat"  # hardly any contrast: nothing to be seen
    TWIN = "twin"  # the same picture as another one, or nearly
    NARROW = "narrow"  # far wider than high, or the reverse
    BORDERED = "bordered"  # uniform bars around it
    SCREEN = "screen"  # a screenshot, or a page of text
    SURPLUS = "surplus"  # beyond what the trainer takes


class Remark(StrEnum):
    """What may be wrong with the dataset as a whole."""

    TOO_FEW = "too few"  # the trainer would refuse
    TOO_MANY = "too many"  # the trainer would refuse; without the flagged ones it fits
    FEW = "few"  # fewer than advised
    MANY = "many"  # more than advised; mild
    ALIKE = "alike"  # little variety
    MANY_FLAWED = "many flawed"  # a good part has grave flaws
    LOW_RESOLUTION = "low resolution"  # most are below what is advised; mild
    PARTLY_CAPTIONED = "partly captioned"  # some have captions and some have none; mild


class Light(StrEnum):
    """RED: the trainer would refuse, or the result would surely be bad. YELLOW: look at something first."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A picture with its number on the sheet and the size it came in."""

    number: int
    width: int
    height: int
    measures: Measures
    has_caption: bool


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the trainer takes and advises; with `keeps_drawings` (a style), even areas are no flaw."""

    least: int
    most: int
    advised_least: int
    advised_most: int
    keeps_drawings: bool


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Grave: the training is better without this picture. Else: worth a look."""

    flaw: Flaw
    is_grave: bool
    twin_of: int | None = None


@dataclass(frozen=True, kw_only=True)
class Appraisal:
    """`findings` names only pictures that have some, the gravest first; `flagged` is what is better left out, and is
    never so many that fewer than the least remain; `missing` is how many pictures must be added to be accepted."""

    light: Light
    findings: Mapping[int, tuple[Finding, ...]]
    remarks: tuple[Remark, ...]
    flagged: tuple[int, ...]
    missing: int


def appraise(shots: Sequence[Shot], wishes: Wishes) -> Appraisal:
    missing = max(0, wishes.least - len(shots))
    remarks = (Remark.TOO_FEW,) if missing else ()
    light = Light.RED if missing else Light.GREEN
    return Appraisal(light=light, findings={}, remarks=remarks, flagged=(), missing=missing)
