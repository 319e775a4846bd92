"""Gives a fetched picture the name its first bytes deserve, whatever its media type said."""

from pathlib import Path

from bot.errors import ProviderBroken

PICTURE_TYPES = ("image/", "application/octet-stream", "binary/octet-stream")
LARGEST_PICTURE = 64 * 2**20  # bytes; a 4 MP PNG has at most about 16


def named_by_content(path: Path) -> Path:
    """The path it was moved to, with `.png`, `.jpg` or `.webp`. Raises `ProviderBroken` for anything else."""
    with path.open("rb") as file:
        head = file.read(16)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return path.rename(path.with_suffix(".png"))
    if head.startswith(b"\xff\xd8\xff"):
        return path.rename(path.with_suffix(".jpg"))
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return path.rename(path.with_suffix(".webp"))
    raise ProviderBroken("The provider sent something that is no picture; trying again.")
