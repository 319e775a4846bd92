"""Review: a finetune waits for its person, who may change it before anything is spent, and starts it."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from bot.datasets.captions.captions import as_word
from bot.datasets.captions.edits import change_trigger_word_in_all
from bot.errors import BadInput, NotFound, TooLate
from bot.permissions import Action, require
from bot.providers.card import TrainerCard
from bot.workflows.finetune import TRAIN
from bot.workflows.requests import AdvancedChoices, advanced_settings, checked_trigger_word, settings_of
from bot.workflows.training_sets import TrainingSets
from bot.workflows.workbench import Workbench, lane_of
from storage.database import Connection
from storage.dataset_jobs import captions_are_coming, pictures_are_coming
from storage.dataset_steps import change_images
from storage.datasets import Dataset, locked_dataset
from storage.jobs import Job, change_job, find_job
from storage.statuses import DatasetAct, JobKind, JobStatus

TOO_LATE = "That training is no longer waiting for you: its card shows where it stands."


class Review:
    """Every method raises `NotFound`, `NotYours`, and `TooLate` once the training is no longer under review."""

    def __init__(self, bench: Workbench, training_sets: TrainingSets) -> None:
        self._bench = bench
        self._database = bench.database
        self._training_sets = training_sets

    async def start(self, job_id: str, person_id: int) -> None:
        """Pressing twice starts once. Raises `BadInput`, also while its dataset is being changed, and `TooMany`."""
        async with self._database.writing() as connection:
            job = await self._job(connection, job_id, person_id)
            await self._bench.caps.check(connection, job.place)
            await _refuse_while_more_comes(connection, job)
            await self._training_sets.freeze(connection, job, self._trainer_of(job))
            await self._change(connection, job_id, status=JobStatus.RUNNING, progress=0.0, note="")
            await self._bench.enqueue(connection, job, story=TRAIN, lane=lane_of(job.provider))
        await self._bench.cards.refresh(job_id)

    async def change(self, job_id: str, person_id: int, choices: AdvancedChoices) -> None:
        """Other settings. Raises `BadInput`."""
        async with self._database.writing() as connection:
            job = await self._job(connection, job_id, person_id)
            settings = advanced_settings(self._trainer_of(job), settings_of(job), choices)
            await self._change(connection, job_id, details={**job.details, "settings": asdict(settings)})
        await self._bench.cards.refresh(job_id)

    async def change_word(self, job_id: str, person_id: int, word: str) -> None:
        """Another trigger word, also in captions that name the one before. Raises `BadInput`."""
        new = checked_trigger_word(word)
        async with self._database.writing() as connection:
            job = await self._job(connection, job_id, person_id)
            settings = settings_of(job)
            dataset = await locked_dataset(connection, job.dataset_id)
            if dataset is not None:
                captions = change_trigger_word_in_all(
                    _naming(settings.trigger_word, dataset), settings.trigger_word, new
                )
                columns = {number: {"caption": caption} for number, caption in captions.items()}
                await change_images(connection, dataset, DatasetAct.CAPTION, columns)
            settings = replace(settings, trigger_word=new)
            await self._change(connection, job_id, details={**job.details, "settings": asdict(settings)})
        await self._bench.cards.refresh(job_id)
        await self._bench.refresh_reviews(job.dataset_id)

    async def _job(self, connection: Connection, job_id: str, person_id: int) -> Job:
        job = await find_job(connection, job_id)
        if job is None or job.kind is not JobKind.FINETUNE:
            raise NotFound("That training is not known any more.")
        require(person_id, Action.CHANGE_JOB, job.place)
        if job.status is not JobStatus.REVIEW:
            raise TooLate(TOO_LATE)
        return job

    async def _change(self, connection: Connection, job_id: str, **changes: Any) -> None:
        """Of two clicks at the same moment one is too late."""
        if not await change_job(connection, job_id, only_when=(JobStatus.REVIEW,), **changes):
            raise TooLate(TOO_LATE)

    def _trainer_of(self, job: Job) -> TrainerCard:
        return self._bench.providers.trainer_of(job.provider, job.details["trainer"])


async def _refuse_while_more_comes(connection: Connection, job: Job) -> None:
    """What is on its way was asked for, and may be paid for: a training without it would surprise its person."""
    if await captions_are_coming(connection, job.dataset_id, besides=job.id):
        raise BadInput("Its pictures are still being described: press Start when that is done, or cancel it first.")
    if await pictures_are_coming(connection, job.dataset_id, besides=job.id):
        raise BadInput("Pictures are still being added to it: press Start when that is done, or cancel it first.")


def _naming(word: str, dataset: Dataset) -> Mapping[int, str | None]:
    """The captions in which it is written as a word."""
    written = as_word(word)
    return {image.number: image.caption for image in dataset.images if image.caption and written.search(image.caption)}
