"""Asks Black Forest Labs about the models it keeps: whether it knows one, which there are, and which are a job's."""

from collections.abc import Mapping
from typing import Any

from bot.errors import ProviderGone, ProviderRefused
from bot.providers.bfl.cards import NAME
from bot.providers.bfl.finetunes import details_of, finetune_ids, is_of_job
from bot.providers.caching import Cache
from bot.providers.wire import Wire

DETAILS_SECONDS = 3600.0
MOST_LOOKED_AT = 100  # finetunes whose comment is read for one job


class KeptModels:
    """Every call is harmless to repeat. `api_url` is the host that is asked: each region keeps its own."""

    def __init__(self, wire: Wire, cache: Cache) -> None:
        self._wire = wire
        self._cache = cache

    async def knows(self, api_url: str, finetune_id: str) -> bool:
        """Whether the list shows what was uploaded by hand is not documented, so either answer will do."""
        return bool(await self.details(api_url, finetune_id)) or finetune_id in await self.listed(api_url)

    async def listed(self, api_url: str) -> tuple[str, ...]:
        try:
            return finetune_ids(await self._wire.read(f"{api_url}/v1/my_finetunes"))
        except ProviderGone:
            return ()

    async def of_job(self, api_url: str, job_id: str, *, since: float) -> list[str]:
        """Those with the job's comment, the last listed first."""
        last_first = (await self.listed(api_url))[: -MOST_LOOKED_AT - 1 : -1]
        return [
            finetune_id
            for finetune_id in last_first
            if is_of_job(await self._remembered_details(api_url, finetune_id), job_id, since=since)
        ]

    async def details(self, api_url: str, finetune_id: str) -> Mapping[str, Any]:
        """Empty for a model that the service does not know; which status it says so with is not documented."""
        try:
            reply = await self._wire.read(f"{api_url}/v1/finetune_details", params={"finetune_id": finetune_id})
        except (ProviderGone, ProviderRefused):
            return {}
        return details_of(reply)

    async def _remembered_details(self, api_url: str, finetune_id: str) -> Mapping[str, Any]:
        """What a finetune was made from never changes; one that is not known yet may be, later."""
        key = (NAME, "details", api_url, finetune_id)
        details: Mapping[str, Any] = await self._cache.get(
            key, lambda: self.details(api_url, finetune_id), seconds=DETAILS_SECONDS
        )
        if not details:
            self._cache.forget(key)
        return details
