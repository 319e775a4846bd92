"""Describes a picture in the local provider's pool: offline, from the picture alone, free."""

import asyncio
from concurrent.futures import Executor
from pathlib import Path

from bot.errors import ProviderBroken, ProviderUnreachable
from bot.providers.local import work
from bot.providers.local.failures import FailuresLeft
from bot.providers.local.meanings import refusing

LONGEST_SECONDS = 120.0  # of waiting for the pool


class Captioner:
    def __init__(self, *, pool: Executor, failures: FailuresLeft) -> None:
        self._pool = pool
        self._failures = failures

    async def caption(self, picture: Path) -> str:
        self._failures.strike("caption")
        try:
            with refusing():
                async with asyncio.timeout(LONGEST_SECONDS):
                    return await asyncio.wrap_future(self._pool.submit(work.describe_file, picture))
        except TimeoutError:
            raise ProviderUnreachable("The local preview has too much to do to describe this picture.") from None
        except RuntimeError:  # the pool is broken, or closed
            raise ProviderBroken("The local preview could not describe this picture.") from None
