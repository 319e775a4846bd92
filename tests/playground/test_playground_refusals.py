"""What Discord refuses, the playground refuses: raw requests, no library in between."""

import asyncio
import time
from typing import Any

import pytest

from bot.playground.server import Playground
from tests.playground.bare_wire import PNG, Wire

V2 = 1 << 15
TEXT = {"type": 10, "content": "x"}


def button(**more: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "x", "custom_id": "x"} | more


def row(*components: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(components)}


def card(*components: Any) -> dict[str, Any]:
    return {"flags": V2, "components": list(components)}


def select(count: int) -> dict[str, Any]:
    options = [{"label": str(one), "value": str(one)} for one in range(count)]
    return {"type": 3, "custom_id": "s", "options": options}


def gallery(*urls: str) -> dict[str, Any]:
    return {"type": 12, "items": [{"media": {"url": url}} for url in urls]}


FORMS: dict[str, tuple[dict[str, Any], str]] = {
    "long content": ({"content": "x" * 2001}, "content"),
    "content of a wrong type": ({"content": ["x"]}, "content"),
    "eleven embeds": ({"embeds": [{"title": "x"}] * 11}, "embeds"),
    "a long title": ({"embeds": [{"title": "x" * 257}]}, "embeds.0.title"),
    "a long description": ({"embeds": [{"description": "x" * 4097}]}, "embeds.0.description"),
    "embeds of 6001 together": ({"embeds": [{"description": "x" * 3001}, {"description": "x" * 3000}]}, "embeds"),
    "26 fields": ({"embeds": [{"fields": [{"name": "x", "value": "x"}] * 26}]}, "embeds.0.fields"),
    "a field without value": ({"embeds": [{"fields": [{"name": "x"}]}]}, "embeds.0.fields.0.value"),
    "an embed of an unknown file": ({"embeds": [{"image": {"url": "attachment://a.png"}}]}, "embeds.0.image.url"),
    "a long nonce": ({"content": "x", "nonce": "x" * 26}, "nonce"),
    "two ways to mention": (
        {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
        "allowed_mentions",
    ),
    "an answer to nothing": ({"content": "x", "message_reference": {"message_id": "1"}}, "message_reference"),
    "an attachment that is not there": ({"content": "x", "attachments": [{"id": 3}]}, "attachments.0"),
    "six rows": ({"content": "x", "components": [row(button(custom_id=str(one))) for one in range(6)]}, "components"),
    "six buttons": (
        {"content": "x", "components": [row(*(button(custom_id=str(one)) for one in range(6)))]},
        "components.0.components",
    ),
    "a long label": (
        {"content": "x", "components": [row(button(label="x" * 81))]},
        "components.0.components.0.label",
    ),
    "a long custom id": (
        {"content": "x", "components": [row(button(custom_id="x" * 101))]},
        "components.0.components.0.custom_id",
    ),
    "twice the same custom id": (
        {"content": "x", "components": [row(button(), button())]},
        "components.0.components.1.custom_id",
    ),
    "a button without a custom id": (
        {"content": "x", "components": [row({"type": 2, "style": 1, "label": "x"})]},
        "components.0.components.0.custom_id",
    ),
    "26 options": ({"content": "x", "components": [row(select(26))]}, "components.0.components.0.options"),
    "a select beside a button": ({"content": "x", "components": [row(button(), select(2))]}, "components.0.components"),
    "a text display without the flag": ({"content": "x", "components": [TEXT]}, "components.0.type"),
    "a card with content": (card(TEXT) | {"content": "x"}, "content"),
    "a card with embeds": (card(TEXT) | {"embeds": [{"title": "x"}]}, "embeds"),
    "41 components": (card(*([TEXT] * 41)), "components"),
    "41 components nested": (card(*([{"type": 17, "components": [TEXT] * 9}] * 4), TEXT), "components"),
    "4001 characters": (card({"type": 10, "content": "x" * 2001}, {"type": 10, "content": "x" * 2000}), "components"),
    "an empty text": (card({"type": 10, "content": ""}), "components.0.content"),
    "an empty gallery": (card(gallery()), "components.0.items"),
    "eleven pictures": (card(gallery(*["https://example.com/a.png"] * 11)), "components.0.items"),
    "a picture that was not sent": (card(gallery("attachment://a.png")), "components.0.items.0.media.url"),
    "a file from the web": (card({"type": 13, "file": {"url": "https://example.com/a.zip"}}), "components.0.file.url"),
    "a section without accessory": (card({"type": 9, "components": [TEXT]}), "components.0.accessory"),
    "a container in a container": (
        card({"type": 17, "components": [{"type": 17, "components": [TEXT]}]}),
        "components.0.components.0.type",
    ),
}


def places(errors: dict[str, Any], prefix: str = "") -> set[str]:
    found = {prefix.strip(".")} if "_errors" in errors else set()
    for key, value in errors.items():
        if key != "_errors":
            found |= places(value, f"{prefix}.{key}")
    return found


@pytest.mark.parametrize("name", FORMS)
async def test_a_bad_message_is_refused_where_it_is_wrong(wire: Wire, name: str) -> None:
    body, place = FORMS[name]
    status, answer, headers = await wire.ask("POST", f"/channels/{wire.channel()}/messages", body)
    assert (status, answer["code"]) == (400, 50035)
    assert place in places(answer["errors"])
    assert headers["Content-Type"] == "application/json"  # type: ignore[index, call-overload]
    assert wire.playground.messages("general") == []


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/channels/{channel}/messages", {}, 400, 50006),
        ("/channels/{channel}/messages", {"content": "  "}, 400, 50006),
        ("/channels/1/messages", {"content": "x"}, 404, 10003),
        ("/interactions/1/x/callback", {"type": 4, "data": {"content": "x"}}, 404, 10062),
        ("/webhooks/{bot}/x", {"content": "x"}, 404, 10015),
        ("/users/@me/channels", {"recipient_id": "1"}, 404, 10013),
        ("/users/@me/channels", {"recipient_id": "{bot}"}, 403, 50007),
        ("/channels/{channel}/threads", {"name": "x"}, 501, 0),
    ],
)
async def test_other_refusals(wire: Wire, path: str, body: dict[str, Any], status: int, code: int) -> None:
    names = {"channel": wire.channel(), "bot": wire.playground.world.bot.id}
    filled = {key: value.replace("{bot}", names["bot"]) for key, value in body.items() if isinstance(value, str)}
    answered = await wire.ask("POST", path.format(**names), body | filled)
    assert (answered[0], answered[1]["code"]) == (status, code)


