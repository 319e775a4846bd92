"""Who waits for whom at a provider: the real engine, the real lanes, and what a lane never lets through."""

import asyncio
import random
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from benchmarks.backlog import drain, sizes
from benchmarks.fairness import first_jobs
from bot.errors import TooMany
from bot.workflows.engine import Engine, Json, Lane
from bot.workflows.requests import FinetuneRequest, GenerateRequest
from storage.database import Database
from storage.jobs import add_job, change_job, count_jobs_of_person
from storage.models import add_model
from storage.places import Place
from storage.statuses import JobStatus
from storage.turns import begin, take_turn
from tests.builders import PLACE, finetune_job, generate_job, model
from tests.workflows.workshop import Workshop, upload

LANE = "at-fake"
ANN, BEN = 33, 44


@dataclass
class Counter:
    """A provider's lane with one story: each job begins when its turn comes, and ends when it is let go."""

    database: Database
    at_once: int = 1
    begun: list[str] = field(default_factory=list)
    step_over: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def open(self, lane: Lane | None = None) -> None:
        self.engine = Engine(self.database)
        self.engine.tell("serve", self._serve)
        self.engine.open_lane(lane or Lane(name=LANE, at_once=self.at_once))
        await self.engine.start()

    async def _serve(self, job_id: str) -> None:
        async def step() -> Json:
            self.begun.append(job_id)
            async with self.database.writing() as connection:
                await begin(connection, job_id)
            await self.step_over.acquire()
            async with self.database.writing() as connection:
                await change_job(connection, job_id, status=JobStatus.DONE)
            return {}

        await self.engine.step("step", step)

    async def queue(self, person_id: int, count: int, *, weight: int = 1) -> list[str]:
        """All in one transaction, so that none begins before the last is queued."""
        async with self.database.writing() as connection:
            first = await count_jobs_of_person(connection, person_id)
            ids = [f"{person_id}{first + number:04}" for number in range(count)]
            for job_id in ids:
                job = generate_job(id=job_id, place=replace(PLACE, person_id=person_id), weight=weight)
                await add_job(connection, job)
                turn = await take_turn(connection, job, LANE)
                await self.engine.enqueue(
                    connection, story="serve", job_id=job_id, lane=LANE, person_id=person_id, turn=turn
                )
        return ids

    async def until_begun(self, number: int) -> list[str]:
        async with asyncio.timeout(30):
            while len(self.begun) < number:
                await asyncio.sleep(0.01)
        return self.begun[:number]


@pytest.fixture
async def counter(database: Database) -> AsyncIterator[Counter]:
    counter = Counter(database)
    await counter.open()
    yield counter
    await counter.engine.stop()


async def test_two_hundred_jobs_of_one_person_cost_another_no_more_than_the_slot_that_is_taken(
    counter: Counter,
) -> None:
    mine = await counter.queue(ANN, 200)
    await counter.until_begun(1)
    theirs = await counter.queue(BEN, 2)
    for _ in range(5):
        counter.step_over.release()
    assert await counter.until_begun(6) == [mine[0], theirs[0], mine[1], theirs[1], mine[2], mine[3]]


async def test_a_weight_of_three_gets_three_turns_for_one(counter: Counter) -> None:
    """However many each of them has queued, and in whichever order."""
    theirs = await counter.queue(BEN, 1)
    await counter.until_begun(1)
    theirs += await counter.queue(BEN, 3)
    await counter.queue(ANN, 12, weight=3)
    for _ in range(12):
        counter.step_over.release()
    order = [job_id.startswith(str(BEN)) for job_id in await counter.until_begun(13)]
    assert order == [True, *[False, False, False, True] * 3]


async def test_the_order_outlives_a_restart(counter: Counter) -> None:
    mine = await counter.queue(ANN, 5)
    await counter.until_begun(1)
    theirs = await counter.queue(BEN, 1)
    await counter.engine.stop()
    counter.begun.clear()
    await counter.open()
    for _ in range(3):
        counter.step_over.release()
    assert await counter.until_begun(3) == [mine[0], theirs[0], mine[1]]


async def test_a_lane_that_had_a_queue_for_each_person_is_served_by_turns_from_now_on(database: Database) -> None:
    """An update meets the queue that the version before had stored."""
    counter = Counter(database)
    await counter.open(Lane(name=LANE, at_once=2, at_once_per_person=2))
    await counter.engine.stop()
    await counter.open()
    mine, theirs = await counter.queue(ANN, 3), await counter.queue(BEN, 2)
    for _ in range(4):
        counter.step_over.release()
    order = await counter.until_begun(5)
    await counter.engine.stop()
    assert order == [mine[0], theirs[0], mine[1], theirs[1], mine[2]]


async def test_a_backlog_never_overruns_the_provider_and_passes_nobody_over(tmp_path: Path) -> None:
    at_once, newcomers = 4, 3
    counts = sizes(300, 20, random.Random(5))
    result = await drain(tmp_path, counts, newcomers=newcomers, at_once=at_once, per_minute=10_000, seed=5)
    assert (len(result.served), result.provider.refused) == (303, 0)
    assert 1 < result.provider.most_at_once <= at_once
    assert sorted(one.rank for one in result.served.values()) == list(range(303))
    in_hand = at_once - 1  # what was taken at the same moment may begin in any order
    for first in first_jobs(result.served.values()):
        assert first.slots < len(counts) + newcomers + in_hand, "everybody else once at most"
        ahead = [one.member for one in result.served.values() if first.begun_before <= one.rank < first.rank]
        assert len(ahead) - len(set(ahead)) <= in_hand, "nobody is served twice while somebody waits for their first"


