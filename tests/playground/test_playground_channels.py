"""Channels that come and go in the playground: threads, letters, what the bot may do where, and reading back."""

import asyncio
from typing import Any

import aiohttp
import discord
import pytest

from bot.playground.server import Playground
from bot.playground.values import Permission
from tests.playground.bare_wire import Wire

CARD = {"flags": 1 << 15, "components": [{"type": 17, "components": [{"type": 10, "content": "hello"}]}]}


async def post(wire: Wire, body: dict[str, Any] | None = None, *, channel: str = "general") -> dict[str, Any]:
    status, message, _ = await wire.ask("POST", f"/channels/{wire.channel(channel)}/messages", body or {"content": "x"})
    assert status == 200, message
    return dict(message)


async def begin_thread(wire: Wire, message: dict[str, Any], **changes: Any) -> tuple[int, Any]:
    path = f"/channels/{message['channel_id']}/messages/{message['id']}/threads"
    status, answer, _ = await wire.ask("POST", path, {"name": "Luna", "auto_archive_duration": 1440, **changes})
    return status, answer


# Threads.


async def test_a_thread_has_the_id_of_its_message(wire: Wire, playground: Playground) -> None:
    message = await post(wire)
    status, thread = await begin_thread(wire, message)
    assert (status, thread["id"], thread["type"], thread["name"]) == (201, message["id"], 11, "Luna")
    assert thread["parent_id"] == message["channel_id"]
    status, written, _ = await wire.ask("POST", f"/channels/{thread['id']}/messages", {"content": "inside"})
    assert (status, written["content"]) == (200, "inside")
    (seen,) = playground.messages("general")
    assert (seen["thread"]["message_count"], seen["flags"] & 1 << 5) == (1, 1 << 5)
    assert [one["content"] for one in playground.messages(thread["id"])] == ["inside"]


async def test_a_message_has_one_thread(wire: Wire) -> None:
    message = await post(wire)
    await begin_thread(wire, message)
    status, answer = await begin_thread(wire, message)
    assert (status, answer["code"]) == (400, 160004)


async def test_where_a_thread_cannot_begin_it_is_refused(wire: Wire, playground: Playground) -> None:
    message = await post(wire)
    assert (await begin_thread(wire, {**message, "id": "123"}))[1]["code"] == 10008
    assert (await begin_thread(wire, message, name=""))[1]["code"] == 50035
    assert (await begin_thread(wire, message, auto_archive_duration=7))[1]["code"] == 50035
    playground.forbid("general", Permission.CREATE_PUBLIC_THREADS)
    status, answer = await begin_thread(wire, message)
    assert (status, answer["code"]) == (403, 50013)
    playground.allow("general")
    _, thread = await begin_thread(wire, message)
    _, inside, _ = await wire.ask("POST", f"/channels/{thread['id']}/messages", {"content": "x"})
    assert (await begin_thread(wire, inside))[1]["code"] == 50024
    letters = playground.world.direct_channel(playground.person("Ann").id)
    _, letter, _ = await wire.ask("POST", f"/channels/{letters.id}/messages", {"content": "x"})
    assert (await begin_thread(wire, letter))[1]["code"] == 50024


async def test_a_thread_takes_messages_where_its_channel_does_not(wire: Wire, playground: Playground) -> None:
    message = await post(wire)
    _, thread = await begin_thread(wire, message)
    path = f"/channels/{thread['id']}/messages"
    playground.forbid("general", Permission.SEND_MESSAGES)
    assert (await wire.ask("POST", path, {"content": "x"}))[0] == 200
    playground.forbid("general", Permission.SEND_MESSAGES_IN_THREADS)
    status, answer, _ = await wire.ask("POST", path, {"content": "x"})
    assert (status, answer["code"]) == (403, 50013)


async def test_a_library_hears_of_threads_and_deleted_channels(bot: Any, playground: Playground) -> None:
    await bot.wait_until_ready()
    channel = discord.utils.get(bot.get_all_channels(), name="general")
    message = await channel.send("x")
    thread = await message.create_thread(name="Luna")
    await thread.send("inside")
    await _until(lambda: channel.guild.get_thread(thread.id) is not None)
    playground.delete_channel("general")
    await _until(lambda: channel.guild.get_channel(channel.id) is None)
    assert channel.guild.get_thread(thread.id) is None
    for gone in (channel, thread):
        with pytest.raises(discord.NotFound) as caught:
            await gone.send("x")
        assert caught.value.code == 10003


