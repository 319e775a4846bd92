"""Brings a database to this version's schema, in one transaction. Each step is a file in `migrations/versions/`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic.command import upgrade
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from storage.errors import DatabaseTooNew, StorageRefused

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(engine: sa.Engine) -> None:
    """Apply every missing migration or none. Raises `DatabaseTooNew` when the database knows more than we do."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    with engine.connect() as connection, _unwatched_references(connection), connection.begin():
        _wait_for_other_migrations(connection)
        _refuse_a_newer_database(connection, scripts)
        config.attributes["connection"] = connection
        upgrade(config, "head")
        _check_references(connection)


@contextmanager
def _unwatched_references(connection: sa.Connection) -> Iterator[None]:
    """SQLite changes a table by making it anew, and dropping the old one would delete every row that refers to it."""
    if connection.dialect.name != "sqlite":
        yield
        return
    raw = connection.connection.driver_connection
    assert raw is not None
    raw.execute("PRAGMA foreign_keys=OFF").close()
    try:
        yield
    finally:
        raw.execute("PRAGMA foreign_keys=ON").close()


def _check_references(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise StorageRefused("The database holds rows that refer to nothing: put back the last backup.")


def _wait_for_other_migrations(connection: sa.Connection) -> None:
    """SQLite's write lock is held already; on PostgreSQL an advisory lock lasts until the commit."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(7283641)"))


def _refuse_a_newer_database(connection: sa.Connection, scripts: ScriptDirectory) -> None:
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise DatabaseTooNew(
            f"The database is at version {current}, which a newer Atelier wrote: start that version, "
            "or put back the backup that was made before it."
        )
