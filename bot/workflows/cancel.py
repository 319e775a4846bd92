"""Cancel: stops a job in any stage and tells its provider. A workflow of its own, so that it survives a crash too."""

from collections.abc import Mapping

from bot.errors import AtelierError, NotFound, TooLate
from bot.permissions import Action, require
from bot.providers.contract import Provider
from bot.workflows.engine import Engine, Json
from bot.workflows.finetune import TRAIN
from bot.workflows.generate import GENERATE
from bot.workflows.preparation import PREPARE
from bot.workflows.stages import Cards
from storage.database import Database
from storage.files import Files
from storage.history import close_open_stages
from storage.jobs import Job, change_job, find_job
from storage.statuses import JobKind, JobStatus, StageOutcome

CANCEL = "cancel"
OPEN = tuple(status for status in JobStatus if not status.is_final)


class Cancel:
    def __init__(
        self,
        *,
        database: Database,
        engine: Engine,
        cards: Cards,
        files: Files,
        providers: Mapping[str, Provider],
    ) -> None:
        self._database = database
        self._engine = engine
        self._cards = cards
        self._files = files
        self._providers = providers
        engine.tell(CANCEL, self._tell)

    async def request(self, job_id: str, person_id: int) -> None:
        """Ask a job to stop; asking twice is asking once. Raises `NotFound`, `NotYours`, `TooLate`."""
        async with self._database.writing() as connection:
            job = await find_job(connection, job_id)
            if job is None:
                raise NotFound("That job is not known any more.")
            require(person_id, Action.CHANGE_JOB, job.place)
            if not await change_job(connection, job_id, only_when=OPEN, status=JobStatus.CANCELLING):
                raise TooLate(f"It is too late to stop that job: it is {job.status} already.")
            await self._engine.enqueue(connection, story=CANCEL, job_id=job_id, lane=CANCEL, person_id=person_id)
        await self._cards.refresh(job_id)

    async def _tell(self, job_id: str) -> None:
        await self._engine.step("abandon", lambda: self._abandon(job_id))
        await self._engine.step("tell the provider", lambda: self._tell_provider(job_id))
        await self._engine.step("close", lambda: self._close(job_id))

    async def _abandon(self, job_id: str) -> Json:
        job = await self._job(job_id)
        for story in (PREPARE, TRAIN) if job.kind is JobKind.FINETUNE else (GENERATE,):
            await self._engine.abandon(story=story, job_id=job_id)
        return {}

    async def _tell_provider(self, job_id: str) -> Json:
        job = await self._job(job_id)
        if job.remote_id is None:
            return {"stopped": True}
        try:
            return {"stopped": await self._providers[job.provider].cancel(job.remote_id)}
        except AtelierError as error:
            return {"stopped": False, "why": error.sentence}

    async def _close(self, job_id: str) -> Json:
        async with self._database.writing() as connection:
            await close_open_stages(connection, job_id, StageOutcome.CANCELLED)
            await change_job(connection, job_id, only_when=(JobStatus.CANCELLING,), status=JobStatus.CANCELLED)
        self._files.clear_work(job_id)
        await self._cards.refresh(job_id)
        return {}

    async def _job(self, job_id: str) -> Job:
        async with self._database.reading() as connection:
            job = await find_job(connection, job_id)
        assert job is not None, "a job is never removed while it is at work"
        return job
