"""What telephones save: HEIC by the encoder that reads it, and the clip beside a live photo."""

import io

import pillow_heif
from PIL import Image


def heic_bytes(picture: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(picture).save(buffer, format="HEIF", **options)
    return buffer.getvalue()


def heic_of_several(first: Image.Image, *others: Image.Image) -> bytes:
    """As a burst: the first is the one that is shown."""
    buffer = io.BytesIO()
    burst = pillow_heif.from_pillow(first)
    for other in others:
        burst.add_from_pillow(other)
    burst.save(buffer, format="HEIF", primary_index=0)
    return buffer.getvalue()


def live_photo_clip() -> bytes:
    return b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + b"\0\0\0\x08wide" + bytes(300)
