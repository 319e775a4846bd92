"""Who operates the bot, and how they are told what only they can put right."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

log = logging.getLogger(__name__)

SECONDS_BETWEEN = 6 * 3600.0
SECONDS_UNTIL_AGAIN = 300.0  # when nobody was reached
SUBJECTS = 500


class Sender(Protocol):
    """Posts as the bot. No call raises: what Discord does not take is logged, and answered with False."""

    async def write_to_person(self, person_id: int, text: str) -> bool: ...

    async def write_in_channel(self, channel_id: int, text: str) -> bool: ...

    async def owners(self) -> Sequence[int]:
        """Whoever the bot's application belongs to, on Discord's own word; nobody when it does not say."""


class Operators:
    """`person_ids` are the people of `OPERATOR_IDS`, `channel_id` is `OPERATOR_CHANNEL`; without both the owners of the
    bot's application are told. Until `speak_through` is called, the log is."""

    def __init__(
        self,
        person_ids: frozenset[int],
        *,
        channel_id: int | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._person_ids = person_ids
        self._channel_id = channel_id
        self._now = now
        self._sender: Sender | None = None
        self._quiet_until: dict[str, float] = {}

    def is_one(self, person_id: int) -> bool:
        return person_id in self._person_ids

    def speak_through(self, sender: Sender) -> None:
        self._sender = sender

    async def tell(self, subject: str, text: str) -> None:
        """Say it once for this subject, for a while. Never raises; `text` never holds a secret."""
        if self._now() < self._quiet_until.get(subject, float("-inf")):
            return
        self._be_quiet(subject, SECONDS_BETWEEN)  # before it is sent: two tell of the same at the same moment
        log.warning("For the operator, about %s: %s", subject, text)
        if not await self._reach(text):
            self._be_quiet(subject, SECONDS_UNTIL_AGAIN)

    def _be_quiet(self, subject: str, seconds: float) -> None:
        self._quiet_until.pop(subject, None)
        self._quiet_until[subject] = self._now() + seconds
        for oldest in list(self._quiet_until)[:-SUBJECTS]:
            del self._quiet_until[oldest]

    async def _reach(self, text: str) -> bool:
        """Whether anybody was reached."""
        if self._sender is None:
            return False
        if self._channel_id is not None:
            return await self._sender.write_in_channel(self._channel_id, text)
        people = sorted(self._person_ids) or await self._sender.owners()
        return any([await self._sender.write_to_person(one, text) for one in people])
