"""What a file is by its first bytes, and what its person can do when it is no picture that can be read.

A name is asked only where the bytes cannot tell: a camera's RAW file is a TIFF, a document is a zip.
"""

from enum import Enum

START_BYTES = 512  # enough for every mark below
_ZIP_END = b"PK\x05\x06"
_ZIP_END_BYTES = 22
END_BYTES = _ZIP_END_BYTES + 65_535  # with the longest comment
_RAW_NAMES = (".nef", ".nrw", ".arw", ".sr2", ".srf", ".dng", ".cr2", ".pef", ".srw", ".3fr", ".fff", ".iiq", ".rwl")
_RAW_NAMES_TOO = (".erf", ".kdc", ".dcr", ".mos", ".mef")
_DOCUMENT_NAMES = (".docx", ".pptx", ".xlsx", ".odt", ".odp", ".ods", ".odg", ".pages", ".key", ".epub", ".xps")


class FileKind(Enum):
    EMPTY = "empty"
    ZIP = "zip"
    OTHER_ARCHIVE = "other archive"
    JPEG = "JPEG"
    PNG = "PNG"
    GIF = "GIF"
    BMP = "BMP"
    TIFF = "TIFF"
    WEBP = "WEBP"
    AVIF = "AVIF"
    HEIF = "HEIF"
    RAW = "raw"
    OTHER_PICTURE = "other picture"
    LAYERED = "layered"
    VECTORS = "vectors"
    VIDEO = "video"
    PDF = "PDF"
    UNKNOWN = "unknown"


PICTURES = frozenset(
    {
        FileKind.JPEG,
        FileKind.PNG,
        FileKind.GIF,
        FileKind.BMP,
        FileKind.TIFF,
        FileKind.WEBP,
        FileKind.AVIF,
        FileKind.HEIF,
    }
)
_MARKS = (
    (0, b"PK\x03\x04", FileKind.ZIP),
    (0, b"PK\x05\x06", FileKind.ZIP),
    (0, b"PK\x07\x08", FileKind.ZIP),
    (0, b"PK00PK\x03\x04", FileKind.ZIP),
    (0, b"Rar!\x1a\x07", FileKind.OTHER_ARCHIVE),
    (0, b"7z\xbc\xaf\x27\x1c", FileKind.OTHER_ARCHIVE),
    (0, b"\x1f\x8b", FileKind.OTHER_ARCHIVE),
    (0, b"BZh", FileKind.OTHER_ARCHIVE),
    (0, b"\xfd7zXZ\x00", FileKind.OTHER_ARCHIVE),
    (0, b"\x28\xb5\x2f\xfd", FileKind.OTHER_ARCHIVE),
    (0, b"LZIP", FileKind.OTHER_ARCHIVE),
    (0, b"\x04\x22\x4d\x18", FileKind.OTHER_ARCHIVE),
    (0, b"MSCF", FileKind.OTHER_ARCHIVE),
    (0, b"xar!", FileKind.OTHER_ARCHIVE),
    (0, b"!<arch>", FileKind.OTHER_ARCHIVE),
    (2, b"-lh", FileKind.OTHER_ARCHIVE),
    (257, b"ustar", FileKind.OTHER_ARCHIVE),
    (0, b"\xff\xd8\xff", FileKind.JPEG),
    (0, b"\x89PNG\r\n\x1a\n", FileKind.PNG),
    (0, b"GIF8", FileKind.GIF),
    (0, b"BM", FileKind.BMP),
    (8, b"CR\x02", FileKind.RAW),
    (0, b"II*\x00", FileKind.TIFF),
    (0, b"MM\x00*", FileKind.TIFF),
    (0, b"II+\x00", FileKind.TIFF),
    (0, b"MM\x00+", FileKind.TIFF),
    (0, b"IIRO", FileKind.RAW),
    (0, b"IIRS", FileKind.RAW),
    (0, b"MMOR", FileKind.RAW),
    (0, b"IIU\x00", FileKind.RAW),
    (0, b"FUJIFILMCCD-RAW", FileKind.RAW),
    (0, b"FOVb", FileKind.RAW),
    (0, b"\x00MRM", FileKind.RAW),
    (6, b"HEAPCCDR", FileKind.RAW),
    (0, b"\xff\x0a", FileKind.OTHER_PICTURE),  # JPEG XL
    (4, b"JXL \r\n", FileKind.OTHER_PICTURE),
    (4, b"jP  \r\n", FileKind.OTHER_PICTURE),  # JPEG 2000
    (0, b"\xff\x4f\xff\x51", FileKind.OTHER_PICTURE),
    (0, b"\x00\x00\x01\x00", FileKind.OTHER_PICTURE),  # ICO
    (0, b"\x76\x2f\x31\x01", FileKind.OTHER_PICTURE),  # OpenEXR
    (0, b"#?RADIANCE", FileKind.OTHER_PICTURE),
    (0, b"DDS ", FileKind.OTHER_PICTURE),
    (0, b"qoif", FileKind.OTHER_PICTURE),
    *((0, b"P%d\n" % number, FileKind.OTHER_PICTURE) for number in range(1, 7)),  # PPM and its kin
    (0, b"8BPS", FileKind.LAYERED),
    (0, b"gimp xcf", FileKind.LAYERED),
    (0, b"CSFCHUNK", FileKind.LAYERED),
    (0, b"%!PS", FileKind.VECTORS),
    (0, b"%PDF", FileKind.PDF),
    (0, b"\x1a\x45\xdf\xa3", FileKind.VIDEO),  # Matroska, WebM
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", FileKind.VIDEO),  # WMV
    (0, b"FLV\x01", FileKind.VIDEO),
    (0, b"\x00\x00\x01\xba", FileKind.VIDEO),  # MPEG
    (0, b"\x00\x00\x01\xb3", FileKind.VIDEO),
    *((4, atom, FileKind.VIDEO) for atom in (b"moov", b"mdat", b"wide", b"pnot")),  # QuickTime of old
)
_WHAT_TO_DO = {
    FileKind.EMPTY: "is empty",
    FileKind.ZIP: "is an archive: unpack it first",
    FileKind.OTHER_ARCHIVE: "is an archive: unpack it first",
    FileKind.RAW: "is a camera's RAW file: export it as JPEG",
    FileKind.OTHER_PICTURE: "is a kind of picture this bot does not read: save it as JPEG or PNG",
    FileKind.LAYERED: "is a drawing program's own file: export it as PNG",
    FileKind.VECTORS: "is a drawing in vectors: export it as PNG",
    FileKind.VIDEO: "is a video: take a still from it",
    FileKind.PDF: "is a PDF: save its pictures as JPEG or PNG",
}


