"""Uploads made to harm: bombs, ways out of a folder, zips that two programs would read differently."""

import stat
import zipfile
from collections.abc import Callable

from tests.dataset_files import photo, png_bytes
from tests.datasets.cases import Case, refused
from tests.datasets.hostile_files import (
    END,
    a_picture,
    begun_with,
    claiming_packed_size,
    claiming_size,
    locked_zip,
    lzma_zip_asking_for,
    one_picture_zip,
    overlapping_zip,
    png_claiming,
    streamed_zip,
    unicode_path,
    with_a_gap,
    with_comment,
    with_directory_field,
    with_end_field,
    with_header_field,
    with_wrong_checksum,
    zip64_zip,
    zip_bytes,
    zip_naming,
    zip_with_a_directory_of,
    zip_with_mode,
)

NOISE = bytes(range(256))
NOT_A_ZIP = "“cats.zip” is not a zip. Zip the pictures again and send the new file."
DAMAGED = "“cats.zip” is damaged or did not arrive whole. Zip the pictures again and send the new file."
NO_FILES = "“cats.zip” holds no files. Put the pictures into it and send it again."
TOO_MANY = "“cats.zip” holds more than 60 files, or names without end. Send fewer at once."
TOO_LARGE = "“cats.zip” unpacks to far more than a zip of pictures would. Send at most 6 MiB."
LOCKED = "“cats.zip” is locked. Remove the password and send it again."
STUCK = "“cats.zip” is a zip with something else stuck to it. Zip only the pictures and send the new file."
OVERLAP = "“cats.zip” holds files that overlap each other. Zip the pictures again."
SPLIT = "“cats.zip” is one part of a split zip. Zip the pictures in one piece and send that."
TWO_THINGS = "“cats.zip” says two different things about “a.jpg”. Zip the pictures again and send the new file."
OTHER_ARCHIVE = "“cats.zip” is another kind of archive. Send the pictures as a zip."
STUCK_TO_PICTURE = "No picture can be used: one is a picture with a zip stuck to it: save the picture by itself."


def bomb(name: str) -> str:
    return f"“cats.zip” holds “{name}”, which unpacks to far more than a picture would. Send it without that file."


def unsafe(name: str) -> Case:
    return refused(
        lambda: zip_naming(name),
        f"“cats.zip” holds a file with an unsafe path, “{name.replace(chr(0), '')}”. "
        "Zip only the pictures and send it again.",
    )


def unsafe_beside(name: str, raw: bytes, shown: str) -> Case:
    return refused(
        lambda: zip_naming(raw, beside=unicode_path(name, raw)),
        f"“cats.zip” holds a file with an unsafe path, “{shown}”. Zip only the pictures and send it again.",
    )


def special(mode: int) -> Case:
    return refused(
        lambda: zip_with_mode(mode),
        "“cats.zip” holds a link or special file, “link.jpg”. Zip the pictures themselves and send it again.",
    )


def damaged_inside(archive: Callable[[], bytes]) -> Case:
    return refused(archive, "No picture can be used: one is damaged inside the zip: zip it again.")


