"""A dataset is appraised: what is found on real photographs, what is not, and what always holds."""

import math
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some
from PIL import Image, ImageOps

from benchmarks.specimens import (
    Change,
    as_jpeg,
    blurred,
    boxed,
    by_stops,
    cropped,
    photographs,
    scaled,
    screens,
    turned,
    warmer,
)
from bot.datasets.appraising.appraisal import Appraisal, Flaw, Light, Remark, Shot, Wishes, appraise
from bot.datasets.measuring.measures import Measures, measure
from bot.pictures.sample import COUNT, draw_lighthouse
from tests.dataset_files import photo

WISHES = Wishes(least=4, most=400, most_bytes=math.inf, advised_least=10, advised_most=40, keeps_drawings=False)
STYLE = replace(WISHES, keeps_drawings=True)
SEED = random.Random(7)
GOOD = Measures(
    fingerprint="0" * 16,
    mirrored="0" * 16,
    layout="00" * 48,
    sharpness=0.5,
    steadiness=0.5,
    shadows=0.1,
    highlights=0.9,
    clipped=0.0,
    contrast=0.2,
    text=0.0,
    bars=(0.0, 0.0, 0.0, 0.0),
)


@pytest.fixture(scope="module")
def photos() -> dict[str, Image.Image]:
    return photographs()


def good(number: int, **changed: object) -> Shot:
    """A picture without a flaw, unlike every other one."""
    chance = random.Random(number)
    unlike = {
        "fingerprint": chance.randbytes(8).hex(),
        "mirrored": chance.randbytes(8).hex(),
        "layout": chance.randbytes(48).hex(),
    }
    return Shot(
        number=number,
        width=1200,
        height=900,
        size_bytes=500_000,
        measures=replace(GOOD, **{**unlike, **changed}),
        has_caption=True,
    )


def shots_of(pictures: Iterable[Image.Image]) -> list[Shot]:
    return [
        Shot(number=number, width=one.width, height=one.height, size_bytes=1, measures=measure(one), has_caption=True)
        for number, one in enumerate(pictures, start=1)
    ]


def flaws(result: Appraisal, number: int) -> set[Flaw]:
    return {finding.flaw for finding in result.findings.get(number, ())}


def grave(result: Appraisal) -> dict[int, set[Flaw]]:
    found = {
        number: {finding.flaw for finding in findings if finding.is_grave}
        for number, findings in result.findings.items()
    }
    return {number: flaws for number, flaws in found.items() if flaws}


def count_found(photos: dict[str, Image.Image], change: Change, flaw: Flaw) -> int:
    return sum(flaw in flaws(appraise(shots_of([change(picture)]), WISHES), 1) for picture in photos.values())


# What is found, and what is not


def test_no_real_photograph_has_a_flaw_but_its_size(photos: dict[str, Image.Image]) -> None:
    result = appraise(shots_of(photos.values()), WISHES)
    assert {flaw for number in result.findings for flaw in flaws(result, number)} == {Flaw.SMALL}
    assert len(grave(result)) == 1  # coins, of 384 by 303 pixels


@pytest.mark.parametrize(
    "pictures",
    [
        lambda: [draw_lighthouse(number) for number in range(COUNT)],
        lambda: [photo(number, palette="warm") for number in range(1, 11)],
        lambda: [photo(number, palette="cool") for number in range(1, 11)],
    ],
    ids=["sample", "warm", "cool"],
)
def test_drawn_datasets_get_a_green_light(pictures: Callable[[], list[Image.Image]]) -> None:
    result = appraise(shots_of(pictures()), WISHES)
    assert (result.light, result.flagged, result.missing) == (Light.GREEN, (), 0)
    assert set(result.remarks) <= {Remark.LOW_RESOLUTION}


@pytest.mark.parametrize(
    ("change", "flaw", "least"),
    [
        (blurred(2), Flaw.BLURRED, 16),
        (blurred(4), Flaw.BLURRED, 16),
        (by_stops(-3), Flaw.DARK, 16),
        (by_stops(-4), Flaw.DARK, 16),
        (by_stops(3), Flaw.BRIGHT, 7),
        (boxed(0, 0.12), Flaw.BORDERED, 14),
        (boxed(0.2, 0), Flaw.BORDERED, 14),
        (boxed(0.05, 0.05, (255, 255, 255)), Flaw.BORDERED, 16),
        (cropped(0.6), Flaw.SMALL, 15),
    ],
    ids=lambda value: value.value if isinstance(value, Flaw) else None,
)
def test_what_was_done_to_a_photograph_is_found(
    photos: dict[str, Image.Image], change: Change, flaw: Flaw, least: int
) -> None:
    assert count_found(photos, change, flaw) >= least


