"""The life of an interaction: one callback within three seconds, fifteen minutes of token, and who may see what."""

from typing import Any

import pytest

from bot.playground.interaction_payloads import interaction
from bot.playground.interactions import Interaction, Kind
from tests.playground.bare_wire import Clock, Wire

LABEL = {"type": 18, "label": "x", "component": {"type": 4, "custom_id": "x", "style": 1}}


def modal(**more: Any) -> dict[str, Any]:
    return {"title": "x", "custom_id": "x", "components": [LABEL]} | more


@pytest.fixture
async def opened(wire: Wire) -> Interaction:
    """A command just used by Ann."""
    data = {"id": "1", "name": "hi", "type": 1, "options": []}
    person_id = wire.playground.person("Ann").id
    return wire.playground.world.open_interaction(
        Kind.COMMAND, person_id=person_id, channel_id=wire.channel(), data=data, name="hi"
    )


def callback(opened: Interaction, query: str = "") -> str:
    return f"/interactions/{opened.id}/{opened.token}/callback{query}"


def hook(wire: Wire, opened: Interaction, rest: str = "") -> str:
    return f"/webhooks/{wire.playground.world.bot.id}/{opened.token}{rest}"


HELLO = {"type": 4, "data": {"content": "hello"}}


async def test_an_answer_is_204_or_with_response_200(wire: Wire, opened: Interaction) -> None:
    status, body, headers = await wire.ask("POST", callback(opened), HELLO)
    assert (status, body) == (204, None)
    assert not any(name.lower().startswith("x-ratelimit") for name in headers)
    status, body, _ = await wire.ask("POST", callback(opened, "?with_response=true"), HELLO)
    assert (status, body["code"]) == (400, 40060)


async def test_with_response_carries_the_message(wire: Wire, opened: Interaction) -> None:
    status, body, _ = await wire.ask("POST", callback(opened, "?with_response=1"), HELLO)
    assert status == 200
    assert body["interaction"]["response_message_id"] == body["resource"]["message"]["id"]
    assert body["resource"]["type"] == 4


async def test_after_three_seconds_the_interaction_is_unknown(wire: Wire, opened: Interaction, clock: Clock) -> None:
    clock.advance(3.1)
    status, body, _ = await wire.ask("POST", callback(opened), HELLO)
    assert (status, body["code"]) == (404, 10062)


async def test_the_token_lives_fifteen_minutes(wire: Wire, opened: Interaction, clock: Clock) -> None:
    await wire.ask("POST", callback(opened), {"type": 5})
    clock.advance(14 * 60)
    assert (await wire.ask("PATCH", hook(wire, opened, "/messages/@original"), {"content": "a"}))[0] == 200
    clock.advance(2 * 60)
    for method, rest in (("PATCH", "/messages/@original"), ("POST", ""), ("GET", "/messages/@original")):
        status, body, _ = await wire.ask(
            method, hook(wire, opened, rest), {"content": "b"} if method != "GET" else None
        )
        assert (status, body["code"]) == (401, 50027)
    (message,) = wire.playground.messages("general")
    path = f"/channels/{wire.channel()}/messages/{message['id']}"
    assert (await wire.ask("PATCH", path, {"content": "by the bot's own token"}))[0] == 200


async def test_nothing_follows_before_the_callback(wire: Wire, opened: Interaction) -> None:
    status, body, _ = await wire.ask("POST", hook(wire, opened), {"content": "x"})
    assert (status, body["code"]) == (404, 10015)


async def test_the_first_follow_up_fills_the_deferral_as_it_was_deferred(wire: Wire, opened: Interaction) -> None:
    await wire.ask("POST", callback(opened), {"type": 5})
    _, loading, _ = await wire.ask("GET", hook(wire, opened, "/messages/@original"))
    assert loading["flags"] == 128
    _, first, _ = await wire.ask("POST", hook(wire, opened), {"content": "one", "flags": 64})
    assert (first["id"], first["flags"], first["edited_timestamp"]) == (loading["id"], 0, None)
    _, second, _ = await wire.ask("POST", hook(wire, opened), {"content": "two", "flags": 64})
    assert (second["flags"], second["message_reference"]["message_id"]) == (64, first["id"])
    assert len(wire.playground.person("Ann").sees("general")) == 2
    assert len(wire.playground.person("Ben").sees("general")) == 1


