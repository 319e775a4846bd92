"""Discord's ids: a time and a counter in one growing number, written as a string."""

from collections.abc import Callable
from datetime import datetime

DISCORD_EPOCH_MS = 1_420_070_400_000


class Snowflakes:
    """Hands out ids that always grow, even when the injected clock stands still."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._latest = 0

    def take(self) -> str:
        milliseconds = int(self._now().timestamp() * 1000) - DISCORD_EPOCH_MS
        self._latest = max(milliseconds << 22, self._latest + 1)
        return str(self._latest)
