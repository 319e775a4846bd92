"""What happens to a dataset: every change is a step that remembers what it replaced, so that the last can be undone."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from storage.database import Connection, now_ms
from storage.dataset_jobs import touch_reviews
from storage.dataset_tables import dataset_images, dataset_steps, datasets
from storage.datasets import Dataset, DatasetImage, files_of_no_dataset
from storage.statuses import DatasetAct

Changes = Mapping[int, Mapping[str, Any]]  # columns of images, by number: `is_in` and `caption`

REMEMBERED_STEPS = 50
FILES_TOLD = 2000  # of those one addition left out: as many as one zip may hold


@dataclass(frozen=True, kw_only=True)
class Addition:
    """How many pictures it brought, how many captions to pictures that were there, and a (name, reason) pair for every
    file that it did not use."""

    pictures: int
    left_out: tuple[tuple[str, str], ...]
    captions: int = 0


async def add_images(
    connection: Connection,
    dataset: Dataset,
    images: Sequence[DatasetImage],
    *,
    left_out: Sequence[tuple[str, str]],
    job_id: str,
) -> None:
    """A step: these pictures are in from now on, under numbers given here. One that is there already comes back if it
    was left out, and takes the caption over if it had none."""
    known = {image.file: image for image in dataset.images}
    number = await _numbers_given(connection, dataset, sum(image.file not in known for image in images))
    before: dict[int, dict[str, Any]] = {}
    after: dict[int, dict[str, Any]] = {}
    rows = []
    for image in images:
        if (there := known.get(image.file)) is not None:
            changed = _taken_over(there, image)
            if changed:
                after[there.number] = changed
                before[there.number] = {column: getattr(there, column) for column in changed}
            continue
        number += 1
        before[number] = {"is_in": False}
        rows.append(_image_row(dataset, image, number))
    if rows:
        await connection.execute(sa.insert(dataset_images), rows)
    await _write(connection, dataset.id, after)
    await _add_step(connection, dataset, DatasetAct.ADD, before, left_out=left_out[:FILES_TOLD], job_id=job_id)


def _taken_over(there: DatasetImage, again: DatasetImage) -> dict[str, Any]:
    changed: dict[str, Any] = {} if there.is_in else {"is_in": True}
    if again.caption and not there.caption:
        changed["caption"] = again.caption
    return changed


async def addition_of(connection: Connection, job_id: str) -> Addition | None:
    """What that job added; None when it added nothing (yet)."""
    statement = sa.select(dataset_steps.c.before, dataset_steps.c.left_out).where(dataset_steps.c.job_id == job_id)
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    changes = row.before.values()
    return Addition(
        pictures=sum("is_in" in changed for changed in changes),
        captions=sum("is_in" not in changed for changed in changes),
        left_out=tuple((name, reason) for name, reason in row.left_out),
    )


async def change_images(connection: Connection, dataset: Dataset, act: DatasetAct, changes: Changes) -> bool:
    """A step that writes these columns; False when they hold those values already, and nothing was done."""
    images = {image.number: image for image in dataset.images}
    before = {
        number: {column: getattr(images[number], column) for column in columns}
        for number, columns in changes.items()
        if any(getattr(images[number], column) != value for column, value in columns.items())
    }
    if not before:
        return False
    await _write(connection, dataset.id, {number: changes[number] for number in before})
    await _add_step(connection, dataset, act, before)
    return True


async def remove_images(connection: Connection, dataset: Dataset, numbers: Collection[int]) -> set[str]:
    """For good: no step, and none that is remembered brings them back. Answers the files that no dataset has now."""
    of_it = dataset_steps.c.dataset_id == dataset.id
    for step in (await connection.execute(sa.select(dataset_steps).where(of_it))).all():
        before = {key: value for key, value in step.before.items() if key == "name" or int(key) not in numbers}
        this = sa.and_(of_it, dataset_steps.c.number == step.number)
        if before or step.job_id is not None:  # an addition is still told of
            await connection.execute(sa.update(dataset_steps).where(this).values(before=before))
        else:
            await connection.execute(sa.delete(dataset_steps).where(this))
    images = sa.delete(dataset_images).where(dataset_images.c.dataset_id == dataset.id)
    await connection.execute(images.where(dataset_images.c.number.in_(numbers)))
    await _touch(connection, dataset)
    return await files_of_no_dataset(connection, {i.file for i in dataset.images if i.number in numbers})


async def rename_dataset(connection: Connection, dataset: Dataset, name: str) -> None:
    await connection.execute(sa.update(datasets).where(datasets.c.id == dataset.id).values(name=name))
    await _add_step(connection, dataset, DatasetAct.RENAME, {"name": dataset.name})


async def undo_step(connection: Connection, dataset: Dataset, number: int) -> bool:
    """False when that is not the last step: it was undone already, or something was done since."""
    step = await _last_step(connection, dataset.id)
    if step is None or step.number != number:
        return False
    if DatasetAct(step.act) is DatasetAct.RENAME:
        name = step.before["name"]
        await connection.execute(sa.update(datasets).where(datasets.c.id == dataset.id).values(name=name))
    else:
        await _write(connection, dataset.id, {int(number): columns for number, columns in step.before.items()})
    statement = sa.delete(dataset_steps).where(dataset_steps.c.dataset_id == dataset.id)
    await connection.execute(statement.where(dataset_steps.c.number == step.number))
    await _touch(connection, dataset)
    return True


async def remember_asked(connection: Connection, dataset_id: str, number: int, job_id: str) -> bool:
    """A provider is about to be asked, and paid, to describe this picture; False when this job has asked already, or
    the picture needs no caption (any more)."""
    statement = (
        sa.update(dataset_images)
        .where(dataset_images.c.dataset_id == dataset_id, dataset_images.c.number == number)
        .where(dataset_images.c.caption.is_(None), dataset_images.c.is_in)
        .where(sa.or_(dataset_images.c.asked_by.is_(None), dataset_images.c.asked_by != job_id))
    )
    return (await connection.execute(statement.values(asked_by=job_id))).rowcount == 1


async def forget_asked(connection: Connection, dataset_id: str, number: int, job_id: str) -> None:
    """The question was certainly not taken."""
    statement = (
        sa.update(dataset_images)
        .where(dataset_images.c.dataset_id == dataset_id, dataset_images.c.number == number)
        .where(dataset_images.c.asked_by == job_id)
    )
    await connection.execute(statement.values(asked_by=None))


async def describe_image(connection: Connection, dataset: Dataset, number: int, caption: str, *, job_id: str) -> None:
    """What its person wrote meanwhile stays. All that one job describes is one step, whatever is done in between."""
    image = next((image for image in dataset.images if image.number == number), None)
    if image is None or image.caption is not None:
        return
    await _write(connection, dataset.id, {number: {"caption": caption}})
    statement = sa.select(dataset_steps).where(dataset_steps.c.job_id == job_id)
    begun = (await connection.execute(statement)).one_or_none()
    if begun is None:
        await _add_step(connection, dataset, DatasetAct.CAPTION, {number: {"caption": None}}, job_id=job_id)
        return
    before = {**begun.before, str(number): {"caption": None}}
    await connection.execute(sa.update(dataset_steps).where(dataset_steps.c.job_id == job_id).values(before=before))
    await _touch(connection, dataset)


async def _write(connection: Connection, dataset_id: str, changes: Changes) -> None:
    for number, columns in changes.items():
        statement = sa.update(dataset_images).where(dataset_images.c.dataset_id == dataset_id)
        await connection.execute(statement.where(dataset_images.c.number == number).values(**columns))


async def _numbers_given(connection: Connection, dataset: Dataset, more: int) -> int:
    """How many there were before; a number is never given twice, whatever was removed."""
    given = datasets.c.numbers_given + more
    counting = sa.update(datasets).where(datasets.c.id == dataset.id).values(numbers_given=given)
    return int((await connection.execute(counting.returning(datasets.c.numbers_given))).scalar_one()) - more


def _image_row(dataset: Dataset, image: DatasetImage, number: int) -> dict[str, Any]:
    return {
        "dataset_id": dataset.id,
        "number": number,
        **dataset.place.as_columns(),
        "name": image.name,
        "file": image.file,
        "width": image.width,
        "height": image.height,
        "original_width": image.original_width,
        "original_height": image.original_height,
        "size_bytes": image.size_bytes,
        "measures": dict(image.measures),
        "caption": image.caption,
        "is_in": True,
    }


async def _add_step(
    connection: Connection,
    dataset: Dataset,
    act: DatasetAct,
    before: Mapping[Any, Any],
    *,
    left_out: Sequence[tuple[str, str]] = (),
    job_id: str | None = None,
) -> None:
    counting = sa.update(datasets).where(datasets.c.id == dataset.id).values(steps_made=datasets.c.steps_made + 1)
    number = (await connection.execute(counting.returning(datasets.c.steps_made))).scalar_one()
    step = {
        "dataset_id": dataset.id,
        "number": number,
        **dataset.place.as_columns(),
        "act": act,
        "before": {str(key): value for key, value in before.items()},
        "left_out": [list(pair) for pair in left_out],
        "job_id": job_id,
        "made_ms": now_ms(),
    }
    await connection.execute(sa.insert(dataset_steps).values(**step))
    of_it = dataset_steps.c.dataset_id == dataset.id
    newest_first = sa.select(dataset_steps.c.number).where(of_it).order_by(dataset_steps.c.number.desc())
    too_old = newest_first.limit(1).offset(REMEMBERED_STEPS).scalar_subquery()
    await connection.execute(sa.delete(dataset_steps).where(of_it, dataset_steps.c.number <= too_old))
    await _touch(connection, dataset)


async def _last_step(connection: Connection, dataset_id: str) -> sa.Row[Any] | None:
    """The last that changed something."""
    statement = sa.select(dataset_steps).where(dataset_steps.c.dataset_id == dataset_id)
    newest_first = await connection.execute(statement.order_by(dataset_steps.c.number.desc()))
    return next((step for step in newest_first if step.before), None)


async def _touch(connection: Connection, dataset: Dataset) -> None:
    await connection.execute(sa.update(datasets).where(datasets.c.id == dataset.id).values(updated_ms=now_ms()))
    await touch_reviews(connection, dataset.place, dataset.id)
