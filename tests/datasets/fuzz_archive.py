"""Coverage-guided search for files that break the reader; no part of the test command.

    python -m venv /tmp/fuzzing && /tmp/fuzzing/bin/pip install -e . atheris
    /tmp/fuzzing/bin/python -m tests.datasets.fuzz_archive archive /tmp/corpus -max_total_time=3600

The first word chooses what is mutated: `archive` (a zip, read to its last picture), `picture` (one file, decoded) or
`texts` (captions and tables). The folder begins with the files of the test corpus. What breaks a promise is
kept there as `crash-…`; add its bytes to the corpus with what should have become of it.
"""

import io
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import atheris  # type: ignore[import-untyped]  # installed for the search only

with atheris.instrument_imports(include=["bot.datasets", "zipfile", "PIL"]):
    from bot.datasets.archives.stored import METHODS
    from bot.datasets.images import prepare_stored
    from bot.datasets.limits import MEBIBYTE, DatasetLimits
    from bot.datasets.report import LeftOut, PreparedImage
    from bot.datasets.sources import SourceFile, gather
    from bot.errors import DatasetRejected

from tests.dataset_files import encoded, jpeg_bytes, photo
from tests.datasets.corpus import CASES
from tests.datasets.corpus_captions import TABLES
from tests.datasets.hostile_files import streamed_zip, zip64_zip, zip_bytes
from tests.datasets.phone_files import heic_bytes

LIMITS = DatasetLimits(
    max_entries=50,
    max_entry_bytes=MEBIBYTE,
    max_total_bytes=4 * MEBIBYTE,
    max_pixels=400_000,
    min_side=16,
    long_side=64,
)
NAMES = {"archive": ("a.zip",), "picture": ("a.jpg",), "texts": ("a.jpg", "a.txt", "metadata.jsonl", "metadata.csv")}


def main() -> None:
    target, folder, *options = sys.argv[1:]
    seeds = Path(folder)
    seeds.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(seeds_for(target)):
        (seeds / f"seed-{number}").write_bytes(content)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as scratch:
        atheris.Setup(
            [sys.argv[0], folder, f"-artifact_prefix={folder}/", "-max_len=100000", "-timeout=60", *options],
            reader_of(Path(scratch), NAMES[target]),
        )
        atheris.Fuzz()


def seeds_for(target: str) -> list[bytes]:
    """The corpus, and small pictures in every format and packing: large ones only slow the search down."""
    handed_over = [files for case in CASES.values() for files in [case.files()]]
    small = [encoded(photo(1, (48, 32)), kind) for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "MPO")]
    small += [jpeg_bytes(photo(1, (48, 32)), progressive=True), heic_bytes(photo(1, (64, 64)))]
    if target == "archive":
        found = [content for files in handed_over for content in files.values() if content[:2] == b"PK"]
        found += [zip_bytes({"a.jpg": small[0], "a.txt": b"a cat"}, method) for method in METHODS]
        found += [streamed_zip({"a.jpg": small[0]}), zip64_zip({"a.jpg": small[0]})]
    elif target == "picture":
        found = small + [content for files in handed_over for content in files.values() if content[:2] != b"PK"]
    else:
        found = [b"a cat", "a cat".encode("utf-16")]
        found += [text for make in TABLES.values() for text in tables_in(make.files()["cats.zip"])]
    return [content for content in found if len(content) <= 100_000]


def tables_in(archive: bytes) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return [opened.read(name) for name in opened.namelist() if "metadata" in name]


def reader_of(scratch: Path, names: tuple[str, ...]) -> Callable[[bytes], None]:
    """Hands the same bytes over under every name at once."""
    into = scratch / "into"
    into.mkdir()

    def read(content: bytes) -> None:
        sources = []
        for name in names:
            (scratch / name).write_bytes(content)
            sources.append(SourceFile(path=scratch / name, name=name))
        written = read_all(sources, into)
        assert {path.name for path in into.iterdir()} == set(written)
        assert {path.name for path in scratch.iterdir()} == {"into", *names}
        for name, image in written.items():
            assert image.width <= LIMITS.long_side
            assert image.height <= LIMITS.long_side
            (into / name).unlink()

    return read


def read_all(sources: list[SourceFile], into: Path) -> Mapping[str, PreparedImage]:
    with suppress(DatasetRejected):
        gathered = gather(sources, LIMITS)
        assert len(gathered.candidates) <= LIMITS.max_entries
        verdicts = [prepare_stored(candidate.stored, into, LIMITS) for candidate in gathered.candidates]
        assert all(isinstance(verdict, PreparedImage | LeftOut) for verdict in verdicts)
        return {f"{verdict.sha256}.jpg": verdict for verdict in verdicts if isinstance(verdict, PreparedImage)}
    return {}


if __name__ == "__main__":
    main()
