"""What the durable engine promises to every story, on SQLite and on PostgreSQL."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from bot.workflows.engine import Engine, Json, Lane, Story
from storage.database import Database

LANE = "lane"
ANN, BEN = 33, 44
Told = Callable[["Press", str], Awaitable[None]]


class Press:
    """An engine with one story, which can be stopped and started again, and what happened in it."""

    def __init__(self, database: Database, told: Told) -> None:
        self.lane = Lane(name=LANE, at_once=10, at_once_per_person=1)
        self._database = database
        self._told = told
        self.happened: Counter[str] = Counter()
        self.at_work: Counter[int] = Counter()
        self.most_at_work: Counter[int] = Counter()
        self.engine = Engine(database)

    def _story(self) -> Story:
        async def story(job_id: str) -> None:
            await self._told(self, job_id)

        return story

    async def start(self) -> None:
        self.engine = Engine(self._database)
        self.engine.tell("story", self._story())
        self.engine.open_lane(self.lane)
        await self.engine.start()

    async def enqueue(self, job_id: str, *, person_id: int = ANN) -> None:
        async with self._database.writing() as connection:
            await self.engine.enqueue(connection, story="story", job_id=job_id, lane=LANE, person_id=person_id)

    async def until(self, event: str, times: int = 1) -> None:
        async with asyncio.timeout(20):
            while self.happened[event] < times:
                await asyncio.sleep(0.01)

    def count(self, event: str) -> Json:
        self.happened[event] += 1
        return {"event": event}


Opening = Callable[[Told], Awaitable[Press]]


@pytest.fixture
async def open_press(database: Database) -> AsyncIterator[Opening]:
    presses: list[Press] = []

    async def opening(told: Told) -> Press:
        press = Press(database, told)
        presses.append(press)
        await press.start()
        return press

    yield opening
    for press in presses:
        await press.engine.stop()


only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def three_steps(press: Press, job_id: str) -> None:
    for name in ("one", "two", "three"):

        async def body(name: str = name) -> Json:
            return press.count(f"{job_id} {name}")

        assert await press.engine.step(name, body) == {"event": f"{job_id} {name}"}
    press.count("told")


async def test_a_story_enqueued_twice_is_told_once(open_press: Opening) -> None:
    press = await open_press(three_steps)
    await asyncio.gather(*(press.enqueue("1") for _ in range(3)))
    await press.until("told")
    await press.enqueue("1")
    await press.enqueue("2")
    await press.until("told", 2)
    assert press.happened["1 one"] == press.happened["1 three"] == press.happened["2 one"] == 1


async def test_a_story_is_told_when_its_transaction_ends_and_not_when_it_is_undone(open_press: Opening) -> None:
    press = await open_press(three_steps)
    with contextlib.suppress(ZeroDivisionError):
        async with press._database.writing() as connection:
            await press.engine.enqueue(connection, story="story", job_id="1", lane=LANE, person_id=ANN)
            raise ZeroDivisionError
    async with press._database.writing() as connection:
        await press.engine.enqueue(connection, story="story", job_id="2", lane=LANE, person_id=ANN)
        await asyncio.sleep(0.3)
        assert press.happened["2 one"] == 0
    await press.until("told")
    assert press.happened["1 one"] == 0


@only_sqlite
async def test_a_finished_step_is_remembered_after_a_stop(open_press: Opening) -> None:
    async def told(press: Press, job_id: str) -> None:
        async def first() -> Json:
            press.count("first")
            return {"number": press.happened["first"]}

        async def second() -> Json:
            press.count("second begun")
            if press.happened["second begun"] == 1:
                await asyncio.Event().wait()
            return press.count("second ended")

        assert await press.engine.step("first", first) == {"number": 1}
        await press.engine.step("second", second)
        press.count("told")

    press = await open_press(told)
    await press.enqueue("1")
    await press.until("second begun")
    await press.engine.stop()
    await press.start()
    await press.until("told")
    assert (press.happened["first"], press.happened["second begun"], press.happened["second ended"]) == (1, 2, 1)


async def put_down(how: str) -> Json:
    """Stops being told: with an error of a library's own, with half an answer, or only at the second time of asking."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        if how == "error":
            raise ConnectionError("lost") from None
        if how == "half":
            return {"whole": False}
    await asyncio.Event().wait()
    raise AssertionError


@only_sqlite
async def test_what_a_stop_does_to_a_step_is_not_its_outcome(open_press: Opening) -> None:
    hows = [f"{how} {kind}" for how in ("error", "half", "deaf") for kind in ("preemptible", "whole")]

    async def told(press: Press, job_id: str) -> None:
        how, kind = job_id.split()

        async def step() -> Json:
            press.count("begun")
            press.count(job_id)
            return await put_down(how) if press.happened[job_id] == 1 else {"whole": True}

        result = await press.engine.step("step", step, preemptible=kind == "preemptible")
        press.count(f"told {job_id} {result['whole']}")

    press = await open_press(told)
    for person_id, how in enumerate(hows):
        await press.enqueue(how, person_id=person_id)
    await press.until("begun", len(hows))
    await asyncio.wait_for(press.engine.stop(), 8)
    await press.start()
    for how in hows:
        await press.until(f"told {how} True")
    assert press.happened["begun"] == 2 * len(hows)


