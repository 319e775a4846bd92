"""One REST request and its answer, as routes see them; and how a request body becomes JSON and files."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from bot.playground import limits, refusals
from bot.playground.shapes import Json
from bot.playground.values import Upload
from bot.playground.world import World

FILE_FIELD = re.compile(r"files\[(\d+)\]")


@dataclass(frozen=True, kw_only=True)
class Call:
    world: World
    values: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    files: Mapping[int, Upload] = field(default_factory=dict)

    @property
    def object(self) -> Json:
        """The body of a route that takes an object."""
        if not isinstance(self.body, dict):
            raise refusals.not_json()
        return self.body


@dataclass(frozen=True, kw_only=True)
class Reply:
    status: int = 200
    body: Any = None


@dataclass(frozen=True, kw_only=True)
class Route:
    """`path` names its values in braces. A limited route shares Discord's budget per channel."""

    method: str
    path: str
    answer: Callable[[Call], Reply]
    needs_token: bool = True
    is_limited: bool = False

    def match(self, method: str, path: str) -> dict[str, str] | None:
        if method != self.method:
            return None
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path)
        found = re.fullmatch(pattern, path)
        return found.groupdict() if found else None


async def read_body(request: web.Request) -> tuple[Any, dict[int, Upload]]:
    """The JSON of a request and its files; too much of either is refused."""
    if (request.content_length or 0) > limits.REQUEST_BYTES:
        raise refusals.request_too_large()
    if request.content_type == "multipart/form-data":
        return await _read_multipart(request)
    raw = await request.content.read(limits.REQUEST_BYTES + 1)
    while not request.content.at_eof() and len(raw) <= limits.REQUEST_BYTES:
        raw += await request.content.read(limits.REQUEST_BYTES + 1)
    if len(raw) > limits.REQUEST_BYTES:
        raise refusals.request_too_large()
    return _parse(raw), {}


def _parse(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        raise refusals.not_json() from None


async def _read_multipart(request: web.Request) -> tuple[Any, dict[int, Upload]]:
    payload: Any = {}
    files: dict[int, Upload] = {}
    remaining = limits.REQUEST_BYTES
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        raw = bytes(await part.read())
        remaining -= len(raw)
        if remaining < 0:
            raise refusals.request_too_large()
        if part.name == "payload_json":
            payload = _parse(raw)
        elif found := FILE_FIELD.fullmatch(part.name or ""):
            files[int(found[1])] = Upload(filename=part.filename or "unknown", data=raw)
    return payload, files
