"""Who a message pings: what its text names, as far as `allowed_mentions` lets it."""

import re
from typing import Any

from bot.playground.form import Form
from bot.playground.shapes import Json
from bot.playground.values import Mentions

USER = re.compile(r"<@!?(\d+)>")
ROLE = re.compile(r"<@&(\d+)>")
KINDS = ("users", "roles", "everyone")


def check(form: Form, allowed: Any) -> None:
    if allowed is None:
        return
    place = ("allowed_mentions",)
    if not isinstance(allowed, dict):
        form.wrong(place, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
        return
    parse = allowed.get("parse") or []
    if any(kind not in KINDS for kind in parse):
        form.wrong((*place, "parse"), "BASE_TYPE_CHOICES", "Value must be one of ('users', 'roles', 'everyone').")
    for kind in ("users", "roles"):
        listed = allowed.get(kind) or []
        if kind in parse and listed:
            sentence = f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.'
            form.wrong(place, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", sentence)
        if len(listed) > 100:
            form.wrong((*place, kind), "BASE_TYPE_BAD_LENGTH", "Must be between 0 and 100 in length.")


def found(text: str, allowed: Json | None, *, replied_to: str | None = None) -> Mentions:
    """`replied_to` is the author of the message this one answers, pinged unless refused."""
    users, roles = _unique(USER.findall(text)), _unique(ROLE.findall(text))
    everyone = "@everyone" in text or "@here" in text
    replied = (replied_to,) if replied_to else ()
    if allowed is None:
        return Mentions(user_ids=_unique((*users, *replied)), role_ids=roles, everyone=everyone)
    parse = allowed.get("parse") or []
    if not allowed.get("replied_user"):
        replied = ()
    return Mentions(
        user_ids=_unique((*_permitted(users, "users", allowed), *replied)),
        role_ids=_permitted(roles, "roles", allowed),
        everyone=everyone and "everyone" in parse,
    )


def _permitted(ids: tuple[str, ...], kind: str, allowed: Json) -> tuple[str, ...]:
    if kind in (allowed.get("parse") or []):
        return ids
    listed = {str(one) for one in allowed.get(kind) or []}
    return tuple(one for one in ids if one in listed)


def _unique(ids: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))
