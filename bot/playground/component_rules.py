"""Checks the components of a message: rows, buttons and selects, and the cards of Components V2."""

from collections.abc import Callable
from typing import Any

from bot.playground import limits
from bot.playground.form import Form, Place
from bot.playground.shapes import Json

ACTION_ROW, BUTTON, STRING_SELECT = 1, 2, 3
ENTITY_SELECTS = (5, 6, 7, 8)
SECTION, TEXT_DISPLAY, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER = 9, 10, 11, 12, 13, 14, 17
LINK_STYLE = 5
IN_CONTAINER = (ACTION_ROW, SECTION, TEXT_DISPLAY, GALLERY, FILE, SEPARATOR)
ATTACHMENT = "attachment://"


class ComponentCheck:
    """One walk over a message's components, counting what Discord counts over the whole message."""

    def __init__(self, form: Form, *, filenames: set[str]) -> None:
        self._form = form
        self._filenames = filenames
        self._count = 0
        self._text = 0
        self._custom_ids: set[str] = set()
        self._ids: set[int] = set()

    def check_rows(self, components: list[Json]) -> None:
        """A message without the flag: up to five rows and nothing else."""
        if len(components) > limits.ROWS:
            self._form.wrong(("components",), "BASE_TYPE_BAD_LENGTH", "Must be between 0 and 5 in length.")
        self._children(("components",), components, allowed=(ACTION_ROW,))

    def check_card(self, components: list[Json]) -> None:
        """A Components V2 message."""
        self._children(("components",), components, allowed=(*IN_CONTAINER, CONTAINER))
        if self._count > limits.COMPONENTS:
            sentence = f"The total number of components cannot exceed {limits.COMPONENTS}"
            self._form.wrong(("components",), "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", sentence)
        if self._text > limits.TEXT_DISPLAY_SUM:
            sentence = f"The total length of displayable text cannot exceed {limits.TEXT_DISPLAY_SUM}"
            self._form.wrong(("components",), "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", sentence)

    def _children(self, place: Place, components: list[Json], *, allowed: tuple[int, ...]) -> None:
        for index, component in enumerate(components):
            self._one((*place, index), component, allowed=allowed)

    def _one(self, place: Place, component: Json, *, allowed: tuple[int, ...]) -> None:
        self._count += 1
        kind = component.get("type")
        if kind not in allowed:
            names = ", ".join(str(number) for number in allowed)
            self._form.wrong((*place, "type"), "BASE_TYPE_CHOICES", f"Value must be one of {{{names}}}.")
            return
        self._check_id(place, component.get("id"))
        checks: dict[int, Callable[[Place, Json], None]] = {
            ACTION_ROW: self._action_row,
            BUTTON: self._button,
            STRING_SELECT: self._select,
            SECTION: self._section,
            TEXT_DISPLAY: self._text_display,
            THUMBNAIL: self._thumbnail,
            GALLERY: self._gallery,
            FILE: self._file,
            SEPARATOR: self._separator,
            CONTAINER: self._container,
        }
        checks.get(kind, self._select)(place, component)

    def _check_id(self, place: Place, given: Any) -> None:
        if not given or not self._form.number((*place, "id"), given, least=0, most=2**31 - 1):
            return
        if given in self._ids:
            self._form.wrong((*place, "id"), "COMPONENT_ID_DUPLICATED", "Component id must be unique")
        self._ids.add(given)

    def _action_row(self, place: Place, row: Json) -> None:
        spot = (*place, "components")
        children = self._form.listing(spot, row.get("components"), least=1, most=limits.BUTTONS_IN_ROW, required=True)
        kinds = [child.get("type") for child in children]
        if len(kinds) > 1 and any(kind != BUTTON for kind in kinds):
            sentence = "A row holds up to five buttons or one select"
            self._form.wrong(spot, "COMPONENT_LAYOUT_WIDTH_EXCEEDED", sentence)
        self._children(spot, children, allowed=(BUTTON, STRING_SELECT, *ENTITY_SELECTS))

    def _custom_id(self, place: Place, component: Json) -> None:
        spot = (*place, "custom_id")
        given = component.get("custom_id")
        if not self._form.text(spot, given, longest=limits.CUSTOM_ID, shortest=1, required=True):
            return
        if given in self._custom_ids:
            sentence = "Component custom id cannot be duplicated"
            self._form.wrong(spot, "COMPONENT_CUSTOM_ID_DUPLICATED", sentence)
        self._custom_ids.add(str(given))

    def _button(self, place: Place, button: Json) -> None:
        form, style = self._form, button.get("style")
        if style not in (1, 2, 3, 4, LINK_STYLE):
            form.wrong((*place, "style"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3, 4, 5}.")
        form.text((*place, "label"), button.get("label"), longest=limits.BUTTON_LABEL)
        if not button.get("label") and not button.get("emoji"):
            form.wrong(place, "BUTTON_COMPONENT_INVALID", "A button needs a label or an emoji")
        if style == LINK_STYLE:
            form.web_address((*place, "url"), button.get("url"), longest=limits.BUTTON_URL, also=("discord://",))
            if button.get("custom_id"):
                form.wrong((*place, "custom_id"), "BUTTON_COMPONENT_INVALID", "A link button has no custom id")
            return
        if button.get("url"):
            form.wrong((*place, "url"), "BUTTON_COMPONENT_INVALID", "Only a link button has an address")
        self._custom_id(place, button)

    def _select(self, place: Place, select: Json) -> None:
        self._custom_id(place, select)
        check_select(self._form, place, select)

    def _section(self, place: Place, section: Json) -> None:
        spot = (*place, "components")
        texts = self._form.listing(spot, section.get("components"), least=1, most=limits.SECTION_TEXTS, required=True)
        self._children(spot, texts, allowed=(TEXT_DISPLAY,))
        accessory = section.get("accessory")
        if not isinstance(accessory, dict):
            self._form.missing((*place, "accessory"))
            return
        self._one((*place, "accessory"), accessory, allowed=(BUTTON, THUMBNAIL))

    def _text_display(self, place: Place, component: Json) -> None:
        content = component.get("content")
        spot = (*place, "content")
        if self._form.text(spot, content, longest=limits.TEXT_DISPLAY_SUM, shortest=1, required=True):
            self._text += len(content or "")

    def _thumbnail(self, place: Place, component: Json) -> None:
        self._media((*place, "media"), component.get("media"))
        self._form.text((*place, "description"), component.get("description"), longest=limits.ALT_TEXT, shortest=1)

    def _gallery(self, place: Place, gallery: Json) -> None:
        spot = (*place, "items")
        items = self._form.listing(spot, gallery.get("items"), least=1, most=limits.GALLERY_ITEMS, required=True)
        for index, item in enumerate(items):
            self._thumbnail((*spot, index), item)

    def _file(self, place: Place, component: Json) -> None:
        media = component.get("file")
        url = media.get("url") if isinstance(media, dict) else None
        if isinstance(url, str) and not url.startswith(ATTACHMENT):
            sentence = "A file component shows only an attachment:// of its message"
            self._form.wrong((*place, "file", "url"), "URL_TYPE_INVALID_SCHEME", sentence)
            return
        self._media((*place, "file"), media)

    def _separator(self, place: Place, separator: Json) -> None:
        self._form.number((*place, "spacing"), separator.get("spacing"), least=1, most=2)

    def _container(self, place: Place, container: Json) -> None:
        spot = (*place, "components")
        self._form.number((*place, "accent_color"), container.get("accent_color"), least=0, most=0xFFFFFF)
        children = self._form.listing(spot, container.get("components"), least=1, most=limits.COMPONENTS, required=True)
        self._children(spot, children, allowed=IN_CONTAINER)

    def _media(self, place: Place, media: Any) -> None:
        if not isinstance(media, dict):
            self._form.missing(place)
            return
        url, spot = media.get("url"), (*place, "url")
        if not self._form.web_address(spot, url, also=(ATTACHMENT,)) or not str(url).startswith(ATTACHMENT):
            return
        name = str(url).removeprefix(ATTACHMENT)
        if name not in self._filenames:
            sentence = f"The referenced attachment {name!r} could not be found"
            self._form.wrong(spot, "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", sentence)


def check_select(form: Form, place: Place, select: Json) -> None:
    """Everything of a select but its custom id; used for messages and modals."""
    most = limits.SELECT_OPTIONS
    form.text((*place, "placeholder"), select.get("placeholder"), longest=limits.PLACEHOLDER)
    form.number((*place, "min_values"), select.get("min_values"), least=0, most=most)
    form.number((*place, "max_values"), select.get("max_values"), least=1, most=most)
    if select.get("type") == STRING_SELECT:
        check_options(form, place, select, least=1, most=most)


def check_options(form: Form, place: Place, component: Json, *, least: int, most: int) -> None:
    spot = (*place, "options")
    options = form.listing(spot, component.get("options"), least=least, most=most, required=True)
    seen: set[str] = set()
    for index, option in enumerate(options):
        form.text((*spot, index, "label"), option.get("label"), longest=100, shortest=1, required=True)
        form.text((*spot, index, "value"), option.get("value"), longest=100, shortest=1, required=True)
        form.text((*spot, index, "description"), option.get("description"), longest=100)
        value = str(option.get("value"))
        if value in seen:
            form.wrong(
                (*spot, index, "value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "This value is already used"
            )
        seen.add(value)
    chosen = sum(bool(option.get("default")) for option in options)
    if chosen > (component.get("max_values") or 1) and component.get("type") == STRING_SELECT:
        form.wrong(spot, "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES", "More defaults than max_values")