async def test_an_unknown_route_names_itself_and_is_remembered(wire: Wire) -> None:
    status, answer, _ = await wire.ask("DELETE", "/guilds/1/bans/2")
    assert status == 501
    assert answer == {"message": "The playground does not implement DELETE /guilds/1/bans/2", "code": 0}
    assert wire.playground.unknown_routes == ["DELETE /guilds/1/bans/2"]


async def test_a_wrong_token_is_unauthorized(wire: Wire) -> None:
    status, answer, _ = await wire.ask("GET", "/users/@me", token="wrong")
    assert (status, answer["code"]) == (401, 0)


async def test_messages_of_others_are_left_alone(wire: Wire) -> None:
    said = await wire.playground.person("Ann").say("mine")
    path = f"/channels/{wire.channel()}/messages/{said['id']}"
    assert (await wire.ask("GET", path))[0] == 200
    status, answer, _ = await wire.ask("PATCH", path, {"content": "yours"})
    assert (status, answer["code"]) == (403, 50005)
    status, answer, _ = await wire.ask("DELETE", path)
    assert (status, answer["code"]) == (403, 50013)


async def test_too_much_is_too_large(wire: Wire) -> None:
    path = f"/channels/{wire.channel()}/messages"
    for files in ({"a.bin": b"x" * (10 * 2**20 + 1)}, {f"{one}.bin": b"x" * 9 * 2**20 for one in range(3)}):
        status, answer, _ = await wire.ask("POST", path, {}, files=files)
        assert (status, answer["code"]) == (413, 40005)


async def test_a_nonce_that_is_enforced_posts_once(wire: Wire, clock: Any) -> None:
    path = f"/channels/{wire.channel()}/messages"
    body = {"content": "x", "nonce": "job-7", "enforce_nonce": True}
    first, second = await wire.ask("POST", path, body), await wire.ask("POST", path, body | {"content": "y"})
    assert first[1] == second[1] | {"nonce": "job-7"}
    assert len(wire.playground.messages("general")) == 1
    clock.advance(600)
    await wire.ask("POST", path, body)
    assert len(wire.playground.messages("general")) == 2


async def test_attachments_of_an_edit_are_the_complete_list(wire: Wire) -> None:
    path = f"/channels/{wire.channel()}/messages"
    _, sent, _ = await wire.ask("POST", path, {}, files={"a.png": PNG, "b.png": PNG})
    first, second = sent["attachments"]
    one = f"{path}/{sent['id']}"
    _, same, _ = await wire.ask("PATCH", one, {"content": "x"})
    assert [file["filename"] for file in same["attachments"]] == ["a.png", "b.png"]
    body = {"attachments": [{"id": second["id"]}, {"id": 0, "description": "new"}]}
    _, edited, _ = await wire.ask("PATCH", one, body, files={"c d.png": PNG})
    assert [file["filename"] for file in edited["attachments"]] == ["b.png", "c_d.png"]
    assert edited["attachments"][1]["description"] == "new"
    status, answer, _ = await wire.ask("PATCH", one, {"attachments": [{"id": first["id"]}]})
    assert (status, answer["code"]) == (400, 50035)


