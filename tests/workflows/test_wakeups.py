"""Waiting for a provider, cut short by a knock: the right one wakes, and nothing is left behind."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from bot.workflows.wakeups import Wakeups

SOON = 5.0  # seconds; no test waits that long unless something is broken


class Time:
    """`pass_by` ends every sleep."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self._over = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.asked.append(seconds)
        await self._over.wait()

    def pass_by(self) -> None:
        self._over.set()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def wakeups(time: Time) -> Wakeups:
    return Wakeups(time.sleep)


async def begun(pause: Awaitable[None]) -> asyncio.Task[None]:
    """The pause, once it really waits."""
    task = asyncio.ensure_future(pause)
    await settled()
    assert not task.done()
    return task  # type: ignore[return-value]


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def is_over(task: asyncio.Task[None]) -> None:
    await asyncio.wait_for(task, SOON)


def others() -> set[asyncio.Task[Any]]:
    current = asyncio.current_task()
    return {task for task in asyncio.all_tasks() if task is not current}


async def test_a_pause_ends_when_somebody_knocks(wakeups: Wakeups, time: Time) -> None:
    pause = await begun(wakeups.pause("31", 15.0))
    wakeups.wake("31")
    await is_over(pause)
    assert time.asked == [15.0]


async def test_a_pause_ends_by_itself_when_its_time_is_over(wakeups: Wakeups, time: Time) -> None:
    pause = await begun(wakeups.pause("31", 15.0))
    time.pass_by()
    await is_over(pause)


async def test_the_clock_is_the_real_one_unless_another_is_given() -> None:
    await asyncio.wait_for(Wakeups().pause("31", 0.01), SOON)


async def test_a_knock_that_nobody_waits_for_is_forgotten(wakeups: Wakeups) -> None:
    wakeups.wake("31")
    pause = await begun(wakeups.pause("31", 15.0))
    wakeups.wake("31")
    await is_over(pause)
    wakeups.wake("31")
    later = await begun(wakeups.pause("31", 15.0))
    wakeups.wake("31")
    await is_over(later)


async def test_two_jobs_do_not_wake_each_other(wakeups: Wakeups) -> None:
    first, second = await begun(wakeups.pause("31", 15.0)), await begun(wakeups.pause("32", 15.0))
    wakeups.wake("32")
    await is_over(second)
    wakeups.wake("3")
    wakeups.wake("")
    await settled()
    assert not first.done()
    wakeups.wake("31")
    await is_over(first)


async def test_knocking_twice_ends_one_pause_and_not_the_next(wakeups: Wakeups) -> None:
    pause = await begun(wakeups.pause("31", 15.0))
    wakeups.wake("31")
    wakeups.wake("31")
    await is_over(pause)
    again = await begun(wakeups.pause("31", 15.0))
    wakeups.wake("31")
    await is_over(again)


async def test_an_earlier_pause_of_the_same_job_does_not_take_the_knock_from_a_later_one(wakeups: Wakeups) -> None:
    """As when a stopped story and the one that continues it overlap."""
    earlier = await begun(wakeups.pause("31", 15.0))
    later = await begun(wakeups.pause("31", 15.0))
    earlier.cancel()
    await settled()
    assert earlier.cancelled()
    wakeups.wake("31")
    await is_over(later)


@pytest.mark.parametrize("end", ["knock", "time", "cancellation"])
async def test_nothing_is_left_behind(wakeups: Wakeups, time: Time, end: str) -> None:
    before = others()
    pause = await begun(wakeups.pause("31", 15.0))
    assert len(others() - before) == 3
    if end == "knock":
        wakeups.wake("31")
    elif end == "time":
        time.pass_by()
    else:
        pause.cancel()
    await asyncio.wait({pause}, timeout=SOON)
    assert pause.cancelled() == (end == "cancellation")
    await settled()
    assert others() == before
    assert wakeups._waiting == {}
