"""Network trouble drawn by lot: what befalls a share of the requests at the providers and at Discord."""

import random
from collections import Counter
from collections.abc import Callable, Mapping

from tests.simulators.service import HTML, Fault

AT_PROVIDERS = 0.05  # of all requests
AT_SUBMISSIONS = 0.12  # of those that are paid for
AT_DISCORD = 0.05
Draw = Callable[[random.Random], Fault]

VIA = {"Via": "1.1 google"}  # without it discord.py takes a 429 for a ban by the proxy
RESETS: Mapping[str, Draw] = {
    "reset before": lambda _: Fault(is_reset=True),
    "reset after effect": lambda _: Fault(is_reset=True, after_effect=True),
    "timeout after effect": lambda lot: Fault(is_reset=True, after_effect=True, hold_seconds=lot.uniform(0.5, 3)),
    "slow": lambda lot: Fault(delay_seconds=lot.uniform(0.2, 1.5)),
    "HTTP 502 before": lambda _: Fault(status=502, body=HTML),
    "HTTP 502 after effect": lambda _: Fault(status=502, body=HTML, after_effect=True),
    "HTTP 503": lambda _: Fault(status=503, body={"detail": "Service unavailable"}),
}
PROVIDER_TROUBLE: Mapping[str, Draw] = {
    **RESETS,
    "HTTP 429": lambda _: Fault(status=429, body={"detail": "Request was throttled."}),
    "HTTP 429, Retry-After": lambda lot: Fault(
        status=429, body={"detail": "Request was throttled."}, headers={"Retry-After": str(lot.randint(0, 2))}
    ),
    "answer cut short": lambda _: Fault(is_truncated=True),
    "answer in drops": lambda _: Fault(is_slow=True),
}
DISCORD_TROUBLE: Mapping[str, Draw] = {
    **RESETS,
    "HTTP 429": lambda _: Fault(status=429, body="error code: 1015"),
    "HTTP 429, Retry-After": lambda lot: Fault(
        status=429,
        body={"message": "You are being rate limited.", "retry_after": (wait := lot.uniform(0.1, 1)), "global": False},
        headers={**VIA, "Retry-After": f"{wait:.3f}"},
    ),
}


class Trouble:
    """`met` counts what was done, by side and kind; while `is_on` is false nothing is."""

    def __init__(self, lot: random.Random) -> None:
        self._lot = lot
        self.is_on = False
        self.met: Counter[tuple[str, str]] = Counter()

    def for_provider(self, side: str, *, is_paid: bool) -> Fault | None:
        return self._drawn(side, PROVIDER_TROUBLE, AT_SUBMISSIONS if is_paid else AT_PROVIDERS)

    def for_discord(self) -> Fault | None:
        return self._drawn("discord", DISCORD_TROUBLE, AT_DISCORD)

    def _drawn(self, side: str, kinds: Mapping[str, Draw], share: float) -> Fault | None:
        if not self.is_on or self._lot.random() >= share:
            return None
        kind = self._lot.choice(list(kinds))
        self.met[side, kind] += 1
        return kinds[kind](self._lot)

    def for_storage(self) -> bool:
        """Whether the next request to object storage is refused."""
        if not self.is_on or self._lot.random() >= AT_PROVIDERS:
            return False
        self.met["storage", "HTTP 503"] += 1
        return True
