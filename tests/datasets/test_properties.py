"""Whatever the bytes: a verdict in words, not one file outside the folder given, and no cap exceeded."""

import struct
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.datasets.archives.stored import METHODS, Unreadable, content_of
from bot.datasets.images import prepare_image, prepare_stored
from bot.datasets.limits import MEBIBYTE, DatasetLimits
from bot.datasets.report import MAX_SHOWN_NAME, LeftOut, PreparedImage
from bot.datasets.sources import SourceFile, gather
from bot.errors import DatasetRejected
from tests.dataset_files import encoded, photo
from tests.datasets.hostile_files import DIRECTORY_ENTRY, END, LOCAL_HEADER, streamed_zip, zip64_zip, zip_bytes
from tests.datasets.phone_files import heic_bytes

LIMITS = DatasetLimits(
    max_entries=8,
    max_total_bytes=MEBIBYTE,
    max_entry_bytes=MEBIBYTE // 2,
    max_pixels=10_000,
    min_side=16,
    long_side=40,
)
THOROUGH = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

PICTURES = [encoded(photo(1, (48, 32)), kind) for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "MPO")]
PICTURES.append(heic_bytes(photo(1, (64, 64))))
TABLE = b'file_name,text\na.jpg,"a cat, asleep"\n'
FILES = {"cats/a.jpg": PICTURES[0], "cats/metadata.csv": TABLE, "b.png": PICTURES[1], "b.txt": b"a cat", "c/": b""}
HONEST = [zip_bytes(FILES, method) for method in METHODS] + [streamed_zip(FILES), zip64_zip(FILES)]
HOSTILE = [zip_bytes({**FILES, "../d.jpg": PICTURES[0]}), zip_bytes({**FILES, "bomb.bmp": bytes(3 * MEBIBYTE)})]
FIELDS = {
    LOCAL_HEADER: ((4, "<H"), (6, "<H"), (8, "<H"), (14, "<L"), (18, "<L"), (22, "<L"), (26, "<H"), (28, "<H")),
    DIRECTORY_ENTRY: (
        *((at, "<H") for at in (4, 6, 8, 10, 28, 30, 32, 34)),
        *((at, "<L") for at in (16, 20, 24, 38, 42)),
    ),
    END: ((4, "<H"), (6, "<H"), (8, "<H"), (10, "<H"), (12, "<L"), (16, "<L"), (20, "<H")),
}
names = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(
    ["../a", "/a", "a/../../b", "C:\\a", "a\0b", "", ".", "./", "/", "metadata.csv", "metadata.jsonl", "a.txt", "a.jpg"]
)
numbers = st.integers(0, 0xFFFFFFFF) | st.sampled_from([0, 1, 8, 0xFFFF, 0xFFFFFFFF, 0x7FFFFFFF, 100, 65_536])


@st.composite
def spoiled(draw: st.DrawFn, originals: list[bytes]) -> bytes:
    """A few bytes changed, and perhaps a piece cut out or said twice."""
    content = bytearray(draw(st.sampled_from(originals)))
    for at, value in draw(st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), max_size=6)):
        content[at] = value
    start, end = sorted(draw(st.tuples(st.integers(0, len(content)), st.integers(0, len(content)))))
    match draw(st.sampled_from(["keep", "keep", "cut out", "cut off", "twice"])):
        case "cut out":
            del content[start:end]
        case "cut off":
            del content[end:]
        case "twice":
            content[end:end] = content[start:end]
    return bytes(content)


@st.composite
def with_random_fields(draw: st.DrawFn) -> bytes:
    """Some numbers of the records replaced: in the directory, in the headers, at the end."""
    content = bytearray(draw(st.sampled_from(HONEST)))
    for _ in range(draw(st.integers(1, 4))):
        mark = draw(st.sampled_from(sorted(FIELDS)))
        places = [at for at in range(len(content)) if content.startswith(mark, at)]
        offset, layout = draw(st.sampled_from(FIELDS[mark]))
        at = draw(st.sampled_from(places)) + offset
        value = draw(numbers) & (0xFFFF if layout == "<H" else 0xFFFFFFFF)
        if at + struct.calcsize(layout) <= len(content):
            struct.pack_into(layout, content, at, value)
    return bytes(content)


