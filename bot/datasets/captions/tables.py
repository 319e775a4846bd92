"""Captions in one table for many pictures: `metadata.jsonl` or `metadata.csv`, as Hugging Face datasets keep them.

Each row names a picture by its path from the table's own folder. A row that cannot be used costs only itself.
"""

import csv
import json
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.datasets.archives.stored import StoredFile, Unreadable, content_of
from bot.datasets.captions.captions import MAX_CAPTION_CHARACTERS, CaptionUnusable, cleaned_caption, decoded, path_key
from bot.datasets.limits import MEBIBYTE
from bot.datasets.report import LeftOut, shown_name

MAX_TABLE_BYTES = 8 * MEBIBYTE
MAX_ROWS = 10_000
_MOST_REMARKS = 50  # about one table; the rest is counted
_PICTURE_COLUMN = "file_name"
_CAPTION_COLUMNS = ("text", "caption", "prompt", "description")
_MARKS = ",;\t"
_NAMES = ("metadata.jsonl", "metadata.csv")

Row = Mapping[str, object]


class _Unusable(Exception):
    """Carries what is wrong with a row, worded to follow “line 3”."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Captions by the `path_key` of their picture's name, and what could not be used."""

    captions: Mapping[str, str]
    left_out: tuple[LeftOut, ...]


def is_table(name: str) -> bool:
    return posixpath.basename(name).lower() in _NAMES


def read_table(stored: StoredFile, pictures: frozenset[str]) -> Table:
    """`pictures` are the `path_key`s that rows may name."""
    if stored.size > MAX_TABLE_BYTES:
        return _unusable(stored, f"is larger than {MAX_TABLE_BYTES // MEBIBYTE} MiB: split it")
    try:
        text = decoded(content_of(stored).getvalue())
    except (CaptionUnusable, Unreadable) as fault:
        return _unusable(stored, str(fault))
    captions: dict[str, str] = {}
    remarks: list[LeftOut] = []
    unmentioned = 0
    rows = _lines_of_json(text) if stored.name.lower().endswith(".jsonl") else _rows_of_csv(text)
    for count, (line, row) in enumerate(rows, start=1):
        if count > MAX_ROWS:
            remarks.append(_remark(stored, f"has more than {MAX_ROWS:,} rows: the rest was not read"))
            break
        try:
            _take(row, posixpath.dirname(stored.name), pictures, captions)
        except _Unusable as unusable:
            if len(remarks) < _MOST_REMARKS:
                remarks.append(_remark(stored, str(unusable), line))
            else:
                unmentioned += 1
    if unmentioned:
        remarks.append(_remark(stored, f"has {unmentioned:,} more lines that cannot be used"))
    return Table(captions=captions, left_out=tuple(remarks))


def _take(row: Row | _Unusable, folder: str, pictures: frozenset[str], captions: dict[str, str]) -> None:
    if isinstance(row, _Unusable):
        raise row
    named = row.get(_PICTURE_COLUMN)
    if not isinstance(named, str) or not named.strip():
        raise _Unusable(f"has no “{_PICTURE_COLUMN}”")
    key = path_key(posixpath.join(folder, named.strip().replace("\\", "/")))
    if key not in pictures:
        raise _Unusable(f"names “{shown_name(named)}”, which is not here")
    if key in captions:
        raise _Unusable(f"names “{shown_name(named)}” a second time")
    caption = cleaned_caption(_caption_in(row))
    if len(caption) > MAX_CAPTION_CHARACTERS:
        raise _Unusable(f"has a caption of more than {MAX_CAPTION_CHARACTERS:,} characters: shorten it")
    captions[key] = caption


def _caption_in(row: Row) -> str:
    """The first column that says anything; an empty one is a picture without a caption."""
    known = [row[column] for column in _CAPTION_COLUMNS if row.get(column) is not None]
    if not known:
        if any(column in row for column in _CAPTION_COLUMNS):
            return ""
        raise _Unusable(f"has no “{_CAPTION_COLUMNS[0]}”")
    caption = next((value for value in known if value), "")
    if not isinstance(caption, str):
        raise _Unusable("has a caption that is not text")
    return caption


def _lines_of_json(text: str) -> Iterator[tuple[int, Row | _Unusable]]:
    for line, content in enumerate(text.split("\n"), start=1):
        if not content.strip():
            continue
        try:
            row = json.loads(content)
        except (ValueError, RecursionError):
            row = None
        yield line, row if isinstance(row, dict) else _Unusable("is not a JSON object: correct it")


def _rows_of_csv(text: str) -> Iterator[tuple[int, Row | _Unusable]]:
    """A row may span lines: it is known by its last."""
    lines = text.splitlines(keepends=True)
    reader = csv.reader(lines, delimiter=_mark_between_columns(lines), strict=True)
    columns: list[str] | None = None
    while True:
        try:
            values = next(reader, None)
        except csv.Error:
            yield reader.line_num, _Unusable("is not CSV: put texts with commas or quotes between quotes")
            continue
        if values is None:
            return
        if columns is None:
            columns = [value.strip() for value in values]
        elif any(values):
            yield reader.line_num, dict(zip(columns, values, strict=False))


def _mark_between_columns(lines: Sequence[str]) -> str:
    """The one that stands most often between their names; where the comma is in numbers, Excel writes semicolons."""
    return max(_MARKS, key=lines[0].count) if lines else _MARKS[0]


def _unusable(stored: StoredFile, reason: str) -> Table:
    return Table(captions={}, left_out=(_remark(stored, reason),))


def _remark(stored: StoredFile, reason: str, line: int | None = None) -> LeftOut:
    """The end of a long name is kept, so the line goes there."""
    name = stored.name if line is None else f"{stored.name}, line {line:,}"
    return LeftOut(name=shown_name(name), reason=reason)
