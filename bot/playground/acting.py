"""Turns what a person does into interactions for the bot. The page and the people of tests both act through here."""

from collections.abc import Mapping
from typing import Any

from bot.playground import client_rules, command_rules, limits, media, payloads, server_payloads
from bot.playground.client_rules import ClientRefused
from bot.playground.interactions import Interaction, Kind
from bot.playground.mentions import found as mentions_found
from bot.playground.shapes import Json
from bot.playground.values import Attachment, Message, Permission, Upload, User
from bot.playground.world import World

ATTACHMENT = 11
USER_SELECT = 5


def upload(world: World, *, filename: str, data: bytes) -> Attachment:
    """Hands a file to Discord, to be named by a command, a dialog or a message."""
    if len(data) > limits.PERSON_FILE_BYTES:
        raise ClientRefused(f"{filename} is larger than 100 MiB.")
    one = Upload(filename=filename, data=data)
    return world.files.store(one, folder=f"ephemeral-attachments/{world.bot.id}", ephemeral=True)


def say(world: World, person: User, *, channel_id: str, content: str, upload_ids: list[str]) -> Message:
    if len(content) > limits.CONTENT:
        raise ClientRefused("Your message is too long.")
    if len(upload_ids) > limits.FILES:
        raise ClientRefused("You can only upload 10 files at a time.")
    channel = world.channel(channel_id)
    files = [uploaded(world, one) for one in upload_ids]
    if not content.strip() and not files:
        raise ClientRefused("A message needs a text or a file.")
    folder = f"attachments/{channel.id}"
    message = Message(
        id=world.snowflakes.take(),
        channel_id=channel.id,
        author_id=person.id,
        created_at=world.now(),
        content=content.strip(),
        attachments=tuple(world.files.copy(file, folder=folder) for file in files),
        mentions=mentions_found(content, None),
    )
    return world.post(message)


def uploaded(world: World, upload_id: str) -> Attachment:
    file = world.files.find(upload_id)
    if file is None or not file.is_ephemeral:
        raise ClientRefused("That file was not uploaded.")
    return file


def sees(world: World, person: User, message: Message) -> bool:
    if message.ephemeral_for not in (None, person.id):
        return False
    return world.channel(message.channel_id).recipient_id in (None, person.id)


def seen(world: World, person: User, message_id: str) -> Message:
    message = world.find_message(message_id)
    if message is None or not sees(world, person, message):
        raise ClientRefused("There is no such message.")
    return message


# Commands.


def commands_for(world: World, person: User, *, channel_id: str, kind: int = command_rules.CHAT_INPUT) -> list[Json]:
    """The commands of one kind this person's client offers in a channel."""
    channel = world.channel(channel_id)
    offered = []
    for command in world.commands.all():
        if command["type"] != kind:
            continue
        contexts, needed = command["contexts"], command["default_member_permissions"]
        if contexts is not None and (1 if channel.is_direct else 0) not in contexts:
            continue
        if channel.is_direct and not command["dm_permission"]:
            continue
        if needed is not None and not channel.is_direct and not _may(world, person, channel_id, int(needed)):
            continue
        offered.append(command)
    return offered


def _may(world: World, person: User, channel_id: str, needed: int) -> bool:
    held = world.permissions(person.id, world.channel(channel_id))
    return Permission.ADMINISTRATOR in held or (needed != 0 and held & needed == needed)


def command_named(world: World, person: User, name: str, *, channel_id: str) -> Json:
    for command in commands_for(world, person, channel_id=channel_id):
        if name in (command["name"], command["id"]):
            return command
    raise ClientRefused(f"{person.name} is offered no command called {name!r}.")


def use_command(
    world: World, person: User, *, channel_id: str, command: Json, path: tuple[str, ...], given: Mapping[str, Any]
) -> Interaction:
    options = client_rules.subcommand(command, path)
    client_rules.check_names(options, dict(given))
    sent: list[Json] = []
    resolved: Json = {}
    for option in options:
        value = given.get(option["name"])
        if value is None:
            if option.get("required"):
                raise ClientRefused(f"{option['name']} is required.")
            continue
        checked = client_rules.checked_value(option, value)
        _resolve(world, option, checked, channel_id, resolved)
        sent.append({"name": option["name"], "type": option["type"], "value": checked})
    data = _command_data(command, path, sent)
    if resolved:
        data["resolved"] = resolved
    name = " ".join((command["name"], *path))
    return world.open_interaction(Kind.COMMAND, person_id=person.id, channel_id=channel_id, data=data, name=name)


