"""The durable engine on a database that is full: what it could not record is told again, and never as an error."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from bot.workflows.engine import Engine, Json, Lane
from storage.database import Database
from storage.errors import StorageTrouble

LARGEST = 4_294_967_294  # pages: SQLite's own limit
LANE = Lane(name="lane", at_once=5, at_once_per_person=5)


class Fullness:
    """A database whose connections may add no page while `is_full`."""

    def __init__(self) -> None:
        self.is_full = False

    def on_checkout(self, connection: Any, _record: Any, _proxy: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={1 if self.is_full else LARGEST}").close()


@pytest.fixture
def fullness() -> Iterator[Fullness]:
    fullness = Fullness()
    sa.event.listen(sa.pool.Pool, "checkout", fullness.on_checkout)
    yield fullness
    sa.event.remove(sa.pool.Pool, "checkout", fullness.on_checkout)


class Work:
    """A story of two steps, each with a result that needs pages of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.engine = Engine(database)
        self.engine.tell("story", self._tell)
        self.engine.open_lane(LANE)
        self.happened: Counter[str] = Counter()
        self.trouble_in: str | None = None

    async def _tell(self, _job_id: str) -> None:
        await self.engine.step("first", self._first)
        await self.engine.step("second", self._second)
        self.happened["end"] += 1

    async def _first(self) -> Json:
        return self._done("first")

    async def _second(self) -> Json:
        return self._done("second")

    def _done(self, name: str) -> Json:
        self.happened[name] += 1
        if self.trouble_in == name:
            self.trouble_in = None
            raise StorageTrouble("My disk is full.", advice="free some space")
        return {"much": "x" * 50_000}

    async def begin(self) -> None:
        async with self.database.writing() as connection:
            await self.engine.enqueue(connection, story="story", job_id="31", lane=LANE.name, person_id=33)

    async def until(self, **happened: int) -> None:
        async with asyncio.timeout(10):
            while any(self.happened[name] < times for name, times in happened.items()):
                await asyncio.sleep(0.01)

    async def resumed(self) -> None:
        async with asyncio.timeout(10):
            while await self.engine.resume_put_down() is None:
                await asyncio.sleep(0.01)

    async def recorded(self) -> list[tuple[Any, ...]]:
        """The status of the story and the errors of its steps, as the engine keeps them."""
        async with self.database.reading() as connection:
            steps = await connection.exec_driver_sql("SELECT function_name, error FROM operation_outputs ORDER BY 1")
            statuses = await connection.exec_driver_sql("SELECT status FROM workflow_status")
            return [*map(tuple, steps.all()), *map(tuple, statuses.all())]

    async def ended_well(self) -> bool:
        async with asyncio.timeout(10):
            while (await self.recorded())[-1] != ("SUCCESS",):
                await asyncio.sleep(0.01)
        return await self.recorded() == [("first", None), ("second", None), ("SUCCESS",)]


@pytest.fixture
async def work(sqlite: Database) -> AsyncIterator[Work]:
    work = Work(sqlite)
    await work.engine.start()
    yield work
    await work.engine.stop()


async def test_a_result_that_cannot_be_recorded_is_made_again(work: Work, fullness: Fullness) -> None:
    fullness.is_full = True
    await work.begin()
    await work.until(first=1)
    fullness.is_full = False
    await work.resumed()
    await work.until(end=1)
    assert work.happened == {"first": 2, "second": 1, "end": 1}
    assert await work.ended_well()


async def test_a_step_that_meets_trouble_runs_again_and_the_ones_before_it_do_not(work: Work) -> None:
    work.trouble_in = "second"
    await work.begin()
    await work.until(second=1)
    await work.resumed()
    await work.until(end=1)
    assert work.happened == {"first": 1, "second": 2, "end": 1}
    assert await work.ended_well()


async def test_what_was_put_down_is_told_on_by_the_next_start_too(work: Work) -> None:
    work.trouble_in = "second"
    await work.begin()
    await work.until(second=1)
    await work.engine.stop()
    work.engine = Engine(work.database)
    work.engine.tell("story", work._tell)
    work.engine.open_lane(LANE)
    await work.engine.start()
    await work.until(end=1)
    assert work.happened == {"first": 1, "second": 2, "end": 1}
    assert await work.ended_well()


async def test_a_story_that_was_cancelled_meanwhile_is_not_told_on(work: Work) -> None:
    work.trouble_in = "second"
    await work.begin()
    await work.until(second=1)
    await work.engine.abandon(story="story", job_id="31")
    await work.resumed()
    await asyncio.sleep(0.5)
    assert work.happened == {"first": 1, "second": 1}
    assert (await work.recorded())[-1] == ("CANCELLED",)


async def test_a_story_is_put_down_again_for_as_long_as_the_database_is_full(work: Work, fullness: Fullness) -> None:
    fullness.is_full = True
    await work.begin()
    for times in (1, 2, 3):
        await work.until(first=times)
        await work.resumed()
    fullness.is_full = False
    await work.until(first=4)
    await work.until(end=1)
    assert await work.ended_well()


async def test_a_full_database_is_storage_trouble_and_keeps_nothing_half(sqlite: Database, fullness: Fullness) -> None:
    async with sqlite.writing() as connection:
        await connection.exec_driver_sql("CREATE TABLE pile (much BLOB)")
    fullness.is_full = True

    async def store() -> None:
        async with sqlite.writing() as connection:
            await connection.exec_driver_sql("INSERT INTO pile VALUES ('little')")
            await connection.exec_driver_sql("INSERT INTO pile VALUES (zeroblob(500000))")

    with pytest.raises(StorageTrouble, match="My disk is full, so nothing was stored") as caught:
        await store()
    assert "free some space" in caught.value.advice
    async with sqlite.reading() as connection:
        assert (await connection.exec_driver_sql("SELECT count(*) FROM pile")).scalar() == 0
