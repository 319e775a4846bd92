"""Takes the one LoRA out of the archive that a Replicate trainer makes. Blocking; the archive is a stranger's.

The tar holds `output/flux_train_replicate/lora.safetensors` beside a config and captions (github.com/replicate/
flux-fine-tuner train.py). No path in it is ever used, and one that tries to leave its folder condemns the whole.
"""

import gzip
import io
import os
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TypeVar

from bot.errors import ProviderBroken
from bot.providers.weights import LARGEST_WEIGHTS, WeightsRefused, check_lora

CHUNK_BYTES = 1 << 20
MOST_MEMBERS = 10_000
LARGEST_HEADER = 1 << 20  # bytes of one read that tarfile makes for a header of its own, such as a long name
MOST_INFLATED = 100  # weights hardly shrink: more than so many times the packed size is a bomb
ALWAYS_INFLATED = 16 * 2**20  # bytes that any packed file may become
WANTED = "lora.safetensors"
FAULTS = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OverflowError,
    ValueError,
    RuntimeError,  # includes RecursionError and NotImplementedError
    gzip.BadGzipFile,
)

Member = TypeVar("Member")


def take_weights(download: Path, into: Path) -> None:
    """Write the LoRA in `download` (tar, tar.gz, zip, or the bare file) to `into`. Raises `ProviderBroken`."""
    unpacked = download.with_name(f"{download.name}.unpacked")
    try:
        with _telling():
            _take(_inflated(download, unpacked), into)
            check_lora(into)
    finally:
        unpacked.unlink(missing_ok=True)


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except WeightsRefused as problem:
        raise ProviderBroken(f"The weights from Replicate cannot be used: {problem}.") from None
    except FAULTS as problem:
        raise _broken("the archive is damaged", advice=type(problem).__name__) from None


def _inflated(packed: Path, into: Path) -> Path:
    """The file itself, or what it holds when it is gzip."""
    if _head(packed, 2) != b"\x1f\x8b":
        return packed
    most = min(LARGEST_WEIGHTS, max(ALWAYS_INFLATED, MOST_INFLATED * packed.stat().st_size))
    with gzip.open(packed) as source:
        _copy(source, into, most)
    return into


def _take(archive: Path, into: Path) -> None:
    if _head(archive, 2) == b"PK":
        _from_zip(archive, into)
    elif _head(archive, 262)[257:] == b"ustar":
        _from_tar(archive, into)
    else:
        shutil.copyfile(archive, into)


def _from_tar(archive: Path, into: Path) -> None:
    with _CappedReads(io.FileIO(archive)) as file, tarfile.open(fileobj=file, mode="r:") as tar:
        members = []
        for member in tar:
            _check_member(member)
            members.append(member)
            if len(members) > MOST_MEMBERS:
                raise _broken("the archive holds far too many files")
        chosen = _the_one([(member.name, member) for member in members if member.isreg()])
        source = tar.extractfile(chosen)
        if source is None:
            raise _broken("the archive holds no weights")
        _copy(source, into, chosen.size)


def _check_member(member: tarfile.TarInfo) -> None:
    """Folders and plain files only, and none that would leave its folder: none of the rest belongs in there."""
    if not (member.isdir() or member.type in (tarfile.REGTYPE, tarfile.AREGTYPE)) or member.issparse():
        raise _broken("the archive holds something that is no plain file")
    _check_path(member.name)


def _from_zip(archive: Path, into: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        entries = packed.infolist()
        if len(entries) > MOST_MEMBERS:
            raise _broken("the archive holds far too many files")
        for entry in entries:
            _check_path(entry.filename)
        chosen = _the_one([(entry.filename, entry) for entry in entries if not entry.is_dir()])
        most = min(LARGEST_WEIGHTS, max(ALWAYS_INFLATED, MOST_INFLATED * chosen.compress_size))
        with packed.open(chosen) as source:
            _copy(source, into, most)


def _check_path(name: str) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[:1]:
        raise _broken("the archive tries to write outside its folder")


def _the_one(files: Iterable[tuple[str, Member]]) -> Member:
    """The only `.safetensors`, or the only one called as the trainer calls it."""
    weights = [(PurePosixPath(name).name, member) for name, member in files if name.endswith(".safetensors")]
    named = [member for name, member in weights if name == WANTED]
    found: Sequence[Member] = named or [member for _, member in weights]
    if len(found) != 1:
        raise _broken("the archive holds no weights" if not found else "the archive holds several weights")
    return found[0]


def _copy(source: IO[bytes] | gzip.GzipFile, into: Path, most: int) -> None:
    """At most `most` bytes. Raises `ProviderBroken` above."""
    size = 0
    descriptor = os.open(into, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while chunk := source.read(CHUNK_BYTES):
            size += len(chunk)
            if size > min(most, LARGEST_WEIGHTS):
                raise _broken("what is in the archive is far too large")
            file.write(chunk)


def _head(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size)


def _broken(why: str, *, advice: str = "") -> ProviderBroken:
    return ProviderBroken(f"The weights from Replicate cannot be used: {why}.", advice=advice)


class _CappedReads(io.BufferedReader):
    """What tarfile reads from: it would read a header as large as the archive claims it to be in one go."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= LARGEST_HEADER:
            raise tarfile.ReadError("a header of this archive is far too large")
        return super().read(size)
