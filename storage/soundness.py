"""Looks whether the data can be used, before anything is opened for writing. Called at the start only."""

import errno
import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from storage.errors import StorageRefused

log = logging.getLogger(__name__)

LONGEST_CHECK_SECONDS = 5.0  # 100 MB take 0.1 s from memory; a check of a huge file is broken off, not waited for
STEPS_BETWEEN_LOOKS = 10_000
ROOM_BYTES = 1 << 20
NOTHING_CHANGED = "Nothing was changed."


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Raises `StorageRefused` with a way out for whatever the system says about a path of ours."""
    try:
        yield
    except OSError as problem:
        raise StorageRefused(_way_out(path, problem)) from problem


def _way_out(path: Path, problem: OSError) -> str:
    match problem.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return f"There is no space left for {path}: free some and start again. {NOTHING_CHANGED}"
        case errno.EROFS | errno.EACCES | errno.EPERM:
            return (
                f"{path} cannot be written: let the bot's own user write there, or choose another DATA_DIR. "
                f"{NOTHING_CHANGED}"
            )
        case errno.EISDIR:
            return f"{path} is a folder where a file belongs: move it away and start again. {NOTHING_CHANGED}"
        case errno.EEXIST | errno.ENOTDIR:
            return f"{path} is a file where a folder belongs: move it away and start again. {NOTHING_CHANGED}"
        case _:
            return f"{path} cannot be used ({problem.strerror}): look at the disk and start again. {NOTHING_CHANGED}"


def check_room(folder: Path) -> None:
    """Write a little and take it away again. Raises `StorageRefused` when there is no room for it."""
    probe = folder / "room.probe"
    with refusing(folder):
        try:
            probe.write_bytes(bytes(ROOM_BYTES))
        finally:
            probe.unlink(missing_ok=True)


def check_database(path: Path) -> None:
    """Read through the SQLite file without writing to it. Raises `StorageRefused` when it is damaged or no file."""
    for file in (path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm", "-journal"))):
        if file.is_dir():
            raise StorageRefused(_way_out(file, IsADirectoryError(errno.EISDIR, "")))
    if not path.is_file() or not path.stat().st_size:
        return
    try:
        found = _quick_check(path)
    except sqlite3.DatabaseError as problem:
        if problem.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise StorageRefused(damaged(path)) from problem
        if problem.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            return  # locked or shut: opening it says so
        log.warning("%s is large: its check was broken off after %.0f s", path, LONGEST_CHECK_SECONDS)
        return
    if found != "ok":
        log.error("%s: %s", path, found)
        raise StorageRefused(damaged(path))


def _quick_check(path: Path) -> str:
    ends_at = time.monotonic() + LONGEST_CHECK_SECONDS
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)) as connection:
        connection.set_progress_handler(lambda: int(time.monotonic() > ends_at), STEPS_BETWEEN_LOOKS)
        return str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])


def damaged(path: Path) -> str:
    return (
        f"The database {path} is damaged: move it away together with its -wal and -shm, put a backup in its place "
        "and start again. The pictures and models beside it are kept."
    )
