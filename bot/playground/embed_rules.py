"""Checks the embeds of a request and writes them the way Discord answers them."""

from collections.abc import Callable
from typing import Any

from bot.playground import limits, media
from bot.playground.form import Form, Place
from bot.playground.shapes import Json

MediaOf = Callable[[str], Json]

ATTACHMENT = "attachment://"


def check(form: Form, embeds: list[Json], *, filenames: set[str]) -> None:
    total = 0
    for index, embed in enumerate(embeds):
        place: Place = ("embeds", index)
        form.text((*place, "title"), embed.get("title"), longest=256)
        form.text((*place, "description"), embed.get("description"), longest=4096)
        form.number((*place, "color"), embed.get("color"), least=0, most=0xFFFFFF)
        if embed.get("url"):
            form.web_address((*place, "url"), embed["url"])
        _check_parts(form, place, embed)
        for part in ("image", "thumbnail"):
            if embed.get(part):
                _check_picture(form, (*place, part, "url"), embed[part].get("url"), filenames)
        total += text_length(embed)
    if total > limits.EMBED_SUM:
        sentence = f"Embed size exceeds maximum size of {limits.EMBED_SUM}"
        form.wrong(("embeds",), "MAX_EMBED_SIZE_EXCEEDED", sentence)


def _check_parts(form: Form, place: Place, embed: Json) -> None:
    footer, author = embed.get("footer") or {}, embed.get("author") or {}
    if footer:
        form.text((*place, "footer", "text"), footer.get("text"), longest=2048, shortest=1, required=True)
    if author:
        form.text((*place, "author", "name"), author.get("name"), longest=256, shortest=1, required=True)
    for index, entry in enumerate(form.listing((*place, "fields"), embed.get("fields"), most=25)):
        spot = (*place, "fields", index)
        form.text((*spot, "name"), entry.get("name"), longest=256, shortest=1, required=True)
        form.text((*spot, "value"), entry.get("value"), longest=1024, shortest=1, required=True)


def _check_picture(form: Form, place: Place, url: Any, filenames: set[str]) -> None:
    if not form.web_address(place, url, also=(ATTACHMENT,)) or not url.startswith(ATTACHMENT):
        return
    name = url.removeprefix(ATTACHMENT)
    if name not in filenames or not name.lower().endswith(media.IMAGE_ENDINGS):
        sentence = f"The referenced attachment {name!r} is no picture of this message"
        form.wrong(place, "EMBED_REFERENCED_ATTACHMENT_NOT_FOUND", sentence)


def text_length(embed: Json) -> int:
    texts = [embed.get("title"), embed.get("description")]
    texts += [(embed.get("footer") or {}).get("text"), (embed.get("author") or {}).get("name")]
    for entry in embed.get("fields") or []:
        texts += [entry.get("name"), entry.get("value")]
    return sum(len(text) for text in texts if isinstance(text, str))


def is_empty(embed: Json) -> bool:
    return not any(
        embed.get(part) for part in ("title", "description", "fields", "image", "thumbnail", "author", "footer")
    )


def answered(embed: Json, media_of: MediaOf) -> Json:
    """The embed as a message carries it, with its pictures named by `media_of`."""
    kept: Json = {"type": "rich"}
    for part in ("title", "description", "url", "color", "timestamp"):
        if embed.get(part) is not None:
            kept[part] = embed[part]
    if embed.get("fields"):
        kept["fields"] = [
            {"name": entry["name"], "value": entry["value"], "inline": bool(entry.get("inline"))}
            for entry in embed["fields"]
        ]
    for part in ("image", "thumbnail"):
        if embed.get(part):
            kept[part] = media_of(embed[part]["url"])
    for part in ("footer", "author"):
        if embed.get(part):
            kept[part] = {key: value for key, value in embed[part].items() if isinstance(value, str)}
    return kept
