"""The gate before everything that a provider is asked for: while it is out, jobs wait here instead of failing.

Failures in a row close it; then one job at a time, of all processes, goes through to see whether the outage is over.
"""

import logging
import math
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.errors import (
    Cancelled,
    OutcomeUnknown,
    ProviderAway,
    ProviderBroken,
    ProviderDenied,
    ProviderError,
    ProviderUnpaid,
    ProviderUnreachable,
    WaitedTooLong,
)
from bot.operators import Operators
from bot.providers.registry import Providers
from bot.workflows.stages import AT_WORK, Superseded
from bot.workflows.vigil import Vigil
from bot.workflows.wakeups import Wakeups
from storage.database import Database
from storage.jobs import Job, change_job, find_job
from storage.outages import (
    Failure,
    Outage,
    claim_probe,
    count_failure,
    current_outage,
    end_outage,
    forget_suspicion,
    give_up_probe,
)
from storage.statuses import ErrorCategory

log = logging.getLogger(__name__)
Result = TypeVar("Result")

SECOND = 1000
FAILURES_IN_A_ROW = 3
WITHIN_MS = 5 * 60 * SECOND
FIRST_AND_LONGEST_PAUSE_MS = (15 * SECOND, 5 * 60 * SECOND)
FIRST_AND_LONGEST_PAUSE_UNPAID_MS = (60 * SECOND, 10 * 60 * SECOND)
PROBE_MS = 5 * 60 * SECOND  # longer than any request; then the prober is taken for dead
LONGEST_WAIT_MS = 24 * 3600 * SECOND
SECONDS_BETWEEN_LOOKS = 2.0
FRESH_SECONDS = 1.0

NOTHING_ACCEPTED = (ProviderUnreachable, ProviderBroken, ProviderAway, ProviderUnpaid)
AWAY = (*NOTHING_ACCEPTED, OutcomeUnknown)  # what nobody can say is no reason to send it the next job
ANSWERED = (ErrorCategory.VALIDATION, ErrorCategory.MODERATION, ErrorCategory.GONE)


