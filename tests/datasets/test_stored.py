"""Reading one file takes no more memory than was claimed and checked, whatever comes out of it."""

import random
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from bot.datasets.archives.stored import METHODS, StoredFile, Unreadable, content_of, start_of
from bot.datasets.limits import DatasetLimits
from bot.datasets.sources import SourceFile, gather
from tests.datasets.hostile_files import (
    claiming_size,
    lzma_zip_asking_for,
    with_directory_field,
    with_header_field,
    zip_bytes,
)

PACKED = [method for method in METHODS if method != zipfile.ZIP_STORED]
BOMB = b"\xff\xd8\xff" + bytes(64 * 2**20)


def only_file_in(archive: bytes, folder: Path) -> StoredFile:
    (folder / "upload").write_bytes(archive)
    [candidate] = gather([SourceFile(path=folder / "upload", name="cats.zip")], DatasetLimits()).candidates
    return candidate.stored


def peak_bytes_of_reading(stored: StoredFile) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable, match="damaged inside the zip"):
            content_of(stored)
        assert start_of(stored)[:3] == b"\xff\xd8\xff"
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", PACKED)
def test_a_bomb_that_claims_little_yields_little(method: int, tmp_path: Path) -> None:
    honest = zip_bytes({"a.jpg": BOMB}, method)
    lying = with_header_field(claiming_size(honest, 50_000), 22, "<L", 50_000)

    dictionary_bytes = 8 * 2**20 if method == zipfile.ZIP_LZMA else 0
    assert peak_bytes_of_reading(only_file_in(lying, tmp_path)) < dictionary_bytes + 3 * 2**20


@pytest.mark.parametrize("method", METHODS)
def test_a_file_comes_out_as_it_went_in(method: int, tmp_path: Path) -> None:
    content = random.Random(1).randbytes(2_000_000)

    assert content_of(only_file_in(zip_bytes({"a.jpg": content}, method), tmp_path)).getvalue() == content


@pytest.mark.parametrize("method", PACKED)
def test_what_follows_a_file_in_the_place_it_was_given_spoils_it(method: int, tmp_path: Path) -> None:
    honest = zip_bytes({"a.jpg": b"some bytes"}, method)
    end = honest.index(b"PK\x01\x02")
    packed_bytes = end - 35 + 40
    longer = honest[:end] + bytes(40) + honest[end:]
    longer = with_header_field(with_directory_field(longer, 20, "<L", packed_bytes), 18, "<L", packed_bytes)
    at = longer.rindex(b"PK\x05\x06") + 16
    longer = longer[:at] + (end + 40).to_bytes(4, "little") + longer[at + 4 :]

    with pytest.raises(Unreadable):
        content_of(only_file_in(longer, tmp_path))


@pytest.mark.parametrize("memory", [2**26 + 1, 2**32 - 1])
def test_lzma_that_asks_for_much_memory_is_not_begun(memory: int, tmp_path: Path) -> None:
    with pytest.raises(Unreadable):
        start_of(only_file_in(lzma_zip_asking_for(memory), tmp_path))


def test_lzma_as_programs_write_it_at_their_best_is_read(tmp_path: Path) -> None:
    assert start_of(only_file_in(lzma_zip_asking_for(2**26), tmp_path))[:3] == b"\xff\xd8\xff"
