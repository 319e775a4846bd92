"""Keeps one process below a provider's requests per minute. Submissions are counted over all processes by the queue."""

import asyncio
import time
from collections.abc import Awaitable, Callable


class Pace:
    """Requests leave evenly after a short burst; `turn` waits for the next free moment."""

    def __init__(
        self,
        per_minute: int,
        *,
        burst: int = 10,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._interval = 60.0 / per_minute
        self._burst_seconds = self._interval * burst
        self._now = now
        self._sleep = sleep
        self._next = 0.0

    async def turn(self) -> None:
        now = self._now()
        self._next = max(self._next, now - self._burst_seconds) + self._interval
        wait = self._next - now
        if wait > 0:
            await self._sleep(wait)
