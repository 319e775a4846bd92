"""Runs one stage of a job: a durable step with its history, its bounded retries and its card kept fresh."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from bot.errors import (
    AtelierError,
    Cancelled,
    DiscordUnreachable,
    ProviderBroken,
    ProviderBusy,
    ProviderUnreachable,
    StageOverdue,
)
from bot.workflows.engine import Engine, Json
from storage.database import Connection, Database
from storage.history import begin_stage, end_stage, result_of_stage
from storage.jobs import Job, change_job, find_job
from storage.statuses import ErrorCategory, JobStatus, Message, Stage, StageOutcome
from storage.turns import begin

log = logging.getLogger(__name__)

ATTEMPTS = 4
ATTEMPTS_WHEN_BUSY = 20  # nothing was accepted and nothing is lost by waiting longer
LONGEST_PAUSE_SECONDS = 30.0
TRYING = "; trying again."
AT_WORK = (JobStatus.PREPARING, JobStatus.RUNNING)
LONGEST_SECONDS = {
    Stage.RECEIVED: 1800.0,
    Stage.PREPARED: 1800.0,
    Stage.ARCHIVED: 3600.0,
    Stage.VERIFIED: 3600.0,
    Stage.PUBLISHED: 3600.0,
    Stage.ANNOUNCED: 900.0,
}  # of one attempt. Laying out bounds its own parts; what a provider works on has the deadline of its card

Result = TypeVar("Result")
Sleep = Callable[[float], Awaitable[None]]
Action = Callable[[Job], Awaitable[Json]]


class Cards(Protocol):
    """What a workflow asks of the notifier."""

    async def refresh(self, job_id: str) -> None: ...

    async def refresh_soon(self, job_id: str) -> None: ...

    async def deliver(self, job_id: str, message: Message) -> None: ...


@dataclass(frozen=True, kw_only=True)
class StageFailed(Exception):
    """A stage ended badly; carries what the job's row and card will say."""

    category: ErrorCategory
    sentence: str
    advice: str = ""


class Superseded(Exception):
    """The job is in a later round by now: whoever still tells an earlier one stops, and changes nothing."""


class Stages:
    def __init__(
        self,
        *,
        database: Database,
        engine: Engine,
        cards: Cards,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._database = database
        self._engine = engine
        self._cards = cards
        self._sleep = sleep

    async def run(self, job_id: str, stage: Stage, action: Action, *, can_be_cut_short: bool = False) -> Json:
        """The action's result, remembered across crashes and retries. Raises `StageFailed`."""

        async def body() -> Json:
            async with self._database.reading() as connection:
                result = await result_of_stage(connection, job_id, stage)
            return await self._with_attempts(job_id, stage, action) if result is None else {"result": result}

        outcome = await self._engine.step(stage, body, preemptible=can_be_cut_short)
        if "superseded" in outcome:
            raise Superseded
        if "error" in outcome:
            raise StageFailed(
                category=ErrorCategory(outcome["error"]),
                sentence=outcome["sentence"],
                advice=outcome.get("advice", ""),
            )
        return dict(outcome["result"])

    async def _with_attempts(self, job_id: str, stage: Stage, action: Action) -> Json:
        """Only failures that promise nothing was accepted are tried again here."""
        for attempt in range(1, ATTEMPTS_WHEN_BUSY + 1):
            try:
                return {"result": await self._attempt(job_id, stage, action)}
            except Superseded:
                return {"superseded": True}
            except AtelierError as error:
                if attempt >= _attempts(error):
                    log.warning("Job %s, stage %s: %s (%s)", job_id, stage, error, error.advice)
                    return {
                        "error": str(error.category),
                        "sentence": _last_words(error.sentence),
                        "advice": error.advice,
                    }
                log.info("Job %s, stage %s, attempt %d: %s", job_id, stage, attempt, error)
                await self._sleep(_pause_seconds(error, attempt))
        raise AssertionError("the last attempt returns")

    async def _attempt(self, job_id: str, stage: Stage, action: Action) -> Json:
        async with self._database.writing() as connection:
            await begin(connection, job_id)
            job = await _job_at_work(connection, job_id, telling=self._engine.telling())
            await begin_stage(connection, job, stage)
        await self._cards.refresh_soon(job_id)  # a short stage is not worth one of Discord's few edits
        try:
            result = await within(LONGEST_SECONDS.get(stage), action(job))
        except AtelierError as error:
            await self._end(job, stage, error)
            raise
        async with self._database.writing() as connection:
            await end_stage(connection, job, stage, StageOutcome.DONE, result=result)
        return result

    async def _end(self, job: Job, stage: Stage, error: AtelierError) -> None:
        was_cancelled = isinstance(error, Cancelled)
        async with self._database.writing() as connection:
            await end_stage(
                connection,
                job,
                stage,
                StageOutcome.CANCELLED if was_cancelled else StageOutcome.FAILED,
                error_category=error.category,
                detail=error.sentence,
                advice=error.advice,
            )

    async def announce(self, job: Job) -> Json:
        """The action of the last stage of every story."""
        await self._cards.deliver(job.id, Message.RESULT)
        return {}

    async def finish(self, job_id: str) -> None:
        await self.change("done", job_id, only_when=(JobStatus.RUNNING,), status=JobStatus.DONE, progress=1.0)

    async def change(self, name: str, job_id: str, *, only_when: tuple[JobStatus, ...], **changes: Any) -> bool:
        """Change the job as a step of its own, then show it."""

        async def body() -> Json:
            async with self._database.writing() as connection:
                changed = await change_job(connection, job_id, only_when=only_when, **changes)
            await self._cards.refresh(job_id)
            return {"changed": changed}

        return bool((await self._engine.step(name, body))["changed"])


async def _job_at_work(connection: Connection, job_id: str, *, telling: int) -> Job:
    job = await find_job(connection, job_id)
    if job is not None and job.round != telling:
        raise Superseded
    if job is None or job.status not in AT_WORK:
        raise Cancelled("This job was stopped.")
    return job


async def within(seconds: float | None, action: Awaitable[Result]) -> Result:
    """Raises `StageOverdue`."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await action
    except TimeoutError:
        if not limit.expired():
            raise
        raise StageOverdue("This took longer than it ever should, so it was stopped.") from None


def _attempts(error: AtelierError) -> int:
    """How many in all, when this is what the last one met."""
    if isinstance(error, ProviderBusy):
        return ATTEMPTS_WHEN_BUSY
    return ATTEMPTS if isinstance(error, ProviderUnreachable | ProviderBroken | DiscordUnreachable) else 1


def _last_words(sentence: str) -> str:
    """Nobody tries again after the last attempt."""
    return f"{sentence.removesuffix(TRYING)}. Please try again later." if sentence.endswith(TRYING) else sentence


def _pause_seconds(error: AtelierError, attempt: int) -> float:
    wished = error.retry_after_seconds if isinstance(error, ProviderBusy) else 0.0
    return min(max(wished, 0.5 * 2.0**attempt), LONGEST_PAUSE_SECONDS)
