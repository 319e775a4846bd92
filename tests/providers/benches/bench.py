"""What the promise suite needs of each provider: the provider itself, requests it takes, and a hand on its service.

One file per provider beside this one; `open_bench(folder)` in each is an async context manager that yields a `Bench`.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from bot.providers.contract import Provider
from bot.providers.tasks import GenerationRequest, TrainingRequest


class Mishap(StrEnum):
    """What befalls the next paid submission."""

    NEVER_SENT = "no connection can be made"
    BUSY = "429"
    UNPAID = "no money left"
    DENIED = "wrong key"
    REFUSED = "invalid input, with the payload echoed where the service does so"
    LOST = "accepted, and the answer never arrives"
    BROKEN = "accepted, and answered with a 5xx in HTML"


class Bench(Protocol):
    provider: Provider
    logs_must_not_hold: Sequence[str]  # key, presigned signatures

    def training(self, job_id: str) -> TrainingRequest | None:
        """A request that the provider takes; None when it does not train."""

    def generation(self, job_id: str, *, with_model: bool, count: int = 1) -> GenerationRequest | None:
        """A request that the provider takes; None when it has no such generator."""

    def paid(self) -> int:
        """How many paid requests took effect so far."""

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
        """Of the next generation one picture is black and flagged; False when this provider does not do so."""
