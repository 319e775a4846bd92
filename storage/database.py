"""Opens the one database, SQLite or PostgreSQL, and gives out transactions. Opened by `bot/startup.py`."""

import asyncio
import fcntl
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import aiosqlite
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from storage.errors import AlreadyRunning, StorageRefused, StorageTrouble
from storage.migrate import migrate
from storage.soundness import check_database, damaged, refusing
from storage.trouble import WAY_OUT, Trouble, naming_trouble, trouble_of, what_is_wrong

Connection = AsyncConnection

BUSY_TIMEOUT_MS = 30_000
CLOSING_SECONDS = 5.0


class Database:
    """`reading()` for a glance, `writing()` for a change that is wholly stored or not at all.

    Both raise `StorageTrouble` when the disk or the database fails.
    """

    def __init__(self, url: str) -> None:
        self.url = _with_driver(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._engine: AsyncEngine | None = None
        self._connections: list[Any] = []  # of SQLite, as the drivers made them

    async def open(self) -> None:
        """Bring the schema up to date, then open. Raises `StorageRefused` and leaves everything as it was."""
        if self.is_sqlite and self.url.database:
            check_database(Path(self.url.database))
            _make_private(Path(self.url.database))
        sync_engine = self.open_sync_engine()
        try:
            await asyncio.to_thread(migrate, sync_engine)
        except (sa.exc.DatabaseError, sqlite3.DatabaseError) as problem:
            raise StorageRefused(_advice(self.url, problem)) from problem
        finally:
            sync_engine.dispose()
        url = self.url.set(drivername="sqlite+aiosqlite") if self.is_sqlite else self.url
        self._engine = create_async_engine(url, pool_pre_ping=not self.is_sqlite)
        if self.is_sqlite:
            _tune_sqlite(self._engine.sync_engine)
            self._keep_in_sight(self._engine.sync_engine)

    def open_sync_engine(self) -> sa.Engine:
        """A synchronous engine on the same database, tuned alike: for migrations."""
        url = self.url.set(drivername="sqlite") if self.is_sqlite else self.url
        engine = sa.create_engine(url, pool_pre_ping=not self.is_sqlite)
        if self.is_sqlite:
            _tune_sqlite(engine)
        return engine

    def open_workflow_engine(self, on_trouble: Callable[[StorageTrouble], None]) -> sa.Engine:
        """A synchronous engine for the workflow engine, which begins its own transactions; the caller disposes it.

        `on_trouble` is called in whichever thread meets trouble, and what it raises takes the failure's place.
        """
        if self.is_sqlite:
            engine = sa.create_engine(self.url.set(drivername="sqlite"))
            _tune_sqlite_connections(engine, isolation_level="IMMEDIATE")
            self._keep_in_sight(engine)
        else:
            engine = self.open_sync_engine()

        @sa.event.listens_for(engine, "handle_error")
        def on_error(context: sa.engine.ExceptionContext) -> None:
            problem = context.sqlalchemy_exception or context.original_exception
            if (trouble := trouble_of(problem)) is not None:
                on_trouble(trouble)

        return engine

    def has_workflows(self, engine: sa.Engine) -> bool:
        """Whether the workflow engine has been started on this database before."""
        return sa.inspect(engine).has_table("queues", schema=None if self.is_sqlite else "dbos")

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Connection]:
        assert self._engine is not None, "open() comes first"
        with naming_trouble():
            async with self._engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        assert self._engine is not None, "open() comes first"
        with naming_trouble():
            async with self._engine.connect() as connection:
                yield await connection.execution_options(reads_only=True)

    async def close(self) -> None:
        """Nothing of ours holds the database from then on, whatever was interrupted in the middle of a transaction."""
        if self._engine is not None:
            await self._engine.dispose()
        for connection in self._connections:
            await _let_go(connection)
        self._connections.clear()

    def _keep_in_sight(self, engine: sa.Engine) -> None:
        """A connection that a cancelled task or a dying thread had in hand never comes back to the pool."""

        @sa.event.listens_for(engine, "connect")
        def on_connect(connection: Any, _record: Any) -> None:
            self._connections.append(getattr(connection, "driver_connection", connection))

        @sa.event.listens_for(engine, "close")
        def on_close(connection: Any, _record: Any) -> None:
            with suppress(ValueError):
                self._connections.remove(getattr(connection, "driver_connection", connection))


async def _let_go(connection: sqlite3.Connection | aiosqlite.Connection) -> None:
    """Close it, and with it the transaction that is open in it."""
    if isinstance(connection, sqlite3.Connection):
        with suppress(sqlite3.Error):
            connection.interrupt()
            connection.close()
    elif (closed := connection.stop()) is not None:
        with suppress(TimeoutError, sqlite3.Error):
            await asyncio.wait_for(closed, CLOSING_SECONDS)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@contextmanager
def only_process(data_dir: Path) -> Iterator[None]:
    """Holds the data directory from start to stop, so that two processes never run the same jobs."""
    with refusing(data_dir):
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with refusing(data_dir / "running.lock"):
        descriptor = os.open(data_dir / "running.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise AlreadyRunning(
                f"Another Atelier is running with {data_dir}: stop it first, or give this one its own DATA_DIR."
            ) from problem
        yield
    finally:
        os.close(descriptor)


def _with_driver(url: str) -> sa.URL:
    parsed = sa.make_url(url)
    return parsed.set(drivername="postgresql+psycopg") if parsed.get_backend_name() == "postgresql" else parsed


def _make_private(path: Path) -> None:
    with refusing(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _tune_sqlite(engine: sa.Engine) -> None:
    """WAL so that readers never wait, FULL so that a commit survives a power cut, IMMEDIATE so no update is lost."""

    _tune_sqlite_connections(engine, isolation_level=None)

    @sa.event.listens_for(engine, "begin")
    def on_begin(connection: sa.Connection) -> None:
        reads_only = connection.get_execution_options().get("reads_only", False)
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def _tune_sqlite_connections(engine: sa.Engine, *, isolation_level: str | None) -> None:
    @sa.event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = isolation_level
        for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()
        connection.create_function("lower", 1, _lower, deterministic=True)  # SQLite's own knows ASCII only
        if sqlite3.sqlite_version_info < (3, 42):
            # The workflow engine asks for sub-second unixepoch(), which SQLite knows from 3.42 on.
            connection.create_function("unixepoch", -1, lambda *how: round(time.time(), 3) if how else int(time.time()))


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _advice(url: sa.URL, problem: Exception) -> str:
    what = what_is_wrong(problem)
    if what is Trouble.DAMAGED and url.database:
        return damaged(Path(url.database))
    shown = url.database if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
    if what is not None:
        return f"The database {shown} did not open, and nothing was changed: {WAY_OUT[what]} and start again."
    return f"The database {shown} did not open: {str(problem).splitlines()[0]}"
