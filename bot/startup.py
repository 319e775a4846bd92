"""Opens every resource once, in order, and closes them in reverse. Called by `__main__` and by tests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import Executor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx

from bot.datasets.limits import DatasetLimits
from bot.datasets.pool import open_pool
from bot.discord_address import file_hosts, point_at
from bot.downloads import Downloads
from bot.providers.contract import Provider
from bot.providers.local import LocalProvider
from bot.settings import Settings
from storage.database import Database, only_process
from storage.files import Files

DOWNLOAD_TIMEOUT = httpx.Timeout(connect=10.0, read=30.0, write=30.0, pool=60.0)


@dataclass(frozen=True, kw_only=True)
class Resources:
    settings: Settings
    database: Database
    files: Files
    downloads: Downloads
    providers: Mapping[str, Provider]
    pool: Executor
    limits: DatasetLimits
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Raises `StorageRefused` when the database cannot be used."""
    async with AsyncExitStack() as stack:
        stack.enter_context(only_process(settings.data_dir))
        database = Database(settings.database_url.reveal())
        await database.open()
        stack.push_async_callback(database.close)
        files = Files(settings.data_dir / "files")
        files.forget_unfinished()
        stack.callback(files.close)
        pool = open_pool()
        stack.callback(pool.shutdown, wait=True, cancel_futures=True)
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=DOWNLOAD_TIMEOUT, follow_redirects=False))
        extra_hosts = frozenset(settings.allowed_download_hosts) | file_hosts(settings.discord_api_url)
        local = LocalProvider(
            home=settings.data_dir / "local",
            pool=pool,
            training_seconds=settings.local_training_time,
            generation_seconds=settings.local_generation_time,
            failures=settings.local_failures,
        )
        stack.push_async_callback(local.close)
        point_at(api_url=settings.discord_api_url, gateway_url=settings.discord_gateway_url)
        yield Resources(
            settings=settings,
            database=database,
            files=files,
            downloads=Downloads(client, extra_hosts=extra_hosts),
            providers={"local": local},
            pool=pool,
            limits=DatasetLimits(max_upload_bytes=settings.max_upload_size),
        )
