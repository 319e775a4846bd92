"""What a file is by its first bytes, never by its name; asked of what is handed over and of what a zip holds."""

from enum import Enum
from pathlib import Path

_OTHER_ARCHIVES = (
    (0, b"Rar!\x1a\x07"),
    (0, b"7z\xbc\xaf\x27\x1c"),
    (0, b"\x1f\x8b"),
    (0, b"BZh"),
    (0, b"\xfd7zXZ\x00"),
    (0, b"\x28\xb5\x2f\xfd"),
    (257, b"ustar"),
)
_PICTURES = (
    (0, b"\xff\xd8\xff"),
    (0, b"\x89PNG\r\n\x1a\n"),
    (0, b"GIF8"),
    (0, b"BM"),
    (0, b"II*\x00"),
    (0, b"MM\x00*"),
    (8, b"WEBP"),
    (4, b"ftypavi"),
)
_PHONE_PICTURES = tuple((4, b"ftyp" + brand) for brand in (b"hei", b"hev", b"mif1", b"msf1"))


class FileKind(Enum):
    EMPTY = "empty"
    ZIP = "zip"
    OTHER_ARCHIVE = "other archive"
    PICTURE = "picture"  # by its first bytes; Pillow decides whether it can be read
    PHONE_PICTURE = "phone picture"  # HEIC, which Pillow does not read
    UNKNOWN = "unknown"


def kind_of(path: Path) -> FileKind:
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        return FileKind.EMPTY
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return FileKind.ZIP
    if _bears(start, _OTHER_ARCHIVES):
        return FileKind.OTHER_ARCHIVE
    if _bears(start, _PHONE_PICTURES):
        return FileKind.PHONE_PICTURE
    if _bears(start, _PICTURES):
        return FileKind.PICTURE
    return FileKind.UNKNOWN


def _bears(start: bytes, marks: tuple[tuple[int, bytes], ...]) -> bool:
    return any(start[offset:].startswith(mark) for offset, mark in marks)


def unwanted_because(path: Path) -> str | None:
    """Why a file cannot be a picture or a caption, worded to follow its name."""
    match kind_of(path):
        case FileKind.EMPTY:
            return "is empty"
        case FileKind.ZIP | FileKind.OTHER_ARCHIVE:
            return "is an archive: unpack it first"
        case FileKind.PHONE_PICTURE:
            return "is a HEIC picture: save it as JPEG"
        case FileKind.PICTURE | FileKind.UNKNOWN:
            return None
