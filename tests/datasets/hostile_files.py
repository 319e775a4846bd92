"""Zips and pictures no honest program writes, made by editing honest ones byte by byte."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

from tests.dataset_files import jpeg_bytes, photo

DIRECTORY_ENTRY = b"PK\x01\x02"
LOCAL_HEADER = b"PK\x03\x04"
END = b"PK\x05\x06"


def zip_bytes(files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo("tidy")
            entry.filename = name  # zipfile would have tidied it
            entry.compress_type = compression
            archive.writestr(entry, content)
    return buffer.getvalue()


def a_picture(seed: int = 1) -> bytes:
    return jpeg_bytes(photo(seed))


def one_picture_zip(name: str = "a.jpg") -> bytes:
    return zip_bytes({name: a_picture()}, zipfile.ZIP_STORED)


def zip_naming(name: str) -> bytes:
    """A name in UTF-8 that is not marked as such, written over a placeholder of the same length."""
    raw = name.encode()
    return one_picture_zip("x" * len(raw)).replace(b"x" * len(raw), raw)


def with_directory_field(archive: bytes, offset: int, layout: str, value: int, *, entry: int = 0) -> bytes:
    """The zip with one number of one directory entry replaced; offsets as in the zip specification, 4.3.12."""
    at = -1
    for _ in range(entry + 1):
        at = archive.index(DIRECTORY_ENTRY, at + 1)
    changed = bytearray(archive)
    struct.pack_into(layout, changed, at + offset, value)
    return bytes(changed)


def with_header_field(archive: bytes, offset: int, layout: str, value: int) -> bytes:
    changed = bytearray(archive)
    struct.pack_into(layout, changed, archive.index(LOCAL_HEADER) + offset, value)
    return bytes(changed)


def claiming_size(archive: bytes, size: int, *, entry: int = 0) -> bytes:
    return with_directory_field(archive, 24, "<L", size, entry=entry)


def claiming_packed_size(archive: bytes, size: int) -> bytes:
    return with_directory_field(archive, 20, "<L", size)


def locked_zip() -> bytes:
    return with_header_field(with_directory_field(one_picture_zip(), 8, "<H", 1), 6, "<H", 1)


def zip_with_mode(mode: int, content: bytes = b"/etc/passwd") -> bytes:
    entry = zipfile.ZipInfo("link.jpg")
    entry.create_system = 3
    entry.external_attr = mode << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(entry, content)
        archive.writestr("a.jpg", a_picture())
    return buffer.getvalue()


def overlapping_zip() -> bytes:
    """Two names for the same bytes, as in a bomb of quoted entries."""
    return with_directory_field(zip_bytes({"a.jpg": a_picture(), "b.jpg": a_picture(2)}), 42, "<L", 0, entry=1)


def with_method(archive: bytes, method: int) -> bytes:
    return with_header_field(with_directory_field(archive, 10, "<H", method), 8, "<H", method)


def with_wrong_checksum(archive: bytes) -> bytes:
    return with_directory_field(archive, 16, "<L", 0xDEADBEEF)


def zip_with_a_directory_of(entries: int) -> bytes:
    """Very many names for nothing: small to send, large to list."""
    line = DIRECTORY_ENTRY + bytes(24) + struct.pack("<H", 1) + bytes(16) + b"x"
    directory = line * entries
    return LOCAL_HEADER + directory + END + struct.pack("<HHHHLLH", 0, 0, 0xFFFE, 0xFFFE, len(directory), 4, 0)


def png_claiming(width: int, height: int, *, is_filled: bool = True) -> bytes:
    """A one-bit PNG, so that tens of megapixels are a few kilobytes."""
    return png_of(bytes((width + 7) // 8 + 1) * height if is_filled else b"", width, height, depth=1, colour_type=0)


def png_of(rows: bytes, width: int, height: int, *, depth: int, colour_type: int) -> bytes:
    header = struct.pack(">LLBBBBB", width, height, depth, colour_type, 0, 0, 0)
    pixels = zlib.compress(rows, 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", zlib.crc32(kind + content))
