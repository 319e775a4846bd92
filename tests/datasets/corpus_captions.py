"""Captions as people and other trainers' tools write them, and what is wrong with some."""

import json
import unicodedata
from collections.abc import Mapping

from tests.datasets.cases import Case, zipped
from tests.datasets.hostile_files import a_picture, zip_bytes

PICTURE = a_picture()
OTHER = a_picture(2)
ORPHAN = "is a text without a picture of the same name"
TOO_LONG = "is longer than 4,000 characters: shorten it"
NOT_UTF8 = "is not UTF-8 text: save it as UTF-8"


def beside(name: str, text: bytes, caption: str, picture: str = "a.jpg") -> Case:
    return zipped(lambda: {picture: PICTURE, name: text}, picture, captions={picture: caption} if caption else {})


def unusable(name: str, text: bytes, reason: str, shown: str = "") -> Case:
    return zipped(lambda: {"a.jpg": PICTURE, name: text}, "a.jpg", out={shown or name: reason})


def table(name: str, text: str | bytes, out: Mapping[str, str] | None = None, **captions: str) -> Case:
    raw = text if isinstance(text, bytes) else text.encode()
    pictures = {"a.jpg": PICTURE, "b.jpg": OTHER}
    named = {f"{letter}.jpg": caption for letter, caption in captions.items()}
    return zipped(lambda: {**pictures, name: raw}, "a.jpg", "b.jpg", out=out, captions=named)


def lines(*rows: object) -> str:
    return "\n".join(json.dumps(row) for row in rows)


