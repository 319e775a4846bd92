"""Whose turn it is at a provider: start-time fair queueing. Every person with jobs in a lane is served in turn.

A job's turn is the moment, in the lane's own time, at which its person has been served what they asked for before.
That time is the largest turn that has begun: somebody who comes now stands beside those who are being served now,
however many jobs the others have waiting. A lane that runs empty starts again at zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from storage.database import Connection, now_ms
from storage.jobs import Job
from storage.statuses import JobStatus, Message
from storage.tables import deliveries, jobs

TURN = 2520  # one job of a person with weight 1; a weight of 2 takes half of it, so two jobs for one

IN_LINE = (jobs.c.status == JobStatus.RUNNING) & jobs.c.turn.is_not(None)
_WAITING = IN_LINE & jobs.c.begun_ms.is_(None)
ORDER = (jobs.c.turn, jobs.c.queued_ms, jobs.c.id)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A job that waits in a lane. `position` counts from 1."""

    job_id: str
    position: int
    has_card: bool


async def take_turn(connection: Connection, job: Job, lane: str) -> int:
    """Queue a job behind its person's others and answer its turn: lower ones begin first, of equals the older one."""
    await _one_at_a_time(connection, lane)
    in_lane = jobs.c.lane == lane
    others = sa.select(jobs.c.id).where(in_lane, IN_LINE, jobs.c.id != job.id).limit(1)
    if (await connection.execute(others)).first() is None:
        old = sa.select(jobs.c.id).where(in_lane, jobs.c.turn.is_not(None)).with_for_update(skip_locked=True)
        await connection.execute(sa.update(jobs).where(jobs.c.id.in_(old)).values(turn=None))
    turn = max(await _lane_time(connection, lane), await _served_until(connection, job.place.person_id, lane))
    now = now_ms()
    await connection.execute(
        sa.update(jobs)
        .where(jobs.c.id == job.id)
        .values(lane=lane, turn=turn, queued_ms=now, begun_ms=None, updated_ms=now)
    )
    return turn


async def _one_at_a_time(connection: Connection, lane: str) -> None:
    """SQLite has one writer anyway; on PostgreSQL whoever takes a turn in this lane waits for the one before."""
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"turns {lane}"))))


async def _lane_time(connection: Connection, lane: str) -> int:
    begun = (jobs.c.lane == lane) & jobs.c.begun_ms.is_not(None) & jobs.c.turn.is_not(None)
    last = sa.select(jobs.c.turn).where(begun).order_by(jobs.c.turn.desc()).limit(1)
    return (await connection.execute(last)).scalar() or 0


async def _served_until(connection: Connection, person_id: int, lane: str) -> int:
    """Where this person's last turn ends. What was stopped before it began took none."""
    theirs = (jobs.c.person_id == person_id) & (jobs.c.lane == lane) & jobs.c.turn.is_not(None)
    counts = (jobs.c.status == JobStatus.RUNNING) | jobs.c.begun_ms.is_not(None)
    last = sa.select(jobs.c.turn, jobs.c.weight).where(theirs, counts).order_by(jobs.c.turn.desc()).limit(1)
    row = (await connection.execute(last)).one_or_none()
    return 0 if row is None else int(row.turn) + TURN // int(row.weight)


async def begin(connection: Connection, job_id: str) -> None:
    """The job's turn has come: remembered once, however often its stages are tried."""
    now = now_ms()
    await connection.execute(
        sa.update(jobs)
        .where(jobs.c.id == job_id, jobs.c.lane.is_not(None), jobs.c.begun_ms.is_(None))
        .values(begun_ms=now, updated_ms=now)
    )


def is_waiting(job: Job) -> bool:
    return job.status is JobStatus.RUNNING and job.turn is not None and job.begun_ms is None


async def waiting_before(connection: Connection, job: Job) -> int:
    """How many jobs would begin before this one that waits, if nobody came any more."""
    statement = sa.select(sa.func.count()).select_from(jobs).where(before(job))
    return int((await connection.execute(statement)).scalar_one())


async def positions_of(connection: Connection, some_jobs: Sequence[Job]) -> dict[str, int]:
    """Of those that wait, by id, counted from 1."""
    return {job.id: await waiting_before(connection, job) + 1 for job in some_jobs if is_waiting(job)}


async def waiting_in_all_lanes(connection: Connection, *, limit: int) -> list[Waiting]:
    """The first in line first, whatever the lane."""
    position = sa.func.row_number().over(partition_by=jobs.c.lane, order_by=ORDER).label("position")
    is_card = (deliveries.c.job_id == jobs.c.id) & (deliveries.c.message == Message.CARD)
    statement = (
        sa.select(jobs.c.id, position, deliveries.c.message_id)
        .join(deliveries, is_card, isouter=True)
        .where(_WAITING)
        .order_by("position")
        .limit(limit)
    )
    return [
        Waiting(job_id=row.id, position=row.position, has_card=row.message_id is not None)
        for row in await connection.execute(statement)
    ]


def before(job: Job) -> sa.ColumnElement[bool]:
    assert is_waiting(job), "only what waits has a place in line"
    return (jobs.c.lane == job.lane) & _WAITING & (sa.tuple_(*ORDER) < sa.tuple_(job.turn, job.queued_ms, job.id))
