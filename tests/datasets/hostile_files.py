"""Zips and pictures no honest program writes, made by editing honest ones byte by byte."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

from PIL import Image

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


def zip_naming(name: str | bytes, *, beside: bytes = b"") -> bytes:
    """A name in UTF-8, or in any code page, that is not marked as such, written over a placeholder of the same length;
    `beside` is an extra field."""
    raw = name if isinstance(name, bytes) else name.encode()
    entry = zipfile.ZipInfo("x" * len(raw))
    entry.extra = beside
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(entry, a_picture())
    return buffer.getvalue().replace(b"x" * len(raw), raw)


def unicode_path(name: str | bytes, raw: bytes, *, version: int = 1) -> bytes:
    """The extra field in which Info-ZIP writes the name once more, with the checksum of the name as it stands."""
    utf8 = name if isinstance(name, bytes) else name.encode()
    return struct.pack("<HHBL", 0x7075, 5 + len(utf8), version, zlib.crc32(raw)) + utf8


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
    return with_directory_field(zip_bytes({"a.jpg": a_picture(), "b.jpg": a_picture()}), 42, "<L", 0, entry=1)


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


def with_end_field(archive: bytes, offset: int, layout: str, value: int) -> bytes:
    """One number of the record at the very end replaced; offsets as in the zip specification, 4.3.16."""
    changed = bytearray(archive)
    struct.pack_into(layout, changed, archive.rindex(END) + offset, value)
    return bytes(changed)


def with_comment(archive: bytes, comment: bytes) -> bytes:
    return with_end_field(archive, 20, "<H", len(comment)) + comment


def begun_with(prefix: bytes, archive: bytes) -> bytes:
    """Bytes before a zip, with its offsets corrected as a self-extracting archive has them."""
    changed = bytearray(archive)
    end = archive.rindex(END)
    at = directory_at = int.from_bytes(archive[end + 16 : end + 20], "little")
    while archive[at : at + 4] == DIRECTORY_ENTRY:
        name, extra, comment = struct.unpack_from("<HHH", archive, at + 28)
        struct.pack_into("<L", changed, at + 42, int.from_bytes(archive[at + 42 : at + 46], "little") + len(prefix))
        at += 46 + name + extra + comment
    struct.pack_into("<L", changed, end + 16, directory_at + len(prefix))
    return prefix + bytes(changed)


def with_a_gap(archive: bytes, hidden: bytes) -> bytes:
    """Bytes between the last file and the directory that no line of the directory mentions."""
    end = archive.rindex(END)
    directory_at = int.from_bytes(archive[end + 16 : end + 20], "little")
    apart = archive[:directory_at] + hidden + archive[directory_at:]
    return with_end_field(apart, 16, "<L", directory_at + len(hidden))


def streamed_zip(files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Written to a pipe: sizes follow each file instead of preceding it."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise io.UnsupportedOperation

    buffer = Pipe()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def zip64_zip(files: Mapping[str, bytes]) -> bytes:
    """The long form throughout, as programs write it that do not know how large a file will be."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(content)
    return with_a_zip64_end(buffer.getvalue())


def with_a_zip64_end(archive: bytes) -> bytes:
    end = archive.rindex(END)
    _, _, _, count, size, at, _ = struct.unpack("<HHHHLLH", archive[end + 4 : end + 22])
    record = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, at)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    last = struct.pack("<4sHHHHLLH", END, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return archive[:end] + record + locator + last


def lzma_zip_asking_for(memory: int) -> bytes:
    """The five bytes that say how much memory a decoder needs, replaced."""
    archive = bytearray(zip_bytes({"a.jpg": a_picture()}, zipfile.ZIP_LZMA))
    data = 30 + len("a.jpg")
    struct.pack_into("<L", archive, data + 5, memory)
    return bytes(archive)


def lying_in_both_places(archive: bytes, size: int) -> bytes:
    """The header agrees with the directory, and both are wrong about what comes out."""
    return with_header_field(claiming_size(archive, size), 22, "<L", size)


def progressive_with_scans(scans: int, image: Image.Image | None = None) -> bytes:
    """So many in all. Each is a few bytes that make a decoder go over every pixel again."""
    whole = jpeg_bytes(image or photo(9), progressive=True)
    at = whole.rindex(b"\xff\xda")
    return whole[:at] + whole[at:-2] * (scans - whole.count(b"\xff\xda") + 1) + whole[-2:]
