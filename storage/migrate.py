"""Brings a database to this version's schema, in one transaction. Each step is a file in `migrations/versions/`."""

from pathlib import Path

import sqlalchemy as sa
from alembic.command import upgrade
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from storage.errors import DatabaseTooNew

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(engine: sa.Engine) -> None:
    """Apply every missing migration or none. Raises `DatabaseTooNew` when the database knows more than we do."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    with engine.begin() as connection:
        _wait_for_other_migrations(connection)
        _refuse_a_newer_database(connection, scripts)
        config.attributes["connection"] = connection
        upgrade(config, "head")


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
