"""What one line of a zip's directory gives away before anything is inflated; `archive` asks, nobody else does."""

import stat
import struct
import zipfile
from collections.abc import Sequence
from io import BufferedReader
from itertools import pairwise
from pathlib import PurePosixPath, PureWindowsPath

from bot.datasets.limits import MEBIBYTE, DatasetLimits
from bot.datasets.report import shown_name
from bot.errors import DatasetRejected

_ENCRYPTED = 0x1 | 0x40
_NAMED_IN_UTF8 = 0x800
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_CLUTTER = frozenset({"thumbs.db", "desktop.ini", "__macosx"})


def name_of(entry: zipfile.ZipInfo) -> str:
    """The name as its person knows it: some zippers write UTF-8 and forget to say so."""
    name = entry.orig_filename
    if entry.flag_bits & _NAMED_IN_UTF8:
        return name
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


def is_folder(entry: zipfile.ZipInfo) -> bool:
    return name_of(entry).endswith("/")  # zipfile's own answer needs a name that is not empty


def is_clutter(name: str) -> bool:
    """What an operating system puts beside pictures; nobody meant to send it, so nobody is told."""
    return any(part.startswith(".") or part.lower() in _CLUTTER for part in PurePosixPath(name).parts)


def refuse_the_archive_for(shown: str, entry: zipfile.ZipInfo, limits: DatasetLimits) -> None:
    name = entry.orig_filename
    if _leaves_its_folder(name) or _leaves_its_folder(name_of(entry)):
        raise DatasetRejected(
            f"“{shown}” holds a file with an unsafe path, “{shown_name(name)}”. "
            "Zip only the pictures and send it again."
        )
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DatasetRejected(
            f"“{shown}” holds a link or special file, “{shown_name(name)}”. "
            "Zip the pictures themselves and send it again."
        )
    if entry.flag_bits & _ENCRYPTED:
        raise DatasetRejected(f"“{shown}” is locked. Remove the password and send it again.")
    if entry.file_size > MEBIBYTE and entry.file_size > entry.compress_size * limits.max_compression_ratio:
        raise DatasetRejected(
            f"“{shown}” holds “{shown_name(name)}”, which unpacks to far more than a picture would. "
            "Send it without that file."
        )


def _leaves_its_folder(name: str) -> bool:
    if "\\" in name or "\0" in name:
        return True
    return name.startswith("/") or bool(PureWindowsPath(name).drive) or ".." in name.split("/")


def unreadable_because(entry: zipfile.ZipInfo, limits: DatasetLimits) -> str | None:
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is packed in a way this bot does not read: zip it again in the ordinary way"
    if entry.file_size > limits.max_entry_bytes:
        return f"is larger than {limits.max_entry_bytes // MEBIBYTE} MiB: save it smaller"
    return None


def refuse_overlaps(shown: str, entries: Sequence[zipfile.ZipInfo], file: BufferedReader, *, directory_at: int) -> None:
    """Files that share bytes make a small zip unpack without end; an honest zip has none."""
    spans = sorted((entry.header_offset, _end_of(entry, file)) for entry in entries)
    spans.append((directory_at, directory_at))
    if any(end > start_of_next for (_, end), (start_of_next, _) in pairwise(spans)):
        raise DatasetRejected(f"“{shown}” holds files that overlap each other. Zip the pictures again.")


def _end_of(entry: zipfile.ZipInfo, file: BufferedReader) -> int:
    file.seek(entry.header_offset)
    header = file.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size:
        return entry.header_offset + _LOCAL_HEADER.size + entry.compress_size
    _, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(header)
    return int(entry.header_offset + _LOCAL_HEADER.size + name_bytes + extra_bytes + entry.compress_size)
