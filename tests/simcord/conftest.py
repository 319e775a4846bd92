"""The same bot object in a second, independent simulation of Discord: what one lets pass, the other may not."""

from collections.abc import AsyncIterator

import discord
import pytest
import pytest_asyncio
import simcord

from bot import positions
from bot.client import Atelier
from bot.startup import Resources, open_resources
from bot.workflows import resuming
from tests.builders import settings
from tests.simcord.town import Town


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def resources(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Resources]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(discord.http.Route, "BASE", discord.http.Route.BASE)  # opening the resources sets it
        patch.setattr(positions, "SECONDS_BETWEEN", 3600.0)  # each step would be waited for
        patch.setattr(resuming, "SHORTEST_PAUSE_SECONDS", 3600.0)
        async with open_resources(settings(tmp_path_factory.mktemp("town") / "data")) as opened:
            yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def env(resources: Resources) -> AsyncIterator[simcord.Env]:
    """Refusals are answered in sentences, so an error that reached the tree is no failed test by itself."""
    env = simcord.Env(Atelier(resources, guild_ready_timeout=0.0), shard_count=1, check_errors=False)
    await env.start()
    yield env
    assert isinstance(env.bot, Atelier)
    await env.bot.engine.stop()
    await env.shutdown()


@pytest.fixture
def town(env: simcord.Env) -> Town:
    """A server and people of its own for each test."""
    return Town(env)
