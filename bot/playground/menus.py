"""The menu of a message: the bot's message commands in it, and using one of them."""

from bot.playground import acting, command_rules, payloads
from bot.playground.client_rules import ClientRefused
from bot.playground.interactions import Interaction, Kind
from bot.playground.shapes import Json
from bot.playground.values import User
from bot.playground.world import World


def offered(world: World, person: User, *, channel_id: str) -> list[Json]:
    return acting.commands_for(world, person, channel_id=channel_id, kind=command_rules.MESSAGE)


def use(world: World, person: User, *, message_id: str, name: str) -> Interaction:
    """Uses the command of this name (or id) on a message that the person sees."""
    message = acting.seen(world, person, message_id)
    if message.ephemeral_for is not None:
        # Discord keeps no ephemeral message that it could hand to the bot, so its client offers no commands there.
        raise ClientRefused("A message for one person has no commands in its menu.")
    for command in offered(world, person, channel_id=message.channel_id):
        if name in (command["name"], command["id"]):
            break
    else:
        raise ClientRefused(f"The menu of this message offers {person.name} no {name!r}.")
    # The bot gets the whole message here, also when it may not read messages otherwise.
    data: Json = {"id": command["id"], "name": command["name"], "type": command["type"], "target_id": message.id}
    data["resolved"] = {"messages": {message.id: payloads.message(world, message)}}
    if "guild_id" in command:
        data["guild_id"] = command["guild_id"]
    return world.open_interaction(
        Kind.COMMAND, person_id=person.id, channel_id=message.channel_id, data=data, name=command["name"]
    )
