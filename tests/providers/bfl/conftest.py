"""Black Forest Labs as its tests meet it: as it is today, without the finetunes of 2025."""

from collections.abc import AsyncIterator

import httpx
import pytest

from bot.providers.bfl.provider import BflProvider
from tests.providers.benches.bfl import provider_for
from tests.simulators.bfl import BflSimulator


@pytest.fixture
async def service() -> AsyncIterator[BflSimulator]:
    async with BflSimulator() as service:
        yield service


@pytest.fixture
def today(service: BflSimulator, client: httpx.AsyncClient) -> BflProvider:
    """Without the flag for the finetunes of 2025, whatever the service still has."""
    return provider_for(service, client)
