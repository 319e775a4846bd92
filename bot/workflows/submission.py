"""Submits to a provider exactly once and waits for it. Used by finetune and generate alike.

The intent is stored before the request leaves. Whoever finds an intent without an answer looks at the provider first.
A round of a job submits a part at most once; the next round takes up what has no verdict, and pays again for what has.
"""

import contextlib
import logging
import math
import time
from collections.abc import Callable
from typing import Any

from bot.errors import (
    AtelierError,
    Cancelled,
    OutcomeUnknown,
    ProviderAway,
    ProviderBroken,
    ProviderBusy,
    ProviderDenied,
    ProviderError,
    ProviderGone,
    ProviderTimedOut,
    ProviderUnreachable,
    TaskEnded,
)
from bot.providers.contract import Cancels
from bot.providers.tasks import Finished, Stopped, Task, Working
from bot.workflows.outages import Outages
from bot.workflows.reconciliation import Paid, Reconciliation
from bot.workflows.stages import AT_WORK, Cards, Superseded
from bot.workflows.wakeups import Pause, Wakeups
from storage.database import Database, now_ms
from storage.jobs import Job, change_job, locked_job
from storage.statuses import ErrorCategory
from storage.submissions import (
    Submission,
    intend,
    latest_submission,
    remember_finished,
    remember_remote,
    remember_verdict,
    withdraw,
)

log = logging.getLogger(__name__)

LONGEST_PATIENCE = 10  # intervals between two looks at a provider that does not answer
LONGEST_SECONDS_LEFT = 7 * 86_400


