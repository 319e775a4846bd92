"""Finetune: from a zip or loose pictures to a person's own model.

(prepared; its person presses Start) → staged → training → archived → announced
"""

from dataclasses import asdict, replace

from bot.errors import BadInput, NotFound, ProviderGone
from bot.providers.card import TrainerCard
from bot.providers.contract import Trains
from bot.providers.disk import results_written
from bot.providers.tasks import TrainingRequest
from bot.workflows.datasets import dataset_meant, require_room
from bot.workflows.deadlines import deadline_of
from bot.workflows.engine import Json
from bot.workflows.handover import Handovers
from bot.workflows.preparation import LANE as PREPARATION_LANE
from bot.workflows.preparation import PREPARE
from bot.workflows.reconciliation import Paid
from bot.workflows.requests import (
    FinetuneRequest,
    checked_name,
    checked_uploads,
    default_settings,
    settings_of,
)
from bot.workflows.stages import within
from bot.workflows.training_sets import TrainingSets
from bot.workflows.workbench import Workbench, weights_key
from storage.database import Connection
from storage.jobs import Job
from storage.models import NAME_CHARACTERS, Model, add_model, free_model_name, model_named
from storage.outages import providers_out
from storage.places import Place
from storage.statuses import JobKind, JobStatus, Stage
from storage.submissions import open_submissions

TRAIN = "train"
LONGEST_LAYING_OUT = 3600.0  # seconds


