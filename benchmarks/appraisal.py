"""How well the appraisal of a dataset tells good pictures from bad ones, on real photographs and what was done to them.

    .venv/bin/python -m benchmarks.appraisal
    .venv/bin/python -m benchmarks.appraisal --sheet docs/report-card-sheet.jpg

For each flaw: what is measured on clean and on degraded pictures, from least to most, and how many are found.
"""

import argparse
import itertools
import math
import timeit
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from benchmarks.report_sheet import shot, write_sheet
from benchmarks.specimens import (
    Change,
    as_jpeg,
    blurred,
    boxed,
    by_stops,
    cropped,
    focused,
    moved,
    noisy,
    photographs,
    scaled,
    screens,
    turned,
    warmer,
)
from bot.datasets.appraising.appraisal import Appraisal, Flaw, Shot, Wishes, appraise
from bot.datasets.appraising.flaws import flaws_of, share_of_bars
from bot.datasets.measuring.fingerprints import distances
from bot.datasets.measuring.measures import Measures, measure
from bot.pictures.sample import COUNT, draw_lighthouse
from tests.dataset_files import photo

Pictures = Mapping[str, Image.Image]
WISHES = Wishes(least=4, most=400, most_bytes=math.inf, advised_least=10, advised_most=40, keeps_drawings=False)

