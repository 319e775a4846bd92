"""Training sets: a dataset as it was at Start, frozen, packed as the one zip that every trainer takes."""

import asyncio
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor
from functools import partial
from pathlib import Path

from bot.advice import appraisal_of
from bot.datasets.packing import Page, pack, pack_with_trigger_word
from bot.errors import BadInput, DatasetRejected, ProviderBroken
from bot.permissions import own_dataset
from bot.providers.card import TrainerCard
from bot.workflows.engine import Json
from bot.workflows.requests import settings_of
from bot.workflows.workbench import Workbench
from storage.database import Connection
from storage.datasets import locked_dataset
from storage.jobs import Job
from storage.training_sets import (
    TrainingImage,
    TrainingSet,
    add_training_set,
    find_training_set,
    remember_packed,
)
from storage.trouble import naming_trouble

AGAIN = "please run /finetune again."


class TrainingSets:
    def __init__(self, bench: Workbench, *, pool: Executor) -> None:
        self._bench = bench
        self._database = bench.database
        self._files = bench.files
        self._pool = pool

    async def freeze(self, connection: Connection, job: Job, trainer: TrainerCard) -> None:
        """What the dataset holds now is what this training learns. Raises `BadInput`, `NotFound`."""
        if await find_training_set(connection, job.id) is not None:
            return
        dataset = own_dataset(await locked_dataset(connection, job.dataset_id), job.place.person_id)
        least, has_storage = int(trainer.image_count.lowest), self._bench.objects is not None
        missing = least - len(dataset.chosen)
        if missing > 0:
            pictures = "picture" if missing == 1 else "pictures"
            raise BadInput(f"{trainer.title} needs {missing} more {pictures}: press Add more.")
        appraisal = appraisal_of(dataset, trainer, settings_of(job).mode, has_object_storage=has_storage)
        chosen = [image for image in dataset.chosen if image.number not in appraisal.left_aside]
        if len(chosen) < least:
            raise BadInput(f"These are too large together for {trainer.title}: take another trainer for them.")
        images = tuple(
            TrainingImage(name=i.name, width=i.width, height=i.height, sha256=i.file, caption=i.caption) for i in chosen
        )
        await add_training_set(connection, TrainingSet(id=job.id, place=job.place, name=dataset.name, images=images))

    async def pack(self, job_id: str) -> None:
        """Once; the same pictures and captions give the same bytes."""
        training_set = await self._find(job_id)
        if training_set.prepared_file is not None:
            return
        pages = [Page(picture=self._files.path_of(i.sha256), caption=i.caption) for i in training_set.images]
        if not all(page.picture.is_file() for page in pages):
            raise DatasetRejected(f"A picture of this dataset is gone from our disk: {AGAIN}")
        packed = self._files.work_folder(job_id) / "dataset.zip"
        await self._in_pool(partial(pack, pages, packed), "The pictures could not be packed; trying again.")
        prepared_file = await self._files.sha256_of(packed)
        async with self._files.changing:  # a training that packed the same may end and drop it before our row
            await self._files.adopt({prepared_file: packed})
            async with self._database.writing() as connection:
                await remember_packed(connection, job_id, prepared_file)
        await self._bench.drop_files({image.sha256 for image in training_set.images})  # of a dataset deleted since
        packed.unlink(missing_ok=True)

    async def forget(self, job_id: str) -> Json:
        """Its training has ended: the zip is needed no more, unless another training has the same."""
        async with self._database.reading() as connection:
            training_set = await find_training_set(connection, job_id)
        if training_set is not None and training_set.prepared_file is not None:
            await self._bench.drop_files([training_set.prepared_file])
        return {}

    async def of(self, job: Job) -> TrainingSet:
        """Raises `DatasetRejected` when its zip is gone."""
        training_set = await self._find(job.id)
        if training_set.prepared_file is None or not self._files.has(training_set.prepared_file):
            raise DatasetRejected(f"The prepared pictures are gone from our disk: {AGAIN}")
        return training_set

    async def file_for(self, job: Job, trainer: TrainerCard) -> Path:
        """The packed zip, or a copy whose captions name the trigger word, for a trainer that needs it there."""
        training_set = await self.of(job)
        assert training_set.prepared_file is not None, "`of` answers what is packed"
        prepared = self._files.path_of(training_set.prepared_file)
        if not trainer.trigger_in_captions or not any(image.caption for image in training_set.images):
            return prepared
        word = settings_of(job).trigger_word
        captioned = self._files.work_folder(job.id) / f"captioned-{word}.zip"  # moved elsewhere, it may get another
        if not captioned.is_file():
            await self._in_pool(
                partial(pack_with_trigger_word, prepared, captioned, word),
                "The captions could not be written; trying again.",
            )
        return captioned

    async def _in_pool(self, work: Callable[[], None], broken: str) -> None:
        """Raises `StorageTrouble` for a full disk, which a worker meets as we would."""
        try:
            with naming_trouble():
                await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except BrokenExecutor:
            raise ProviderBroken(broken) from None

    async def _find(self, job_id: str) -> TrainingSet:
        async with self._database.reading() as connection:
            training_set = await find_training_set(connection, job_id)
        if training_set is None:
            raise DatasetRejected(f"The dataset is gone: {AGAIN}")
        return training_set
