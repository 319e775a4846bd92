"""What lies in the bot's tables, read without the bot, in SQLite or PostgreSQL."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from storage.statuses import JobStatus
from tests.end_to_end import stored

AT_REST = (*(status for status in JobStatus if status.is_final), JobStatus.REVIEW, JobStatus.UNCERTAIN)


@dataclass(frozen=True, kw_only=True)
class StoredJob:
    """`mark` is what the person called it: the name of a finetune or a dataset, the prompt's mark of a generation."""

    id: str
    kind: str
    status: JobStatus
    provider: str
    person_id: str
    round: int
    mark: str
    count: int
    model_name: str
    sentence: str

    @property
    def cell(self) -> tuple[str, str]:
        return self.kind, self.provider


class Stored:
    """`database_url` empty for the SQLite file in `data_dir`."""

    def __init__(self, data_dir: Path, database_url: str = "") -> None:
        self._data_dir = data_dir
        self._database_url = database_url

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        if not self._database_url:
            return stored.rows(self._data_dir, statement)
        with psycopg.connect(self._database_url) as connection:
            return list(connection.execute(statement))

    def jobs(self) -> list[StoredJob]:
        found = self.rows(
            "SELECT id, kind, status, provider, person_id, round, details, error_category, error_sentence FROM jobs"
        )
        return [_job(*row) for row in found]

    def statuses(self) -> dict[str, JobStatus]:
        return {str(job_id): JobStatus(status) for job_id, status in self.rows("SELECT id, status FROM jobs")}

    def open_stages(self) -> list[tuple[str, str, str]]:
        """Kind, provider and stage of everything that is at work; a job between two stages has none."""
        return self.rows(
            "SELECT jobs.kind, jobs.provider, job_events.stage "
            "FROM job_events JOIN jobs ON jobs.id = job_events.job_id "
            "WHERE job_events.ended_ms IS NULL AND jobs.status IN ('preparing', 'running', 'cancelling')"
        )

    def models(self) -> list[tuple[str, str, str]]:
        """Id, person, provider."""
        return self.rows("SELECT id, person_id, provider FROM models WHERE deleted_ms IS NULL")

    def pictures(self) -> dict[str, int]:
        return dict(self.rows("SELECT job_id, count(*) FROM pictures GROUP BY job_id"))

    def additions(self) -> dict[str, int]:
        """How many steps of datasets each job made."""
        return dict(self.rows("SELECT job_id, count(*) FROM dataset_steps WHERE job_id IS NOT NULL GROUP BY job_id"))

    def datasets(self) -> dict[str, tuple[int, int]]:
        """By name: how many there are of it, and how many pictures these have."""
        found = self.rows(
            "SELECT datasets.name, count(DISTINCT datasets.id), count(dataset_images.file) FROM datasets "
            "LEFT JOIN dataset_images ON dataset_images.dataset_id = datasets.id GROUP BY datasets.name"
        )
        return {name: (datasets, pictures) for name, datasets, pictures in found}

    def remote_ids(self) -> set[str]:
        return {
            remote_id for (remote_id,) in self.rows("SELECT remote_id FROM submissions WHERE remote_id IS NOT NULL")
        }

    def unanswered(self) -> dict[str, int]:
        """How many intents of each job have no answer of a provider: nobody can say what became of them."""
        return dict(self.rows("SELECT job_id, count(*) FROM submissions WHERE remote_id IS NULL GROUP BY job_id"))


def _job(
    job_id: str,
    kind: str,
    status: str,
    provider: str,
    person_id: int,
    round_: int,
    details: Any,
    category: str | None,
    sentence: str | None,
) -> StoredJob:
    written = json.loads(details) if isinstance(details, str) else details
    return StoredJob(
        id=job_id,
        kind=kind,
        status=JobStatus(status),
        provider=provider,
        person_id=str(person_id),
        round=round_,
        mark=written["prompt"].split()[0] if "prompt" in written else written["name"],
        count=written.get("count", 1),
        model_name=written["name"],
        sentence=f"{category}: {sentence}" if sentence else "",
    )
