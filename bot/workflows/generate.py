"""Generate: from a prompt and a model to pictures in the channel.

received → generating → archived → announced
"""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

from bot.errors import NotFound, ProviderBroken
from bot.providers.contract import GenerationRequest, Provider
from bot.workflows.engine import Engine, Json
from bot.workflows.models import model_meant
from bot.workflows.requests import SEEDS, GenerateRequest, checked_generation
from bot.workflows.stages import Stages
from bot.workflows.submission import Submissions
from storage.database import Database
from storage.files import Files
from storage.jobs import Job, add_job
from storage.models import Model, find_model
from storage.pictures import Picture, add_picture
from storage.places import Place
from storage.statuses import JobKind, JobStatus, Stage

GENERATE = "generate"


class Generate:
    def __init__(
        self,
        *,
        database: Database,
        engine: Engine,
        stages: Stages,
        submissions: Submissions,
        files: Files,
        providers: Mapping[str, Provider],
    ) -> None:
        self._database = database
        self._engine = engine
        self._stages = stages
        self._submissions = submissions
        self._files = files
        self._providers = providers
        engine.tell(GENERATE, stages.with_an_edge(self._tell))

    async def request(self, job_id: str, place: Place, request: GenerateRequest) -> None:
        """Take a request in; its card appears in the channel. Raises `BadInput`, `NotFound`, `NotYours`."""
        async with self._database.writing() as connection:
            model = await model_meant(connection, place.person_id, request.model)
            provider = self._providers.get(model.provider)
            if provider is None:
                raise NotFound(f"{model.name} was trained at {model.provider}, which is switched off here.")
            checked = checked_generation(provider.card, request)
            seed = secrets.randbelow(SEEDS) if checked.seed is None else checked.seed
            details = {**asdict(replace(checked, seed=seed, model=model.id)), "name": model.name}
            job = Job(
                id=job_id,
                place=place,
                kind=JobKind.GENERATE,
                status=JobStatus.RUNNING,
                provider=model.provider,
                details=details,
            )
            if await add_job(connection, job):
                await self._engine.enqueue(
                    connection, story=GENERATE, job_id=job_id, lane=GENERATE, person_id=place.person_id
                )

    async def _tell(self, job_id: str) -> None:
        await self._stages.run(job_id, Stage.RECEIVED, self._receive)
        await self._stages.run(job_id, Stage.GENERATING, self._generate, can_be_cut_short=True)
        await self._stages.run(job_id, Stage.ARCHIVED, self._archive)
        await self._stages.run(job_id, Stage.ANNOUNCED, self._stages.announce)
        await self._stages.finish(job_id)

    async def _receive(self, job: Job) -> Json:
        """The weights lie ready; a model deleted since the request was made ends the job here."""
        model = await self._model_of(job)
        return {"weights": model.weights_file}

    async def _generate(self, job: Job) -> Json:
        provider = self._providers[job.provider]
        model = await self._model_of(job)
        request = GenerationRequest(
            job_id=job.id,
            weights=self._files.path_of(model.weights_file),
            prompt=job.details["prompt"],
            strength=job.details["strength"],
            aspect_ratio=job.details["aspect_ratio"],
            count=job.details["count"],
            seed=job.details["seed"],
        )
        task_id = await self._submissions.submit_once(job, provider, lambda: provider.submit_generation(request))
        await self._submissions.wait(job, provider, task_id, deadline_seconds=provider.card.generation_deadline_seconds)
        return {"task": task_id}

    async def _archive(self, job: Job) -> Json:
        """The bytes come to us at once: a provider's links expire."""
        provider = self._providers[job.provider]
        folder = self._files.empty_work_folder(job.id)
        fetched = await provider.fetch_pictures(await self._submissions.task_of(job), folder)
        if len(fetched) != job.details["count"]:
            raise ProviderBroken("The provider answered with fewer pictures than asked for; trying again.")
        kept = [await self._keep(job, position, path) for position, path in enumerate(fetched)]
        self._files.clear_work(job.id)
        return {"pictures": kept}

    async def _keep(self, job: Job, position: int, path: Path) -> str:
        file = await self._files.keep(path)
        picture = Picture(
            job_id=job.id,
            position=position,
            place=job.place,
            model_id=job.details["model"],
            file=file,
            prompt=job.details["prompt"],
            seed=job.details["seed"],
        )
        async with self._database.writing() as connection:
            await add_picture(connection, picture)
        return file

    async def _model_of(self, job: Job) -> Model:
        async with self._database.reading() as connection:
            model = await find_model(connection, job.details["model"])
        if model is None or model.deleted_ms is not None or not self._files.has(model.weights_file):
            raise NotFound("That model was deleted: choose another one.")
        return model
