"""What lies on the bot's disk, read without the bot: it may be dead, or somebody else's process."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any


def rows(data_dir: Path, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Reads the SQLite file without ever writing to it; nothing when it does not exist yet."""
    path = data_dir / "atelier.sqlite3"
    if not path.is_file():
        return []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as connection:
        return connection.execute(statement, values).fetchall()


def count(data_dir: Path, table: str, **where: Any) -> int:
    condition = " AND ".join(f"{column} = ?" for column in where) or "1"
    return int(rows(data_dir, f"SELECT count(*) FROM {table} WHERE {condition}", *where.values())[0][0])


def kept_files(data_dir: Path) -> set[str]:
    """The names of the file store's finished files."""
    return {path.name for path in (data_dir / "files").glob("??/*")}


def unfinished_work(data_dir: Path) -> list[Path]:
    """What no job at rest may leave behind."""
    store = data_dir / "files"
    return [*(store / "work").iterdir(), *(store / "incoming").iterdir()]


def acceptances(data_dir: Path, job_id: str) -> int:
    """How often the local provider was made to work for a job."""
    log = data_dir / "local" / "accepted.log"
    lines = log.read_text().splitlines() if log.is_file() else []
    return sum(line.split()[0] == job_id for line in lines)
