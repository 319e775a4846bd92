"""What a card says and offers, read from the JSON that Discord would get; and Discord's limits on it."""

from collections.abc import Iterator
from typing import Any

from bot.messages.buttons import Card

MOST_COMPONENTS = 40
MOST_CHARACTERS = 4000


def walk(components: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for component in components:
        yield component
        yield from walk(component.get("components", []))
        yield from walk([component["accessory"]] if "accessory" in component else [])


def text_of(card: Card) -> str:
    return "\n".join(one["content"] for one in walk(card.to_components()) if one["type"] == 10)


def buttons_of(card: Card) -> list[dict[str, Any]]:
    return [one for one in walk(card.to_components()) if one["type"] == 2]


def labels_of(card: Card) -> list[str]:
    return [one["label"] for one in buttons_of(card)]


def assert_discord_takes(card: Card) -> None:
    components = list(walk(card.to_components()))
    assert 1 <= len(components) <= MOST_COMPONENTS
    assert 1 <= card.content_length() <= MOST_CHARACTERS, f"{card.content_length()} characters"
    ids = [one["custom_id"] for one in components if "custom_id" in one]
    assert len(set(ids)) == len(ids), "two buttons of one message have one id"
    for one in components:
        match one["type"]:
            case 1:
                assert 1 <= len(one["components"]) <= 5
            case 2:
                assert 1 <= len(one["label"]) <= 80
                assert 1 <= len(one["custom_id"]) <= 100
            case 10:
                assert one["content"].strip(), "an empty text is refused"
            case 12:
                assert 1 <= len(one["items"]) <= 10
                assert all(len(item.get("description") or "") <= 1024 for item in one["items"])
