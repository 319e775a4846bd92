"""Makes a picture small enough to be posted. Runs in a worker process."""

import io
import warnings
from pathlib import Path

from PIL import Image, ImageOps

from bot.pictures.checking import FORMATS

# Falling quality first, for it is seen least; then falling size.
TRIES = ((1.0, 92), (1.0, 85), (1.0, 75), (1.0, 60), (0.75, 75), (0.5, 75), (0.35, 70), (0.25, 60))
HAS_TRANSPARENCY = ("RGBA", "LA", "PA")


def fit_picture(path: Path, max_bytes: int) -> bytes | None:
    """The picture as JPEG, or WebP when it is transparent, in at most `max_bytes`; None when no try got there."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as opened:
                picture = _plain(opened)
                return next(
                    (tried for scale, quality in TRIES if len(tried := _written(picture, scale, quality)) <= max_bytes),
                    None,
                )
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None


def _plain(opened: Image.Image) -> Image.Image:
    is_transparent = opened.mode in HAS_TRANSPARENCY or "transparency" in opened.info
    return ImageOps.exif_transpose(opened).convert("RGBA" if is_transparent else "RGB")


def _written(picture: Image.Image, scale: float, quality: int) -> bytes:
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    scaled = picture if scale == 1.0 else picture.resize(size, Image.Resampling.LANCZOS)
    into = io.BytesIO()
    scaled.save(into, "WEBP" if picture.mode == "RGBA" else "JPEG", quality=quality)
    return into.getvalue()
