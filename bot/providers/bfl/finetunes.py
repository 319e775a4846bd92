"""What Black Forest Labs says about the models it keeps: the list, and one model's free-form details. Pure.

`MyFinetunesResponse` and `FinetuneDetailResponse` in bfl.openapi.json leave both open, so anything may be in them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.errors import ProviderBroken
from bot.providers.bfl.endpoints import TITLE
from bot.providers.bfl.requests import FINETUNE_ID, comment_of
from bot.providers.replies import Reply

MOST_FINETUNES = 500
NAMES_OF_ID = ("finetune_id", "id", "name")
NAMES_OF_TIME = ("timestamp", "created_at")
CLOCKS_DIFFER_SECONDS = 300.0
LATEST_SECONDS = 1e11  # above, it is something else: milliseconds, or nonsense


def finetune_ids(reply: Reply) -> tuple[str, ...]:
    """The models of the account, in the list's order: plain names, or objects that hold one."""
    body = reply.json()
    listed = body.get("finetunes") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        raise ProviderBroken(f"{TITLE} did not list its models; trying again.")
    found = (_id_in(one) for one in listed[:MOST_FINETUNES])
    return tuple(finetune_id for finetune_id in found if finetune_id)


def details_of(reply: Reply) -> Mapping[str, Any]:
    """Empty when the service knows nothing about the model."""
    body = reply.json()
    details = body.get("finetune_details") if isinstance(body, dict) else None
    if details is not None and not isinstance(details, dict):
        raise ProviderBroken(f"{TITLE} described a model in a way that I do not know; trying again.")
    return details or {}


def is_of_job(details: Mapping[str, Any], job_id: str, *, since: float) -> bool:
    """Whether our comment is on it, and it is no older than that moment where an age is said (epoch seconds)."""
    if not comment_in(details).startswith(comment_of(job_id)):
        return False
    made = made_at(details)
    return made is None or made >= since - CLOCKS_DIFFER_SECONDS


def comment_in(details: Mapping[str, Any]) -> str:
    comment = details.get("finetune_comment")
    return comment if isinstance(comment, str) else ""


def made_at(details: Mapping[str, Any]) -> float | None:
    """Epoch seconds, where an age is said."""
    return _seconds(next((details[name] for name in NAMES_OF_TIME if details.get(name)), None))


def _id_in(entry: Any) -> str:
    if isinstance(entry, dict):
        entry = next((entry[name] for name in NAMES_OF_ID if entry.get(name)), "")
    return entry if isinstance(entry, str) and FINETUNE_ID.fullmatch(entry) else ""


def _seconds(moment: Any) -> float | None:
    if isinstance(moment, int | float) and not isinstance(moment, bool):
        return float(moment) if 0 < moment < LATEST_SECONDS else None
    try:
        read = datetime.fromisoformat(moment)
    except (TypeError, ValueError):
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
