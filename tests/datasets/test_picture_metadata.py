"""What a picture says about itself: how it was held and its colours are followed, and then all of it is forgotten."""

from pathlib import Path

import pytest
from PIL import Image, ImageCms, ImageOps

from bot.datasets.report import PreparedImage
from tests.dataset_files import encoded, jpeg_bytes, photo, png_bytes
from tests.datasets.colours import RED, is_near, mean_difference, plain
from tests.datasets.conftest import Prepare, VerdictOn
from tests.datasets.phone_files import heic_bytes


@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF", "MPO"])
@pytest.mark.parametrize("orientation", [1, 2, 3, 4, 5, 6, 7, 8])
def test_a_turned_photograph_stands_upright_and_forgets_where_it_was_taken(
    orientation: int, picture_format: str, verdict_on: VerdictOn, prepared: Prepare
) -> None:
    """As large as it was seen, in every format that says how it was held."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Camera of Ann"
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 29.0)
    held = photo(1, (600, 300))
    upright = ImageOps.exif_transpose(with_orientation(held, orientation))
    sideways = (
        heic_bytes(held, exif=exif.tobytes())
        if picture_format == "HEIF"
        else encoded(held, picture_format, exif=exif, **({"save_all": True} if picture_format == "MPO" else {}))
    )

    picture, verdict = prepared(sideways), verdict_on(sideways)

    assert isinstance(verdict, PreparedImage)
    assert picture.size == (verdict.original_width, verdict.original_height) == upright.size
    assert picture.size == ((600, 300) if orientation <= 4 else (300, 600))
    assert mean_difference(picture, upright) < 5
    assert dict(picture.getexif()) == {}
    assert not {"exif", "comment", "xmp", "icc_profile"} & set(picture.info)


def test_a_large_turned_photograph_says_how_large_it_was(verdict_on: VerdictOn) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    verdict = verdict_on(jpeg_bytes(photo(1, (2400, 1200)), exif=exif, comment=b"taken at home", xmp=b"<x>secret</x>"))

    assert isinstance(verdict, PreparedImage)
    assert (verdict.width, verdict.height) == (768, 1536)
    assert (verdict.original_width, verdict.original_height) == (1200, 2400)


def test_nothing_of_the_metadata_is_left_in_the_file(verdict_on: VerdictOn, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera of Ann"
    secret = {"comment": b"taken at home", "xmp": b"<x>my address</x>", "exif": exif}
    verdict = verdict_on(jpeg_bytes(photo(1), **secret))

    assert isinstance(verdict, PreparedImage)
    content = (tmp_path / "into" / f"{verdict.sha256}.jpg").read_bytes()
    assert not any(word in content for word in (b"Ann", b"home", b"address", b"Exif", b"ICC_PROFILE", b"http"))


def with_orientation(picture: Image.Image, orientation: int) -> Image.Image:
    copy = picture.copy()
    copy.getexif()[0x0112] = orientation
    return copy


def test_unreadable_exif_costs_nothing(prepared: Prepare) -> None:
    assert prepared(jpeg_bytes(photo(1), exif=b"Exif\0\0MM\0*\xff\xff\xff\xff nonsense")).size == (640, 480)


def test_a_profile_is_followed_and_then_dropped(prepared: Prepare) -> None:
    swapped = profile_with_red_and_blue_swapped()

    picture = prepared(png_bytes(plain("RGB", (200, 30, 30)), icc_profile=swapped))

    assert is_near(picture.getpixel((150, 150)), (30, 30, 200), tolerance=12)
    assert "icc_profile" not in picture.info


@pytest.mark.parametrize("profile", [b"nonsense", b"\0" * 200], ids=["short", "empty"])
def test_an_unreadable_profile_is_ignored(profile: bytes, prepared: Prepare) -> None:
    assert is_near(prepared(png_bytes(plain("RGB", RED), icc_profile=profile)).getpixel((150, 150)), RED)


def test_a_profile_for_another_kind_of_picture_is_ignored(prepared: Prepare) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()

    assert is_near(prepared(png_bytes(plain("RGB", RED), icc_profile=lab)).getpixel((150, 150)), RED)


def profile_with_red_and_blue_swapped() -> bytes:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"tmp!").replace(b"bXYZ", b"rXYZ").replace(b"tmp!", b"bXYZ")
