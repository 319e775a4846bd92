"""The database opens, migrates, refuses; on SQLite and PostgreSQL alike."""

import asyncio
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from storage.database import Database, only_process
from storage.errors import AlreadyRunning, DatabaseTooNew, StorageRefused
from storage.schema import metadata

VERSION = sa.text("SELECT version_num FROM alembic_version")


def ask(database: Database, question: Callable[[sa.Connection], Any]) -> Any:
    engine = database.open_sync_engine()
    with engine.connect() as connection:
        answer = question(connection)
    engine.dispose()
    return answer


async def test_the_migrations_lead_to_the_schema_on_the_one_page(database: Database) -> None:
    differences = ask(database, lambda connection: compare_metadata(MigrationContext.configure(connection), metadata))
    assert differences == []


async def test_opening_again_changes_nothing(database_url: str) -> None:
    for _ in range(2):
        database = Database(database_url)
        await database.open()
        await database.close()


async def test_a_database_from_a_newer_version_is_refused_and_left_alone(database_url: str) -> None:
    database = Database(database_url)
    await database.open()
    async with database.writing() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    await database.close()

    with pytest.raises(DatabaseTooNew, match="newer Atelier"):
        await Database(database_url).open()

    assert ask(database, lambda connection: connection.execute(VERSION).scalar()) == "9999"


async def test_a_failed_migration_leaves_nothing_behind(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    versions = tmp_path / "migrations"
    (versions / "versions").mkdir(parents=True)
    first = Path("storage/migrations/versions/0001_first.py").read_text()
    broken = first.replace(
        "def upgrade() -> None:",
        "def upgrade() -> None:\n    _all()\n    raise RuntimeError('power cut')\n\n\ndef _all() -> None:",
    )
    (versions / "versions" / "0001_first.py").write_text(broken)
    (versions / "env.py").write_text(Path("storage/migrations/env.py").read_text())
    monkeypatch.setattr("storage.migrate.MIGRATIONS", versions)

    database = Database(database_url)
    with pytest.raises(RuntimeError, match="power cut"):
        await database.open()

    assert ask(database, lambda connection: sa.inspect(connection).get_table_names()) == []


async def test_a_damaged_file_is_refused_with_a_way_out(tmp_path: Path) -> None:
    path = tmp_path / "broken.sqlite3"
    path.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(StorageRefused, match="put a backup in its place"):
        await Database(f"sqlite:///{path}").open()


async def test_only_the_bots_user_may_read_the_file(sqlite: Database) -> None:
    path = Path(str(sqlite.url.database))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_concurrent_changes_of_one_row_are_all_kept(sqlite: Database) -> None:
    async with sqlite.writing() as connection:
        await connection.execute(sa.text("INSERT INTO people VALUES (1, 0)"))

    async def add_one() -> None:
        async with sqlite.writing() as connection:
            seen = (await connection.execute(sa.text("SELECT first_seen_ms FROM people"))).scalar_one()
            await asyncio.sleep(0)
            await connection.execute(sa.text("UPDATE people SET first_seen_ms = :value"), {"value": seen + 1})

    await asyncio.gather(*(add_one() for _ in range(20)))
    async with sqlite.reading() as connection:
        assert (await connection.execute(sa.text("SELECT first_seen_ms FROM people"))).scalar_one() == 20


async def test_a_change_that_fails_is_wholly_undone(database: Database) -> None:
    async def fail_halfway() -> None:
        async with database.writing() as connection:
            await connection.execute(sa.text("INSERT INTO people VALUES (1, 0)"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail_halfway()
    async with database.reading() as connection:
        assert (await connection.execute(sa.text("SELECT count(*) FROM people"))).scalar_one() == 0


def test_a_second_process_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with only_process(tmp_path), pytest.raises(AlreadyRunning, match="DATA_DIR"), only_process(tmp_path):
        pass
    with only_process(tmp_path):
        pass


async def test_after_closing_no_interrupted_transaction_holds_the_database(sqlite_url: str) -> None:
    """The bot opens everything anew within one process when its client dies, whatever was under way."""
    database = Database(sqlite_url)
    await database.open()
    engine = database.open_workflow_engine(lambda _trouble: None)
    held, let_go = asyncio.Event(), asyncio.Event()

    async def writes_for_ever() -> None:
        async with database.writing():
            held.set()
            await let_go.wait()

    writing = asyncio.create_task(writes_for_ever())
    await held.wait()
    await database.close()
    engine.dispose()
    await is_free(sqlite_url)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)


async def test_nor_does_one_of_a_thread_of_the_workflow_engine(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    await database.open()
    engine = database.open_workflow_engine(lambda _trouble: None)
    connection = await asyncio.to_thread(engine.connect)
    await asyncio.to_thread(connection.exec_driver_sql, "BEGIN IMMEDIATE")
    engine.dispose()
    await database.close()
    await is_free(sqlite_url)
    connection.invalidate()
    connection.close()


async def is_free(url: str) -> None:
    again = Database(url)
    async with asyncio.timeout(10):
        await again.open()
        async with again.writing() as connection:
            await connection.exec_driver_sql("CREATE TABLE written (number INTEGER)")
    await again.close()
