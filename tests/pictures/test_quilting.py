"""Image quilting itself: the cut between patches, and the choice of patches for a guide."""

import numpy as np
import pytest

from bot.pictures.quilting import Fit, cut_patches, quilt, seam

FIT = Fit(guide_weight=0.7, detail_weight=2.0)


def striped_picture(colour: tuple[int, int, int]) -> np.ndarray:
    picture = np.zeros((96, 96, 3), dtype=np.uint8)
    picture[:] = colour
    picture[::6] //= 2
    return picture


def guide_of(left: float, right: float) -> np.ndarray:
    guide = np.full((120, 140, 3), left, dtype=np.float32)
    guide[:, 70:] = right
    return guide


def test_the_cut_follows_the_path_of_least_difference() -> None:
    errors = np.ones((12, 7), dtype=np.float32)
    path = [3, 3, 4, 5, 5, 4, 3, 2, 2, 1, 2, 3]
    errors[np.arange(12), path] = 0
    cover = seam(errors)
    assert [int(np.flatnonzero(row >= 0.5)[0]) for row in cover] == path
    assert cover.min() == 0
    assert cover.max() == 1


def test_dark_places_of_the_guide_get_dark_patches() -> None:
    pictures = [striped_picture((30, 30, 30)), striped_picture((220, 220, 220))]
    patches = cut_patches(pictures, size=24, count=60, random=np.random.default_rng(1))
    laid = quilt(guide_of(0.1, 0.85), np.full((120, 140), 0.3), patches, FIT, np.random.default_rng(2))
    assert laid.shape == (120, 140, 3)
    assert laid[:, :50].mean() < 0.2
    assert laid[:, 90:].mean() > 0.6


def test_every_pixel_of_a_quilt_is_between_pixels_of_the_pictures() -> None:
    pictures = [striped_picture((200, 100, 60))]
    patches = cut_patches(pictures, size=16, count=40, random=np.random.default_rng(1))
    laid = quilt(guide_of(0.0, 1.0), np.zeros((120, 140)), patches, FIT, np.random.default_rng(2))
    assert laid.min() >= 29 / 255
    assert laid.max() <= 201 / 255


def test_the_same_random_numbers_give_the_same_quilt() -> None:
    pictures = [striped_picture((200, 100, 60)), striped_picture((10, 100, 160))]
    laid = []
    for _ in range(2):
        random = np.random.default_rng(7)
        patches = cut_patches(pictures, size=16, count=40, random=random)
        laid.append(quilt(guide_of(0.2, 0.7), np.zeros((120, 140)), patches, FIT, random))
    assert np.array_equal(laid[0], laid[1])


@pytest.mark.parametrize("side", [3, 16, 40])
def test_a_picture_smaller_than_a_patch_still_gives_patches(side: int) -> None:
    patches = cut_patches([np.zeros((side, 8, 3), np.uint8)], size=32, count=5, random=np.random.default_rng(1))
    assert patches.whole.shape == (5, 32, 32, 3)
