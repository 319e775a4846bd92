"""How a story that raises ends: with a sentence on its card, or with a question to its person. Never without a word."""

import logging

from bot.errors import AtelierError
from bot.operators import Operators
from bot.workflows.engine import Engine, Json, Story
from bot.workflows.stages import AT_WORK, Cards, StageFailed, Superseded
from storage.database import Database
from storage.errors import StorageTrouble
from storage.files import Files
from storage.history import close_open_stages
from storage.jobs import Job, change_job, find_job, locked_job
from storage.statuses import ErrorCategory, JobKind, JobStatus, Message, StageOutcome

log = logging.getLogger(__name__)

BUG_SENTENCE = "Something broke on our side, and it is in our log now. Please try again."
BUG = StageFailed(category=ErrorCategory.SERVICE_ERROR, sentence=BUG_SENTENCE)


class Endings:
    def __init__(self, *, database: Database, engine: Engine, cards: Cards, files: Files, operators: Operators) -> None:
        self._database = database
        self._engine = engine
        self._cards = cards
        self._files = files
        self._operators = operators

    def with_an_edge(self, story: Story, *, clear_up: Story | None = None) -> Story:
        """The story with the second of the two exits for failures: whatever it raises ends the job with a sentence.

        `clear_up` comes after a story that ended so, unless the job may still be at work at its provider.
        """

        async def tell(job_id: str) -> None:
            try:
                await story(job_id)
            except Superseded:
                return
            except StageFailed as failure:
                await self._close(job_id, failure, clear_up)
            except StorageTrouble:
                raise  # no fault of the job's: the engine puts the story down and tells it on later
            except Exception:
                log.exception("Job %s broke", job_id)
                await self._close(job_id, BUG, clear_up)

        return tell

    async def _close(self, job_id: str, failure: StageFailed, clear_up: Story | None) -> None:
        """A cancelled job is closed by Cancel."""
        if failure.category is ErrorCategory.UNCERTAIN:
            await self._ask(job_id, failure)
            return
        if failure.category is not ErrorCategory.CANCELLED:
            await self.close_failed(job_id, failure)
        if clear_up is not None:
            await clear_up(job_id)

    async def close_failed(self, job_id: str, failure: StageFailed) -> None:
        """The job ends here and its card says why. What a retry needs stays in its work folder."""
        if not failure.category.may_pass:
            await self._files.clear_work(job_id)
        if await self._end_with(job_id, failure, JobStatus.FAILED):
            await self._tell(job_id, Message.FAILURE)

    async def _ask(self, job_id: str, failure: StageFailed) -> None:
        """Nobody can say whether something was paid for: its person decides, and nothing happens until then."""
        if await self._end_with(job_id, failure, JobStatus.UNCERTAIN):
            await self._tell(job_id, Message.QUESTION)
            await self._operators.tell(f"job {job_id}", f"{failure.sentence} {failure.advice}".strip())

    async def close_forsaken(self, job: Job, failure: StageFailed) -> None:
        """For a job whose story is over: no step of it can be told any more."""
        if await self._end_in_rows(job.id, failure, JobStatus.FAILED, telling=job.round):
            await self._say(job.id, Message.FAILURE)

    async def _end_with(self, job_id: str, failure: StageFailed, status: JobStatus) -> bool:
        """Whether its person waits for it by now, and should hear of it."""
        telling = self._engine.telling()

        async def body() -> Json:
            return {"tell": await self._end_in_rows(job_id, failure, status, telling=telling)}

        return bool((await self._engine.step(status, body))["tell"])

    async def _end_in_rows(self, job_id: str, failure: StageFailed, status: JobStatus, *, telling: int) -> bool:
        """Done again after a crash it answers the same; what its person has begun anew meanwhile it leaves alone."""
        async with self._database.writing() as connection:
            job = await locked_job(connection, job_id)
            if job is None or job.round != telling or job.status not in (*AT_WORK, status):
                return False
            await close_open_stages(connection, job_id, StageOutcome.FAILED)
            await change_job(
                connection,
                job_id,
                only_when=AT_WORK,
                status=status,
                error_category=failure.category,
                error_sentence=failure.sentence[:1000],
            )
        await self._cards.refresh(job_id)
        return job.kind is not JobKind.FINETUNE or job.queued_ms is not None  # nobody waits for what is not started

    async def _tell(self, job_id: str, message: Message) -> None:
        telling = self._engine.telling()

        async def body() -> Json:
            if await self._is_in_round(job_id, telling):
                await self._say(job_id, message)
            return {}

        await self._engine.step("tell", body)

    async def _is_in_round(self, job_id: str, telling: int) -> bool:
        async with self._database.reading() as connection:
            job = await find_job(connection, job_id)
        return job is not None and job.round == telling

    async def _say(self, job_id: str, message: Message) -> None:
        """It is in the row and on the card already; a message that cannot be posted changes nothing."""
        try:
            await self._cards.deliver(job_id, message)
        except AtelierError as error:
            log.warning("The person of job %s could not be told: %s", job_id, error)
