"""Tells a job's story again: after a failure, and after somebody has said what became of an unanswered request.

What is done stays done: a stage that has a result is not run again, and a paid request without a verdict is taken up
where it was. Each telling is a round of the job.
"""

from bot.errors import BadInput, NotFound, TooLate
from bot.permissions import Action, Asker, require, require_decision
from bot.providers.contract import Attaches
from bot.workflows.captioning import AT_IT, CAPTION
from bot.workflows.finetune import TRAIN, Finetune
from bot.workflows.generate import GENERATE, Generate
from bot.workflows.imports import IMPORT
from bot.workflows.preparation import LANE as PREPARATION_LANE
from bot.workflows.preparation import PREPARE
from bot.workflows.publish import PUBLISH
from bot.workflows.workbench import Workbench, lane_of
from storage.database import Connection
from storage.dataset_jobs import captions_are_coming
from storage.jobs import Job, begin_round, find_job
from storage.statuses import ErrorCategory, JobKind, JobStatus
from storage.submissions import Submission, belongs_to_another, open_submissions, remember_remote, remember_verdict
from storage.training_sets import find_training_set

NOT_NOW = "That job is not waiting for this any more: its card shows where it stands."
TOO_OLD = "That job cannot be tried again as it is: please ask for it anew."


class Retry:
    def __init__(self, bench: Workbench, *, finetune: Finetune, generate: Generate) -> None:
        self._bench = bench
        self._database = bench.database
        self._finetune = finetune
        self._generate = generate

    async def retry(self, job_id: str, person_id: int) -> None:
        """Go on at the stage that failed; pressing twice is pressing once. Raises `TooLate`, `NotFound`, `NotYours`."""
        async with self._database.writing() as connection:
            job = await _known(connection, job_id)
            require(person_id, Action.CHANGE_JOB, job.place)
            if job.status is not JobStatus.FAILED:
                raise TooLate(NOT_NOW)
            if not job.may_be_retried:
                raise TooLate(TOO_OLD)
            await self._tell_again(connection, job)
        await self._bench.cards.refresh(job_id)

    async def attach(self, job_id: str, asker: Asker, text: str) -> None:
        """It ran: `text` holds what its provider calls it. Raises as `retry` does, and what the provider says."""
        async with self._database.reading() as connection:
            job, doubted = await _in_doubt(connection, job_id, asker)
        provider = self._bench.providers.that(job.provider, Attaches)
        request = (
            await self._finetune.request_of(job)
            if job.kind is JobKind.FINETUNE
            else await self._generate.request_of(job, doubted.part)
        )
        task = await provider.attach(request, text)
        async with self._database.writing() as connection:
            job, doubted = await _in_doubt(connection, job_id, asker)
            if await belongs_to_another(connection, task.id, doubted):
                raise BadInput("That id belongs to another job: look for the one that has no result yet.")
            await remember_remote(connection, doubted, task.id, task.links)
            await self._tell_again(connection, job)
        await self._bench.cards.refresh(job_id)

    async def submit_again(self, job_id: str, asker: Asker) -> None:
        """Nobody knows, and its person takes the risk of a second charge. Raises as `retry` does."""
        async with self._database.writing() as connection:
            job, doubted = await _in_doubt(connection, job_id, asker)
            await remember_verdict(connection, doubted, ErrorCategory.UNCERTAIN, "Its person had it submitted again.")
            await self._tell_again(connection, job)
        await self._bench.cards.refresh(job_id)

    async def _tell_again(self, connection: Connection, job: Job) -> None:
        story, lane, status = await self._where_it_goes_on(connection, job)
        again = await begin_round(connection, job, status)
        if again is None:  # of two clicks at the same moment one is too late
            raise TooLate(NOT_NOW)
        await self._bench.enqueue(connection, again, story=story, lane=lane)

    async def _where_it_goes_on(self, connection: Connection, job: Job) -> tuple[str, str, JobStatus]:
        match job.kind:
            case JobKind.ADD:
                return PREPARE, PREPARATION_LANE, JobStatus.PREPARING
            case JobKind.CAPTION:
                if await captions_are_coming(connection, job.dataset_id, besides=job.id):
                    raise TooLate(AT_IT)
                return CAPTION, lane_of(job.provider), JobStatus.RUNNING
            case JobKind.IMPORT:
                return IMPORT, IMPORT, JobStatus.RUNNING
            case JobKind.PUBLISH:
                return PUBLISH, PUBLISH, JobStatus.RUNNING
            case JobKind.GENERATE:
                return GENERATE, lane_of(job.provider), JobStatus.RUNNING
            case JobKind.FINETUNE:
                if await find_training_set(connection, job.id) is None:
                    return PREPARE, PREPARATION_LANE, JobStatus.PREPARING
                return TRAIN, lane_of(job.provider), JobStatus.RUNNING


async def _known(connection: Connection, job_id: str) -> Job:
    job = await find_job(connection, job_id)
    if job is None:
        raise NotFound("That job is not known any more.")
    return job


async def _in_doubt(connection: Connection, job_id: str, asker: Asker) -> tuple[Job, Submission]:
    job = await _known(connection, job_id)
    require_decision(asker, job.place)
    unanswered = [one for one in await open_submissions(connection, job_id) if one.remote_id is None]
    if job.status is not JobStatus.UNCERTAIN or not unanswered:
        raise TooLate(NOT_NOW)
    return job, unanswered[0]
