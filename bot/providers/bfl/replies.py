"""What Black Forest Labs answers: untrusted, so each value is looked at before it is used. Pure.

Shapes: bfl.openapi.json (`AsyncResponse`, `AsyncWebhookResponse`, `ResultResponse`, `CreditsResponse`); errors:
docs.bfl.ai/api_integration/errors.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import (
    OutcomeUnknown,
    ProviderBroken,
    ProviderDenied,
    ProviderError,
    ProviderModerated,
)
from bot.providers.bfl.endpoints import TITLE
from bot.providers.replies import Reply, meaning_of
from bot.providers.scrubbing import scrubbed
from bot.providers.tasks import Balance, Finished, Stopped, Task, TaskState, Working

STATUS_BODIES = (404, 422)  # a failed task may be delivered with these, and the same body as with 200
BAD_KEY = ("not authenticated", "invalid api key")  # whatever the status: the second one's is not documented
NOT_FOUND = "task not found"
MODERATED = ("request moderated", "content moderated")
FAILED = ("error", "failed")
READY = "ready"
MOST_REASONS = 5
LONGEST_ID = 256
LONGEST_LINK = 8192
MOST_CREDITS = 1e12


@dataclass(frozen=True, kw_only=True)
class Poll:
    """One answer to a poll. `status` is in small letters."""

    status: str
    result: Any = None
    progress: Any = None
    details: Any = None

    @property
    def is_not_found(self) -> bool:
        return self.status == NOT_FOUND


def explain(reply: Reply) -> ProviderError | None:
    """Black Forest Labs' own ways of saying no; None where the status speaks for itself."""
    if not 400 <= reply.status < 500:
        return None
    if any(words in reply.said().lower() for words in BAD_KEY):
        return ProviderDenied(
            f"{TITLE} did not accept the bot's key: its operator has to look at it.", advice=reply.said()
        )
    poll = _poll_in(reply)
    return _moderated(poll) if poll and poll.status in MODERATED else None


def task_of(reply: Reply, api_url: str) -> Task:
    """A generation that was accepted. With a webhook the reply may name no `polling_url`.

    Raises `OutcomeUnknown` for an answer that makes no sense: it was a 200, so it may well be paid for.
    """
    body = _accepted(reply)
    links = {"api_url": api_url}
    polling_url = body.get("polling_url")
    if isinstance(polling_url, str) and 0 < len(polling_url) <= LONGEST_LINK:
        links["polling_url"] = polling_url
    return Task(id=_accepted_id(body, "id"), links=links)


def training_of(reply: Reply, api_url: str) -> Task:
    """A training that was accepted; the reply has no schema, and clients read `finetune_id`, some `id`.

    Raises `OutcomeUnknown` as `task_of` does.
    """
    return training_task(_accepted_id(_accepted(reply), "finetune_id", "id"), api_url)


def training_task(finetune_id: str, api_url: str) -> Task:
    """The link to the list tells a training from a generation: it ends by being listed."""
    return Task(id=finetune_id, links={"api_url": api_url, "my_finetunes": f"{api_url}/v1/my_finetunes"})


def poll_of(reply: Reply) -> Poll:
    """Raises what the answer means when it carries no status."""
    poll = _poll_in(reply)
    if poll is not None:
        return poll
    if reply.status == 404:
        return Poll(status=NOT_FOUND)
    if reply.status >= 400:
        raise explain(reply) or meaning_of(reply, TITLE)
    raise ProviderBroken(f"{TITLE} answered without a status; trying again.")


def state_of(poll: Poll) -> TaskState:
    """Any word that is not known to be an end is work in progress. `Task not found` is for the caller to judge."""
    if poll.status == READY:
        return Finished()
    if poll.status in MODERATED:
        return Stopped(error=_moderated(poll))
    if poll.status in FAILED:
        return Stopped(error=_failed(poll))
    return Working(progress=_progress(poll.progress))


def picture_link(poll: Poll) -> str:
    """The signed link in `result.sample`, valid for ten minutes. Raises `ProviderBroken`."""
    link = poll.result.get("sample") if isinstance(poll.result, dict) else None
    if not isinstance(link, str) or not link.startswith(("https://", "http://")) or len(link) > LONGEST_LINK:
        raise ProviderBroken(f"{TITLE} finished without naming a picture; trying again.")
    return link


def balance_of(reply: Reply) -> Balance:
    """One credit is one US cent: docs.bfl.ml/quick_start/pricing. Raises `ProviderBroken`."""
    body = reply.json()
    left = body.get("credits") if isinstance(body, dict) else None
    if isinstance(left, bool) or not isinstance(left, int | float) or not -MOST_CREDITS < left < MOST_CREDITS:
        raise ProviderBroken(f"{TITLE} did not say how many credits are left; trying again.")
    return Balance(account=f"{left:g} credits", amount_usd=left / 100)


def _accepted(reply: Reply) -> Mapping[str, Any]:
    try:
        body = reply.json()
    except ProviderBroken:
        body = None
    if not isinstance(body, dict):
        raise _not_understood()
    return body


def _accepted_id(body: Mapping[str, Any], *names: str) -> str:
    for name in names:
        found = body.get(name)
        if isinstance(found, str) and 0 < len(found) <= LONGEST_ID and found.isprintable():
            return found
    raise _not_understood()


def _not_understood() -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{TITLE} took this, but its answer makes no sense to me, so it was not sent again.",
        advice="an answer without a task id: look at the usage page of the BFL dashboard",
    )


def _poll_in(reply: Reply) -> Poll | None:
    """The status body in an answer, if it is one."""
    try:
        body = json.loads(reply.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict) or not isinstance(body.get("status"), str):
        return None
    return Poll(
        status=body["status"].strip().lower(),
        result=body.get("result"),
        progress=body.get("progress"),
        details=body.get("details"),
    )


def _moderated(poll: Poll) -> ProviderModerated:
    because = _reasons(poll.details)
    if poll.status == "content moderated":
        return ProviderModerated(
            f"{TITLE} held the picture back for its content{because}. Another prompt or another seed may do."
        )
    return ProviderModerated(
        f"{TITLE} refused the request for its content{because}. Change the prompt or the pictures."
    )


def _reasons(details: Any) -> str:
    """`details["Moderation Reasons"]` is a list of strings, since 2026-06-15 (docs.bfl.ml/release-notes)."""
    found = details.get("Moderation Reasons") if isinstance(details, dict) else None
    listed = found[:MOST_REASONS] if isinstance(found, list) else []
    reasons = [scrubbed(one, longest=80) for one in listed if isinstance(one, str) and one.strip()]
    return f" ({', '.join(reasons)})" if reasons else ""


def _failed(poll: Poll) -> ProviderBroken:
    details = list(poll.details.values()) if isinstance(poll.details, dict) else []
    said = "; ".join(one[:2000] for one in details[:MOST_REASONS] if isinstance(one, str))
    return ProviderBroken(f"{TITLE} failed at this on its own: try it again.", advice=scrubbed(said, longest=300))


def _progress(progress: Any) -> float | None:
    """Often null; a bar is only shown for a number from 0 to 1."""
    if isinstance(progress, bool) or not isinstance(progress, int | float):
        return None
    return float(progress) if 0 <= progress <= 1 else None
