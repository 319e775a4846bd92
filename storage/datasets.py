"""Datasets: the checked pictures of one training, and what was left out of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from storage.database import Connection, now_ms
from storage.places import Place, insert_if_absent, place_of
from storage.tables import dataset_images, datasets


@dataclass(frozen=True, kw_only=True)
class DatasetImage:
    name: str
    width: int
    height: int
    sha256: str
    caption: str | None = None


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """`left_out` holds a (name, reason) pair for every file that was not used; `sheet_file` is a contact sheet."""

    id: str
    place: Place
    name: str
    prepared_file: str
    images: tuple[DatasetImage, ...]
    left_out: tuple[tuple[str, str], ...]
    sheet_file: str | None = None


async def add_dataset(connection: Connection, dataset: Dataset) -> None:
    """Store a dataset with its images; storing the same one again changes nothing."""
    is_new = await insert_if_absent(
        connection,
        datasets,
        {
            "id": dataset.id,
            **dataset.place.as_columns(),
            "name": dataset.name,
            "prepared_file": dataset.prepared_file,
            "sheet_file": dataset.sheet_file,
            "left_out": [list(pair) for pair in dataset.left_out],
            "created_ms": now_ms(),
        },
    )
    if is_new and dataset.images:
        await connection.execute(sa.insert(dataset_images), _image_rows(dataset))


async def find_dataset(connection: Connection, dataset_id: str) -> Dataset | None:
    row = (await connection.execute(sa.select(datasets).where(datasets.c.id == dataset_id))).one_or_none()
    if row is None:
        return None
    statement = sa.select(dataset_images).where(dataset_images.c.dataset_id == dataset_id)
    images = (await connection.execute(statement.order_by(dataset_images.c.position))).all()
    return _dataset(row, images)


def _image_rows(dataset: Dataset) -> list[dict[str, Any]]:
    return [
        {
            "dataset_id": dataset.id,
            "position": position,
            **dataset.place.as_columns(),
            "name": image.name,
            "width": image.width,
            "height": image.height,
            "sha256": image.sha256,
            "caption": image.caption,
        }
        for position, image in enumerate(dataset.images)
    ]


def _dataset(row: sa.Row[Any], images: Sequence[sa.Row[Any]]) -> Dataset:
    return Dataset(
        id=row.id,
        place=place_of(row),
        name=row.name,
        prepared_file=row.prepared_file,
        images=tuple(
            DatasetImage(name=i.name, width=i.width, height=i.height, sha256=i.sha256, caption=i.caption)
            for i in images
        ),
        left_out=tuple((name, reason) for name, reason in row.left_out),
        sheet_file=row.sheet_file,
    )
