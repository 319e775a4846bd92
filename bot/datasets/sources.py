"""Sorts what was handed over, zips and loose files in any mix, into pictures and captions. Runs in a pool process.

Nothing is unpacked: what may be a picture is listed, and only the texts are read here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.datasets.archives.archive import Contents, inspect, too_many_files, unpacks_too_large
from bot.datasets.archives.file_kinds import END_BYTES, PICTURES, START_BYTES, FileKind, ends_as_a_zip, kind_of
from bot.datasets.archives.layout import stuck_together
from bot.datasets.archives.stored import StoredFile
from bot.datasets.captions.pairing import Candidate, paired
from bot.datasets.limits import MEBIBYTE, DatasetLimits
from bot.datasets.report import LeftOut, shown_name
from bot.errors import DatasetRejected


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """A file already on this disk, and what its person named it."""

    path: Path
    name: str


@dataclass(frozen=True, kw_only=True)
class Gathered:
    candidates: tuple[Candidate, ...]
    left_out: tuple[LeftOut, ...]


def gather(sources: Sequence[SourceFile], limits: DatasetLimits) -> Gathered:
    if not sources:
        raise DatasetRejected("Nothing was handed over. Send a zip, or pictures.")
    if sum(source.path.stat().st_size for source in sources) > limits.max_upload_bytes:
        most = limits.max_upload_bytes // MEBIBYTE
        raise DatasetRejected(f"That is more than {most:,} MiB. Send smaller or fewer pictures.")
    candidates: list[Candidate] = []
    left_out: list[LeftOut] = []
    for contents in _all_contents(sources, limits):
        found, remarks = paired(contents.files)
        candidates += found
        left_out += (*contents.left_out, *remarks)
    return Gathered(candidates=tuple(candidates), left_out=tuple(left_out))


def _all_contents(sources: Sequence[SourceFile], limits: DatasetLimits) -> list[Contents]:
    """One for each zip, and one for all that is loose, where the first loose file stands; captions pair within one."""
    kinds = [_kind(source) for source in sources]
    if len(sources) == 1:
        _refuse_alone(sources[0], kinds[0])
    loose = [source for source, kind in zip(sources, kinds, strict=True) if kind is not FileKind.ZIP]
    found: list[Contents] = []
    for source, kind in zip(sources, kinds, strict=True):
        if kind is FileKind.ZIP:
            found.append(inspect(source.path, source.name, limits))
        elif source is loose[0]:
            found.append(_loose(loose))
        if sum(contents.entries for contents in found) > limits.max_entries:
            raise too_many_files(shown_name(source.name), limits)
        if sum(contents.claimed_bytes for contents in found) > limits.max_total_bytes:
            raise unpacks_too_large(shown_name(source.name), limits)
    return found


def _loose(sources: Sequence[SourceFile]) -> Contents:
    files = tuple(StoredFile(name=source.name, path=source.path, size=source.path.stat().st_size) for source in sources)
    return Contents(files=files, left_out=(), entries=len(files))


def _kind(source: SourceFile) -> FileKind:
    with source.path.open("rb") as file:
        return kind_of(file.read(START_BYTES), source.name)


def _refuse_alone(source: SourceFile, kind: FileKind) -> None:
    """Says what to do about the one file there is, where a file among others is only left out."""
    shown = shown_name(source.name)
    if kind is FileKind.OTHER_ARCHIVE:
        raise DatasetRejected(f"“{shown}” is another kind of archive. Send the pictures as a zip.")
    if kind is FileKind.EMPTY:
        raise DatasetRejected(f"“{shown}” is empty. Send it again.")
    if kind is FileKind.ZIP or kind in PICTURES or not source.name.lower().endswith(".zip"):
        return
    if _ends_as_a_zip(source.path):
        raise stuck_together(shown)
    if kind is FileKind.UNKNOWN:
        raise DatasetRejected(f"“{shown}” is not a zip. Zip the pictures again and send the new file.")


def _ends_as_a_zip(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - END_BYTES))
        return ends_as_a_zip(file.read(END_BYTES))
