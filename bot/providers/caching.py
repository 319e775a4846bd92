"""Remembers what is stable for a while: model lists, trainer schemas, prices, the account. One asks, all wait."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Any

MOST_ENTRIES = 1000


class Cache:
    """Entries expire after their own time. A failure is shared by all who wait for it, and never remembered."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._entries: dict[Hashable, tuple[float, Any]] = {}
        self._asking: dict[Hashable, asyncio.Task[Any]] = {}

    async def get(self, key: Hashable, load: Callable[[], Awaitable[Any]], *, seconds: float) -> Any:
        """What `load` answered at most `seconds` ago; of several callers at once only one loads."""
        entry = self._entries.get(key)
        if entry is not None and self._now() < entry[0]:
            return entry[1]
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.ensure_future(self._load(key, load, seconds))
            asking.add_done_callback(lambda done: self._answered(key, done))
        return await asyncio.shield(asking)  # one caller that gives up does not take the answer from the others

    def forget(self, key: Hashable) -> None:
        self._entries.pop(key, None)

    async def _load(self, key: Hashable, load: Callable[[], Awaitable[Any]], seconds: float) -> Any:
        value = await load()
        if len(self._entries) >= MOST_ENTRIES:
            self._make_room()
        self._entries[key] = (self._now() + seconds, value)
        return value

    def _answered(self, key: Hashable, done: asyncio.Future[Any]) -> None:
        self._asking.pop(key, None)
        if not done.cancelled():
            done.exception()  # looked at, so that asyncio does not complain when every caller has gone

    def _make_room(self) -> None:
        """First what has expired, then what would expire soonest."""
        now = self._now()
        soonest_first = sorted(self._entries, key=lambda key: self._entries[key][0])
        for key in soonest_first:
            if self._entries[key][0] > now and len(self._entries) < MOST_ENTRIES:
                break
            del self._entries[key]
