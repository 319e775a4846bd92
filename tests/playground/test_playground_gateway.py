"""The gateway's rules, spoken frame by frame, and a second library that must find itself at home."""

import asyncio
import json
import zlib
from typing import Any

import aiohttp
import hikari
import pytest

from bot.playground.server import Playground
from tests.playground.bare_wire import Wire


async def connect(wire: Wire, query: str = "?v=10&encoding=json") -> aiohttp.ClientWebSocketResponse:
    return await wire.session.ws_connect(wire.playground.gateway_url + query)


def identify(wire: Wire, **more: Any) -> dict[str, Any]:
    return {"op": 2, "d": {"token": wire.playground.token, "properties": {}, "intents": 513} | more}


async def ready(wire: Wire) -> tuple[aiohttp.ClientWebSocketResponse, dict[str, Any]]:
    socket = await connect(wire)
    assert (await socket.receive_json())["op"] == 10
    await socket.send_json(identify(wire))
    first = await socket.receive_json()
    assert (await socket.receive_json())["t"] == "GUILD_CREATE"
    return socket, first["d"]


async def close_code(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    while not socket.closed:
        await socket.receive()
    return socket.close_code


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([{"op": 2, "d": {"token": "wrong", "properties": {}, "intents": 1}}], 4004),
        ([{"op": 3, "d": {}}], 4003),
        ([{"op": 42, "d": {}}], 4001),
        ([[]], 4002),
        ([{"op": 2, "d": {"token": "{token}", "properties": {}, "intents": 1 << 40}}], 4013),
        ([{"op": 2, "d": {"token": "{token}", "properties": {}, "intents": 1 << 15}}], 4014),
        ([{"op": 2, "d": {"token": "{token}", "properties": {}, "intents": 1, "shard": [2, 2]}}], 4010),
        ([{"op": 2, "d": {"token": "{token}", "properties": {}, "intents": 1}}] * 2, 4005),
        ([{"op": 1, "d": None}] * 121, 4008),
    ],
)
async def test_a_client_that_breaks_the_rules_is_closed(wire: Wire, frames: list[Any], code: int) -> None:
    socket = await connect(wire)
    for frame in frames:
        await socket.send_str(json.dumps(frame).replace("{token}", wire.playground.token))
    assert await close_code(socket) == code


async def test_another_version_is_closed(wire: Wire) -> None:
    assert await close_code(await connect(wire, "?v=9&encoding=json")) == 4012


async def test_binary_frames_and_one_long_zlib_stream(wire: Wire) -> None:
    socket = await connect(wire, "?v=10&encoding=json&compress=zlib-stream")
    inflate = zlib.decompressobj()

    async def receive() -> dict[str, Any]:
        raw = await socket.receive_bytes()
        assert raw.endswith(b"\x00\x00\xff\xff")
        return dict(json.loads(inflate.decompress(raw)))

    assert (await receive())["op"] == 10
    await socket.send_bytes(json.dumps({"op": 1, "d": None}).encode())
    assert (await receive())["op"] == 11
    await socket.send_bytes(json.dumps(identify(wire)).encode())
    assert (await receive())["t"] == "READY"
    await socket.close()


async def test_a_resumed_session_hears_what_it_missed_in_order(wire: Wire) -> None:
    socket, hello = await ready(wire)
    await wire.playground.reset_connections()
    assert await close_code(socket) == 4000
    for word in ("one", "two"):
        await wire.playground.person("Ann").say(word)
    again = await connect(wire)
    await again.receive_json()
    resume = {"token": wire.playground.token, "session_id": hello["session_id"], "seq": 2}
    await again.send_json({"op": 6, "d": resume})
    heard = [await again.receive_json() for _ in range(3)]
    assert [event["t"] for event in heard] == ["MESSAGE_CREATE", "MESSAGE_CREATE", "RESUMED"]
    assert [event["s"] for event in heard] == [3, 4, 5]
    await again.close()


async def test_a_session_that_is_gone_is_invalid(wire: Wire) -> None:
    socket, hello = await ready(wire)
    await socket.close(code=1000)
    again = await connect(wire)
    await again.receive_json()
    resume = {"token": wire.playground.token, "session_id": hello["session_id"], "seq": 2}
    await again.send_json({"op": 6, "d": resume})
    assert await again.receive_json() == {"op": 9, "s": None, "t": None, "d": False}
    await again.send_json(identify(wire))
    assert (await again.receive_json())["t"] == "READY"
    await again.close()


async def test_op_seven_asks_for_a_reconnect(wire: Wire) -> None:
    socket, _ = await ready(wire)
    await wire.playground.ask_to_reconnect()
    assert (await socket.receive_json())["op"] == 7
    await socket.close()


async def test_hikari_feels_at_home(playground: Playground) -> None:
    bot = hikari.GatewayBot(
        token=playground.token,
        rest_url=playground.api_url,
        banner=None,
        logs=None,
        intents=hikari.Intents.GUILD_MESSAGES | hikari.Intents.GUILDS,
    )
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def on_interaction(event: hikari.InteractionCreateEvent) -> None:
        interaction = event.interaction
        assert isinstance(interaction, hikari.CommandInteraction)
        await interaction.create_initial_response(
            hikari.ResponseType.MESSAGE_CREATE, f"hello {interaction.user.username}"
        )

    async def on_message(event: hikari.GuildMessageCreateEvent) -> None:
        heard.put_nowait(event.message.content or "")

    bot.subscribe(hikari.InteractionCreateEvent, on_interaction)
    bot.subscribe(hikari.GuildMessageCreateEvent, on_message)
    await bot.start(check_for_updates=False)
    try:
        application = await bot.rest.fetch_application()
        commands = [bot.rest.slash_command_builder("hi", "Says hello.")]
        await bot.rest.set_application_commands(application, commands)
        answer = await playground.person("Ann").command("hi")
        assert answer.text == "hello ann"
        assert await asyncio.wait_for(heard.get(), 5) == "hello ann"
        (guild,) = bot.cache.get_guilds_view().values()
        assert guild.name == "Atelier playground"
    finally:
        await bot.close()
    assert playground.unknown_routes == []
