"""Finetune: from a zip or loose pictures to a person's own model.

(prepared; its person presses Start) → staged → training → archived → announced
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bot.errors import BadInput, DatasetRejected, NotFound, TooLate
from bot.permissions import Action, require
from bot.providers.contract import FinetuneType, Mode, Priority, Provider, TrainingRequest, TrainingSettings
from bot.workflows.engine import Engine, Json
from bot.workflows.preparation import PREPARE
from bot.workflows.requests import (
    AdvancedChoices,
    FinetuneRequest,
    advanced_settings,
    checked_name,
    checked_uploads,
    default_settings,
)
from bot.workflows.stages import Cards, Stages
from bot.workflows.submission import Submissions
from storage.database import Connection, Database
from storage.datasets import Dataset, find_dataset
from storage.files import Files
from storage.jobs import Job, add_job, change_job, find_job
from storage.models import Model, add_model, model_named
from storage.places import Place
from storage.statuses import JobKind, JobStatus, Stage

TRAIN = "train"
LANE = "finetune"
TOO_LATE = "That training is no longer waiting for you: its card shows where it stands."


class Finetune:
    """`request`, `change` and `start` are what a person does; the rest is told by the engine."""

    def __init__(
        self,
        *,
        database: Database,
        engine: Engine,
        stages: Stages,
        submissions: Submissions,
        cards: Cards,
        files: Files,
        providers: Mapping[str, Provider],
        max_upload_bytes: int,
    ) -> None:
        self._database = database
        self._engine = engine
        self._stages = stages
        self._submissions = submissions
        self._cards = cards
        self._files = files
        self._providers = providers
        self._max_upload_bytes = max_upload_bytes
        engine.tell(TRAIN, stages.with_an_edge(self._tell))

    # What a person does

    async def request(self, job_id: str, place: Place, request: FinetuneRequest) -> None:
        """Take a request in; its card appears in the channel. Raises `BadInput`."""
        provider = next(iter(self._providers.values()))
        name = checked_name(request.name)
        checked_uploads(request.uploads, max_bytes=self._max_upload_bytes)
        settings = default_settings(provider.card, trigger_word=request.trigger_word, mode=request.mode)
        async with self._database.writing() as connection:
            if await model_named(connection, place.person_id, name) is not None:
                raise BadInput(f"You already have a model called {name}: choose another name.")
            job = Job(
                id=job_id,
                place=place,
                kind=JobKind.FINETUNE,
                status=JobStatus.PREPARING,
                provider=provider.card.name,
                details={
                    "name": name,
                    "settings": asdict(settings),
                    "uploads": [asdict(upload) for upload in request.uploads],
                },
            )
            if await add_job(connection, job):
                await self._enqueue(connection, job, PREPARE)

    async def start(self, job_id: str, person_id: int) -> None:
        """Start the training that is under review; pressing twice starts once. Raises `TooLate`, `NotYours`."""
        async with self._database.writing() as connection:
            job = await self._job_in_review(connection, job_id, person_id)
            await self._change_in_review(connection, job_id, status=JobStatus.RUNNING, progress=0.0, note="")
            await self._enqueue(connection, job, TRAIN)
        await self._cards.refresh(job_id)

    async def change(self, job_id: str, person_id: int, choices: AdvancedChoices) -> None:
        """Change the settings under review. Raises `BadInput`, `TooLate`, `NotYours`."""
        async with self._database.writing() as connection:
            job = await self._job_in_review(connection, job_id, person_id)
            settings = advanced_settings(self._providers[job.provider].card, settings_of(job), choices)
            await self._change_in_review(connection, job_id, details={**job.details, "settings": asdict(settings)})
        await self._cards.refresh(job_id)

    async def _job_in_review(self, connection: Connection, job_id: str, person_id: int) -> Job:
        job = await find_job(connection, job_id)
        if job is None or job.kind is not JobKind.FINETUNE:
            raise NotFound("That training is not known any more.")
        require(person_id, Action.CHANGE_JOB, job.place)
        if job.status is not JobStatus.REVIEW:
            raise TooLate(TOO_LATE)
        return job

    async def _change_in_review(self, connection: Connection, job_id: str, **changes: Any) -> None:
        """Of two clicks at the same moment one is too late."""
        if not await change_job(connection, job_id, only_when=(JobStatus.REVIEW,), **changes):
            raise TooLate(TOO_LATE)

    async def _enqueue(self, connection: Connection, job: Job, story: str) -> None:
        await self._engine.enqueue(connection, story=story, job_id=job.id, lane=LANE, person_id=job.place.person_id)

    # The story

    async def _tell(self, job_id: str) -> None:
        await self._stages.run(job_id, Stage.STAGED, self._stage)
        await self._stages.run(job_id, Stage.TRAINING, self._train, can_be_cut_short=True)
        await self._stages.run(job_id, Stage.ARCHIVED, self._archive)
        await self._stages.run(job_id, Stage.ANNOUNCED, self._stages.announce)
        await self._stages.finish(job_id)

    async def _stage(self, job: Job) -> Json:
        """The prepared zip lies where the provider can take it."""
        dataset = await self._dataset_of(job)
        if not self._files.has(dataset.prepared_file):
            raise DatasetRejected("The prepared pictures are gone from our disk: please run /finetune again.")
        return {"dataset": dataset.prepared_file}

    async def _train(self, job: Job) -> Json:
        provider = self._providers[job.provider]
        dataset = await self._dataset_of(job)
        request = TrainingRequest(
            job_id=job.id,
            settings=settings_of(job),
            dataset=self._files.path_of(dataset.prepared_file),
            image_count=len(dataset.images),
        )
        task_id = await self._submissions.submit_once(job, provider, lambda: provider.submit_training(request))
        await self._submissions.wait(job, provider, task_id, deadline_seconds=provider.card.training_deadline_seconds)
        return {"task": task_id}

    async def _archive(self, job: Job) -> Json:
        """The weights come to us: they outlive the provider."""
        provider = self._providers[job.provider]
        task_id = await self._submissions.task_of(job)
        folder = self._files.empty_work_folder(job.id)
        weights = await self._files.keep(await provider.fetch_weights(task_id, folder))
        settings = settings_of(job)
        model = Model(
            id=job.id,
            place=job.place,
            name=job.details["name"],
            job_id=job.id,
            dataset_id=job.id,
            provider=job.provider,
            base_model=provider.card.base_models[0],
            trigger_word=settings.trigger_word,
            settings=asdict(settings),
            weights_file=weights,
        )
        async with self._database.writing() as connection:
            await add_model(connection, model)
        self._files.clear_work(job.id)
        return {"weights": weights}

    async def _dataset_of(self, job: Job) -> Dataset:
        async with self._database.reading() as connection:
            dataset = await find_dataset(connection, job.id)
        if dataset is None:
            raise DatasetRejected("The dataset is gone: please run /finetune again.")
        return dataset


def settings_of(job: Job) -> TrainingSettings:
    """The training settings stored with a finetune job."""
    stored = job.details["settings"]
    return TrainingSettings(
        trigger_word=stored["trigger_word"],
        mode=Mode(stored["mode"]),
        iterations=stored["iterations"],
        learning_rate=stored["learning_rate"],
        captioning=stored["captioning"],
        priority=Priority(stored["priority"]),
        finetune_type=FinetuneType(stored["finetune_type"]),
        lora_rank=stored["lora_rank"],
    )