def test_every_screenshot_and_page_is_found(photos: dict[str, Image.Image]) -> None:
    for name, screen in screens(photos).items():
        assert flaws(appraise(shots_of([screen]), WISHES), 1) & set(Flaw) >= {Flaw.SCREEN}, name


def test_a_shape_that_trainers_crop_is_found() -> None:
    wide = [replace(good(number), width=width, height=400) for number, width in enumerate((800, 1000, 1700), start=1)]
    result = appraise([*wide, good(4), good(5)], WISHES)
    assert [Flaw.NARROW in flaws(result, number) for number in (1, 2, 3)] == [False, True, True]
    assert grave(result) == {3: {Flaw.NARROW}}


def test_a_plain_picture_is_flat_and_nothing_else() -> None:
    result = appraise(shots_of([Image.new("RGB", (1000, 800), "#404a60")]), WISHES)
    assert flaws(result, 1) == {Flaw.FLAT}


def test_a_style_may_be_flat_dark_soft_and_printed(photos: dict[str, Image.Image]) -> None:
    plain, dark = Image.new("RGB", (1000, 800), "#c0d0e0"), by_stops(-4)(photos["astronaut"])
    soft = blurred(4)(photos["flower"])
    result = appraise(shots_of([plain, dark, soft, screens(photos)["page"]]), STYLE)
    assert grave(result) == {}
    assert flaws(result, 1) == set()


# Twins


@pytest.mark.parametrize(
    ("change", "least"),
    [
        (scaled(0.5), 16),
        (as_jpeg(10), 16),
        (by_stops(-2), 16),
        (warmer, 16),
        (boxed(0, 0.12), 16),
        (cropped(0.02), 16),
        (cropped(0.05), 15),
        (turned(2), 14),
        (ImageOps.mirror, 16),
    ],
)
def test_a_copy_is_a_twin(photos: dict[str, Image.Image], change: Change, least: int) -> None:
    found = 0
    for picture in photos.values():
        result = appraise(shots_of([picture, change(picture)]), WISHES)
        found += any(Flaw.TWIN in flaws(result, number) for number in (1, 2))
    assert found >= least


def test_different_pictures_are_no_twins(photos: dict[str, Image.Image]) -> None:
    drawn = [photo(seed, palette="warm" if seed % 2 else "cool") for seed in range(40)]
    result = appraise(shots_of([*photos.values(), *drawn, *map(draw_lighthouse, range(COUNT))]), WISHES)
    assert all(Flaw.TWIN not in flaws(result, number) for number in result.findings)


def test_a_mirror_image_is_mentioned_and_stays(photos: dict[str, Image.Image]) -> None:
    others = [photos[name] for name in ("astronaut", "motorcycle_left", "rocket", "flower")]
    result = appraise(shots_of([photos["china"], ImageOps.mirror(photos["china"]), *others]), WISHES)
    twins = [finding for findings in result.findings.values() for finding in findings]
    assert [(twin.flaw, twin.is_grave) for twin in twins] == [(Flaw.TWIN, False)]


def test_of_copies_the_one_with_the_most_detail_stays(photos: dict[str, Image.Image]) -> None:
    picture = photos["astronaut"]
    copies = [scaled(0.5)(picture), as_jpeg(10)(picture), picture, blurred(2)(picture)]
    result = appraise(shots_of(copies), WISHES)
    assert set(result.findings) == {1, 2, 4}
    assert {finding.twin_of for findings in result.findings.values() for finding in findings} - {None} == {3}


def test_of_copies_the_captioned_one_stays() -> None:
    shots = [replace(good(1), has_caption=False, width=1600), replace(good(1), number=2)]
    assert appraise(shots, WISHES).findings[1][0].twin_of == 2


