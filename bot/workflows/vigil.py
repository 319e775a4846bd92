"""What is done for everybody while a provider is out: channels and operators are told, cards and accounts looked at.

The jobs that wait keep it going; each telling is stored, so that it happens once over all processes and restarts.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from bot.errors import ProviderError
from bot.operators import Operators
from bot.providers.contract import Balances
from bot.providers.registry import Providers
from bot.workflows.stages import Cards
from storage.database import Database
from storage.jobs import Job
from storage.outages import (
    Notice,
    Outage,
    ended_in_silence,
    intend_notice,
    notices_of,
    probe_sooner,
    remember_notice,
)
from storage.watching import jobs_waiting_for

SECONDS_BETWEEN_ROUNDS = 2.0
SECONDS_BETWEEN_BALANCES = 30.0
ASKING_SECONDS = 20.0
WORTH_AN_ALARM_MS = 10 * 60_000
NOT_POSTED = 0
JOBS = 1000
CARDS_AT_THE_END = 25  # the others are shown anew when they begin


class Announcer(Protocol):
    """Never raises: what cannot be posted is logged."""

    async def say_out(self, channel_id: int, title: str, outage: Outage) -> int | None:
        """The message's id; None when the channel does not take it."""

    async def say_back(self, channel_id: int, message_id: int, title: str, outage: Outage, jobs: int) -> None: ...


class Vigil:
    def __init__(
        self,
        *,
        database: Database,
        providers: Providers,
        cards: Cards,
        operators: Operators,
        announcer: Announcer,
        now_ms: Callable[[], int],
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._providers = providers
        self._cards = cards
        self._operators = operators
        self._announcer = announcer
        self._now_ms = now_ms
        self._ticks = ticks
        self._locks: dict[str, asyncio.Lock] = {}
        self._rounds: dict[str, float] = {}
        self._shown: dict[str, tuple[int, set[str]]] = {}
        self._balances: dict[str, tuple[int, float, float | None]] = {}

    async def begins(self, outage: Outage) -> None:
        if outage.is_unpaid:
            title = self._title(outage)
            says = f"It says: {outage.advice.rstrip('.')}. " if outage.advice else ""
            text = f"{title} wants money: top up its account. {says}Jobs wait for it, and go on by themselves."
            await self._operators.tell(f"the account at {title}, outage {outage.id}", text)

    async def watch(self, outage: Outage) -> None:
        """One round, unless one was made a moment ago."""
        lock = self._locks.setdefault(outage.provider, asyncio.Lock())
        is_due = self._ticks() - self._rounds.get(outage.provider, float("-inf")) >= SECONDS_BETWEEN_ROUNDS
        if lock.locked() or not is_due:
            return
        async with lock:
            self._rounds[outage.provider] = self._ticks()
            waiting = await self.waiting(outage)
            await self._announce(outage, waiting)
            await self._show(outage, waiting)
            await self._alarm(outage)
            await self._look_at_the_account(outage)

    async def waiting(self, outage: Outage) -> Sequence[Job]:
        async with self._database.reading() as connection:
            return await jobs_waiting_for(connection, outage.provider, limit=JOBS)

    async def ends(self, outage: Outage, waiting: Sequence[Job]) -> None:
        """`waiting` are those that go on now; `outage` is as it was before."""
        self._shown.pop(outage.provider, None)
        self._balances.pop(outage.provider, None)
        await self._say_back(outage, waiting, ended_ms=self._now_ms())
        for job in waiting[:CARDS_AT_THE_END]:
            await self._cards.refresh(job.id)
        if outage.is_unpaid or self._age_ms(outage) >= WORTH_AN_ALARM_MS:
            title = self._title(outage)
            text = f"{title} takes jobs again. Waiting for it: {len(waiting)}."
            await self._operators.tell(f"the end of outage {outage.id} of {title}", text)

    async def catch_up(self) -> None:
        """Channels that a process which ended too early still owes the end of an outage."""
        async with self._database.reading() as connection:
            owed = await ended_in_silence(connection)
        for outage in owed:
            await self._say_back(outage, (), ended_ms=outage.ended_ms or self._now_ms())

    async def _announce(self, outage: Outage, waiting: Sequence[Job]) -> None:
        async with self._database.reading() as connection:
            notices = await notices_of(connection, outage)
        told = {notice.channel_id for notice in notices}
        untold = {job.place.channel_id: job.place for job in waiting if job.place.channel_id not in told}
        if untold:
            async with self._database.writing() as connection:
                for place in untold.values():
                    await intend_notice(connection, outage, place)
                notices = await notices_of(connection, outage)
        for notice in notices:
            if notice.message_id is None:
                posted = await self._announcer.say_out(notice.channel_id, self._title(outage), outage)
                await self._remember(notice, message_id=NOT_POSTED if posted is None else posted)

    async def _say_back(self, outage: Outage, waiting: Sequence[Job], *, ended_ms: int) -> None:
        async with self._database.reading() as connection:
            notices = await notices_of(connection, outage)
        for notice in notices:
            if notice.message_id:
                jobs = sum(job.place.channel_id == notice.channel_id for job in waiting)
                over = replace(outage, ended_ms=ended_ms)
                await self._announcer.say_back(notice.channel_id, notice.message_id, self._title(outage), over, jobs)
            await self._remember(notice, over_ms=self._now_ms())

    async def _remember(self, notice: Notice, **changes: int) -> None:
        async with self._database.writing() as connection:
            await remember_notice(connection, notice, **changes)

    async def _show(self, outage: Outage, waiting: Sequence[Job]) -> None:
        """Each card once: the time on it runs by itself."""
        outage_id, shown = self._shown.get(outage.provider, (0, set()))
        if outage_id != outage.id:
            shown = set()
        for job in waiting:
            if job.id not in shown:
                await self._cards.refresh(job.id)
        self._shown[outage.provider] = (outage.id, {job.id for job in waiting})

    async def _alarm(self, outage: Outage) -> None:
        if self._age_ms(outage) >= WORTH_AN_ALARM_MS and not outage.is_unpaid:
            title = self._title(outage)
            text = f"{title} has been out for {self._age_ms(outage) // 60_000} minutes: {outage.sentence}"
            await self._operators.tell(f"outage {outage.id} of {title}", text)

    async def _look_at_the_account(self, outage: Outage) -> None:
        """More money than at the first look is a reason to try at once."""
        provider = self._providers.find(outage.provider)
        if not outage.is_unpaid or not isinstance(provider, Balances):
            return
        outage_id, asked_at, before = self._balances.get(outage.provider, (0, float("-inf"), None))
        if outage_id == outage.id and self._ticks() - asked_at < SECONDS_BETWEEN_BALANCES:
            return
        left = await _left(provider)
        self._balances[outage.provider] = (outage.id, self._ticks(), left)
        if outage_id == outage.id and left is not None and before is not None and left > before:
            async with self._database.writing() as connection:
                await probe_sooner(connection, outage, now_ms=self._now_ms())

    def _age_ms(self, outage: Outage) -> int:
        return self._now_ms() - (outage.opened_ms or outage.began_ms)

    def _title(self, outage: Outage) -> str:
        return self._providers.card_of(outage.provider).title


async def _left(provider: Balances) -> float | None:
    """Dollars on the account, when it says."""
    try:
        async with asyncio.timeout(ASKING_SECONDS):
            return (await provider.balance()).amount_usd
    except (ProviderError, TimeoutError):
        return None
