"""Opens every resource once, in order, and closes them in reverse. Called by `__main__` and by tests."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import httpx

from bot.addresses import AllowedHosts
from bot.datasets.limits import DatasetLimits
from bot.datasets.pool import open_pool
from bot.discord_address import file_hosts, point_at
from bot.downloads import Downloads
from bot.hub.hub import Hub
from bot.opening import Opening, open_provider
from bot.operators import Operators
from bot.providers.registry import Providers
from bot.providers.wire import Wire
from bot.settings import Settings
from bot.webhooks import Hooks, Listener
from bot.workflows.wakeups import Wakeups
from storage.database import Database, now_ms, only_process
from storage.files import Files
from storage.needed import needed_files
from storage.objects import Objects
from storage.soundness import check_room

log = logging.getLogger(__name__)

DOWNLOAD_TIMEOUT = httpx.Timeout(connect=10.0, read=30.0, write=30.0, pool=60.0)
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20)
WEIGHTS_HOSTS = frozenset({"huggingface.co", ".huggingface.co", ".hf.co", ".fal.media", "replicate.delivery"})


@dataclass(frozen=True, kw_only=True)
class WeightsSource:
    """Where LoRAs are imported from."""

    wire: Wire
    hosts: AllowedHosts


@dataclass(frozen=True, kw_only=True)
class Resources:
    """`objects` is None without object storage. `drawing` is for what somebody looks at and waits for: in `pool` it
    would stand behind whole datasets."""

    settings: Settings
    database: Database
    files: Files
    downloads: Downloads
    providers: Providers
    pool: Executor
    drawing: Executor
    limits: DatasetLimits
    weights: WeightsSource
    hooks: Hooks
    hub: Hub
    operators: Operators
    objects: Objects | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    wakeups: Wakeups = field(default_factory=Wakeups)
    now_ms: Callable[[], int] = now_ms


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Raises `StorageRefused` for a disk or database that cannot be used, `ObjectsRefused` for such object storage."""
    async with AsyncExitStack() as stack:
        stack.enter_context(only_process(settings.data_dir))
        check_room(settings.data_dir)
        database = Database(settings.database_url.reveal())
        await database.open()
        stack.push_async_callback(database.close)
        files = Files(settings.data_dir / "files")
        files.forget_unfinished()
        stack.callback(files.close)
        async with database.reading() as connection:
            needed = await needed_files(connection)
        if swept := await files.sweep(needed):
            log.info("Removed %d files that nothing needs any more", swept)
        pool, drawing = open_pool(), open_pool(1)
        for processes in (drawing, pool):
            stack.callback(processes.shutdown, wait=True, cancel_futures=True)
        client = await stack.enter_async_context(
            httpx.AsyncClient(timeout=DOWNLOAD_TIMEOUT, limits=LIMITS, follow_redirects=False)
        )
        providers, hub = _open_providers(stack, settings, client, pool)
        hooks, wakeups = await _open_webhooks(stack, settings, providers)
        point_at(api_url=settings.discord_api_url, gateway_url=settings.discord_gateway_url)
        hosts = frozenset(settings.allowed_download_hosts) | file_hosts(settings.discord_api_url)
        yield Resources(
            settings=settings,
            database=database,
            files=files,
            downloads=Downloads(client, extra_hosts=hosts),
            providers=providers,
            pool=pool,
            drawing=drawing,
            limits=DatasetLimits(max_upload_bytes=settings.max_upload_size),
            weights=open_weights_source(settings, client),
            hooks=hooks,
            objects=_open_objects(settings),
            hub=hub,
            operators=Operators(frozenset(settings.operator_ids), channel_id=settings.operator_channel),
            wakeups=wakeups,
        )


def _open_providers(
    stack: AsyncExitStack, settings: Settings, client: httpx.AsyncClient, pool: Executor
) -> tuple[Providers, Hub]:
    extra_hosts = frozenset(settings.allowed_download_hosts)
    opening = Opening(settings=settings, client=client, extra_hosts=extra_hosts, pool=pool)
    providers = Providers([open_provider(name, opening) for name in settings.providers])
    for provider in providers:
        stack.push_async_callback(provider.close)
    hub = Hub(
        token=settings.huggingface_api_token.reveal(),
        username=settings.huggingface_username or "",
        endpoint=settings.hf_endpoint,
    )
    stack.push_async_callback(hub.close)
    return providers, hub


async def _open_webhooks(stack: AsyncExitStack, settings: Settings, providers: Providers) -> tuple[Hooks, Wakeups]:
    """The listener only when providers can reach it."""
    hooks, wakeups = Hooks(public_url=settings.public_url, key=settings.discord_token.reveal()), Wakeups()
    if settings.public_url is not None:
        listener = Listener(hooks=hooks, providers=providers, wake=wakeups.wake)
        port = await stack.enter_async_context(listener.listening(None, settings.webhook_port))
        log.info("Webhooks are taken on port %d", port)
    return hooks, wakeups


def open_weights_source(settings: Settings, client: httpx.AsyncClient) -> WeightsSource:
    """It fetches what everybody may read, so no key travels."""
    hosts = AllowedHosts(WEIGHTS_HOSTS, extra_hosts=frozenset(settings.allowed_download_hosts))
    wire = Wire(client, title="The file's host", base_url=settings.hf_endpoint, key_headers={}, hosts=hosts)
    return WeightsSource(wire=wire, hosts=hosts)


def _open_objects(settings: Settings) -> Objects | None:
    if settings.cloudflare_r2_bucket is None or settings.cloudflare_r2_endpoint is None:
        return None
    return Objects(
        bucket=settings.cloudflare_r2_bucket,
        endpoint=settings.cloudflare_r2_endpoint,
        access_key_id=settings.cloudflare_r2_access_key_id.reveal(),
        secret_access_key=settings.cloudflare_r2_secret_access_key.reveal(),
        public_url=settings.cloudflare_r2_public_url,
    )
