"""The page's socket: actions answered by number, pushes for the acting person only, and no other website."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.playground.server import Playground
from tests.playground.bare_wire import PNG, Wire


class Page:
    """What page/ does in a browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = count(1)
        self.pushed: list[dict[str, Any]] = []

    async def ask(self, action: str, **more: Any) -> Any:
        number = next(self._numbers)
        await self._socket.send_json({"do": action, "re": number, **more})
        while True:
            frame = await self._socket.receive_json(timeout=5)
            if frame.get("re") == number:
                return frame.get("ok") or {"error": frame["error"]} if "error" in frame else frame["ok"]
            self.pushed.append(frame)

    async def push(self, name: str) -> dict[str, Any]:
        while True:
            for index, frame in enumerate(self.pushed):
                if frame["event"] == name:
                    return self.pushed.pop(index)
            self.pushed.append(await self._socket.receive_json(timeout=5))


@pytest.fixture
async def page(wire: Wire) -> AsyncIterator[Page]:
    async with wire.session.ws_connect(wire.playground.page_url + "playground/socket") as socket:
        yield Page(socket)


@pytest.fixture
async def other(wire: Wire) -> AsyncIterator[Page]:
    async with wire.session.ws_connect(wire.playground.page_url + "playground/socket") as socket:
        yield Page(socket)


async def upload(wire: Wire, name: str, data: bytes) -> dict[str, Any]:
    url = f"{wire.playground.page_url}playground/uploads?name={name}"
    async with wire.session.post(url, data=data) as response:
        return dict(await response.json())


async def test_the_page_learns_who_and_what_there_is(bot: Any, page: Page) -> None:
    seen = await page.ask("act_as", person_id=None)
    assert seen["me"]["global_name"] == "Ann"
    assert [user["global_name"] for user in seen["people"]] == ["Ann", "Ben", "Cleo"]
    assert (seen["bot"]["username"], seen["bot_online"]) == ("Atelier", True)
    (server,) = seen["servers"]
    assert [channel["name"] for channel in server["channels"]] == ["general", "training", "gallery", "help"]
    names = {command["name"] for command in seen["commands"]}
    assert {"paint", "models", "count"} <= names
    assert "repeat" not in names
    assert [menu["name"] for menu in seen["menus"]] == ["Weigh the Files", "repeat", "Fill in", "Ignore"]


async def test_a_command_a_button_and_a_dialog(bot: Any, page: Page, wire: Wire) -> None:
    seen = await page.ask("act_as", person_id=None)
    by_name = {command["name"]: command["id"] for command in seen["commands"]}
    channel_id = wire.channel("training")
    sent = await page.ask("command", channel_id=channel_id, command_id=by_name["buttons"], path=[], options={})
    assert (await page.push("interaction_waiting"))["name"] == "buttons"
    assert (await page.push("interaction_answered"))["interaction_id"] == sent["interaction_id"]
    message = (await page.push("message_create"))["message"]
    assert message["interaction_metadata"]["name"] == "buttons"
    press = {"channel_id": channel_id, "message_id": message["id"], "component_type": 2}
    await page.ask("press", custom_id="fill", **press)
    modal = await page.push("modal")
    assert modal["title"] == "Your pictures"
    file = await upload(wire, "a%20b.png", PNG)
    assert file["name"] == "a_b.png"
    inputs = [component["component"]["custom_id"] for component in modal["components"]]
    values = dict(zip(inputs, ["ohwx", [file["upload_id"]], "photo"], strict=True))
    asked = {"modal_interaction_id": modal["interaction_id"], "custom_id": modal["custom_id"]}
    assert "error" in await page.ask("submit_modal", values=values | {inputs[0]: "x"}, **asked)
    await page.ask("submit_modal", values=values, **asked)
    loading = (await page.push("message_create"))["message"]
    assert loading["loading"] is True
    done = (await page.push("message_update"))["message"]
    assert done["content"] == f"ohwx photo [{len(PNG)}]"
    assert "loading" not in done
    await page.ask("press", custom_id="start", **press)
    assert (await page.push("message_update"))["message"]["content"] == "started"


async def test_an_ephemeral_message_is_for_one_and_can_be_dismissed(
    bot: Any, page: Page, other: Page, wire: Wire
) -> None:
    seen = await page.ask("act_as", person_id=None)
    await other.ask("act_as", person_id=seen["people"][1]["id"])
    secret = next(command["id"] for command in seen["commands"] if command["name"] == "secret")
    channel_id = wire.channel()
    await page.ask("command", channel_id=channel_id, command_id=secret, path=[], options={})
    message = (await page.push("message_create"))["message"]
    assert message["ephemeral_for"] == seen["me"]["id"]
    assert (await other.ask("messages", channel_id=channel_id))["messages"] == []
    assert other.pushed == []
    assert "error" in await other.ask("dismiss", message_id=message["id"])
    await page.ask("dismiss", message_id=message["id"])
    assert (await page.push("message_delete"))["id"] == message["id"]
    assert (await page.ask("messages", channel_id=channel_id))["messages"] == []


