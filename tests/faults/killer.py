"""Kills the bot at instants drawn by lot, and starts it again at once.

Some kills come at any time, some while the bot is still starting, and most at or shortly after a moment that matters:
when something was done and the bot does not know it yet.
"""

import asyncio
import random
import time
from collections import Counter
from datetime import UTC, datetime

from tests.faults.killable_bot import KillableBot
from tests.faults.services import PAID
from tests.faults.stored import Stored
from tests.simulators.service import Moment

LONGEST_WAIT_SECONDS = 2.0
ONLINE_SECONDS = 60.0
SUBMITTING = frozenset(f"{side} {route}" for side, routes in PAID.items() for route in routes)
POSTING = frozenset({"discord POST /channels/*/messages"})
EDITING = frozenset({"discord PATCH /channels/*/messages/*"})
ANSWERING = frozenset({"discord POST /interactions/*/*/callback", "discord DELETE /webhooks/*/*/messages/@original"})
FETCHING = frozenset(
    {
        "replicate GET /delivery/{rest:.+}",
        "fal GET /files/{name}",
        "bfl GET /delivery/{name}",
        "together GET /imgproxy/{name}",
        "replicate POST /v1/files",
        "discord GET /ephemeral-attachments/*/*/*",
    }
)
TARGETS = {"submitting": SUBMITTING, "posting": POSTING, "editing": EDITING, "answering": ANSWERING, "a file": FETCHING}
SHARES = {"submitting": 5, "posting": 5, "editing": 1, "answering": 2, "a file": 2}


class Killer:
    """`kills` counts by reason, `hit` by kind, provider and open stage."""

    def __init__(self, bot: KillableBot, stored: Stored, lot: random.Random) -> None:
        self._bot = bot
        self._stored = stored
        self._lot = lot
        self._target: tuple[frozenset[str], Moment] | None = None
        self._struck = asyncio.Event()
        self._soon: asyncio.TimerHandle | None = None
        self.struck_at: list[datetime] = []
        self.kills: Counter[str] = Counter()
        self.hit: Counter[tuple[str, str, str]] = Counter()
        self.idle = 0
        self.falls: list[str] = []
        self.hung: list[str] = []

    def witness(self, moment: Moment, what: str) -> None:
        """Called by whoever serves a request; a kill for `TOOK_EFFECT` comes before its answer has left."""
        if self._target is None or moment is not self._target[1] or what not in self._target[0]:
            return
        self._target = None
        if moment is Moment.ANSWERED:
            self._soon = asyncio.get_running_loop().call_later(self._lot.uniform(0.001, 0.05), self._strike)
        else:
            self._strike()

    def _strike(self) -> None:
        self._bot.kill_now()
        self._struck.set()

    async def run(self, kills: int, stages: frozenset[str]) -> None:
        """So many kills, and as many more, up to three times that, until each of these stages was at work in one."""
        while self.kills.total() < kills or (self.kills.total() < 3 * kills and not stages <= self._stages_hit()):
            reason = await self._kill()
            self.kills[reason] += 1
            self.struck_at.append(datetime.now(UTC))
            await self._bot.is_gone()
            self._note_what_was_open()
            await self._bot.begin()
            if self._lot.random() < 0.85:
                await self._come_online()
        await self._come_online()

    async def _kill(self) -> str:
        """Answers why it was now."""
        chance = self._lot.random()
        if not self._bot.is_online:
            await asyncio.sleep(self._lot.uniform(0.1, 1.0))
            self._bot.kill_now()
            return "while starting"
        if chance < 0.35:
            await asyncio.sleep(self._lot.uniform(0.05, LONGEST_WAIT_SECONDS))
            self._bot.kill_now()
            return "any time"
        return await self._kill_at_a_moment()

    async def _kill_at_a_moment(self) -> str:
        await asyncio.sleep(self._lot.uniform(0.0, 0.8))  # not always the first after a start
        (kind,) = self._lot.choices(list(SHARES), weights=list(SHARES.values()))
        moment = self._lot.choice(list(Moment))
        self._struck.clear()
        self._target = (TARGETS[kind], moment)
        try:
            await asyncio.wait_for(self._struck.wait(), LONGEST_WAIT_SECONDS)
        except TimeoutError:
            self._target = None
            if self._soon is not None:
                self._soon.cancel()
            self._bot.kill_now()
            return "any time"
        return f"{kind}: {moment}"

    def _stages_hit(self) -> set[str]:
        return {stage for _, _, stage in self.hit}

    def _note_what_was_open(self) -> None:
        found = self._stored.open_stages()
        self.hit.update(set(found))
        self.idle += not found

    async def _come_online(self) -> None:
        """What ended without us is a fall, and is started again as a supervisor would; what hangs has to be killed."""
        patience = time.monotonic() + ONLINE_SECONDS
        while not self._bot.is_online:
            if time.monotonic() > patience:
                self.hung.append(f"neither online nor ended after {ONLINE_SECONDS:.0f} s: {self._bot.last_words()}")
                await self._bot.kill()
                patience = time.monotonic() + ONLINE_SECONDS
            if not self._bot.is_alive:
                self.falls.append(self._bot.last_words())
                await self._bot.begin()
            await asyncio.sleep(0.01)
