"""Uploads by people who mean well: odd zippers, odd names, things between the pictures."""

import unicodedata
import zipfile

from tests.dataset_files import jpeg_bytes, photo, photo_files, png_bytes
from tests.datasets.cases import Case, as_zip, zipped
from tests.datasets.hostile_files import (
    a_picture,
    lying_in_both_places,
    one_picture_zip,
    streamed_zip,
    unicode_path,
    with_a_gap,
    with_comment,
    with_directory_field,
    with_header_field,
    with_method,
    with_wrong_checksum,
    zip64_zip,
    zip_bytes,
    zip_naming,
)

CLUTTER = ("__MACOSX/._a.jpg", ".DS_Store", "cats/.hidden.jpg", "Thumbs.db", "cats/desktop.ini", "cats/", "@eaDir/x")
DAMAGED = "is damaged inside the zip: zip it again"
ODD_METHOD = "is packed in a way this bot does not read: zip it again in the ordinary way"
TWO = {"a.jpg": a_picture(1), "b.jpg": a_picture(2)}


def two(compression: int) -> Case:
    return as_zip(lambda: zip_bytes(TWO, compression), "a.jpg", "b.jpg")


def named(sent: str, shown: str) -> Case:
    return zipped(lambda: {sent: a_picture()}, shown)


def several(files: dict[str, bytes], *kept: str, **out: str) -> Case:
    return Case(files=lambda: files, kept=kept, left_out=tuple(out.items()))


def as_dos_reads(raw: bytes) -> str:
    return raw.decode("cp437")


PACKED = {
    "a stored zip": two(zipfile.ZIP_STORED),
    "a deflated zip": two(zipfile.ZIP_DEFLATED),
    "a bzip2 zip": two(zipfile.ZIP_BZIP2),
    "an LZMA zip": two(zipfile.ZIP_LZMA),
    "a zip64": as_zip(lambda: zip64_zip(TWO), "a.jpg", "b.jpg"),
    "a streamed zip": as_zip(lambda: streamed_zip(TWO), "a.jpg", "b.jpg"),
    "a streamed zip, stored": as_zip(lambda: streamed_zip(TWO, zipfile.ZIP_STORED), "a.jpg", "b.jpg"),
    "a streamed zip, LZMA": as_zip(lambda: streamed_zip(TWO, zipfile.ZIP_LZMA), "a.jpg", "b.jpg"),
    "a zip with a short comment": as_zip(lambda: with_comment(one_picture_zip(), b"made by Ann"), "a.jpg"),
    "a zip with a mark before it": as_zip(lambda: b"PK00" + one_picture_zip(), "a.jpg"),
    "a zip with a few bytes between": as_zip(lambda: with_a_gap(one_picture_zip(), bytes(64)), "a.jpg"),
    "an unknown method": as_zip(lambda: with_method(zip_bytes(TWO), 97), "b.jpg", out={"a.jpg": ODD_METHOD}),
    "Deflate64": as_zip(lambda: with_method(zip_bytes(TWO), 9), "b.jpg", out={"a.jpg": ODD_METHOD}),
    "a wrong checksum": as_zip(
        lambda: with_header_field(with_wrong_checksum(zip_bytes(TWO)), 14, "<L", 0xDEADBEEF),
        "b.jpg",
        out={"a.jpg": DAMAGED},
    ),
    "more in a file than is said": as_zip(
        lambda: lying_in_both_places(zip_bytes(TWO), 1000), "b.jpg", out={"a.jpg": DAMAGED}
    ),
    "less in a file than is said": as_zip(
        lambda: lying_in_both_places(zip_bytes(TWO), 99_999), "b.jpg", out={"a.jpg": DAMAGED}
    ),
    "a file patched inside": as_zip(
        lambda: with_directory_field(zip_bytes(TWO), 8, "<H", 0x20), "b.jpg", out={"a.jpg": ODD_METHOD}
    ),
}
DECOMPOSED = unicodedata.normalize("NFD", "Käthe.jpg")
NAMES = {
    "a folder": named("cats/tabby/a.jpg", "cats/tabby/a.jpg"),
    "folders as some of Windows write them": named("cats\\tabby\\a.jpg", "cats/tabby/a.jpg"),
    "unicode": named("Käthe 猫 😺.jpg", "Käthe 猫 😺.jpg"),
    "a decomposed accent": named(DECOMPOSED, DECOMPOSED),
    "an upper-case extension": named("A.JPG", "A.JPG"),
    "a wrong extension": named("a.png", "a.png"),
    "a picture called pdf": named("a.pdf", "a.pdf"),
    "a picture called txt": named("a.txt", "a.txt"),
    "no extension": named("picture", "picture"),
    "control characters": named("a\x1b[31m\nb.jpg", "a[31mb.jpg"),
    "reversed text": named("a\u202egpj.exe", "agpj.exe"),
    "a long name": named("x" * 200 + ".jpg", "…" + "x" * 75 + ".jpg"),
    "no name at all": named("", "a file without a name"),
    "a dot": named(".", "."),
    "dots": named("a..b...jpg", "a..b...jpg"),
    "a name in an old code page": as_zip(
        lambda: one_picture_zip("K_the.jpg").replace(b"K_the", b"K\x84the"), "Käthe.jpg"
    ),
    "a name in Shift JIS": as_zip(
        lambda: one_picture_zip("_____.jpg").replace(b"_____", "猫a猫".encode("shift-jis")), "öLaöL.jpg"
    ),
    "a UTF-8 name that is not marked": as_zip(lambda: zip_naming("Käthe.jpg"), "Käthe.jpg"),
    "a name of 5 KiB": zipped(
        lambda: {"b" * 5000 + ".jpg": a_picture(), "a.jpg": a_picture()},
        "a.jpg",
        out={"…" + "b" * 75 + ".jpg": "has too long a name: shorten it"},
    ),
    "a name twice": as_zip(
        lambda: zip_bytes({"a.jpg": a_picture(1), "b.jpg": a_picture(2)}).replace(b"b.jpg", b"a.jpg"), "a.jpg", "a.jpg"
    ),
}
PLAN = "予定表.jpg".encode("shift-jis")  # its third letter ends with the byte of a backslash
WORK = "成功.jpg".encode("big5")  # its second letter does
HONEST = "運誠.jpg".encode("gbk")  # both letters do
OTHER_EXTRA = b"\x55\x54\x05\x00\x01" + bytes(4)  # when it was changed, as Unix writes it


