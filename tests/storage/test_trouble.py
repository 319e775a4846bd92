"""Which failures are the storage's own, and what its operator and a person read then."""

import errno
import sqlite3

import psycopg
import pytest
import sqlalchemy as sa

from storage.errors import StorageTrouble
from storage.trouble import Trouble, naming_trouble, trouble_of, what_is_wrong


def of_sqlite(code: int) -> sa.exc.OperationalError:
    problem = sqlite3.OperationalError("it failed")
    problem.sqlite_errorcode = code
    return sa.exc.OperationalError("UPDATE", {}, problem)


def of_postgres(problem: psycopg.Error) -> sa.exc.OperationalError:
    return sa.exc.OperationalError("UPDATE", {}, problem)


@pytest.mark.parametrize(
    ("problem", "trouble"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), Trouble.FULL),
        (OSError(errno.EDQUOT, "Quota exceeded"), Trouble.FULL),
        (OSError(errno.EFBIG, "File too large"), Trouble.FULL),
        (OSError(errno.EROFS, "Read-only file system"), Trouble.SHUT),
        (OSError(errno.EIO, "Input/output error"), Trouble.BROKEN),
        (of_sqlite(sqlite3.SQLITE_FULL), Trouble.FULL),
        (of_sqlite(sqlite3.SQLITE_IOERR_SHMSIZE), Trouble.FULL),
        (of_sqlite(sqlite3.SQLITE_IOERR_WRITE), Trouble.BROKEN),
        (of_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT), Trouble.BUSY),
        (of_sqlite(sqlite3.SQLITE_CORRUPT), Trouble.DAMAGED),
        (of_postgres(psycopg.errors.DiskFull()), Trouble.FULL),
        (of_postgres(psycopg.errors.ReadOnlySqlTransaction()), Trouble.SHUT),
        (of_postgres(psycopg.errors.AdminShutdown()), Trouble.AWAY),
        (of_postgres(psycopg.OperationalError("connection failed")), Trouble.AWAY),
        (sa.exc.TimeoutError("no connection is free"), Trouble.BUSY),
    ],
)
def test_trouble_is_told_by_what_it_is(problem: Exception, trouble: Trouble) -> None:
    assert what_is_wrong(problem) is trouble
    with pytest.raises(StorageTrouble, match=f"{trouble}, so nothing was stored") as caught, naming_trouble():
        raise problem
    assert caught.value.advice.endswith(")")


@pytest.mark.parametrize(
    "problem",
    [
        OSError(errno.ENOENT, "No such file"),
        ConnectionRefusedError(errno.ECONNREFUSED, "refused"),
        sqlite3.ProgrammingError("Cannot operate on a closed database."),
        of_sqlite(sqlite3.SQLITE_ERROR),
        sa.exc.IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE")),
        sa.exc.ProgrammingError("SELECT", {}, psycopg.ProgrammingError("cannot adapt type")),
        of_postgres(psycopg.errors.DeadlockDetected()),
        sa.exc.ArgumentError("our own mistake"),
    ],
)
def test_what_is_our_own_fault_is_no_trouble(problem: Exception) -> None:
    assert trouble_of(problem) is None
    with pytest.raises(type(problem)), naming_trouble():
        raise problem
