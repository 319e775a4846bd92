"""The real bot between a playground and strict simulators of every service it can use, over real HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.playground.server import Playground
from bot.workflows.wakeups import Wakeups
from storage.database import now_ms
from tests.end_to_end.live_bot import Clock, LiveBot
from tests.secrets_heard import SECRETS
from tests.simulators import bfl, fal, replicate, together
from tests.simulators.hub import HubSimulator
from tests.simulators.s3 import S3Server

OPERATORS = "general"  # where they read, when they are told in a channel
LONGEST_PAUSE = 0.05  # seconds between two looks at a provider, whatever its card says


@dataclass(frozen=True, kw_only=True)
class Town:
    live: LiveBot
    replicate: replicate.ReplicateSimulator
    fal: fal.Fal
    bfl: bfl.BflSimulator
    together: together.Together
    hub: HubSimulator
    s3: S3Server

    def datasets_left(self) -> list[str]:
        """Uploaded pictures that nobody needs any more, in object storage."""
        return [key for key in self.s3.keys() if key.startswith("datasets/")]  # noqa: SIM118 - a method of its own


async def short(seconds: float) -> None:
    await asyncio.sleep(min(seconds, LONGEST_PAUSE))


@asynccontextmanager
async def open_town(
    folder: Path, *, real_pauses: bool = False, now_ms: Callable[[], int] = now_ms, **variables: str
) -> AsyncIterator[Town]:
    """All providers, the Hub and object storage switched on; `variables` on top.

    With real pauses a provider is looked at as seldom as its card says, unless its webhook knocks.
    """
    clock = Clock()
    async with AsyncExitStack() as stack:
        services = Town(
            live=LiveBot(
                await stack.enter_async_context(Playground(now=clock, message_limit=None)),
                clock,
                folder,
                wakeups=None if real_pauses else Wakeups(short),
                now_ms=now_ms,
            ),
            replicate=await stack.enter_async_context(replicate.ReplicateSimulator()),
            fal=await stack.enter_async_context(fal.Fal()),
            bfl=await stack.enter_async_context(bfl.BflSimulator()),
            together=await stack.enter_async_context(together.Together()),
            hub=await stack.enter_async_context(HubSimulator()),
            s3=stack.enter_context(S3Server()),
        )
        SECRETS.know("the object storage's key", services.s3.secret_access_key)
        await services.live.start(**{**variables_of(services), **variables})
        stack.push_async_callback(services.live.stop)
        yield services


def variables_of(town: Town) -> dict[str, str]:
    return {
        "PROVIDERS": "replicate,fal,bfl,together,local",
        "ALLOWED_DOWNLOAD_HOSTS": "127.0.0.1",
        "REPLICATE_API_TOKEN": replicate.KEY,
        "REPLICATE_API_URL": town.replicate.api_url,
        "FAL_KEY": fal.KEY,
        "FAL_QUEUE_URL": town.fal.url,
        "BFL_API_KEY": bfl.KEY,
        "BFL_API_URL": town.bfl.url,
        "TOGETHER_API_KEY": town.together.key,
        "TOGETHER_API_URL": town.together.api_url,
        "HUGGINGFACE_API_TOKEN": town.hub.token,
        "HUGGINGFACE_USERNAME": town.hub.username,
        "HF_ENDPOINT": town.hub.endpoint,
        "CLOUDFLARE_R2_ACCESS_KEY_ID": town.s3.access_key_id,
        "CLOUDFLARE_R2_SECRET_ACCESS_KEY": town.s3.secret_access_key,
        "CLOUDFLARE_R2_BUCKET": town.s3.bucket,
        "CLOUDFLARE_R2_ENDPOINT": town.s3.endpoint,
    }


async def start_for_operators(town: Town) -> None:
    """Anew, with a bot that knows in which channel its operators read."""
    await town.live.stop()
    channel = town.live.playground.world.channel_named(OPERATORS).id
    await town.live.start(**{**variables_of(town), "OPERATOR_CHANNEL": channel})