class Outages:
    """`now_ms` is the clock that all processes share; `ticks` is seconds of one that nobody sets."""

    def __init__(
        self,
        *,
        database: Database,
        providers: Providers,
        wakeups: Wakeups,
        operators: Operators,
        vigil: Vigil,
        now_ms: Callable[[], int],
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._providers = providers
        self._wakeups = wakeups
        self._operators = operators
        self._vigil = vigil
        self._now_ms = now_ms
        self._ticks = ticks
        self._seen: dict[str, tuple[float, Outage | None]] = {}  # with the tick at which it was read

    async def outlast(self, job: Job, send: Callable[[], Awaitable[Result]], *, is_paid: bool = True) -> Result:
        """What `send` answers, however long its provider is out: called when the gate lets this job through, and again
        when it met the outage itself; what it raises then must promise that nothing was accepted. What is not paid for
        is tried at once and proves nothing: some providers are not even asked. Raises `WaitedTooLong`, `Cancelled`,
        `Superseded`, and what `send` raises otherwise."""
        if is_paid:
            await self.gate(job)
        while True:
            is_answered = False
            try:
                result = await send()
                is_answered = True
            except ProviderError as error:
                is_answered = True
                if not await self.report(job, error):
                    raise
                await self.gate(job)
            else:
                await (self.report(job, None) if is_paid else self._says_nothing(job))
                return result
            finally:
                if not is_answered:  # whatever ended it says nothing about the provider
                    await self._says_nothing(job)

    async def gate(self, job: Job) -> None:
        """Returns when this job may send: no outage is open, or it is the one that probes."""
        while (outage := await self._current(job.provider)) is not None and outage.is_open:
            held_ms = await self._hold(job)  # the prober too: it waited like the others, and is counted with them
            if await self._is_prober(outage, job):
                return
            await self._vigil.watch(outage)
            if self._now_ms() - held_ms >= LONGEST_WAIT_MS:
                raise self._gave_up(outage)
            await self._wakeups.pause(job.id, SECONDS_BETWEEN_LOOKS)

    async def report(self, job: Job, error: ProviderError | None) -> bool:
        """What came of it. True when the job is to wait at the gate: the provider is out, and nothing was accepted."""
        if isinstance(error, ProviderDenied):
            title = self._title(job.provider)
            await self._operators.tell(f"the key of {title}", f"{error.sentence} It says: {error.advice or 'nothing'}")
        if isinstance(error, AWAY):
            outage = await self._count(job, error)
            return outage.is_open and isinstance(error, NOTHING_ACCEPTED)
        current = await self._read(job.provider)  # anew: whether this job is the prober may have changed just now
        if current is not None and (error is None or error.category in ANSWERED):
            await self._it_answered(current, job, was_accepted=error is None)
        elif current is not None:
            await self._says_nothing(job)
        if error is None:
            await self._let_go(job)
        return False

    async def _is_prober(self, outage: Outage, job: Job) -> bool:
        now = self._now_ms()
        if outage.probe_ms > now and outage.prober != job.id:
            return False
        async with self._database.writing() as connection:
            is_prober = await claim_probe(connection, outage, job.id, now_ms=now, until_ms=now + PROBE_MS)
        self._seen.pop(outage.provider, None)
        return is_prober

    async def _count(self, job: Job, error: ProviderError) -> Outage:
        """A failure more, of the probe or of any other request."""
        failure = Failure(provider=job.provider, category=error.category, sentence=error.sentence, advice=error.advice)
        is_unpaid = isinstance(error, ProviderUnpaid)
        now = self._now_ms()
        async with self._database.writing() as connection:
            before = await current_outage(connection, job.provider)
            if before is not None and before.is_open and before.prober == job.id:
                pause = pause_ms(is_unpaid=is_unpaid, probes=before.probes + 1)
                await give_up_probe(connection, before, job.id, next_ms=now + pause, failure=failure)
            after = await count_failure(
                connection,
                failure,
                now_ms=now,
                enough=1 if is_unpaid else FAILURES_IN_A_ROW,
                within_ms=WITHIN_MS,
                pause_ms=pause_ms(is_unpaid=is_unpaid, probes=0),
            )
        self._seen.pop(job.provider, None)
        if after.is_open and (before is None or not before.is_open):
            log.warning("%s is out: %s %s", job.provider, error.sentence, error.advice)
            await self._vigil.begins(after)
        return after

    async def _it_answered(self, outage: Outage, job: Job, *, was_accepted: bool) -> None:
        """Failures are no longer in a row; an open outage is over when its prober says so."""
        if not outage.is_open:
            async with self._database.writing() as connection:
                await forget_suspicion(connection, outage.provider)
        elif outage.prober != job.id:
            return  # it left before the outage, and came late
        elif outage.is_unpaid and not was_accepted:
            await self._says_nothing(job)
        else:
            waiting = await self._vigil.waiting(outage)
            async with self._database.writing() as connection:
                has_ended = await end_outage(connection, outage, now_ms=self._now_ms())
            if has_ended:
                log.warning("%s is back", outage.provider)
                self._seen.pop(outage.provider, None)
                await self._vigil.ends(outage, waiting)
        self._seen.pop(outage.provider, None)

    async def _says_nothing(self, job: Job) -> None:
        """A probe that ended without an answer to the question: the next one may go after the same pause."""
        outage = await self._read(job.provider)
        if outage is None or not outage.is_open or outage.prober != job.id:
            return
        next_ms = self._now_ms() + pause_ms(is_unpaid=outage.is_unpaid, probes=outage.probes)
        async with self._database.writing() as connection:
            await give_up_probe(connection, outage, job.id, next_ms=next_ms)
        self._seen.pop(job.provider, None)

    async def _current(self, provider: str) -> Outage | None:
        """As read a moment ago, by whichever job asked."""
        at, outage = self._seen.get(provider, (-math.inf, None))
        return outage if self._ticks() - at < FRESH_SECONDS else await self._read(provider)

    async def _read(self, provider: str) -> Outage | None:
        at = self._ticks()
        async with self._database.reading() as connection:
            outage = await current_outage(connection, provider)
        self._seen[provider] = (at, outage)
        return outage

    async def _hold(self, job: Job) -> int:
        """Since when this job is held back, for every restart to know. Raises when it is to go no further."""
        async with self._database.reading() as connection:
            now = await find_job(connection, job.id)
        if now is not None and now.round != job.round:
            raise Superseded
        if now is None or now.status not in AT_WORK:
            raise Cancelled("This job was stopped.")
        if now.held_ms is not None:
            return now.held_ms
        held_ms = self._now_ms()
        async with self._database.writing() as connection:
            await change_job(connection, job.id, only_when=AT_WORK, held_ms=held_ms)
        return held_ms

    async def _let_go(self, job: Job) -> None:
        async with self._database.reading() as connection:
            now = await find_job(connection, job.id)
        if now is not None and now.held_ms is not None:
            async with self._database.writing() as connection:
                await change_job(connection, job.id, held_ms=None)

    def _gave_up(self, outage: Outage) -> WaitedTooLong:
        does = "took no jobs" if outage.is_unpaid else "did not answer"
        return WaitedTooLong(
            f"{self._title(outage.provider)} {does} for a whole day, so this stopped waiting, and nothing was spent on "
            "it. Please try again later, or with another provider.",
            category=outage.category,
            advice=outage.advice,
        )

    def _title(self, provider: str) -> str:
        return self._providers.card_of(provider).title


def pause_ms(*, is_unpaid: bool, probes: int) -> int:
    """How long to wait for the next probe, when so many came to nothing."""
    first, longest = FIRST_AND_LONGEST_PAUSE_UNPAID_MS if is_unpaid else FIRST_AND_LONGEST_PAUSE_MS
    return min(first << min(probes, 10), longest)
