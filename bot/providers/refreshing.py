"""Asks every provider now and then whether its key works and what it still offers. Runs as long as the bot does."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.errors import ProviderError
from bot.providers.contract import Provider
from bot.providers.registry import Providers

log = logging.getLogger(__name__)

SECONDS_BETWEEN = 3600.0


async def keep_fresh(providers: Providers, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Never ends by itself."""
    while True:
        await asyncio.gather(*(_refresh(provider) for provider in providers))
        await sleep(SECONDS_BETWEEN)


async def _refresh(provider: Provider) -> None:
    """A provider that is down or mistaken about us must not keep the others from working."""
    try:
        await provider.refresh()
    except ProviderError as problem:
        log.warning("%s: %s %s", provider.card.title, problem, problem.advice)
