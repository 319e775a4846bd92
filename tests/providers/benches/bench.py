"""What the promise suite needs of each provider: the provider itself, requests it takes, and a hand on its service.

One file per provider beside this one; `open_bench(folder)` in each is an async context manager that yields a `Bench`.
"""

import ssl
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import cache
from typing import Protocol

import httpx
import pytest

from bot.errors import (
    OutcomeUnknown,
    ProviderBusy,
    ProviderDenied,
    ProviderRefused,
    ProviderUnpaid,
)
from bot.providers.contract import Provider
from bot.providers.tasks import GenerationRequest, TrainingRequest

LOOPBACK = frozenset({"127.0.0.1"})


class Mishap(StrEnum):
    """What befalls the next paid submission."""

    NEVER_SENT = "no connection can be made"
    BUSY = "429"
    UNPAID = "no money left"
    DENIED = "wrong key"
    REFUSED = "invalid input, with the payload echoed where the service does so"
    LOST = "accepted, and the answer never arrives"
    BROKEN = "accepted, and answered with a 5xx in HTML"


each_mishap = pytest.mark.parametrize(
    ("mishap", "error", "paid"),
    [
        (Mishap.NEVER_SENT, ProviderBusy, 0),
        (Mishap.BUSY, ProviderBusy, 0),
        (Mishap.UNPAID, ProviderUnpaid, 0),
        (Mishap.DENIED, ProviderDenied, 0),
        (Mishap.REFUSED, ProviderRefused, 0),
        (Mishap.LOST, OutcomeUnknown, 1),
        (Mishap.BROKEN, OutcomeUnknown, 1),
    ],
)  # what it is said to be, and whether it was paid


class Bench(Protocol):
    @property
    def provider(self) -> Provider:
        """The one of the moment; a bench may open it anew."""

    @property
    def logs_must_not_hold(self) -> Sequence[str]:
        """Key, presigned signatures."""

    def training(self, job_id: str) -> TrainingRequest | None:
        """A request that the provider takes; None when it does not train."""

    def generation(self, job_id: str, *, with_model: bool, count: int = 1) -> GenerationRequest | None:
        """A request that the provider takes; None when it has no such generator."""

    def paid(self) -> int:
        """How many paid requests took effect so far."""

    def heard(self) -> int:
        """How many requests of any kind have reached the service so far."""

    @property
    def nobodys_id(self) -> str:
        """An id of this provider's form that no task has."""

    def cause(self, mishap: Mishap) -> bool:
        """Order it for the next submission; False when this provider cannot meet it (the local one has no wire)."""

    def stop_answering_once(self) -> bool:
        """The next check or read fails in passing (503, reset); False as above."""

    async def finish(self) -> None:
        """The service completes everything that it has accepted."""

    def fail_everything(self) -> bool:
        """The service ends everything that it has accepted with a failure of its own; False as above."""

    def moderate_everything(self) -> bool:
        """The service ends everything that it has accepted with a moderation verdict; False as above."""

    def withhold_one_picture(self) -> bool:
        """Of the next generation one picture is flagged, and black or left out; False when it cannot be told."""


@cache
def certificates() -> ssl.SSLContext:
    """For every client: to read them takes longer than most tests."""
    return httpx.create_ssl_context()


class ClosedPort(httpx.AsyncBaseTransport):
    """The real transport, except that the next `misses` of the requests that are meant find nobody listening."""

    def __init__(self, is_meant: Callable[[httpx.Request], bool] = lambda _request: True) -> None:
        self._real = httpx.AsyncHTTPTransport(verify=certificates())
        self._is_meant = is_meant
        self.misses = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.misses > 0 and self._is_meant(request):
            self.misses -= 1
            request.url = request.url.copy_with(port=1)
        return await self._real.handle_async_request(request)

    async def aclose(self) -> None:
        await self._real.aclose()
