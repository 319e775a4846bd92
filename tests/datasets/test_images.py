"""What becomes of one picture of every kind people send."""

import io
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image

from bot.datasets.report import LeftOut
from bot.datasets.scans import scans_of
from tests.dataset_files import encoded, jpeg_bytes, photo, png_bytes, real_photos
from tests.datasets.colours import RED, WHITE, is_near, mean_difference, plain
from tests.datasets.conftest import Prepare, VerdictOn
from tests.datasets.hostile_files import png_claiming, png_of, progressive_with_scans
from tests.datasets.phone_files import heic_bytes, heic_of_several


@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "MPO"])
def test_every_ordinary_format_is_taken(picture_format: str, prepared: Prepare) -> None:
    options = {"save_all": True, "append_images": [photo(2)]} if picture_format == "MPO" else {}

    assert prepared(encoded(photo(1), picture_format, **options)).size == (640, 480)


@pytest.mark.parametrize("picture_format", ["PPM", "ICO", "JPEG2000", "TGA", "PDF", "EPS"])
def test_no_other_decoder_is_let_near_it(picture_format: str, verdict_on: VerdictOn) -> None:
    assert isinstance(verdict_on(encoded(photo(1), picture_format)), LeftOut)


def test_a_heic_from_a_phone_is_taken(prepared: Prepare) -> None:
    assert mean_difference(prepared(heic_bytes(photo(1), quality=95)), photo(1)) < 4


@pytest.mark.parametrize("picture_format", ["PNG", "WEBP", "AVIF", "TIFF", "HEIF"])
def test_transparency_becomes_white_in_every_format_that_has_it(picture_format: str, prepared: Prepare) -> None:
    clear = plain("RGBA", (255, 0, 0, 0))
    content = heic_bytes(clear) if picture_format == "HEIF" else encoded(clear, picture_format)

    assert is_near(prepared(content).getpixel((150, 150)), WHITE)


@pytest.mark.parametrize("picture_format", ["GIF", "PNG", "WEBP", "TIFF", "AVIF", "MPO", "HEIF"])
def test_of_several_frames_or_pages_the_first_is_taken(picture_format: str, prepared: Prepare) -> None:
    first, second = plain("RGB", RED), plain("RGB", (0, 0, 255))
    if picture_format == "HEIF":
        content = heic_of_several(first, second)
    else:
        content = encoded(first, picture_format, save_all=True, append_images=[second])

    assert is_near(prepared(content).getpixel((150, 150)), RED)


def test_a_10_bit_heic_keeps_its_brightness(prepared: Prepare) -> None:
    deep = pillow_heif.from_bytes("RGB;16", (300, 300), (180 * 257).to_bytes(2, "little") * 3 * 300 * 300)
    buffer = io.BytesIO()
    deep.save(buffer, quality=-1)

    assert is_near(prepared(buffer.getvalue()).getpixel((150, 150)), (180, 180, 180))


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

    whole = prepared(png_bytes(picture))
    row = [whole.getpixel((across, 700)) for across in range(760, 776)]

    assert all(isinstance(colour, tuple) and colour[0] > 245 for colour in row)


@pytest.mark.parametrize("size", [(4000, 3000), (3072, 2304), (6200, 4100), (2000, 1500)])
def test_decoding_at_a_fraction_costs_no_visible_quality(size: tuple[int, int], prepared: Prepare) -> None:
    whole = jpeg_bytes(photo(4, size), quality=95)

    picture = prepared(whole)

    with Image.open(io.BytesIO(whole)) as source:
        slowly = source.convert("RGB").resize(picture.size, Image.Resampling.LANCZOS)
    assert mean_difference(picture, slowly) < 1.5


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
    "nothing": (b"", "is empty"),
    "words": (b"a cat", "is not a picture"),
    "a page": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is a drawing in vectors: export it as PNG"),
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
def test_it_is_left_out_with_what_to_do(case: str, verdict_on: VerdictOn, tmp_path: Path) -> None:
    content, reason = UNSUITABLE[case]

    assert verdict_on(content) == LeftOut(name="a.jpg", reason=reason)
    assert list((tmp_path / "into").iterdir()) == []


def test_pillow_is_left_as_it_was(verdict_on: VerdictOn) -> None:
    before = Image.MAX_IMAGE_PIXELS

    verdict_on(png_claiming(50_000, 40_000, is_filled=False))

    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("name", real_photos())
def test_real_photographs_pass(name: str, prepared: Prepare) -> None:
    assert min(prepared(real_photos()[name]).size) >= 256


def test_the_same_picture_gives_the_same_bytes(verdict_on: VerdictOn) -> None:
    large = jpeg_bytes(photo(5, (3000, 2000)))

    assert verdict_on(large) == verdict_on(large)


def test_segments_without_end_are_not_followed_for_long() -> None:
    """Twenty megabytes of them took three seconds."""
    assert scans_of(b"\xff\xe0\x00\x02" * 30_000, most=201) == 201


LAYERED = LeftOut(name="a.jpg", reason="is a JPEG in too many layers: save it again")


def test_few_bytes_that_would_hold_a_worker_for_seconds_are_left_out(verdict_on: VerdictOn) -> None:
    huge = Image.new("RGB", (7000, 7000), (90, 120, 30))
    assert verdict_on(progressive_with_scans(195, huge)) == LAYERED
    assert verdict_on(progressive_with_scans(21, huge)) == LAYERED


def test_a_huge_progressive_photograph_passes(prepared: Prepare) -> None:
    assert prepared(progressive_with_scans(12, Image.new("RGB", (7000, 7000), (90, 120, 30)))).size == (1536, 1536)


def test_what_looks_like_a_layer_beside_the_picture_is_none(prepared: Prepare) -> None:
    """In a preview, a comment, or the video that a telephone puts behind the picture."""
    noise = b"\xff\xda\x00\x02" * 300
    content = jpeg_bytes(photo(3), comment=noise, progressive=True) + noise
    assert prepared(content).size == photo(3).size