def ask_choices(
    world: World,
    person: User,
    *,
    channel_id: str,
    command: Json,
    path: tuple[str, ...],
    given: Mapping[str, Any],
    focused: str,
) -> Interaction:
    options = client_rules.subcommand(command, path)
    client_rules.check_names(options, dict(given))
    option = next((one for one in options if one["name"] == focused), None)
    if option is None or not option.get("autocomplete"):
        raise ClientRefused(f"{focused} completes nothing.")
    sent: list[Json] = []
    for one in options:
        if one["name"] == focused:
            typed = str(given.get(focused) or "")
            sent.append({"name": focused, "type": one["type"], "value": typed, "focused": True})
        elif given.get(one["name"]) is not None and one["type"] != ATTACHMENT:
            sent.append({"name": one["name"], "type": one["type"], "value": given[one["name"]]})
    data = _command_data(command, path, sent)
    name = " ".join((command["name"], *path))
    return world.open_interaction(Kind.AUTOCOMPLETE, person_id=person.id, channel_id=channel_id, data=data, name=name)


def _command_data(command: Json, path: tuple[str, ...], options: list[Json]) -> Json:
    """Options sit inside their subcommand. A global command carries no guild_id at all, not even null."""
    kinds = {1: (1,), 2: (2, 1)}.get(len(path), ())
    for step, kind in zip(reversed(path), reversed(kinds), strict=True):
        options = [{"name": step, "type": kind, "options": options}]
    data: Json = {"id": command["id"], "name": command["name"], "type": command["type"], "options": options}
    if "guild_id" in command:
        data["guild_id"] = command["guild_id"]
    return data


def _resolve(world: World, option: Json, value: Any, channel_id: str, resolved: Json) -> None:
    match option["type"]:
        case 11:
            file = uploaded(world, value)
            client_rules.check_file_type(option, file.filename, media.content_type_of(file.filename))
            resolved.setdefault("attachments", {})[file.id] = payloads.attachment(world, file)
        case 6 | 9:
            _resolve_user(world, value, channel_id, resolved)
        case 7:
            channel = world.channel(value)
            permissions = str(int(Permission.of_everyone()))
            resolved.setdefault("channels", {})[value] = payloads.channel(world, channel) | {"permissions": permissions}
        case 8:
            raise ClientRefused("There are no roles to choose in the playground.")


def _resolve_user(world: World, user_id: str, channel_id: str, resolved: Json) -> None:
    channel = world.channel(channel_id)
    resolved.setdefault("users", {})[user_id] = payloads.user(world.user(user_id))
    if not channel.is_direct:
        member = server_payloads.acting_member(world, user_id, channel)
        kept = {key: value for key, value in member.items() if key not in ("user", "deaf", "mute")}
        resolved.setdefault("members", {})[user_id] = kept


# Buttons and selects.


def use_component(
    world: World, person: User, *, message_id: str, custom_id: str, values: list[str] | None = None
) -> Interaction:
    """Presses a button or, with values, chooses in a select."""
    message = seen(world, person, message_id)
    component = payloads.component_named({"components": message.components}, custom_id)
    if component is None:
        raise ClientRefused("There is no such button or menu any more.")
    if component.get("disabled"):
        raise ClientRefused(f"{component.get('label') or custom_id} is disabled.")
    data: Json = {"custom_id": custom_id, "component_type": component["type"], "id": component["id"]}
    if component["type"] != 2:
        data["values"] = _chosen(component, values or [])
        if component["type"] == USER_SELECT:
            resolved: Json = data.setdefault("resolved", {})
            for user_id in data["values"]:
                _resolve_user(world, user_id, message.channel_id, resolved)
    name = message.origin.name if message.origin else ""
    return world.open_interaction(
        Kind.COMPONENT,
        person_id=person.id,
        channel_id=message.channel_id,
        data=data,
        name=name,
        message_id=message.id,
    )


def _chosen(component: Json, values: list[str]) -> list[str]:
    title = component.get("placeholder") or component["custom_id"]
    if not component["min_values"] <= len(values) <= component["max_values"]:
        least, most = component["min_values"], component["max_values"]
        raise ClientRefused(f"{title} takes {least} to {most} values.")
    if "options" not in component:
        return values
    by_name = {option[key]: option["value"] for option in component["options"] for key in ("label", "value")}
    unknown = [value for value in values if value not in by_name]
    if unknown:
        raise ClientRefused(f"{unknown[0]!r} is not among the options of {title}.")
    return [by_name[value] for value in values]
