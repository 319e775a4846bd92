"""Discord's budget of requests per route and channel, and the headers that tell a library about it."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    requests: int = 5
    per_seconds: float = 5.0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    is_allowed: bool
    retry_after_seconds: float
    headers: Mapping[str, str]


class RateLimits:
    """Windows by key. Uses the real clock: a library that is told to wait really waits."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit
        self._windows: dict[str, tuple[float, int]] = {}

    def spend(self, route: str, channel_id: str) -> Verdict:
        key, moment = f"{route}:{channel_id}", time.monotonic()
        ends_at, spent = self._windows.get(key, (0.0, 0))
        if ends_at <= moment:
            ends_at, spent = moment + self._limit.per_seconds, 0
        is_allowed = spent < self._limit.requests
        if is_allowed:
            spent += 1
        self._windows[key] = (ends_at, spent)
        left = max(0.001, ends_at - moment)
        headers = {
            "X-RateLimit-Limit": str(self._limit.requests),
            "X-RateLimit-Remaining": str(self._limit.requests - spent),
            "X-RateLimit-Reset": f"{time.time() + left:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(route.encode()).hexdigest()[:32],
        }
        return Verdict(is_allowed=is_allowed, retry_after_seconds=left, headers=headers)
