"""Captions a person wrote: a text file beside each picture, with the picture's name."""

import re
import unicodedata
from pathlib import Path

MAX_CAPTION_CHARACTERS = 1000
_MAX_CAPTION_BYTES = 4 * MAX_CAPTION_CHARACTERS + 512


class CaptionUnusable(Exception):
    """Carries the reason, worded to follow the file's name."""


def is_caption(name: str) -> bool:
    return name.lower().endswith(".txt")


def pairing_key(name: str) -> str:
    """Equal for `Cats/01.JPG` and `cats/01.txt`."""
    folder, slash, last = name.rpartition("/")
    return (folder + slash + (last.rpartition(".")[0] or last)).casefold()


def read_caption(path: Path) -> str:
    with path.open("rb") as file:
        raw = file.read(_MAX_CAPTION_BYTES + 1)
    if len(raw) > _MAX_CAPTION_BYTES:
        raise CaptionUnusable(_TOO_LONG)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CaptionUnusable("is not UTF-8 text: save it as UTF-8") from None
    caption = cleaned_caption(text)
    if len(caption) > MAX_CAPTION_CHARACTERS:
        raise CaptionUnusable(_TOO_LONG)
    return caption


def cleaned_caption(text: str) -> str:
    """One line of visible text: line breaks become spaces, other control characters go."""
    spaced = " ".join(text.split())
    return " ".join("".join(sign for sign in spaced if not unicodedata.category(sign).startswith("C")).split())


def with_trigger_word(caption: str, word: str) -> str:
    """The caption with the word in front, unless it stands there already as a word of its own, in any case."""
    if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", caption, re.IGNORECASE):
        return caption
    return f"{word}, {caption}" if caption else word


_TOO_LONG = f"is longer than {MAX_CAPTION_CHARACTERS:,} characters: shorten it"
