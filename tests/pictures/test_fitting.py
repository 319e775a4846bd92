"""A picture that is too large is made small enough, at the least price that is seen."""

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from bot.pictures.fitting import TRIES, fit_picture

SIZE = (640, 480)


def noise(path: Path, mode: str = "RGB") -> Path:
    """The picture that compresses worst."""
    channels = len(mode)
    Image.frombytes(mode, SIZE, os.urandom(SIZE[0] * SIZE[1] * channels)).save(path, "PNG")
    return path


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("share", [0.6, 0.3, 0.1, 0.03])
def test_the_result_has_the_size_that_was_asked_for(tmp_path: Path, share: float) -> None:
    path = noise(tmp_path / "noise.png")
    limit = int(path.stat().st_size * share)
    fitted = fit_picture(path, limit)
    assert fitted is not None
    assert len(fitted) <= limit
    assert opened(fitted).format == "JPEG"


def test_quality_falls_before_the_size_does(tmp_path: Path) -> None:
    path = noise(tmp_path / "noise.png")
    size = path.stat().st_size
    light, heavy = fit_picture(path, size // 2), fit_picture(path, size // 20)
    assert light is not None
    assert heavy is not None
    assert opened(light).size == SIZE
    assert opened(heavy).width < SIZE[0]


def test_what_is_transparent_stays_transparent(tmp_path: Path) -> None:
    path = noise(tmp_path / "noise.png", "RGBA")
    fitted = fit_picture(path, path.stat().st_size // 3)
    assert fitted is not None
    assert (opened(fitted).format, opened(fitted).mode) == ("WEBP", "RGBA")


def test_what_cannot_be_made_small_enough_is_none(tmp_path: Path) -> None:
    assert fit_picture(noise(tmp_path / "noise.png"), 1000) is None
    assert len(TRIES) < 10


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n broken"])
def test_what_is_no_picture_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.png"
    path.write_bytes(content)
    assert fit_picture(path, 10**6) is None
    assert fit_picture(tmp_path / "absent.png", 10**6) is None
