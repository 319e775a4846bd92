"""What is measured of real photographs, of what was done to them, and of drawn things."""

import json
import time

import pytest
from PIL import Image

from benchmarks.specimens import (
    Change,
    as_jpeg,
    blurred,
    boxed,
    by_stops,
    focused,
    moved,
    noisy,
    photographs,
    scaled,
    screens,
)
from bot.datasets.measuring.fingerprints import distances
from bot.datasets.measuring.measures import Measures, measure
from bot.pictures.sample import COUNT, draw_lighthouse
from tests.dataset_files import photo

SECONDS = 0.006 * 5  # the budget, on a machine that is five times slower or busy


@pytest.fixture(scope="module")
def photos() -> dict[str, Image.Image]:
    return photographs()


@pytest.fixture(scope="module")
def clean(photos: dict[str, Image.Image]) -> dict[str, Measures]:
    return {name: measure(picture) for name, picture in photos.items()}


def test_measures_survive_a_json_column(clean: dict[str, Measures]) -> None:
    for measures in clean.values():
        assert Measures.from_json(json.loads(json.dumps(measures.to_json()))) == measures


def test_measuring_a_large_picture_is_quick(photos: dict[str, Image.Image]) -> None:
    picture = photos["china"].resize((1536, 1152))
    took = []
    for _ in range(5):
        began = time.perf_counter()
        measure(picture)
        took.append(time.perf_counter() - began)
    assert min(took) < SECONDS


def test_the_same_picture_gives_the_same_measures(photos: dict[str, Image.Image], clean: dict[str, Measures]) -> None:
    assert measure(photos["coffee"].copy()) == clean["coffee"]


@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (2000, 1), (15, 15), (63, 400), (256, 1536), (70, 70)])
@pytest.mark.parametrize("colour", ["black", "white", "#7f3010"])
def test_any_size_and_any_plain_colour_can_be_measured(size: tuple[int, int], colour: str) -> None:
    measures = measure(Image.new("RGB", size, colour))
    assert len(measures.fingerprint) == len(measures.mirrored) == 16
    assert len(measures.layout) == 96
    assert measures.contrast == 0
    assert measures.bars == (0, 0, 0, 0)


@pytest.mark.parametrize("radius", [2, 3, 4, 6])
def test_every_photograph_is_less_sharp_when_blurred(
    photos: dict[str, Image.Image], clean: dict[str, Measures], radius: int
) -> None:
    least_clean = min(measures.sharpness for measures in clean.values())
    assert all(measure(blurred(radius)(picture)).sharpness < least_clean for picture in photos.values())


def test_blur_is_seen_through_noise_and_compression(photos: dict[str, Image.Image]) -> None:
    for picture in photos.values():
        assert measure(noisy(3)(blurred(4)(picture))).sharpness < 0.31
        assert measure(as_jpeg(60)(blurred(4)(picture))).sharpness < 0.31


def test_a_camera_that_moved_smears_one_direction(photos: dict[str, Image.Image]) -> None:
    measures = measure(moved(15)(photos["astronaut"]))
    assert measures.steadiness < 0.29 < measures.sharpness


@pytest.mark.parametrize("change", [focused, noisy(12), as_jpeg(10)], ids=["soft background", "noise", "JPEG 10"])
def test_what_is_no_blur_is_not_taken_for_one(photos: dict[str, Image.Image], change: Change) -> None:
    """But for two that are smooth in the middle."""
    smooth = {"moon", "retina"} if change is focused else set()
    found = {name: measure(change(picture)).sharpness for name, picture in photos.items() if name not in smooth}
    assert min(found.values()) > 0.33


def test_less_light_lowers_the_highlights(photos: dict[str, Image.Image]) -> None:
    for picture in photos.values():
        seen = [measure(by_stops(stops)(picture)).highlights for stops in (0, -1, -2, -3, -4)]
        assert seen == sorted(seen, reverse=True)
        assert seen[-1] < 0.28


def test_print_is_told_from_photographs_and_drawings(
    photos: dict[str, Image.Image], clean: dict[str, Measures]
) -> None:
    drawings = [photo(seed) for seed in range(12)] + [draw_lighthouse(number) for number in range(COUNT)]
    without = [measures.text for measures in clean.values()] + [measure(drawing).text for drawing in drawings]
    assert max(without) < 0.02
    assert min(measure(screen).text for screen in screens(photos).values()) > 0.15


@pytest.mark.parametrize("quality", [95, 50])
def test_bars_are_measured_on_both_sides(photos: dict[str, Image.Image], quality: int) -> None:
    for name in ("astronaut", "coffee", "chelsea", "china", "flower", "rocket"):
        picture = as_jpeg(quality)(boxed(0, 0.12)(photos[name]))
        top, right, bottom, left = measure(picture).bars
        assert (top, bottom) == pytest.approx((0.12 / 1.24, 0.12 / 1.24), abs=0.01), name
        assert (right, left) == (0, 0)


def test_no_photograph_and_no_drawing_has_bars(clean: dict[str, Measures]) -> None:
    drawings = [photo(seed) for seed in range(12)] + [draw_lighthouse(number) for number in range(COUNT)]
    assert {measures.bars for measures in [*clean.values(), *map(measure, drawings)]} == {(0, 0, 0, 0)}


def test_bars_do_not_change_what_is_measured_inside(photos: dict[str, Image.Image], clean: dict[str, Measures]) -> None:
    inside = measure(boxed(0, 0.15)(photos["china"]))
    assert distances([inside.fingerprint], [clean["china"].fingerprint])[0, 0] <= 4
    assert inside.contrast == pytest.approx(clean["china"].contrast, abs=0.01)


def test_the_mirrored_fingerprint_is_that_of_the_mirror_image(
    photos: dict[str, Image.Image], clean: dict[str, Measures]
) -> None:
    for name, picture in photos.items():
        mirror = measure(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
        assert distances([mirror.fingerprint], [clean[name].mirrored])[0, 0] <= 2, name


def test_a_smaller_copy_has_nearly_the_same_fingerprint(
    photos: dict[str, Image.Image], clean: dict[str, Measures]
) -> None:
    for name, picture in photos.items():
        copy = measure(scaled(0.5)(picture))
        assert distances([copy.fingerprint], [clean[name].fingerprint])[0, 0] <= 4, name
