"""A playground whose REST and files meet trouble, and which tells of each request's moments."""

import asyncio
import json
import re
from collections.abc import Callable

from aiohttp import web

from bot.playground import rest
from bot.playground.server import Playground
from tests.faults.trouble import Trouble
from tests.simulators.service import Fault, Moment, _cut

Witness = Callable[[Moment, str], None]
Serve = Callable[[web.Request], "asyncio.Future[web.StreamResponse]"]


class RoughPlayground(Playground):
    def __init__(self, trouble: Trouble, witness: Witness) -> None:
        super().__init__(message_limit=None)
        self._trouble = trouble
        self._witness = witness

    def _routes(self) -> list[web.AbstractRouteDef]:
        """The first is REST."""
        return [web.route("*", rest.PREFIX + "/{path:.*}", self._rough_rest), *super()._routes()[1:]]

    async def _rough_rest(self, request: web.Request) -> web.StreamResponse:
        return await self._met(request, self._rest.serve)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return await self._met(request, super()._file)

    async def _met(self, request: web.Request, serve: Serve) -> web.StreamResponse:
        what = f"discord {request.method} {shape(request.path.removeprefix(rest.PREFIX))}"
        self._witness(Moment.ARRIVED, what)
        fault = self._trouble.for_discord() or Fault()
        await asyncio.sleep(fault.delay_seconds)
        answer: web.StreamResponse = web.Response()
        if fault.after_effect or (fault.status is None and not fault.is_reset):
            answer = await serve(request)
            self._witness(Moment.TOOK_EFFECT, what)
            await asyncio.sleep(fault.hold_seconds)
        else:
            await request.read()
        if fault.is_reset:
            _cut(request)
        elif fault.status is not None:
            answer = _refusal(fault)
        self._witness(Moment.ANSWERED, what)
        return answer


def _refusal(fault: Fault) -> web.Response:
    """discord.py compares the content type literally."""
    is_page = isinstance(fault.body, str)
    body = str(fault.body) if is_page else json.dumps(fault.body)
    kind = "text/html" if is_page else "application/json"
    return web.Response(status=fault.status or 500, body=body.encode(), content_type=kind, headers=fault.headers)


def shape(path: str) -> str:
    """The route without whose it is: `/channels/*/messages`."""
    return re.sub(r"/(?:\d{5,}|[\w.-]{40,})(?=/|$)", "/*", path)
