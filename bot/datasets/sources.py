"""Sorts what was handed over, one zip or loose pictures, into pictures and captions. Runs in a pool process."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.datasets.archive import Contents, Unpacked, unpack
from bot.datasets.captions import CaptionUnusable, is_caption, pairing_key, read_caption
from bot.datasets.file_kinds import FileKind, kind_of, unwanted_because
from bot.datasets.limits import MEBIBYTE, DatasetLimits
from bot.datasets.report import LeftOut, shown_name
from bot.errors import DatasetRejected


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """A file already on this disk, and what its person named it."""

    path: Path
    name: str


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Perhaps a picture: nothing has looked inside yet."""

    name: str
    path: Path
    caption: str | None


@dataclass(frozen=True, kw_only=True)
class Gathered:
    candidates: tuple[Candidate, ...]
    left_out: tuple[LeftOut, ...]


def gather(sources: Sequence[SourceFile], into: Path, limits: DatasetLimits) -> Gathered:
    if not sources:
        raise DatasetRejected("Nothing was handed over. Send one zip, or pictures.")
    if sum(source.path.stat().st_size for source in sources) > limits.max_upload_bytes:
        most = limits.max_upload_bytes // MEBIBYTE
        raise DatasetRejected(f"That is more than {most:,} MiB. Send smaller or fewer pictures.")
    return _paired(_contents(sources, into, limits))


def _contents(sources: Sequence[SourceFile], into: Path, limits: DatasetLimits) -> Contents:
    kinds = [kind_of(source.path) for source in sources]
    if len(sources) == 1:
        return _contents_of_one(sources[0], kinds[0], into, limits)
    if all(kind is FileKind.ZIP for kind in kinds):
        raise DatasetRejected("Send one zip at a time.")
    if FileKind.ZIP in kinds:
        raise DatasetRejected("Send one zip, or pictures, not both.")
    return _loose(sources)


def _contents_of_one(source: SourceFile, kind: FileKind, into: Path, limits: DatasetLimits) -> Contents:
    shown = shown_name(source.name)
    match kind:
        case FileKind.ZIP:
            return unpack(source.path, source.name, into, limits)
        case FileKind.OTHER_ARCHIVE:
            raise DatasetRejected(f"“{shown}” is another kind of archive. Send the pictures as a zip.")
        case FileKind.EMPTY:
            raise DatasetRejected(f"“{shown}” is empty. Send it again.")
        case FileKind.UNKNOWN if source.name.lower().endswith(".zip"):
            raise DatasetRejected(f"“{shown}” is not a zip. Zip the pictures again and send the new file.")
        case FileKind.PICTURE | FileKind.PHONE_PICTURE | FileKind.UNKNOWN:
            return _loose([source])


def _loose(sources: Sequence[SourceFile]) -> Contents:
    reasons = [(source, unwanted_because(source.path)) for source in sources]
    return Contents(
        files=tuple(Unpacked(name=source.name, path=source.path) for source, reason in reasons if reason is None),
        left_out=tuple(LeftOut(name=shown_name(source.name), reason=reason) for source, reason in reasons if reason),
    )


def _paired(contents: Contents) -> Gathered:
    """A caption belongs to the pictures that share its name; one that belongs to none is mentioned."""
    pictures = [file for file in contents.files if not is_caption(file.name)]
    named = {pairing_key(picture.name) for picture in pictures}
    captions: dict[str, str] = {}
    left_out = list(contents.left_out)
    for file in contents.files:
        if not is_caption(file.name):
            continue
        reason = _keep_caption(file, named, captions)
        if reason is not None:
            left_out.append(LeftOut(name=shown_name(file.name), reason=reason))
    candidates = tuple(
        Candidate(name=picture.name, path=picture.path, caption=captions.get(pairing_key(picture.name)) or None)
        for picture in pictures
    )
    return Gathered(candidates=candidates, left_out=tuple(left_out))


def _keep_caption(file: Unpacked, named: set[str], captions: dict[str, str]) -> str | None:
    """The reason when it was not kept."""
    key = pairing_key(file.name)
    if key not in named:
        return "is a text without a picture of the same name"
    try:
        captions[key] = read_caption(file.path)
    except CaptionUnusable as unusable:
        return str(unusable)
    return None