async def test_the_flag_of_a_card_cannot_be_taken_away(wire: Wire) -> None:
    path = f"/channels/{wire.channel()}/messages"
    _, sent, _ = await wire.ask("POST", path, card(TEXT))
    one = f"{path}/{sent['id']}"
    for body in ({"content": "x"}, {"flags": 0, "content": "x", "components": []}):
        status, answer, _ = await wire.ask("PATCH", one, body)
        assert (status, answer["code"]) == (400, 50035)
    _, plain, _ = await wire.ask("POST", path, {"content": "x"})
    status, _, _ = await wire.ask("PATCH", f"{path}/{plain['id']}", card(TEXT))
    assert status == 400, "the text must be cleared in the same edit"
    status, _, _ = await wire.ask("PATCH", f"{path}/{plain['id']}", card(TEXT) | {"content": None})
    assert status == 200


async def test_a_card_cannot_lose_the_picture_it_shows(wire: Wire) -> None:
    path = f"/channels/{wire.channel()}/messages"
    _, sent, _ = await wire.ask("POST", path, card(gallery("attachment://a.png")), files={"a.png": PNG})
    media = sent["components"][0]["items"][0]["media"]
    assert media["attachment_id"] == sent["attachments"][0]["id"]
    one = f"{path}/{sent['id']}"
    assert (await wire.ask("PATCH", one, {"attachments": []}))[0] == 400
    # An address of the CDN given back without its signature is signed again.
    status, edited, _ = await wire.ask("PATCH", one, card(gallery(media["url"].partition("?")[0])))
    assert status == 200
    again = edited["components"][0]["items"][0]["media"]
    assert (again["attachment_id"], "hm=" in again["url"]) == (media["attachment_id"], True)


async def test_the_sixth_message_in_five_seconds_waits(wire: Wire) -> None:
    path = f"/channels/{wire.channel()}/messages"
    for remaining in (4, 3, 2, 1, 0):
        status, _, headers = await wire.ask("POST", path, {"content": "x"})
        assert (status, headers["X-RateLimit-Remaining"]) == (200, str(remaining))  # type: ignore[index, call-overload]
    status, answer, headers = await wire.ask("POST", path, {"content": "x"})
    assert status == 429
    assert 0 < answer["retry_after"] <= 5
    assert "Via" in headers
    assert (await wire.ask("POST", f"/channels/{wire.channel('help')}/messages", {"content": "x"}))[0] == 200


COMMANDS: dict[str, dict[str, Any]] = {
    "upper case": {"name": "Hi", "description": "d"},
    "a space": {"name": "h i", "description": "d"},
    "33 letters": {"name": "x" * 33, "description": "d"},
    "no description": {"name": "hi"},
    "a long description": {"name": "hi", "description": "d" * 101},
    "26 options": {
        "name": "hi",
        "description": "d",
        "options": [{"type": 3, "name": f"o{one}", "description": "d"} for one in range(26)],
    },
    "required after optional": {
        "name": "hi",
        "description": "d",
        "options": [
            {"type": 3, "name": "a", "description": "d"},
            {"type": 3, "name": "b", "description": "d", "required": True},
        ],
    },
    "26 choices": {
        "name": "hi",
        "description": "d",
        "options": [
            {
                "type": 3,
                "name": "a",
                "description": "d",
                "choices": [{"name": str(n), "value": str(n)} for n in range(26)],
            }
        ],
    },
    "more than 8000 characters": {
        "name": "hi",
        "description": "d",
        "options": [
            {
                "type": 3,
                "name": f"o{one}",
                "description": "d" * 100,
                "choices": [{"name": f"{n}" * 40, "value": f"{n}"} for n in range(10)],
            }
            for one in range(25)
        ],
    },
}


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_bad_command_is_refused(wire: Wire, name: str) -> None:
    path = f"/applications/{wire.playground.world.bot.id}/commands"
    status, answer, _ = await wire.ask("PUT", path, [COMMANDS[name]])
    assert (status, answer["code"]) == (400, 50035)


async def test_a_command_that_stays_keeps_its_id(wire: Wire) -> None:
    path = f"/applications/{wire.playground.world.bot.id}/commands"
    _, (first,), _ = await wire.ask("PUT", path, [{"name": "hi", "description": "d"}])
    _, both, _ = await wire.ask("PUT", path, [{"name": "hi", "description": "e"}, {"name": "ho", "description": "d"}])
    assert both[0]["id"] == first["id"]
    assert (await wire.ask("GET", path))[1] == both


async def test_answers_can_be_slow(playground: Playground, wire: Wire) -> None:
    playground.latency_seconds = 0.05
    began = time.monotonic()
    await asyncio.gather(*(wire.ask("GET", "/users/@me") for _ in range(3)))
    assert 0.05 <= time.monotonic() - began < 1
