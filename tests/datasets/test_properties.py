"""Whatever the bytes: a verdict in words, and not one file outside the folder given."""

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.datasets.images import prepare_image
from bot.datasets.limits import MEBIBYTE, DatasetLimits
from bot.datasets.report import LeftOut, PreparedImage
from bot.datasets.sources import SourceFile, gather
from bot.errors import DatasetRejected
from tests.dataset_files import encoded, photo
from tests.datasets.hostile_files import zip_bytes

LIMITS = DatasetLimits(max_total_bytes=8 * MEBIBYTE, max_entry_bytes=4 * MEBIBYTE, min_side=16)
THOROUGH = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

SMALL_ZIP = zip_bytes({"cats/a.jpg": b"some bytes " * 40, "a.txt": b"a cat", "../b.jpg": b"", "c/": b""})
HARMLESS_ZIP = zip_bytes({"cats/a.jpg": b"some bytes " * 40, "a.txt": b"a cat", "c/": b""})
PICTURES = [encoded(photo(1, (48, 32)), kind) for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF")]
names = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(
    ["../a", "/a", "a/../../b", "C:\\a", "a\0b", "", ".", "./", "/"]
)


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


@pytest.fixture
def gather_safely(tmp_path: Path) -> Callable[[bytes], None]:
    rounds = count()

    def gather_safely(content: bytes) -> None:
        round_folder = tmp_path / str(next(rounds))
        into = round_folder / "deep" / "unpacked"
        into.mkdir(parents=True)
        upload = round_folder / "upload"
        upload.write_bytes(content)
        with suppress(DatasetRejected):
            gather([SourceFile(path=upload, name="cats.zip")], into, LIMITS)
        assert {path.relative_to(round_folder).parts[0] for path in round_folder.rglob("*")} == {"upload", "deep"}
        assert all(path.name.isdigit() and path.is_file() for path in into.rglob("*"))
        assert list((round_folder / "deep").iterdir()) == [into]

    return gather_safely


@THOROUGH
@given(content=spoiled([HARMLESS_ZIP, SMALL_ZIP]))
def test_a_spoiled_zip_is_judged_and_stays_inside(content: bytes, gather_safely: Callable[[bytes], None]) -> None:
    gather_safely(content)


@THOROUGH
@given(files=st.dictionaries(names, st.binary(max_size=200), max_size=5))
def test_a_zip_with_any_names_stays_inside(files: dict[str, bytes], gather_safely: Callable[[bytes], None]) -> None:
    gather_safely(zip_bytes(files))


@THOROUGH
@given(content=st.binary(max_size=300).map(lambda tail: b"PK\x03\x04" + tail) | st.binary(max_size=300))
def test_random_bytes_are_judged(content: bytes, gather_safely: Callable[[bytes], None]) -> None:
    gather_safely(content)


@THOROUGH
@given(content=spoiled(PICTURES))
def test_a_spoiled_picture_is_judged(content: bytes, tmp_path: Path) -> None:
    source, into = tmp_path / "source", tmp_path / "into"
    into.mkdir(exist_ok=True)
    source.write_bytes(content)

    assert isinstance(prepare_image(source, "a.jpg", into, LIMITS), PreparedImage | LeftOut)
