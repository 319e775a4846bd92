"""Keeps the cards of jobs that wait in line up to date as the line moves. Runs as long as the bot does."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.workflows.stages import Cards
from storage.database import Database
from storage.turns import Waiting, waiting_in_all_lanes

log = logging.getLogger(__name__)

SECONDS_BETWEEN = 5.0
CARDS_AT_ONCE = 10  # of Discord's few edits, most belong to jobs at work
LOOKED_AT = 1000


class Positions:
    """Remembers which position each card shows; after a restart every card counts as old."""

    def __init__(self, *, database: Database, cards: Cards) -> None:
        self._database = database
        self._cards = cards
        self._shown: dict[str, int] = {}

    async def keep_moving(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Never ends by itself, and never because of one bad moment."""
        while True:
            try:
                await self.move()
            except Exception:
                log.exception("The positions in line could not be shown; trying again")
            await sleep(SECONDS_BETWEEN)

    async def move(self) -> None:
        """Show some of those that moved: who has no card yet, then the first in line."""
        async with self._database.reading() as connection:
            waiting = await waiting_in_all_lanes(connection, limit=LOOKED_AT)
        self._shown = {one.job_id: self._shown[one.job_id] for one in waiting if one.job_id in self._shown}
        moved = [one for one in waiting if self._has_moved(one)]
        for one in sorted(moved, key=lambda one: one.has_card)[:CARDS_AT_ONCE]:
            await self._cards.refresh(one.job_id)
            self._shown[one.job_id] = one.position

    def _has_moved(self, one: Waiting) -> bool:
        """Far back in a long line a few places more or less are no news."""
        shown = self._shown.get(one.job_id)
        return shown is None or abs(shown - one.position) > one.position // 20
