"""Unpacks a stranger's zip into numbered files, or says in one sentence why it will not. Runs in a pool process.

Paths in the zip are only ever shown, never used: a name that tries to leave its folder condemns the whole zip.
Sizes in the zip are a claim; what is counted is what comes out.
"""

import errno
import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.datasets.archive_entries import (
    is_clutter,
    is_folder,
    name_of,
    refuse_overlaps,
    refuse_the_archive_for,
    unreadable_because,
)
from bot.datasets.file_kinds import unwanted_because
from bot.datasets.limits import MEBIBYTE, DatasetLimits
from bot.datasets.report import LeftOut, shown_name
from bot.errors import DatasetRejected

_CHUNK_BYTES = 256 * 1024
_DIRECTORY_BYTES_PER_ENTRY = 1024  # the list of names is read whole, so its size is bounded before it is
_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    LookupError,
    OverflowError,
    RuntimeError,  # includes NotImplementedError
)


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """A file out of the zip: what it was called there, and the numbered file it is in now."""

    name: str
    path: Path


@dataclass(frozen=True, kw_only=True)
class Contents:
    files: tuple[Unpacked, ...]
    left_out: tuple[LeftOut, ...]


class _BoundedReader(io.BufferedReader):
    """zipfile reads a zip's directory in one go, as large as the zip claims it to be."""

    def __init__(self, path: Path, *, shown: str, limits: DatasetLimits) -> None:
        super().__init__(io.FileIO(path))
        self._most = max(limits.max_entries * _DIRECTORY_BYTES_PER_ENTRY, MEBIBYTE)
        self._refusal = too_many_files(shown, limits)

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > self._most:
            raise self._refusal
        return super().read(size)


def unpack(path: Path, name: str, into: Path, limits: DatasetLimits) -> Contents:
    shown = shown_name(name)
    with _BoundedReader(path, shown=shown, limits=limits) as file:
        try:
            archive = zipfile.ZipFile(file)
            entries = archive.infolist()
            refuse_overlaps(shown, entries, file, directory_at=archive.start_dir)
        except _FAULTS as fault:
            raise _damaged(shown) from fault
        except OSError as fault:
            if fault.errno != errno.EINVAL:  # a seek to before the beginning, by a lying offset
                raise
            raise _damaged(shown) from fault
        with archive:
            wanted = _checked(shown, entries, limits, packed_bytes=path.stat().st_size)
            return _unpack_entries(shown, archive, wanted, into, limits)


def too_many_files(shown: str, limits: DatasetLimits) -> DatasetRejected:
    return DatasetRejected(f"“{shown}” holds more than {limits.max_entries:,} files. Send fewer at once.")


def _damaged(shown: str) -> DatasetRejected:
    return DatasetRejected(
        f"“{shown}” is damaged or did not arrive whole. Zip the pictures again and send the new file."
    )


def _checked(
    shown: str, entries: Sequence[zipfile.ZipInfo], limits: DatasetLimits, *, packed_bytes: int
) -> list[zipfile.ZipInfo]:
    """What is worth unpacking, judged by what the zip says about itself; nothing has been inflated yet."""
    if len(entries) > limits.max_entries:
        raise too_many_files(shown, limits)
    for entry in entries:
        refuse_the_archive_for(shown, entry, limits)
    wanted = [entry for entry in entries if not is_folder(entry) and not is_clutter(name_of(entry))]
    if not wanted:
        raise DatasetRejected(f"“{shown}” holds no files. Put the pictures into it and send it again.")
    claimed_bytes = sum(entry.file_size for entry in entries)
    if claimed_bytes > MEBIBYTE and claimed_bytes > packed_bytes * limits.max_compression_ratio:
        raise _unpacks_too_large(shown, limits)
    if claimed_bytes > limits.max_total_bytes:
        raise _unpacks_too_large(shown, limits)
    return sorted(wanted, key=lambda entry: _as_people_sort(name_of(entry)))


def _unpacks_too_large(shown: str, limits: DatasetLimits) -> DatasetRejected:
    most = limits.max_total_bytes // MEBIBYTE
    return DatasetRejected(f"“{shown}” unpacks to far more than a zip of pictures would. Send at most {most:,} MiB.")


def _unpack_entries(
    shown: str, archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], into: Path, limits: DatasetLimits
) -> Contents:
    files: list[Unpacked] = []
    left_out: list[LeftOut] = []
    remaining_bytes = limits.max_total_bytes
    for number, entry in enumerate(entries, start=1):
        target = into / f"{number:05}"
        reason = unreadable_because(entry, limits) or _inflate(archive, entry, target)
        if target.exists():
            remaining_bytes -= target.stat().st_size
        if remaining_bytes < 0:
            raise _unpacks_too_large(shown, limits)
        reason = reason or unwanted_because(target)
        if reason is None:
            files.append(Unpacked(name=name_of(entry), path=target))
            continue
        target.unlink(missing_ok=True)
        left_out.append(LeftOut(name=shown_name(name_of(entry)), reason=reason))
    return Contents(files=tuple(files), left_out=tuple(left_out))


def _inflate(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> str | None:
    """Stops at what the entry claims, which was checked; gives the reason when the claim was false."""
    written_bytes = 0
    with target.open("wb") as file:
        try:
            with archive.open(entry) as packed:
                while (chunk := packed.read(_CHUNK_BYTES)) and written_bytes <= entry.file_size:
                    file.write(chunk)
                    written_bytes += len(chunk)
        except _FAULTS:
            return "is damaged inside the zip: zip it again"
    return None if written_bytes == entry.file_size else "is damaged inside the zip: zip it again"


def _as_people_sort(name: str) -> tuple[str, str, str]:
    """`a.jpg` before `a-copy.jpg`, so that of two equal pictures the original is kept."""
    stem, dot, suffix = name.casefold().rpartition(".")
    return (stem if dot else suffix, suffix, name)