def told_beside(extra: bytes, shown: str) -> Case:
    return as_zip(lambda: zip_naming(PLAN, beside=extra), shown)


ASIAN = {
    "a backslash within a letter of Shift JIS": as_zip(lambda: zip_naming(PLAN), as_dos_reads(PLAN)),
    "a backslash within a letter of Big5": as_zip(lambda: zip_naming(WORK), as_dos_reads(WORK)),
    "a backslash within a letter of GBK": as_zip(lambda: zip_naming(HONEST), as_dos_reads(HONEST)),
    "a letter with a backslash at the end": as_zip(lambda: zip_naming(PLAN[:-4]), as_dos_reads(PLAN[:-4])),
    "a folder and such a letter": as_zip(
        lambda: zip_naming(b"cats\\" + PLAN, beside=OTHER_EXTRA), "cats/" + as_dos_reads(PLAN)
    ),
    "a name in Unicode beside": told_beside(unicode_path("予定表.jpg", PLAN), "予定表.jpg"),
    "folders in Unicode beside": told_beside(OTHER_EXTRA + unicode_path("猫\\予定表.jpg", PLAN), "猫/予定表.jpg"),
    "a name beside that is of another": told_beside(unicode_path("猫.jpg", b"a.jpg"), as_dos_reads(PLAN)),
    "a name beside in another version": told_beside(unicode_path("猫.jpg", PLAN, version=2), as_dos_reads(PLAN)),
    "a name beside that is no UTF-8": told_beside(unicode_path(b"\xff.jpg", PLAN), as_dos_reads(PLAN)),
    "no name beside": told_beside(unicode_path("", PLAN), as_dos_reads(PLAN)),
}
BESIDE = {
    "what systems put beside pictures": zipped(lambda: {"a.jpg": a_picture(), **dict.fromkeys(CLUTTER, b"")}, "a.jpg"),
    "the same picture twice": zipped(
        lambda: {"a.png": png_bytes(photo(1)), "b.jpg": a_picture(2), "c.png": png_bytes(photo(1), compress_level=1)},
        "a.png",
        "b.jpg",
        out={"c.png": "is the same picture as “a.png”"},
    ),
    "the same picture again, described": zipped(
        lambda: {"a.png": png_bytes(photo(1)), "b.png": png_bytes(photo(1), compress_level=1), "b.txt": b"a cat"},
        "a.png",
        out={"b.png": "is the same picture as “a.png”"},
        captions={"a.png": "a cat"},
    ),
    "the same picture again, described otherwise": zipped(
        lambda: {"a.jpg": a_picture(), "a.txt": b"a cat", "b.jpg": a_picture(), "b.txt": b"a dog"},
        "a.jpg",
        out={"b.jpg": "is the same picture as “a.jpg”"},
        captions={"a.jpg": "a cat"},
    ),
    "the same picture three times, described twice": zipped(
        lambda: {**dict.fromkeys(("a.jpg", "b.jpg", "c.jpg"), a_picture()), "b.txt": b"a cat", "c.txt": b"a dog"},
        "a.jpg",
        out={"b.jpg": "is the same picture as “a.jpg”", "c.jpg": "is the same picture as “a.jpg”"},
        captions={"a.jpg": "a cat"},
    ),
    "a zip within": zipped(
        lambda: {"a.jpg": a_picture(), "more.zip": one_picture_zip()},
        "a.jpg",
        out={"more.zip": "is an archive: unpack it first"},
    ),
    "a 7z called jpg": zipped(
        lambda: {"a.jpg": a_picture(), "b.jpg": b"7z\xbc\xaf\x27\x1c" + bytes(99)},
        "a.jpg",
        out={"b.jpg": "is an archive: unpack it first"},
    ),
    "a document": zipped(
        lambda: {"a.jpg": a_picture(), "b.docx": one_picture_zip()},
        "a.jpg",
        out={"b.docx": "is a document: save its pictures as JPEG or PNG"},
    ),
    "an empty file": zipped(lambda: {"a.jpg": a_picture(), "b.jpg": b""}, "a.jpg", out={"b.jpg": "is empty"}),
    "a program": zipped(
        lambda: {"a.jpg": a_picture(), "b.jpg": b"\x7fELF" + bytes(99)}, "a.jpg", out={"b.jpg": "is not a picture"}
    ),
    "a large file": zipped(
        lambda: {"a.jpg": a_picture(), "b.bmp": b"BM" + bytes(range(256)) * 9000},
        "a.jpg",
        out={"b.bmp": "is larger than 2 MiB: save it smaller"},
    ),
    "a large video": zipped(
        lambda: {"a.jpg": a_picture(), "b.mov": b"\0\0\0\x14ftypqt  " + bytes(range(256)) * 9000},
        "a.jpg",
        out={"b.mov": "is a video: take a still from it"},
    ),
}
TOGETHER = {
    "one picture": several({"cat.jpg": a_picture()}, "cat.jpg"),
    "a picture called zip": several({"cats.zip": a_picture()}, "cats.zip"),
    "loose pictures, in their order": several({"z.png": a_picture(1), "a.png": a_picture(2)}, "z.png", "a.png"),
    "two zips": several(
        {"a.zip": zip_bytes({"1.jpg": a_picture(1)}), "b.zip": zip_bytes({"2.jpg": a_picture(2)})}, "1.jpg", "2.jpg"
    ),
    "a zip between pictures": several(
        {"z.jpg": a_picture(1), "a.zip": one_picture_zip("in.jpg"), "b.jpg": jpeg_bytes(photo(3))},
        "z.jpg",
        "b.jpg",
        **{"in.jpg": "is the same picture as “z.jpg”"},
    ),
    "a zip called jpg and a picture": several(
        {"a.jpg": one_picture_zip("in.jpg"), "b.jpg": a_picture(2)}, "in.jpg", "b.jpg"
    ),
    "a picture and a RAR": several(
        {"a.jpg": a_picture(), "b.rar": b"Rar!\x1a\x07\x01\x00"}, "a.jpg", **{"b.rar": "is an archive: unpack it first"}
    ),
    "a picture and nothing": several({"a.jpg": a_picture(), "b.jpg": b""}, "a.jpg", **{"b.jpg": "is empty"}),
    "forty pictures": zipped(lambda: photo_files(40), *photo_files(40)),
}
MESSY = {**PACKED, **NAMES, **ASIAN, **BESIDE, **TOGETHER}
