"""Captions a person wrote: a text file beside each picture, with the picture's name."""

import codecs
import posixpath
import re
import unicodedata

from bot.datasets.archives.stored import StoredFile, content_of

# As much as one field of Discord's dialogs takes, so that whatever came with a picture can be edited there.
MAX_CAPTION_CHARACTERS = 4000
_MAX_CAPTION_BYTES = 4 * MAX_CAPTION_CHARACTERS + 512
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class CaptionUnusable(Exception):
    """Carries the reason, worded to follow the file's name."""


def is_caption(name: str) -> bool:
    return name.lower().endswith((".txt", ".caption"))


def path_key(name: str) -> str:
    """Equal for names that a person would call the same: in any case, and however an accent is spelled."""
    composed = unicodedata.normalize("NFC", posixpath.normpath(name))
    return unicodedata.normalize("NFC", composed.casefold())


def pairing_key(name: str) -> str:
    """Equal for `Cats/01.JPG` and `cats/01.txt`."""
    folder, slash, last = name.rpartition("/")
    return path_key(folder + slash + (last.rpartition(".")[0] or last))


def read_caption(stored: StoredFile) -> str:
    """Raises CaptionUnusable, and Unreadable when the zip is damaged there."""
    if stored.size > _MAX_CAPTION_BYTES:
        raise CaptionUnusable(_TOO_LONG)
    caption = cleaned_caption(decoded(content_of(stored).getvalue()))
    if len(caption) > MAX_CAPTION_CHARACTERS:
        raise CaptionUnusable(_TOO_LONG)
    return caption


def decoded(raw: bytes) -> str:
    """Text as editors save it: UTF-8, or what begins with the mark of UTF-16."""
    try:
        text = raw.decode("utf-16" if raw.startswith(_UTF16_MARKS) else "utf-8-sig")
    except UnicodeDecodeError:
        raise CaptionUnusable(_NOT_TEXT) from None
    if "\0" in text:
        raise CaptionUnusable(_NOT_TEXT)
    return text


def cleaned_caption(text: str) -> str:
    """One line of visible text: line breaks become spaces, other control characters go."""
    spaced = " ".join(text.split())
    return " ".join("".join(sign for sign in spaced if not unicodedata.category(sign).startswith("C")).split())


def as_word(word: str) -> re.Pattern[str]:
    """Finds a trigger word, in any case, where it is a word of its own.

    Such words may hold a hyphen: "luna" is not meant by "ohwx-luna".
    """
    return re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])", re.IGNORECASE)


def with_trigger_word(caption: str, word: str) -> str:
    """The caption with the word in front, unless it stands there already as a word of its own."""
    if as_word(word).search(caption):
        return caption
    return f"{word}, {caption}" if caption else word


_TOO_LONG = f"is longer than {MAX_CAPTION_CHARACTERS:,} characters: shorten it"
_NOT_TEXT = "is not UTF-8 text: save it as UTF-8"
