"""Which tasks on Replicate are a request of ours whose answer got lost: its lists, read page by page and compared.

Neither a training nor a prediction says who asked for it (a training's destination is not echoed until it ends), so
what proves most is: the same version, begun in time, and everything in its input as we send it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.addresses import AddressRefused, origin_of
from bot.errors import OutcomeUnknown, ProviderBroken
from bot.providers.replicate.replies import Record, page, version_of
from bot.providers.replicate.requests import is_same_input, lies_elsewhere, names_job, without_images
from bot.providers.wire import Wire

MOST_PAGES = 5  # of 100 tasks each
SLACK_SECONDS = 900.0  # Replicate's clock and ours need not agree, and finding nothing must be proof


@dataclass(frozen=True, kw_only=True)
class Sought:
    """`kind` is the list ("trainings" or "predictions"). Of `version` and `model` the one that is "" is not compared:
    an official model hides its version. `destination` is a training's "owner/name". Where the input does not say where
    the dataset lay, its name says whose it is: that of `job_id`."""

    kind: str
    input: Mapping[str, Any]
    version: str = ""
    model: str = ""
    destination: str = ""
    job_id: str = ""


async def find_tasks(wire: Wire, sought: Sought, *, api_url: str, since: float) -> Sequence[Record]:
    """Newest first. Finding nothing proves that there is nothing; raises `OutcomeUnknown` when nobody can tell."""
    path, params = sought.kind, _after(since) if sought.kind == "predictions" else None
    found: list[Record] = []
    is_certain = True
    for _page in range(MOST_PAGES):
        tasks, further = page((await wire.read(path, params=params)).json())
        in_time = [task for task in tasks if task.created_at is None or task.created_at >= since - SLACK_SECONDS]
        verdicts = [(task, is_sought(task, sought)) for task in in_time]
        found += [task for task, verdict in verdicts if verdict]
        is_certain = is_certain and all(verdict is not None for _, verdict in verdicts)
        if not further or len(in_time) < len(tasks):
            break
        path, params = _same_list(further, f"{api_url}/{sought.kind}"), None
    else:
        is_certain = False
    if not found and not is_certain:
        raise OutcomeUnknown(
            "Nobody can tell any more whether Replicate accepted this, so it was not sent again.",
            advice="look for it at replicate.com, among trainings and predictions",
        )
    return found


def is_sought(task: Record, sought: Sought) -> bool | None:
    """None when it cannot be told: an hour after a prediction Replicate removes what it was asked. Pure."""
    if _differ(sought.version, task.version) or _differ(sought.model, task.model):
        return False
    if sought.destination and (trained := version_of(task)):
        return trained.startswith(f"{sought.destination}:")
    if task.is_removed or not task.input:
        return None
    if is_same_input(sought.input, task.input):
        is_dataset_known = sought.kind == "predictions" or "input_images" in sought.input
        return is_dataset_known or names_job(task.input.get("input_images"), sought.job_id) or None
    return None if _is_rewritten(sought.input, task.input) else False


def _differ(ours: str, listed: str) -> bool:
    return bool(ours and listed and ours != listed)


def _is_rewritten(ours: Mapping[str, Any], listed: Mapping[str, Any]) -> bool:
    """All else is equal."""
    return is_same_input(without_images(ours), listed) and lies_elsewhere(ours, listed)


def _after(since: float) -> Mapping[str, str]:
    moment = datetime.fromtimestamp(since - SLACK_SECONDS, tz=UTC)
    return {"created_after": moment.isoformat(timespec="seconds").replace("+00:00", "Z")}


def _same_list(address: str, home: str) -> str:
    """The next page, when it is one of the same list: the key goes along. Raises `ProviderBroken`."""
    try:
        is_same = origin_of(address) == origin_of(home) and address.partition("?")[0] == home
    except AddressRefused:
        is_same = False
    if not is_same:
        raise ProviderBroken("Replicate named a next page that is somewhere else.", advice="a list's `next` is odd")
    return address
