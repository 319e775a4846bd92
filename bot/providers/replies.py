"""An answer of a provider, and what a status that is no success means. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import (
    ProviderBroken,
    ProviderBusy,
    ProviderDenied,
    ProviderError,
    ProviderGone,
    ProviderRefused,
    ProviderUnpaid,
    ProviderUnreachable,
)
from bot.providers.scrubbing import said_by, scrubbed

LONGEST_RETRY_AFTER_SECONDS = 3600.0


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A whole answer of bounded size. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Raises `ProviderBroken`."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise ProviderBroken("The provider's answer makes no sense to me; trying again.") from None

    def start(self) -> str:
        """How a body begins that is no JSON; of JSON only what `said` reads is fit for a log."""
        kind = self.headers.get("content-type", "")
        return "" if "json" in kind else scrubbed(self.body[:4000].decode("utf-8", "replace"))

    def said(self) -> str:
        """What the answer says to a person, scrubbed; empty when it is HTML or says nothing."""
        try:
            return said_by(json.loads(self.body))
        except (ValueError, RecursionError):
            return ""


def meaning_of(reply: Reply, title: str) -> ProviderError:
    """A status that is no success, by meaning: PROVIDERS.md section 8."""
    said = reply.said()
    match reply.status:
        case 401 | 403:
            return ProviderDenied(
                f"{title} did not accept the bot's key: its operator has to look at it.", advice=said or "wrong key"
            )
        case 402:
            return ProviderUnpaid(
                f"The bot's account at {title} has no money left: its operator has to top it up.", advice=said
            )
        case 404 | 410:
            return ProviderGone(f"{title} does not have that (any more).", advice=said)
        case 429:
            return ProviderBusy(
                f"{title} is busy; trying again.", retry_after_seconds=retry_after_seconds(reply), advice=said
            )
        case status if status >= 500:
            return ProviderUnreachable(f"{title} has trouble of its own; trying again.", advice=said)
        case status if status >= 400:
            return ProviderRefused(f"{title} refused this: {said or f'HTTP {status}'}")
    return ProviderBroken(f"{title} answered in a way that I do not know (HTTP {reply.status}).")


def retry_after_seconds(reply: Reply) -> float:
    """What `Retry-After` or `ratelimit-reset` says in seconds; 5 when neither says anything."""
    text = reply.headers.get("retry-after", "") or reply.headers.get("ratelimit-reset", "")
    if text.strip().isdecimal():
        return min(float(text), LONGEST_RETRY_AFTER_SECONDS)
    return 5.0
