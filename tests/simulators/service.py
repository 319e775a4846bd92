"""A strict loopback service: what every provider simulator is made of.

It records each request, refuses unknown routes and missing keys, holds every request and every answer of its own
against its OpenAPI file when `SPECS_DIR` is set, and can be told to fail in the ways real services fail.
"""

import asyncio
import contextlib
import json
import os
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from tests.simulators.openapi import ProviderContract

Json = dict[str, Any]
Handler = Callable[["Received"], Awaitable[web.StreamResponse]]
HTML = "<html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>"


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request as it came in. `json` is None when the body is no JSON; `parts` are those of a multipart body."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    json: Any
    parts: Mapping[str, Any]
    match: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens instead of, or beside, the answer. `after_effect`: the request takes effect, then the fault.

    `delay_seconds` pass before the effect, `hold_seconds` after it.
    """

    status: int | None = None
    body: Any = None  # a str is sent as HTML or text, anything else as JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    hold_seconds: float = 0.0
    is_reset: bool = False
    is_truncated: bool = False  # announces more bytes than it sends
    is_slow: bool = False  # the body comes in drops
    after_effect: bool = False


def answers(status: int, body: Any = None, **headers: str) -> Fault:
    return Fault(status=status, body=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


RESET = Fault(is_reset=True)
RESET_AFTER_EFFECT = Fault(is_reset=True, after_effect=True)
TRUNCATED = Fault(is_truncated=True)
SLOW_BODY = Fault(is_slow=True)
BAD_GATEWAY = answers(502, HTML)
BAD_GATEWAY_AFTER_EFFECT = Fault(status=502, body=HTML, after_effect=True)
UNAVAILABLE = answers(503, {"detail": "Service unavailable"}, Retry_After="0")
TOO_MANY = answers(429, {"detail": "Request was throttled."})
TOO_MANY_WITH_RETRY_AFTER = answers(429, {"detail": "Request was throttled."}, Retry_After="0")


class Moment(StrEnum):
    """Of one request; between the last two lies the window in which something is done and nobody knows it yet."""

    ARRIVED = "arrived"
    TOOK_EFFECT = "took effect"
    ANSWERED = "answered"


class Service:
    """Subclasses add routes with `self.route` in their constructor and say in `is_authorised` who may come in."""

    spec_file: str | None = None  # below SPECS_DIR
    spec_prefix = ""  # what the real base address has before the spec's paths, e.g. "/v1"

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.unknown_routes: list[str] = []
        self.broken_promises: list[str] = []  # requests that do not fit the OpenAPI file
        self.held: list[str] = []  # method and path of every request that was held against it
        self.wrong_answers: list[str] = []  # answers that do not fit it; a test may have ordered one on purpose
        self.held_answers = 0
        self.trouble: Callable[[str], Fault | None] = lambda _route: None  # asked where no fault is ordered
        self.witness: Callable[[Moment, str], None] = lambda _moment, _route: None  # told of each request's moments
        self._routes: list[tuple[str, str, Handler, bool]] = []
        self._faults: dict[str, list[Fault]] = defaultdict(list)
        self._runner: web.AppRunner | None = None
        self._contract = contract_of(self.spec_file) if self.spec_file else None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # What subclasses say.

    def route(self, method: str, path: str, handler: Handler, *, is_public: bool = False) -> None:
        """`path` as aiohttp writes it, e.g. `/v1/trainings/{id}`; `{rest:.+}` takes slashes."""
        self._routes.append((method, path, handler, is_public))

    def is_authorised(self, received: Received) -> bool:
        raise NotImplementedError

    def refusal(self, status: int, sentence: str) -> web.Response:
        """An error in this service's own shape."""
        return web.json_response({"detail": sentence}, status=status)

    # What tests say.

    def order(self, route: str, *faults: Fault) -> None:
        """The next requests to this route (`"POST /v1/flux-dev"`, path as registered) meet these faults in turn."""
        known = {f"{method} {path}" for method, path, _, _ in self._routes}
        assert route in known, f"{route} is none of {sorted(known)}"
        self._faults[route] += faults

    def count(self, method: str, path_part: str) -> int:
        return sum(one.method == method and path_part in one.path for one in self.requests)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=512 * 2**20)
        for method, path, handler, is_public in self._routes:
            app.router.add_route(method, path, self._guarded(f"{method} {path}", handler, is_public))
        app.router.add_route("*", "/{rest:.*}", self._unknown)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        assert not self.unknown_routes, f"unknown routes were asked for: {self.unknown_routes}"
        assert not self.broken_promises, f"requests do not fit {self.spec_file}: {self.broken_promises}"

    # How a request is met.

    async def _unknown(self, request: web.Request) -> web.Response:
        self.unknown_routes.append(f"{request.method} {request.path}")
        return web.json_response({"detail": f"{request.method} {request.path} is not simulated"}, status=501)

    def _guarded(self, route: str, handler: Handler, is_public: bool) -> Callable[..., Awaitable[web.StreamResponse]]:
        async def meet(request: web.Request) -> web.StreamResponse:
            received = await _received(request)
            self.requests.append(received)
            self._hold_against_contract(received)
            self.witness(Moment.ARRIVED, route)
            fault = self._faults[route].pop(0) if self._faults[route] else self.trouble(route) or Fault()
            if fault.delay_seconds:
                await asyncio.sleep(fault.delay_seconds)
            if not is_public and not self.is_authorised(received):
                return self.refusal(401, "You did not pass a valid authentication token")
            if fault.after_effect or (fault.status is None and not fault.is_reset):
                answer = await handler(received)
                self._hold_answer(received, answer)
                self.witness(Moment.TOOK_EFFECT, route)
                await asyncio.sleep(fault.hold_seconds)
            else:
                answer = web.Response(status=500)
            given = await self._as_ordered(request, answer, fault)
            self.witness(Moment.ANSWERED, route)
            return given

        return meet

    def path_in_contract(self, received: Received) -> str | None:
        """None for what its OpenAPI file says nothing about, such as files."""
        return received.path.removeprefix(self.spec_prefix)

    def _hold_against_contract(self, received: Received) -> None:
        path = self.path_in_contract(received)
        if self._contract is not None and path is not None:
            self.held.append(f"{received.method} {path}")
            self.broken_promises += self._contract.problems(received.method, path, received.query, received.json)

    def _hold_answer(self, received: Received, answer: web.StreamResponse) -> None:
        path = self.path_in_contract(received)
        if self._contract is None or path is None or not answer.content_type.endswith("json"):
            return
        assert isinstance(answer, web.Response)
        body = json.loads(answer.body) if isinstance(answer.body, bytes) else None
        self.held_answers += 1
        self.wrong_answers += self._contract.answer_problems(received.method, path, answer.status, body)

    async def _as_ordered(self, request: web.Request, answer: web.StreamResponse, fault: Fault) -> web.StreamResponse:
        if fault.is_reset:
            _cut(request)
            return web.Response()
        if fault.status is not None:
            return _answer(fault)
        if fault.is_truncated or fault.is_slow:
            assert isinstance(answer, web.Response)
            return await _in_pieces(request, answer, fault)
        return answer


