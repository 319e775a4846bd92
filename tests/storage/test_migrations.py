"""A database that an earlier version wrote is brought up to date with every row, or left as it was."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storage.database import Database
from storage.deliveries import Slot, deliveries_of
from storage.errors import StorageRefused
from storage.history import history_of
from storage.jobs import find_job
from storage.models import find_model
from storage.pictures import pictures_of_job
from storage.statuses import ErrorCategory, JobKind, JobStatus, Message, Route, Stage, StageOutcome
from storage.submissions import submissions_of

VERSIONS = Path("storage/migrations/versions")
PLACE = {"server_id": 11, "channel_id": 22, "person_id": 33}
DETAILS = {"name": "Lun\u00e4 'the' cat", "prompt": 'a "fox"', "count": 2, "seed": 7, "settings": {"mode": "style"}}
SETTINGS = {"trigger_word": "ohwx", "iterations": 300, "learning_rate": None}
LEFT_OUT = [["notes.pdf", "is not a picture"]]

# As 0001 had them, in the order in which they refer to each other.
ROWS: dict[str, list[dict[str, Any]]] = {
    "people": [{"id": 33, "first_seen_ms": 5}, {"id": 2**62, "first_seen_ms": 6}],
    "servers": [{"id": 11, "first_seen_ms": 7}],
    "datasets": [
        {
            "id": "1001",
            **PLACE,
            "name": "Luna",
            "prepared_file": "a" * 64,
            "sheet_file": None,
            "left_out": LEFT_OUT,
            "created_ms": 8,
        }
    ],
    "dataset_images": [
        {
            "dataset_id": "1001",
            "position": number,
            **PLACE,
            "name": f"{number}.jpg",
            "width": 640,
            "height": 480,
            "sha256": f"{number:064x}",
            "caption": "a cat" if number else None,
        }
        for number in range(3)
    ],
    "jobs": [
        {
            "id": job_id,
            **PLACE,
            "kind": kind,
            "status": status,
            "provider": "local",
            "details": DETAILS,
            "message_id": 2**61,
            "remote_id": remote_id,
            "progress": 0.25,
            "note": "step 1",
            "ready_at_ms": 9,
            "error_category": category,
            "error_sentence": sentence,
            "created_ms": 10,
            "updated_ms": 11,
            "finished_ms": finished,
        }
        for job_id, kind, status, remote_id, category, sentence, finished in (
            ("1001", "finetune", "done", "task-1", None, None, 12),
            ("1002", "finetune", "running", None, None, None, None),
            ("2002", "generate", "failed", "task-2", "timeout", "It took too long.", 13),
        )
    ],
    "job_events": [
        {
            "id": number,
            "job_id": "1001",
            **PLACE,
            "stage": stage,
            "attempt": number,
            "started_ms": 14,
            "ended_ms": 15,
            "outcome": outcome,
            "error_category": category,
            "detail": "",
        }
        for number, (stage, outcome, category) in enumerate(
            (("received", "done", None), ("training", "failed", "network"), ("announced", "interrupted", None)), start=1
        )
    ],
    "models": [
        {
            "id": "1001",
            **PLACE,
            "name": "Luna",
            "job_id": "1001",
            "dataset_id": "1001",
            "provider": "local",
            "base_model": "local-quilting",
            "trigger_word": "ohwx",
            "settings": SETTINGS,
            "weights_file": "b" * 64,
            "created_ms": 16,
            "deleted_ms": None,
        }
    ],
    "submissions": [
        {"job_id": "1001", **PLACE, "intended_ms": 17, "remote_id": "task-1"},
        {"job_id": "1002", **PLACE, "intended_ms": 18, "remote_id": None},
    ],
    "pictures": [
        {
            "job_id": "2002",
            "position": number,
            **PLACE,
            "model_id": "1001",
            "file": "c" * 64,
            "prompt": "a fox",
            "seed": 2**32 - 1,
            "message_id": None,
            "created_ms": 19,
        }
        for number in range(2)
    ],
}
GONE = {"jobs": {"remote_id", "message_id"}, "training_sets": {"sheet_file", "left_out"}}
NEW = {"submissions": {"part": 0, "links": {}}, "models": {"remote": {}, "published": None}}
RENAMED = {"datasets": "training_sets", "dataset_images": "training_images"}  # since 0004
RENAMED_COLUMNS = {
    "models": {"dataset_id": "training_set_id"},
    "training_images": {"dataset_id": "training_set_id"},
}


def today(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """A row of 0001 as it is called now."""
    names, gone = RENAMED_COLUMNS.get(table, {}), GONE.get(table, set())
    return {names.get(name, name): value for name, value in row.items() if name not in gone}


ROWS_TODAY = {
    RENAMED.get(table, table): [
        {**today(RENAMED.get(table, table), row), **NEW.get(table, {})} for row in rows_of_first
    ]
    for table, rows_of_first in ROWS.items()
}


@contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    """On the same database, in one transaction, as the bot itself would be."""
    engine = Database(url).open_sync_engine()
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def insert(connection: sa.Connection, table: str, row: dict[str, Any]) -> None:
    """Plain SQL: the tables of today know columns that 0001 did not have."""
    values = {name: json.dumps(value) if isinstance(value, dict | list) else value for name, value in row.items()}
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    if connection.dialect.name == "postgresql":
        marks = ", ".join(f"CAST(:{n} AS JSON)" if isinstance(row[n], dict | list) else f":{n}" for n in values)
    connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)


def rows(url: str, table: str) -> list[dict[str, Any]]:
    with connected(url) as connection:
        order = "1, position" if table in ("dataset_images", "training_images", "pictures") else "1"
        found = connection.execute(sa.text(f"SELECT * FROM {table} ORDER BY {order}")).mappings().all()
    return [{name: _read(value) for name, value in row.items()} for row in found]


def _read(value: Any) -> Any:
    """SQLite hands JSON out as text."""
    return json.loads(value) if isinstance(value, str) and value[:1] in ("[", "{") else value


async def at_first_version(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch, *, filled: bool = True) -> None:
    """The database as the first release left it."""
    migrations = folder / "migrations"
    (migrations / "versions").mkdir(parents=True)
    (migrations / "env.py").write_text((VERSIONS.parent / "env.py").read_text())
    (migrations / "versions" / "0001_first.py").write_text((VERSIONS / "0001_first.py").read_text())
    with monkeypatch.context() as patch:
        patch.setattr("storage.migrate.MIGRATIONS", migrations)
        first = Database(url)
        await first.open()
        await first.close()
    with connected(url) as connection:
        for table, values in ROWS.items() if filled else ():
            for row in values:
                insert(connection, table, row)


@pytest.fixture
async def migrated(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    await at_first_version(database_url, tmp_path, monkeypatch)
    database = Database(database_url)
    await database.open()
    yield database
    await database.close()


def version(url: str) -> str:
    with connected(url) as connection:
        return str(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one())


async def test_the_first_version_is_really_the_first_one(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await at_first_version(database_url, tmp_path, monkeypatch)
    assert version(database_url) == "0001"
    assert {table: rows(database_url, table) for table in ROWS} == ROWS


@pytest.mark.parametrize("table", ROWS_TODAY)
async def test_every_row_survives_with_its_values(migrated: Database, database_url: str, table: str) -> None:
    assert version(database_url) == max(path.name[:4] for path in VERSIONS.glob("0*.py"))
    wanted, found = ROWS_TODAY[table], rows(database_url, table)
    assert [{name: row[name] for name in wanted[0]} for row in found] == wanted
    assert not GONE.get(table, set()) & set(found[0])


async def test_what_was_stored_is_read_as_before(migrated: Database) -> None:
    async with migrated.reading() as connection:
        job = await find_job(connection, "2002")
        model = await find_model(connection, "1001")
        pictures = await pictures_of_job(connection, "2002")
        history = await history_of(connection, "1001")
        answered, unanswered = [one for job_id in ("1001", "1002") for one in await submissions_of(connection, job_id)]
    assert job is not None
    assert (job.kind, job.status, job.error_category) == (JobKind.GENERATE, JobStatus.FAILED, ErrorCategory.TIMEOUT)
    assert job.details == DETAILS
    assert model is not None
    assert (model.training_set_id, model.weights_file, model.remote, model.published) == ("1001", "b" * 64, {}, None)
    assert model.settings == SETTINGS
    assert [(picture.position, picture.model_id) for picture in pictures] == [(0, "1001"), (1, "1001")]
    assert [event.outcome for event in history] == [
        StageOutcome.DONE,
        StageOutcome.FAILED,
        StageOutcome.INTERRUPTED,
    ]
    assert (answered.part, answered.remote_id, answered.links) == (0, "task-1", {})
    assert (unanswered.part, unanswered.remote_id, unanswered.links) == (0, None, {})


async def test_a_dataset_of_0004_goes_on_counting_where_it_was(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrations = tmp_path / "migrations"
    shutil.copytree(VERSIONS.parent, migrations)
    (migrations / "versions" / "0005_steps_and_sizes.py").unlink()
    with monkeypatch.context() as patch:
        patch.setattr("storage.migrate.MIGRATIONS", migrations)
        before = Database(database_url)
        await before.open()
        await before.close()
    with connected(database_url) as connection:
        for table in ("people", "servers"):
            for row in ROWS[table]:
                insert(connection, table, row)
        insert(connection, "datasets", {"id": "77", **PLACE, "name": "Luna", "created_ms": 1, "updated_ms": 2})
        for number in (4, 9):
            values = {"dataset_id": "77", "number": number, **PLACE}
            sides = dict.fromkeys(("width", "height", "original_width", "original_height"), 640)
            image = {**values, "name": "a.jpg", "file": f"{number:064x}", **sides, "measures": {}, "is_in": True}
            insert(connection, "dataset_images", image)
            insert(
                connection, "dataset_steps", {**values, "act": "add", "before": {}, "left_out": [], "made_ms": number}
            )
    database = Database(database_url)
    await database.open()
    await database.close()
    (dataset,) = rows(database_url, "datasets")
    assert (dataset["steps_made"], dataset["numbers_given"]) == (9, 9)
    with connected(database_url) as connection:
        sizes = connection.execute(sa.text("SELECT size_bytes FROM dataset_images")).scalars().all()
    assert sizes == [0, 0]


async def test_a_card_is_a_delivery_now(migrated: Database) -> None:
    async with migrated.reading() as connection:
        cards = [one for job_id in ("1001", "1002", "2002") for one in await deliveries_of(connection, job_id)]
    assert [(one.slot, one.route, one.posted_in, one.message_id) for one in cards] == [
        (Slot(job_id=row["id"], message=Message.CARD), Route.CHANNEL, 22, 2**61) for row in ROWS["jobs"]
    ]
    assert {(one.intended_ms, one.pictures) for one in cards} == {(10, ())}


async def test_opening_once_more_changes_nothing(migrated: Database, database_url: str) -> None:
    before = {table: rows(database_url, table) for table in ROWS_TODAY}
    again = Database(database_url)
    await again.open()
    await again.close()
    assert {table: rows(database_url, table) for table in ROWS_TODAY} == before


CHECKED = [
    ("jobs", "id", "1001", "kind", JobKind),
    ("jobs", "id", "1001", "status", JobStatus),
    ("jobs", "id", "1001", "error_category", ErrorCategory),
    ("job_events", "id", 1, "stage", Stage),
    ("job_events", "id", 1, "outcome", StageOutcome),
    ("job_events", "id", 1, "error_category", ErrorCategory),
]


@pytest.mark.parametrize(("table", "key", "row", "column", "words"), CHECKED)
async def test_a_column_of_words_takes_every_word_of_today_and_no_other(
    migrated: Database, database_url: str, table: str, key: str, row: Any, column: str, words: Any
) -> None:
    change = sa.text(f"UPDATE {table} SET {column} = :word WHERE {key} = :row")
    for word in words:
        with connected(database_url) as connection:
            assert connection.execute(change, {"word": str(word), "row": row}).rowcount == 1
    for wrong in ("nonsense", "DONE", "", " done"):
        with pytest.raises(sa.exc.IntegrityError), connected(database_url) as connection:
            connection.execute(change, {"word": wrong, "row": row})


@pytest.mark.parametrize("progress", [-0.1, 1.1])
async def test_progress_still_has_its_bounds(migrated: Database, database_url: str, progress: float) -> None:
    with pytest.raises(sa.exc.IntegrityError), connected(database_url) as connection:
        connection.execute(sa.text("UPDATE jobs SET progress = :progress"), {"progress": progress})


ORPHANS = [
    ("pictures", {"model_id": "nobody", "position": 9}),
    ("pictures", {"job_id": "nobody"}),
    ("models", {"id": "9", "job_id": "nobody"}),
    ("models", {"id": "9", "job_id": "1002", "training_set_id": "nobody"}),
    ("submissions", {"job_id": "nobody"}),
    ("job_events", {"id": 9, "job_id": "nobody"}),
    ("jobs", {"id": "9", "person_id": 404}),
    ("jobs", {"id": "9", "server_id": 404}),
]


@pytest.mark.parametrize(("table", "changes"), ORPHANS)
async def test_a_row_that_refers_to_nothing_is_refused_again(
    migrated: Database, database_url: str, table: str, changes: dict[str, Any]
) -> None:
    row = today(table, ROWS[table][0])
    with pytest.raises(sa.exc.IntegrityError), connected(database_url) as connection:
        insert(connection, table, {**row, **changes})


async def test_the_running_bot_watches_references(migrated: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError):
        async with migrated.writing() as connection:
            await connection.execute(sa.text("UPDATE pictures SET model_id = 'nobody'"))


async def test_what_belongs_to_a_job_still_goes_with_it(migrated: Database, database_url: str) -> None:
    with connected(database_url) as connection:
        connection.execute(sa.text("DELETE FROM jobs WHERE id IN ('1002', '2002')"))
    assert [row["job_id"] for row in rows(database_url, "submissions")] == ["1001"]
    assert rows(database_url, "pictures") == []
    assert len(rows(database_url, "job_events")) == 3


async def test_a_job_has_several_submissions_now_but_each_part_once(migrated: Database, database_url: str) -> None:
    with connected(database_url) as connection:
        for part in (1, 2):
            insert(connection, "submissions", {**ROWS["submissions"][0], "part": part})
    with pytest.raises(sa.exc.IntegrityError), connected(database_url) as connection:
        insert(connection, "submissions", {**ROWS["submissions"][0], "part": 2})
    assert len(rows(database_url, "submissions")) == 4


async def test_models_may_come_from_elsewhere_and_pictures_from_no_model(migrated: Database, database_url: str) -> None:
    with connected(database_url) as connection:
        bare = {"id": "1002", "job_id": "1002", "training_set_id": None, "weights_file": None}
        insert(connection, "models", {**today("models", ROWS["models"][0]), **bare})
        insert(connection, "pictures", {**ROWS["pictures"][0], "position": 5, "model_id": None})
    assert [row["training_set_id"] for row in rows(database_url, "models")] == ["1001", None]


async def test_an_empty_database_of_the_first_version_is_migrated_too(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await at_first_version(database_url, tmp_path, monkeypatch, filled=False)
    database = Database(database_url)
    await database.open()
    await database.close()
    assert rows(database_url, "jobs") == []


async def test_a_database_whose_references_are_broken_is_refused_and_left_as_it_was(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL never lets it come so far; an SQLite file may have been edited by hand."""
    await at_first_version(sqlite_url, tmp_path, monkeypatch)
    engine = sa.create_engine(sqlite_url)
    with engine.begin() as connection:
        insert(connection, "pictures", {**ROWS["pictures"][0], "position": 9, "model_id": "nobody"})
    engine.dispose()
    before = {table: rows(sqlite_url, table) for table in ROWS}

    with pytest.raises(StorageRefused, match="refer to nothing: put back the last backup"):
        await Database(sqlite_url).open()

    assert version(sqlite_url) == "0001"
    assert {table: rows(sqlite_url, table) for table in ROWS} == before
    assert "remote_id" in before["jobs"][0]
    with pytest.raises(sa.exc.IntegrityError), connected(sqlite_url) as connection:
        connection.execute(sa.text("UPDATE jobs SET kind = 'import'"))


async def test_a_migration_that_fails_halfway_leaves_every_row(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await at_first_version(database_url, tmp_path, monkeypatch)
    broken = tmp_path / "migrations" / "versions" / "0002_providers.py"
    text = (VERSIONS / "0002_providers.py").read_text()
    models = '    with op.batch_alter_table("models")'
    assert models in text
    broken.write_text(text.replace(models, f"    raise RuntimeError('power cut')\n{models}"))
    with monkeypatch.context() as patch:
        patch.setattr("storage.migrate.MIGRATIONS", tmp_path / "migrations")
        with pytest.raises(RuntimeError, match="power cut"):
            await Database(database_url).open()
    assert version(database_url) == "0001"
    assert {table: rows(database_url, table) for table in ROWS} == ROWS
    database = Database(database_url)
    await database.open()
    await database.close()
    assert len(rows(database_url, "job_events")) == 3
