"""Lists what a stranger's zip holds, or says in one sentence why it is not read. Runs in a pool process.

Paths in the zip are only ever shown, never used: a name that tries to leave its folder condemns the whole zip.
Nothing is inflated here: `stored` reads each file later, and never more of it than was claimed here.
"""

import errno
import io
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.datasets.archives.entries import (
    is_clutter,
    is_folder,
    refuse_the_archive_for,
    unreadable_because,
)
from bot.datasets.archives.layout import Span, refuse_what_is_around, spans_of
from bot.datasets.archives.names import name_of
from bot.datasets.archives.stored import Packed, StoredFile
from bot.datasets.limits import MEBIBYTE, DatasetLimits
from bot.datasets.report import LeftOut, shown_name
from bot.errors import DatasetRejected

_DIRECTORY_BYTES_PER_ENTRY = 1024  # the list of names is read whole, so its size is bounded before it is
_FAULTS = (
    zipfile.BadZipFile,
    struct.error,
    EOFError,
    ValueError,
    LookupError,
    OverflowError,
    RuntimeError,  # includes NotImplementedError
)


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What one archive holds, or what was handed over on its own; sizes as claimed, names in the order to read."""

    files: tuple[StoredFile, ...]
    left_out: tuple[LeftOut, ...]
    entries: int = 0
    claimed_bytes: int = 0


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


def inspect(path: Path, name: str, limits: DatasetLimits) -> Contents:
    shown = shown_name(name)
    size = path.stat().st_size
    with _BoundedReader(path, shown=shown, limits=limits) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                if len(archive.filelist) > limits.max_entries:
                    raise too_many_files(shown, limits)
                for entry in archive.filelist:
                    refuse_the_archive_for(shown, entry, limits)
                spans = spans_of(shown, archive, file)
                refuse_what_is_around(shown, archive, file, size)
                return _contents(shown, path, archive.filelist, spans, limits)
        except _FAULTS as fault:
            raise _damaged(shown) from fault
        except OSError as fault:
            if fault.errno != errno.EINVAL:  # a seek to before the beginning, by a lying offset
                raise
            raise _damaged(shown) from fault


def too_many_files(shown: str, limits: DatasetLimits) -> DatasetRejected:
    return DatasetRejected(
        f"“{shown}” holds more than {limits.max_entries:,} files, or names without end. Send fewer at once."
    )


def unpacks_too_large(shown: str, limits: DatasetLimits) -> DatasetRejected:
    most = limits.max_total_bytes // MEBIBYTE
    return DatasetRejected(f"“{shown}” unpacks to far more than a zip of pictures would. Send at most {most:,} MiB.")


def _damaged(shown: str) -> DatasetRejected:
    return DatasetRejected(
        f"“{shown}” is damaged or did not arrive whole. Zip the pictures again and send the new file."
    )


def _contents(
    shown: str, path: Path, entries: Sequence[zipfile.ZipInfo], spans: Sequence[Span], limits: DatasetLimits
) -> Contents:
    claimed_bytes = sum(entry.file_size for entry in entries)
    packed_bytes = path.stat().st_size
    if claimed_bytes > MEBIBYTE and claimed_bytes > packed_bytes * limits.max_compression_ratio:
        raise unpacks_too_large(shown, limits)
    if claimed_bytes > limits.max_total_bytes:
        raise unpacks_too_large(shown, limits)
    wanted = [
        (entry, span)
        for entry, span in zip(entries, spans, strict=True)
        if not is_folder(entry) and not is_clutter(name_of(entry))
    ]
    if not wanted:
        raise DatasetRejected(f"“{shown}” holds no files. Put the pictures into it and send it again.")
    wanted.sort(key=lambda pair: _as_people_sort(name_of(pair[0])))
    reasons = [unreadable_because(entry) for entry, _ in wanted]
    return Contents(
        files=tuple(_stored(path, *pair) for pair, reason in zip(wanted, reasons, strict=True) if reason is None),
        left_out=tuple(
            LeftOut(name=shown_name(name_of(entry)), reason=reason)
            for (entry, _), reason in zip(wanted, reasons, strict=True)
            if reason is not None
        ),
        entries=len(entries),
        claimed_bytes=claimed_bytes,
    )


def _stored(path: Path, entry: zipfile.ZipInfo, span: Span) -> StoredFile:
    packed = Packed(offset=span.data, packed_bytes=entry.compress_size, method=entry.compress_type, checksum=entry.CRC)
    return StoredFile(name=name_of(entry), path=path, size=entry.file_size, packed=packed)


def _as_people_sort(name: str) -> tuple[str, str, str]:
    """`a.jpg` before `a-copy.jpg`, so that of two equal pictures the original is kept."""
    stem, dot, suffix = name.casefold().rpartition(".")
    return (stem if dot else suffix, suffix, name)
