"""The intent to submit something paid, written before it is sent, so that nothing is ever sent twice.

A job may need several paid requests; `part` numbers them from 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from storage.database import Connection, now_ms
from storage.places import Place, insert_if_absent
from storage.tables import submissions


@dataclass(frozen=True, kw_only=True)
class Submission:
    """`remote_id` and `links` are the provider's answer; None and empty until it is stored."""

    job_id: str
    part: int
    intended_ms: int
    remote_id: str | None
    links: Mapping[str, str]


async def intend(connection: Connection, job_id: str, part: int, place: Place) -> bool:
    """True the first time; False when somebody (we, before a crash) already meant to submit this."""
    values = {"job_id": job_id, "part": part, **place.as_columns(), "intended_ms": now_ms()}
    return await insert_if_absent(connection, submissions, values)


async def withdraw(connection: Connection, job_id: str, part: int) -> None:
    """The intent is known to have come to nothing: the next attempt is a first one."""
    await connection.execute(sa.delete(submissions).where(*_is(job_id, part), submissions.c.remote_id.is_(None)))


async def remember_remote(
    connection: Connection, job_id: str, part: int, remote_id: str, links: Mapping[str, str]
) -> None:
    await connection.execute(
        sa.update(submissions).where(*_is(job_id, part)).values(remote_id=remote_id, links=dict(links))
    )


async def find_submission(connection: Connection, job_id: str, part: int) -> Submission | None:
    row = (await connection.execute(sa.select(submissions).where(*_is(job_id, part)))).one_or_none()
    return _submission(row) if row is not None else None


async def submissions_of(connection: Connection, job_id: str) -> list[Submission]:
    """In the order of their parts."""
    statement = sa.select(submissions).where(submissions.c.job_id == job_id).order_by(submissions.c.part)
    return [_submission(row) for row in await connection.execute(statement)]


async def belongs_to_another(connection: Connection, remote_id: str, job_id: str, part: int) -> bool:
    """Whether this task is the answer to some other intent."""
    statement = sa.select(sa.func.count()).where(
        submissions.c.remote_id == remote_id, sa.not_(sa.and_(*_is(job_id, part)))
    )
    return int((await connection.execute(statement)).scalar_one()) > 0


def _is(job_id: str, part: int) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return submissions.c.job_id == job_id, submissions.c.part == part


def _submission(row: sa.Row[Any]) -> Submission:
    return Submission(
        job_id=row.job_id,
        part=row.part,
        intended_ms=row.intended_ms,
        remote_id=row.remote_id,
        links=row.links,
    )
