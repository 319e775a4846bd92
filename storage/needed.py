"""Which files of the store some row needs. What none needs is removed: by whoever ends the need, and at every start."""

import json
import re
from collections.abc import Collection

import sqlalchemy as sa

from storage.database import Connection, now_ms
from storage.dataset_tables import dataset_images, training_images, training_sets
from storage.jobs import RETRY_MS
from storage.statuses import JobStatus
from storage.tables import jobs, models, pictures, submissions

_FINAL = tuple(status for status in JobStatus if status.is_final)
_FILE_NAME = re.compile(r"\b[0-9a-f]{64}\b")


async def needed_files(connection: Connection, among: Collection[str] | None = None) -> set[str]:
    """The names of all that is needed, or with `among` of those that are."""
    goes_on = sa.or_(
        jobs.c.status.not_in(_FINAL),
        sa.and_(jobs.c.status == JobStatus.FAILED, jobs.c.finished_ms > now_ms() - RETRY_MS),
    )
    of_training = sa.join(training_sets, jobs, jobs.c.id == training_sets.c.id)
    to_pack = of_training.join(training_images, training_images.c.training_set_id == training_sets.c.id)
    needed: set[str] = set()
    for column, source, condition in (
        (dataset_images.c.file, dataset_images, sa.true()),
        (training_images.c.sha256, to_pack, sa.and_(goes_on, training_sets.c.prepared_file.is_(None))),
        (training_sets.c.prepared_file, of_training, goes_on),
        (models.c.weights_file, models, models.c.deleted_ms.is_(None)),
        (pictures.c.file, pictures, sa.true()),
    ):
        statement = sa.select(column).select_from(source).where(condition, column.is_not(None))
        if among is not None:
            statement = statement.where(column.in_(among))
        needed.update((await connection.execute(statement.distinct())).scalars())
    return needed | await _brought_home(connection, goes_on)


async def _brought_home(connection: Connection, goes_on: sa.ColumnElement[bool]) -> set[str]:
    """Pictures of a request that is done, in a job that is not; later they have rows of their own."""
    of_jobs = sa.join(submissions, jobs, jobs.c.id == submissions.c.job_id)
    fetched = sa.select(submissions.c.fetched).select_from(of_jobs).where(submissions.c.fetched.is_not(None), goes_on)
    found = (await connection.execute(fetched)).scalars()
    return {name for value in found for name in _FILE_NAME.findall(json.dumps(value))}
