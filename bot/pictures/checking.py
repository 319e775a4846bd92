"""Looks whether what a provider calls a picture is one. Runs in a worker process: a bomb goes off while decoding."""

import warnings
from pathlib import Path

from PIL import Image, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_PIXELS = 40_000_000  # ten times what any generator here makes


KINDS = ((b"\x89PNG", "png"), (b"\xff\xd8\xff", "jpg"), (b"RIFF", "webp"))


def kind_of(path: Path) -> str:
    """png, jpg or webp, by the first bytes of a picture that was checked when it came."""
    with path.open("rb") as file:
        return kind_of_bytes(file.read(8))


def kind_of_bytes(content: bytes) -> str:
    return next((kind for start, kind in KINDS if content.startswith(start)), "webp")


def check_picture(path: Path) -> None:
    """Raises `ValueError` with half a sentence."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise ValueError("has far too many pixels")
                picture.load()
    except (OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValueError("is no picture, or a broken one") from None
