"""Writes checked components the way Discord answers them: known keys only, each with its id."""

from collections.abc import Callable, Iterator
from itertools import count

from bot.playground import component_rules as rules
from bot.playground.shapes import Json

MediaOf = Callable[[str], Json]


class Answered:
    """Numbers components in the order they are read, as Discord does, around the ids the sender chose."""

    def __init__(self, components: list[Json], media_of: MediaOf) -> None:
        self._components = components
        self._media_of = media_of
        self._taken = {component["id"] for component in walk(components) if component.get("id")}
        self._counter = count(1)

    def write(self) -> tuple[Json, ...]:
        return tuple(self._one(component) for component in self._components)

    def _id(self, component: Json) -> int:
        if component.get("id"):
            return int(component["id"])
        return next(number for number in self._counter if number not in self._taken)

    def _one(self, component: Json) -> Json:
        kind = component["type"]
        written: Json = {"type": kind, "id": self._id(component)}
        if "accessory" in component:
            written["components"] = [self._one(child) for child in component["components"]]
            written["accessory"] = self._one(component["accessory"])
        elif "components" in component:
            written["components"] = [self._one(child) for child in component["components"]]
        return written | self._own(kind, component)

    def _own(self, kind: int, component: Json) -> Json:
        match kind:
            case rules.ACTION_ROW | rules.SECTION:
                return {}
            case rules.BUTTON:
                return _present(component, "custom_id", "style", "label", "disabled", "emoji", "url")
            case rules.TEXT_DISPLAY:
                return {"content": component["content"]}
            case rules.THUMBNAIL:
                return self._picture(component)
            case rules.GALLERY:
                return {"items": [self._picture(item) for item in component["items"]]}
            case rules.FILE:
                media = self._media_of(component["file"]["url"])
                return {"file": media, "spoiler": bool(component.get("spoiler"))}
            case rules.SEPARATOR:
                divider = component.get("divider")
                return {"spacing": component.get("spacing") or 1, "divider": True if divider is None else divider}
            case rules.CONTAINER:
                color = component.get("accent_color")
                return {"accent_color": color, "spoiler": bool(component.get("spoiler"))}
            case _:
                return _select(component)

    def _picture(self, holder: Json) -> Json:
        return {
            "media": self._media_of(holder["media"]["url"]),
            "description": holder.get("description"),
            "spoiler": bool(holder.get("spoiler")),
        }


def _present(component: Json, *keys: str) -> Json:
    return {key: component[key] for key in keys if component.get(key) is not None}


def _select(component: Json) -> Json:
    least, most = component.get("min_values"), component.get("max_values")
    written = _present(component, "custom_id", "placeholder", "disabled", "default_values", "channel_types")
    written |= {"min_values": 1 if least is None else least, "max_values": 1 if most is None else most}
    if component["type"] == rules.STRING_SELECT:
        keys = ("label", "value", "description", "emoji", "default")
        written["options"] = [_present(option, *keys) for option in component["options"]]
    return written


def walk(components: list[Json] | tuple[Json, ...]) -> Iterator[Json]:
    """Every component, parents before children, in the order a reader sees them."""
    for component in components:
        yield component
        yield from walk(component.get("components") or [])
        for single in ("component", "accessory"):
            if isinstance(component.get(single), dict):
                yield from walk([component[single]])


def media_in(components: tuple[Json, ...]) -> Iterator[Json]:
    for component in walk(components):
        for holder in (component, *component.get("items", [])):
            for key in ("media", "file"):
                if key in holder:
                    yield holder[key]
