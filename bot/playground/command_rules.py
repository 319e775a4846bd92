"""Checks the application commands a bot registers, and writes them the way Discord answers them."""

import re
from typing import Any

from bot.playground import limits
from bot.playground.form import Form, Place
from bot.playground.shapes import Json

CHAT_INPUT, MESSAGE = 1, 3
SUBCOMMAND, GROUP, STRING, INTEGER, NUMBER, ATTACHMENT = 1, 2, 3, 4, 10, 11
OPTION_TYPES = range(1, 12)
NAME = re.compile(r"[-_'\w]{1,32}")


def check(form: Form, place: Place, command: Json) -> None:
    match kind_of(command):
        case 1 | 4:  # an activity's entry point is named and described like a slash command
            _check_slash_command(form, place, command)
        case 2 | 3:
            _check_menu(form, place, command)
        case _:
            form.wrong((*place, "type"), "BASE_TYPE_CHOICES", "Value must be one of (1, 2, 3, 4).")


def kind_of(command: Json) -> int:
    given = command.get("type")
    if given is None:
        return CHAT_INPUT
    return given if isinstance(given, int) else 0


def check_all(form: Form, commands: list[Json]) -> None:
    """A whole set, as a bulk overwrite sends it."""
    seen: set[tuple[int, str]] = set()
    counts: dict[int, int] = {}
    for index, command in enumerate(commands):
        check(form, (index,), command)
        kind = kind_of(command)
        key = (kind, str(command.get("name")))
        if key in seen:
            sentence = "Application command names must be unique"
            form.wrong((index, "name"), "APPLICATION_COMMANDS_DUPLICATE_NAME", sentence)
        seen.add(key)
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] > limits.COMMANDS_OF_KIND.get(kind, len(commands)):
            form.wrong((index,), "APPLICATION_COMMANDS_MAX_REACHED", "Maximum number of application commands reached")


def _check_slash_command(form: Form, place: Place, command: Json) -> None:
    _check_name(form, (*place, "name"), command.get("name"))
    _check_description(form, (*place, "description"), command.get("description"))
    _check_options(form, place, command.get("options"), depth=0)
    if size(command) > limits.COMMAND_SUM:
        sentence = f"Command exceeds maximum size ({limits.COMMAND_SUM})"
        form.wrong(place, "APPLICATION_COMMAND_TOO_LARGE", sentence)


def _check_menu(form: Form, place: Place, command: Json) -> None:
    """In the menu of a person or of a message there is room for a name, in any letters, and for nothing else."""
    form.text((*place, "name"), command.get("name"), longest=limits.COMMAND_NAME, shortest=1, required=True)
    for key in ("description", "options"):
        if command.get(key):
            code = f"APPLICATION_COMMAND_CONTEXT_MENU_{key.upper()}_INVALID"
            form.wrong((*place, key), code, f"Context menu commands cannot have {key}")