NO_ZIP = {
    "nothing at all": Case(files=dict, refused="Nothing was handed over. Send a zip, or pictures."),
    "words called zip": refused(lambda: b"these are cats", NOT_A_ZIP),
    "an empty zip file": refused(lambda: b"", "“cats.zip” is empty. Send it again."),
    "an empty picture alone": refused(lambda: b"", "“cat.jpg” is empty. Send it again.", "cat.jpg"),
    "a zip of nothing": refused(lambda: zip_bytes({}), NO_FILES),
    "only folders": refused(lambda: zip_bytes({"cats/": b""}), NO_FILES),
    "only clutter": refused(lambda: zip_bytes({"__MACOSX/._a.jpg": b"x", ".DS_Store": b"x"}), NO_FILES),
    "half a zip": refused(lambda: one_picture_zip()[:-200], DAMAGED),
    "a zip that begins late": refused(lambda: one_picture_zip()[500:], STUCK),
    "a RAR": refused(lambda: b"Rar!\x1a\x07\x01\x00" + NOISE, OTHER_ARCHIVE),
    "only texts": refused(
        lambda: zip_bytes({"a.txt": b"a cat"}),
        "No picture can be used: one is a text without a picture of the same name.",
    ),
    "two empty texts": Case(
        files=lambda: {"a.txt": b"", "b.txt": b""},
        refused="No picture can be used: one is a text without a picture of the same name (and 1 more like it).",
    ),
    "too much at once": Case(
        files=lambda: {"a.jpg": bytes(5 * 2**20), "b.jpg": bytes(4 * 2**20)},
        refused="That is more than 8 MiB. Send smaller or fewer pictures.",
    ),
}
BOMBS = {
    "a bomb by ratio": refused(lambda: zip_bytes({"a.jpg": a_picture(), "b.bmp": bytes(2 * 2**20)}), bomb("b.bmp")),
    "a bzip2 bomb": refused(lambda: zip_bytes({"b.bmp": bytes(5 * 2**20)}, zipfile.ZIP_BZIP2), bomb("b.bmp")),
    "an LZMA bomb": refused(lambda: zip_bytes({"b.bmp": bytes(5 * 2**20)}, zipfile.ZIP_LZMA), bomb("b.bmp")),
    "a bomb that lies about its size": damaged_inside(
        lambda: with_header_field(
            claiming_size(zip_bytes({"a.jpg": a_picture() + bytes(50 * 2**20)}), 100_000), 22, "<L", 100_000
        )
    ),
    "a bzip2 bomb that lies about its size": damaged_inside(
        lambda: with_header_field(
            claiming_size(zip_bytes({"a.jpg": a_picture() + bytes(50 * 2**20)}, zipfile.ZIP_BZIP2), 1000),
            22,
            "<L",
            1000,
        )
    ),
    "a bomb of many": refused(lambda: zip_bytes({f"{n}.bmp": bytes(900_000) for n in range(3)}), TOO_LARGE),
    "a bomb by total": refused(
        lambda: zip_bytes({f"{n}.bin": NOISE * 5000 for n in range(5)}, zipfile.ZIP_STORED), TOO_LARGE
    ),
    "a bomb in two zips": Case(
        files=lambda: {
            name: zip_bytes({f"{n}.bin": NOISE * 5000 for n in range(3)}, zipfile.ZIP_STORED)
            for name in ("dogs.zip", "cats.zip")
        },
        refused=TOO_LARGE,
    ),
    "a claim of four gigabytes": refused(
        lambda: with_header_field(claiming_size(one_picture_zip(), 0xFFFFFFF0), 22, "<L", 0xFFFFFFF0), bomb("a.jpg")
    ),
    "a claim of exabytes": refused(
        lambda: zip64_zip({"a.jpg": a_picture()}).replace(
            len(a_picture()).to_bytes(8, "little"), (2**62).to_bytes(8, "little")
        ),
        TWO_THINGS,
    ),
    "LZMA that asks for four gigabytes of memory": damaged_inside(lambda: lzma_zip_asking_for(0xFFFFFFFF)),
    "sixty megapixels in a kilobyte": refused(
        lambda: png_claiming(10_000, 6_000),
        "No picture can be used: one has 60 megapixels; at most 50 fit.",
        "big.png",
    ),
    "a picture of millions": refused(
        lambda: png_claiming(2**31 - 1, 2**31 - 1, is_filled=False),
        "No picture can be used: one has 4,611,686,014,132 megapixels; at most 50 fit.",
        "big.png",
    ),
}
COUNTS = {
    "61 files": refused(lambda: zip_bytes({f"{n}.jpg": b"x" for n in range(61)}), TOO_MANY),
    "31 files in each of two zips": Case(
        files=lambda: {name: zip_bytes({f"{n}.jpg": b"x" for n in range(31)}) for name in ("dogs.zip", "cats.zip")},
        refused=TOO_MANY,
    ),
    "a directory of 100,000 names": refused(lambda: zip_with_a_directory_of(100_000), TOO_MANY),
    "names of 64 KiB": refused(lambda: zip_bytes({f"{n:02}" * 32_000: b"x" for n in range(40)}), TOO_MANY),
    "a comment of 64 KiB": refused(lambda: with_comment(one_picture_zip(), b"x" * 65_535), STUCK),
}
WAYS_OUT = {
    "a path upwards": unsafe("../../a.jpg"),
    "a path upwards inside": unsafe("cats/../../a.jpg"),
    "an absolute path": unsafe("/etc/a.jpg"),
    "a drive": unsafe("C:/a.jpg"),
    "a share": unsafe("\\\\server\\a.jpg"),
    "a path upwards in Windows' own writing": unsafe("cats\\..\\..\\a.jpg"),
    "a NUL in a name": unsafe("a.jpg\0.exe"),
    "an unsafe folder": unsafe("cats/../"),
    "a path upwards behind what may be half a letter": refused(
        lambda: zip_naming(b"\x95\\..\\a.jpg"),
        "“cats.zip” holds a file with an unsafe path, “ò\\..\\a.jpg”. Zip only the pictures and send it again.",
    ),
    "a path upwards in Unicode beside": unsafe_beside("../../a.jpg", b"a.jpg", "../../a.jpg"),
    "a drive in Unicode beside": unsafe_beside("C:\\a.jpg", b"a.jpg", "C:/a.jpg"),
    "a NUL in Unicode beside": unsafe_beside("a.jpg\0.exe", b"a.jpg", "a.jpg.exe"),
    "a name of 5 KiB in Unicode beside": refused(
        lambda: zip_naming(b"a.jpg", beside=unicode_path("b" * 5000 + ".jpg", b"a.jpg")),
        "No picture can be used: one has too long a name: shorten it.",
    ),
    "a path upwards with a harmless name beside": unsafe_beside("a.jpg", b"../a.jpg", "../a.jpg"),
    "a symbolic link": special(stat.S_IFLNK | 0o777),
    "a device": special(stat.S_IFCHR | 0o600),
    "a pipe": special(stat.S_IFIFO | 0o600),
    "a socket": special(stat.S_IFSOCK | 0o600),
}
CONTRADICTIONS = {
    "a password": refused(locked_zip, LOCKED),
    "a password only in the header": refused(lambda: with_header_field(one_picture_zip(), 6, "<H", 1), LOCKED),
    "one file under two names": refused(overlapping_zip, TWO_THINGS.replace("a.jpg", "b.jpg")),
    "one file twice under its name": refused(lambda: overlapping_zip().replace(b"b.jpg", b"a.jpg"), OVERLAP),
    "a file over the directory": refused(
        lambda: with_header_field(claiming_packed_size(one_picture_zip(), 60_000), 18, "<L", 60_000), OVERLAP
    ),
    "a name that is not its encoding": refused(
        lambda: with_directory_field(one_picture_zip("x.jpg").replace(b"x.jpg", b"\xe4.jpg"), 8, "<H", 0x800), DAMAGED
    ),
    "another name in the header": refused(lambda: one_picture_zip().replace(b"a.jpg", b"../x0", 1), TWO_THINGS),
    "another size in the header": refused(lambda: claiming_size(one_picture_zip(), 1000), TWO_THINGS),
    "another checksum in the header": refused(lambda: with_wrong_checksum(one_picture_zip()), TWO_THINGS),
    "another method in the header": refused(lambda: with_header_field(one_picture_zip(), 8, "<H", 8), TWO_THINGS),
    "a streamed file with another size in the header": refused(
        lambda: with_header_field(streamed_zip({"a.jpg": a_picture()}), 22, "<L", 7), TWO_THINGS
    ),
    "an offset to nowhere": refused(lambda: with_directory_field(one_picture_zip(), 42, "<L", 7), DAMAGED),
    "an offset beyond the end": refused(lambda: with_directory_field(one_picture_zip(), 42, "<L", 2**31), DAMAGED),
    "an end that counts two files": refused(lambda: with_end_field(one_picture_zip(), 10, "<H", 2), STUCK),
    "one part of a split zip": refused(lambda: with_end_field(one_picture_zip(), 4, "<H", 3), SPLIT),
}
TWO_IN_ONE = {
    "a picture and a zip in one": refused(lambda: begun_with(png_bytes(photo(1)), one_picture_zip()), STUCK_TO_PICTURE),
    "a PDF and a zip in one": refused(lambda: begun_with(b"%PDF-1.7\n", one_picture_zip()), STUCK),
    "a program that unpacks itself": refused(lambda: begun_with(b"MZ" + bytes(500), one_picture_zip()), STUCK),
    "an ELF program and a zip in one": refused(lambda: begun_with(b"\x7fELF" + bytes(500), one_picture_zip()), STUCK),
    "a web page and a zip in one": refused(lambda: begun_with(b"<html><script>", one_picture_zip()), STUCK),
    "a shell script and a zip in one": refused(lambda: b"#!/bin/sh\nexit\n" + one_picture_zip(), STUCK),
    "a zip and a zip in one": refused(lambda: one_picture_zip("b.jpg") + one_picture_zip(), STUCK),
    "a zip that looks like two": refused(lambda: begun_with(one_picture_zip("b.jpg"), one_picture_zip()), STUCK),
    "something between files and directory": refused(lambda: with_a_gap(one_picture_zip(), b"%PDF" * 999), STUCK),
    "something behind a zip": refused(lambda: one_picture_zip() + b"%PDF-1.7" + bytes(99), STUCK),
    "a zip in the comment of a zip": refused(
        lambda: with_comment(one_picture_zip(), zip_bytes({"b.jpg": b"tiny"}, zipfile.ZIP_STORED)), STUCK
    ),
    "an end within a comment": refused(lambda: with_comment(one_picture_zip(), END + bytes(18)), NO_FILES),
}
HOSTILE = {**NO_ZIP, **BOMBS, **COUNTS, **WAYS_OUT, **CONTRADICTIONS, **TWO_IN_ONE}
