"""The sheet of a dataset: which pictures it shows on which page, under which mark, and what it says in words."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.datasets.appraising.appraisal import Appraisal, Finding, Flaw
from bot.messages.view import DatasetView
from bot.messages.words import flat, spans
from bot.pictures.sheets import MOST_TILES, Mark, Tile
from storage.datasets import DatasetImage, DatasetLine

SHEET_NAME = "pictures.jpg"
SHORT_WORDS = {
    Flaw.SURPLUS: "surplus",
    Flaw.FLAT: "no contrast",
    Flaw.BLURRED: "blurry",
    Flaw.DARK: "too dark",
    Flaw.BRIGHT: "too bright",
    Flaw.NARROW: "narrow",
    Flaw.SCREEN: "screenshot",
    Flaw.SMALL: "small",
    Flaw.BORDERED: "bars",
}
ALT_CHARACTERS = 1024
NUMBERS_CHARACTERS = 60  # of a page's numbers, which may be scattered


def tiles(view: DatasetView, path_of: Mapping[str, Path]) -> tuple[list[Tile], int]:
    """What the sheet shows, and how many pictures beyond that."""
    shown, beyond = _shown(view)
    return [_tile(view.appraisal, image, path_of[image.file]) for image in shown], beyond


def _shown(view: DatasetView) -> tuple[Sequence[DatasetImage], int]:
    """Everybody sees one sheet, whose last tile counts what it has no room for; its person turns pages."""
    if not view.is_public:
        return on_page(view), 0
    chosen = view.dataset.chosen
    if len(chosen) <= MOST_TILES:
        return chosen, 0
    shown = sorted(_flawed_first(view)[: MOST_TILES - 1], key=_in_order)
    return shown, len(chosen) - len(shown)


def on_page(view: DatasetView) -> Sequence[DatasetImage]:
    """Pages begin with what is flawed, for it has to be looked at, and end with what was left out; on each of them
    numbers stay in order, for they have to be found."""
    out = [image for image in view.dataset.images if not image.is_in]
    begin = min(view.page, last_page(view)) * MOST_TILES
    return sorted([*_flawed_first(view), *out][begin : begin + MOST_TILES], key=_in_order)


def last_page(view: DatasetView) -> int:
    return max(0, len(view.dataset.images) - 1) // MOST_TILES


def page_line(view: DatasetView) -> str:
    """Which page, and whose numbers are on it: who looks for 57 need not turn them all."""
    shown, page, last = on_page(view), min(view.page, last_page(view)), last_page(view)
    taught, out = ([image.number for image in shown if image.is_in is is_in] for is_in in (True, False))
    parts = [f"Page {page + 1} of {last + 1}"]
    parts += [f"pictures {spans(taught, NUMBERS_CHARACTERS)}"] if taught else []
    parts += [f"left out {spans(out, NUMBERS_CHARACTERS)}"] if out else []
    return f"-# {' · '.join(parts)}"


def hides_some(view: DatasetView) -> bool:
    """Whether its sheet leaves pictures to the pages that its person can open."""
    return len(_shown(view)[0]) < len(view.dataset.images)


def _flawed_first(view: DatasetView) -> list[DatasetImage]:
    return sorted(view.dataset.chosen, key=lambda image: (image.number not in view.appraisal.findings, image.number))


def _in_order(image: DatasetImage) -> tuple[bool, int]:
    return not image.is_in, image.number


def captioned(images: Sequence[DatasetImage], path_of: Mapping[str, Path]) -> list[Tile]:
    """A few pictures, those marked that have a caption."""
    marks = {True: Mark.GOOD, False: Mark.PLAIN}
    return [Tile(path=path_of[one.file], number=one.number, mark=marks[bool(one.caption)], label="") for one in images]


def covers(lines: Sequence[DatasetLine], path_of: Mapping[str, Path]) -> list[Tile]:
    """The first picture of each dataset that has one, by its place in the list: names stand in the list beneath."""
    return [
        Tile(path=path_of[line.cover], number=place, mark=Mark.PLAIN, label="")
        for place, line in enumerate(lines, start=1)
        if line.cover is not None
    ]


def sheet_alt_text(view: DatasetView) -> str:
    """What the sheet says to who cannot see it: names, and what was found."""
    shown, beyond = _shown(view)
    told = ", ".join(_told(view, image) for image in shown)
    more = f" and {beyond:,} more" if beyond else ""
    return flat(f"The pictures of {flat(view.dataset.name, 60)}: {told}", ALT_CHARACTERS - len(more)) + more


def _told(view: DatasetView, image: DatasetImage) -> str:
    findings = view.appraisal.findings.get(image.number, ())
    said = "left out" if not image.is_in else _label(findings) if findings else ""
    name = "" if view.is_public else f" {flat(image.name, 40)}"
    return f"{image.number}{name}" + (f" ({said})" if said else "")


def _tile(appraisal: Appraisal, image: DatasetImage, path: Path) -> Tile:
    findings = appraisal.findings.get(image.number, ())
    if not image.is_in:
        return Tile(path=path, number=image.number, mark=Mark.OUT, label="left out")
    if not findings:
        return Tile(path=path, number=image.number, mark=Mark.GOOD, label="")
    is_whole = findings[0].flaw in (Flaw.BORDERED, Flaw.NARROW)
    mark = Mark.BAD if image.number in appraisal.flagged or findings[0].is_grave else Mark.DOUBT
    return Tile(path=path, number=image.number, mark=mark, label=_label(findings), is_whole=is_whole)


def _label(findings: Sequence[Finding]) -> str:
    first = findings[0]
    return f"twin of {first.twin_of}" if first.flaw is Flaw.TWIN else SHORT_WORDS[first.flaw]
