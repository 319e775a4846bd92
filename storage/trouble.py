"""Tells the storage's own trouble from everything else: a full, shut, busy or broken disk or database."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import sqlalchemy as sa

from storage.errors import StorageTrouble


class Trouble(StrEnum):
    """What is wrong, as the middle of a sentence."""

    FULL = "My disk is full"
    SHUT = "My disk cannot be written to"
    BUSY = "My database is held by another program"
    BROKEN = "My disk does not work as it should"
    DAMAGED = "My database is damaged"
    AWAY = "My database does not answer"


WAY_OUT = {
    Trouble.FULL: "the disk is full: free some space",
    Trouble.SHUT: "the disk or the file is read-only: make it writable for the bot's own user",
    Trouble.BUSY: "another program locks the database for too long: end it",
    Trouble.BROKEN: "the disk reports errors: look at the system's log, and have a backup ready",
    Trouble.DAMAGED: "the database is damaged: stop the bot, move it away and put a backup in its place",
    Trouble.AWAY: "the database does not answer: look whether it runs and can be reached",
}
OF_THE_SYSTEM = {
    errno.ENOSPC: Trouble.FULL,
    errno.EDQUOT: Trouble.FULL,
    errno.EFBIG: Trouble.FULL,
    errno.EROFS: Trouble.SHUT,
    errno.EIO: Trouble.BROKEN,
}
OF_SQLITE = {
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_IOERR_SHMSIZE: Trouble.FULL,  # there was no room for the file beside the database
    sqlite3.SQLITE_READONLY: Trouble.SHUT,
    sqlite3.SQLITE_BUSY: Trouble.BUSY,
    sqlite3.SQLITE_LOCKED: Trouble.BUSY,
    sqlite3.SQLITE_PROTOCOL: Trouble.BUSY,
    sqlite3.SQLITE_IOERR: Trouble.BROKEN,
    sqlite3.SQLITE_CORRUPT: Trouble.DAMAGED,
    sqlite3.SQLITE_NOTADB: Trouble.DAMAGED,
    sqlite3.SQLITE_CANTOPEN: Trouble.AWAY,
}
OF_POSTGRES = {"53100": Trouble.FULL, "25006": Trouble.SHUT}  # SQLSTATE; the classes below are by their first two
CLASSES_OF_POSTGRES = {"08": Trouble.AWAY, "53": Trouble.AWAY, "57": Trouble.AWAY, "58": Trouble.BROKEN}


@contextmanager
def naming_trouble() -> Iterator[None]:
    """Raises `StorageTrouble` for the storage's own failures; everything else passes as it is."""
    try:
        yield
    except (OSError, sqlite3.Error, sa.exc.SQLAlchemyError) as problem:
        if (trouble := trouble_of(problem)) is None:
            raise
        raise trouble from problem


def trouble_of(problem: BaseException) -> StorageTrouble | None:
    """None when this is not the storage's fault."""
    trouble = what_is_wrong(problem)
    if trouble is None:
        return None
    return StorageTrouble(
        f"{trouble}, so nothing was stored. Please try again later; the bot's operator has been told.",
        advice=f"{WAY_OUT[trouble]}. Jobs wait and go on by themselves. ({str(problem).splitlines()[0][:200]})",
    )


def what_is_wrong(problem: BaseException) -> Trouble | None:
    if isinstance(problem, sa.exc.TimeoutError):
        return Trouble.BUSY
    if isinstance(problem, sa.exc.DBAPIError):
        if problem.connection_invalidated:
            return Trouble.AWAY
        return _of_driver(problem.orig, never_answered=isinstance(problem, sa.exc.OperationalError))
    if isinstance(problem, OSError):
        return OF_THE_SYSTEM.get(problem.errno or 0)
    return _of_driver(problem, never_answered=False)


def _of_driver(problem: BaseException | None, *, never_answered: bool) -> Trouble | None:
    if isinstance(problem, sqlite3.Error):
        code = getattr(problem, "sqlite_errorcode", sqlite3.SQLITE_OK)  # only what SQLite itself says carries one
        return OF_SQLITE.get(code) or OF_SQLITE.get(code & 0xFF)
    state = getattr(problem, "sqlstate", None)
    if state is None:
        return Trouble.AWAY if never_answered else None
    return OF_POSTGRES.get(state) or CLASSES_OF_POSTGRES.get(state[:2])