def kind_of(start: bytes, name: str = "") -> FileKind:
    """`start` is the first `START_BYTES` of a file, or all of it when it is shorter."""
    kind = _by_content(start)
    if kind is FileKind.TIFF and name.lower().endswith(_RAW_NAMES + _RAW_NAMES_TOO):
        return FileKind.RAW
    return kind


def unwanted_because(start: bytes, name: str) -> str | None:
    """Why a file cannot be a picture, worded to follow its name; nothing when it is worth a closer look."""
    kind = kind_of(start, name)
    if kind in PICTURES:
        return None
    if kind is FileKind.ZIP and name.lower().endswith(_DOCUMENT_NAMES):
        return "is a document: save its pictures as JPEG or PNG"
    return _WHAT_TO_DO.get(kind, "is not a picture")


def ends_as_a_zip(end: bytes) -> bool:
    """Whatever it begins as. `end` is the last `END_BYTES` of a file, or all of it when it is shorter."""
    at = end.rfind(_ZIP_END)
    comment = end[at + 20 : at + _ZIP_END_BYTES]
    return at >= 0 and at + _ZIP_END_BYTES + int.from_bytes(comment, "little") == len(end)


def _by_content(start: bytes) -> FileKind:
    if not start:
        return FileKind.EMPTY
    if start[4:8] == b"ftyp":
        return _by_brand(start)
    if start[:4] == b"RIFF":
        return {b"WEBP": FileKind.WEBP, b"AVI ": FileKind.VIDEO}.get(start[8:12], FileKind.UNKNOWN)
    for offset, mark, kind in _MARKS:
        if start.startswith(mark, offset):
            return kind
    return FileKind.VECTORS if b"<svg" in start else FileKind.UNKNOWN


def _by_brand(start: bytes) -> FileKind:
    """HEIC, AVIF and nearly every video share one container, which lists the brands it goes by."""
    brand = start[8:12]
    others = start[16 : max(16, int.from_bytes(start[:4]))]
    if brand in (b"avif", b"avis"):
        return FileKind.AVIF
    if brand in (b"mif1", b"msf1", b"miaf"):
        return FileKind.AVIF if b"avif" in others or b"avis" in others else FileKind.HEIF
    if brand[:3] in (b"hei", b"hev"):
        return FileKind.HEIF
    if brand == b"crx ":
        return FileKind.RAW
    return FileKind.UNKNOWN if brand[:3] in (b"M4A", b"M4B") else FileKind.VIDEO