def _check_name(form: Form, place: Place, name: Any) -> None:
    if not form.text(place, name, longest=limits.COMMAND_NAME, shortest=1, required=True):
        return
    if not NAME.fullmatch(name) or name != name.lower():
        form.wrong(place, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")


def _check_description(form: Form, place: Place, description: Any) -> None:
    form.text(place, description, longest=limits.COMMAND_DESCRIPTION, shortest=1, required=True)


def _check_options(form: Form, place: Place, given: Any, *, depth: int) -> None:
    options = form.listing((*place, "options"), given, most=limits.COMMAND_OPTIONS)
    names: set[str] = set()
    optional_seen = False
    for index, option in enumerate(options):
        spot = (*place, "options", index)
        _check_option(form, spot, option, depth=depth)
        if str(option.get("name")) in names:
            sentence = "Application command option names must be unique"
            form.wrong((*spot, "name"), "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", sentence)
        names.add(str(option.get("name")))
        if option.get("required") and optional_seen:
            sentence = "Required options must be placed before non-required options"
            form.wrong((*spot, "required"), "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", sentence)
        optional_seen = optional_seen or not option.get("required")
    kinds = {option.get("type") in (SUBCOMMAND, GROUP) for option in options}
    if len(kinds) > 1:
        sentence = "Sub-command and sub-command group option types are mutually exclusive to all other types"
        form.wrong((*place, "options"), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", sentence)


def _check_option(form: Form, place: Place, option: Json, *, depth: int) -> None:
    kind = option.get("type")
    _check_name(form, (*place, "name"), option.get("name"))
    _check_description(form, (*place, "description"), option.get("description"))
    nesting_is_legal = not (kind == GROUP and depth > 0) and not (kind == SUBCOMMAND and depth > 1)
    if kind not in OPTION_TYPES or not nesting_is_legal:
        form.wrong((*place, "type"), "BASE_TYPE_CHOICES", "Value must be one of the option types allowed here.")
    elif kind in (SUBCOMMAND, GROUP):
        deeper = depth + 1 if kind == GROUP else 2
        _check_options(form, place, option.get("options"), depth=deeper)
    else:
        _check_value_option(form, place, option)


def _check_value_option(form: Form, place: Place, option: Json) -> None:
    choices = form.listing((*place, "choices"), option.get("choices"), most=limits.COMMAND_CHOICES)
    check_choices(form, (*place, "choices"), choices, kind=option["type"])
    if option.get("autocomplete") and choices:
        sentence = "Autocomplete cannot be set when choices are"
        form.wrong((*place, "autocomplete"), "APPLICATION_COMMAND_AUTOCOMPLETE_WITH_CHOICES", sentence)
    form.number((*place, "min_length"), option.get("min_length"), least=0, most=6000)
    form.number((*place, "max_length"), option.get("max_length"), least=1, most=6000)
    if option["type"] == INTEGER:
        for key in ("min_value", "max_value"):
            most = limits.LARGEST_INTEGER
            form.number((*place, key), option.get(key), least=-most, most=most)
    file_types = option.get("file_types")
    if isinstance(file_types, list) and len(file_types) > 10:
        form.wrong((*place, "file_types"), "BASE_TYPE_BAD_LENGTH", "Must be between 0 and 10 in length.")


def check_choices(form: Form, place: Place, choices: list[Json], *, kind: int) -> None:
    for index, choice in enumerate(choices):
        form.text((*place, index, "name"), choice.get("name"), longest=100, shortest=1, required=True)
        value, spot = choice.get("value"), (*place, index, "value")
        if kind == STRING:
            form.text(spot, value, longest=100, required=True)
        elif not isinstance(value, int | float) or isinstance(value, bool):
            form.wrong(spot, "NUMBER_TYPE_COERCE", f'Value "{str(value)[:80]}" is not a number.')


def size(command: Json) -> int:
    """Names, descriptions and values; of the localizations only the longest counts."""
    total = 0
    for key in ("name", "description"):
        texts = [command.get(key) or "", *(command.get(f"{key}_localizations") or {}).values()]
        total += max(len(str(text)) for text in texts)
    for choice in command.get("choices") or []:
        total += len(str(choice.get("name"))) + len(str(choice.get("value")))
    return total + sum(size(option) for option in command.get("options") or [])


def answered(command: Json, *, command_id: str, application_id: str, version: str, guild_id: str | None) -> Json:
    permissions = command.get("default_member_permissions")
    written: Json = {
        "id": command_id,
        "application_id": application_id,
        "version": version,
        "default_member_permissions": None if permissions is None else str(permissions),
        "type": kind_of(command),
        "name": command["name"],
        "name_localizations": command.get("name_localizations"),
        "description": command.get("description") or "",
        "description_localizations": command.get("description_localizations"),
        "dm_permission": command.get("dm_permission") is not False,
        "contexts": command.get("contexts"),
        "integration_types": command.get("integration_types") or [0],
        "nsfw": bool(command.get("nsfw")),
    }
    if command.get("options"):
        written["options"] = [_answered_option(option) for option in command["options"]]
    if guild_id is not None:
        written["guild_id"] = guild_id
    return written


def _answered_option(option: Json) -> Json:
    kept = {key: value for key, value in option.items() if value is not None and value is not False}
    if "options" in kept:
        kept["options"] = [_answered_option(child) for child in kept["options"]]
    return kept
