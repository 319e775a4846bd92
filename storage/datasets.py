"""Datasets: drafts that their person comes back to. What changes them is in `dataset_steps`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from storage.database import Connection, now_ms
from storage.dataset_jobs import touch_reviews
from storage.dataset_tables import dataset_images, dataset_steps, datasets
from storage.places import Place, insert_if_absent, place_of, remember_place
from storage.statuses import DatasetAct


@dataclass(frozen=True, kw_only=True)
class DatasetImage:
    """`number` is what its person sees on it and never changes; `file` is the prepared picture's name in the store.

    `size_bytes` is 0 for one that was taken in before sizes were kept. `is_in` is False for one that was left out and
    may be taken back. `measures` are those of `bot/datasets`.
    """

    number: int
    name: str
    file: str
    width: int
    height: int
    original_width: int
    original_height: int
    size_bytes: int
    measures: Mapping[str, Any]
    caption: str | None = None
    is_in: bool = True


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """`images` in the order of their numbers; `left_out` is a (name, reason) pair for every file of the additions that
    are remembered and not undone, the latest first; `last_act` is what *Undo* would undo, `last_step` its number,
    `steps` how many there are."""

    id: str
    place: Place
    name: str
    images: tuple[DatasetImage, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    last_act: DatasetAct | None = None
    last_step: int = 0
    steps: int = 0
    updated_ms: int = 0

    @property
    def chosen(self) -> tuple[DatasetImage, ...]:
        """The pictures that a training would learn from."""
        return tuple(image for image in self.images if image.is_in)


@dataclass(frozen=True, kw_only=True)
class DatasetLine:
    """A dataset in a list: how many pictures it has, and the file of the first."""

    id: str
    name: str
    pictures: int
    cover: str | None
    updated_ms: int


async def create_dataset(connection: Connection, dataset_id: str, place: Place, name: str) -> bool:
    """An empty dataset; False when it is there already."""
    await remember_place(connection, place)
    now = now_ms()
    row = {"id": dataset_id, **place.as_columns(), "name": name, "created_ms": now, "updated_ms": now}
    return await insert_if_absent(connection, datasets, row)


async def find_dataset(connection: Connection, dataset_id: str) -> Dataset | None:
    row = (await connection.execute(sa.select(datasets).where(datasets.c.id == dataset_id))).one_or_none()
    return None if row is None else await _whole(connection, row)


async def name_of_dataset(connection: Connection, dataset_id: str) -> str | None:
    """None when it is gone."""
    statement = sa.select(datasets.c.name).where(datasets.c.id == dataset_id)
    return (await connection.execute(statement)).scalar_one_or_none()


async def locked_dataset(connection: Connection, dataset_id: str) -> Dataset | None:
    """The dataset, which nobody else changes until this transaction ends."""
    statement = sa.select(datasets).where(datasets.c.id == dataset_id).with_for_update()
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else await _whole(connection, row)


async def dataset_named(connection: Connection, person_id: int, name: str) -> str | None:
    """The id of this person's dataset of that name, in any case."""
    statement = (
        sa.select(datasets.c.id)
        .where(datasets.c.person_id == person_id, sa.func.lower(datasets.c.name) == sa.func.lower(name))
        .order_by(datasets.c.updated_ms.desc())
        .limit(1)
    )
    found = (await connection.execute(statement)).scalar_one_or_none()
    return None if found is None else str(found)


async def free_name(connection: Connection, person_id: int, name: str) -> str:
    """The name, numbered when this person has a dataset of that name."""
    candidate, number = name, 1
    while await dataset_named(connection, person_id, candidate) is not None:
        number += 1
        candidate = f"{name[:44]} {number}"
    return candidate


async def datasets_of_person(
    connection: Connection, person_id: int, *, limit: int, offset: int = 0
) -> list[DatasetLine]:
    """The one worked on last comes first."""
    is_in = sa.and_(dataset_images.c.dataset_id == datasets.c.id, dataset_images.c.is_in)
    pictures = sa.select(sa.func.count()).select_from(dataset_images).where(is_in).scalar_subquery()
    first = sa.select(dataset_images.c.file).where(is_in).order_by(dataset_images.c.number).limit(1).scalar_subquery()
    statement = (
        sa.select(
            datasets.c.id, datasets.c.name, datasets.c.updated_ms, pictures.label("pictures"), first.label("cover")
        )
        .where(datasets.c.person_id == person_id)
        .order_by(datasets.c.updated_ms.desc(), datasets.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [
        DatasetLine(id=row.id, name=row.name, pictures=row.pictures, cover=row.cover, updated_ms=row.updated_ms)
        for row in await connection.execute(statement)
    ]


async def count_datasets_of_person(connection: Connection, person_id: int) -> int:
    statement = sa.select(sa.func.count()).select_from(datasets).where(datasets.c.person_id == person_id)
    return int((await connection.execute(statement)).scalar_one())


async def sizes_in_datasets(connection: Connection, person_id: int) -> dict[str, dict[str, int]]:
    """By the names of this person's datasets, the bytes of each file, of those that were left out too."""
    of_datasets = sa.join(dataset_images, datasets, datasets.c.id == dataset_images.c.dataset_id)
    statement = sa.select(datasets.c.name, dataset_images.c.file, dataset_images.c.size_bytes).select_from(of_datasets)
    found: dict[str, dict[str, int]] = {}
    for row in await connection.execute(statement.where(datasets.c.person_id == person_id)):
        found.setdefault(row.name, {})[row.file] = row.size_bytes
    return found


async def delete_dataset(connection: Connection, dataset: Dataset) -> set[str]:
    """Remove it with its history; answers the files of which no other dataset knows."""
    await touch_reviews(connection, dataset.place, dataset.id)
    await connection.execute(sa.delete(datasets).where(datasets.c.id == dataset.id))
    return await files_of_no_dataset(connection, {image.file for image in dataset.images})


async def files_of_no_dataset(connection: Connection, files: Collection[str]) -> set[str]:
    statement = sa.select(dataset_images.c.file).where(dataset_images.c.file.in_(files))
    return set(files) - set((await connection.execute(statement)).scalars())


async def _whole(connection: Connection, row: sa.Row[Any]) -> Dataset:
    images = sa.select(dataset_images).where(dataset_images.c.dataset_id == row.id).order_by(dataset_images.c.number)
    steps = sa.select(dataset_steps).where(dataset_steps.c.dataset_id == row.id).order_by(dataset_steps.c.number)
    history = (await connection.execute(steps)).all()
    changes = [step for step in history if step.before]  # the others only tell of files that were left out
    return Dataset(
        id=row.id,
        place=place_of(row),
        name=row.name,
        images=tuple(_image(image) for image in await connection.execute(images)),
        left_out=tuple((name, reason) for step in reversed(history) for name, reason in step.left_out),
        last_act=DatasetAct(changes[-1].act) if changes else None,
        last_step=changes[-1].number if changes else 0,
        steps=len(changes),
        updated_ms=row.updated_ms,
    )


def _image(row: sa.Row[Any]) -> DatasetImage:
    return DatasetImage(
        number=row.number,
        name=row.name,
        file=row.file,
        width=row.width,
        height=row.height,
        original_width=row.original_width,
        original_height=row.original_height,
        size_bytes=row.size_bytes,
        measures=row.measures,
        caption=row.caption,
        is_in=row.is_in,
    )
