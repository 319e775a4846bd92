"""How long jobs took here, and which of them stand before one that waits: what a forecast is made from."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from storage.database import Connection
from storage.jobs import Job
from storage.statuses import JobKind, JobStatus
from storage.tables import jobs
from storage.turns import IN_LINE, ORDER, before

REMEMBERED_RUNS = 50

_TRAINER = jobs.c.details["trainer"].as_string()
_SORT: tuple[sa.ColumnElement[Any], ...] = (jobs.c.provider, jobs.c.kind, _TRAINER.label("trainer"))


@dataclass(frozen=True, kw_only=True)
class Sort:
    """Jobs that take about as long as each other. `trainer` is None for what is no finetune."""

    provider: str
    kind: JobKind
    trainer: str | None


async def durations_of(connection: Connection, sort: Sort) -> list[int]:
    """How long the last jobs of this sort were at work, in milliseconds."""
    statement = (
        sa.select(jobs.c.finished_ms - jobs.c.begun_ms)
        .where(jobs.c.provider == sort.provider, jobs.c.kind == sort.kind, jobs.c.status == JobStatus.DONE)
        .where(jobs.c.begun_ms.is_not(None), jobs.c.finished_ms >= jobs.c.begun_ms)
        .order_by(jobs.c.finished_ms.desc())
        .limit(REMEMBERED_RUNS)
    )
    if sort.trainer is not None:
        statement = statement.where(sort.trainer == _TRAINER)
    return [int(duration) for duration in (await connection.execute(statement)).scalars()]


async def at_work_in(connection: Connection, lane: str) -> list[tuple[Sort, int]]:
    """What has begun in this lane and not ended, and when it began."""
    statement = sa.select(*_SORT, jobs.c.begun_ms).where(jobs.c.lane == lane, IN_LINE, jobs.c.begun_ms.is_not(None))
    return [(_sort(row), int(row.begun_ms)) for row in await connection.execute(statement)]


async def waiting_sorts_before(connection: Connection, job: Job, *, limit: int) -> list[Sort]:
    """What begins before this job, in that order."""
    statement = sa.select(*_SORT).where(before(job)).order_by(*ORDER).limit(limit)
    return [_sort(row) for row in await connection.execute(statement)]


def sort_of(job: Job) -> Sort:
    return Sort(provider=job.provider, kind=job.kind, trainer=job.details.get("trainer"))


def _sort(row: Any) -> Sort:
    return Sort(provider=row.provider, kind=JobKind(row.kind), trainer=row.trainer)
