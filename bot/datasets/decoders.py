"""Opens a picture with the one decoder its first bytes ask for. Decoders beyond Pillow's are loaded when needed first.

Each decodes on one thread: the pool has a process for every core already.
"""

import contextlib
import io
from collections.abc import Callable, Iterator
from functools import cache

from PIL import AvifImagePlugin, Image, ImageFile

from bot.datasets.archives.file_kinds import FileKind


@contextlib.contextmanager
def open_picture(
    content: io.BytesIO, kind: FileKind, check: Callable[[ImageFile.ImageFile], None]
) -> Iterator[ImageFile.ImageFile]:
    """`check` sees the picture before anything is decoded."""
    _learn(kind)
    with _opened(content, kind) as image:
        check(image)
        if kind is not FileKind.PNG:
            yield image
            return
        image.verify()  # only PNG has checksums; a verified picture cannot be decoded any more
    with _opened(content, kind) as image:
        yield image


def _opened(content: io.BytesIO, kind: FileKind) -> ImageFile.ImageFile:
    """Pillow refuses huge pictures before telling their size; the caller looks at the size before it decodes."""
    content.seek(0)
    most_pixels, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        return Image.open(content, formats=(kind.value,))
    finally:
        Image.MAX_IMAGE_PIXELS = most_pixels


@cache
def _learn(kind: FileKind) -> None:
    if kind is FileKind.AVIF:
        AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    if kind is FileKind.HEIF:
        import pillow_heif  # noqa: PLC0415  # large, and few datasets need it

        pillow_heif.register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)
