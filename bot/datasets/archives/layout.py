"""Whether the parts of a zip lie as a zip program lays them: one after the other, nothing before, between or behind.

A file that is a zip and something else too, entries that share bytes, and headers that contradict the directory
are made by hand, to be read differently by different programs. `archive` asks before anything is inflated.
"""

import struct
import zipfile
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

from bot.datasets.archives.entries import ENCRYPTED, locked
from bot.datasets.archives.names import name_bytes_of
from bot.datasets.report import shown_name
from bot.errors import DatasetRejected

_LOCAL_HEADER = struct.Struct("<4s2xHH4xLLLHH")
_END = struct.Struct("<4sHHHHLLH")
_IN_ZIP64 = 0xFFFFFFFF
_ZIP64_EXTRA = 1
_SIZES_FOLLOW = 0x8
_DESCRIPTOR_BYTES = 24  # checksum and sizes after a file whose header was written before they were known
_SPANNING_MARK_BYTES = 4
_MOST_UNEXPLAINED_BYTES = 1024
_LONGEST_COMMENT = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Where an entry begins, its data begins and it ends, and what may follow before the next one."""

    start: int
    data: int
    end: int
    descriptor_bytes: int


def refuse_what_is_around(shown: str, archive: zipfile.ZipFile, file: BinaryIO, size: int) -> None:
    """The end of the zip is the end of the file, and counts what the directory lists."""
    if len(archive.comment) > _LONGEST_COMMENT:
        raise stuck_together(shown)
    file.seek(max(0, size - _END.size - len(archive.comment)))
    end = file.read(_END.size)
    if len(end) < _END.size or not end.startswith(b"PK\x05\x06"):
        raise stuck_together(shown)
    _, disk, first_disk, _, count, _, _, comment_bytes = _END.unpack(end)
    if comment_bytes != len(archive.comment) or count not in (len(archive.filelist), 0xFFFF):
        raise stuck_together(shown)
    if {disk, first_disk} - {0, 0xFFFF}:
        raise DatasetRejected(f"“{shown}” is one part of a split zip. Zip the pictures in one piece and send that.")


def spans_of(shown: str, archive: zipfile.ZipFile, file: BinaryIO) -> list[Span]:
    """One for each entry, in the directory's order, once they are known to follow each other closely."""
    spans = [_span_of(shown, entry, file) for entry in archive.filelist]
    directory = Span(start=archive.start_dir, data=archive.start_dir, end=archive.start_dir, descriptor_bytes=0)
    in_order = [*sorted(spans, key=lambda span: (span.start, span.end)), directory]
    if any(span.end > following.start for span, following in pairwise(in_order)):
        raise DatasetRejected(f"“{shown}” holds files that overlap each other. Zip the pictures again.")
    gaps = sum(max(0, after.start - span.end - span.descriptor_bytes) for span, after in pairwise(in_order))
    if spans and (in_order[0].start > _SPANNING_MARK_BYTES or gaps > _MOST_UNEXPLAINED_BYTES):
        raise stuck_together(shown)
    return spans


def _span_of(shown: str, entry: zipfile.ZipInfo, file: BinaryIO) -> Span:
    file.seek(entry.header_offset)
    header = file.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size or not header.startswith(b"PK\x03\x04"):
        raise zipfile.BadZipFile("no header where the directory says")
    _, flags, method, checksum, packed_bytes, size, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(header)
    name, extra = file.read(name_bytes), file.read(extra_bytes)
    if flags & ENCRYPTED:
        raise locked(shown)
    size, packed_bytes = _in_full(size, packed_bytes, extra)
    told = (checksum, size, packed_bytes)
    listed = (entry.CRC, entry.file_size, entry.compress_size)
    is_told_later = bool(flags & _SIZES_FOLLOW)
    agree = all(here == there or (is_told_later and here == 0) for here, there in zip(told, listed, strict=True))
    if name != name_bytes_of(entry) or method != entry.compress_type or not agree:
        raise DatasetRejected(
            f"“{shown}” says two different things about “{shown_name(entry.orig_filename)}”. "
            "Zip the pictures again and send the new file."
        )
    data = entry.header_offset + _LOCAL_HEADER.size + name_bytes + extra_bytes
    return Span(
        start=entry.header_offset,
        data=data,
        end=data + entry.compress_size,
        descriptor_bytes=_DESCRIPTOR_BYTES if is_told_later else 0,
    )


def _in_full(size: int, packed_bytes: int, extra: bytes) -> tuple[int, int]:
    """Sizes of four gigabytes and more, or not known beforehand, stand in an extra field."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        if kind == _ZIP64_EXTRA:
            wide = [int.from_bytes(extra[at : at + 8], "little") for at in range(4, 4 + min(length, 16), 8)]
            size = wide.pop(0) if size == _IN_ZIP64 and wide else size
            packed_bytes = wide.pop(0) if packed_bytes == _IN_ZIP64 and wide else packed_bytes
            break
        extra = extra[4 + length :]
    return size, packed_bytes


def stuck_together(shown: str) -> DatasetRejected:
    return DatasetRejected(
        f"“{shown}” is a zip with something else stuck to it. Zip only the pictures and send the new file."
    )
