"""Reads what Together AI answers: pictures, offered models, and its own ways of saying no. Pure."""

import base64
import json
import re
from dataclasses import dataclass, field
from typing import Any

from bot.errors import ProviderBroken, ProviderDenied, ProviderError, ProviderGone, ProviderModerated, ProviderRefused
from bot.providers.replies import Reply
from bot.providers.together.card import TITLE

MOST_MODELS = 10_000

# Which words a flagged prompt gets is UNCONFIRMED (section 3.3); `content_policy_violation` is from a report of 2026.
FLAGGED = re.compile(r"(?i)nsfw|flagged|moderat|unsafe|inappropriate|safety system|content[ _]polic")
ABOUT_LORA = re.compile(r"(?i)\blora")
ABOUT_KEY = re.compile(r"(?i)\bkey\b|permission|not allowed|\btier\b|\baccount\b|\baccess\b")


@dataclass(frozen=True, kw_only=True)
class Inline:
    """A picture inside the answer."""

    text: str = field(repr=False)

    def content(self) -> bytes:
        """Raises `ProviderBroken` for what is no strict base64."""
        try:
            return base64.b64decode(self.text, validate=True)
        except ValueError:
            raise ProviderBroken(f"{TITLE} sent a picture that cannot be read.") from None


@dataclass(frozen=True, kw_only=True)
class Linked:
    """A picture behind a link."""

    url: str = field(repr=False)


def pictures_of(reply: Reply, count: int) -> list[Inline | Linked]:
    """At most `count`, in the order of `index`; what cannot be read is left out, as nothing may fail once it is paid.

    Shape: `{data: [{index, b64_json} | {index, url}]}`; both occur whatever was asked for (section 3.1).
    """
    try:
        data = _dict(reply.json()).get("data")
    except ProviderBroken:
        return []
    entries = [entry for entry in data[: 2 * count] if isinstance(entry, dict)] if isinstance(data, list) else []
    pictures = [_picture(entry) for entry in sorted(entries, key=_index)]
    return [picture for picture in pictures if picture is not None][:count]


def offered_models(reply: Reply) -> frozenset[str]:
    """The ids that `GET /models` lists and does not call deprecated. Raises `ProviderBroken`.

    Shape: `[{id, type}]`; `{data: [...]}`, which services like it answer, is taken too.
    """
    body = reply.json()
    entries = body.get("data") if isinstance(body, dict) else body
    if not isinstance(entries, list) or not entries:
        raise ProviderBroken(f"{TITLE}'s list of models makes no sense to me.")
    return frozenset(
        entry["id"]
        for entry in entries[:MOST_MODELS]
        if isinstance(entry, dict) and isinstance(entry.get("id"), str) and not _is_deprecated(entry)
    )


def explained(reply: Reply) -> ProviderError | None:
    """Its own ways of saying no (section 3.3); None where the status says it all, and for 5xx, which say nothing."""
    said = reply.said()
    match reply.status:
        case 400 | 422:
            return _refusal(reply, said)
        case 403:
            return _forbidden(said)
        case 404 | 410:
            return ProviderGone(f"{TITLE} no longer has this model: choose another generator.", advice=said)
    return None


def _refusal(reply: Reply, said: str) -> ProviderError | None:
    if FLAGGED.search(f"{said} {' '.join(_words_of(reply))}"):
        return ProviderModerated(f"{TITLE} held this back for its content: choose other words or another picture.")
    if ABOUT_LORA.search(said):
        return ProviderRefused(
            f"{TITLE} cannot read this model's weights from their link: it must be open to everybody. "
            "Publish the model on the Hub without restrictions, or generate with another provider.",
            advice=said,
        )
    return None


def _forbidden(said: str) -> ProviderError:
    """403 means too large an input, or a gateway in front; a wrong key is a 401."""
    if ABOUT_KEY.search(said):
        return ProviderDenied(f"{TITLE} does not let the bot do this: its operator has to look at it.", advice=said)
    return ProviderRefused(
        f"{TITLE} turned this request away{f': {said}' if said else ''}. Shorten the prompt, or use smaller pictures.",
        advice="a 403 without words comes from the gateway in front of the API" if not said else "",
    )


def _words_of(reply: Reply) -> list[str]:
    """`error.type` and `error.code`; `error` may be a plain string."""
    try:
        error = _dict(_dict(json.loads(reply.body)).get("error"))
    except (ValueError, RecursionError):
        return []
    return [error[key] for key in ("type", "code") if isinstance(error.get(key), str)]


def _picture(entry: dict[str, Any]) -> Inline | Linked | None:
    if isinstance(text := entry.get("b64_json"), str) and text:
        return Inline(text=text)
    if isinstance(url := entry.get("url"), str) and url.startswith(("https://", "http://")):
        return Linked(url=url)
    return None


def _index(entry: dict[str, Any]) -> int:
    index = entry.get("index")
    return index if isinstance(index, int) else 0


def _is_deprecated(entry: dict[str, Any]) -> bool:
    """No such field is documented; these are the likely ones."""
    status = entry.get("status")
    return entry.get("deprecated") is True or (isinstance(status, str) and "deprecated" in status.lower())


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
