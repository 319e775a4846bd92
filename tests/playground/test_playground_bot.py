"""A real discord.py bot living in the playground, seen through what people do and see."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest

from bot.playground.client_rules import ClientRefused
from bot.playground.person import DidNotRespond
from bot.playground.reading import labels_of, media_of, text_of
from bot.playground.server import Playground


async def test_a_command_answers_and_its_button_edits_the_message(bot: Any, playground: Playground) -> None:
    ann = playground.person("Ann")
    answer = await ann.command("buttons", channel="training")
    assert answer.text == "press one"
    assert answer.labels == ["Start", "Fill in", "Slowly"]
    pressed = await ann.press(answer, "Start")
    assert pressed.message is not None
    assert pressed.message["id"] == answer.message["id"]  # type: ignore[index]
    assert answer.text == "started"
    with pytest.raises(ClientRefused, match="disabled"):
        await ann.press(answer, "Start")


async def test_a_deferred_press_ends_in_an_edit(bot: Any, playground: Playground) -> None:
    ann = playground.person("Ann")
    pressed = await ann.press(await ann.command("buttons"), "Slowly")
    assert pressed.is_deferred
    assert text_of(await pressed.final()) == "slowly done"


async def test_a_choice_is_answered_for_one_person_only(bot: Any, playground: Playground) -> None:
    ann, ben = playground.person("Ann"), playground.person("Ben")
    shown = await ann.command("buttons")
    answer = await ann.choose(shown, "Colour", "Green")
    assert (answer.text, answer.is_ephemeral) == ("chose green", True)
    assert [text_of(one) for one in ann.sees("general")] == ["press one", "chose green"]
    assert [text_of(one) for one in ben.sees("general")] == ["press one"]
    with pytest.raises(ClientRefused):
        await ann.choose(shown, "Colour", "Blue")


async def test_a_dialog_hands_over_texts_and_files(bot: Any, playground: Playground, picture: Path) -> None:
    ann = playground.person("Ann")
    dialog = await ann.press(await ann.command("buttons"), "Fill in")
    assert dialog.modal is not None
    assert dialog.modal["title"] == "Your pictures"
    entered = {"Trigger word": "ohwx", "Pictures": [picture, picture], "Style": "Drawing"}
    for broken in ({"Trigger word": "x"}, {"Trigger word": "x" * 11}, {"Pictures": [picture] * 4}, {"Pictures": []}):
        with pytest.raises(ClientRefused):
            await ann.submit(dialog, entered | broken)
    answer = await ann.submit(dialog, entered)
    size = picture.stat().st_size
    assert text_of(await answer.final()) == f"ohwx drawing [{size}, {size}]"
    with pytest.raises(ClientRefused, match="already"):
        await ann.submit(dialog, entered)


async def test_a_zip_is_read_from_the_cdn_and_a_follow_up_fills_the_deferral(
    bot: Any, playground: Playground, dataset: Path
) -> None:
    answer = await playground.person("Ann").command("count", dataset=dataset, times=3)
    assert answer.is_deferred
    assert text_of(await answer.final()) == "6 files"
    assert answer.follow_ups == []


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("count", {}),
        ("count", {"dataset": "nothing", "times": 2}),
        ("count", {"dataset": "nothing", "times": 4}),
        ("paint", {"model": "cats", "size": 3}),
        ("paint", {"model": 3}),
        ("models", {}),
        ("models drop", {}),
        ("unheard", {}),
    ],
)
async def test_a_client_does_not_send_what_the_command_does_not_take(
    bot: Any, playground: Playground, name: str, given: dict[str, Any]
) -> None:
    with pytest.raises(ClientRefused):
        await playground.person("Ann").command(name, options=given)


async def test_subcommands_and_completion(bot: Any, playground: Playground) -> None:
    ann = playground.person("Ann")
    assert (await ann.command("models list", page=2)).text == "page 2"
    choices = await ann.autocomplete("paint", option="model", typed="ca")
    assert [choice["value"] for choice in choices] == ["cats", "castles"]


async def test_a_silent_bot_did_not_respond(bot: Any, playground: Playground) -> None:
    with pytest.raises(DidNotRespond):
        await playground.person("Ann").command("silent")


async def test_a_card_is_edited_with_the_bots_own_token(bot: Any, playground: Playground) -> None:
    answer = await playground.person("Ann").command("card")
    shown = await playground.wait_for(lambda message: text_of(message) == "trained", channel="general")
    assert answer.message is not None
    assert shown["id"] == answer.message["id"]
    assert labels_of(shown) == ["Stop"]
    (media,) = media_of(shown)
    assert (media["width"], media["height"], media["content_type"]) == (1, 1, "image/png")
    async with aiohttp.ClientSession() as session, session.get(media["url"]) as response:
        assert response.status == 200
        assert (await response.read()).startswith(b"\x89PNG")


async def test_an_ephemeral_answer_is_unknown_to_the_bots_token(bot: Any, playground: Playground) -> None:
    answer = await playground.person("Ann").command("secret")
    assert answer.message is not None
    channel = bot.get_channel(int(answer.message["channel_id"]))
    with pytest.raises(discord.NotFound) as caught:
        await channel.get_partial_message(int(answer.message["id"])).edit(content="more")
    assert caught.value.code == 10008


async def test_a_session_is_resumed_with_what_it_missed(bot: Any, playground: Playground) -> None:
    await asyncio.sleep(0.2)
    await playground.reset_connections()
    await playground.person("Ann").say("while you were away", channel="general")
    await asyncio.wait_for(bot.resumed.wait(), 5)
    await bot.wait_until_ready()
    assert bot.heard == [""], "the bot hears that something was said, not what: it has no right to read it"
    assert (await playground.person("Ann").command("models list")).text == "page 1"


async def test_the_bot_is_heard_and_hears_itself(bot: Any, playground: Playground) -> None:
    await bot.wait_until_ready()
    channel = discord.utils.get(bot.get_all_channels(), name="gallery")
    ann = playground.person("Ann")
    sent = await channel.send(f"hello <@{ann.id}>", allowed_mentions=discord.AllowedMentions.none())
    assert sent.mentions == []
    pinged = await sent.reply(f"hello <@{ann.id}>", mention_author=False)
    assert [user.name for user in pinged.mentions] == ["ann"]
    assert pinged.reference.message_id == sent.id
    assert [message.id async for message in channel.history()] == [pinged.id, sent.id]
    await sent.delete()
    with pytest.raises(discord.NotFound):
        await channel.fetch_message(sent.id)
    assert not playground.unknown_routes


async def test_a_direct_message_reaches_its_person(bot: Any, playground: Playground) -> None:
    ben = playground.person("Ben")
    user = await bot.fetch_user(int(ben.id))
    await user.send("psst")
    assert [text_of(message) for message in ben.sees("dm")] == ["psst"]
    assert (await ben.command("models list", channel="dm")).text == "page 1"
    await ben.say("hello bot", channel="dm")
    await asyncio.sleep(0.1)
    assert "hello bot" in bot.heard


async def test_a_forbidden_channel_refuses_messages(bot: Any, playground: Playground) -> None:
    await bot.wait_until_ready()
    channel = discord.utils.get(bot.get_all_channels(), name="gallery")
    playground.forbid("gallery")
    with pytest.raises(discord.Forbidden) as caught:
        await channel.send("x")
    assert caught.value.code == 50001
    playground.allow("gallery")
    await channel.send("x")


async def test_ordered_failures_happen_once(bot: Any, playground: Playground) -> None:
    await bot.wait_until_ready()
    channel = discord.utils.get(bot.get_all_channels(), name="gallery")
    playground.fail_next("POST", "/messages$", 503)
    with pytest.raises(discord.DiscordServerError):
        await channel.send("x")
    playground.fail_next("POST", "/messages$", 429)
    await channel.send("y")
    playground.lose_next_answer("POST", "/messages$")
    with pytest.raises(aiohttp.ClientError):
        await channel.send("z", nonce="job-1")
    await channel.send("z", nonce="job-1")
    assert [message["content"] for message in playground.messages("gallery")] == ["y", "z"]


async def test_a_playground_that_stops_does_not_wait_for_its_bot(bot: Any, playground: Playground) -> None:
    await asyncio.wait_for(playground.stop(), 3)


async def test_a_file_that_cannot_be_fetched(bot: Any, playground: Playground, dataset: Path) -> None:
    playground.fail_next("GET", "^/ephemeral-attachments/", 500)
    answer = await playground.person("Ann").command("count", dataset=dataset)
    with pytest.raises(TimeoutError):
        await answer.final(timeout=0.3)