async def test_completion_subcommands_and_talk(bot: Any, page: Page, wire: Wire) -> None:
    seen = await page.ask("act_as", person_id=None)
    by_name = {command["name"]: command["id"] for command in seen["commands"]}
    place = {"channel_id": wire.channel(), "path": []}
    asked = {"command_id": by_name["paint"], "options": {"model": "do"}, "focused": "model"}
    assert (await page.ask("autocomplete", **place, **asked))["choices"] == [{"name": "dogs", "value": "dogs"}]
    listing = place | {"path": ["list"], "command_id": by_name["models"], "options": {"page": 3}}
    await page.ask("command", **listing)
    assert (await page.push("message_create"))["message"]["content"] == "page 3"
    file = await upload(wire, "a.png", PNG)
    said = await page.ask("say", channel_id=wire.channel(), content="look", upload_ids=[file["upload_id"]])
    assert said["message"]["attachments"][0]["filename"] == "a.png"
    shown = await page.ask("messages", channel_id=wire.channel(), limit=1)
    assert [message["content"] for message in shown["messages"]] == ["look"]
    older = await page.ask("messages", channel_id=wire.channel(), before=shown["messages"][0]["id"])
    assert [message["content"] for message in older["messages"]] == ["page 3"]


async def test_a_menu_is_used_on_a_message(bot: Any, page: Page, other: Page, wire: Wire) -> None:
    seen = await page.ask("act_as", person_id=None)
    await other.ask("act_as", person_id=seen["people"][1]["id"])
    by_name = {menu["name"]: menu["id"] for menu in seen["menus"]}
    said = (await page.ask("say", channel_id=wire.channel(), content="echo", upload_ids=[]))["message"]
    sent = await page.ask("use_menu", message_id=said["id"], command_id=by_name["repeat"])
    waiting = await page.push("interaction_waiting")
    assert (waiting["name"], waiting["target_message_id"]) == ("repeat", said["id"])
    assert (await page.push("interaction_answered"))["interaction_id"] == sent["interaction_id"]
    pushed = [(await page.push("message_create"))["message"] for _ in range(2)]
    assert [one["content"] for one in pushed] == ["echo", "echo"]
    await page.ask("use_menu", message_id=said["id"], command_id=by_name["Fill in"])
    assert (await page.push("modal"))["title"] == "Your pictures"
    letter = await wire.playground.person("Ann").say("psst", channel="dm")
    assert "error" in await other.ask("use_menu", message_id=letter["id"], command_id=by_name["repeat"])
    commands = next(command["id"] for command in seen["commands"] if command["name"] == "secret")
    assert "error" in await page.ask("use_menu", message_id=said["id"], command_id=commands)


async def test_silence_is_told_after_three_seconds(bot: Any, page: Page, wire: Wire) -> None:
    seen = await page.ask("act_as", person_id=None)
    silent = next(command["id"] for command in seen["commands"] if command["name"] == "silent")
    sent = await page.ask("command", channel_id=wire.channel(), command_id=silent, path=[], options={})
    failed = await page.push("interaction_failed")
    assert failed["interaction_id"] == sent["interaction_id"]
    assert failed["sentence"] == "The application did not respond"


async def test_a_bot_that_leaves_is_shown_as_gone(bot: Any, page: Page) -> None:
    await page.ask("act_as", person_id=None)
    await bot.close()
    assert await page.push("bot_status") == {"event": "bot_status", "online": False}


@pytest.mark.parametrize("frame", [{"do": "fly"}, {"do": "say"}, {"do": "messages", "channel_id": "1"}, []])
async def test_nonsense_is_answered_with_a_sentence(wire: Wire, frame: Any) -> None:
    async with wire.session.ws_connect(wire.playground.page_url + "playground/socket") as socket:
        await socket.send_json(frame)
        assert (await socket.receive_json(timeout=5))["error"]


async def test_another_website_is_kept_out(wire: Wire) -> None:
    url = wire.playground.page_url
    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await wire.session.ws_connect(url + "playground/socket", headers=headers)
        assert caught.value.status == 403
        async with wire.session.post(url + "playground/uploads?name=a", data=b"x", headers=headers) as response:
            assert response.status == 403
    own = {"Origin": url.rstrip("/")}
    async with wire.session.ws_connect(url + "playground/socket", headers=own) as socket:
        assert not socket.closed


async def test_the_page_is_served_and_nothing_beside_it(wire: Wire) -> None:
    url = wire.playground.page_url
    for path in ("page/..%2fserver.py", "page/nothing.js", "secrets"):
        async with wire.session.get(url + path) as response:
            assert response.status == 404


async def test_an_upload_over_the_limit_is_refused(wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.playground.limits.PERSON_FILE_BYTES", 10)
    url = f"{wire.playground.page_url}playground/uploads?name=a.bin"
    async with wire.session.post(url, data=b"x" * 11) as response:
        assert response.status == 413
        assert (await response.json())["error"]
    await asyncio.sleep(0)


async def test_sample_photos_are_offered_when_there_are_any(wire: Wire, dataset: Path) -> None:
    async with wire.session.get(wire.playground.page_url + "playground/sample.zip") as response:
        assert response.status == 404
    async with Playground(sample=dataset) as with_sample:
        async with wire.session.get(with_sample.page_url + "playground/sample.zip") as response:
            assert (await response.read()).startswith(b"PK")
        async with wire.session.get(with_sample.page_url) as response:
            assert response.content_type == "text/html"
