"""Starts the playground: one port on loopback for REST, gateway, files and the page. Used by the demo and by tests."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from bot.playground import limits, payloads, reading, rest
from bot.playground.events import BotCameOrWent, Event
from bot.playground.gateway import Gateway
from bot.playground.page_socket import PageSocket
from bot.playground.person import Person
from bot.playground.rate_limits import RateLimit, RateLimits
from bot.playground.rest import Exchange, Rest
from bot.playground.shapes import Json
from bot.playground.values import Permission
from bot.playground.world import World, wall_clock

PAGE = Path(__file__).parent / "page"
LOOPBACK = "127.0.0.1"
FORBIDDEN = Permission.VIEW_CHANNEL | Permission.SEND_MESSAGES


class Playground:
    """A small Discord on 127.0.0.1. Use it as an async context manager, or call `start` and `stop`."""

    def __init__(
        self,
        port: int = 0,
        *,
        now: Callable[[], datetime] = wall_clock,
        message_limit: RateLimit | None = RateLimit(),  # noqa: B008 - a frozen value
        file_bytes: int = limits.FILE_BYTES,
        allowed_intents: int = 0,
        sample: Path | None = None,
    ) -> None:
        self.port = port
        self._sample = sample
        self.world = World(now=now, file_bytes=file_bytes)
        self._rest = Rest(self.world, rate_limits=RateLimits(message_limit) if message_limit else None)
        self._gateway = Gateway(self.world, allowed_intents=allowed_intents)
        self._page = PageSocket(self.world, bot_is_online=lambda: self._gateway.is_online)
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        application = web.Application(client_max_size=limits.PERSON_FILE_BYTES + limits.MEBIBYTE)
        application.add_routes(self._routes())
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.world.files.base_url = f"http://{LOOPBACK}:{self.port}"

    async def stop(self) -> None:
        await self._page.close()
        await self._gateway.close_all(1001, "The playground is closing.")
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.route("*", rest.PREFIX + "/{path:.*}", self._rest.serve),
            web.get("/gateway", self._gateway.serve),
            web.get("/gateway/", self._gateway.serve),
            web.get("/{folder:attachments|ephemeral-attachments}/{owner}/{attachment_id}/{name}", self._file),
            web.get("/", self._index),
            web.get("/page/{name:[\\w.\\-]+}", self._page_file),
            web.get("/playground/sample.zip", self._sample_file),
            web.get("/playground/socket", self._page.serve),
            web.post("/playground/uploads", self._page.upload),
        ]

    async def _file(self, request: web.Request) -> web.Response:
        fault = self._rest.faults.take(request.method, request.path)
        if fault is not None:
            return web.Response(status=fault.status or 502)
        return await self.world.files.serve(request)

    async def _index(self, _: web.Request) -> web.StreamResponse:
        return _static(PAGE / "index.html")

    async def _page_file(self, request: web.Request) -> web.StreamResponse:
        return _static(PAGE / request.match_info["name"])

    async def _sample_file(self, _: web.Request) -> web.StreamResponse:
        """The photos the page offers to somebody who has none at hand."""
        if self._sample is None:
            return web.Response(status=404, text="This playground has no sample photos.")
        return web.FileResponse(self._sample)

    # Addresses and credentials, all a bot needs to know.

    @property
    def token(self) -> str:
        return self.world.token

    @property
    def api_url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}{rest.PREFIX}"

    @property
    def gateway_url(self) -> str:
        return f"ws://{LOOPBACK}:{self.port}/gateway"

    @property
    def page_url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}/"

    # People, and what they can see.

    def person(self, name: str) -> Person:
        for user in self.world.people.values():
            if user.name.lower() == name.lower():
                return Person(self.world, user)
        raise LookupError(f"Nobody in the playground is called {name!r}.")

    def messages(self, channel: str) -> list[Json]:
        """Every message of a channel, oldest first, as JSON; ephemeral ones included."""
        held = self.world.messages_in(self.world.channel_named(channel).id)
        return [payloads.message(self.world, message) for message in held]

    async def wait_for(
        self, matches: Callable[[Json], bool], *, channel: str | None = None, timeout: float = 5.0
    ) -> Json:
        """The newest message that matches, now or as soon as one is created or edited."""
        channel_id = self.world.channel_named(channel).id if channel else None
        return await reading.wait_for_message(self.world, matches, channel_id=channel_id, timeout=timeout)

    async def bot_ready(self, timeout: float = 10.0) -> None:
        """Until a bot is connected and has had READY and the server."""
        came = asyncio.Event()

        def hear(event: Event) -> None:
            if isinstance(event, BotCameOrWent) and event.is_online:
                came.set()

        stop_listening = self.world.subscribe(hear)
        try:
            if not self._gateway.is_online:
                await asyncio.wait_for(came.wait(), timeout)
        finally:
            stop_listening()

    # What happened, for tests.

    @property
    def exchanges(self) -> deque[Exchange]:
        return self._rest.exchanges

    @property
    def unknown_routes(self) -> list[str]:
        return self._rest.unknown_routes

    @property
    def dispatched(self) -> deque[Json]:
        return self._gateway.dispatched

    # Trouble, for tests.

    @property
    def latency_seconds(self) -> float:
        return self._rest.latency_seconds

    @latency_seconds.setter
    def latency_seconds(self, seconds: float) -> None:
        self._rest.latency_seconds = seconds

    def fail_next(self, method: str, path_regex: str, status: int, body: Json | None = None, times: int = 1) -> None:
        """The next matching requests are answered with `status` and change nothing. Paths begin after /api/v10,
        such as "/channels/", or with "/attachments/" for files."""
        self._rest.faults.order(method, path_regex, status, body, times)

    def lose_next_answer(self, method: str, path_regex: str, times: int = 1) -> None:
        """The next matching requests do their work, and the connection breaks before the answer."""
        self._rest.faults.order(method, path_regex, None, None, times)

    def garble_next(self, event_name: str, text: str, times: int = 1) -> None:
        """The next events of this name, such as "READY", reach the bot as `text` instead."""
        self._gateway.garbling.order(event_name, text, times)

    async def reset_connections(self) -> None:
        """Drops every gateway socket with 4000; sessions can be resumed."""
        await self._gateway.close_all(4000, "Unknown error.")

    async def ask_to_reconnect(self) -> None:
        """Sends op 7, as Discord does when a gateway node goes away."""
        await self._gateway.ask_to_reconnect()

    def forget_sessions(self) -> None:
        """Every later resume is refused with op 9."""
        self._gateway.forget_sessions()

    def forbid(self, channel: str, permissions: Permission = FORBIDDEN) -> None:
        """Takes rights of the bot's in a channel and its threads: 403 with code 50001 when it may not even look,
        else 50013."""
        self.world.withheld[self.world.channel_named(channel).id] = permissions

    def allow(self, channel: str) -> None:
        self.world.withheld.pop(self.world.channel_named(channel).id, None)

    def delete_channel(self, channel: str) -> None:
        self.world.delete_channel(self.world.channel_named(channel))


def _static(path: Path) -> web.StreamResponse:
    if path.parent != PAGE or not path.is_file():
        return web.Response(status=404, text="There is no such file.")
    # The page is changed while it is looked at, and nobody else may put it in a frame.
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": "frame-ancestors 'none'"}
    return web.FileResponse(path, headers=headers)
