"""Waiting for a provider, cut short when its webhook knocks at this process."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

Pause = Callable[[float], Awaitable[None]]


class Wakeups:
    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._sleep = sleep
        self._waiting: dict[str, list[asyncio.Event]] = defaultdict(list)
        self._is_over = False

    def end(self) -> None:
        """Nobody waits any more, now or later: every pause is cut as by a cancellation."""
        self._is_over = True
        for events in self._waiting.values():
            for event in events:
                event.set()

    def wake(self, job_id: str) -> None:
        """Whoever waits for this job looks at once; a knock that nobody waits for is forgotten."""
        for event in self._waiting.get(job_id, ()):
            event.set()

    @contextmanager
    def heard(self, job_id: str) -> Iterator[Pause]:
        """For somebody who looks and pauses in turn: a knock while they look ends the next pause at once."""
        knock = asyncio.Event()
        self._waiting[job_id].append(knock)

        async def pause(seconds: float) -> None:
            await self._until_either(knock, 0.0 if self._is_over else seconds)
            if self._is_over:
                raise asyncio.CancelledError
            knock.clear()

        try:
            yield pause
        finally:
            self._waiting[job_id].remove(knock)
            if not self._waiting[job_id]:
                del self._waiting[job_id]

    async def pause(self, job_id: str, seconds: float) -> None:
        with self.heard(job_id) as pause:
            await pause(seconds)

    async def _until_either(self, knock: asyncio.Event, seconds: float) -> None:
        sleeping = asyncio.ensure_future(self._sleep(seconds))
        knocking = asyncio.ensure_future(knock.wait())
        try:
            await asyncio.wait((sleeping, knocking), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sleeping, knocking):
                task.cancel()
