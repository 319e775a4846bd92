"""Discord's JSON made from the world's objects. REST and the gateway both use these, so they cannot disagree."""

import hashlib
from datetime import datetime

from bot.playground.component_shapes import walk
from bot.playground.message_writing import is_shown_by_embed
from bot.playground.shapes import Json
from bot.playground.values import Attachment, Channel, Flag, Message, Origin, User
from bot.playground.world import World


def timestamp(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="microseconds") if moment else None


def user(one: User) -> Json:
    payload: Json = {
        "id": one.id,
        "username": one.username,
        "global_name": None if one.is_bot else one.name,
        "discriminator": "0001" if one.is_bot else "0",
        "avatar": None,
        "banner": None,
        "accent_color": None,
        "avatar_decoration_data": None,
        "collectibles": None,
        "primary_guild": None,
        "public_flags": 0,
        "flags": 0,
    }
    if one.is_bot:
        payload["bot"] = True
        payload["username"] = one.name
    return payload


def own_user(world: World) -> Json:
    return user(world.bot) | {"mfa_enabled": True, "locale": "en-US", "verified": True, "email": None}


def application(world: World) -> Json:
    return {
        "id": world.bot.id,
        "name": world.bot.name,
        "icon": None,
        "description": "",
        "type": None,
        "bot": user(world.bot),
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": hashlib.sha256(world.bot.id.encode()).hexdigest(),
        "flags": 0,
        "flags_new": "0",
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "owner": user(world.user(world.server.owner_id)),
        "approximate_guild_count": 1,
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "integration_types_config": {"0": {}},
        "event_webhooks_url": None,
        "event_webhooks_status": 1,
        "event_webhooks_types": [],
        "explicit_content_filter": 0,
        "team": None,
        "tags": [],
        "eligible_oauth2_scopes": [],
    }


def channel(world: World, one: Channel) -> Json:
    held = world.messages_in(one.id)
    payload: Json = {"id": one.id, "flags": 0, "last_message_id": held[-1].id if held else None}
    if one.recipient_id is not None:
        return payload | {"type": 1, "recipients": [user(world.user(one.recipient_id))]}
    if one.parent_id is not None:
        return payload | _thread(world, one, messages=len(held))
    return payload | {
        "type": 0,
        "guild_id": world.server.id,
        "name": one.name,
        "topic": one.topic,
        "position": one.position,
        "parent_id": None,
        "nsfw": False,
        "rate_limit_per_user": 0,
        "permission_overwrites": [],
    }


def _thread(world: World, one: Channel, *, messages: int) -> Json:
    return {
        "type": 11,
        "guild_id": world.server.id,
        "name": one.name,
        "parent_id": one.parent_id,
        "owner_id": one.owner_id,
        "rate_limit_per_user": 0,
        "message_count": messages,
        "member_count": 1,
        "total_message_sent": messages,
        "thread_metadata": {
            "archived": False,
            "archive_timestamp": timestamp(one.opened_at),
            "auto_archive_duration": 1440,
            "locked": False,
            "create_timestamp": timestamp(one.opened_at),
        },
    }


def attachment(world: World, one: Attachment) -> Json:
    url = world.files.url(one)
    payload: Json = {
        "id": one.id,
        "filename": one.filename,
        "size": one.size,
        "url": url,
        "proxy_url": url,
        "content_type": one.content_type,
    }
    if one.width is not None and one.height is not None:
        payload |= {"width": one.width, "height": one.height}
    if one.description:
        payload["description"] = one.description
    if one.is_spoiler:
        payload["flags"] = 8
    if one.is_ephemeral:
        payload["ephemeral"] = True
    return payload


def message(world: World, one: Message) -> Json:
    """A complete message; a reply carries the message it answers, one level deep."""
    payload = _bare_message(world, one)
    if one.replies_to is not None:
        found = world.find_message(one.replies_to)
        payload["referenced_message"] = _bare_message(world, found) if found else None
    return payload


def _bare_message(world: World, one: Message) -> Json:
    shown = [file for file in one.attachments if not is_shown_by_embed(one, file)]
    payload: Json = {
        "id": one.id,
        "channel_id": one.channel_id,
        "type": one.kind,
        "author": user(world.user(one.author_id)),
        "content": one.content,
        "timestamp": timestamp(one.created_at),
        "edited_timestamp": timestamp(one.edited_at),
        "tts": False,
        "pinned": False,
        "flags": int(one.flags),
        "mention_everyone": one.mentions.everyone,
        "mention_roles": list(one.mentions.role_ids),
        "mentions": [
            user(world.user(who)) for who in one.mentions.user_ids if who in world.people or who == world.bot.id
        ],
        "attachments": [attachment(world, file) for file in shown],
        "embeds": [_embed(world, embed) for embed in one.embeds],
        "components": [_component(world, component) for component in one.components],
    }
    if one.id in world.channels:
        payload |= {"flags": int(one.flags | Flag.HAS_THREAD), "thread": channel(world, world.channel(one.id))}
    if one.nonce is not None:
        payload["nonce"] = one.nonce
    if one.replies_to is not None:
        payload["message_reference"] = {"type": 0, "channel_id": one.channel_id, "message_id": one.replies_to}
        if not world.channel(one.channel_id).is_direct:
            payload["message_reference"]["guild_id"] = world.server.id
    if one.origin is not None:
        payload |= _origin(world, one.origin)
    return payload


def _origin(world: World, origin: Origin) -> Json:
    """Which interaction a message answers, in the new form and, for commands, in the old one too."""
    payload: Json = {
        "application_id": world.bot.id,
        "webhook_id": world.bot.id,
        "interaction_metadata": origin.metadata,
    }
    if origin.metadata["type"] == 2:
        person = origin.metadata["user"]
        payload["interaction"] = {"id": origin.interaction_id, "type": 2, "name": origin.name, "user": person}
    return payload


def _media(world: World, item: Json) -> Json:
    """An unfurled media item, with a freshly signed address when the file is ours."""
    file = world.files.find(item.get("attachment_id", ""))
    if file is None:
        url = item.get("url") or f"{world.files.base_url}/gone"
        number = str(int(hashlib.sha256(url.encode()).hexdigest()[:15], 16))
        return {"id": number, "url": url, "proxy_url": url, "width": None, "height": None, "content_type": None}
    url = world.files.url(file)
    return {
        "id": file.id,
        "url": url,
        "proxy_url": url,
        "width": file.width,
        "height": file.height,
        "content_type": file.content_type,
        "attachment_id": file.id,
    }


def _embed(world: World, embed: Json) -> Json:
    written = dict(embed)
    for part in ("image", "thumbnail"):
        if part in written:
            media = _media(world, written[part])
            kept = ("url", "proxy_url", "width", "height", "content_type")
            written[part] = {key: media[key] for key in kept if media[key] is not None}
    return written


def _component(world: World, component: Json) -> Json:
    written = dict(component)
    for key in ("media", "file"):
        if key in written:
            written[key] = _media(world, written[key])
    if "file" in written:
        stored = world.files.find(component["file"].get("attachment_id", ""))
        written |= {"name": stored.filename if stored else None, "size": stored.size if stored else None}
    if "items" in written:
        written["items"] = [_component(world, item) for item in written["items"]]
    if "components" in written:
        written["components"] = [_component(world, child) for child in written["components"]]
    if "accessory" in written:
        written["accessory"] = _component(world, written["accessory"])
    return written


def component_named(payload: Json, custom_id: str) -> Json | None:
    """The component of a written message with this custom id."""
    return next((one for one in walk(payload["components"]) if one.get("custom_id") == custom_id), None)
