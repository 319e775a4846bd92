"""What Replicate answers, read: refusals, tasks, progress, results. Pure; a wrong type is `ProviderBroken`.

Facts: replicate.com/docs/reference/http and its OpenAPI file; lines of logs from github.com/replicate/flux-fine-tuner.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bot.errors import (
    ProviderBroken,
    ProviderBusy,
    ProviderError,
    ProviderGone,
    ProviderModerated,
    ProviderRefused,
)
from bot.providers.replies import LONGEST_RETRY_AFTER_SECONDS, Reply, retry_after_seconds
from bot.providers.scrubbing import LONGEST_TEXT, scrubbed
from bot.providers.tasks import Finished, Stopped, TaskState, Working

LOG_TAIL = 20_000  # characters of the logs that are looked at, from their end
LONGEST_LINE = 1000
LONGEST_ID = 200
MOST_OUTPUTS = 16
LONGEST_CAPTION = 4000  # as of one that a person writes
RESETS = re.compile(r"resets in ~?\s*(\d{1,6})(?:\.\d+)?\s*(s|m|h)\b")
UNIT_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
TQDM = re.compile(r"(\d{1,3})%\|[^|]*\|\s*(\d{1,7})/(\d{1,7})(?:\s*\[[\d:]+<((?:\d{1,3}:)?\d{1,2}:\d{2}))?")
DOWNLOAD_FAILED = re.compile(r"(?i)\b(download|fetch|not a zip|40[34] client error)")
PURGED = "Replicate keeps results for an hour only, and this one is gone: please make it again."


@dataclass(frozen=True, kw_only=True)
class Record:
    """A training or a prediction as Replicate describes it; both are the same kind of object."""

    id: str
    status: str
    model: str
    version: str
    created_at: float | None
    input: Mapping[str, Any]
    output: Any
    error: str
    logs: str
    is_removed: bool
    links: Mapping[str, str]


def explain(reply: Reply) -> ProviderError | None:
    """Replicate's own ways of saying no, where the status alone does not say enough."""
    said = reply.said()
    if reply.status == 429:
        return ProviderBusy(
            "Replicate is busy; trying again.", retry_after_seconds=_retry_after_seconds(reply, said), advice=said
        )
    if reply.status == 404 and "destination" in said:
        return ProviderGone(
            "Replicate does not find the model that this training should go to: please start it again.",
            advice="the destination must belong to the key's account: look at REPLICATE_OWNER",
        )
    if reply.status == 413:
        return ProviderRefused("The dataset is larger than the 100 MB that Replicate takes: use fewer pictures.")
    if reply.status == 422:
        why = said or _invalid_fields(reply) or "its input is wrong"
        return ProviderRefused(f"Replicate refused this: {why.rstrip('.')}.")
    return None


def record(body: Any) -> Record:
    """One training or prediction. Raises `ProviderBroken` without an id or a status."""
    fields = mapping(body)
    links = fields.get("urls")
    return Record(
        id=text(fields, "id", longest=LONGEST_ID),
        status=text(fields, "status"),
        model=_maybe(fields, "model"),
        version=_maybe(fields, "version"),
        created_at=moment(fields.get("created_at")),
        input=value if isinstance(value := fields.get("input"), dict) else {},
        output=fields.get("output"),
        error=_maybe(fields, "error"),
        logs=_maybe(fields, "logs")[-LOG_TAIL:],
        is_removed=fields.get("data_removed") is True,
        links={name: link for name, link in links.items() if isinstance(link, str)} if isinstance(links, dict) else {},
    )


def state_of(task: Record) -> TaskState:
    """A status that is not known is work going on: new ones appear before the documents name them."""
    match task.status:
        case "succeeded":
            return Stopped(error=ProviderGone(PURGED)) if task.is_removed else Finished()
        case "failed":
            return Stopped(error=_failure(task))
        case "canceled":
            return Stopped(error=ProviderRefused("This was cancelled at Replicate."))
        case "aborted":
            return Stopped(error=ProviderBroken("Replicate gave this up before it began: please try again."))
        case "starting":
            return Working(progress=None, note="Waiting for a machine")
    return _progress(task.logs)


def training_state_of(task: Record) -> TaskState:
    """What was trained stays there, whatever Replicate removes of the training itself."""
    return state_of(replace(task, is_removed=False))


def version_of(task: Record) -> str:
    """The trained version, "owner/name:hash"; "" when there is none."""
    return _of_output(task, "version")


def weights_of(task: Record) -> str:
    """The address of the trained weights; "" when there is none."""
    link = _of_output(task, "weights")
    return _address(link) if link else ""


