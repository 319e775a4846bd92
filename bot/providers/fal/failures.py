"""The ways in which fal.ai says no, by meaning: in a status, in place of an answer, in place of a result. Pure.

Shapes: PROVIDERS.md section 4.6 and `ErrorBody` in fal.openapi.json.
"""

import re
from collections.abc import Mapping
from typing import Any

from bot.errors import (
    ProviderBroken,
    ProviderBusy,
    ProviderError,
    ProviderModerated,
    ProviderRefused,
    ProviderTimedOut,
    ProviderUnpaid,
)
from bot.providers.replies import Reply
from bot.providers.scrubbing import LONGEST_TEXT, said_by, scrubbed

STOPPED_BY_US = ("client_cancelled", "client_disconnected")
TOO_LATE = ("request_timeout", "startup_timeout")
MODERATED = "content_policy_violation"
NO_MONEY = re.compile(r"\b(locked|balance)\b", re.IGNORECASE)  # the wording is not documented


def failure_in(status: Mapping[str, Any]) -> ProviderError | None:
    """There is no failed state: a failed request is completed with an error (section 4.1)."""
    if not status.get("error") and not status.get("error_type"):
        return None
    error, kind = status.get("error"), status.get("error_type")
    said = said_by(error) if isinstance(error, str) else ""
    if kind in STOPPED_BY_US:
        return ProviderRefused("This was cancelled at fal.ai.", advice=said)
    if kind in TOO_LATE:
        return ProviderTimedOut("fal.ai gave up on this: it took too long to start or to run.", advice=said)
    if kind == MODERATED or MODERATED in said:
        return _moderated(said)
    if kind == "bad_request":
        return ProviderRefused(f"fal.ai refused this: {said or 'it does not say why'}")
    return ProviderBroken("fal.ai failed at this on its own; try again.", advice=_advice(kind, said))


def explain(reply: Reply) -> ProviderError | None:
    """fal's own ways of saying no (section 4.6); None where the status speaks for itself."""
    said = reply.said()
    if reply.status in (401, 403) and NO_MONEY.search(said):
        return ProviderUnpaid(
            "The bot's account at fal.ai has no money left: its operator has to top it up.", advice=said
        )
    kinds = _kinds(reply)
    if MODERATED in kinds:
        return _moderated(said)
    if reply.status == 422 and "file_download_error" in kinds:
        return ProviderRefused(
            "fal.ai could not read what I handed over; try again.",
            advice=f"{said}: fal must be able to read links into the object storage from the internet",
        )
    return None


def explain_result(reply: Reply) -> ProviderError | None:
    """Also what a task's own failure looks like where its result should be: an error of the model, passed on.

    A 5xx that tells its type is the model's; one that does not is fal's gateway, which passes.
    """
    if reply.status == 400 and "in progress" in reply.said().lower():
        return ProviderBusy("fal.ai is still at it.", advice=reply.said())
    kind = _kind_of_failure(reply)
    if reply.status >= 500 and (kind or (reply.status == 500 and reply.said())):
        return ProviderBroken("fal.ai failed at this on its own; try again.", advice=_advice(kind, reply.said()))
    return explain(reply)


def all_withheld() -> ProviderModerated:
    return ProviderModerated(
        "fal.ai's safety checker held back every picture of this: change the prompt and try again."
    )


def _kind_of_failure(reply: Reply) -> str:
    body = _json_or_none(reply)
    kind = reply.headers.get("x-fal-error-type") or (body.get("error_type") if isinstance(body, dict) else None)
    return kind if isinstance(kind, str) else ""


def _kinds(reply: Reply) -> set[str]:
    """The `type` of each problem in `detail`; nothing else of it is read here, for `input` echoes what was sent."""
    body = _json_or_none(reply)
    detail = body.get("detail") if isinstance(body, dict) else None
    kinds = [one.get("type") for one in detail[:20] if isinstance(one, dict)] if isinstance(detail, list) else []
    return {kind for kind in [*kinds, _kind_of_failure(reply)] if isinstance(kind, str)}


def _json_or_none(reply: Reply) -> Any:
    try:
        return reply.json()
    except ProviderBroken:
        return None


def _moderated(said: str) -> ProviderModerated:
    return ProviderModerated(
        "fal.ai refused this for its content: change the prompt or the pictures and try again.", advice=said
    )


def _advice(kind: Any, said: str) -> str:
    return scrubbed(": ".join(filter(None, (kind if isinstance(kind, str) else "", said))), longest=LONGEST_TEXT)
