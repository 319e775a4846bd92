"""Turns one untrusted picture into a clean sRGB JPEG, or says why not. Runs in a pool process only."""

import hashlib
import io
import os
import warnings
from pathlib import Path

from PIL import Image, ImageFile, UnidentifiedImageError

from bot.datasets.archives.file_kinds import END_BYTES, ends_as_a_zip, kind_of, unwanted_because
from bot.datasets.archives.stored import StoredFile, Unreadable, content_of, start_of
from bot.datasets.colour import to_srgb
from bot.datasets.decoders import open_picture
from bot.datasets.limits import MEBIBYTE, DatasetLimits
from bot.datasets.measuring.measures import measure
from bot.datasets.report import LeftOut, PreparedImage, shown_name
from bot.datasets.scans import scans_of

Sides = tuple[int, int]
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
_LYING_DOWN = (
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
)
_MOST_SCANS = 200  # of a progressive JPEG
_MOST_PASSES = 1_000_000_000  # scans times pixels, 0.7 s: usual pictures have 3 to 12 scans, also with 50 megapixels


class _Unsuitable(Exception):
    """Carries the reason, worded to follow the picture's name."""


def prepare_image(path: Path, name: str, into: Path, limits: DatasetLimits) -> PreparedImage | LeftOut:
    """The same for a file that is on this disk by itself."""
    return prepare_stored(StoredFile(name=name, path=path, size=path.stat().st_size), into, limits)


def prepare_stored(stored: StoredFile, into: Path, limits: DatasetLimits) -> PreparedImage | LeftOut:
    """Writes the picture below `into` under the hash of its bytes, so equal pictures meet in one file."""
    shown = shown_name(stored.name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow remarks on odd pictures; the verdict says what matters
            picture, original = _readable(stored, limits)
    except (_Unsuitable, Unreadable) as unsuitable:
        return LeftOut(name=shown, reason=str(unsuitable))
    encoded = _encoded(picture)
    sha256 = hashlib.sha256(encoded).hexdigest()
    _keep(encoded, into / f"{sha256}.jpg")
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


def _readable(stored: StoredFile, limits: DatasetLimits) -> tuple[Image.Image, Sides]:
    """The picture, and the sides it had as a person sees it."""
    start = start_of(stored)
    if reason := unwanted_because(start, stored.name):
        raise _Unsuitable(reason)
    if stored.size > limits.max_entry_bytes:
        raise _Unsuitable(f"is larger than {limits.max_entry_bytes // MEBIBYTE} MiB: save it smaller")
    content = content_of(stored)
    with content.getbuffer() as whole:
        is_a_zip_too = ends_as_a_zip(bytes(whole[-END_BYTES:]))
    if is_a_zip_too:
        raise _Unsuitable("is a picture with a zip stuck to it: save the picture by itself")
    try:
        with open_picture(content, kind_of(start), lambda image: _check(image, content, limits)) as image:
            return _prepared(image, limits)
    except _Unsuitable:
        raise
    except UnidentifiedImageError:
        raise _Unsuitable(_DAMAGED) from None
    except Exception as fault:  # a decoder fed a stranger's bytes raises nearly anything
        if isinstance(fault, OSError) and fault.errno is not None:
            raise  # the disk's fault, not the picture's
        if "truncated" in str(fault).lower():
            raise _Unsuitable("is cut off: save it again") from None
        raise _Unsuitable(_DAMAGED) from None


def _check(image: ImageFile.ImageFile, content: io.BytesIO, limits: DatasetLimits) -> None:
    """By what the picture says of itself; nothing has been decoded."""
    width, height = image.size
    if width * height > limits.max_pixels:
        most = limits.max_pixels / 1_000_000
        raise _Unsuitable(f"has {width * height / 1_000_000:,.0f} megapixels; at most {most:,.0f} fit")
    if min(width, height) < limits.min_side:
        raise _Unsuitable(f"is {width} × {height} pixels; both sides need at least {limits.min_side}")
    if min(_bounded(width, height, limits.long_side)) < limits.min_side:
        raise _Unsuitable(f"is too long and narrow at {width} × {height} pixels: crop it")
    if image.info.get("progressive"):
        scans = scans_of(content.getvalue(), most=_MOST_SCANS + 1)
        if scans > _MOST_SCANS or scans * width * height > _MOST_PASSES:
            raise _Unsuitable("is a JPEG in too many layers: save it again")


def _bounded(width: int, height: int, long_side: int) -> Sides:
    scale = min(1.0, long_side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _prepared(image: ImageFile.ImageFile, limits: DatasetLimits) -> tuple[Image.Image, Sides]:
    """Some decoders turn the picture while it is loaded, and forget then that it had to be: so that is asked after."""
    original = image.size
    size = _bounded(*original, limits.long_side)
    image.draft(None, size)  # a JPEG decodes at the smallest fraction that is still large enough
    image.load()
    if image.width * image.height > original[0] * original[1]:
        raise _Unsuitable(_DAMAGED)  # it said another size before it was decoded
    turn = _turn(image)
    picture = to_srgb(image, size)
    if turn is None:
        return picture, original
    return picture.transpose(turn), original[::-1] if turn in _LYING_DOWN else original


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


def _keep(encoded: bytes, path: Path) -> None:
    """Lasting before it is reported, for the bot alone, and never there in part, even when this process dies."""
    unfinished = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(encoded)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
