"""Submits a job to its provider exactly once and waits for it. Used by finetune and generate alike.

The intent is stored before the request leaves. Whoever finds an intent without an answer looks at the provider first.
"""

import contextlib
import math
import time
from collections.abc import Awaitable, Callable

from bot.errors import AtelierError, OutcomeUnknown, ProviderBusy, ProviderTimedOut, ProviderUnreachable
from bot.providers.contract import Finished, Provider, Stopped, Working
from bot.workflows.stages import Cards, Sleep
from storage.database import Database, now_ms
from storage.jobs import Job, change_job
from storage.submissions import intend, remember_remote, submitted_as

LOOKS = 5
SECONDS_BETWEEN_LOOKS = 1.0
UNANSWERED_CHECKS = 20
LONGEST_SECONDS_LEFT = 7 * 86_400

Submit = Callable[[], Awaitable[str]]


class Submissions:
    def __init__(self, *, database: Database, cards: Cards, sleep: Sleep, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._cards = cards
        self._sleep = sleep
        self._now = now

    async def submit_once(self, job: Job, provider: Provider, submit: Submit) -> str:
        """The provider's task id for this job. Raises `OutcomeUnknown` when nobody can say whether it was accepted."""
        async with self._database.writing() as connection:
            is_first = await intend(connection, job.id, job.place)
            known = None if is_first else await submitted_as(connection, job.id)
        task_id = known or (None if is_first else await self._look_for(job, provider))
        if task_id is None:
            task_id = await self._submit(job, provider, submit)
        async with self._database.writing() as connection:
            await remember_remote(connection, job.id, task_id)
            await change_job(connection, job.id, remote_id=task_id)
        return task_id

    async def task_of(self, job: Job) -> str:
        """The task id that `submit_once` stored."""
        async with self._database.reading() as connection:
            task_id = await submitted_as(connection, job.id)
        if task_id is None:
            raise OutcomeUnknown("The provider's answer to this job was never stored.")
        return task_id

    async def _submit(self, job: Job, provider: Provider, submit: Submit) -> str:
        try:
            return await submit()
        except OutcomeUnknown:
            found = await self._look_for(job, provider)
            if found is None:
                raise ProviderBusy("The provider did not take the request; trying again.") from None
            return found

    async def _look_for(self, job: Job, provider: Provider) -> str | None:
        """None only when the provider's own list proves that nothing was accepted."""
        for look in range(LOOKS):
            if look:
                await self._sleep(SECONDS_BETWEEN_LOOKS)
            try:
                found = await provider.find(job.id)
            except (ProviderUnreachable, ProviderBusy):
                continue
            if found is not None:
                return found
            if provider.card.tasks_can_be_found:
                return None
        raise OutcomeUnknown(
            "The provider did not say whether it accepted this job, so it was not sent again.",
            advice=f"Look for job {job.id} in the provider's dashboard.",
        )

    async def wait(self, job: Job, provider: Provider, task_id: str, *, deadline_seconds: float) -> None:
        """Until the task is finished; its progress goes to the card. Raises what stopped it."""
        ends_at = self._now() + deadline_seconds
        unanswered = 0
        while self._now() < ends_at:
            try:
                state = await provider.check(task_id)
                unanswered = 0
            except (ProviderUnreachable, ProviderBusy):
                unanswered += 1
                if unanswered > UNANSWERED_CHECKS:
                    raise
                state = None
            match state:
                case Finished():
                    await self._show(job, Working(progress=1.0))
                    return
                case Stopped(error=error):
                    raise error
                case Working():
                    await self._show(job, state)
                case None:
                    pass
            await self._sleep(provider.card.poll_seconds)
        with contextlib.suppress(AtelierError):
            await provider.cancel(task_id)
        raise ProviderTimedOut("This took longer than it ever should, so it was stopped. Please try again.")

    async def _show(self, job: Job, state: Working) -> None:
        """What a provider says of itself is bounded before it is stored."""
        progress = min(max(state.progress, 0.0), 1.0) if math.isfinite(state.progress) else 0.0
        left = state.seconds_left
        is_known = left is not None and math.isfinite(left) and 0 <= left <= LONGEST_SECONDS_LEFT
        ready_at = now_ms() + int(left * 1000) if left is not None and is_known else None
        async with self._database.writing() as connection:
            await change_job(
                connection,
                job.id,
                progress=progress,
                note=state.note[:200],
                ready_at_ms=ready_at,
            )
        await self._cards.refresh_soon(job.id)
