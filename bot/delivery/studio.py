"""A dataset as its person sees it: with what a trainer makes of it, and as one sheet. For the notifier and cogs."""

import asyncio
import hashlib
import io
import logging
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import replace
from functools import partial
from pathlib import Path

import discord

from bot.advice import ANY_TRAINER, appraisal_of, caption_offer
from bot.messages.sheet_pages import SHEET_NAME, captioned, covers, sheet_alt_text, tiles
from bot.messages.view import DatasetView
from bot.permissions import Action, own_dataset, require
from bot.pictures.sheets import Tile, write_report_sheet
from bot.providers.card import Mode, ProviderCard, TrainerCard
from bot.providers.registry import Providers
from storage.database import Database
from storage.datasets import Dataset, DatasetImage, DatasetLine, find_dataset
from storage.files import Files
from storage.jobs import Job, find_job
from storage.statuses import JobKind, JobStatus

log = logging.getLogger(__name__)

REMEMBERED_SHEETS = 16  # of at most 1.5 MB


class Studio:
    def __init__(
        self, *, database: Database, files: Files, providers: Providers, pool: Executor, has_object_storage: bool
    ) -> None:
        self._database = database
        self._files = files
        self._providers = providers
        self._pool = pool
        self._has_object_storage = has_object_storage
        self._sheets: OrderedDict[str, bytes] = OrderedDict()

    async def view_of(self, subject: str, person_id: int) -> DatasetView:
        """By the id of a dataset, or of a training. Raises `NotFound`, `NotYours`, `BadInput`.

        A training judges it only while it waits for Start. What it began with is itself again afterwards, and buttons
        that speak of the training still find it.
        """
        async with self._database.reading() as connection:
            job = await find_job(connection, subject)
            training = job if job is not None and job.kind is JobKind.FINETUNE else None
            dataset = await find_dataset(connection, training.dataset_id if training else subject)
        dataset = own_dataset(dataset, person_id)
        is_open = training is not None and training.status is JobStatus.REVIEW
        view = self.view_for(training, dataset) if training is not None and is_open else None
        if view is not None:
            return replace(view, is_public=False)
        trainers = self._providers.trainers()
        provider, trainer = trainers[0] if trainers else (None, ANY_TRAINER)
        return self._view(dataset.id, dataset, provider, trainer, Mode.GENERAL)

    async def left_out_of(self, subject: str, person_id: int) -> tuple[str, Sequence[tuple[str, str]]]:
        """The name of what they were left out of, and the files: of a dataset, or of a job that could use none."""
        async with self._database.reading() as connection:
            job = await find_job(connection, subject)
            is_training = job is not None and job.kind is JobKind.FINETUNE
            dataset = await find_dataset(connection, job.dataset_id if job and is_training else subject)
        if dataset is None and job is not None and "left_out" in job.details:
            require(person_id, Action.SEE_JOB, job.place)
            return job.details["name"], job.details["left_out"]
        return (dataset := own_dataset(dataset, person_id)).name, dataset.left_out

    def view_for(self, job: Job, dataset: Dataset) -> DatasetView | None:
        """As its trainer sees it and the channel may; None when that is not offered any more."""
        provider = self._providers.card_of(job.provider)
        trainer = provider.trainer(job.details["trainer"])
        if trainer is None:
            return None
        view = self._view(job.id, dataset, provider, trainer, Mode(job.details["settings"]["mode"]))
        return replace(view, is_public=True)

    def _view(
        self, subject: str, dataset: Dataset, provider: ProviderCard | None, trainer: TrainerCard, mode: Mode
    ) -> DatasetView:
        return DatasetView(
            subject=subject,
            dataset=dataset,
            appraisal=appraisal_of(dataset, trainer, mode, has_object_storage=self._has_object_storage),
            provider=provider,
            trainer=trainer,
            mode=mode,
            offer=caption_offer(dataset, self._providers),
        )

    async def sheet(self, view: DatasetView) -> list[discord.File]:
        """The whole dataset as one picture, or nothing when it cannot be drawn."""
        shown, beyond = tiles(view, self._paths(image.file for image in view.dataset.images))
        return await self._file(shown, beyond, sheet_alt_text(view))

    async def captioned(self, images: Sequence[DatasetImage]) -> list[discord.File]:
        """A few pictures of it, for their captions' sake."""
        names = ", ".join(f"{image.number} {image.name}" for image in images)
        return await self._file(captioned(images, self._paths(image.file for image in images)), 0, names[:1024])

    async def covers(self, lines: Sequence[DatasetLine]) -> list[discord.File]:
        """One picture of each dataset in a list."""
        names = ", ".join(line.name for line in lines)
        paths = self._paths(line.cover for line in lines if line.cover is not None)
        return await self._file(covers(lines, paths), 0, names[:1024])

    def _paths(self, names: Iterable[str]) -> dict[str, Path]:
        return {name: self._files.path_of(name) for name in names}

    async def _file(self, shown: Sequence[Tile], beyond: int, description: str) -> list[discord.File]:
        if not shown:
            return []
        key = hashlib.sha256(repr((shown, beyond)).encode()).hexdigest()
        content = self._sheets.get(key) or await self._drawn(shown, beyond)
        if content is None:
            return []
        self._sheets[key] = content
        self._sheets.move_to_end(key)
        while len(self._sheets) > REMEMBERED_SHEETS:
            self._sheets.popitem(last=False)
        return [discord.File(io.BytesIO(content), filename=SHEET_NAME, description=description)]

    async def _drawn(self, shown: Sequence[Tile], beyond: int) -> bytes | None:
        """A card without its sheet is better than no card."""
        into = self._files.passing(".jpg")
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._pool, partial(write_report_sheet, tuple(shown), into, beyond=beyond))
            return await asyncio.to_thread(into.read_bytes)
        except (BrokenExecutor, OSError) as problem:
            log.warning("A sheet could not be drawn: %s", problem)
            return None
        finally:
            into.unlink(missing_ok=True)
