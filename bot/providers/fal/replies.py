"""What fal.ai answers: tasks, states and results, each checked before it is used. Pure.

Shapes: PROVIDERS.md section 4 and fal.openapi.json.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any, TypeGuard

from bot.errors import OutcomeUnknown, ProviderBroken
from bot.providers.fal.failures import failure_in
from bot.providers.pictures import LARGEST_PICTURE
from bot.providers.replies import Reply
from bot.providers.tasks import Finished, Stopped, Task, TaskState, Working

LINKS = ("status_url", "response_url", "cancel_url")
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")  # a UUID in all that fal documents; it becomes part of a file name
MOST_PICTURES = 16
LARGEST_INLINE_CHARACTERS = LARGEST_PICTURE // 3 * 4 + 4
MOST_LOGS = 50  # the latest; a training writes thousands of lines
LOG_CHARACTERS = 1000

# A progress bar of tqdm, "37%|███▋      | 370/1000 [02:10<03:41, 2.85it/s]". Bars of few steps count files to load.
BAR = re.compile(r"\d{1,3}%\|[^|\r\n]{0,200}\|\s*(\d{1,6})/(\d{1,6})(?:\s\[[^<\]]{1,12}<((?:\d{1,2}:){1,2}\d\d))?")
FEWEST_STEPS = 20

STOPPED_WORDS = ("OK", "CANCELLATION_REQUESTED")
NOT_STOPPED_WORDS = ("ALREADY_COMPLETED", "NOT_FOUND")


@dataclass(frozen=True, kw_only=True)
class Picture:
    """`url` is where it lies, or a data URI. A withheld one is black: fal's safety checker painted it over."""

    url: str
    is_withheld: bool


def task_of(reply: Reply) -> Task:
    """What was accepted. An answer without it leaves open what was: `OutcomeUnknown`."""
    try:
        body = _object(reply.json())
    except ProviderBroken:
        body = {}
    request_id, links = body.get("request_id"), links_in(body)
    if not (isinstance(request_id, str) and REQUEST_ID.fullmatch(request_id)):
        raise _unreadable("it names no request id")
    if len(links) < len(LINKS):
        raise _unreadable(f"the answer for request {request_id} lacks one of {', '.join(LINKS)}")
    return Task(id=request_id, links=links)


def links_in(body: Any) -> dict[str, str]:
    """The addresses that an answer names."""
    return {name: link for name in LINKS if _is_address(link := _object(body).get(name))}


def state_of(body: Any) -> TaskState:
    """A status. `Finished` only says that there is an answer: it may be a refusal. Raises `ProviderBroken`."""
    status = _object(body)
    match status.get("status"):
        case "COMPLETED":
            error = failure_in(status)
            return Stopped(error=error) if error else Finished()
        case "IN_QUEUE":
            return Working(progress=None, note=_place(status.get("queue_position")))
        case str():
            return _progress(status.get("logs"))
    raise _nonsense("its status is no text")


def _place(position: Any) -> str:
    """fal counts from nought."""
    if isinstance(position, bool) or not isinstance(position, int) or not 0 <= position < 10**6:
        return ""
    return f"Position {position + 1} in fal's queue."


def _progress(logs: Any) -> Working:
    """Best effort: the last progress bar in the logs, when there is one."""
    for entry in reversed(logs[-MOST_LOGS:] if isinstance(logs, list) else []):
        message = entry.get("message") if isinstance(entry, dict) else None
        bars = list(BAR.finditer(message[-LOG_CHARACTERS:])) if isinstance(message, str) else []
        if bars and (working := _of_bar(bars[-1])):
            return working
    return Working(progress=None)


def _of_bar(bar: re.Match[str]) -> Working | None:
    done, total = int(bar[1]), int(bar[2])
    if total < FEWEST_STEPS:
        return None
    return Working(progress=min(1.0, done / total), seconds_left=_seconds(bar[3]) if bar[3] else None)


def _seconds(clock: str) -> float:
    seconds = 0
    for part in clock.split(":"):
        seconds = seconds * 60 + int(part)
    return float(seconds)


def was_stopped(reply: Reply) -> bool:
    """The answer to a cancellation. The words are certain, their status numbers are not, so the words go first."""
    try:
        body = reply.json()
    except ProviderBroken:
        body = None
    word = body.get("status") if isinstance(body, dict) else None
    return word in STOPPED_WORDS or (word not in NOT_STOPPED_WORDS and reply.status < 300)


def weights_url(body: Any) -> str:
    """`diffusers_lora_file` of most trainers, `lora_file` of the newest. Raises `ProviderBroken`."""
    output = _object(body)
    file = output.get("diffusers_lora_file") or output.get("lora_file")
    url = file.get("url") if isinstance(file, dict) else None
    if not _is_address(url):
        raise _nonsense("a finished training names no weights")
    return url


def pictures_of(body: Any) -> tuple[Picture, ...]:
    """In order. Raises `ProviderBroken`."""
    output = _object(body)
    images, flags = output.get("images"), output.get("has_nsfw_concepts") or []
    if not isinstance(images, list) or not 1 <= len(images) <= MOST_PICTURES:
        raise _nonsense("a finished generation names no pictures, or far too many")
    if not isinstance(flags, list) or not all(isinstance(flag, bool) for flag in flags):
        raise _nonsense("has_nsfw_concepts is no list of true and false")
    return tuple(
        Picture(url=_address_of(image), is_withheld=index < len(flags) and flags[index])
        for index, image in enumerate(images)
    )


def _address_of(image: Any) -> str:
    url = image.get("url") if isinstance(image, dict) else None
    if not (_is_address(url) or is_inline(url)):
        raise _nonsense("a picture has no address")
    return url


def is_inline(url: Any) -> TypeGuard[str]:
    return isinstance(url, str) and url.startswith("data:")


def inline_bytes(data_uri: str) -> bytes:
    """The picture inside a data URI, which fal answers where it is told `sync_mode`. Raises `ProviderBroken`."""
    head, _, encoded = data_uri.partition(",")
    if not (head.startswith("data:image/") and head.endswith(";base64")):
        raise _nonsense("a data URI holds no picture")
    if len(encoded) > LARGEST_INLINE_CHARACTERS:
        raise _nonsense("a data URI holds far too much")
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise _nonsense("a data URI is no base64") from None


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise _nonsense("an answer is no JSON object")
    return body


def _is_address(value: Any) -> TypeGuard[str]:
    """Whether it may be visited is for `AllowedHosts` to say; anything else would be read as a path of the queue."""
    return isinstance(value, str) and value.startswith(("https://", "http://"))


def _nonsense(why: str) -> ProviderBroken:
    return ProviderBroken("fal.ai's answer makes no sense to me; trying again.", advice=why)


def _unreadable(why: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        "fal.ai did not say whether it accepted this, so it was not sent again.", advice=f"HTTP 200, but {why}"
    )
