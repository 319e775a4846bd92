"""Zips that are untidy rather than hostile: what is taken from them, and what is left out."""

import zipfile

import pytest

from bot.datasets.limits import DatasetLimits
from bot.datasets.report import LeftOut
from tests.dataset_files import jpeg_bytes, photo, photo_files, png_bytes
from tests.datasets.conftest import HandOver
from tests.datasets.hostile_files import a_picture, one_picture_zip, with_wrong_checksum, zip_bytes, zip_naming

LEFT_OUT = {
    "a text": ("notes.pdf", b"%PDF-1.7 and so on", "is not a picture"),
    "an empty file": ("b.jpg", b"", "is empty"),
    "a zip within": ("more.zip", one_picture_zip(), "is an archive: unpack it first"),
    "a 7z called jpg": ("b.jpg", b"7z\xbc\xaf\x27\x1c" + bytes(99), "is an archive: unpack it first"),
    "a phone picture": ("b.jpg", b"\0\0\0\x18ftypheic" + bytes(99), "is a HEIC picture: save it as JPEG"),
    "a large file": ("b.bin", bytes(range(256)) * 2000, "is larger than 0 MiB: save it smaller"),
    "an orphan caption": ("b.txt", b"a cat", "is a text without a picture of the same name"),
    "a caption in another encoding": ("a.txt", "Kätzchen".encode("latin-1"), "is not UTF-8 text: save it as UTF-8"),
    "a long caption": ("a.txt", b"cat " * 300, "is longer than 1,000 characters: shorten it"),
    "a book as a caption": ("a.txt", b"cat " * 9000, "is longer than 1,000 characters: shorten it"),
}


@pytest.mark.parametrize("case", LEFT_OUT)
async def test_it_is_left_out_and_the_rest_is_kept(case: str, hand_over: HandOver) -> None:
    name, content, reason = LEFT_OUT[case]
    archive = zip_bytes({"a.jpg": a_picture(), name: content})

    dataset = await hand_over({"cats.zip": archive}, limits=DatasetLimits(max_entry_bytes=400_000))

    assert [image.name for image in dataset.report.images] == ["a.jpg"]
    assert dataset.report.left_out == (LeftOut(name=name, reason=reason),)


NAMES = {
    "a folder": ("cats/tabby/a.jpg", "cats/tabby/a.jpg"),
    "unicode": ("Käthe 猫 😺.jpg", "Käthe 猫 😺.jpg"),
    "an upper-case extension": ("A.JPG", "A.JPG"),
    "a wrong extension": ("a.png", "a.png"),
    "no extension": ("picture", "picture"),
    "control characters": ("a\x1b[31m\nb.jpg", "a[31mb.jpg"),
    "reversed text": ("a\u202egpj.exe", "agpj.exe"),
    "a long name": ("x" * 200 + ".jpg", "…" + "x" * 75 + ".jpg"),
    "no name at all": ("", "a file without a name"),
    "a dot": (".", "."),
    "dots": ("a..b...jpg", "a..b...jpg"),
}


@pytest.mark.parametrize("case", NAMES)
async def test_a_name_is_only_ever_shown(case: str, hand_over: HandOver) -> None:
    sent, shown = NAMES[case]

    dataset = await hand_over({"cats.zip": zip_bytes({sent: a_picture()})})

    [image] = dataset.report.images
    assert (image.name, image.file_name) == (shown, "0001.jpg")


async def test_a_name_from_an_old_zipper_is_read_in_its_code_page(hand_over: HandOver) -> None:
    old = one_picture_zip("K_the.jpg").replace(b"K_the", b"K\x84the")

    dataset = await hand_over({"cats.zip": old})

    assert dataset.report.images[0].name == "Käthe.jpg"


async def test_a_utf8_name_that_is_not_marked_is_still_read(hand_over: HandOver) -> None:
    dataset = await hand_over({"cats.zip": zip_naming("Käthe.jpg")})

    assert dataset.report.images[0].name == "Käthe.jpg"


async def test_what_systems_put_beside_pictures_is_not_mentioned(hand_over: HandOver) -> None:
    clutter = ("__MACOSX/._a.jpg", ".DS_Store", "cats/.hidden.jpg", "Thumbs.db", "cats/desktop.ini", "cats/")

    dataset = await hand_over({"cats.zip": zip_bytes({"a.jpg": a_picture(), **dict.fromkeys(clutter, b"")})})

    assert len(dataset.report.images) == 1
    assert dataset.report.left_out == ()


async def test_one_damaged_picture_does_not_cost_the_others(hand_over: HandOver) -> None:
    archive = with_wrong_checksum(zip_bytes({"a.jpg": a_picture(1), "b.jpg": a_picture(2)}))

    dataset = await hand_over({"cats.zip": archive})

    assert [image.name for image in dataset.report.images] == ["b.jpg"]
    assert dataset.report.left_out == (LeftOut(name="a.jpg", reason="is damaged inside the zip: zip it again"),)


async def test_bytes_before_a_zip_do_not_matter(hand_over: HandOver) -> None:
    dataset = await hand_over({"cats.zip": b"PK\x03\x04" + bytes(96) + one_picture_zip()})

    assert len(dataset.report.images) == 1


async def test_a_picture_called_zip_is_a_picture(hand_over: HandOver) -> None:
    dataset = await hand_over({"cats.zip": a_picture()})

    assert len(dataset.report.images) == 1


async def test_captions_follow_their_pictures_into_the_zip(hand_over: HandOver) -> None:
    captions = {"cats/warm-02.TXT": "\ufeffa cat,\r\n\x07asleep ".encode(), "cats/warm-03.txt": b"  "}
    pictures = {f"Cats/{name}": content for name, content in photo_files(3).items()}

    dataset = await hand_over({"cats.zip": zip_bytes(pictures | captions)})

    with zipfile.ZipFile(dataset.zip_path) as archive:
        assert archive.namelist() == ["0001.jpg", "0002.jpg", "0002.txt", "0003.jpg"]
        assert archive.read("0002.txt") == b"a cat, asleep"
    assert [image.caption for image in dataset.report.images] == [None, "a cat, asleep", None]


async def test_the_same_picture_twice_is_kept_once(hand_over: HandOver) -> None:
    again = png_bytes(photo(1))
    archive = zip_bytes({"a.png": again, "b.jpg": jpeg_bytes(photo(2)), "c.png": png_bytes(photo(1), compress_level=1)})

    dataset = await hand_over({"cats.zip": archive})

    assert [image.name for image in dataset.report.images] == ["a.png", "b.jpg"]
    assert dataset.report.left_out == (LeftOut(name="c.png", reason="is the same picture as “a.png”"),)


async def test_more_pictures_than_a_training_takes_are_mentioned(hand_over: HandOver) -> None:
    dataset = await hand_over({"cats.zip": zip_bytes(photo_files(5))}, max_images=3)

    assert [image.stem for image in dataset.report.images] == ["0001", "0002", "0003"]
    assert {left_out.reason for left_out in dataset.report.left_out} == {"is beyond the 3 pictures one training takes"}
    assert len(dataset.report.left_out) == 2
