"""Runs inside `storage/migrate.py`, on its connection and within its transaction."""

from alembic import context

from storage import dataset_tables, tables
from storage.schema import metadata

assert set(metadata.tables) >= {dataset_tables.datasets.name, tables.jobs.name}, "both pages are read"

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
