"""What is said of a picture offline is true of it, and the same each time."""

import io

import pytest
from PIL import Image

from bot.pictures.describing import COLOURS, describe
from tests.dataset_files import jpeg_bytes, photo, png_bytes


def plain(colour: str | tuple[int, int, int], size: tuple[int, int] = (300, 200)) -> bytes:
    return png_bytes(Image.new("RGB", size, colour))


@pytest.mark.parametrize(
    ("colour", "said"),
    [
        ("red", "a dark, mostly red picture"),
        ("orange", "a bright, mostly orange picture"),
        ("teal", "a softly lit, mostly teal picture"),
        ("navy", "a dark, mostly blue picture"),
        ("white", "a bright, mostly white picture"),
        ("black", "a dark, mostly black picture"),
        ("grey", "a softly lit, mostly grey picture"),
    ],
)
def test_colour_and_brightness_are_named(colour: str, said: str) -> None:
    assert describe(plain(colour)) == f"{said} in landscape format"


@pytest.mark.parametrize(
    ("name", "anchor"), [(name, anchor) for name, anchors in COLOURS.items() for anchor in anchors]
)
def test_a_colour_is_called_what_it_is(name: str, anchor: tuple[int, int, int]) -> None:
    assert f"mostly {name} picture" in describe(plain(anchor))


@pytest.mark.parametrize(
    ("size", "said"),
    [((300, 200), "landscape"), ((200, 300), "portrait"), ((200, 200), "square"), ((210, 200), "square")],
)
def test_the_format_is_named(size: tuple[int, int], said: str) -> None:
    assert describe(plain("red", size)).endswith(f"in {said} format")


def test_a_picture_that_a_camera_turned_is_described_as_it_is_seen() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert describe(jpeg_bytes(Image.new("RGB", (300, 200), "red"), exif=exif)).endswith("in portrait format")


def test_two_colours_are_named_when_both_are_much_of_it() -> None:
    image = Image.new("RGB", (300, 200), "orange")
    image.paste("teal", (200, 0, 300, 200))
    assert "mostly orange and teal picture" in describe(png_bytes(image))
    image.paste("orange", (220, 0, 300, 200))
    assert "mostly orange picture" in describe(png_bytes(image))


def test_what_is_transparent_is_white() -> None:
    assert "mostly white" in describe(png_bytes(Image.new("RGBA", (50, 50), (255, 0, 0, 0))))


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "CMYK", "I;16"])
def test_every_kind_of_picture_is_described(mode: str) -> None:
    file = io.BytesIO()
    Image.new(mode, (60, 50)).save(file, "JPEG" if mode == "CMYK" else "PNG")
    assert describe(file.getvalue()).startswith("a ")


def test_the_same_picture_is_described_alike() -> None:
    picture = jpeg_bytes(photo(1))
    assert describe(picture) == describe(picture)


@pytest.mark.parametrize("content", [b"", b"text", b"\x89PNG\r\n\x1a\n", jpeg_bytes(photo(1))[:300]])
def test_what_is_no_picture_is_not_described(content: bytes) -> None:
    with pytest.raises(ValueError, match="picture"):
        describe(content)


def test_a_picture_of_too_many_pixels_is_not_described() -> None:
    file = io.BytesIO()
    Image.new("1", (16000, 16000)).save(file, "PNG")
    with pytest.raises(ValueError, match="picture"):
        describe(file.getvalue())
