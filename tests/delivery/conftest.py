"""A newsroom with a real discord.py client in it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import discord
import pytest
import yarl

from bot.delivery.notifier import Notifier
from bot.delivery.studio import Studio
from bot.playground.server import Playground
from bot.providers.registry import Providers
from storage.database import Database
from storage.files import Files
from tests.delivery.newsroom import Newsroom
from tests.fakes import FakeProvider
from tests.playground.bare_wire import Clock


@pytest.fixture
def file_bytes() -> int:
    """What Discord takes in one file."""
    return 10 << 20


@pytest.fixture
async def newsroom(
    sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_bytes: int
) -> AsyncIterator[Newsroom]:
    providers = Providers([FakeProvider(tmp_path / "provider")])
    files, clock, now = Files(tmp_path / "files"), Clock(), [100.0]
    client = discord.Client(intents=discord.Intents(guilds=True), guild_ready_timeout=0.05)
    with ThreadPoolExecutor(1) as pool:
        async with Playground(now=clock, message_limit=None, file_bytes=file_bytes) as playground, client:
            monkeypatch.setattr(discord.http.Route, "BASE", playground.api_url)
            monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(playground.gateway_url))
            running = asyncio.create_task(client.start(playground.token))
            await playground.bot_ready()
            await client.wait_until_ready()
            links: dict[str, str] = {}

            async def link_to(file: Path, _key: str) -> str | None:
                return links.get(file.name)

            yield Newsroom(
                playground=playground,
                database=sqlite,
                files=files,
                notifier=Notifier(
                    client=client,
                    database=sqlite,
                    files=files,
                    providers=providers,
                    pool=pool,
                    link_to=link_to,
                    studio=Studio(
                        database=sqlite, files=files, providers=providers, pool=pool, has_object_storage=False
                    ),
                    edit_interval_seconds=2.0,
                    now=lambda: now[0],
                ),
                now=now,
                clock=clock,
                links=links,
            )
            await client.close()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            assert playground.unknown_routes == []
    files.close()