class Submissions:
    """`now` is seconds of a clock that nobody sets: waiting is measured with it."""

    def __init__(
        self,
        *,
        database: Database,
        cards: Cards,
        wakeups: Wakeups,
        outages: Outages,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._cards = cards
        self._wakeups = wakeups
        self._outages = outages
        self._now = now
        self._reconciliation = Reconciliation(database=database, wakeups=wakeups, now=now)

    async def submit_once(self, paid: Paid) -> Task:
        """The provider's task for this request. Waits while the provider is out, with nothing stored or sent.

        Raises `OutcomeUnknown` when nobody can say whether it was accepted, `TaskEnded` when this round's task has its
        verdict already, `WaitedTooLong` when the provider stayed away.
        """
        task = await self._taken_up(paid)
        return task if task is not None else await self._outages.outlast(paid.job, lambda: self._send(paid))

    async def _taken_up(self, paid: Paid) -> Task | None:
        """What an earlier attempt, round or process has left at the provider."""
        async with self._database.reading() as connection:
            latest = await latest_submission(connection, paid.job.id, paid.part)
        if latest is None:
            return None
        if latest.verdict is not None:
            is_final = latest.verdict is not ErrorCategory.UNCERTAIN and not latest.verdict.may_pass
            if latest.round == paid.job.round or is_final:
                raise TaskEnded(latest.verdict_sentence, category=latest.verdict)
            return await self._turned_up(paid, latest)
        if latest.remote_id is not None:
            return Task(id=latest.remote_id, links=latest.links)
        found = await self._reconciliation.look_for(paid, latest)
        async with self._database.writing() as connection:
            if found is None:
                await withdraw(connection, latest)
            else:
                await remember_remote(connection, latest, found.id, found.links)
        return found

    async def _turned_up(self, paid: Paid, doubted: Submission) -> Task | None:
        """What its person had submitted again in doubt, and the provider shows by now."""
        found = await self._reconciliation.look_once(paid, doubted)
        if found is not None:
            await self._remember(await self._intent(paid), found)
        return found

    async def _send(self, paid: Paid) -> Task:
        intent = await self._intent(paid)
        task = await self._submit(paid, intent)
        await self._remember(intent, task)
        return task

    async def _remember(self, intent: Submission, task: Task) -> None:
        async with self._database.writing() as connection:
            await remember_remote(connection, intent, task.id, task.links)

    async def _intent(self, paid: Paid) -> Submission:
        async with self._database.writing() as connection:
            job = await locked_job(connection, paid.job.id)
            if job is not None and job.round != paid.job.round:  # it was moved to another provider
                raise Superseded
            if job is None or job.status not in AT_WORK:  # Cancel was here first: nothing is paid for any more
                raise Cancelled("This job was stopped.")
            if not await intend(connection, job, paid.part):
                raise ProviderBusy("This is being sent already; trying again.")
            latest = await latest_submission(connection, job.id, paid.part)
        assert latest is not None, "stored just now"
        return latest

    async def task_of(self, job: Job, part: int = 0) -> Task:
        """The task that `submit_once` stored."""
        stored = await self.stored(job, part)
        if stored.remote_id is None:
            raise OutcomeUnknown("The provider's answer to this job was never stored.")
        return Task(id=stored.remote_id, links=stored.links)

    async def stored(self, job: Job, part: int) -> Submission:
        async with self._database.reading() as connection:
            stored = await latest_submission(connection, job.id, part)
        if stored is None:
            raise OutcomeUnknown("This job was never submitted.")
        return stored

    async def _submit(self, paid: Paid, intent: Submission) -> Task:
        try:
            return await paid.submit()
        except (OutcomeUnknown, ProviderBroken, ProviderUnreachable):  # it may have been accepted all the same
            found = await self._reconciliation.look_for(paid, intent)
            if found is None:
                async with self._database.writing() as connection:
                    await withdraw(connection, intent)
                raise ProviderAway("The provider did not take the request; trying again.") from None
            return found
        except ProviderError:
            async with self._database.writing() as connection:
                await withdraw(connection, intent)
            raise

    async def wait(self, paid: Paid, task: Task) -> None:
        """Until the task is finished; its progress goes to the card. Raises what stopped it."""
        if (await self.stored(paid.job, paid.part)).finished_ms is not None:
            return
        with self._wakeups.heard(paid.job.id) as pause:
            await self._wait(paid, task, pause)

    async def _wait(self, paid: Paid, task: Task, pause: Pause) -> None:
        """It is paid for, so no trouble in asking ends it before its deadline: only the provider's own verdict does."""
        ends_at = self._now() + await self._seconds_left(paid)
        unanswered = 0
        while True:
            try:
                state = await paid.provider.check(task)
                unanswered = 0
            except ProviderGone as gone:
                await self.end(paid.job, paid.part, gone)
                raise TaskEnded(gone.sentence, category=gone.category, advice=gone.advice) from None
            except (ProviderUnreachable, ProviderBusy, ProviderBroken, ProviderDenied) as problem:
                unanswered += 1
                log.info("Job %s: no answer (%s) %s", paid.job.id, problem, problem.advice)
                state = None
            match state:
                case Finished():
                    await self._remember_finished(paid)
                    await self._show(paid, Working(progress=1.0))
                    return
                case Stopped(error=error):
                    await self.end(paid.job, paid.part, error)
                    raise TaskEnded(error.sentence, category=error.category, advice=error.advice)
                case Working():
                    await self._show(paid, state)
                case None:
                    pass
            if self._now() >= ends_at:  # asked once more after the last moment: it may have ended meanwhile
                break
            await pause(paid.poll_seconds * min(1 + unanswered, LONGEST_PATIENCE))
        raise await self._overdue(paid, task)

    async def _seconds_left(self, paid: Paid) -> float:
        """Of the deadline, counted from when this round had the task; a restart gives no more time."""
        stored = await self.stored(paid.job, paid.part)
        since = max(stored.accepted_ms or stored.intended_ms, paid.job.begun_ms or 0)
        return min(max(paid.deadline_seconds - (now_ms() - since) / 1000, 0.0), paid.deadline_seconds)

    async def _remember_finished(self, paid: Paid) -> None:
        stored = await self.stored(paid.job, paid.part)
        async with self._database.writing() as connection:
            await remember_finished(connection, stored)

    async def end(self, job: Job, part: int, error: ProviderError) -> None:
        """The provider's verdict, so that nobody asks again, and nobody pays again in this round."""
        stored = await self.stored(job, part)
        async with self._database.writing() as connection:
            await remember_verdict(connection, stored, error.category, error.sentence)

    async def _overdue(self, paid: Paid, task: Task) -> ProviderError:
        if await self._stop(paid, task):
            stopped = ProviderTimedOut("This took longer than it ever should, so it was stopped. Please try again.")
            await self.end(paid.job, paid.part, stopped)
            return stopped
        return ProviderTimedOut(
            f"This took longer than it ever should; {paid.provider.card.title} could not be told to stop."
        )

    async def _stop(self, paid: Paid, task: Task) -> bool:
        if not isinstance(paid.provider, Cancels):
            return False
        with contextlib.suppress(AtelierError):
            return await paid.provider.cancel(task)
        return False

    async def _show(self, paid: Paid, state: Working) -> None:
        """What a provider says of itself is bounded before it is stored; what it does not say is left as it was."""
        left = state.seconds_left
        is_known = left is not None and math.isfinite(left) and 0 <= left <= LONGEST_SECONDS_LEFT
        changes: dict[str, Any] = {
            "note": state.note[:200],
            "ready_at_ms": now_ms() + int(left * 1000) if left is not None and is_known else None,
        }
        if state.progress is not None:
            progress = min(max(state.progress, 0.0), 1.0) if math.isfinite(state.progress) else 0.0
            changes["progress"] = (paid.part + progress) / paid.parts
        async with self._database.writing() as connection:
            await change_job(connection, paid.job.id, only_when=AT_WORK, **changes)
        await self._cards.refresh_soon(paid.job.id)
