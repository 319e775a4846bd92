"""Jobs: one finetune or generate run each, from the first click to the last message."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from storage.database import Connection, now_ms
from storage.places import Place, insert_if_absent, place_of, remember_place
from storage.statuses import ErrorCategory, JobKind, JobStatus
from storage.tables import jobs

RETRY_MS = 7 * 86_400_000
BUSY = (JobStatus.PREPARING, JobStatus.RUNNING, JobStatus.CANCELLING)


@dataclass(frozen=True, kw_only=True)
class Job:
    """A frozen value; a change is saved and read again. `details` is what the person asked for, as JSON.

    `round` counts the retries; `lane` and `turn` are the job's place in a queue, `weight` its person's share of it;
    `begun_ms` is None while it waits there; `shown_ms` is the `updated_ms` that its card shows. `held_ms` is since when
    it is held back because its provider is out, None when it is not.
    """

    id: str
    place: Place
    kind: JobKind
    status: JobStatus
    provider: str
    details: Mapping[str, Any]
    progress: float = 0.0
    note: str = ""
    ready_at_ms: int | None = None
    error_category: ErrorCategory | None = None
    error_sentence: str | None = None
    created_ms: int = 0
    updated_ms: int = 0
    finished_ms: int | None = None
    round: int = 0
    lane: str | None = None
    turn: int | None = None
    weight: int = 1
    queued_ms: int | None = None
    begun_ms: int | None = None
    shown_ms: int = 0
    held_ms: int | None = None

    @property
    def dataset_id(self) -> str:
        """Of a job about a dataset; one from before datasets were drafts has none of its own."""
        return str(self.details.get("dataset", self.id))

    @property
    def may_be_retried(self) -> bool:
        """Whether the same may be tried again; what a retry needs is kept for `RETRY_MS` after the failure."""
        return (
            self.status is JobStatus.FAILED
            and self.error_category is not None
            and self.error_category.may_pass
            and now_ms() - (self.finished_ms or 0) < RETRY_MS
        )


async def add_job(connection: Connection, job: Job) -> bool:
    """Store a new job; False when this id is stored already (the same click, delivered twice)."""
    await remember_place(connection, job.place)
    now = now_ms()
    return await insert_if_absent(
        connection,
        jobs,
        {
            "id": job.id,
            **job.place.as_columns(),
            "kind": job.kind,
            "status": job.status,
            "provider": job.provider,
            "details": dict(job.details),
            "weight": job.weight,
            "created_ms": now,
            "updated_ms": now,
        },
    )


async def find_job(connection: Connection, job_id: str) -> Job | None:
    row = (await connection.execute(sa.select(jobs).where(jobs.c.id == job_id))).one_or_none()
    return job_of(row) if row is not None else None


async def locked_job(connection: Connection, job_id: str) -> Job | None:
    """The job, which nobody else changes or decides about until this transaction ends."""
    row = (await connection.execute(sa.select(jobs).where(jobs.c.id == job_id).with_for_update())).one_or_none()
    return job_of(row) if row is not None else None


async def change_job(
    connection: Connection, job_id: str, *, only_when: Sequence[JobStatus] | None = None, **changes: Any
) -> bool:
    """Save changed columns; False when the job was no longer in one of the statuses `only_when` names."""
    status = changes.get("status")
    if status is not None and JobStatus(status).is_final:
        changes["finished_ms"] = now_ms()
    statement = sa.update(jobs).where(jobs.c.id == job_id).values(**changes, updated_ms=now_ms())
    if only_when is not None:
        statement = statement.where(jobs.c.status.in_(only_when))
    return (await connection.execute(statement)).rowcount == 1


async def begin_round(connection: Connection, job: Job, status: JobStatus) -> Job | None:
    """Open the job again for its next round; None when it has moved on since it was read."""
    statement = (
        sa.update(jobs)
        .where(jobs.c.id == job.id, jobs.c.status == job.status, jobs.c.round == job.round)
        .values(
            status=status,
            round=job.round + 1,
            progress=0.0,
            note="",
            ready_at_ms=None,
            held_ms=None,
            error_category=None,
            error_sentence=None,
            finished_ms=None,
            updated_ms=now_ms(),
        )
    )
    if (await connection.execute(statement)).rowcount != 1:
        return None
    return await find_job(connection, job.id)


async def remember_shown(connection: Connection, shown: Job) -> None:
    """Its card shows the job as of `updated_ms`, or can never be shown again. This is no change of the job."""
    statement = sa.update(jobs).where(jobs.c.id == shown.id, jobs.c.shown_ms < shown.updated_ms)
    await connection.execute(statement.values(shown_ms=shown.updated_ms))


async def jobs_of_person(connection: Connection, person_id: int, *, limit: int, offset: int = 0) -> list[Job]:
    """Newest first."""
    return await _page(connection, jobs.c.person_id == person_id, limit, offset)


async def jobs_of_server(connection: Connection, server_id: int, *, limit: int, offset: int = 0) -> list[Job]:
    """Everybody's, newest first."""
    return await _page(connection, jobs.c.server_id == server_id, limit, offset)


async def count_jobs_of_person(connection: Connection, person_id: int) -> int:
    return await _count(connection, jobs.c.person_id == person_id)


async def count_jobs_of_server(connection: Connection, server_id: int) -> int:
    return await _count(connection, jobs.c.server_id == server_id)


async def _page(connection: Connection, whose: sa.ColumnElement[bool], limit: int, offset: int) -> list[Job]:
    statement = (
        sa.select(jobs).where(whose).order_by(jobs.c.created_ms.desc(), jobs.c.id.desc()).limit(limit).offset(offset)
    )
    return [job_of(row) for row in await connection.execute(statement)]


async def _count(connection: Connection, whose: sa.ColumnElement[bool]) -> int:
    return int((await connection.execute(sa.select(sa.func.count()).select_from(jobs).where(whose))).scalar_one())


async def count_busy_jobs_of_person(connection: Connection, person_id: int) -> int:
    return await _count_busy(connection, jobs.c.person_id == person_id)


async def count_busy_jobs_of_server(connection: Connection, server_id: int) -> int:
    return await _count_busy(connection, jobs.c.server_id == server_id)


async def _count_busy(connection: Connection, whose: sa.ColumnElement[bool]) -> int:
    """What waits for its person's decision is not busy."""
    statement = sa.select(sa.func.count()).select_from(jobs).where(whose, jobs.c.status.in_(BUSY))
    return int((await connection.execute(statement)).scalar_one())


def job_of(row: sa.Row[Any]) -> Job:
    """For queries elsewhere in `storage`."""
    return Job(
        id=row.id,
        place=place_of(row),
        kind=JobKind(row.kind),
        status=JobStatus(row.status),
        provider=row.provider,
        details=row.details,
        progress=row.progress,
        note=row.note,
        ready_at_ms=row.ready_at_ms,
        error_category=ErrorCategory(row.error_category) if row.error_category else None,
        error_sentence=row.error_sentence,
        created_ms=row.created_ms,
        updated_ms=row.updated_ms,
        finished_ms=row.finished_ms,
        round=row.round,
        lane=row.lane,
        turn=row.turn,
        weight=row.weight,
        queued_ms=row.queued_ms,
        begun_ms=row.begun_ms,
        shown_ms=row.shown_ms,
        held_ms=row.held_ms,
    )
