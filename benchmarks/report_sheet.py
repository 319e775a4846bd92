"""A report sheet as people see it, from real photographs some of which were spoilt; `appraisal --sheet` writes it."""

import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from benchmarks.specimens import as_jpeg, blurred, boxed, by_stops, chat, scaled
from bot.datasets.appraising.appraisal import Finding, Flaw, Shot, Wishes, appraise
from bot.datasets.measuring.measures import measure
from bot.pictures.sheets import Mark, Tile, write_report_sheet

WISHES = Wishes(least=4, most=400, most_bytes=math.inf, advised_least=10, advised_most=40, keeps_drawings=False)
WORDS = {
    Flaw.BORDERED: "bars",
    Flaw.SMALL: "small",
    Flaw.SCREEN: "screenshot",
    Flaw.NARROW: "narrow",
    Flaw.BRIGHT: "too bright",
    Flaw.DARK: "too dark",
    Flaw.BLURRED: "blurry",
    Flaw.FLAT: "nothing in it",
    Flaw.SURPLUS: "one too many",
}
SHAPES = frozenset({Flaw.BORDERED, Flaw.NARROW})


def shot(number: int, picture: Image.Image) -> Shot:
    return Shot(
        number=number,
        width=picture.width,
        height=picture.height,
        size_bytes=1,
        measures=measure(picture),
        has_caption=False,
    )


def write_sheet(photos: Mapping[str, Image.Image], into: Path) -> Path:
    pictures = _pictures(photos)
    shots = [shot(number, picture) for number, picture in enumerate(pictures, start=1)]
    result = appraise(shots, WISHES)
    with tempfile.TemporaryDirectory() as folder:
        tiles = []
        for number, picture in enumerate(pictures, start=1):
            path = Path(folder) / f"{number}.jpg"
            picture.save(path, "JPEG", quality=95, subsampling=0)
            tiles.append(_tile(path, number, result.findings.get(number, ())))
        return write_report_sheet(tiles, into)


def _pictures(photos: Mapping[str, Image.Image]) -> list[Image.Image]:
    return [
        photos["astronaut"],
        photos["coffee"],
        photos["china"],
        blurred(4)(photos["motorcycle_left"]),
        photos["flower"],
        photos["rocket"],
        as_jpeg(40)(scaled(0.8)(photos["coffee"])),
        photos["retina"],
        by_stops(-4)(photos["camera"]),
        photos["motorcycle_left"].crop((0, 20, 741, 300)),
        chat(1, ground="#f5f6f8", bubble="#e4e6eb", ink="#141414"),
        boxed(0, 0.14)(photos["china"].crop((240, 0, 640, 300))),
        photos["chelsea"],
        photos["ihc"],
        by_stops(3)(photos["grass"]),
        photos["camera"],
    ]


def _tile(path: Path, number: int, findings: Sequence[Finding]) -> Tile:
    if not findings:
        return Tile(path=path, number=number, mark=Mark.GOOD, label="")
    first = findings[0]
    return Tile(
        path=path,
        number=number,
        mark=Mark.BAD if first.is_grave else Mark.DOUBT,
        label=f"twin of {first.twin_of}" if first.flaw is Flaw.TWIN else WORDS[first.flaw],
        is_whole=first.flaw in SHAPES,
    )
