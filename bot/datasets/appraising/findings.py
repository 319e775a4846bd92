"""What may be wrong with a dataset, in words of its own; `flaws`, `twins` and `appraisal` find it, the card says it."""

from dataclasses import dataclass
from enum import StrEnum

from bot.datasets.measuring.measures import Measures


class Flaw(StrEnum):
    """What may be wrong with one picture, the mildest first."""

    BORDERED = "bordered"  # uniform bars around it
    SMALL = "small"  # too few pixels
    TWIN = "twin"  # the same picture as another one, or nearly
    SCREEN = "screen"  # a screenshot, or a page of text
    NARROW = "narrow"  # far wider than high, or the reverse
    BRIGHT = "bright"
    DARK = "dark"
    BLURRED = "blurred"
    FLAT = "flat"  # hardly any contrast: nothing to be seen
    SURPLUS = "surplus"  # beyond what the trainer takes, in number or in bytes


SEVERITY = {flaw: place for place, flaw in enumerate(Flaw)}


class Remark(StrEnum):
    """What may be wrong with the dataset as a whole."""

    TOO_FEW = "too few"  # the trainer would refuse
    TOO_MANY = "too many"  # the trainer would refuse; without the flagged ones it fits
    TOO_FEW_GOOD = "too few good"  # the trainer takes them; without the grave ones it would not
    TOO_LARGE = "too large"  # together; without the flagged ones it fits
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
    """A picture with its number on the sheet and the size it came in; `size_bytes` as it goes to the trainer."""

    number: int
    width: int
    height: int
    size_bytes: int
    measures: Measures
    has_caption: bool


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the trainer takes and advises. `keeps_drawings` (a style): even areas, soft edges, print and any light may
    be wanted, so none of them is grave."""

    least: int
    most: int
    most_bytes: float
    advised_least: int
    advised_most: int
    keeps_drawings: bool


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Grave: the training is better without this picture. Else: worth a look."""

    flaw: Flaw
    is_grave: bool
    twin_of: int | None = None
