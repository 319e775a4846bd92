"""Moving: a job that waits for a provider which is out goes to another one, because its person says so."""

from dataclasses import replace

from bot.errors import AtelierError, NotFound, TooLate
from bot.permissions import Action, require
from bot.providers.contract import Trains
from bot.workflows.detours import Detour, Detours
from bot.workflows.engine import Json
from bot.workflows.finetune import TRAIN
from bot.workflows.generate import GENERATE
from bot.workflows.handover import dataset_key
from bot.workflows.workbench import Workbench, lane_of
from storage.database import Connection
from storage.history import close_open_stages
from storage.jobs import Job, change_job, find_job, locked_job
from storage.outages import providers_out
from storage.statuses import JobKind, JobStatus, StageOutcome
from storage.submissions import submissions_of

LEAVE = "leave"
STORIES = {JobKind.FINETUNE: TRAIN, JobKind.GENERATE: GENERATE}


class Moving:
    def __init__(self, bench: Workbench, detours: Detours) -> None:
        self._bench = bench
        self._database = bench.database
        self._detours = detours
        bench.engine.tell(LEAVE, self._tell)

    async def move(self, job_id: str, person_id: int, *, to: str) -> None:
        """To the provider of that title: a generation goes on there, a training is under review again.

        It is here or there and never both: the later round is stored together with its story, and whoever still tells
        the earlier one finds that and stops. Raises `NotFound`, `NotYours`, `TooLate`.
        """
        async with self._database.writing() as connection:
            job = await locked_job(connection, job_id)
            if job is None or job.kind not in STORIES:
                raise NotFound("That job is not known any more.")
            require(person_id, Action.CHANGE_JOB, job.place)
            await self._must_wait(connection, job)
            await self._go(connection, job, await self._detour(connection, job, to))
        await self._bench.engine.abandon(story=STORIES[job.kind], job_id=job.id, telling=job.round)
        await self._bench.cards.refresh(job.id)

    async def _must_wait(self, connection: Connection, job: Job) -> None:
        title = self._bench.providers.card_of(job.provider).title
        if job.status is not JobStatus.RUNNING:
            raise TooLate("That job is not waiting for a provider any more: its card shows where it stands.")
        live = [one for one in await submissions_of(connection, job.id) if one.verdict is None]
        if any(one.remote_id is None for one in live):
            raise TooLate(f"Nobody can say yet whether {title} took this job, so it cannot go elsewhere: please wait.")
        if live:
            raise TooLate(f"{title} has taken this job already: it goes on there.")
        if job.provider not in await providers_out(connection):
            raise TooLate(f"{title} takes jobs again: this one goes on there by itself.")

    async def _detour(self, connection: Connection, job: Job, title: str) -> Detour:
        for detour in await self._detours.around(connection, job):
            if detour.provider.title == title:
                return detour
        raise TooLate(f"{title} cannot do this at the moment: the job goes on waiting where it is.")

    async def _go(self, connection: Connection, job: Job, detour: Detour) -> None:
        is_training = job.kind is JobKind.FINETUNE
        left = {"provider": job.provider, "prepared": job.details.get("prepared")}
        moved = replace(
            job,
            round=job.round + 1,
            provider=detour.provider.name,
            status=JobStatus.REVIEW if is_training else JobStatus.RUNNING,
            details={**detour.details, "left": left},
        )
        await change_job(
            connection,
            job.id,
            round=moved.round,
            provider=moved.provider,
            status=moved.status,
            details=dict(moved.details),
            held_ms=None,
            note="",
            progress=0.0,
            ready_at_ms=None,
        )
        await close_open_stages(connection, job.id, StageOutcome.INTERRUPTED)
        await self._bench.enqueue(connection, job, story=LEAVE, lane=LEAVE)
        if not is_training:
            await self._bench.enqueue(connection, moved, story=GENERATE, lane=lane_of(moved.provider))

    # The story of what is left behind.

    async def _tell(self, job_id: str) -> None:
        telling = self._bench.engine.telling()
        await self._bench.engine.step("abandon", lambda: self._abandon(job_id, telling))
        await self._bench.engine.step("tidy", lambda: self._tidy(job_id))

    async def _abandon(self, job_id: str, telling: int) -> Json:
        """`move` has done so already, unless it was interrupted."""
        job = await self._job(job_id)
        await self._bench.engine.abandon(story=STORIES[job.kind], job_id=job_id, telling=telling)
        return {}

    async def _tidy(self, job_id: str) -> Json:
        """No picture stays where it is not needed; the new provider's copy is laid out when its person starts."""
        job = await self._job(job_id)
        left = job.details.get("left", {})
        try:
            if job.status is JobStatus.REVIEW:
                await self._bench.unshare(dataset_key(job_id))
            if left.get("prepared"):
                await self._bench.providers.that(left["provider"], Trains).tidy_training(left["prepared"])
        except AtelierError as problem:
            text = f"What job {job_id} had laid out at {left.get('provider')} is still there: {problem}"
            await self._bench.operators.tell(f"what job {job_id} left", text)
        return {}

    async def _job(self, job_id: str) -> Job:
        async with self._database.reading() as connection:
            job = await find_job(connection, job_id)
        assert job is not None, "a job is never removed while it is at work"
        return job
