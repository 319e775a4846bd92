"""From a name in PROVIDERS to the provider: one line each. Called by `bot/startup.py`."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import httpx

from bot.providers.bfl.provider import BflProvider
from bot.providers.contract import Provider
from bot.providers.fal.provider import FalProvider
from bot.providers.local.provider import LocalProvider
from bot.providers.replicate.provider import ReplicateProvider
from bot.providers.together.provider import TogetherProvider
from bot.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What there is to open a provider with."""

    settings: Settings
    client: httpx.AsyncClient
    extra_hosts: frozenset[str]
    pool: Executor


def open_provider(name: str, opening: Opening) -> Provider:
    """`name` is one of `KNOWN_PROVIDERS`."""
    return OPENERS[name](opening)


def _local(opening: Opening) -> Provider:
    settings = opening.settings
    return LocalProvider(
        home=settings.data_dir / "local",
        pool=opening.pool,
        training_seconds=settings.local_training_time,
        generation_seconds=settings.local_generation_time,
        failures=settings.local_failures,
    )


def _replicate(opening: Opening) -> Provider:
    settings = opening.settings
    return ReplicateProvider(
        client=opening.client,
        key=settings.replicate_api_token.reveal(),
        api_url=settings.replicate_api_url,
        extra_hosts=opening.extra_hosts,
        owner=settings.replicate_owner,
    )


def _fal(opening: Opening) -> Provider:
    settings = opening.settings
    return FalProvider(
        client=opening.client,
        key=settings.fal_key.reveal(),
        api_url=settings.fal_queue_url,
        extra_hosts=opening.extra_hosts,
    )


def _bfl(opening: Opening) -> Provider:
    settings = opening.settings
    return BflProvider(
        client=opening.client,
        key=settings.bfl_api_key.reveal(),
        api_url=settings.bfl_api_url,
        extra_hosts=opening.extra_hosts,
        legacy_finetune=settings.bfl_legacy_finetune,
    )


def _together(opening: Opening) -> Provider:
    settings = opening.settings
    return TogetherProvider(
        client=opening.client,
        key=settings.together_api_key.reveal(),
        api_url=settings.together_api_url,
        extra_hosts=opening.extra_hosts,
        home=settings.data_dir / "together",
    )


OPENERS: dict[str, Callable[[Opening], Provider]] = {
    "local": _local,
    "replicate": _replicate,
    "fal": _fal,
    "bfl": _bfl,
    "together": _together,
}
