"""Sends a dialog a person has filled in: the inputs of a modal become one interaction for the bot."""

from collections.abc import Mapping
from typing import Any

from bot.playground import acting, client_rules, payloads
from bot.playground.client_rules import ClientRefused
from bot.playground.component_shapes import walk
from bot.playground.interactions import Callback, Interaction, Kind
from bot.playground.shapes import Json
from bot.playground.values import User
from bot.playground.world import World

FILE_UPLOAD = 19


def submit(world: World, person: User, *, opened: Interaction, values: Mapping[str, Any]) -> Interaction:
    """Sends a dialog. `values` by custom id; files are the ids of uploads."""
    if opened.callback is not Callback.MODAL or opened.modal is None or opened.person_id != person.id:
        raise ClientRefused("There is no such dialog.")
    if opened.modal_was_submitted:
        raise ClientRefused("This dialog was submitted already.")
    known = {one["custom_id"] for one in walk(opened.modal["components"]) if "custom_id" in one}
    if set(values) - known:
        raise ClientRefused(f"The dialog does not ask for {', '.join(sorted(set(values) - known))}.")
    resolved: Json = {}
    components = [_submitted(world, one, values, resolved) for one in opened.modal["components"]]
    data: Json = {"custom_id": opened.modal["custom_id"], "components": components}
    if resolved:
        data["resolved"] = resolved
    opened.modal_was_submitted = True
    return world.open_interaction(
        Kind.MODAL_SUBMIT,
        person_id=person.id,
        channel_id=opened.channel_id,
        data=data,
        name=opened.name,
        message_id=opened.message_id,
        parent=opened,
    )


def _submitted(world: World, component: Json, values: Mapping[str, Any], resolved: Json, title: str = "") -> Json:
    sent: Json = {"type": component["type"], "id": component["id"]}
    match component["type"]:
        case 18:
            sent["component"] = _submitted(world, component["component"], values, resolved, component["label"])
        case 1:
            sent["components"] = [_submitted(world, one, values, resolved) for one in component["components"]]
        case 10:
            pass
        case kind:
            name = title or component.get("label") or component["custom_id"]
            value = client_rules.modal_value(name, component, values.get(component["custom_id"]))
            sent |= {"custom_id": component["custom_id"], ("value" if kind in (4, 21, 23) else "values"): value}
            if kind == FILE_UPLOAD:
                _resolve_files(world, component, value, resolved)
    return sent


def _resolve_files(world: World, component: Json, upload_ids: list[str], resolved: Json) -> None:
    for upload_id in upload_ids:
        file = acting.uploaded(world, upload_id)
        client_rules.check_file_type(component, file.filename, file.content_type)
        resolved.setdefault("attachments", {})[file.id] = payloads.attachment(world, file)