# How many jobs one may have.


@dataclass
class Asking:
    workshop: Workshop
    photos: Path

    async def pictures(self, job_id: str, place: Place = PLACE) -> None:
        request = GenerateRequest(
            model="Luna", prompt="a fox", strength=1.0, aspect_ratio="1:1", count=1, seed=1, generator=""
        )
        await self.workshop.do.generate.request(job_id, place, request)

    async def training(self, job_id: str, place: Place = PLACE) -> None:
        request = FinetuneRequest(
            name=f"Luna {job_id}", trigger_word="ohwx", mode="style", uploads=(upload(self.photos),)
        )
        await self.workshop.do.finetune.request(job_id, place, request)

    async def have(self, status: JobStatus, *job_ids: str, place: Place = PLACE) -> None:
        async with self.workshop.database.writing() as connection:
            for job_id in job_ids:
                await add_job(connection, finetune_job(id=job_id, place=place, status=status))

    async def is_stored(self, job_id: str) -> bool:
        async with self.workshop.database.reading() as connection:
            ids = await connection.exec_driver_sql("SELECT id FROM jobs")
        return job_id in [row[0] for row in ids]


@pytest.fixture
async def asking(database: Database, tmp_path: Path, pool: Executor, photos: Path) -> AsyncIterator[Asking]:
    workshop = Workshop(database, tmp_path, pool, variables={"JOBS_PER_PERSON": "2", "JOBS_PER_SERVER": "3"})
    await workshop.start()
    weights = workshop.files.work_folder("9") / "weights"
    weights.write_bytes(b"weights")
    async with database.writing() as connection:
        await add_job(connection, finetune_job(id="9", status=JobStatus.DONE))
        await add_model(
            connection, model(id="9", job_id="9", training_set_id=None, weights_file=await workshop.files.keep(weights))
        )
    yield Asking(workshop, photos)
    await workshop.close()


async def test_a_person_may_have_so_many_jobs_at_once_and_the_next_is_not_stored(asking: Asking) -> None:
    await asking.have(JobStatus.PREPARING, "1")
    await asking.have(JobStatus.RUNNING, "2")
    for ask in (asking.pictures, asking.training):
        with pytest.raises(TooMany, match=r"You have 2 jobs waiting or at work.*/jobs cancel"):
            await ask("5")
    assert not await asking.is_stored("5")


async def test_a_server_may_have_so_many_jobs_at_once(asking: Asking) -> None:
    await asking.have(JobStatus.RUNNING, "1", "2", place=replace(PLACE, person_id=70))
    await asking.have(JobStatus.CANCELLING, "3", place=replace(PLACE, person_id=71))
    with pytest.raises(TooMany, match="This server has 3 jobs waiting or at work"):
        await asking.training("5")
    assert not await asking.is_stored("5")
    await asking.training("6", replace(PLACE, server_id=12))
    assert await asking.is_stored("6")


async def test_what_waits_for_a_decision_or_is_over_counts_for_nothing(asking: Asking) -> None:
    over = (JobStatus.REVIEW, JobStatus.UNCERTAIN, JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)
    for number, status in enumerate(over):
        await asking.have(status, f"1{number}", f"2{number}")
    await asking.pictures("5")
    assert await asking.is_stored("5")


async def test_the_same_click_twice_is_not_refused_for_itself(asking: Asking) -> None:
    await asking.have(JobStatus.RUNNING, "1", "5")
    await asking.pictures("5")


async def test_a_training_under_review_starts_only_when_there_is_room(asking: Asking) -> None:
    await asking.have(JobStatus.RUNNING, "1", "2")
    await asking.have(JobStatus.REVIEW, "5")
    with pytest.raises(TooMany, match="You have 2 jobs"):
        await asking.workshop.do.review.start("5", PLACE.person_id)
    assert (await asking.workshop.job("5")).status is JobStatus.REVIEW


async def test_of_many_requests_at_the_same_moment_no_more_than_allowed_are_taken(asking: Asking) -> None:
    asking.workshop.hang_any("downloads", "fetch")  # none is done with before the last is asked for
    results = await asyncio.gather(*(asking.training(f"5{n}") for n in range(6)), return_exceptions=True)
    assert [type(result) for result in results if result is not None] == [TooMany] * 4


async def test_a_job_at_a_provider_takes_its_turn_and_remembers_its_persons_weight(asking: Asking) -> None:
    request = GenerateRequest(model="Luna", prompt="a fox", strength=1.0, aspect_ratio="1:1", count=1, seed=1)
    await asking.workshop.do.generate.request("5", PLACE, request, weight=3)
    done = await asking.workshop.until("5", JobStatus.DONE)
    assert (done.lane, done.turn, done.weight) == (LANE, 0, 3)
    assert done.created_ms <= (done.queued_ms or 0) <= (done.begun_ms or 0) <= (done.finished_ms or 0)
