"""A storm: the real bot in a playground and between strict providers, while it is killed and the network misbehaves.

Afterwards the trouble stops, everything has a bounded time to come to rest, and the ledger is read.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from storage.statuses import JobStatus
from tests.dataset_files import photo_zip
from tests.faults.buttons import press_some
from tests.faults.killable_bot import KillableBot
from tests.faults.killer import Killer
from tests.faults.ledger import PICTURES, Verdict, verdict_of
from tests.faults.people import People
from tests.faults.report import Report, joined
from tests.faults.rough_playground import RoughPlayground
from tests.faults.services import Services, open_services
from tests.faults.stored import AT_REST, Stored
from tests.faults.trouble import Trouble
from tests.simulators.service import Moment

REST_SECONDS = 120.0


class Storm:
    """`kills` at instants that follow from `seed`, as far as two processes and a clock let them; and some more, when a
    slow machine has brought no job to one of `stages` by then."""

    def __init__(
        self, folder: Path, *, kills: int, seed: int, stages: frozenset[str] = frozenset(), database_url: str = ""
    ) -> None:
        self._folder = folder
        self._kills = kills
        self._stages = stages
        self._lots = [random.Random(f"{seed} {what}") for what in ("kills", "trouble", "people", "buttons")]
        self._trouble = Trouble(self._lots[1])
        self._stored = Stored(folder / "data", database_url)
        self._database = {"DATABASE_URL": database_url} if database_url else {}
        self._killer: Killer | None = None

    def _witness(self, moment: Moment, what: str) -> None:
        if self._killer is not None:
            self._killer.witness(moment, what)

    async def run(self) -> Report:
        photos = photo_zip(self._folder / "photos.zip", count=PICTURES)
        async with (
            open_services(self._trouble, self._witness) as services,
            RoughPlayground(self._trouble, self._witness) as playground,
            KillableBot(playground, self._folder, **services.variables(), **self._database) as bot,
        ):
            people = People(playground, self._stored, self._lots[2], photos)
            living = asyncio.create_task(people.live())
            try:
                report = await self._pass_over(bot, people, services)
            finally:
                await people.leave()
                await living
            assert playground.unknown_routes == []
            return report

    async def _pass_over(self, bot: KillableBot, people: People, services: Services) -> Report:
        began = time.monotonic()
        killer = self._killer = Killer(bot, self._stored, self._lots[0])
        self._trouble.is_on = True
        await killer.run(self._kills, self._stages)
        await people.have_asked_for_everything(within_seconds=REST_SECONDS / 2)
        self._trouble.is_on, self._killer = False, None
        people.stop_asking()
        calm = time.monotonic()
        verdict = await self._come_to_rest(people, services, killer.struck_at)
        at_rest = time.monotonic()
        outcomes, reasons = self._outcomes()
        silent, seconds = await press_some(people, self._lots[3])
        unfinished = await self._again_comes_to_rest(people)
        return Report(
            seconds=calm - began,
            seconds_to_rest=at_rest - calm,
            slowest_button_seconds=max(seconds),
            buttons=len(seconds),
            idle_kills=killer.idle,
            unheard=sum(not asked.was_heard for asked in people.asked),
            kills=killer.kills,
            hit=joined(killer.hit),
            faults=joined(self._trouble.met),
            outcomes=outcomes,
            reasons=reasons,
            falls=killer.falls,
            hung=killer.hung,
            cut_short=verdict.cut_short,
            left_thinking=verdict.left_thinking,
            lost=[*verdict.lost, *unfinished],
            paid_twice=verdict.paid_twice,
            told_twice=verdict.told_twice,
            made_twice=verdict.made_twice,
            stuck=verdict.stuck,
            silent=silent,
        )

    async def _come_to_rest(self, people: People, services: Services, killed_at: Sequence[datetime]) -> Verdict:
        """As soon as nothing is wrong, or when the time is over."""
        ends_at = time.monotonic() + REST_SECONDS
        while True:
            verdict = verdict_of(people, self._stored, services.accepted(self._folder / "data"), killed_at)
            is_settled = not people.waiting_for_start() and not people.is_busy
            if (is_settled and not verdict.problems) or time.monotonic() > ends_at:
                return verdict
            await asyncio.sleep(1.0)

    async def _again_comes_to_rest(self, people: People) -> list[str]:
        """What the buttons began ends as well."""
        ends_at = time.monotonic() + REST_SECONDS / 2
        while True:
            open_now = [job_id for job_id, status in self._stored.statuses().items() if status not in AT_REST]
            if not open_now or time.monotonic() > ends_at:
                return [f"begun by a button and not at rest: job {job_id}" for job_id in open_now]
            await asyncio.sleep(0.5)

    def _outcomes(self) -> tuple[Counter[str], Counter[str]]:
        outcomes: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        for job in self._stored.jobs():
            outcomes[f"{job.kind} / {job.provider} / {job.status}"] += 1
            if job.status in (JobStatus.FAILED, JobStatus.UNCERTAIN):
                reasons[f"{job.kind} at {job.provider}: {job.sentence}"] += 1
        return outcomes, reasons
