"""Brings any mode Pillow opens to 8-bit sRGB on white: profiles, ink, 16 bits, palettes and transparency."""

import io

from PIL import Image, ImageCms

_DEEP_MODES = ("I", "F")


def to_srgb(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Shrinks before anything that would need another copy of a large picture."""
    profile = image.info.get("icc_profile")
    picture = _shrinkable(image)
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    if picture.has_transparency_data:
        picture = _on_white(picture)
    if isinstance(profile, bytes) and profile:
        picture = _by_profile(picture, profile)
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _shrinkable(image: Image.Image) -> Image.Image:
    """Numbers of a palette cannot be averaged, nor can a colour that stands for transparency."""
    if image.mode.startswith(_DEEP_MODES):
        return _to_8_bits(image)
    if image.mode in ("RGBA", "LA"):
        return image
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("RGB") if image.mode in ("P", "1") else image


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Numbers wider than 16 bits have no agreed white, so it is guessed from the brightest one."""
    values = image.convert("F")
    _, highest = values.getextrema()
    assert not isinstance(highest, tuple)  # one band, so one number
    usual_whites = (65535.0,) if image.mode.startswith("I;16") else (1.0, 255.0, 65535.0)
    white = next((white for white in usual_whites if highest <= white), highest)
    grey = values.point(lambda value: value * (255.0 / white) + 0.5).convert("L")
    grey.info.clear()  # a colour named transparent was counted in the old depth
    return grey


def _on_white(image: Image.Image) -> Image.Image:
    pixels = image.convert("RGBA")
    white = Image.new("RGBA", pixels.size, "white")
    return Image.alpha_composite(white, pixels).convert("RGB")


def _by_profile(image: Image.Image, profile: bytes) -> Image.Image:
    """A profile that does not fit the picture is worth less than the pixels: they are kept as they are."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    return converted or image
