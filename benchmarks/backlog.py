"""A backlog of many members' jobs, drained through the real engine and one provider's lane, on SQLite."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import ProviderBusy
from bot.workflows.engine import Engine, Json, Lane
from storage.database import Connection, Database
from storage.jobs import Job, add_job, change_job
from storage.places import Place
from storage.statuses import JobKind, JobStatus
from storage.turns import begin, take_turn

STORY = "serve"
TAIL = 0.7  # of the Pareto distribution: most members have few jobs, a few have hundreds
LARGEST_DRAW = 300.0
TASK_SECONDS = (0.02, 0.1)
JOBS_PER_TRANSACTION = 50
ATTEMPTS = 600


def sizes(jobs: int, members: int, rng: random.Random) -> list[int]:
    """How many jobs each member has, the largest first; `jobs` together."""
    draws = sorted((min(rng.paretovariate(TAIL), LARGEST_DRAW) for _ in range(members)), reverse=True)
    spare, total = jobs - members, sum(draws)
    counts = [1 + int(spare * draw / total) for draw in draws]
    for index in range(jobs - sum(counts)):
        counts[index % members] += 1
    return counts


class CountingProvider:
    """Refuses whatever goes above its limits, and remembers the most that it was asked for."""

    def __init__(self, *, at_once: int, per_minute: int) -> None:
        self._at_once = at_once
        self._per_minute = per_minute
        self._at_work = 0
        self._last_minute: deque[float] = deque()
        self.most_at_once = 0
        self.most_per_minute = 0
        self.refused = 0

    async def run(self, seconds: float) -> None:
        now = time.monotonic()
        while self._last_minute and self._last_minute[0] <= now - 60:
            self._last_minute.popleft()
        self.most_at_once = max(self.most_at_once, self._at_work + 1)
        self.most_per_minute = max(self.most_per_minute, len(self._last_minute) + 1)
        if self._at_work >= self._at_once or len(self._last_minute) >= self._per_minute:
            self.refused += 1
            raise ProviderBusy("Too many tasks.")
        self._last_minute.append(now)
        self._at_work += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self._at_work -= 1


@dataclass(kw_only=True)
class Served:
    """One job's way: its place in the order of coming, what had begun when it came, and when it began."""

    member: int
    came: int
    begun_before: int
    queued_at: float
    begun_at: float = 0.0
    rank: int = -1

    @property
    def slots(self) -> int:
        """How many jobs began while it waited."""
        return self.rank - self.begun_before

    @property
    def seconds(self) -> float:
        return self.begun_at - self.queued_at


@dataclass(kw_only=True)
class Drain:
    """The newcomers are members too, numbered after the others; each has one job and comes while the rest is served."""

    database: Database
    provider: CountingProvider
    lane: Lane
    seed: int
    served: dict[str, Served] = field(default_factory=dict)
    seconds: float = 0.0
    _begun: int = 0
    _done: int = 0

    async def run(self, counts: Sequence[int], *, newcomers: int) -> None:
        total = sum(counts) + newcomers
        engine = self._engine()
        await engine.start()
        await self._queue_backlog(engine, counts)
        await engine.stop()
        engine = self._engine()
        engine.open_lane(self.lane)
        await engine.start()
        began = time.monotonic()
        for one in self.served.values():
            one.queued_at = began  # the lane was closed until now
        for number in range(newcomers):
            await self._until_done(sum(counts) * (number + 1) // (newcomers + 2))
            async with self.database.writing() as connection:
                await self._queue(engine, connection, len(counts) + number)
        await self._until_done(total)
        self.seconds = time.monotonic() - began
        await engine.stop()

    def _engine(self) -> Engine:
        engine = Engine(self.database)
        engine.tell(STORY, lambda job_id: self._serve(engine, job_id))
        return engine

    async def _queue_backlog(self, engine: Engine, counts: Sequence[int]) -> None:
        """Whoever has most comes first with all of it: the worst order for everybody else."""
        todo = [member for member, count in enumerate(counts) for _ in range(count)]
        for start in range(0, len(todo), JOBS_PER_TRANSACTION):
            async with self.database.writing() as connection:
                for member in todo[start : start + JOBS_PER_TRANSACTION]:
                    await self._queue(engine, connection, member)

    async def _queue(self, engine: Engine, connection: Connection, member: int) -> None:
        came = len(self.served)
        job = Job(
            id=str(came),
            place=Place(server_id=1, channel_id=1, person_id=member + 1),
            kind=JobKind.GENERATE,
            status=JobStatus.RUNNING,
            provider="fake",
            details={},
        )
        self.served[job.id] = Served(member=member, came=came, begun_before=self._begun, queued_at=time.monotonic())
        await add_job(connection, job)
        turn = await take_turn(connection, job, self.lane.name)
        await engine.enqueue(
            connection, story=STORY, job_id=job.id, lane=self.lane.name, person_id=member + 1, turn=turn
        )

    async def _serve(self, engine: Engine, job_id: str) -> None:
        async def step() -> Json:
            one = self.served[job_id]
            one.begun_at, one.rank, self._begun = time.monotonic(), self._begun, self._begun + 1
            async with self.database.writing() as connection:
                await begin(connection, job_id)
            await self._task(job_id)
            async with self.database.writing() as connection:
                await change_job(connection, job_id, status=JobStatus.DONE)
            self._done += 1
            return {}

        await engine.step("step", step)

    async def _task(self, job_id: str) -> None:
        seconds = random.Random(f"{self.seed} {job_id}").uniform(*TASK_SECONDS)
        for _ in range(ATTEMPTS):
            try:
                return await self.provider.run(seconds)
            except ProviderBusy:
                await asyncio.sleep(0.1)
        raise ProviderBusy("The provider had no room for a minute.")

    async def _until_done(self, number: int) -> None:
        while self._done < number:
            await asyncio.sleep(0.02)


async def drain(
    folder: Path, counts: Sequence[int], *, newcomers: int, at_once: int, per_minute: int, seed: int
) -> Drain:
    database = Database(f"sqlite:///{folder / 'fairness.sqlite3'}")
    await database.open()
    result = Drain(
        database=database,
        provider=CountingProvider(at_once=at_once, per_minute=per_minute),
        lane=Lane(name="at-fake", at_once=at_once, per_minute=per_minute),
        seed=seed,
    )
    try:
        await result.run(counts, newcomers=newcomers)
    finally:
        await database.close()
    return result
