"""Failures on request: lets the offline preview misbehave like a remote service, for demos and tests.

Written as `submit:busy:2, check:unreachable:3, training:moderated`: call, meaning, how many times (once if not said).
"""

from dataclasses import dataclass

from bot.errors import (
    OutcomeUnknown,
    ProviderBroken,
    ProviderBusy,
    ProviderDenied,
    ProviderError,
    ProviderModerated,
    ProviderRefused,
    ProviderTimedOut,
    ProviderUnpaid,
    ProviderUnreachable,
)

CALLS = ("submit", "find", "attach", "check", "cancel", "fetch", "caption", "training", "generation")
PAID = ("submit", "caption")  # elsewhere; here everything is free
MEANINGS: dict[str, tuple[type[ProviderError], str]] = {
    "busy": (ProviderBusy, "The local preview is busy right now."),
    "unreachable": (ProviderUnreachable, "The local preview does not answer."),
    "refused": (ProviderRefused, "The local preview refused this request."),
    "moderated": (ProviderModerated, "The local preview refused this for its content."),
    "denied": (ProviderDenied, "The local preview does not accept this bot's key."),
    "timed_out": (ProviderTimedOut, "The local preview took too long."),
    "unpaid": (ProviderUnpaid, "The bot's account at the local preview has no money left."),
    "broken": (ProviderBroken, "The local preview failed on its own."),
    "outcome_unknown": (OutcomeUnknown, "The local preview gave no answer, so nobody knows whether it has started."),
}
MOST_TIMES = 1000


@dataclass(frozen=True, kw_only=True)
class Failure:
    call: str
    meaning: str
    times: int = 1


@dataclass(frozen=True, kw_only=True)
class Failures:
    """In the order in which they happen; `training` and `generation` strike halfway through the work."""

    planned: tuple[Failure, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Failures":
        """Raises ValueError with a sentence that names the part it does not understand."""
        parts = (part.strip() for part in text.split(","))
        return cls(planned=tuple(_parse_one(part) for part in parts if part))


class FailuresLeft:
    """What is still to go wrong. One per provider, because the plan itself never changes."""

    def __init__(self, failures: Failures) -> None:
        self._left = [(one.call, one.meaning) for one in failures.planned for _ in range(one.times)]

    def take(self, call: str) -> str | None:
        """The meaning of the next failure of this call, used up; None when it may succeed."""
        for place, (planned, meaning) in enumerate(self._left):
            if planned == call:
                del self._left[place]
                return meaning
        return None

    def strike(self, call: str) -> None:
        """Raise the next failure of this call, if there is one."""
        meaning = self.take(call)
        if meaning:
            raise error_of(meaning)


def error_of(meaning: str, sentence: str = "") -> ProviderError:
    """The error with this meaning; an unknown word is a failure of our own."""
    kind, usual = MEANINGS.get(meaning, MEANINGS["broken"])
    return kind(sentence or usual)


def _parse_one(part: str) -> Failure:
    call, _, rest = part.partition(":")
    meaning, _, times = rest.partition(":")
    if call not in CALLS:
        raise ValueError(f"“{part}”: unknown call “{call}”; known are {', '.join(CALLS)}")
    if meaning not in MEANINGS:
        raise ValueError(f"“{part}”: unknown meaning “{meaning}”; known are {', '.join(MEANINGS)}")
    if meaning == "outcome_unknown" and call not in PAID:
        raise ValueError(f"“{part}”: only {' and '.join(PAID)} can have an unknown outcome")
    if times and not (times.isascii() and times.isdigit() and 1 <= int(times) <= MOST_TIMES):
        raise ValueError(f"“{part}”: the number of times must be a whole number from 1 to {MOST_TIMES}")
    return Failure(call=call, meaning=meaning, times=int(times or 1))
