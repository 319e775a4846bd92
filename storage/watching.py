"""Jobs that somebody has to look after: those that stand still, wait for a provider, or whose card is behind."""

import sqlalchemy as sa

from storage.database import Connection
from storage.jobs import Job, job_of
from storage.statuses import WAIT_FOR_PROVIDERS, JobStatus
from storage.tables import jobs, submissions


async def left_open(connection: Connection, *, quiet_since_ms: int, after_id: str, limit: int) -> list[Job]:
    """Jobs that should be at work and have not changed for a while, in the order of their ids, from this one on."""
    at_work = (JobStatus.PREPARING, JobStatus.RUNNING, JobStatus.CANCELLING)
    statement = (
        sa.select(jobs)
        .where(jobs.c.status.in_(at_work), jobs.c.updated_ms < quiet_since_ms, jobs.c.id > after_id)
        .order_by(jobs.c.id)
        .limit(limit)
    )
    return [job_of(row) for row in await connection.execute(statement)]


async def jobs_waiting_for(connection: Connection, provider: str, *, limit: int) -> list[Job]:
    """Those at work of which nothing is at this provider: held back, or still in its queue. Oldest first."""
    is_there = sa.exists().where(submissions.c.job_id == jobs.c.id, submissions.c.verdict.is_(None))
    statement = (
        sa.select(jobs)
        .where(
            jobs.c.provider == provider,
            jobs.c.status == JobStatus.RUNNING,
            jobs.c.kind.in_(WAIT_FOR_PROVIDERS),
            sa.or_(jobs.c.held_ms.is_not(None), sa.not_(is_there)),
        )
        .order_by(jobs.c.created_ms, jobs.c.id)
        .limit(limit)
    )
    return [job_of(row) for row in await connection.execute(statement)]


async def shown_late(connection: Connection, *, after_ms: int, before_ms: int, limit: int) -> list[str]:
    """Jobs that stand still and whose card shows an older state, changed between these moments."""
    at_rest = (JobStatus.REVIEW, JobStatus.UNCERTAIN, JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)
    statement = (
        sa.select(jobs.c.id)
        .where(jobs.c.status.in_(at_rest), jobs.c.shown_ms < jobs.c.updated_ms)
        .where(jobs.c.updated_ms.between(after_ms, before_ms))
        .order_by(jobs.c.updated_ms)
        .limit(limit)
    )
    return list((await connection.execute(statement)).scalars())


async def failed_between(connection: Connection, after_ms: int, before_ms: int) -> list[str]:
    statement = sa.select(jobs.c.id).where(
        jobs.c.status == JobStatus.FAILED, jobs.c.finished_ms.between(after_ms, before_ms)
    )
    return list((await connection.execute(statement)).scalars())
