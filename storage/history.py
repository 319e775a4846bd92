"""The history of a job: each attempt of each stage, with start, end and outcome."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from storage.database import Connection, now_ms
from storage.jobs import Job
from storage.statuses import ErrorCategory, JobKind, Stage, StageOutcome
from storage.tables import job_events, jobs, submissions


@dataclass(frozen=True, kw_only=True)
class StageEvent:
    """`outcome` is None while the stage is at work; `result` is what a stage that is done hands to the next, as JSON.

    `round` counts the job's retries from 0; `advice` is for whoever operates the bot.
    """

    stage: Stage
    attempt: int
    started_ms: int
    ended_ms: int | None
    outcome: StageOutcome | None
    error_category: ErrorCategory | None
    detail: str
    advice: str = ""
    round: int = 0
    result: Mapping[str, Any] | None = None


async def begin_stage(connection: Connection, job: Job, stage: Stage) -> int:
    """Open the next attempt and answer its number; an attempt left open by a crash is closed as interrupted."""
    now = now_ms()
    of_stage = (job_events.c.job_id == job.id) & (job_events.c.stage == stage)
    await connection.execute(
        sa.update(job_events)
        .where(of_stage, job_events.c.ended_ms.is_(None))
        .values(ended_ms=now, outcome=StageOutcome.INTERRUPTED)
    )
    attempts = (await connection.execute(sa.select(sa.func.max(job_events.c.attempt)).where(of_stage))).scalar()
    attempt = int(attempts or 0) + 1
    await connection.execute(
        sa.insert(job_events).values(
            job_id=job.id, **job.place.as_columns(), stage=stage, attempt=attempt, started_ms=now, round=job.round
        )
    )
    return attempt


async def end_stage(
    connection: Connection,
    job: Job,
    stage: Stage,
    outcome: StageOutcome,
    *,
    error_category: ErrorCategory | None = None,
    detail: str = "",
    advice: str = "",
    result: Mapping[str, Any] | None = None,
) -> None:
    """Close the attempt that is open in this round of the job, if there is one."""
    await connection.execute(
        sa.update(job_events)
        .where(job_events.c.job_id == job.id, job_events.c.round == job.round)
        .where(job_events.c.stage == stage, job_events.c.ended_ms.is_(None))
        .values(
            ended_ms=now_ms(),
            outcome=outcome,
            error_category=error_category,
            detail=detail[:1000],
            advice=advice[:1000],
            result=None if result is None else dict(result),
        )
    )


async def result_of_stage(connection: Connection, job_id: str, stage: Stage) -> dict[str, Any] | None:
    """What the stage handed on when it was done, None when it has to be done: what is laid out for a provider is
    cleared at the end of each round, so that stage counts for its own round only; and of a training whose provider
    has ended it, nothing is left."""
    is_over = sa.exists().where(submissions.c.job_id == job_id, submissions.c.verdict.is_not(None))
    statement = (
        sa.select(job_events.c.result)
        .join(jobs, jobs.c.id == job_events.c.job_id)
        .where(job_events.c.job_id == job_id, job_events.c.stage == stage)
        .where(job_events.c.outcome == StageOutcome.DONE)
        .where((job_events.c.round == jobs.c.round) | (job_events.c.stage != Stage.STAGED))
        .where((job_events.c.stage != Stage.TRAINING) | sa.not_(is_over))
        .order_by(job_events.c.id.desc())
        .limit(1)
    )
    found = (await connection.execute(statement)).one_or_none()
    return None if found is None or found.result is None else dict(found.result)


async def stage_durations(
    connection: Connection, *, provider: str, kind: JobKind, stage: Stage, limit: int
) -> list[int]:
    """How long the latest ones took that were done in one go, in milliseconds, newest first."""
    statement = (
        sa.select(job_events.c.ended_ms - job_events.c.started_ms)
        .join(jobs, jobs.c.id == job_events.c.job_id)
        .where(jobs.c.provider == provider, jobs.c.kind == kind)
        .where(job_events.c.stage == stage, job_events.c.outcome == StageOutcome.DONE, job_events.c.attempt == 1)
        .order_by(job_events.c.id.desc())
        .limit(limit)
    )
    return [int(took) for took in (await connection.execute(statement)).scalars()]


async def close_open_stages(connection: Connection, job_id: str, outcome: StageOutcome) -> None:
    await connection.execute(
        sa.update(job_events)
        .where(job_events.c.job_id == job_id, job_events.c.ended_ms.is_(None))
        .values(ended_ms=now_ms(), outcome=outcome)
    )


async def history_of(connection: Connection, job_id: str) -> list[StageEvent]:
    statement = sa.select(job_events).where(job_events.c.job_id == job_id).order_by(job_events.c.id)
    return [_event(row) for row in await connection.execute(statement)]


def _event(row: sa.Row[Any]) -> StageEvent:
    return StageEvent(
        stage=Stage(row.stage),
        attempt=row.attempt,
        started_ms=row.started_ms,
        ended_ms=row.ended_ms,
        outcome=StageOutcome(row.outcome) if row.outcome else None,
        error_category=ErrorCategory(row.error_category) if row.error_category else None,
        detail=row.detail,
        advice=row.advice,
        round=row.round,
        result=row.result,
    )
