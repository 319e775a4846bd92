"""Collects what is wrong with a request body, in the nested shape of Discord's error 50035."""

from typing import Any

from bot.playground import refusals
from bot.playground.shapes import Json

Place = tuple[str | int, ...]


class Form:
    """The findings about one body. `prefix` is where that body sits in the whole request, such as ("data",)."""

    def __init__(self, prefix: Place = ()) -> None:
        self._prefix = prefix
        self._errors: Json = {}

    def wrong(self, place: Place, code: str, sentence: str) -> None:
        spot = self._errors
        for step in (*self._prefix, *place):
            spot = spot.setdefault(str(step), {})
        spot.setdefault("_errors", []).append({"code": code, "message": sentence})

    def refuse_if_wrong(self) -> None:
        if self._errors:
            raise refusals.invalid_form(self._errors)

    def missing(self, place: Place) -> None:
        self.wrong(place, "BASE_TYPE_REQUIRED", "This field is required")

    def text(self, place: Place, value: Any, *, longest: int, shortest: int = 0, required: bool = False) -> bool:
        """True when there is a string of a good length; absent and null are only wrong when required."""
        if value is None:
            if required:
                self.missing(place)
            return False
        if not isinstance(value, str):
            self.wrong(place, "STRING_TYPE_CONVERT", f"Could not interpret {str(value)[:80]!r} as string.")
            return False
        if len(value) > longest:
            self.wrong(place, "BASE_TYPE_MAX_LENGTH", f"Must be {longest} or fewer in length.")
            return False
        if len(value) < shortest:
            if required and not value:
                self.missing(place)
            else:
                self.wrong(place, "BASE_TYPE_BAD_LENGTH", f"Must be between {shortest} and {longest} in length.")
            return False
        return True

    def number(self, place: Place, value: Any, *, least: int, most: int) -> bool:
        if value is None:
            return False
        if not isinstance(value, int) or isinstance(value, bool):
            self.wrong(place, "NUMBER_TYPE_COERCE", f'Value "{str(value)[:80]}" is not int.')
            return False
        if not least <= value <= most:
            self.wrong(place, "NUMBER_TYPE_RANGE", f"int value should be between {least} and {most}.")
            return False
        return True

    def listing(self, place: Place, value: Any, *, most: int, least: int = 0, required: bool = False) -> list[Json]:
        """The objects in a list; an empty list when there is none or it is not one."""
        if value is None:
            if required:
                self.missing(place)
            return []
        if not isinstance(value, list):
            self.wrong(place, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
            return []
        if not least <= len(value) <= most:
            self.wrong(place, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")
        objects = []
        for index, item in enumerate(value):
            if isinstance(item, dict):
                objects.append(item)
            else:
                self.wrong((*place, index), "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
        return objects

    def web_address(self, place: Place, value: Any, *, longest: int = 2048, also: tuple[str, ...] = ()) -> bool:
        if not self.text(place, value, longest=longest, shortest=1, required=True):
            return False
        schemes = ("http://", "https://", *also)
        if not value.lower().startswith(schemes):
            names = ", ".join(repr(scheme.removesuffix("://")) for scheme in schemes)
            self.wrong(place, "URL_TYPE_INVALID_SCHEME", f"Scheme must be one of ({names}).")
            return False
        return True
