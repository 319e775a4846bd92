"""One file that was handed over, on its own or inside a zip, and how to read it without trusting what it claims.

Reading never yields more than was claimed and checked, and holds no more than the file itself in memory.
"""

import bz2
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from bot.datasets.archives.file_kinds import START_BYTES

_CHUNK_BYTES = 256 * 1024
_MOST_LZMA_MEMORY = 64 * 1024 * 1024  # the largest that usual programs choose
_LZMA_PROPERTIES = 5
_FAULTS = (zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


class Unreadable(Exception):
    """Carries the reason, worded to follow the file's name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Packed:
    """Where in a zip a file's bytes are, as its directory claims."""

    offset: int
    packed_bytes: int
    method: int
    checksum: int


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredFile:
    """`name` is what its person called it and is only ever shown; `path` is the file itself, or the zip it is in."""

    name: str
    path: Path
    size: int
    packed: Packed | None = None


class _Unpacker(Protocol):
    """What zlib, bz2 and lzma have in common: they stop at `max_length` and go on with the next call."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def start_of(stored: StoredFile) -> bytes:
    """The first bytes, to see what it is. Raises Unreadable."""
    found = b""
    for piece in _pieces(stored, START_BYTES):
        found += piece
        if len(found) >= START_BYTES:
            break
    return found[:START_BYTES]


def content_of(stored: StoredFile) -> io.BytesIO:
    """The whole file, as long as it claims to be and with the checksum it claims. Raises Unreadable."""
    if stored.packed is None or stored.packed.method == zipfile.ZIP_STORED:
        content = io.BytesIO(b"".join(_pieces(stored, stored.size)))  # at once, and not copied
    else:
        content = _gathered(stored)
    with content.getbuffer() as whole:
        is_whole = len(whole) == stored.size
        if not is_whole or (stored.packed is not None and zlib.crc32(whole) != stored.packed.checksum):
            raise Unreadable(_DAMAGED)
    return content


def _gathered(stored: StoredFile) -> io.BytesIO:
    content = io.BytesIO()
    for piece in _pieces(stored, _CHUNK_BYTES):
        content.write(piece)
        if content.tell() > stored.size:
            raise Unreadable(_DAMAGED)
    content.seek(0)
    return content


def _pieces(stored: StoredFile, most: int) -> Iterator[bytes]:
    with stored.path.open("rb") as file:
        if stored.packed is None:
            yield from _plain(file, stored.size, most)
            return
        file.seek(stored.packed.offset)
        if stored.packed.method == zipfile.ZIP_STORED:
            yield from _plain(file, min(stored.packed.packed_bytes, stored.size), most)
        else:
            yield from _unpacked(file, stored.packed, most)


def _plain(file: BinaryIO, left: int, most: int) -> Iterator[bytes]:
    while left and (piece := file.read(min(left, most))):
        left -= len(piece)
        yield piece


def _unpacked(file: BinaryIO, packed: Packed, most: int) -> Iterator[bytes]:
    left = packed.packed_bytes
    try:
        unpacker, used = _unpacker(packed.method, file, left)
        left -= used
        while not unpacker.eof:
            chunk = file.read(min(left, _CHUNK_BYTES)) if unpacker.needs_input else b""
            left -= len(chunk)
            piece = unpacker.decompress(chunk, most)
            if not piece and not chunk:
                return  # nothing more comes in or out; the size and the checksum say whether that was all
            yield piece
        if left or unpacker.unused_data:
            raise Unreadable(_DAMAGED)  # it ends before the place it was given does
    except _FAULTS as fault:
        if isinstance(fault, OSError) and fault.errno is not None:
            raise  # the disk's fault, not the file's
        raise Unreadable(_DAMAGED) from fault


def _unpacker(method: int, file: BinaryIO, left: int) -> tuple[_Unpacker, int]:
    """And how many bytes of the file were needed to make it."""
    if method == zipfile.ZIP_DEFLATED:
        return _Inflater(), 0
    if method == zipfile.ZIP_BZIP2:
        return bz2.BZ2Decompressor(), 0
    header = file.read(min(left, 4 + _LZMA_PROPERTIES))
    if len(header) < 4 + _LZMA_PROPERTIES or int.from_bytes(header[2:4], "little") != _LZMA_PROPERTIES:
        raise ValueError("no LZMA properties")
    return _lzma(header[4:]), len(header)


def _lzma(properties: bytes) -> lzma.LZMADecompressor:
    """It takes as much memory as these five bytes ask for, so they are read first."""
    powers, memory = properties[0], int.from_bytes(properties[1:], "little")
    if memory > _MOST_LZMA_MEMORY:
        raise ValueError("more memory than a picture needs")
    chosen = {"dict_size": max(memory, 4096), "lc": powers % 9, "lp": powers // 9 % 5, "pb": powers // 45}
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA1, **chosen}])


class _Inflater:
    """zlib keeps what it has not consumed where its caller must hand it back."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._stream.unconsumed_tail

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return self._stream.decompress(data or self._stream.unconsumed_tail, max_length)


_DAMAGED = "is damaged inside the zip: zip it again"
