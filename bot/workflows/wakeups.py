"""Waiting for a provider, cut short when its webhook knocks at this process."""

import asyncio
from collections.abc import Awaitable, Callable


class Wakeups:
    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._sleep = sleep
        self._waiting: dict[str, asyncio.Event] = {}

    def wake(self, job_id: str) -> None:
        """Whoever waits for this job looks at once; a knock that nobody waits for is forgotten."""
        if event := self._waiting.get(job_id):
            event.set()

    async def pause(self, job_id: str, seconds: float) -> None:
        event = self._waiting[job_id] = asyncio.Event()
        sleeping = asyncio.ensure_future(self._sleep(seconds))
        knocking = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait((sleeping, knocking), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sleeping, knocking):
                task.cancel()
            if self._waiting.get(job_id) is event:
                del self._waiting[job_id]
