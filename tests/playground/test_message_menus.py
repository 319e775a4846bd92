"""Commands in the menu of a message: how they are registered, and what a bot and people have of them."""

from pathlib import Path
from typing import Any

import pytest

from bot.playground.client_rules import ClientRefused
from bot.playground.person import DidNotRespond
from bot.playground.reading import text_of
from bot.playground.server import Playground
from tests.playground.bare_wire import Wire
from tests.playground.test_playground_refusals import places

MESSAGE = {"type": 3, "name": "Add my Pictures"}
OPTION = {"type": 3, "name": "a", "description": "d"}
DESCRIBED = "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_INVALID"
BAD_MENUS: dict[str, tuple[dict[str, Any], str]] = {
    "33 letters": ({"name": "x" * 33}, "0.name"),
    "an empty name": ({"name": ""}, "0.name"),
    "no name": ({"name": None}, "0.name"),
    "a description": ({"description": "d"}, "0.description"),
    "options": ({"options": [OPTION]}, "0.options"),
    "an unheard type": ({"type": 5}, "0.type"),
    "a type that is no number": ({"type": ["3"]}, "0.type"),
}


def path_of(wire: Wire) -> str:
    return f"/applications/{wire.playground.world.bot.id}/commands"


@pytest.mark.parametrize("name", BAD_MENUS)
async def test_a_bad_menu_is_refused_where_it_is_wrong(wire: Wire, name: str) -> None:
    more, place = BAD_MENUS[name]
    status, answer, _ = await wire.ask("PUT", path_of(wire), [MESSAGE | more])
    assert (status, answer["code"]) == (400, 50035)
    assert places(answer["errors"]) == {place}
    if name == "a description":
        (wrong,) = answer["errors"]["0"]["description"]["_errors"]
        assert wrong == {"code": DESCRIBED, "message": "Context menu commands cannot have description"}


async def test_a_menu_has_letters_of_any_case_and_no_description(wire: Wire) -> None:
    menus = [MESSAGE, {"type": 3, "name": "x" * 32, "description": ""}]
    status, written, _ = await wire.ask("PUT", path_of(wire), menus)
    assert (status, [one["description"] for one in written]) == (200, ["", ""])
    assert "options" not in written[0]


async def test_names_are_shared_between_types_but_not_within_one(wire: Wire) -> None:
    slash = {"name": "hi", "description": "d"}
    status, written, _ = await wire.ask("PUT", path_of(wire), [slash, {"type": 3, "name": "hi"}])
    assert (status, [one["type"] for one in written]) == (200, [1, 3])
    assert written[0]["id"] != written[1]["id"]
    status, answer, _ = await wire.ask("PUT", path_of(wire), [MESSAGE, MESSAGE])
    assert (status, places(answer["errors"])) == (400, {"1.name"})


async def test_there_are_at_most_fifteen_menus_beside_the_slash_commands(wire: Wire) -> None:
    menus = [{"type": 3, "name": f"Menu {one}"} for one in range(16)]
    assert (await wire.ask("PUT", path_of(wire), menus))[0] == 400
    full = [*menus[:15], {"name": "hi", "description": "d"}]
    assert (await wire.ask("PUT", path_of(wire), full))[0] == 200
    status, answer, _ = await wire.ask("POST", path_of(wire), menus[15])
    assert (status, answer["code"]) == (400, 30032)
    assert "(15)" in answer["message"]
    assert (await wire.ask("POST", path_of(wire), menus[0]))[0] == 200


async def test_the_menu_of_a_person_is_not_in_the_playground(wire: Wire) -> None:
    status, answer, _ = await wire.ask("PUT", path_of(wire), [{"type": 2, "name": "High Five"}])
    assert status == 501
    assert "menu of a person" in answer["message"]
    assert (await wire.ask("GET", path_of(wire)))[1] == []


async def test_a_bot_gets_the_whole_message_although_it_may_not_read_any(
    bot: Any, playground: Playground, picture: Path, dataset: Path
) -> None:
    ann, ben = playground.person("Ann"), playground.person("Ben")
    said = await ann.say("my cat", channel="training", files=[picture, dataset])
    answer = await ben.use_menu(said, "Weigh the Files")
    assert (answer.is_deferred, answer.is_ephemeral) == (True, True)
    sizes = [path.stat().st_size for path in (picture, dataset)]
    weighed = f"my_cat.png {sizes[0]} {sizes[0]}, cats.zip {sizes[1]} {sizes[1]}"
    assert text_of(await answer.final()) == f"ann: my cat: {weighed}"
    assert "my cat" not in bot.heard
    assert [text_of(one) for one in ann.sees("training")] == ["my cat"]


async def test_an_answer_says_which_message_it_is_about(bot: Any, playground: Playground) -> None:
    ann = playground.person("Ann")
    said = await ann.say("echo")
    answer = await ann.use_menu(said, "repeat")
    assert answer.message is not None
    assert (answer.text, answer.message["type"]) == ("echo", 23)
    assert answer.message["interaction_metadata"]["target_message_id"] == said["id"]
    assert answer.message["interaction"]["name"] == "repeat"
    channel = bot.get_channel(int(said["channel_id"]))
    fetched = await channel.fetch_message(int(answer.message["id"]))
    assert fetched.interaction_metadata.target_message_id == int(said["id"])
    again = await ann.use_menu(answer, "repeat")
    assert again.text == "echo"


async def test_a_menu_opens_a_dialog(bot: Any, playground: Playground, picture: Path) -> None:
    ann = playground.person("Ann")
    dialog = await ann.use_menu(await ann.say("x"), "Fill in")
    entered = {"Trigger word": "ohwx", "Pictures": [picture], "Style": "Photo"}
    answer = await ann.submit(dialog, entered)
    assert text_of(await answer.final()) == f"ohwx photo [{picture.stat().st_size}]"
    assert answer.message is not None
    began = answer.message["interaction_metadata"]["triggering_interaction_metadata"]
    assert "target_message_id" in began


async def test_a_menu_works_in_direct_messages(bot: Any, playground: Playground) -> None:
    ben = playground.person("Ben")
    answer = await ben.use_menu(await ben.say("psst", channel="dm"), "repeat")
    assert answer.text == "psst"


async def test_a_person_uses_menus_only_of_messages_they_see_and_discord_keeps(
    bot: Any, playground: Playground
) -> None:
    ann, ben = playground.person("Ann"), playground.person("Ben")
    direct = await ben.say("psst", channel="dm")
    secret = await ben.command("secret")
    for hidden in (direct, secret):
        with pytest.raises(ClientRefused, match="no such message"):
            await ann.use_menu(hidden, "repeat")
    with pytest.raises(ClientRefused, match="for one person"):
        await ben.use_menu(secret, "repeat")
    said = await ann.say("x")
    for name in ("buttons", "Repeat"):
        with pytest.raises(ClientRefused, match="offers Ann no"):
            await ann.use_menu(said, name)
    with pytest.raises(ClientRefused):
        await ann.command("repeat")


async def test_a_bot_that_ignores_a_menu_did_not_respond(bot: Any, playground: Playground) -> None:
    ann = playground.person("Ann")
    with pytest.raises(DidNotRespond):
        await ann.use_menu(await ann.say("x"), "Ignore")
