"""One playground and one bot per module, because starting costs a second; tests use people and models of their own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.playground.person import Person
from bot.playground.server import Playground
from tests.dataset_files import photo_zip
from tests.end_to_end.live_bot import Clock, LiveBot


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LiveBot]:
    clock = Clock()
    async with Playground(now=clock, message_limit=None) as playground:
        bot = LiveBot(playground, clock, tmp_path_factory.mktemp("data"))
        await bot.start()
        yield bot
        await bot.stop()


@pytest.fixture(autouse=True)
def no_unknown_routes(request: pytest.FixtureRequest) -> Iterator[None]:
    """The bot asks only for what exists."""
    yield
    if "live" in request.fixturenames:
        assert request.getfixturevalue("live").playground.unknown_routes == []


@pytest.fixture
def ann(live: LiveBot) -> Person:
    return live.playground.person("Ann")


@pytest.fixture
def ben(live: LiveBot) -> Person:
    return live.playground.person("Ben")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photo_zip(tmp_path_factory.mktemp("photos") / "luna.zip", count=4)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def anns_model(live: LiveBot, photos: Path) -> str:
    """A model that Ann has trained, for tests that only generate."""
    return await live.train(live.playground.person("Ann"), photos, "Shared")
