"""Every provider is asked now and then what it still offers; one in trouble keeps nobody else from it."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import ProviderBusy, ProviderDenied, ProviderUnreachable
from bot.providers.refreshing import SECONDS_BETWEEN, keep_fresh
from bot.providers.registry import Providers
from tests.builders import CARD
from tests.fakes import FakeProvider


class Counting(FakeProvider):
    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder / name, card=replace(CARD, name=name, title=name.title()))
        self.refreshed = 0

    async def refresh(self) -> None:
        self.refreshed += 1
        await super().refresh()


class Rounds:
    """Lets so many rounds go by, and remembers how long each pause would have been."""

    def __init__(self, rounds: int) -> None:
        self._left = rounds
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) == self._left:
            raise asyncio.CancelledError


async def rounds(count: int, *providers: Counting) -> list[float]:
    clock = Rounds(count)
    with pytest.raises(asyncio.CancelledError):
        await keep_fresh(Providers(providers), clock.sleep)
    return clock.slept


async def test_every_provider_is_asked_at_once_and_then_every_hour(tmp_path: Path) -> None:
    first, second = Counting(tmp_path, "first"), Counting(tmp_path, "second")
    assert await rounds(3, first, second) == [SECONDS_BETWEEN] * 3
    assert (first.refreshed, second.refreshed) == (3, 3)


async def test_a_provider_in_trouble_does_not_keep_the_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken, well = Counting(tmp_path, "broken"), Counting(tmp_path, "well")
    broken.fail_next(
        "refresh",
        ProviderDenied("The key is wrong.", advice="Make a new one in the dashboard."),
        ProviderUnreachable("It did not answer."),
        ProviderBusy("It is busy."),
    )
    with caplog.at_level(logging.WARNING):
        await rounds(4, broken, well)
    assert (broken.refreshed, well.refreshed) == (4, 4)
    told = [record.getMessage().strip() for record in caplog.records]
    assert told == [
        "Broken: The key is wrong. Make a new one in the dashboard.",
        "Broken: It did not answer.",
        "Broken: It is busy.",
    ]


async def test_a_provider_that_does_not_answer_does_not_make_the_others_wait(tmp_path: Path) -> None:
    class Silent(Counting):
        async def refresh(self) -> None:
            await asyncio.Event().wait()

    well = Counting(tmp_path, "well")
    running = asyncio.ensure_future(keep_fresh(Providers([Silent(tmp_path, "silent"), well])))
    async with asyncio.timeout(5):
        while not well.refreshed:
            await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
