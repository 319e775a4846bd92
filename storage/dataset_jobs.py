"""Jobs that are about a dataset: trainings that wait for Start, additions that begin it, descriptions under way."""

import sqlalchemy as sa

from storage.database import Connection, now_ms
from storage.places import Place
from storage.statuses import JobKind, JobStatus
from storage.tables import jobs

_DATASET = jobs.c.details["dataset"].as_string()


def _waits_for_start(dataset_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(jobs.c.kind == JobKind.FINETUNE, jobs.c.status == JobStatus.REVIEW, dataset_id == _DATASET)


async def reviews_of_dataset(connection: Connection, dataset_id: str) -> list[str]:
    """The ids of trainings that wait for Start and would learn from it."""
    statement = sa.select(jobs.c.id).where(_waits_for_start(dataset_id))
    return [str(job_id) for job_id in (await connection.execute(statement)).scalars()]


async def touch_reviews(connection: Connection, place: Place, dataset_id: str) -> None:
    """Their cards show another state from now on; whoever shows a card late finds them by that."""
    statement = sa.update(jobs).where(jobs.c.person_id == place.person_id, _waits_for_start(dataset_id))
    await connection.execute(statement.values(updated_ms=now_ms()))


async def captions_are_coming(connection: Connection, dataset_id: str, *, besides: str) -> bool:
    """Whether another job than this one is describing its pictures."""
    return await _is_under_way(
        connection, dataset_id, JobKind.CAPTION, JobStatus.RUNNING, JobStatus.CANCELLING, besides=besides
    )


async def pictures_are_coming(connection: Connection, dataset_id: str, *, besides: str) -> bool:
    """Whether another job than this one is adding to it."""
    return await _is_under_way(connection, dataset_id, JobKind.ADD, JobStatus.PREPARING, besides=besides)


async def _is_under_way(
    connection: Connection, dataset_id: str, kind: JobKind, *statuses: JobStatus, besides: str
) -> bool:
    statement = sa.select(jobs.c.id).where(
        jobs.c.kind == kind, jobs.c.status.in_(statuses), dataset_id == _DATASET, jobs.c.id != besides
    )
    return (await connection.execute(statement.limit(1))).first() is not None


async def dataset_being_begun(connection: Connection, person_id: int, name: str) -> str | None:
    """The id that a dataset of that name will have, when an addition of this person's is about to begin it."""
    statement = sa.select(_DATASET).where(
        jobs.c.person_id == person_id,
        jobs.c.kind == JobKind.ADD,
        jobs.c.status == JobStatus.PREPARING,
        jobs.c.details["is_new"].as_boolean(),
        sa.func.lower(jobs.c.details["name"].as_string()) == sa.func.lower(name),
    )
    found = (await connection.execute(statement.limit(1))).scalar_one_or_none()
    return None if found is None else str(found)
