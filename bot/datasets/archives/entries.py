"""What one line of a zip's directory gives away before anything is inflated; `archive` asks, nobody else does."""

import stat
import zipfile
from pathlib import PurePosixPath, PureWindowsPath

from bot.datasets.archives.names import name_of
from bot.datasets.archives.stored import METHODS
from bot.datasets.limits import MEBIBYTE, DatasetLimits
from bot.datasets.report import shown_name
from bot.errors import DatasetRejected

ENCRYPTED = 0x1 | 0x40
_PATCHED = 0x20
_LONGEST_NAME = 4096  # bytes; no system keeps a longer path
_CLUTTER = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "icon\r", "@eadir", "$recycle.bin"})


def is_folder(entry: zipfile.ZipInfo) -> bool:
    return name_of(entry).endswith("/")  # zipfile's own answer needs a name that is not empty


def is_clutter(name: str) -> bool:
    """What an operating system puts beside pictures; nobody meant to send it, so nobody is told."""
    return any(part.startswith(".") or part.lower() in _CLUTTER for part in PurePosixPath(name).parts)


def refuse_the_archive_for(shown: str, entry: zipfile.ZipInfo, limits: DatasetLimits) -> None:
    name = name_of(entry)
    if unsafe := [each for each in (entry.orig_filename, name) if _leaves_its_folder(each)]:
        raise DatasetRejected(
            f"“{shown}” holds a file with an unsafe path, “{shown_name(unsafe[0])}”. "
            "Zip only the pictures and send it again."
        )
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DatasetRejected(
            f"“{shown}” holds a link or special file, “{shown_name(name)}”. "
            "Zip the pictures themselves and send it again."
        )
    if entry.flag_bits & ENCRYPTED:
        raise locked(shown)
    if entry.file_size > MEBIBYTE and entry.file_size > entry.compress_size * limits.max_compression_ratio:
        raise DatasetRejected(
            f"“{shown}” holds “{shown_name(name)}”, which unpacks to far more than a picture would. "
            "Send it without that file."
        )


def locked(shown: str) -> DatasetRejected:
    return DatasetRejected(f"“{shown}” is locked. Remove the password and send it again.")


def _leaves_its_folder(name: str) -> bool:
    """Every mark between folders counts here, also one that may be half a letter."""
    path = name.replace("\\", "/")
    return "\0" in path or path.startswith("/") or bool(PureWindowsPath(path).drive) or ".." in path.split("/")


def unreadable_because(entry: zipfile.ZipInfo) -> str | None:
    if len(name_of(entry)) > _LONGEST_NAME:
        return "has too long a name: shorten it"
    if entry.compress_type not in METHODS or entry.flag_bits & _PATCHED:
        return "is packed in a way this bot does not read: zip it again in the ordinary way"
    return None