def pictures_of(task: Record) -> Sequence[str]:
    """The addresses of the pictures. Raises `ProviderGone` when they were removed, or the task has no such result."""
    if task.status != "succeeded":
        raise ProviderRefused("This has no pictures: it has not ended well.")
    if task.is_removed or task.output is None:
        raise ProviderGone(PURGED)
    found = [task.output] if isinstance(task.output, str) else task.output
    if not isinstance(found, list) or len(found) > MOST_OUTPUTS:
        raise ProviderBroken("Replicate's result is not a list of pictures.")
    return [_address(one) for one in found]


def withheld(task: Record, fetched: int) -> int:
    """How many are missing of those asked for: a picture that the safety checker dislikes is left out of the output."""
    asked = task.input.get("num_outputs", 1)
    return max(0, min(asked, MOST_OUTPUTS) - fetched) if isinstance(asked, int) else 0


def caption_of(task: Record) -> str:
    """One line. BLIP begins it with "Caption: ". Raises `ProviderBroken` when it says nothing."""
    parts = task.output if isinstance(task.output, list) else [task.output]
    said = "".join(part for part in parts if isinstance(part, str))
    line = scrubbed(said, longest=LONGEST_CAPTION).removeprefix("Caption:").strip()
    if not line:
        raise ProviderBroken("Replicate's captioning model said nothing about the picture.")
    return line


def page(body: Any) -> tuple[Sequence[Record], str]:
    """The tasks of one page, newest first, and the address of the next page or ""."""
    fields = mapping(body)
    results = fields.get("results")
    if not isinstance(results, list):
        raise _nonsense("results")
    return [record(one) for one in results], _maybe(fields, "next")


def mapping(body: Any) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise _nonsense("an object")
    return body


def text(fields: Mapping[str, Any], name: str, *, longest: int = 8192) -> str:
    """A string that is there and says something. Raises `ProviderBroken`."""
    value = fields.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise _nonsense(name)
    return value


def moment(value: Any) -> float | None:
    """Epoch seconds; None for what is no time. Replicate writes up to nine digits after the second."""
    try:
        read = datetime.fromisoformat(value)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def _nonsense(what: str) -> ProviderBroken:
    return ProviderBroken("Replicate's answer makes no sense to me; trying again.", advice=f"{what} is missing or odd")


def _maybe(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _address(value: Any) -> str:
    """Which hosts are visited is the wire's business; that it is an address at all is checked here."""
    if not isinstance(value, str) or not value.startswith(("https://", "http://")):
        raise ProviderBroken("Replicate's result is not where it should be: it names no address.")
    return value


def _of_output(task: Record, name: str) -> str:
    return _maybe(task.output, name) if isinstance(task.output, dict) else ""


def _failure(task: Record) -> ProviderError:
    if "nsfw" in task.error.lower():
        return ProviderModerated("Replicate's safety checker did not like it: please try other words or pictures.")
    said = scrubbed(task.error, longest=LONGEST_TEXT)
    if "input_images" in task.input and DOWNLOAD_FAILED.search(said):
        return ProviderBroken(
            "Replicate could not read the dataset, probably because its link had expired: please start again.",
            advice=said,
        )
    return ProviderBroken(f"It failed at Replicate: {(said or 'nobody says why').rstrip('.')}.", advice="see its page")


def _progress(logs: str) -> Working:
    """From the last line that says something: tqdm's bar, or that pictures are being described before."""
    for line in reversed(re.split(r"[\r\n]+", logs)):
        if bars := list(TQDM.finditer(line[:LONGEST_LINE])):
            return _of_bar(bars[-1])
        if line.startswith("Caption for"):
            return Working(progress=None, note="Describing the pictures")
    return Working(progress=None)


def _of_bar(bar: re.Match[str]) -> Working:
    done, total = int(bar[2]), int(bar[3])
    left: float | None = None
    for part in bar[4].split(":") if bar[4] else ():
        left = (left or 0.0) * 60 + int(part)
    return Working(progress=min(1.0, done / total) if total else None, seconds_left=left)


def _retry_after_seconds(reply: Reply, said: str) -> float:
    match = RESETS.search(said)
    if match is None or "retry-after" in reply.headers:
        return retry_after_seconds(reply)
    return min(float(match[1]) * UNIT_SECONDS[match[2]], LONGEST_RETRY_AFTER_SECONDS)


def _invalid_fields(reply: Reply) -> str:
    """`invalid_fields` was seen in a client only: its entries are read as far as they are what one would expect."""
    try:
        fields = mapping(reply.json()).get("invalid_fields")
    except ProviderBroken:
        return ""
    named = [one for one in fields[:5] if isinstance(one, dict)] if isinstance(fields, list) else []
    return scrubbed(
        "; ".join(f"{_maybe(one, 'field')} {_maybe(one, 'description')}" for one in named), longest=LONGEST_TEXT
    )
