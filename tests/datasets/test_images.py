"""What becomes of one picture of every kind people send."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageCms, ImageOps, ImageStat

from bot.datasets.images import prepare_image
from bot.datasets.limits import DatasetLimits
from bot.datasets.report import LeftOut, PreparedImage
from tests.dataset_files import encoded, jpeg_bytes, photo, png_bytes, real_photos
from tests.datasets.hostile_files import png_claiming, png_of

Prepare = Callable[[bytes], Image.Image]
RED, WHITE = (200, 30, 30), (255, 255, 255)


@pytest.fixture
def verdict_on(tmp_path: Path) -> Callable[[bytes], PreparedImage | LeftOut]:
    def verdict_on(content: bytes) -> PreparedImage | LeftOut:
        source = tmp_path / "source"
        source.write_bytes(content)
        (tmp_path / "into").mkdir(exist_ok=True)
        return prepare_image(source, "a.jpg", tmp_path / "into", DatasetLimits())

    return verdict_on


@pytest.fixture
def prepared(verdict_on: Callable[[bytes], PreparedImage | LeftOut], tmp_path: Path) -> Prepare:
    def prepared(content: bytes) -> Image.Image:
        verdict = verdict_on(content)
        assert isinstance(verdict, PreparedImage), verdict
        picture = Image.open(tmp_path / "into" / verdict.file_name)
        picture.load()
        assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (verdict.width, verdict.height))
        return picture

    return prepared


def is_near(colour: object, wanted: tuple[int, int, int], tolerance: int = 6) -> bool:
    assert isinstance(colour, tuple)
    return all(abs(have - want) <= tolerance for have, want in zip(colour, wanted, strict=True))


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    bands = ImageStat.Stat(ImageChops.difference(one, other)).mean
    return sum(bands) / len(bands)


def plain(mode: str, colour: float | tuple[float, ...], size: tuple[int, int] = (300, 300)) -> Image.Image:
    return Image.new(mode, size, colour)


@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "MPO"])
def test_every_ordinary_format_is_taken(picture_format: str, prepared: Prepare) -> None:
    options = {"save_all": True, "append_images": [photo(2)]} if picture_format == "MPO" else {}

    assert prepared(encoded(photo(1), picture_format, **options)).size == (640, 480)


@pytest.mark.parametrize("picture_format", ["PPM", "ICO", "JPEG2000", "TGA", "PDF", "EPS"])
def test_no_other_decoder_is_let_near_it(
    picture_format: str, verdict_on: Callable[[bytes], PreparedImage | LeftOut]
) -> None:
    assert verdict_on(encoded(photo(1), picture_format)) == LeftOut(name="a.jpg", reason="is not a picture")


DEPTHS_AND_COLOURS = {
    "grey": (plain("L", 180), "PNG", (180, 180, 180)),
    "one bit": (plain("1", 1), "PNG", WHITE),
    "16-bit grey PNG": (plain("I;16", 180 * 257), "PNG", (180, 180, 180)),
    "16-bit grey TIFF": (plain("I;16", 180 * 257), "TIFF", (180, 180, 180)),
    "32-bit grey TIFF": (plain("I", 180 * 257), "TIFF", (180, 180, 180)),
    "floating TIFF": (plain("F", 180 / 255), "TIFF", (180, 180, 180)),
    "ink": (plain("RGB", RED).convert("CMYK"), "JPEG", RED),
    "a palette": (plain("RGB", RED).quantize(), "PNG", RED),
    "YCbCr TIFF": (plain("RGB", RED).convert("YCbCr"), "TIFF", RED),
    "half clear": (plain("RGBA", (255, 0, 0, 128)), "PNG", (255, 127, 127)),
    "wholly clear": (plain("RGBA", (0, 0, 0, 0)), "WEBP", WHITE),
    "clear grey": (plain("LA", (0, 0)), "PNG", WHITE),
}


@pytest.mark.parametrize("case", DEPTHS_AND_COLOURS)
def test_every_depth_becomes_plain_colour(case: str, prepared: Prepare) -> None:
    picture, picture_format, colour = DEPTHS_AND_COLOURS[case]

    assert is_near(prepared(encoded(picture, picture_format)).getpixel((150, 150)), colour)


def test_a_16_bit_colour_png_keeps_its_colour(prepared: Prepare) -> None:
    rows = (b"\0" + bytes((200, 0, 30, 0, 30, 0)) * 300) * 300

    assert is_near(prepared(png_of(rows, 300, 300, depth=16, colour_type=2)).getpixel((150, 150)), RED)


def test_a_clear_palette_entry_becomes_white(prepared: Prepare) -> None:
    picture = plain("RGB", RED).quantize(2)

    assert is_near(prepared(png_bytes(picture, transparency=picture.getpixel((0, 0)))).getpixel((9, 9)), WHITE)


def test_a_colour_named_transparent_becomes_white(prepared: Prepare) -> None:
    assert is_near(prepared(png_bytes(plain("RGB", RED), transparency=RED)).getpixel((9, 9)), WHITE)


def test_a_16_bit_colour_named_transparent_costs_nothing(prepared: Prepare) -> None:
    deep = png_bytes(plain("I;16", 180 * 257), transparency=180 * 257)

    assert is_near(prepared(deep).getpixel((9, 9)), (180, 180, 180))


def test_what_lies_under_transparency_does_not_bleed(prepared: Prepare) -> None:
    picture = plain("RGBA", (0, 0, 0, 0), (3072, 3072))
    picture.paste((255, 0, 0, 255), (0, 0, 1537, 3072))

    row = [prepared(png_bytes(picture)).getpixel((across, 700)) for across in range(760, 776)]

    assert all(isinstance(colour, tuple) and colour[0] > 245 for colour in row)


def test_an_animation_gives_its_first_frame(prepared: Prepare) -> None:
    frames = [plain("RGB", colour) for colour in (RED, (0, 0, 255), (0, 255, 0))]

    animation = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])

    assert is_near(prepared(animation).getpixel((150, 150)), RED)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photograph_stands_upright_and_forgets_where_it_was_taken(orientation: int, prepared: Prepare) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Camera of Ann"
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 29.0)
    sideways = jpeg_bytes(photo(1, (2400, 1200)), exif=exif, comment=b"taken at home", xmp=b"<x>secret</x>")

    picture = prepared(sideways)

    with Image.open(io.BytesIO(sideways)) as source:
        upright = ImageOps.exif_transpose(source).resize(picture.size)
    assert picture.size == ((1536, 768) if orientation <= 4 else (768, 1536))
    assert mean_difference(picture, upright) < 3
    assert dict(picture.getexif()) == {}
    assert not {"exif", "comment", "xmp", "icc_profile"} & set(picture.info)


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


@pytest.mark.parametrize(
    ("size", "prepared_size"),
    [
        ((4000, 3000), (1536, 1152)),
        ((3000, 4000), (1152, 1536)),
        ((1536, 1536), (1536, 1536)),
        ((256, 300), (256, 300)),
    ],
)
def test_only_large_pictures_are_made_smaller(
    size: tuple[int, int], prepared_size: tuple[int, int], prepared: Prepare
) -> None:
    assert prepared(jpeg_bytes(photo(1, size))).size == prepared_size


UNSUITABLE = {
    "nothing": (b"", "is not a picture"),
    "words": (b"a cat", "is not a picture"),
    "a page": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not a picture"),
    "60 megapixels": (png_claiming(10_000, 6_000), "has 60 megapixels; at most 50 fit"),
    "2 gigapixels": (png_claiming(50_000, 40_000, is_filled=False), "has 2,000 megapixels; at most 50 fit"),
    "a thumbnail": (png_bytes(photo(1, (300, 200))), "is 300 × 200 pixels; both sides need at least 256"),
    "a ribbon": (png_bytes(photo(1, (4000, 300))), "is too long and narrow at 4000 × 300 pixels: crop it"),
    "half a JPEG": (jpeg_bytes(photo(1))[:9000], "is cut off: save it again"),
    "half a PNG": (png_bytes(photo(1))[:-900], "is cut off: save it again"),
    "half a WebP": (encoded(photo(1), "WEBP")[:900], "is damaged: save it again"),
    "half a GIF": (encoded(photo(1), "GIF")[:5000], "is cut off: save it again"),
    "half a BMP": (encoded(photo(1), "BMP")[:50_000], "is cut off: save it again"),
    "half an AVIF": (encoded(photo(1), "AVIF")[:900], "is damaged: save it again"),
    "half a TIFF": (encoded(photo(1), "TIFF")[:50_000], "is cut off: save it again"),
    "a PNG without pixels": (png_claiming(300, 300, is_filled=False), "is cut off: save it again"),
    "a PNG with a wrong checksum": (png_bytes(photo(1)).replace(b"IDAT", b"IDAT\xff", 1), "is damaged: save it again"),
    "a JPEG header alone": (jpeg_bytes(photo(1))[:20], "is damaged: save it again"),
}


@pytest.mark.parametrize("case", UNSUITABLE)
def test_it_is_left_out_with_what_to_do(
    case: str, verdict_on: Callable[[bytes], PreparedImage | LeftOut], tmp_path: Path
) -> None:
    content, reason = UNSUITABLE[case]

    assert verdict_on(content) == LeftOut(name="a.jpg", reason=reason)
    assert list((tmp_path / "into").iterdir()) == []


def test_pillow_is_left_as_it_was(verdict_on: Callable[[bytes], PreparedImage | LeftOut]) -> None:
    before = Image.MAX_IMAGE_PIXELS

    verdict_on(png_claiming(50_000, 40_000, is_filled=False))

    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("name", real_photos())
def test_real_photographs_pass(name: str, prepared: Prepare) -> None:
    assert min(prepared(real_photos()[name]).size) >= 256


def test_the_same_picture_gives_the_same_bytes(verdict_on: Callable[[bytes], PreparedImage | LeftOut]) -> None:
    large = jpeg_bytes(photo(5, (3000, 2000)))

    assert verdict_on(large) == verdict_on(large)
