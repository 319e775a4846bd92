"""Cancel: stops a job in any stage and tells its provider. A workflow of its own, so that it survives a crash too."""

from bot.errors import AtelierError, NotFound, TooLate
from bot.permissions import Action, require
from bot.providers.contract import Cancels
from bot.providers.tasks import Task
from bot.workflows.engine import Json
from bot.workflows.finetune import TRAIN
from bot.workflows.generate import GENERATE
from bot.workflows.handover import Handovers
from bot.workflows.imports import IMPORT
from bot.workflows.preparation import PREPARE
from bot.workflows.publish import PUBLISH
from bot.workflows.workbench import Workbench
from storage.history import close_open_stages
from storage.jobs import Job, change_job, find_job
from storage.statuses import JobKind, JobStatus, StageOutcome
from storage.submissions import submissions_of

CANCEL = "cancel"
STORIES = {
    JobKind.FINETUNE: (PREPARE, TRAIN),
    JobKind.GENERATE: (GENERATE,),
    JobKind.IMPORT: (IMPORT,),
    JobKind.PUBLISH: (PUBLISH,),
}
OPEN = tuple(status for status in JobStatus if not status.is_final)


class Cancel:
    def __init__(self, bench: Workbench, handovers: Handovers) -> None:
        self._bench = bench
        self._database = bench.database
        self._engine = bench.engine
        self._cards = bench.cards
        self._files = bench.files
        self._handovers = handovers
        bench.engine.tell(CANCEL, self._tell)

    async def request(self, job_id: str, person_id: int) -> None:
        """Ask a job to stop; asking twice is asking once. Raises `NotFound`, `NotYours`, `TooLate`."""
        async with self._database.writing() as connection:
            job = await find_job(connection, job_id)
            if job is None:
                raise NotFound("That job is not known any more.")
            require(person_id, Action.CHANGE_JOB, job.place)
            if not await change_job(connection, job_id, only_when=OPEN, status=JobStatus.CANCELLING):
                raise TooLate(f"It is too late to stop that job: it is {job.status} already.")
            await self._bench.enqueue(connection, job, story=CANCEL, lane=CANCEL)
        await self._cards.refresh(job_id)

    async def _tell(self, job_id: str) -> None:
        await self._engine.step("abandon", lambda: self._abandon(job_id))
        told = await self._engine.step("tell the provider", lambda: self._tell_provider(job_id))
        await self._engine.step("clear", lambda: self._handovers.clear(job_id))
        await self._engine.step("close", lambda: self._close(job_id, told["note"]))

    async def _abandon(self, job_id: str) -> Json:
        job = await self._job(job_id)
        for story in STORIES[job.kind]:
            await self._engine.abandon(story=story, job_id=job_id, telling=job.round)
        return {}

    async def _tell_provider(self, job_id: str) -> Json:
        job = await self._job(job_id)
        async with self._database.reading() as connection:
            submitted = await submissions_of(connection, job_id)
        if not submitted:
            return {"note": ""}
        last = submitted[-1]
        if last.remote_id is None:
            return {"note": f"{self._title(job)} may have taken it already: it did not answer in time."}
        task = Task(id=last.remote_id, links=last.links)
        try:
            was_stopped = await self._bench.providers.that(job.provider, Cancels).cancel(task)
        except AtelierError:
            was_stopped = False
        return {
            "note": "" if was_stopped else f"{self._title(job)} could not be stopped any more and may charge for it."
        }

    def _title(self, job: Job) -> str:
        return self._bench.providers.card_of(job.provider).title

    async def _close(self, job_id: str, note: str) -> Json:
        async with self._database.writing() as connection:
            await close_open_stages(connection, job_id, StageOutcome.CANCELLED)
            await change_job(
                connection, job_id, only_when=(JobStatus.CANCELLING,), status=JobStatus.CANCELLED, note=note[:200]
            )
        self._files.clear_work(job_id)
        await self._cards.refresh(job_id)
        return {}

    async def _job(self, job_id: str) -> Job:
        async with self._database.reading() as connection:
            job = await find_job(connection, job_id)
        assert job is not None, "a job is never removed while it is at work"
        return job