def test_a_slow_pan_is_not_one_picture() -> None:
    """Each is like its neighbours, and the ends show something else."""
    bits = [(1 << 5 * step) - 1 for step in range(6)]
    shots = [good(number, fingerprint=f"{value:016x}") for number, value in enumerate(bits, start=1)]
    twins = {
        number: finding.twin_of
        for number, findings in appraise(shots, WISHES).findings.items()
        for finding in findings
        if finding.is_grave
    }
    assert twins == {2: 1, 4: 3, 6: 5}


# The whole


def test_too_few_pictures_are_red_and_counted() -> None:
    result = appraise([good(1), good(2)], WISHES)
    assert (result.light, result.missing, result.flagged) == (Light.RED, 2, ())
    assert Remark.TOO_FEW in result.remarks


def test_nothing_at_all_is_appraised_too() -> None:
    result = appraise([], WISHES)
    assert (result.light, result.missing, result.findings) == (Light.RED, 4, {})


def test_fewer_than_advised_are_yellow() -> None:
    result = appraise([good(number) for number in range(1, 7)], WISHES)
    assert (result.light, result.remarks) == (Light.YELLOW, (Remark.FEW,))


def test_more_than_advised_are_still_green() -> None:
    result = appraise([good(number) for number in range(1, 61)], WISHES)
    assert (result.light, result.remarks) == (Light.GREEN, (Remark.MANY,))


def test_more_than_a_trainer_takes_fit_without_the_flagged() -> None:
    wishes = replace(WISHES, most=12)
    shots = [good(number) for number in range(1, 16)]
    shots[0] = good(1, sharpness=0.3, steadiness=0.3)  # doubtful, so it goes before the others
    result = appraise(shots, wishes)
    assert (result.light, result.flagged) == (Light.RED, (1, 14, 15))
    assert appraise([shot for shot in shots if shot.number not in result.flagged], wishes).light is Light.GREEN


def test_one_spoilt_picture_among_many_is_yellow_until_it_is_left_out() -> None:
    shots = [good(number) for number in range(1, 21)]
    shots[4] = good(5, sharpness=0.25, steadiness=0.25)
    result = appraise(shots, WISHES)
    assert (result.light, result.flagged, result.remarks) == (Light.YELLOW, (5,), ())
    assert appraise([*shots[:4], *shots[5:]], WISHES).light is Light.GREEN


def test_a_dataset_that_is_mostly_spoilt_is_red() -> None:
    shots = [good(number, sharpness=0.5 if number < 8 else 0.2) for number in range(1, 21)]
    result = appraise(shots, WISHES)
    assert result.light is Light.RED
    assert Remark.MANY_FLAWED in result.remarks


def test_copies_of_one_picture_are_no_dataset() -> None:
    shots = [replace(good(1), number=number) for number in range(1, 11)]
    result = appraise(shots, WISHES)
    assert result.light is Light.RED
    assert len(result.flagged) == 6


def test_one_view_over_and_over_is_mentioned(photos: dict[str, Image.Image]) -> None:
    for name in ("coffee", "china", "motorcycle_left", "astronaut"):
        views = [cropped(0.08, across / 2, down / 2)(photos[name]) for across in range(3) for down in range(3)]
        assert Remark.ALIKE in appraise(shots_of(views), WISHES).remarks, name


def test_captions_on_some_pictures_only_are_mentioned() -> None:
    shots = [replace(good(number), has_caption=number > 3) for number in range(1, 13)]
    assert appraise(shots, WISHES).remarks == (Remark.PARTLY_CAPTIONED,)


def test_four_hundred_pictures_are_appraised_at_once() -> None:
    shots = [good(number) for number in range(1, 401)]
    began = time.perf_counter()
    appraise(shots, WISHES)
    assert time.perf_counter() - began < 0.05 * 5  # five times the budget, for a machine that is slower or busy


# What always holds