DEGRADED: dict[Flaw, tuple[Callable[[Measures], float], dict[str, Change]]] = {
    Flaw.BLURRED: (
        lambda m: m.sharpness,
        {f"blurred by {radius} px": blurred(radius) for radius in (1, 2, 3, 4, 6)}
        | {"JPEG at quality 10": as_jpeg(10), "twice enlarged": scaled(2)}
        | {"only the middle in focus": focused, "noisy": noisy(12)}
        | {"blurred by 4 px, noisy": lambda image: noisy(3)(blurred(4)(image))},
    ),
    Flaw.DARK: (lambda m: m.highlights, {f"{stops} stops": by_stops(stops) for stops in (-1, -2, -3, -4)}),
    Flaw.BRIGHT: (lambda m: min(m.clipped, m.shadows), {f"+{s} stops": by_stops(s) for s in (1, 2, 3, 4)}),
    Flaw.BORDERED: (
        share_of_bars,
        {
            "letterbox 12 %": boxed(0, 0.12),
            "pillarbox 20 %": boxed(0.2, 0),
            "white frame 5 %": boxed(0.05, 0.05, (255, 255, 255)),
            "letterbox, JPEG 50": lambda image: as_jpeg(50)(boxed(0, 0.12)(image)),
        },
    ),
}
MOVED = {f"moved by {length} px": moved(length) for length in (5, 9, 15)}
TWINS: dict[str, Change] = {
    "half the size": scaled(0.5),
    "0.9 of the size": scaled(0.9),
    "JPEG at quality 10": as_jpeg(10),
    "blurred by 2 px": blurred(2),
    "-2 stops": by_stops(-2),
    "+1 stop": by_stops(1),
    "warmer": warmer,
    "in grey": lambda image: image.convert("L").convert("RGB"),
    "letterboxed": boxed(0, 0.12),
    "turned by 2°": turned(2),
    "cropped by 2 %": cropped(0.02),
    "cropped by 5 %": cropped(0.05),
    "the same, at a corner": cropped(0.05, 0, 0),
    "cropped by 10 %": cropped(0.1),
    "cropped by 20 %": cropped(0.2),
    "in a mirror": ImageOps.mirror,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sheet", type=Path, help="only write a report sheet of photographs, some of them degraded")
    chosen = parser.parse_args()
    photos = photographs()
    if chosen.sheet is not None:
        print(write_sheet(photos, chosen.sheet))
        return
    drawn = {f"drawn {n}": photo(n, palette="warm" if n % 2 else "cool") for n in range(24)}
    drawn |= {f"lighthouse {n}": draw_lighthouse(n) for n in range(COUNT)}
    for lines in (_flaws(photos, drawn), _print(photos, drawn), _twins(photos, drawn), _sets(photos), _cost(photos)):
        print("\n".join(lines), end="\n\n")


def appraised(pictures: Iterable[Image.Image]) -> Appraisal:
    return appraise([shot(number, picture) for number, picture in enumerate(pictures, start=1)], WISHES)


def _flaws(photos: Pictures, drawn: Pictures) -> Iterable[str]:
    for flaw, (figure, changes) in DEGRADED.items():
        yield f"{flaw.value:<24}{'least':>10}{'median':>8}{'most':>8}   doubted, of these grave"
        yield _row("clean photographs", flaw, figure, photos.values())
        yield _row("drawings", flaw, figure, drawn.values())
        for name, change in changes.items():
            yield _row(name, flaw, figure, map(change, photos.values()))
        if flaw is Flaw.BLURRED:
            for name, change in MOVED.items():
                yield _row(f"{name}: steadiness", flaw, lambda m: m.steadiness, map(change, photos.values()))


def _row(name: str, flaw: Flaw, figure: Callable[[Measures], float], pictures: Iterable[Image.Image]) -> str:
    shots = [shot(1, picture) for picture in pictures]
    figures = sorted(figure(one.measures) for one in shots)
    found = [finding for one in shots for finding in flaws_of(one, WISHES) if finding.flaw is flaw]
    grave = sum(finding.is_grave for finding in found)
    middle = figures[len(figures) // 2]
    return f"  {name:<27}{figures[0]:>5.2f}{middle:>8.2f}{figures[-1]:>8.2f}   {len(found):>2} of {len(shots)}, {grave}"


def _print(photos: Pictures, drawn: Pictures) -> Iterable[str]:
    yield f"{'screen':<24}{'least':>10}{'median':>8}{'most':>8}   doubted, of these grave"
    for name, pictures in (("clean photographs", photos), ("drawings", drawn), ("screens", screens(photos))):
        yield _row(name, Flaw.SCREEN, lambda m: m.text, pictures.values())
    yield f"{'flat':<24}{'least':>10}{'median':>8}{'most':>8}   doubted, of these grave"
    plain = [Image.new("RGB", (800, 600), tone) for tone in ("white", "#808080", "#203040")]
    for name, some in (("clean photographs", photos.values()), ("drawings", drawn.values()), ("plain", plain)):
        yield _row(name, Flaw.FLAT, lambda m: m.contrast, some)


def _twins(photos: Pictures, drawn: Pictures) -> Iterable[str]:
    yield f"{'twins':<24}{'least':>8}{'median':>8}{'most':>8}   bits of 64 that differ; found, of these grave"
    for name, change in TWINS.items():
        bits, found, grave = [], 0, 0
        for picture in photos.values():
            pair = [shot(1, picture), shot(2, change(picture))]
            bits.append(int(distances([pair[0].measures.fingerprint], [pair[1].measures.fingerprint])[0, 0]))
            twins = [f for some in appraise(pair, WISHES).findings.values() for f in some if f.flaw is Flaw.TWIN]
            found += len(twins)
            grave += sum(finding.is_grave for finding in twins)
        bits.sort()
        yield f"  {name:<22}{bits[0]:>8}{bits[len(bits) // 2]:>8}{bits[-1]:>8}   {found:>2} of {len(photos)}, {grave}"
    for name, pictures in (("different photographs", photos), ("different drawings", drawn)):
        shots = [shot(number, picture) for number, picture in enumerate(pictures.values())]
        pairs = [
            int(distances([a.measures.fingerprint], [b.measures.fingerprint])[0, 0])
            for a, b in itertools.combinations(shots, 2)
        ]
        found = sum(f.flaw is Flaw.TWIN for some in appraise(shots, WISHES).findings.values() for f in some)
        yield f"  {name:<22}{min(pairs):>8}{int(np.median(pairs)):>8}{max(pairs):>8}   {found:>2} of {len(pairs)}"


def _sets(photos: Pictures) -> Iterable[str]:
    yield "datasets"
    views = [cropped(0.1, across / 2, down / 2) for across in range(3) for down in range(3)]
    same_view = {f"nine views of {name}": [view(photos[name]) for view in views] for name in ("coffee", "china")}
    sets = {
        "the photographs": list(photos.values()),
        "lighthouses": [draw_lighthouse(number) for number in range(COUNT)],
        "warm drawings": [photo(number) for number in range(1, 25)],
        "cool drawings": [photo(number, palette="cool") for number in range(1, 25)],
        **same_view,
    }
    for name, pictures in sets.items():
        result = appraised(pictures)
        yield f"  {name:<26}{result.light.value:<8}{', '.join(result.remarks) or '-'}; flagged {len(result.flagged)}"


def _cost(photos: Pictures) -> Iterable[str]:
    yield "cost"
    for size in ((1536, 1152), (1024, 1024)):
        picture = photos["china"].resize(size)
        seconds = min(timeit.repeat(partial(measure, picture), number=1, repeat=30))
        yield f"  measure, {size[0]} by {size[1]}: {seconds * 1000:.1f} ms"
    measures = [measure(picture) for picture in photos.values()]
    chance = np.random.default_rng(1)
    shots = [
        Shot(
            number=number,
            width=1200,
            height=900,
            size_bytes=1,
            measures=Measures(**{**vars(measures[number % 16]), "fingerprint": chance.bytes(8).hex()}),
            has_caption=False,
        )
        for number in range(400)
    ]
    seconds = min(timeit.repeat(partial(appraise, shots, WISHES), number=1, repeat=5))
    yield f"  appraise, 400 pictures: {seconds * 1000:.0f} ms"


if __name__ == "__main__":
    main()
