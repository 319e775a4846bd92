"""What a status of the Hub that is no success means: PROVIDERS.md section 5. Pure."""

import re
from collections.abc import Mapping

from bot.errors import (
    AtelierError,
    BadInput,
    NotFound,
    ProviderBusy,
    ProviderDenied,
    ProviderRefused,
    ProviderUnpaid,
    ProviderUnreachable,
)
from bot.providers.scrubbing import LONGEST_TEXT, scrubbed

DEFAULT_RETRY_AFTER_SECONDS = 60.0
LONGEST_RETRY_AFTER_SECONDS = 3600.0
EMPTY_WINDOW = re.compile(r"r\s*=\s*0\s*;\s*t\s*=\s*(\d{1,6})")  # RateLimit: "api";r=0;t=55
IN_WORDS = re.compile(r"\bin (?:about )?(\d{1,4}|an?) (second|minute|hour)")  # commits per hour: said in words only
UNITS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}


class HeadMoved(ProviderBusy):
    """Somebody else committed meanwhile: nothing was written."""


def unreachable(why: str = "") -> ProviderUnreachable:
    return ProviderUnreachable("The Hugging Face Hub did not answer; trying again.", advice=why)


def meaning_of(status: int, headers: Mapping[str, str], said: str) -> AtelierError:
    """`headers` with lower-case names; `said` is the server's own message, not yet scrubbed."""
    said = scrubbed(said, longest=LONGEST_TEXT)
    code = headers.get("x-error-code", "")
    if code == "GatedRepo":
        return BadInput("That repository is gated: its owner has not let the bot's account in.")
    if "Access to this resource is disabled" in headers.get("x-error-message", ""):
        return BadInput("The Hugging Face Hub has disabled that repository.")
    if status in (404, 410):
        return NotFound("There is no such repository on the Hugging Face Hub, or I cannot see it.")
    match status:
        case 401 | 403:
            advice = f"HUGGINGFACE_API_TOKEN needs write access to the bot's namespace: {said or f'HTTP {status}'}"
            sentence = "The Hugging Face Hub did not accept the bot's token: its operator has to look at it."
            return ProviderDenied(sentence, advice=advice)
        case 402:
            return ProviderUnpaid("The bot's Hugging Face account has no storage or money left.", advice=said)
        case 412:
            return HeadMoved("That repository is being changed by somebody else; trying again.", advice=said)
        case 429:
            seconds = retry_after_seconds(headers, said)
            return ProviderBusy("The Hugging Face Hub is busy.", retry_after_seconds=seconds, advice=said)
        case _ if status >= 500 or status == 408:
            return unreachable(said or f"HTTP {status}")
        case _ if status >= 400:
            return ProviderRefused(f"The Hugging Face Hub refused this: {said or f'HTTP {status}'}")
    return unreachable(f"HTTP {status}")


def retry_after_seconds(headers: Mapping[str, str], said: str) -> float:
    """From `RateLimit` when its window is used up, else `Retry-After`, else the words of the refusal."""
    if found := EMPTY_WINDOW.search(headers.get("ratelimit", "")):
        return min(float(found[1]), LONGEST_RETRY_AFTER_SECONDS)
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text), LONGEST_RETRY_AFTER_SECONDS)
    if in_words := IN_WORDS.search(said):
        count = float(in_words[1]) if in_words[1].isdecimal() else 1.0
        return min(count * UNITS[in_words[2]], LONGEST_RETRY_AFTER_SECONDS)
    return DEFAULT_RETRY_AFTER_SECONDS