@only_sqlite
async def test_a_failure_while_nothing_stops_is_the_storys_to_handle(open_press: Opening) -> None:
    async def told(press: Press, job_id: str) -> None:
        async def step() -> Json:
            press.count("begun")
            raise ConnectionError("lost")

        try:
            await press.engine.step("step", step)
        except ConnectionError:
            press.count("handled")

    press = await open_press(told)
    await press.enqueue("1")
    await press.until("handled")
    assert press.happened["begun"] == 1


async def at_work_a_while(press: Press, job_id: str) -> None:
    person = int(job_id.split("-", maxsplit=1)[0])

    async def step() -> Json:
        press.at_work[person] += 1
        press.most_at_work[person] = max(press.most_at_work[person], press.at_work[person])
        press.most_at_work[0] = max(press.most_at_work[0], sum(press.at_work.values()))
        await asyncio.sleep(0.5)
        press.at_work[person] -= 1
        return {}

    await press.engine.step("step", step)
    press.count("told")


async def test_one_person_waits_for_themselves_and_never_for_another(open_press: Opening) -> None:
    press = await open_press(at_work_a_while)
    for number in range(3):
        await press.enqueue(f"{ANN}-{number}", person_id=ANN)
    await press.enqueue(f"{BEN}-0", person_id=BEN)
    await press.until("told", 4)
    assert press.most_at_work == {ANN: 1, BEN: 1, 0: 2}


async def test_a_lane_lets_no_more_begin_in_a_minute_than_its_provider_takes(open_press: Opening) -> None:
    """However many people wait, and after a restart as before it: the count is the database's."""

    async def told(press: Press, job_id: str) -> None:
        press.count("told")

    press = await open_press(told)
    await press.engine.stop()
    press.lane = Lane(name="three a minute", at_once=10, at_once_per_person=1, per_minute=3)
    await press.start()
    for number in range(5):
        async with press._database.writing() as connection:
            await press.engine.enqueue(
                connection, story="story", job_id=str(number), lane=press.lane.name, person_id=number
            )
    await press.until("told", 3)
    await press.engine.stop()
    await press.start()
    await asyncio.sleep(1.0)
    assert press.happened["told"] == 3


async def test_a_lane_is_never_fuller_than_its_provider_allows(open_press: Opening) -> None:
    press = await open_press(at_work_a_while)
    await press.engine.stop()
    press.lane = Lane(name="two at once", at_once=2, at_once_per_person=2)
    await press.start()
    for number in range(5):
        async with press._database.writing() as connection:
            await press.engine.enqueue(
                connection, story="story", job_id=f"{number}-0", lane=press.lane.name, person_id=number
            )
    await press.until("told", 5)
    assert press.most_at_work[0] == 2


@only_sqlite
async def test_what_has_no_number_left_is_served_in_the_order_of_coming(open_press: Opening) -> None:
    order: list[str] = []

    async def told(press: Press, job_id: str) -> None:
        order.append(job_id)
        press.count("told")

    press = await open_press(told)
    await press.engine.stop()
    press.lane = Lane(name="by turns", at_once=1)
    await press.start()
    async with press._database.writing() as connection:
        for job_id, turn in (("far", 2**40), ("farther", 2**50), ("far too", 2**40), ("last number", 2**31 - 3)):
            await asyncio.sleep(0.002)
            await press.engine.enqueue(
                connection, story="story", job_id=job_id, lane="by turns", person_id=ANN, turn=turn
            )
    await press.until("told", 4)
    assert order == ["last number", "far", "farther", "far too"]


@only_sqlite
async def test_an_abandoned_story_goes_no_further(open_press: Opening) -> None:
    async def told(press: Press, job_id: str) -> None:
        async def step() -> Json:
            press.count("begun")
            await asyncio.sleep(30)
            return press.count("ended")

        await press.engine.step("step", step, preemptible=True)
        press.count("told")

    press = await open_press(told)
    await press.enqueue("1")
    await press.until("begun")
    await press.engine.abandon(story="story", job_id="never enqueued")
    await press.engine.abandon(story="story", job_id="1")
    async with asyncio.timeout(5):
        while press.engine._running:
            await asyncio.sleep(0.02)
    await press.engine.stop()
    await press.start()
    await asyncio.sleep(0.5)
    assert (press.happened["begun"], press.happened["ended"], press.happened["told"]) == (1, 0, 0)


async def test_an_engine_that_was_never_started_stops_and_takes_nothing(sqlite: Database) -> None:
    engine = Engine(sqlite)
    with pytest.raises(AssertionError, match=r"start\(\) comes first"):
        async with sqlite.writing() as connection:
            await engine.enqueue(connection, story="story", job_id="1", lane=LANE, person_id=ANN)
    await engine.stop()
    with pytest.raises(asyncio.CancelledError):
        await engine.step("step", asyncio.Event().wait)  # type: ignore[arg-type]
