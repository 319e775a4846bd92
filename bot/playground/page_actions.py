"""What the page can ask for, one function per action of the protocol in page_socket.py."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bot.playground import acting, dialogs, limits, menus, payloads, reading
from bot.playground.client_rules import ClientRefused
from bot.playground.component_shapes import walk
from bot.playground.shapes import Json
from bot.playground.values import Message, User
from bot.playground.world import World

HISTORY = 50
INTEGER, NUMBER = 4, 10


class Viewer:
    """One open page and the person it acts as. `outbox` is what still has to be written to it."""

    def __init__(self, world: World, *, person: User, hidden: set[str], bot_is_online: Callable[[], bool]) -> None:
        self.world = world
        self.person = person
        self.hidden = hidden
        self.bot_is_online = bot_is_online
        self.outbox: asyncio.Queue[Json] = asyncio.Queue()

    def push(self, payload: Json) -> None:
        self.outbox.put_nowait(payload)

    def sees(self, message: Message) -> bool:
        return message.id not in self.hidden and acting.sees(self.world, self.person, message)

    def message(self, message: Message) -> Json:
        payload = payloads.message(self.world, message)
        if message.ephemeral_for is not None:
            payload["ephemeral_for"] = message.ephemeral_for
        if message.is_loading:
            payload["loading"] = True
        if message.origin is not None:
            payload["interaction_metadata"] = payload["interaction_metadata"] | {"name": message.origin.name}
        return payload

    def commands(self) -> Json:
        """Those for the slash, and those in the menu of a message."""
        general = next(iter(self.world.channels))
        return {
            "commands": acting.commands_for(self.world, self.person, channel_id=general),
            "menus": menus.offered(self.world, self.person, channel_id=general),
        }

    def servers(self) -> list[Json]:
        open_to_all = [one for one in self.world.channels.values() if not one.is_direct]
        direct = [one for one in self.world.channels.values() if one.recipient_id == self.person.id]
        bot = self.world.bot.name
        own = {"id": self.world.server.id, "name": self.world.server.name}
        listed = [
            {"id": one.id, "name": one.name, "topic": one.topic, "type": 11 if one.parent_id else 0}
            for one in open_to_all
        ]
        servers: list[Json] = [own | {"channels": listed}]
        if direct:
            letters = [{"id": one.id, "name": bot, "topic": None, "type": 1} for one in direct]
            servers.append({"id": "@me", "name": "Direct messages", "channels": letters})
        return servers


async def act_as(viewer: Viewer, asked: Json) -> Json:
    world = viewer.world
    person_id = asked.get("person_id")
    if person_id is not None and person_id not in world.people:
        raise ClientRefused("There is no such person in the playground.")
    if person_id is not None:
        viewer.person = world.people[person_id]
    return {
        "me": payloads.user(viewer.person),
        "people": [payloads.user(person) for person in world.people.values()],
        "bot": payloads.user(world.bot),
        "bot_online": viewer.bot_is_online(),
        "servers": viewer.servers(),
        **viewer.commands(),
    }


async def messages(viewer: Viewer, asked: Json) -> Json:
    channel = viewer.world.channel(asked["channel_id"])
    seen = [one for one in viewer.world.messages_in(channel.id) if viewer.sees(one)]
    if asked.get("before"):
        seen = [one for one in seen if int(one.id) < int(asked["before"])]
    limit = max(1, min(int(asked.get("limit") or HISTORY), HISTORY))
    return {"messages": [viewer.message(one) for one in seen[-limit:]]}


async def say(viewer: Viewer, asked: Json) -> Json:
    message = acting.say(
        viewer.world,
        viewer.person,
        channel_id=asked["channel_id"],
        content=str(asked.get("content") or ""),
        upload_ids=list(asked.get("upload_ids") or []),
    )
    return {"message": viewer.message(message)}


def _command(viewer: Viewer, asked: Json) -> Json:
    name, channel_id = asked["command_id"], asked["channel_id"]
    return acting.command_named(viewer.world, viewer.person, name, channel_id=channel_id)


async def command(viewer: Viewer, asked: Json) -> Json:
    interaction = acting.use_command(
        viewer.world,
        viewer.person,
        channel_id=asked["channel_id"],
        command=_command(viewer, asked),
        path=tuple(asked.get("path") or ()),
        given=asked.get("options") or {},
    )
    return {"interaction_id": interaction.id}


async def autocomplete(viewer: Viewer, asked: Json) -> Json:
    interaction = acting.ask_choices(
        viewer.world,
        viewer.person,
        channel_id=asked["channel_id"],
        command=_command(viewer, asked),
        path=tuple(asked.get("path") or ()),
        given=asked.get("options") or {},
        focused=asked["focused"],
    )

    def look() -> list[Json] | None:
        return interaction.choices

    return {"choices": await reading.until(viewer.world, look, timeout=limits.ANSWER_SECONDS)}


async def use_menu(viewer: Viewer, asked: Json) -> Json:
    interaction = menus.use(viewer.world, viewer.person, message_id=asked["message_id"], name=asked["command_id"])
    return {"interaction_id": interaction.id}


async def press(viewer: Viewer, asked: Json) -> Json:
    interaction = acting.use_component(
        viewer.world,
        viewer.person,
        message_id=asked["message_id"],
        custom_id=asked["custom_id"],
        values=asked.get("values"),
    )
    return {"interaction_id": interaction.id}


async def submit_modal(viewer: Viewer, asked: Json) -> Json:
    opened = viewer.world.interactions.get(asked["modal_interaction_id"])
    if opened is None or opened.modal is None:
        raise ClientRefused("There is no such dialog.")
    known = {one["custom_id"] for one in walk(opened.modal["components"]) if "custom_id" in one}
    values: dict[str, Any] = {key: value for key, value in (asked.get("values") or {}).items() if key in known}
    interaction = dialogs.submit(viewer.world, viewer.person, opened=opened, values=values)
    return {"interaction_id": interaction.id}


async def dismiss(viewer: Viewer, asked: Json) -> Json:
    """Hides the message on this person's pages; the bot, as on Discord, is not told."""
    message = viewer.world.find_message(asked["message_id"])
    if message is None or message.ephemeral_for != viewer.person.id:
        raise ClientRefused("Only a message for you alone can be dismissed.")
    viewer.hidden.add(message.id)
    viewer.push({"event": "message_delete", "channel_id": message.channel_id, "id": message.id})
    return {}


ACTIONS: dict[str, Callable[[Viewer, Json], Awaitable[Json]]] = {
    action.__name__: action
    for action in (act_as, messages, say, command, autocomplete, use_menu, press, submit_modal, dismiss)
}
