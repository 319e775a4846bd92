"""The intent to submit something paid, written before it is sent, so that nothing is ever sent twice."""

import sqlalchemy as sa

from storage.database import Connection, now_ms
from storage.places import Place, insert_if_absent
from storage.tables import submissions


async def intend(connection: Connection, job_id: str, place: Place) -> bool:
    """True the first time; False when somebody (we, before a crash) already meant to submit this job."""
    return await insert_if_absent(
        connection, submissions, {"job_id": job_id, **place.as_columns(), "intended_ms": now_ms()}
    )


async def remember_remote(connection: Connection, job_id: str, remote_id: str) -> None:
    await connection.execute(sa.update(submissions).where(submissions.c.job_id == job_id).values(remote_id=remote_id))


async def submitted_as(connection: Connection, job_id: str) -> str | None:
    """The provider's task id, when the answer to the submission was stored."""
    statement = sa.select(submissions.c.remote_id).where(submissions.c.job_id == job_id)
    return (await connection.execute(statement)).scalar()
