"""One bot in one playground for a whole file: each test brings its own people, so none meets another's."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor
from pathlib import Path

import discord
import httpx
import pytest
import pytest_asyncio
import yarl
from discord.gateway import DiscordWebSocket

from bot.client import Atelier
from bot.datasets.pool import open_pool
from bot.playground.server import Playground
from bot.startup import Resources
from storage.database import Database
from storage.files import Files
from tests.cogs.stage import PEOPLE, Stage
from tests.fakes import FakeProvider
from tests.resources import resources_with


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with open_pool(1) as pool:
        yield pool


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory, pool: Executor) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    async with contextlib.AsyncExitStack() as stack:
        playground = await stack.enter_async_context(Playground(message_limit=None))
        addresses = stack.enter_context(pytest.MonkeyPatch.context())
        addresses.setattr(discord.http.Route, "BASE", playground.api_url)
        database = Database(f"sqlite:///{folder / 'atelier.sqlite3'}")
        await database.open()
        stack.push_async_callback(database.close)
        files = Files(folder / "files")
        stack.callback(files.close)
        provider = FakeProvider(folder / "provider")
        client = await stack.enter_async_context(httpx.AsyncClient())
        resources = resources_with(
            provider,
            folder=folder,
            database=database,
            files=files,
            pool=pool,
            client=client,
            variables={"DISCORD_API_URL": playground.api_url, "DISCORD_GATEWAY_URL": playground.gateway_url},
        )
        yield await _bot_on_stage(stack, addresses, playground, resources, provider)


async def _bot_on_stage(
    stack: contextlib.AsyncExitStack,
    addresses: pytest.MonkeyPatch,
    playground: Playground,
    resources: Resources,
    provider: FakeProvider,
) -> Stage:
    addresses.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(playground.gateway_url))
    bot = await stack.enter_async_context(Atelier(resources, guild_ready_timeout=0.1))
    running = asyncio.create_task(bot.start(playground.token))
    stack.push_async_callback(_ended, running)
    await playground.bot_ready(timeout=60)
    return Stage(playground=playground, bot=bot, provider=provider, numbers=itertools.count(5000), people=set(PEOPLE))


async def _ended(running: asyncio.Task[None]) -> None:
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


@pytest.fixture
def textfile(tmp_path: Path) -> Path:
    path = tmp_path / "notes.txt"
    path.write_text("this is no picture")
    return path
