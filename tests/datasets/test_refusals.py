"""What condemns a whole upload, and the sentence its person reads."""

import stat
import zipfile
from pathlib import Path

import pytest

from bot.datasets.limits import MEBIBYTE, DatasetLimits
from bot.errors import DatasetRejected
from tests.dataset_files import photo_files
from tests.datasets.conftest import HandOver
from tests.datasets.hostile_files import (
    a_picture,
    claiming_size,
    locked_zip,
    one_picture_zip,
    overlapping_zip,
    png_claiming,
    with_directory_field,
    with_method,
    with_wrong_checksum,
    zip_bytes,
    zip_naming,
    zip_with_a_directory_of,
    zip_with_mode,
)

SMALL = DatasetLimits(max_entries=3, max_total_bytes=3 * MEBIBYTE, max_upload_bytes=4 * MEBIBYTE)
NOISE = bytes(range(256))

CASES = {
    "nothing at all": ({}, "Send one zip, or pictures"),
    "not a zip": ({"cats.zip": b"these are cats"}, "“cats.zip” is not a zip"),
    "an empty file": ({"cats.zip": b""}, "“cats.zip” is empty"),
    "an empty picture": ({"cat.jpg": b""}, "“cat.jpg” is empty"),
    "an empty zip": ({"cats.zip": zip_bytes({})}, "holds no files"),
    "only folders": ({"cats.zip": zip_bytes({"cats/": b""})}, "holds no files"),
    "only clutter": ({"cats.zip": zip_bytes({"__MACOSX/._a.jpg": b"x", ".DS_Store": b"x"})}, "holds no files"),
    "half a zip": ({"cats.zip": one_picture_zip()[:-200]}, "damaged or did not arrive whole"),
    "a zip that begins late": ({"cats.zip": one_picture_zip()[500:]}, "“cats.zip” is not a zip"),
    "a RAR": ({"cats.rar": b"Rar!\x1a\x07\x01\x00" + NOISE}, "another kind of archive"),
    "a RAR called zip": ({"cats.zip": b"Rar!\x1a\x07\x01\x00" + NOISE}, "another kind of archive"),
    "two zips": ({"a.zip": one_picture_zip(), "b.zip": one_picture_zip()}, "one zip at a time"),
    "a zip and a picture": ({"a.zip": one_picture_zip(), "b.jpg": a_picture()}, "one zip, or pictures, not both"),
    "a zip called jpg and a picture": ({"a.jpg": one_picture_zip(), "b.jpg": a_picture()}, "not both"),
    "too much at once": ({"a.jpg": bytes(3 * MEBIBYTE), "b.jpg": bytes(2 * MEBIBYTE)}, "more than 4 MiB"),
    "too many files": ({"cats.zip": zip_bytes({f"{n}.jpg": b"x" for n in range(4)})}, "more than 3 files"),
    "a directory without end": ({"cats.zip": zip_with_a_directory_of(60_000)}, "more than 3 files"),
    "a bomb by ratio": ({"b.zip": zip_bytes({"a.jpg": a_picture(), "b.bmp": bytes(2 * MEBIBYTE)})}, "“b.bmp”, which"),
    "a bomb of many": ({"b.zip": zip_bytes({f"{n}.bmp": bytes(900_000) for n in range(3)})}, "unpacks to far more"),
    "a bomb by total": (
        {"b.zip": zip_bytes({f"{n}.bin": NOISE * 5000 for n in range(3)}, zipfile.ZIP_STORED)},
        "unpacks to far more",
    ),
    "a claim of four gigabytes": ({"b.zip": claiming_size(one_picture_zip(), 0xFFFFFFF0)}, "“a.jpg”, which"),
    "a password": ({"cats.zip": locked_zip()}, "Remove the password"),
    "a path upwards": ({"cats.zip": zip_naming("../../a.jpg")}, "unsafe path, “../../a.jpg”"),
    "a path upwards inside": ({"cats.zip": zip_naming("cats/../../a.jpg")}, "unsafe path"),
    "an absolute path": ({"cats.zip": zip_naming("/etc/a.jpg")}, "unsafe path"),
    "a drive": ({"cats.zip": zip_naming("C:/a.jpg")}, "unsafe path"),
    "backslashes": ({"cats.zip": zip_naming("..\\a.jpg")}, "unsafe path"),
    "a NUL in a name": ({"cats.zip": zip_naming("a.jpg\0.exe")}, "unsafe path"),
    "an unsafe folder": ({"cats.zip": zip_naming("cats/../")}, "unsafe path"),
    "a symbolic link": ({"cats.zip": zip_with_mode(stat.S_IFLNK | 0o777)}, "a link or special file, “link.jpg”"),
    "a device": ({"cats.zip": zip_with_mode(stat.S_IFCHR | 0o600)}, "a link or special file"),
    "a pipe": ({"cats.zip": zip_with_mode(stat.S_IFIFO | 0o600)}, "a link or special file"),
    "files that overlap": ({"cats.zip": overlapping_zip()}, "overlap each other"),
    "a file over the directory": (
        {"cats.zip": with_directory_field(one_picture_zip(), 20, "<L", len(a_picture()) + 40)},
        "overlap each other",
    ),
    "a name that is not its encoding": (
        {"cats.zip": with_directory_field(one_picture_zip("x.jpg").replace(b"x.jpg", b"\xe4.jpg"), 8, "<H", 0x800)},
        "damaged or did not arrive whole",
    ),
    "no pictures": ({"cats.zip": zip_bytes({"a.pdf": b"%PDF-1.7", "b.docx": b"word"})}, "No pictures can be used"),
    "only a zip within": ({"cats.zip": zip_bytes({"cats.zip": one_picture_zip()})}, "unpack it first"),
    "a lie about size, smaller": ({"cats.zip": claiming_size(one_picture_zip(), 1000)}, "damaged inside the zip"),
    "a lie about size, larger": ({"cats.zip": claiming_size(one_picture_zip(), 99_999)}, "damaged inside the zip"),
    "a wrong checksum": ({"cats.zip": with_wrong_checksum(one_picture_zip())}, "damaged inside the zip"),
    "an unknown method": ({"cats.zip": with_method(one_picture_zip(), 97)}, "packed in a way"),
    "a patched method": ({"cats.zip": zip_bytes({"a.jpg": a_picture()}, zipfile.ZIP_LZMA)}, "packed in a way"),
    "60 megapixels": ({"big.png": png_claiming(10_000, 6_000)}, "“big.png” has 60 megapixels; at most 50 fit"),
    "a picture of millions": ({"big.png": png_claiming(2**31 - 1, 2**31 - 1, is_filled=False)}, "megapixels; at most"),
}


@pytest.mark.parametrize("case", CASES)
async def test_it_is_refused_in_one_sentence_and_leaves_nothing(
    case: str, hand_over: HandOver, prepared_into: Path
) -> None:
    files, sentence = CASES[case]

    with pytest.raises(DatasetRejected) as refusal:
        await hand_over(files, limits=SMALL)

    assert sentence in refusal.value.sentence
    assert list(prepared_into.iterdir()) == []


async def test_too_few_pictures_are_counted_and_explained(hand_over: HandOver, prepared_into: Path) -> None:
    files = {**photo_files(2), "a.pdf": b"%PDF-1.7", "b.pdf": b"%PDF-1.7", "cut.jpg": a_picture(9)[:5000]}

    with pytest.raises(DatasetRejected) as refusal:
        await hand_over({"cats.zip": zip_bytes(files)}, min_images=5)

    assert refusal.value.sentence == (
        "Only 2 pictures can be used, and 5 are needed: send more. "
        "Left out: “a.pdf” is not a picture (and 1 more like it); “cut.jpg” is cut off: save it again."
    )
    assert list(prepared_into.iterdir()) == []
