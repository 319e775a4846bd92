"""Jobs: one finetune or generate run each, from the first click to the last message."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from storage.database import Connection, now_ms
from storage.places import Place, insert_if_absent, place_of, remember_place
from storage.statuses import ErrorCategory, JobKind, JobStatus
from storage.tables import jobs, submissions


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
    message_id: int | None = None
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
            "created_ms": now,
            "updated_ms": now,
        },
    )


async def find_job(connection: Connection, job_id: str) -> Job | None:
    row = (await connection.execute(sa.select(jobs).where(jobs.c.id == job_id))).one_or_none()
    return _job(row) if row is not None else None


async def locked_job(connection: Connection, job_id: str) -> Job | None:
    """The job, which nobody else changes or decides about until this transaction ends."""
    row = (await connection.execute(sa.select(jobs).where(jobs.c.id == job_id).with_for_update())).one_or_none()
    return _job(row) if row is not None else None


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


async def jobs_of_person(connection: Connection, person_id: int, *, limit: int, offset: int = 0) -> list[Job]:
    """Newest first."""
    statement = (
        sa.select(jobs)
        .where(jobs.c.person_id == person_id)
        .order_by(jobs.c.created_ms.desc(), jobs.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [_job(row) for row in await connection.execute(statement)]


async def jobs_waiting_for(connection: Connection, provider: str, *, limit: int) -> list[Job]:
    """Those at work of which nothing is at this provider: held back, or still in its queue. Oldest first."""
    is_there = sa.exists().where(submissions.c.job_id == jobs.c.id, submissions.c.verdict.is_(None))
    statement = (
        sa.select(jobs)
        .where(
            jobs.c.provider == provider,
            jobs.c.status == JobStatus.RUNNING,
            jobs.c.kind.in_((JobKind.FINETUNE, JobKind.GENERATE)),
            sa.or_(jobs.c.held_ms.is_not(None), sa.not_(is_there)),
        )
        .order_by(jobs.c.created_ms, jobs.c.id)
        .limit(limit)
    )
    return [_job(row) for row in await connection.execute(statement)]


async def count_jobs_of_person(connection: Connection, person_id: int) -> int:
    statement = sa.select(sa.func.count()).select_from(jobs).where(jobs.c.person_id == person_id)
    return int((await connection.execute(statement)).scalar_one())


def _job(row: sa.Row[Any]) -> Job:
    return Job(
        id=row.id,
        place=place_of(row),
        kind=JobKind(row.kind),
        status=JobStatus(row.status),
        provider=row.provider,
        details=row.details,
        message_id=row.message_id,
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
