"""Training sets: what one training learnt from, as it was when its person pressed Start. Never changed afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from storage.database import Connection, now_ms
from storage.dataset_tables import training_images, training_sets
from storage.places import Place, insert_if_absent, place_of


@dataclass(frozen=True, kw_only=True)
class TrainingImage:
    """`sha256` is the picture's file in the store, as long as `prepared_file` is not packed."""

    name: str
    width: int
    height: int
    sha256: str
    caption: str | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """`id` is its job's; `prepared_file` the zip for the trainer, None until it is packed."""

    id: str
    place: Place
    name: str
    images: tuple[TrainingImage, ...]
    prepared_file: str | None = None


async def add_training_set(connection: Connection, training_set: TrainingSet) -> None:
    """Store it with its images; storing the same one again changes nothing."""
    is_new = await insert_if_absent(
        connection,
        training_sets,
        {
            "id": training_set.id,
            **training_set.place.as_columns(),
            "name": training_set.name,
            "prepared_file": training_set.prepared_file,
            "created_ms": now_ms(),
        },
    )
    if is_new and training_set.images:
        await connection.execute(sa.insert(training_images), _image_rows(training_set))


async def find_training_set(connection: Connection, job_id: str) -> TrainingSet | None:
    row = (await connection.execute(sa.select(training_sets).where(training_sets.c.id == job_id))).one_or_none()
    if row is None:
        return None
    statement = sa.select(training_images).where(training_images.c.training_set_id == job_id)
    images = (await connection.execute(statement.order_by(training_images.c.position))).all()
    return _training_set(row, images)


async def remember_packed(connection: Connection, job_id: str, prepared_file: str) -> None:
    statement = sa.update(training_sets).where(training_sets.c.id == job_id)
    await connection.execute(statement.values(prepared_file=prepared_file))


def _image_rows(training_set: TrainingSet) -> list[dict[str, Any]]:
    return [
        {
            "training_set_id": training_set.id,
            "position": position,
            **training_set.place.as_columns(),
            "name": image.name,
            "width": image.width,
            "height": image.height,
            "sha256": image.sha256,
            "caption": image.caption,
        }
        for position, image in enumerate(training_set.images)
    ]


def _training_set(row: sa.Row[Any], images: Sequence[sa.Row[Any]]) -> TrainingSet:
    return TrainingSet(
        id=row.id,
        place=place_of(row),
        name=row.name,
        prepared_file=row.prepared_file,
        images=tuple(
            TrainingImage(name=i.name, width=i.width, height=i.height, sha256=i.sha256, caption=i.caption)
            for i in images
        ),
    )
