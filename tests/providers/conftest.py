"""What the tests of every provider stand on: nobody waits, the clock is wound by hand, a client is there at once."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import stamina

from tests.providers.benches.bench import certificates
from tests.providers.clock import Clock


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Calls that may be repeated are, without a pause."""
    with stamina.set_testing(True, attempts=4):
        yield


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(verify=certificates()) as client:
        yield client


@pytest.fixture
def clock() -> Clock:
    return Clock()