@pytest.fixture
def read_safely(tmp_path: Path) -> Callable[..., None]:
    """Reads what is handed over to its last picture, as the workers do, and looks at everything that came of it."""
    rounds = count()

    def read_safely(content: bytes, name: str = "cats.zip") -> None:
        folder = tmp_path / str(next(rounds))
        into = folder / "deep" / "into"
        into.mkdir(parents=True)
        (folder / "upload").write_bytes(content)
        with suppress(DatasetRejected):
            kept = _read(SourceFile(path=folder / "upload", name=name), into)
            assert {path.name for path in into.iterdir()} == {f"{image.sha256}.jpg" for image in kept}
            assert sum(path.stat().st_size for path in into.iterdir()) <= LIMITS.max_entries * 3 * LIMITS.long_side**2
        assert {path.name for path in folder.iterdir()} == {"upload", "deep"}
        assert list((folder / "deep").iterdir()) == [into]

    return read_safely


def _read(source: SourceFile, into: Path) -> list[PreparedImage]:
    gathered = gather([source], LIMITS)
    assert len(gathered.candidates) <= LIMITS.max_entries
    assert all(len(left_out.name) <= MAX_SHOWN_NAME for left_out in gathered.left_out)
    assert sum(candidate.stored.size for candidate in gathered.candidates) <= LIMITS.max_total_bytes
    for candidate in gathered.candidates:
        with suppress(Unreadable):
            assert len(content_of(candidate.stored).getvalue()) == candidate.stored.size
    verdicts = [prepare_stored(candidate.stored, into, LIMITS) for candidate in gathered.candidates]
    kept = [verdict for verdict in verdicts if isinstance(verdict, PreparedImage)]
    assert len(kept) + sum(isinstance(verdict, LeftOut) for verdict in verdicts) == len(verdicts)
    assert all(image.original_width * image.original_height <= LIMITS.max_pixels for image in kept)
    assert all(max(image.width, image.height) <= LIMITS.long_side for image in kept)
    return kept


@pytest.mark.parametrize("content", HONEST)
def test_an_honest_zip_is_read_to_its_last_picture(content: bytes, tmp_path: Path) -> None:
    """Or else the others would prove nothing."""
    (tmp_path / "upload").write_bytes(content)
    (tmp_path / "into").mkdir()

    assert len(_read(SourceFile(path=tmp_path / "upload", name="cats.zip"), tmp_path / "into")) == 2


@THOROUGH
@given(content=spoiled(HONEST + HOSTILE))
def test_a_spoiled_zip_is_judged_and_stays_inside(content: bytes, read_safely: Callable[..., None]) -> None:
    read_safely(content)


@THOROUGH
@given(content=with_random_fields())
def test_a_zip_with_other_numbers_is_judged_and_stays_inside(content: bytes, read_safely: Callable[..., None]) -> None:
    read_safely(content)


@THOROUGH
@given(pieces=st.lists(st.sampled_from(HONEST + PICTURES) | st.binary(max_size=60), min_size=2, max_size=3))
def test_things_stuck_together_are_judged(pieces: list[bytes], read_safely: Callable[..., None]) -> None:
    read_safely(b"".join(pieces))


@THOROUGH
@given(files=st.dictionaries(names, st.binary(max_size=200), max_size=5), method=st.sampled_from(METHODS))
def test_a_zip_with_any_names_stays_inside(
    files: dict[str, bytes], method: int, read_safely: Callable[..., None]
) -> None:
    read_safely(zip_bytes(files, method))


@THOROUGH
@given(content=st.binary(max_size=300).map(lambda tail: b"PK\x03\x04" + tail) | st.binary(max_size=300))
def test_random_bytes_are_judged(content: bytes, read_safely: Callable[..., None]) -> None:
    read_safely(content)


@THOROUGH
@given(rows=st.text(max_size=200) | spoiled([TABLE]), name=st.sampled_from(["metadata.csv", "metadata.jsonl", "a.txt"]))
def test_any_text_beside_a_picture_is_judged(rows: str | bytes, name: str, read_safely: Callable[..., None]) -> None:
    raw = rows.encode("utf-8", "surrogatepass") if isinstance(rows, str) else rows
    read_safely(zip_bytes({"a.jpg": PICTURES[0], name: raw}))


@THOROUGH
@given(content=spoiled(PICTURES))
def test_a_spoiled_picture_is_judged(content: bytes, tmp_path: Path) -> None:
    source, into = tmp_path / "source", tmp_path / "into"
    into.mkdir(exist_ok=True)
    source.write_bytes(content)

    assert isinstance(prepare_image(source, "a.jpg", into, LIMITS), PreparedImage | LeftOut)
