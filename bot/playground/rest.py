"""The REST half of the playground: finds the route, checks the token, answers as Discord answers, and remembers it.

A route that is not listed answers 501 and names itself.
"""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.playground import refusals, rest_commands, rest_identity, rest_interactions, rest_messages, rest_threads
from bot.playground.faults import Fault, Faults
from bot.playground.rate_limits import RateLimits, Verdict
from bot.playground.rest_call import Call, Reply, Route, read_body
from bot.playground.shapes import Json
from bot.playground.world import World

PREFIX = "/api/v10"
ROUTES: tuple[Route, ...] = (
    *rest_identity.ROUTES,
    *rest_commands.ROUTES,
    *rest_messages.ROUTES,
    *rest_threads.ROUTES,
    *rest_interactions.ROUTES,
)
REMEMBERED = 20_000


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request and its answer. `request` is the JSON, or payload_json of a form; None when there was no body."""

    method: str
    path: str
    query: Mapping[str, str]
    request: Any
    status: int
    response: Any
    filenames: tuple[str, ...] = ()


class Rest:
    """Serves every path under /api/v10. `rate_limits` None means no limits."""

    def __init__(self, world: World, *, rate_limits: RateLimits | None) -> None:
        self._world = world
        self._rate_limits = rate_limits
        self.faults = Faults()
        self.latency_seconds = 0.0
        self.exchanges: deque[Exchange] = deque(maxlen=REMEMBERED)
        self.unknown_routes: list[str] = []

    async def serve(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix(PREFIX)
        if self.latency_seconds:
            await asyncio.sleep(self.latency_seconds)
        fault = self.faults.take(request.method, path)
        if fault is not None and fault.status is not None:
            await request.read()
            return self._ordered_failure(request, fault, fault.status)
        body: Any = None
        names: tuple[str, ...] = ()
        headers: dict[str, str] = {}
        try:
            route, values = self._find(request.method, path)
            self._check_token(route, request)
            body, files = await read_body(request)
            names = tuple(file.filename for file in files.values())
            verdict = self._spend(route, values)
            headers |= verdict.headers if verdict else {}
            if verdict is not None and not verdict.is_allowed:
                reply = _too_many(verdict, headers)
            else:
                call = Call(world=self._world, values=values, query=dict(request.query), body=body, files=files)
                reply = route.answer(call)
        except refusals.Refusal as refusal:
            reply = Reply(status=refusal.status, body=refusal.body())
        self._remember(request, body, reply, names)
        if fault is not None and request.transport is not None:
            request.transport.abort()
        return _response(reply, headers)

    def _find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        for route in ROUTES:
            values = route.match(method, path)
            if values is not None:
                return route, values
        self.unknown_routes.append(f"{method} {path}")
        raise refusals.not_implemented(f"{method} {path}")

    def _check_token(self, route: Route, request: web.Request) -> None:
        if route.needs_token and request.headers.get("Authorization") != f"Bot {self._world.token}":
            raise refusals.unauthorized()

    def _spend(self, route: Route, values: Mapping[str, str]) -> Verdict | None:
        if not route.is_limited or self._rate_limits is None:
            return None
        return self._rate_limits.spend(f"{route.method} {route.path}", values["channel_id"])

    def _ordered_failure(self, request: web.Request, fault: Fault, status: int) -> web.Response:
        reply = Reply(status=status, body=fault.reply())
        self._remember(request, None, reply, ())
        headers: dict[str, str] = {}
        if status == 429:
            headers = {"Retry-After": str(reply.body.get("retry_after", 1)), "X-RateLimit-Scope": "user"}
        return _response(reply, headers)

    def _remember(self, request: web.Request, body: Any, reply: Reply, filenames: tuple[str, ...]) -> None:
        exchange = Exchange(
            method=request.method,
            path=request.path.removeprefix(PREFIX),
            query=dict(request.query),
            request=body,
            status=reply.status,
            response=reply.body,
            filenames=filenames,
        )
        self.exchanges.append(exchange)


def _too_many(verdict: Verdict, headers: dict[str, str]) -> Reply:
    headers |= {"Retry-After": f"{verdict.retry_after_seconds:.3f}", "X-RateLimit-Scope": "user"}
    body: Json = {
        "message": "You are being rate limited.",
        "retry_after": round(verdict.retry_after_seconds, 3),
        "global": False,
        "code": 0,
    }
    return Reply(status=429, body=body)


def _response(reply: Reply, headers: Mapping[str, str]) -> web.Response:
    # Libraries take an answer without Via for a ban, and compare the content type literally.
    complete = {"Via": "1.1 google", **headers}
    if reply.status == 204:
        return web.Response(status=204, headers=complete)
    raw = json.dumps(reply.body).encode()
    return web.Response(status=reply.status, body=raw, headers=complete, content_type="application/json")
