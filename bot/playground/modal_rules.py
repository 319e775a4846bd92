"""Checks a modal the bot wants to open, and writes it the way a person's client receives it."""

from bot.playground import limits
from bot.playground.component_rules import ENTITY_SELECTS, STRING_SELECT, check_options, check_select
from bot.playground.component_shapes import walk
from bot.playground.form import Form, Place
from bot.playground.shapes import Json

ACTION_ROW, TEXT_INPUT, TEXT_DISPLAY, LABEL = 1, 4, 10, 18
FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX = 19, 21, 22, 23
IN_LABEL = (STRING_SELECT, TEXT_INPUT, *ENTITY_SELECTS, FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX)


def check(form: Form, modal: Json) -> None:
    form.text(("title",), modal.get("title"), longest=limits.MODAL_TITLE, shortest=1, required=True)
    form.text(("custom_id",), modal.get("custom_id"), longest=limits.CUSTOM_ID, shortest=1, required=True)
    place = ("components",)
    most = limits.MODAL_COMPONENTS
    components = form.listing(place, modal.get("components"), least=1, most=most, required=True)
    custom_ids: set[str] = set()
    for index, component in enumerate(components):
        spot = (*place, index)
        match component.get("type"):
            case 18:
                _check_label(form, spot, component, custom_ids)
            case 1:
                _check_row(form, spot, component, custom_ids)
            case 10:
                form.text((*spot, "content"), component.get("content"), longest=4000, shortest=1, required=True)
            case _:
                form.wrong((*spot, "type"), "BASE_TYPE_CHOICES", "Value must be one of {1, 10, 18}.")


def _check_row(form: Form, place: Place, row: Json, custom_ids: set[str]) -> None:
    inputs = form.listing((*place, "components"), row.get("components"), least=1, most=1, required=True)
    for index, component in enumerate(inputs):
        spot = (*place, "components", index)
        if component.get("type") != TEXT_INPUT:
            form.wrong((*spot, "type"), "BASE_TYPE_CHOICES", "Value must be one of {4}.")
            continue
        form.text((*spot, "label"), component.get("label"), longest=limits.MODAL_LABEL, shortest=1, required=True)
        _check_input(form, spot, component, custom_ids)


def _check_label(form: Form, place: Place, label: Json, custom_ids: set[str]) -> None:
    form.text((*place, "label"), label.get("label"), longest=limits.MODAL_LABEL, shortest=1, required=True)
    form.text((*place, "description"), label.get("description"), longest=limits.MODAL_DESCRIPTION, shortest=1)
    component, spot = label.get("component"), (*place, "component")
    if not isinstance(component, dict):
        form.missing(spot)
    elif component.get("type") not in IN_LABEL:
        form.wrong((*spot, "type"), "BASE_TYPE_CHOICES", f"Value must be one of {set(IN_LABEL)}.")
    else:
        _check_input(form, spot, component, custom_ids)


def _check_input(form: Form, place: Place, component: Json, custom_ids: set[str]) -> None:
    spot, custom_id = (*place, "custom_id"), component.get("custom_id")
    if form.text(spot, custom_id, longest=limits.CUSTOM_ID, shortest=1, required=True):
        if custom_id in custom_ids:
            form.wrong(spot, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
        custom_ids.add(str(custom_id))
    match component["type"]:
        case 4:
            _check_text_input(form, place, component)
        case 19:
            form.number((*place, "min_values"), component.get("min_values"), least=0, most=limits.FILES)
            form.number((*place, "max_values"), component.get("max_values"), least=1, most=limits.FILES)
        case 21:
            check_options(form, place, component, least=2, most=10)
        case 22:
            check_options(form, place, component, least=1, most=10)
        case 23:
            pass
        case _:
            check_select(form, place, component)


def _check_text_input(form: Form, place: Place, component: Json) -> None:
    form.text((*place, "value"), component.get("value"), longest=limits.TEXT_INPUT)
    form.text((*place, "placeholder"), component.get("placeholder"), longest=limits.TEXT_INPUT_PLACEHOLDER)
    form.number((*place, "min_length"), component.get("min_length"), least=0, most=limits.TEXT_INPUT)
    form.number((*place, "max_length"), component.get("max_length"), least=1, most=limits.TEXT_INPUT)
    if component.get("style") not in (1, 2):
        form.wrong((*place, "style"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2}.")


def answered(modal: Json) -> Json:
    """The modal with every component numbered, as the person's client and the submission name them."""
    components = [_copy(component) for component in modal["components"]]
    for number, component in enumerate(walk(components), start=1):
        component["id"] = component.get("id") or number
    return {"custom_id": modal["custom_id"], "title": modal["title"], "components": components}


def _copy(component: Json) -> Json:
    copied = dict(component)
    if "components" in copied:
        copied["components"] = [_copy(child) for child in copied["components"]]
    if "component" in copied:
        copied["component"] = _copy(copied["component"])
    return copied
