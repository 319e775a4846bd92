"""Captions that a trainer learns the trigger word from."""

import zipfile
from pathlib import Path

import pytest

from bot.datasets.captions import with_trigger_word
from bot.datasets.packing import pack_with_trigger_word


@pytest.mark.parametrize(
    ("caption", "named"),
    [
        ("a cat on a wall", "ohwx, a cat on a wall"),
        ("a photo of ohwx on a wall", "a photo of ohwx on a wall"),
        ("OHWX, smiling", "OHWX, smiling"),
        ("a photo of ohwxes", "ohwx, a photo of ohwxes"),
        ("", "ohwx"),
    ],
)
def test_a_caption_names_the_trigger_word_once(caption: str, named: str) -> None:
    assert with_trigger_word(caption, "ohwx") == named
    assert with_trigger_word(named, "ohwx") == named


def test_a_trigger_word_with_signs_is_a_word_too() -> None:
    assert with_trigger_word("a photo of a-b_9", "a-b_9") == "a photo of a-b_9"


def test_every_caption_in_the_copy_names_it_and_the_pictures_stay_as_they_are(tmp_path: Path) -> None:
    prepared = tmp_path / "prepared.zip"
    with zipfile.ZipFile(prepared, "w") as archive:
        archive.writestr("0001.jpg", b"picture one")
        archive.writestr("0001.txt", "a cat, käse".encode())
        archive.writestr("0002.jpg", b"picture two")
    copies = []
    for name in ("first.zip", "second.zip"):
        pack_with_trigger_word(prepared, tmp_path / name, "ohwx")
        copies.append((tmp_path / name).read_bytes())
    assert copies[0] == copies[1]
    with zipfile.ZipFile(tmp_path / "first.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "0001.jpg": b"picture one",
            "0001.txt": "ohwx, a cat, käse".encode(),
            "0002.jpg": b"picture two",
        }