SHARES = some.floats(0, 1, allow_nan=False)
MEASURES = some.builds(
    Measures,
    fingerprint=some.sampled_from([*(f"{SEED.getrandbits(64):016x}" for _ in range(4)), "0" * 16, "0" * 15 + "f"]),
    mirrored=some.sampled_from([*(f"{SEED.getrandbits(64):016x}" for _ in range(4)), "0" * 16]),
    layout=some.sampled_from(["00" * 48, "05" * 48, "ff" * 48]),
    sharpness=SHARES,
    steadiness=SHARES,
    shadows=SHARES,
    highlights=SHARES,
    clipped=SHARES,
    contrast=some.floats(0, 0.5),
    text=some.sampled_from([0.0, 0.0, 0.1, 0.5]),
    bars=some.sampled_from([(0.0, 0.0, 0.0, 0.0), (0.1, 0.0, 0.1, 0.0), (0.2, 0.1, 0.2, 0.1)]),
)
SIDES = some.integers(256, 4000)
SIZES = some.integers(1, 9)
DATASETS = some.lists(some.tuples(SIDES, SIDES, SIZES, MEASURES, some.booleans()), max_size=30).map(
    lambda rows: [
        Shot(number=number, width=width, height=height, size_bytes=size, measures=measures, has_caption=has_caption)
        for number, (width, height, size, measures, has_caption) in enumerate(rows, start=1)
    ]
)
ALL_WISHES = some.builds(
    Wishes,
    least=some.integers(1, 8),
    most=some.integers(8, 25),
    most_bytes=some.sampled_from([math.inf, 72, 120]),
    advised_least=some.integers(8, 12),
    advised_most=some.integers(12, 25),
    keeps_drawings=some.booleans(),
)


@given(shots=DATASETS, wishes=ALL_WISHES)
def test_leaving_out_the_flagged_never_leaves_too_few_nor_too_many(shots: Sequence[Shot], wishes: Wishes) -> None:
    result = appraise(shots, wishes)
    remaining = len(shots) - len(result.flagged)
    assert remaining >= min(wishes.least, len(shots))
    assert remaining <= wishes.most
    assert result.missing == max(0, wishes.least - len(shots) + len(result.left_aside))
    assert result.missing_good == max(0, wishes.least - len(shots) + len(grave(result)))


@given(shots=DATASETS, wishes=ALL_WISHES)
def test_what_is_left_aside_is_what_does_not_fit_and_the_good_ones_go_first(
    shots: Sequence[Shot], wishes: Wishes
) -> None:
    result = appraise(shots, wishes)
    sent = [shot for shot in shots if shot.number not in result.left_aside]
    assert len(sent) <= wishes.most
    assert sum(shot.size_bytes for shot in sent) <= wishes.most_bytes
    if result.left_aside:
        assert len(sent) == wishes.most or sum(shot.size_bytes for shot in sent) > wishes.most_bytes - 9
    spoilt = {
        number
        for number, found in result.findings.items()
        if any(finding.is_grave and finding.flaw is not Flaw.SURPLUS for finding in found)
    }
    if not spoilt <= result.left_aside:
        assert result.left_aside <= spoilt


@given(shots=DATASETS, wishes=ALL_WISHES, chance=some.randoms(use_true_random=False))
def test_the_order_of_the_pictures_changes_nothing(
    shots: Sequence[Shot], wishes: Wishes, chance: random.Random
) -> None:
    shuffled = list(shots)
    chance.shuffle(shuffled)
    assert appraise(shuffled, wishes) == appraise(shots, wishes)


@given(shots=DATASETS, wishes=ALL_WISHES)
def test_only_what_is_grave_is_flagged_and_the_gravest_is_said_first(shots: Sequence[Shot], wishes: Wishes) -> None:
    result = appraise(shots, wishes)
    for number in result.flagged:
        assert result.findings[number][0].is_grave
    for findings in result.findings.values():
        assert [finding.is_grave for finding in findings] == sorted((f.is_grave for f in findings), reverse=True)
        assert len({finding.flaw for finding in findings}) == len(findings)


@given(shots=DATASETS, wishes=ALL_WISHES)
def test_a_twin_is_the_twin_of_a_picture_that_is_no_twin(shots: Sequence[Shot], wishes: Wishes) -> None:
    found = appraise(shots, wishes).findings
    grave_twins = {
        number: finding.twin_of
        for number, findings in found.items()
        for finding in findings
        if finding.flaw is Flaw.TWIN and finding.is_grave
    }
    assert set(grave_twins.values()).isdisjoint(grave_twins)
    assert all((finding.twin_of is not None) == (finding.flaw is Flaw.TWIN) for f in found.values() for finding in f)


@given(shots=DATASETS, wishes=ALL_WISHES)
def test_green_means_that_nothing_grave_was_found(shots: Sequence[Shot], wishes: Wishes) -> None:
    result = appraise(shots, wishes)
    if result.light is Light.GREEN:
        assert grave(result) == {}
        assert result.missing == 0