BESIDE = {
    "a text beside": beside("a.txt", b"a cat", "a cat"),
    "a caption beside": beside("a.caption", b"a cat", "a cat"),
    "a text in upper case": beside("Cats/A.TXT", b"a cat", "a cat", "cats/a.jpg"),
    "a text that begins with a mark": beside("a.txt", "\ufeffa cat".encode(), "a cat"),
    "a text in UTF-16": beside("a.txt", "eine Kätzin".encode("utf-16"), "eine Kätzin"),
    "a text in UTF-16, the other way": beside("a.txt", b"\xfe\xff" + "a cat".encode("utf-16-be"), "a cat"),
    "a text of several lines": beside("a.txt", b"a cat,\r\n\x07asleep ", "a cat, asleep"),
    "an empty text": beside("a.txt", b"  ", ""),
    "accents spelled in two ways": beside(
        unicodedata.normalize("NFD", "Käthe.txt"), b"a cat", "a cat", unicodedata.normalize("NFC", "Käthe.jpg")
    ),
    "a name with dots": beside("a.b.c.txt", b"a cat", "a cat", "a.b.c.jpg"),
    "a text in another encoding": unusable("a.txt", "Kätzchen".encode("latin-1"), NOT_UTF8),
    "a text in UTF-32": unusable("a.txt", "a cat".encode("utf-32"), NOT_UTF8),
    "bytes called txt": unusable("a.txt", b"a\0cat", NOT_UTF8),
    "a text as long as a caption may be": beside("a.txt", b"x" * 4000, "x" * 4000),
    "a long text": unusable("a.txt", b"x" * 4001, TOO_LONG),
    "a book": unusable("a.txt", b"cat " * 9000, TOO_LONG),
    "an orphan": unusable("b.txt", b"a cat", ORPHAN),
    "an orphan in another folder": unusable("cats/a.txt", b"a cat", ORPHAN),
    "a readme": unusable("README.md", b"my cats", "is not a picture"),
    "two texts for one picture": zipped(
        lambda: {"a.jpg": PICTURE, "a.caption": b"one", "a.txt": b"two"},
        "a.jpg",
        out={"a.txt": "is a second text for the same picture"},
        captions={"a.jpg": "one"},
    ),
    "one text for two pictures": zipped(
        lambda: {"a.jpg": PICTURE, "a.png": OTHER, "a.txt": b"a cat"},
        "a.jpg",
        "a.png",
        captions={"a.jpg": "a cat", "a.png": "a cat"},
    ),
    "a loose text beside a loose picture": Case(
        files=lambda: {"a.jpg": PICTURE, "a.txt": b"a cat"}, kept=("a.jpg",), captions={"a.jpg": "a cat"}
    ),
    "a loose text beside a zip": Case(
        files=lambda: {"cats.zip": zip_bytes({"a.jpg": PICTURE}), "a.txt": b"a cat"},
        kept=("a.jpg",),
        left_out=(("a.txt", ORPHAN),),
    ),
}
ROW_A = {"file_name": "a.jpg", "text": "a cat"}
TABLES = {
    "metadata.jsonl": table("metadata.jsonl", lines(ROW_A, {"file_name": "b.jpg", "text": "two"}), a="a cat", b="two"),
    "metadata.csv": table(
        "metadata.csv", 'file_name,text\na.jpg,"a cat, asleep"\nb.jpg,two', a="a cat, asleep", b="two"
    ),
    "a caption of two lines in a CSV": table("metadata.csv", 'file_name,text\r\na.jpg,"a\r\ncat"\r\n', a="a cat"),
    "a table in UTF-16": table("metadata.csv", "file_name,text\na.jpg,a cat".encode("utf-16"), a="a cat"),
    "a CSV of European Excel": table(
        "metadata.csv",
        '\ufefffile_name;text\r\na.jpg;a cat, asleep\r\nb.jpg;"two; ""both"""',
        a="a cat, asleep",
        b='two; "both"',
    ),
    "a CSV with tabs": table("metadata.csv", "file_name\ttext\na.jpg\ta cat, asleep; black", a="a cat, asleep; black"),
    "Unicode text of Excel": table("metadata.csv", "file_name\ttext\r\na.jpg\tKätzin".encode("utf-16"), a="Kätzin"),
    "a CSV with commas and a semicolon in its head": table(
        "metadata.csv", 'file_name,text,"size; in pixels"\na.jpg,a cat; asleep,9', a="a cat; asleep"
    ),
    "a column called caption": table("metadata.csv", "file_name,caption\na.jpg,a cat", a="a cat"),
    "a column called prompt": table("metadata.jsonl", lines({"file_name": "a.jpg", "prompt": "a cat"}), a="a cat"),
    "several columns": table(
        "metadata.jsonl", lines({"file_name": "a.jpg", "description": "no", "caption": "yes", "text": None}), a="yes"
    ),
    "a table in a folder": zipped(
        lambda: {"train/cats/a.jpg": PICTURE, "train/metadata.csv": b"file_name,text\ncats/a.jpg,a cat"},
        "train/cats/a.jpg",
        captions={"train/cats/a.jpg": "a cat"},
    ),
    "a table from Windows": zipped(
        lambda: {"cats/a.jpg": PICTURE, "metadata.csv": b"file_name,text\r\n.\\cats\\a.jpg,a cat\r\n"},
        "cats/a.jpg",
        captions={"cats/a.jpg": "a cat"},
    ),
    "a text and a table": zipped(
        lambda: {"a.jpg": PICTURE, "a.txt": b"beside", "metadata.jsonl": lines(ROW_A).encode()},
        "a.jpg",
        captions={"a.jpg": "beside"},
    ),
    "a row that is not JSON": table(
        "metadata.jsonl",
        "{'file_name': 1}\n" + lines(ROW_A),
        {"metadata.jsonl, line 1": "is not a JSON object: correct it"},
        a="a cat",
    ),
    "rows nested without end": table(
        "metadata.jsonl",
        "[" * 100_000 + "\n" + lines(ROW_A),
        {"metadata.jsonl, line 1": "is not a JSON object: correct it"},
        a="a cat",
    ),
    "a row about another picture": table(
        "metadata.jsonl",
        lines({"file_name": "../../etc/passwd", "text": "x"}, ROW_A),
        {"metadata.jsonl, line 1": "names “../../etc/passwd”, which is not here"},
        a="a cat",
    ),
    "a row twice": table(
        "metadata.jsonl",
        lines(ROW_A, ROW_A),
        {"metadata.jsonl, line 2": "names “a.jpg” a second time"},
        a="a cat",
    ),
    "a row without a picture": table(
        "metadata.csv", "file,text\na.jpg,a cat", {"metadata.csv, line 2": "has no “file_name”"}
    ),
    "a row without a text": table(
        "metadata.csv", "file_name,label\na.jpg,7", {"metadata.csv, line 2": "has no “text”"}
    ),
    "a text that is a number": table(
        "metadata.jsonl",
        lines({"file_name": "a.jpg", "text": 7}),
        {"metadata.jsonl, line 1": "has a caption that is not text"},
    ),
    "a long text in a row": table(
        "metadata.csv",
        f"file_name,text\na.jpg,{'x' * 4001}",
        {"metadata.csv, line 2": "has a caption of more than 4,000 characters: shorten it"},
    ),
    "quotes that never end": table(
        "metadata.csv",
        'file_name,text\na.jpg,a cat\nb.jpg,"two',
        {"metadata.csv, line 3": "is not CSV: put texts with commas or quotes between quotes"},
        a="a cat",
    ),
    "a table in another encoding": table("metadata.csv", "ä".encode("latin-1"), {"metadata.csv": NOT_UTF8}),
}
LONG_TABLES = {
    "a table of 20,000 rows": Case(
        files=lambda: {
            "a.jpg": PICTURE,
            "metadata.csv": b"file_name,text\na.jpg,a cat\n" + b"a.jpg,again\n" * 19_999,
        },
        kept=("a.jpg",),
        captions={"a.jpg": "a cat"},
        left_out=(
            *((f"metadata.csv, line {line}", "names “a.jpg” a second time") for line in range(3, 53)),
            ("metadata.csv", "has more than 10,000 rows: the rest was not read"),
            ("metadata.csv", "has 9,949 more lines that cannot be used"),
        ),
    ),
}
CAPTIONS = {**BESIDE, **TABLES, **LONG_TABLES}
