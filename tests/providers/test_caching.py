"""The cache: one asks and all wait, entries expire, and a failure is not remembered."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.errors import ProviderUnreachable
from bot.providers.caching import MOST_ENTRIES, Cache
from tests.providers.clock import Clock


class Source:
    """Counts how often it was asked, and answers that number."""

    def __init__(self) -> None:
        self.asked = 0
        self.fails = 0

    async def load(self) -> int:
        self.asked += 1
        await asyncio.sleep(0)
        if self.fails:
            self.fails -= 1
            raise ProviderUnreachable("away")
        return self.asked


@pytest.fixture
def cache(clock: Clock) -> Cache:
    return Cache(now=clock)


async def test_it_is_asked_again_only_when_the_time_is_over(cache: Cache, clock: Clock) -> None:
    source = Source()
    assert [await cache.get("models", source.load, seconds=60) for _ in range(3)] == [1, 1, 1]
    clock.seconds += 59.9
    assert await cache.get("models", source.load, seconds=60) == 1
    clock.seconds += 0.1
    assert await cache.get("models", source.load, seconds=60) == 2


async def test_every_entry_has_its_own_time(cache: Cache, clock: Clock) -> None:
    models, account = Source(), Source()
    await cache.get("models", models.load, seconds=10)
    await cache.get(("account", "ann"), account.load, seconds=100)
    clock.seconds += 50
    await cache.get("models", models.load, seconds=10)
    await cache.get(("account", "ann"), account.load, seconds=100)
    assert (models.asked, account.asked) == (2, 1)


async def test_of_many_at_once_one_asks(cache: Cache) -> None:
    source = Source()
    found = await asyncio.gather(*(cache.get("models", source.load, seconds=60) for _ in range(50)))
    assert found == [1] * 50


async def test_one_does_not_wait_for_another_question(cache: Cache) -> None:
    gate = asyncio.Event()

    async def slow() -> str:
        await gate.wait()
        return "slow"

    waiting = asyncio.create_task(cache.get("slow", slow, seconds=60))
    assert await asyncio.wait_for(cache.get("models", Source().load, seconds=60), 5) == 1
    gate.set()
    assert await waiting == "slow"


async def test_a_failure_is_not_remembered(cache: Cache) -> None:
    source = Source()
    source.fails = 1
    with pytest.raises(ProviderUnreachable):
        await cache.get("models", source.load, seconds=60)
    assert await cache.get("models", source.load, seconds=60) == 2


async def test_who_waited_shares_the_failure_and_the_next_one_asks_again(cache: Cache) -> None:
    source = Source()
    source.fails = 1
    found = await asyncio.gather(
        *(cache.get("models", source.load, seconds=60) for _ in range(5)), return_exceptions=True
    )
    assert all(isinstance(one, ProviderUnreachable) for one in found)
    assert await cache.get("models", source.load, seconds=60) == 2


async def test_being_stopped_while_asking_leaves_the_others_their_answer(cache: Cache) -> None:
    gate = asyncio.Event()
    asked = 0

    async def load() -> int:
        nonlocal asked
        asked += 1
        await gate.wait()
        return asked

    first, second = (asyncio.create_task(cache.get("models", load, seconds=60)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    gate.set()
    assert await second == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_none_is_an_answer_like_any_other(cache: Cache) -> None:
    asked = 0

    async def nothing() -> None:
        nonlocal asked
        asked += 1

    for _ in range(3):
        assert await cache.get("nothing", nothing, seconds=60) is None
    assert asked == 1


async def test_what_is_forgotten_is_asked_again(cache: Cache) -> None:
    source = Source()
    await cache.get("models", source.load, seconds=60)
    cache.forget("models")
    cache.forget("never there")
    assert await cache.get("models", source.load, seconds=60) == 2


def answering(value: int) -> Callable[[], Awaitable[int]]:
    async def load() -> int:
        return value

    return load


async def test_it_never_holds_more_than_so_many(cache: Cache) -> None:
    for number in range(3 * MOST_ENTRIES):
        assert await cache.get(number, answering(number), seconds=60) == number
    assert len(cache._entries) <= MOST_ENTRIES
    assert cache._asking == {}
    last = 3 * MOST_ENTRIES - 1
    assert await cache.get(last, answering(-1), seconds=60) == last


async def test_what_has_expired_makes_room_first(cache: Cache, clock: Clock) -> None:
    await cache.get("kept", answering(1), seconds=1000)
    for number in range(MOST_ENTRIES - 1):
        await cache.get(number, answering(number), seconds=10)
    clock.seconds += 11
    await cache.get("new", answering(2), seconds=10)
    assert set(cache._entries) == {"kept", "new"}
    assert await cache.get("kept", answering(-1), seconds=1000) == 1


async def test_failures_leave_nothing_behind(cache: Cache) -> None:
    source = Source()
    source.fails = 2 * MOST_ENTRIES
    for number in range(2 * MOST_ENTRIES):
        with pytest.raises(ProviderUnreachable):
            await cache.get(number, source.load, seconds=60)
    assert (cache._asking, cache._entries) == ({}, {})
