"""Turns one untrusted picture into a clean sRGB JPEG, or says why not. `prepare_image` runs in a pool process only."""

import contextlib
import hashlib
import io
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageFile, UnidentifiedImageError, features

from bot.datasets.colour import to_srgb
from bot.datasets.file_kinds import FileKind, kind_of
from bot.datasets.limits import DatasetLimits
from bot.datasets.measures import measure
from bot.datasets.report import LeftOut, PreparedImage, shown_name

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF") + (("AVIF",) if features.check("avif") else ())
_DAMAGED = "is damaged: save it again"
_ORIENTATION_TAG = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_UPRIGHT = (None, Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_180, Image.Transpose.FLIP_TOP_BOTTOM)


class _Unsuitable(Exception):
    """Carries the reason, worded to follow the picture's name."""


def prepare_image(path: Path, name: str, into: Path, limits: DatasetLimits) -> PreparedImage | LeftOut:
    """Writes the picture below `into` under the hash of its bytes, so equal pictures meet in one file."""
    shown = shown_name(name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow remarks on odd pictures; the verdict says what matters
            picture, original = _readable(path, limits)
    except _Unsuitable as unsuitable:
        return LeftOut(name=shown, reason=str(unsuitable))
    encoded = _encoded(picture)
    sha256 = hashlib.sha256(encoded).hexdigest()
    descriptor = os.open(into / f"{sha256}.jpg", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(encoded)
        file.flush()
        os.fsync(file.fileno())
    return PreparedImage(
        name=shown,
        sha256=sha256,
        width=picture.width,
        height=picture.height,
        original_width=original[0],
        original_height=original[1],
        size_bytes=len(encoded),
        measures=measure(picture),
    )


def _readable(path: Path, limits: DatasetLimits) -> tuple[Image.Image, tuple[int, int]]:
    try:
        _verify(path, limits)
        with _opened(path) as image:
            return _prepared(image, limits)
    except _Unsuitable:
        raise
    except UnidentifiedImageError:
        is_picture = kind_of(path) is FileKind.PICTURE
        raise _Unsuitable(_DAMAGED if is_picture else "is not a picture") from None
    except Exception as fault:  # a decoder fed a stranger's bytes raises nearly anything
        if isinstance(fault, OSError) and fault.errno is not None:
            raise  # the disk's fault, not the picture's
        if "truncated" in str(fault).lower():
            raise _Unsuitable("is cut off: save it again") from None
        raise _Unsuitable(_DAMAGED) from None


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[ImageFile.ImageFile]:
    """Pillow refuses huge pictures before telling their size; the caller looks at the size before it decodes."""
    most_pixels, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        image = Image.open(path, formats=FORMATS)
    finally:
        Image.MAX_IMAGE_PIXELS = most_pixels
    with image:
        yield image


def _verify(path: Path, limits: DatasetLimits) -> None:
    """Sizes first, then checksums where the format has them; nothing is decoded."""
    with _opened(path) as image:
        _check_size(image.width, image.height, limits)
        image.verify()


def _check_size(width: int, height: int, limits: DatasetLimits) -> None:
    if width * height > limits.max_pixels:
        most = limits.max_pixels / 1_000_000
        raise _Unsuitable(f"has {width * height / 1_000_000:,.0f} megapixels; at most {most:,.0f} fit")
    if min(width, height) < limits.min_side:
        raise _Unsuitable(f"is {width} × {height} pixels; both sides need at least {limits.min_side}")
    if min(_bounded(width, height, limits.long_side)) < limits.min_side:
        raise _Unsuitable(f"is too long and narrow at {width} × {height} pixels: crop it")


def _bounded(width: int, height: int, long_side: int) -> tuple[int, int]:
    scale = min(1.0, long_side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _prepared(image: ImageFile.ImageFile, limits: DatasetLimits) -> tuple[Image.Image, tuple[int, int]]:
    """The picture, and the sides it had as a person sees it."""
    turn = _turn(image)
    original = image.size if turn in _UPRIGHT else image.size[::-1]
    size = _bounded(image.width, image.height, limits.long_side)
    image.draft(None, (2 * size[0], 2 * size[1]))  # a JPEG decodes at a fraction; twice the goal keeps the detail
    image.load()
    picture = to_srgb(image, size)
    return picture if turn is None else picture.transpose(turn), original


def _turn(image: Image.Image) -> Image.Transpose | None:
    """How the camera was held. Pictures with unreadable EXIF are common, and good pictures."""
    try:
        return _TURNS.get(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # noqa: BLE001  # a parser fed a stranger's bytes raises nearly anything
        return None


def _encoded(picture: Image.Image) -> bytes:
    """Without the source's comments, location or profile; the same pixels give the same bytes."""
    picture.info.clear()
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()
