"""The intent to submit something paid, written before it is sent, so that nothing is ever sent twice.

A job may need several paid requests; `part` numbers them from 0. A job may be tried again; `round` counts from 0. The
latest round of a part is the one that counts, and a round that ended without a verdict is taken up by the next.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from storage.database import Connection, now_ms
from storage.jobs import Job
from storage.places import insert_if_absent
from storage.statuses import ErrorCategory
from storage.tables import submissions


@dataclass(frozen=True, kw_only=True)
class Submission:
    """`remote_id`, `links` and `accepted_ms` are the provider's answer; None and empty until it is stored.

    `verdict` is why the provider ended it without a result; `fetched` is what was brought home of it, as JSON.
    """

    job_id: str
    part: int
    round: int
    provider: str
    intended_ms: int
    accepted_ms: int | None
    remote_id: str | None
    links: Mapping[str, str]
    finished_ms: int | None
    fetched: Mapping[str, Any] | None
    verdict: ErrorCategory | None
    verdict_sentence: str


async def intend(connection: Connection, job: Job, part: int) -> bool:
    """True the first time; False when somebody (we, before a crash) already meant to submit this in this round."""
    values = {
        "job_id": job.id,
        "part": part,
        "round": job.round,
        **job.place.as_columns(),
        "provider": job.provider,
        "intended_ms": now_ms(),
    }
    return await insert_if_absent(connection, submissions, values)


async def withdraw(connection: Connection, intent: Submission) -> None:
    """The intent is known to have come to nothing: the next attempt is a first one."""
    await connection.execute(sa.delete(submissions).where(*_is(intent), submissions.c.remote_id.is_(None)))


async def remember_remote(connection: Connection, intent: Submission, remote_id: str, links: Mapping[str, str]) -> None:
    await _change(connection, intent, remote_id=remote_id, links=dict(links), accepted_ms=now_ms())


async def remember_finished(connection: Connection, submission: Submission) -> None:
    await _change(connection, submission, finished_ms=now_ms())


async def remember_fetched(connection: Connection, submission: Submission, fetched: Mapping[str, Any]) -> None:
    await _change(connection, submission, fetched=dict(fetched))


async def remember_verdict(
    connection: Connection, submission: Submission, category: ErrorCategory, sentence: str
) -> None:
    """It is over without a result: a next round may submit anew."""
    await _change(connection, submission, verdict=category, verdict_sentence=sentence[:1000])


async def latest_submission(connection: Connection, job_id: str, part: int) -> Submission | None:
    statement = (
        sa.select(submissions)
        .where(submissions.c.job_id == job_id, submissions.c.part == part)
        .order_by(submissions.c.round.desc())
        .limit(1)
    )
    row = (await connection.execute(statement)).one_or_none()
    return _submission(row) if row is not None else None


async def submissions_of(connection: Connection, job_id: str) -> list[Submission]:
    """In the order of their parts and rounds."""
    statement = (
        sa.select(submissions).where(submissions.c.job_id == job_id).order_by(submissions.c.part, submissions.c.round)
    )
    return [_submission(row) for row in await connection.execute(statement)]


async def latest_submissions(connection: Connection, job_id: str) -> list[Submission]:
    """That of each part which counts."""
    return list({one.part: one for one in await submissions_of(connection, job_id)}.values())


async def open_submissions(connection: Connection, job_id: str) -> list[Submission]:
    """Those that count and have no verdict."""
    return [one for one in await latest_submissions(connection, job_id) if one.verdict is None]


async def belongs_to_another(connection: Connection, remote_id: str, intent: Submission) -> bool:
    """Whether this task is the answer to some other intent."""
    statement = sa.select(sa.func.count()).where(
        submissions.c.remote_id == remote_id,
        submissions.c.provider == intent.provider,
        sa.not_(sa.and_(*_is(intent))),
    )
    return int((await connection.execute(statement)).scalar_one()) > 0


async def _change(connection: Connection, submission: Submission, **changes: Any) -> None:
    await connection.execute(sa.update(submissions).where(*_is(submission)).values(**changes))


def _is(one: Submission) -> tuple[sa.ColumnElement[bool], ...]:
    return submissions.c.job_id == one.job_id, submissions.c.part == one.part, submissions.c.round == one.round


def _submission(row: sa.Row[Any]) -> Submission:
    return Submission(
        job_id=row.job_id,
        part=row.part,
        round=row.round,
        provider=row.provider,
        intended_ms=row.intended_ms,
        accepted_ms=row.accepted_ms,
        remote_id=row.remote_id,
        links=row.links,
        finished_ms=row.finished_ms,
        fetched=row.fetched,
        verdict=ErrorCategory(row.verdict) if row.verdict else None,
        verdict_sentence=row.verdict_sentence,
    )
