"""What a file in a zip is called, whatever wrote it: `entries`, `archive` and `layout` ask. Shown and compared only."""

import re
import struct
import zipfile
import zlib
from contextlib import suppress

_NAMED_IN_UTF8 = 0x800
_UNICODE_PATH = 0x7075  # Info-ZIP's extra field, 4.6.9 of the specification: the name once more, in UTF-8
_VERSION_AND_CHECKSUM = struct.Struct("<BL")
_SURELY_A_MARK = re.compile(r"(?<![^\0-\x7f])\\")


def name_of(entry: zipfile.ZipInfo) -> str:
    """The name as its person knows it: some zippers write UTF-8 and forget to say so, some write it beside, and some
    of Windows write its own mark between folders.

    In the code pages of Japan and China that mark is also the second byte of letters: behind another byte that is no
    ASCII it stays, or "予定表.jpg" would be a hidden file. Which code page it is cannot be told: most of what is valid
    in one is valid in the others, and "Käthe" is valid in all. So such a name reads as DOS wrote it.
    """
    if entry.flag_bits & _NAMED_IN_UTF8:
        return entry.orig_filename.replace("\\", "/")
    raw = name_bytes_of(entry)
    for utf8 in (_written_beside(entry.extra, raw), raw):
        with suppress(UnicodeError):
            if name := utf8.decode("utf-8"):
                return name.replace("\\", "/")
    return _SURELY_A_MARK.sub("/", entry.orig_filename)


def name_bytes_of(entry: zipfile.ZipInfo) -> bytes:
    """The name as it stands in the zip."""
    return entry.orig_filename.encode("utf-8" if entry.flag_bits & _NAMED_IN_UTF8 else "cp437")


def _written_beside(extra: bytes, raw: bytes) -> bytes:
    """Empty without the field, and when its checksum is of another name: whoever renamed the file did not know it."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        content = extra[at + 4 : at + 4 + length]
        if kind == _UNICODE_PATH and len(content) > _VERSION_AND_CHECKSUM.size:
            is_about_this_name = _VERSION_AND_CHECKSUM.unpack_from(content) == (1, zlib.crc32(raw))
            return content[_VERSION_AND_CHECKSUM.size :] if is_about_this_name else b""
        at += 4 + length
    return b""