class Finetune:
    """`request` is what a person does, and `Review` until Start; the rest is told by the engine."""

    def __init__(
        self, bench: Workbench, handovers: Handovers, training_sets: TrainingSets, *, max_upload_bytes: int
    ) -> None:
        self._bench = bench
        self._database = bench.database
        self._stages = bench.stages
        self._cards = bench.cards
        self._files = bench.files
        self._providers = bench.providers
        self._handovers = handovers
        self._training_sets = training_sets
        self._max_upload_bytes = max_upload_bytes
        bench.engine.tell(TRAIN, bench.endings.with_an_edge(self._tell, clear_up=self._clear))

    # What a person does

    async def request(self, job_id: str, place: Place, request: FinetuneRequest, *, weight: int = 1) -> None:
        """Take a request in; its card appears in the channel. Raises `BadInput`, `NotFound`, `TooMany`."""
        async with self._database.reading() as connection:
            out = await providers_out(connection)
        provider, trainer = self._providers.trainer_meant(request.trainer, out=out)
        if request.uploads or not request.dataset:
            checked_uploads(request.uploads, max_bytes=self._max_upload_bytes)
            await self._bench.room.require(place.person_id, request.uploads)
        settings = default_settings(trainer, trigger_word=request.trigger_word, mode=request.mode)
        async with self._database.writing() as connection:
            name = await self._name_for(connection, place, request)
            dataset_id = await self._dataset_for(connection, place, request)
            job = Job(
                id=job_id,
                place=place,
                kind=JobKind.FINETUNE,
                status=JobStatus.PREPARING if request.uploads else JobStatus.REVIEW,
                provider=provider.name,
                weight=weight,
                details={
                    "name": name,
                    "trainer": trainer.id,
                    "settings": asdict(settings),
                    "dataset": dataset_id or job_id,
                    "is_new": dataset_id is None,
                    "uploads": [asdict(upload) for upload in request.uploads],
                },
            )
            if await self._bench.add(connection, job) and request.uploads:
                await self._bench.enqueue(connection, job, story=PREPARE, lane=PREPARATION_LANE)
        if not request.uploads:
            await self._cards.refresh(job_id)

    async def _name_for(self, connection: Connection, place: Place, request: FinetuneRequest) -> str:
        if not request.name.strip():
            return await free_model_name(connection, place.person_id, checked_name(request.suggested[:NAME_CHARACTERS]))
        name = checked_name(request.name)
        if await model_named(connection, place.person_id, name) is not None:
            raise BadInput(f"You already have a model called {name}: choose another name.")
        return name

    async def _dataset_for(self, connection: Connection, place: Place, request: FinetuneRequest) -> str | None:
        """None for a new one."""
        if not request.dataset:
            await require_room(connection, place)
            return None
        dataset_id = await dataset_meant(connection, place.person_id, request.dataset)
        if dataset_id is None:
            raise NotFound("You have no dataset of that name: pick one from the list.")
        return dataset_id

    # The story

    async def _tell(self, job_id: str) -> None:
        await self._stages.run(job_id, Stage.STAGED, self._stage)
        await self._stages.run(job_id, Stage.TRAINING, self._train, can_be_cut_short=True)
        await self._clear(job_id)
        await self._stages.run(job_id, Stage.ARCHIVED, self._archive)
        await self._stages.run(job_id, Stage.ANNOUNCED, self._stages.announce)
        await self._stages.finish(job_id)
        await self._bench.engine.step("forget", lambda: self._training_sets.forget(job_id))

    async def _clear(self, job_id: str) -> None:
        await self._bench.engine.step("clear", lambda: self._handovers.clear(job_id))

    async def _stage(self, job: Job) -> Json:
        """The prepared zip lies where the trainer can take it, and all that costs nothing is done."""
        async with self._database.reading() as connection:
            if any(one.remote_id is not None for one in await open_submissions(connection, job.id)):
                return {}  # an earlier round's training is there already, and is taken up
        await within(LONGEST_LAYING_OUT, self._training_sets.pack(job.id))
        trainer, provider = self._trainer_of(job), self._providers.that(job.provider, Trains)
        request = await self.request_of(job)
        await within(LONGEST_LAYING_OUT, self._handovers.lay_out(job, trainer, request.dataset))
        link = await self._handovers.link(job, trainer, request.dataset)
        request = replace(request, dataset_link=link)
        prepared = await self._bench.outages.outlast(
            job, lambda: within(LONGEST_LAYING_OUT, provider.prepare_training(request)), is_paid=False
        )
        await self._handovers.remember(job, prepared)
        return {}

    async def _train(self, job: Job) -> Json:
        provider, trainer = self._providers.that(job.provider, Trains), self._trainer_of(job)
        request = await self.request_of(job)
        link = await self._handovers.link(job, trainer, request.dataset)
        request = replace(request, dataset_link=link)
        paid = Paid(
            job=job,
            provider=provider,
            request=request,
            submit=lambda: provider.submit_training(request),
            can_be_found=trainer.can_be_found,
            poll_seconds=provider.card.training_poll_seconds,
            deadline_seconds=await deadline_of(
                self._database, job, Stage.TRAINING, declared_seconds=trainer.deadline_seconds
            ),
        )
        task = await self._bench.submissions.submit_once(paid)
        await self._bench.submissions.wait(paid, task)
        return {"task": task.id}

    async def _archive(self, job: Job) -> Json:
        """The weights come to us, where they are still to be had: they outlive the provider."""
        provider = self._providers.that(job.provider, Trains)
        folder = await self._files.empty_work_folder(job.id)
        task = await self._bench.submissions.task_of(job)
        try:
            trained = await provider.fetch_weights(task, folder)
        except ProviderGone as gone:  # a retry trains anew
            await self._bench.submissions.end(job, 0, gone)
            raise
        weights = None
        if trained.path is not None:
            with results_written():
                weights = await self._files.keep(trained.path)
        settings = settings_of(job)
        model = Model(
            id=job.id,
            place=job.place,
            name=job.details["name"],
            job_id=job.id,
            training_set_id=job.id,
            provider=job.provider,
            base_model=self._trainer_of(job).base_model,
            trigger_word=settings.trigger_word,
            settings=asdict(settings),
            weights_file=weights,
            remote={job.provider: trained.remote},
        )
        async with self._database.writing() as connection:
            await add_model(connection, model)
        if weights is not None:
            await self._bench.share_if_possible(self._files.path_of(weights), weights_key(weights))
        await self._files.clear_work(job.id)
        return {"weights": weights}

    def _trainer_of(self, job: Job) -> TrainerCard:
        return self._providers.trainer_of(job.provider, job.details["trainer"])

    async def request_of(self, job: Job) -> TrainingRequest:
        """The paid request. Raises `DatasetRejected` when its pictures are gone."""
        training_set = await self._training_sets.of(job)
        return TrainingRequest(
            job_id=job.id,
            trainer=job.details["trainer"],
            name=job.details["name"],
            settings=settings_of(job),
            dataset=await self._training_sets.file_for(job, self._trainer_of(job)),
            image_count=len(training_set.images),
            prepared=job.details.get("prepared", {}),
            webhook=self._bench.webhook_for(job.provider, job.id),
        )
