"""Cancel: stops a job in any stage and tells its provider. A workflow of its own, so that it survives a crash too."""

from bot.errors import AtelierError, NotFound, ProviderError, TooLate
from bot.permissions import Action, Asker, require, require_decision
from bot.providers.contract import Cancels, Lists, Provider
from bot.providers.tasks import Finished, GenerationRequest, Task, TrainingRequest
from bot.workflows.captioning import CAPTION
from bot.workflows.engine import Json
from bot.workflows.finetune import TRAIN, Finetune
from bot.workflows.generate import GENERATE, Generate
from bot.workflows.handover import Handovers
from bot.workflows.imports import IMPORT
from bot.workflows.preparation import PREPARE
from bot.workflows.publish import PUBLISH
from bot.workflows.reconciliation import find_task
from bot.workflows.workbench import Workbench
from storage.history import close_open_stages
from storage.jobs import Job, change_job, find_job
from storage.statuses import ErrorCategory, JobKind, JobStatus, StageOutcome
from storage.submissions import Submission, latest_submissions, remember_verdict

CANCEL = "cancel"
STORIES = {
    JobKind.ADD: (PREPARE,),
    JobKind.CAPTION: (CAPTION,),
    JobKind.FINETUNE: (PREPARE, TRAIN),
    JobKind.GENERATE: (GENERATE,),
    JobKind.IMPORT: (IMPORT,),
    JobKind.PUBLISH: (PUBLISH,),
}
OPEN = tuple(status for status in JobStatus if not status.is_final)


class Cancel:
    def __init__(self, bench: Workbench, handovers: Handovers, *, finetune: Finetune, generate: Generate) -> None:
        self._bench = bench
        self._database = bench.database
        self._engine = bench.engine
        self._cards = bench.cards
        self._files = bench.files
        self._handovers = handovers
        self._finetune = finetune
        self._generate = generate
        bench.engine.tell(CANCEL, self._tell)

    async def request(self, job_id: str, asker: Asker) -> None:
        """Ask a job to stop; asking twice is asking once. Raises `NotFound`, `NotYours`, `TooLate`."""
        async with self._database.writing() as connection:
            job = await find_job(connection, job_id)
            if job is None:
                raise NotFound("That job is not known any more.")
            if job.status is JobStatus.UNCERTAIN:
                require_decision(asker, job.place)
            else:
                require(asker.person_id, Action.CHANGE_JOB, job.place)
            if not await change_job(connection, job_id, only_when=OPEN, status=JobStatus.CANCELLING):
                raise TooLate(f"It is too late to stop that job: it is {job.status} already.")
            if job.status is not JobStatus.CANCELLING:
                await self._bench.enqueue(connection, job, story=CANCEL, lane=CANCEL)
        await self._cards.refresh(job_id)

    async def _tell(self, job_id: str) -> None:
        await self._engine.step("abandon", lambda: self._abandon(job_id))
        told = await self._engine.step("tell the provider", lambda: self._tell_provider(job_id))
        await self._engine.step("clear", lambda: self._handovers.clear(job_id))
        await self._engine.step("close", lambda: self.close(job_id, told["note"]))

    async def _abandon(self, job_id: str) -> Json:
        job = await self._job(job_id)
        for story in STORIES[job.kind]:
            await self._engine.abandon(story=story, job_id=job_id, telling=job.round)
        return {}

    async def _tell_provider(self, job_id: str) -> Json:
        """Every request that is paid for and not ended; what is said is about the worst of them."""
        job = await self._job(job_id)
        async with self._database.reading() as connection:
            latest = await latest_submissions(connection, job_id)
        notes = [await self._stop(job, submission) for submission in latest]
        return {"note": max(notes, default="", key=len)}

    async def _stop(self, job: Job, submission: Submission) -> str:
        """What came of it, for the person; empty when it cost nothing."""
        title = self._bench.providers.card_of(job.provider).title
        stopped = f"{title} stopped it and may charge for what ran until then."
        if submission.verdict is not None:  # by us, before a crash; or by the provider, and its person has read so
            is_ours = submission.verdict is ErrorCategory.CANCELLED
            return self._unless_free(job, stopped) if is_ours else ""
        try:
            provider = self._bench.providers.that(job.provider, Provider)
            task = await self._task_of(job, submission, provider)
            if task is None:
                return f"{title} may have taken it already and may charge for it: it did not say so in time."
            if isinstance(provider, Cancels) and await provider.cancel(task):
                async with self._database.writing() as connection:
                    await remember_verdict(connection, submission, ErrorCategory.CANCELLED, "Cancelled by its person.")
                return self._unless_free(job, stopped)
            had_finished = submission.finished_ms is not None or isinstance(await provider.check(task), Finished)
        except AtelierError:
            had_finished = False
        if had_finished:
            return self._unless_free(job, f"It came too late: {title} had finished, and charges{self._price_of(job)}.")
        return self._unless_free(job, f"{title} could not be stopped any more, and charges{self._price_of(job)}.")

    async def _task_of(self, job: Job, submission: Submission, provider: Provider) -> Task | None:
        """An intent without an answer is looked up, once: it may run there all the same."""
        if submission.remote_id is not None:
            return Task(id=submission.remote_id, links=submission.links)
        if not isinstance(provider, Lists):
            return None
        try:
            return await find_task(self._database, provider, await self._request_of(job, submission), submission)
        except ProviderError:
            return None

    async def _request_of(self, job: Job, submission: Submission) -> TrainingRequest | GenerationRequest:
        if job.kind is JobKind.FINETUNE:
            return await self._finetune.request_of(job)
        return await self._generate.request_of(job, submission.part)

    def _unless_free(self, job: Job, note: str) -> str:
        return "" if self._price(job) == 0 else note

    def _price_of(self, job: Job) -> str:
        price = self._price(job)
        return " for it" if price is None else f" about ${price:.2f}"

    def _price(self, job: Job) -> float | None:
        """US dollars for the whole job, None when nobody says."""
        if "price_usd" in job.details:
            price = job.details["price_usd"]
            return None if price is None else float(price)
        trainer = self._bench.providers.card_of(job.provider).trainer(job.details.get("trainer", ""))
        if trainer is None or trainer.price is None:
            return None
        return trainer.price.of(job.details["settings"]["iterations"])

    async def close(self, job_id: str, note: str) -> Json:
        """The end of it, whoever leads there."""
        async with self._database.writing() as connection:
            await close_open_stages(connection, job_id, StageOutcome.CANCELLED)
            await change_job(
                connection, job_id, only_when=(JobStatus.CANCELLING,), status=JobStatus.CANCELLED, note=note[:200]
            )
        await self._files.clear_work(job_id)
        await self._cards.refresh(job_id)
        job = await self._job(job_id)
        if job.kind in (JobKind.ADD, JobKind.CAPTION):  # what it did until then stays
            await self._bench.refresh_reviews(job.dataset_id)
        return {}

    async def _job(self, job_id: str) -> Job:
        async with self._database.reading() as connection:
            job = await find_job(connection, job_id)
        assert job is not None, "a job is never removed while it is at work"
        return job