def contract_of(spec_file: str) -> ProviderContract | None:
    folder = os.environ.get("SPECS_DIR")
    path = Path(folder) / spec_file if folder else None
    return ProviderContract(path) if path is not None and path.is_file() else None


async def _received(request: web.Request) -> Received:
    parts: dict[str, Any] = {}
    body = b""
    if request.content_type == "multipart/form-data":
        reader = await request.multipart()
        async for part in reader:
            name = getattr(part, "name", None)
            assert name is not None
            parts[name] = {
                "filename": getattr(part, "filename", None),
                "type": part.headers.get("Content-Type"),
                "body": bytes(await part.read(decode=True)),  # type: ignore[union-attr]
            }
    else:
        body = await request.read()
    parsed: Any = None
    if request.content_type == "application/json":
        with contextlib.suppress(ValueError):
            parsed = json.loads(body)
    return Received(
        method=request.method,
        path=request.path,
        query=dict(request.query),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        json=parsed,
        parts=parts,
        match=dict(request.match_info),
    )


def _answer(fault: Fault) -> web.Response:
    if isinstance(fault.body, str):
        kind = "text/html" if fault.body.startswith("<") else "text/plain"
        return web.Response(status=fault.status or 500, text=fault.body, content_type=kind, headers=fault.headers)
    return web.json_response(fault.body, status=fault.status or 500, headers=fault.headers)


def _cut(request: web.Request) -> None:
    """Close the connection without an answer, as a crashed proxy does."""
    if request.transport is not None:
        request.transport.abort()


async def _in_pieces(request: web.Request, answer: web.Response, fault: Fault) -> web.StreamResponse:
    body = answer.body if isinstance(answer.body, bytes) else b""
    stream = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.headers["Content-Type"]})
    stream.content_length = len(body)
    await stream.prepare(request)
    if fault.is_truncated:
        await stream.write(body[: len(body) // 2])
        _cut(request)
        return stream
    step = max(1, len(body) // 10)
    for start in range(0, len(body), step):
        await stream.write(body[start : start + step])
        await asyncio.sleep(0.03)
    await stream.write_eof()
    return stream
