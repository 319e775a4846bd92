"""What a person's own Discord client refuses before anything is sent: options, files and dialogs out of bounds."""

from pathlib import PurePath
from typing import Any

from bot.playground import command_rules
from bot.playground.shapes import Json

FAMILIES = ("image", "video", "audio")


class ClientRefused(Exception):
    """The client would not let a person do this. Its text is a sentence."""


def subcommand(command: Json, path: tuple[str, ...]) -> list[Json]:
    """The value options of a command, or of the subcommand that `path` leads to."""
    options: list[Json] = command.get("options", [])
    for step in path:
        found = next((one for one in options if one["name"] == step and one["type"] in (1, 2)), None)
        if found is None:
            raise ClientRefused(f"/{command['name']} has no subcommand {step!r}.")
        options = found.get("options", [])
    if any(one["type"] in (1, 2) for one in options):
        names = ", ".join(one["name"] for one in options)
        raise ClientRefused(f"/{command['name']} needs one of its subcommands: {names}.")
    return options


def check_names(options: list[Json], given: Json) -> None:
    unknown = set(given) - {option["name"] for option in options}
    if unknown:
        raise ClientRefused(f"There is no option called {', '.join(sorted(unknown))}.")


def checked_value(option: Json, value: Any) -> Any:
    """The value as the client sends it."""
    name, kind = option["name"], option["type"]
    if option.get("choices"):
        for choice in option["choices"]:
            if value in (choice["value"], choice["name"]):
                return choice["value"]
        raise ClientRefused(f"{value!r} is not among the choices of {name}.")
    match kind:
        case command_rules.STRING:
            return _checked_string(option, value)
        case command_rules.INTEGER | command_rules.NUMBER:
            return _checked_number(option, value)
        case 5:
            if not isinstance(value, bool):
                raise ClientRefused(f"{name} is either true or false.")
            return value
        case _:
            return str(value)


def _checked_string(option: Json, value: Any) -> str:
    name = option["name"]
    if not isinstance(value, str):
        raise ClientRefused(f"{name} is a text.")
    if len(value) < option.get("min_length", 0) or (option.get("required") and not value):
        raise ClientRefused(f"{name} is too short.")
    if len(value) > option.get("max_length", 6000):
        raise ClientRefused(f"{name} is too long.")
    return value


def _checked_number(option: Json, value: Any) -> int | float:
    name = option["name"]
    kinds = int if option["type"] == command_rules.INTEGER else int | float
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise ClientRefused(f"{name} is a number.")
    if "min_value" in option and value < option["min_value"]:
        raise ClientRefused(f"{name} is at least {option['min_value']}.")
    if "max_value" in option and value > option["max_value"]:
        raise ClientRefused(f"{name} is at most {option['max_value']}.")
    return value


def check_file_type(holder: Json, filename: str, content_type: str) -> None:
    """`file_types` looks at the name only, never at the bytes."""
    wanted = holder.get("file_types") or []
    ending, family = PurePath(filename).suffix.lower(), content_type.partition("/")[0]
    if wanted and not any(family == one if one in FAMILIES else ending == one.lower() for one in wanted):
        raise ClientRefused(f"{filename} is not one of these types: {', '.join(wanted)}.")


# Dialogs.


def modal_value(title: str, component: Json, given: Any) -> Any:
    """What the client submits for one input of a dialog, from what the person entered (None: nothing)."""
    is_required = component.get("required") is not False
    match component["type"]:
        case 4:
            return _entered_text(title, component, given, is_required=is_required)
        case 21:
            return _picked_one(title, component, given, is_required=is_required)
        case 23:
            return bool(component.get("default")) if given is None else bool(given)
        case _:
            return _picked_many(title, component, given, is_required=is_required)


def _entered_text(title: str, component: Json, given: Any, *, is_required: bool) -> str:
    text = (component.get("value") or "") if given is None else given
    if not isinstance(text, str):
        raise ClientRefused(f"{title} is a text.")
    if not text and not is_required:
        return ""
    if not text:
        raise ClientRefused(f"{title} is required.")
    if len(text) < (component.get("min_length") or 0):
        raise ClientRefused(f"{title} is too short.")
    if len(text) > (component.get("max_length") or 4000):
        raise ClientRefused(f"{title} is too long.")
    return text


def _option_value(title: str, component: Json, given: Any) -> str:
    for option in component["options"]:
        if given in (option["value"], option["label"]):
            return str(option["value"])
    raise ClientRefused(f"{given!r} is not among the options of {title}.")


def _picked_one(title: str, component: Json, given: Any, *, is_required: bool) -> str | None:
    if given is None:
        given = next((option["value"] for option in component["options"] if option.get("default")), None)
    if given is None:
        if is_required:
            raise ClientRefused(f"{title} is required.")
        return None
    return _option_value(title, component, given)


def _picked_many(title: str, component: Json, given: Any, *, is_required: bool) -> list[str]:
    options = component.get("options")
    if given is None:
        given = [option["value"] for option in options or [] if option.get("default")]
    elif not isinstance(given, list | tuple):
        given = [given]
    picked = [_option_value(title, component, one) if options else str(one) for one in given]
    is_checkbox_group = component["type"] == 22
    least, most = component.get("min_values"), component.get("max_values")
    most = (len(component["options"]) if is_checkbox_group else 1) if most is None else most
    if not picked and not is_required:
        return []
    if len(picked) < (1 if least is None else least) or (is_required and not picked):
        raise ClientRefused(f"{title} needs more.")
    if len(picked) > most:
        raise ClientRefused(f"{title} takes at most {most}.")
    return picked