async def test_an_ephemeral_answer_is_edited_by_its_token_only(wire: Wire, opened: Interaction) -> None:
    query = callback(opened, "?with_response=true")
    _, body, _ = await wire.ask("POST", query, {"type": 4, "data": {"content": "x", "flags": 64}})
    message_id = body["resource"]["message"]["id"]
    for method in ("GET", "PATCH", "DELETE"):
        asked = {"content": "y"} if method == "PATCH" else None
        status, body, _ = await wire.ask(method, f"/channels/{wire.channel()}/messages/{message_id}", asked)
        assert (status, body["code"]) == (404, 10008)
    assert (await wire.ask("GET", f"/channels/{wire.channel()}/messages"))[1] == []
    assert (await wire.ask("PATCH", hook(wire, opened, f"/messages/{message_id}"), {"content": "y"}))[0] == 200
    assert (await wire.ask("DELETE", hook(wire, opened, "/messages/@original")))[0] == 204
    assert not [event for event in wire.playground.dispatched if event["t"].startswith("MESSAGE")]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"type": 4, "data": {"content": "x" * 2001}}, ("data", "content")),
        ({"type": 6}, ("type",)),
        ({"type": 7, "data": {"content": "x"}}, ("type",)),
        ({"type": 8, "data": {"choices": []}}, ("type",)),
        ({"type": 99}, ("type",)),
        ({"type": 9, "data": modal(title="x" * 46)}, ("data", "title")),
        ({"type": 9, "data": modal(custom_id="")}, ("data", "custom_id")),
        ({"type": 9, "data": modal(components=[])}, ("data", "components")),
        ({"type": 9, "data": modal(components=[LABEL] * 6)}, ("data", "components")),
        ({"type": 9, "data": modal(components=[LABEL, LABEL])}, ("data", "components", "1", "component", "custom_id")),
        ({"type": 9, "data": modal(components=[LABEL | {"label": "x" * 46}])}, ("data", "components", "0", "label")),
        (
            {
                "type": 9,
                "data": modal(components=[LABEL | {"component": {"type": 19, "custom_id": "f", "max_values": 11}}]),
            },
            ("data", "components", "0", "component", "max_values"),
        ),
    ],
)
async def test_a_bad_callback_is_refused_and_can_be_sent_again(
    wire: Wire, opened: Interaction, body: dict[str, Any], place: tuple[str, ...]
) -> None:
    status, answer, _ = await wire.ask("POST", callback(opened), body)
    assert (status, answer["code"]) == (400, 50035)
    spot = answer["errors"]
    for step in place:
        spot = spot[step]
    assert spot["_errors"]
    assert (await wire.ask("POST", callback(opened), HELLO))[0] == 204


async def test_a_file_needs_its_signature_and_its_day(wire: Wire, clock: Clock) -> None:
    _, sent, _ = await wire.ask("POST", f"/channels/{wire.channel()}/messages", {}, files={"a.txt": b"hello"})
    url = sent["attachments"][0]["url"]

    async def fetch(address: str) -> int:
        async with wire.session.get(address) as response:
            return response.status

    assert await fetch(url) == 200
    assert await fetch(url.partition("?")[0]) == 404
    assert await fetch(url.replace("hm=", "hm=0")) == 404
    assert await fetch(url.replace("a.txt", "b.txt")) == 404
    clock.advance(25 * 3600)
    assert await fetch(url) == 404
    _, again, _ = await wire.ask("GET", f"/channels/{wire.channel()}/messages/{sent['id']}")
    assert await fetch(again["attachments"][0]["url"]) == 200


async def test_the_bot_hears_complete_interactions(wire: Wire, opened: Interaction) -> None:
    payload = interaction(wire.playground.world, opened)
    assert payload["attachment_size_limit"] == 10 * 2**20
    assert payload["channel"]["id"] == payload["channel_id"]
    assert payload["member"]["roles"] == []
    assert payload["context"] == 0
    assert "guild_id" not in payload["data"]
