"""The pace: a short burst at once, then evenly, and never past a provider's limit for long."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.providers.pace import Pace
from tests.providers.clock import Clock


def paced(clock: Clock, per_minute: int, burst: int = 10) -> Pace:
    return Pace(per_minute, burst=burst, now=clock, sleep=clock.sleep)


async def turns(pace: Pace, clock: Clock, count: int) -> list[float]:
    found = []
    for _ in range(count):
        await pace.turn()
        found.append(clock.seconds)
    return found


async def test_a_burst_leaves_at_once_and_the_rest_evenly() -> None:
    clock = Clock()
    start = clock.seconds
    found = await turns(paced(clock, per_minute=60, burst=3), clock, 6)
    assert [moment - start for moment in found] == pytest.approx([0, 0, 0, 1, 2, 3])


async def test_after_a_rest_there_is_one_burst_and_not_more() -> None:
    clock = Clock()
    pace = paced(clock, per_minute=60, burst=3)
    await turns(pace, clock, 10)
    clock.seconds += 3600
    start = clock.seconds
    found = await turns(pace, clock, 5)
    assert [moment - start for moment in found] == pytest.approx([0, 0, 0, 1, 2])


async def test_a_machine_that_has_just_started_gets_no_debt() -> None:
    clock = Clock(0.0)
    found = await turns(paced(clock, per_minute=60, burst=10), clock, 3)
    assert found == pytest.approx([1, 2, 3])


@given(
    st.integers(1, 3000),
    st.integers(1, 20),
    st.lists(st.floats(0, 100), min_size=1, max_size=80),
)
def test_no_minute_holds_more_than_the_limit_and_one_burst(per_minute: int, burst: int, rests: list[float]) -> None:
    clock = Clock()
    pace = paced(clock, per_minute, burst)

    async def run() -> list[float]:
        found = []
        for rest in rests:
            clock.seconds += rest
            await pace.turn()
            found.append(clock.seconds)
        return found

    moments = asyncio.run(run())
    for moment in moments:
        assert sum(moment <= other < moment + 59.9 for other in moments) <= per_minute + burst


async def test_those_who_come_together_leave_one_after_the_other() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    pace = Pace(60, burst=2, now=lambda: 1000.0, sleep=sleep)
    await asyncio.gather(*(pace.turn() for _ in range(5)))
    assert waits == pytest.approx([1, 2, 3])
