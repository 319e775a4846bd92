"""The zip a trainer receives: numbered, the same bytes each time, there whole or not at all."""

import stat
import zipfile
from pathlib import Path

import pytest

from bot.datasets.packing import Page, pack, pack_with_trigger_word


@pytest.fixture
def pages(tmp_path: Path) -> list[Page]:
    for name in ("cat", "dog"):
        (tmp_path / f"{name}.jpg").write_bytes(f"picture of a {name}".encode())
    return [Page(picture=tmp_path / "dog.jpg", caption="a dog, käse"), Page(picture=tmp_path / "cat.jpg")]


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        return {name: archive.read(name) for name in archive.namelist()}


def test_pages_are_numbered_in_their_order(pages: list[Page], tmp_path: Path) -> None:
    pack(pages, tmp_path / "dataset.zip")

    assert contents(tmp_path / "dataset.zip") == {
        "0001.jpg": b"picture of a dog",
        "0001.txt": "a dog, käse".encode(),
        "0002.jpg": b"picture of a cat",
    }


def test_the_same_pages_give_the_same_bytes(pages: list[Page], tmp_path: Path) -> None:
    pack(pages, tmp_path / "one.zip")
    for page in pages:
        page.picture.touch()
    pack(pages, tmp_path / "two.zip")

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_a_page_that_went_missing_leaves_no_zip(pages: list[Page], tmp_path: Path) -> None:
    pages[1].picture.unlink()
    before = set(tmp_path.iterdir())

    with pytest.raises(FileNotFoundError):
        pack(pages, tmp_path / "dataset.zip")

    assert set(tmp_path.iterdir()) == before


def test_a_zip_that_is_packed_again_replaces_the_old_one(pages: list[Page], tmp_path: Path) -> None:
    pack(pages, tmp_path / "dataset.zip")
    pack(pages[:1], tmp_path / "dataset.zip")

    assert len(contents(tmp_path / "dataset.zip")) == 2


def test_what_a_killed_bot_half_wrote_is_overwritten_and_private(pages: list[Page], tmp_path: Path) -> None:
    (tmp_path / "dataset.part").write_bytes(b"half a zip" * 999)

    pack(pages, tmp_path / "dataset.zip")

    assert len(contents(tmp_path / "dataset.zip")) == 3
    assert not (tmp_path / "dataset.part").exists()
    assert stat.S_IMODE((tmp_path / "dataset.zip").stat().st_mode) == 0o600


def test_every_caption_in_the_copy_names_it_and_the_pictures_stay_as_they_are(
    pages: list[Page], tmp_path: Path
) -> None:
    pack(pages, tmp_path / "dataset.zip")
    for name in ("first.zip", "second.zip"):
        pack_with_trigger_word(tmp_path / "dataset.zip", tmp_path / name, "ohwx")

    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()
    assert contents(tmp_path / "first.zip") == {
        "0001.jpg": b"picture of a dog",
        "0001.txt": "ohwx, a dog, käse".encode(),
        "0002.jpg": b"picture of a cat",
    }
