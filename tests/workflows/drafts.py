"""Datasets that lie ready in a workshop: with pictures in the store, as an addition leaves them."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.workflows.requests import FinetuneRequest
from storage.datasets import Dataset, DatasetImage, find_dataset
from storage.jobs import Job, add_job
from storage.places import Place
from storage.statuses import JobKind, JobStatus
from tests.builders import PLACE, dataset, dataset_image, finetune_job, store_dataset
from tests.workflows.workshop import Workshop

ME = PLACE.person_id
SOMEBODY = replace(PLACE, person_id=ME + 1)
DRAFT = "5005"


async def store_draft(
    workshop: Workshop, captions: list[str | None], *, dataset_id: str = DRAFT, place: Place = PLACE, name: str = "Luna"
) -> Dataset:
    """With a picture for each caption, and its bytes in the store."""
    images = [await _image(workshop, number, caption) for number, caption in enumerate(captions, start=1)]
    addition = finetune_job(id=dataset_id, place=place, kind=JobKind.ADD, status=JobStatus.DONE, provider="atelier")
    async with workshop.database.writing() as connection:
        await add_job(connection, addition)
        await store_dataset(
            connection, dataset(id=dataset_id, place=place, name=name, images=tuple(images), left_out=())
        )
    return await draft(workshop, dataset_id)


async def _image(workshop: Workshop, number: int, caption: str | None) -> DatasetImage:
    content = f"picture {number}".encode()
    into = workshop.files.work_folder("drafts") / str(number)
    into.write_bytes(content)
    await workshop.files.keep(into)
    await workshop.files.clear_work("drafts")
    return dataset_image(number, file=hashlib.sha256(content).hexdigest(), caption=caption)


async def draft(workshop: Workshop, dataset_id: str = DRAFT) -> Dataset:
    found = await draft_or_none(workshop, dataset_id)
    assert found is not None
    return found


async def draft_or_none(workshop: Workshop, dataset_id: str = DRAFT) -> Dataset | None:
    async with workshop.database.reading() as connection:
        return await find_dataset(connection, dataset_id)


def captions_of(value: Dataset) -> list[str | None]:
    return [image.caption for image in value.images]


async def ended(workshop: Workshop, job_id: str) -> Job:
    return await workshop.until(job_id, JobStatus.DONE, JobStatus.FAILED, JobStatus.UNCERTAIN, JobStatus.CANCELLED)


def kept(workshop: Workshop) -> set[str]:
    """The names of the files in the store."""
    return {path.name for path in Path(workshop.files._root).glob("??/*")}


def training(dataset_id: str = DRAFT, **changes: Any) -> FinetuneRequest:
    """Of a dataset that is there."""
    values = {"name": "Moon", "trigger_word": "ohwx", "mode": "style", "uploads": (), "dataset": dataset_id, **changes}
    return FinetuneRequest(**values)