# What the bot may do.


@pytest.mark.parametrize(
    ("withheld", "code"),
    [(Permission.VIEW_CHANNEL, 50001), (Permission.SEND_MESSAGES, 50013), (Permission.ATTACH_FILES, 50013)],
)
async def test_a_right_that_is_missing_is_named_by_its_code(
    wire: Wire, playground: Playground, withheld: Permission, code: int
) -> None:
    playground.forbid("general", withheld)
    path = f"/channels/{wire.channel()}/messages"
    status, answer, _ = await wire.ask("POST", path, {"content": "x"}, files={"a.png": b"x"})
    assert (status, answer["code"]) == (403, code)
    assert (await wire.ask("POST", f"/channels/{wire.channel('gallery')}/messages", {"content": "x"}))[0] == 200


async def test_without_files_nobody_needs_the_right_to_attach(wire: Wire, playground: Playground) -> None:
    playground.forbid("general", Permission.ATTACH_FILES)
    await post(wire)


async def test_a_history_that_may_not_be_read_is_empty(wire: Wire, playground: Playground) -> None:
    await post(wire)
    playground.forbid("general", Permission.READ_MESSAGE_HISTORY)
    status, answer, _ = await wire.ask("GET", f"/channels/{wire.channel()}/messages?limit=5")
    assert (status, answer) == (200, [])


async def test_a_person_who_takes_no_letters_refuses_them(wire: Wire, playground: Playground) -> None:
    ann = playground.person("Ann")
    status, channel, _ = await wire.ask("POST", "/users/@me/channels", {"recipient_id": ann.id})
    assert status == 200
    path = f"/channels/{channel['id']}/messages"
    assert (await wire.ask("POST", path, {"content": "x"}))[0] == 200
    ann.close_direct_messages()
    status, answer, _ = await wire.ask("POST", path, {"content": "x"})
    assert (status, answer["code"]) == (403, 50007)
    again = await wire.ask("POST", "/users/@me/channels", {"recipient_id": ann.id})
    assert again[1]["id"] == channel["id"], "opening the channel is not refused"


# Sizes.


async def test_a_boost_is_the_servers_and_not_its_peoples() -> None:
    async with Playground(file_bytes=50 << 20) as playground, aiohttp.ClientSession() as session:
        wire = Wire(playground=playground, session=session)
        large = b"x" * (11 << 20)
        _, guild, _ = await wire.ask("GET", f"/guilds/{playground.world.server.id}")
        assert guild["premium_tier"] == 2
        path = f"/channels/{wire.channel()}/messages"
        assert (await wire.ask("POST", path, {}, files={"a.png": large}))[0] == 200
        letters = playground.world.direct_channel(playground.person("Ann").id)
        status, answer, _ = await wire.ask("POST", f"/channels/{letters.id}/messages", {}, files={"a.png": large})
        assert (status, answer["code"]) == (413, 40005)


# Reading back.


async def test_components_keep_their_numbers_and_get_others(wire: Wire) -> None:
    marked = {**CARD, "components": [{**CARD["components"][0], "id": 2**31 - 1}]}  # type: ignore[index]
    for body, numbers in ((CARD, [1, 2]), (marked, [2**31 - 1, 1])):
        message = await post(wire, body)
        _, (seen, *_), _ = await wire.ask("GET", f"/channels/{wire.channel()}/messages?limit=1")
        (container,) = seen["components"]
        assert [container["id"], container["components"][0]["id"]] == numbers
        assert seen["id"] == message["id"]


async def test_a_history_is_read_onwards_from_a_moment(wire: Wire) -> None:
    sent = [(await post(wire, {"content": str(number)}))["id"] for number in range(5)]
    _, page, _ = await wire.ask("GET", f"/channels/{wire.channel()}/messages?limit=2&after={sent[0]}")
    assert [one["content"] for one in page] == ["2", "1"], "the first two after it, newest first"
    _, page, _ = await wire.ask("GET", f"/channels/{wire.channel()}/messages?limit=100&after={sent[4]}")
    assert page == []
    assert (await wire.ask("GET", f"/channels/{wire.channel()}/messages?limit=101"))[0] == 400


async def _until(is_true: Any) -> None:
    async with asyncio.timeout(5):
        while not is_true():
            await asyncio.sleep(0.01)
