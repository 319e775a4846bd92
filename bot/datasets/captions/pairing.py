"""Gives each picture the caption its person wrote for it: a text beside it, or else a row in a table.

A text that belongs to no picture, and one that cannot be used, is mentioned; nothing here breaks the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.datasets.archives.file_kinds import PICTURES, kind_of
from bot.datasets.archives.stored import StoredFile, Unreadable, start_of
from bot.datasets.captions.captions import CaptionUnusable, is_caption, pairing_key, path_key, read_caption
from bot.datasets.captions.tables import MAX_TABLE_BYTES, is_table, read_table
from bot.datasets.report import LeftOut, shown_name


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Perhaps a picture: nothing has looked inside yet."""

    stored: StoredFile
    caption: str | None


def paired(files: Sequence[StoredFile]) -> tuple[tuple[Candidate, ...], tuple[LeftOut, ...]]:
    tables: list[StoredFile] = []
    texts: list[StoredFile] = []
    pictures: list[StoredFile] = []
    for file in files:
        _kept_with(file, tables, texts, pictures).append(file)
    left_out: list[LeftOut] = []
    in_tables = _captions_in_tables(tables, pictures, left_out)
    beside = _captions_beside(texts, pictures, left_out)
    candidates = tuple(
        Candidate(
            stored=picture,
            caption=beside.get(pairing_key(picture.name)) or in_tables.get(path_key(picture.name)) or None,
        )
        for picture in pictures
    )
    return candidates, tuple(left_out)


def _kept_with(
    file: StoredFile, tables: list[StoredFile], texts: list[StoredFile], pictures: list[StoredFile]
) -> list[StoredFile]:
    if is_table(file.name) and not _is_a_picture(file):
        return tables
    if is_caption(file.name) and not _is_a_picture(file):
        return texts
    return pictures


def _is_a_picture(file: StoredFile) -> bool:
    """A wrong ending hides nothing."""
    try:
        return kind_of(start_of(file)) in PICTURES
    except Unreadable:
        return False


def _captions_in_tables(
    tables: Sequence[StoredFile], pictures: Sequence[StoredFile], left_out: list[LeftOut]
) -> dict[str, str]:
    names = frozenset(path_key(picture.name) for picture in pictures)
    captions: dict[str, str] = {}
    left = MAX_TABLE_BYTES
    for table in tables:
        left -= table.size
        if left < 0:
            reason = "is beyond what is read of tables: join them into a shorter one"
            left_out.append(LeftOut(name=shown_name(table.name), reason=reason))
            continue
        found = read_table(table, names)
        captions = {**found.captions, **captions}
        left_out += found.left_out
    return captions


def _captions_beside(
    texts: Sequence[StoredFile], pictures: Sequence[StoredFile], left_out: list[LeftOut]
) -> dict[str, str]:
    names = {pairing_key(picture.name) for picture in pictures}
    captions: dict[str, str] = {}
    for text in texts:
        reason = _keep(text, names, captions)
        if reason is not None:
            left_out.append(LeftOut(name=shown_name(text.name), reason=reason))
    return captions


def _keep(text: StoredFile, names: set[str], captions: dict[str, str]) -> str | None:
    """The reason when it was not kept."""
    key = pairing_key(text.name)
    if key not in names:
        return "is a text without a picture of the same name"
    if captions.get(key):
        return "is a second text for the same picture"
    try:
        captions[key] = read_caption(text)
    except (CaptionUnusable, Unreadable) as unusable:
        return str(unusable)
    return None
