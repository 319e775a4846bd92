"""What a person sees in a message, and waiting for it to appear."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from bot.playground import payloads
from bot.playground.component_shapes import walk
from bot.playground.events import Event
from bot.playground.shapes import Json
from bot.playground.world import World

Found = TypeVar("Found")


def text_of(message: Json) -> str:
    """Everything written in a message, top to bottom: content, embeds, and the texts of its card."""
    lines = [message["content"]]
    for embed in message["embeds"]:
        lines += [embed.get("author", {}).get("name"), embed.get("title"), embed.get("description")]
        for entry in embed.get("fields", []):
            lines += [entry["name"], entry["value"]]
        lines.append(embed.get("footer", {}).get("text"))
    lines += [component.get("content") for component in walk(message["components"])]
    return "\n".join(line for line in lines if line)


def labels_of(message: Json) -> list[str]:
    """The labels of a message's buttons, disabled ones included."""
    return [component.get("label") or component["emoji"]["name"] for component in buttons_of(message)]


def buttons_of(message: Json) -> list[Json]:
    return [component for component in walk(message["components"]) if component["type"] == 2]


def selects_of(message: Json) -> list[Json]:
    return [component for component in walk(message["components"]) if component["type"] in (3, 5, 6, 7, 8)]


def media_of(message: Json) -> list[Json]:
    """The media a person sees, each with its url: a card shows only what its components name."""
    seen: list[Json] = []
    for component in walk(message["components"]):
        seen += [
            holder[key]
            for holder in (component, *component.get("items", []))
            for key in ("media", "file")
            if key in holder
        ]
    seen += [embed[part] for embed in message["embeds"] for part in ("image", "thumbnail") if part in embed]
    is_card = bool(message["flags"] & 1 << 15)
    return seen if is_card else seen + message["attachments"]


def is_loading(message: Json) -> bool:
    return bool(message["flags"] & 1 << 7)


async def until(world: World, look: Callable[[], Found | None], *, timeout: float) -> Found:
    """Looks now and after everything that happens, until there is something; TimeoutError otherwise."""
    something_happened = asyncio.Event()

    def hear(_: Event) -> None:
        something_happened.set()

    stop_listening = world.subscribe(hear)
    try:
        async with asyncio.timeout(timeout):
            while True:
                something_happened.clear()
                found = look()
                if found is not None:
                    return found
                await something_happened.wait()
    finally:
        stop_listening()


async def wait_for_message(
    world: World, matches: Callable[[Json], bool], *, channel_id: str | None, timeout: float
) -> Json:
    def look() -> Json | None:
        for one in [channel_id] if channel_id else list(world.channels):
            for message in reversed(world.messages_in(one)):
                payload = payloads.message(world, message)
                if matches(payload):
                    return payload
        return None

    return await until(world, look, timeout=timeout)
