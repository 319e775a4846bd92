"""Discord's JSON for interactions: what the bot receives, and what a message says about the one that made it."""

from bot.playground import payloads, server_payloads
from bot.playground.interactions import Interaction, Kind
from bot.playground.shapes import Json
from bot.playground.values import Channel, Origin
from bot.playground.world import World


def interaction(world: World, one: Interaction) -> Json:
    channel = world.channel(one.channel_id)
    payload: Json = {
        "id": one.id,
        "application_id": world.bot.id,
        "type": int(one.kind),
        "token": one.token,
        "version": 1,
        "data": one.data,
        "channel_id": channel.id,
        "channel": _channel(world, channel, one.person_id),
        "app_permissions": str(int(world.permissions(world.bot.id, channel))),
        "locale": "en-US",
        "entitlements": [],
        "entitlement_sku_ids": [],
        "authorizing_integration_owners": _owners(world, one),
        "context": 1 if channel.is_direct else 0,
        "attachment_size_limit": world.file_bytes_in(channel.id),
    }
    if channel.is_direct:
        payload["user"] = payloads.user(world.user(one.person_id))
    else:
        payload["member"] = server_payloads.acting_member(world, one.person_id, channel)
        payload["guild_id"] = world.server.id
        payload["guild_locale"] = "en-US"
        payload["guild"] = {"id": world.server.id, "locale": "en-US", "features": []}
    message = world.find_message(one.message_id) if one.message_id else None
    if message is not None:
        payload["message"] = payloads.message(world, message)
    return payload


def _channel(world: World, channel: Channel, person_id: str) -> Json:
    payload = payloads.channel(world, channel)
    payload.pop("permission_overwrites", None)
    if not channel.is_direct:
        payload["permissions"] = str(int(world.permissions(person_id, channel)))
    return payload


def _owners(world: World, one: Interaction) -> Json:
    is_direct = world.channel(one.channel_id).is_direct
    return {"0": "0" if is_direct else world.server.id}


def origin(world: World, one: Interaction) -> Origin:
    return Origin(interaction_id=one.id, name=one.name, metadata=_metadata(world, one))


def _metadata(world: World, one: Interaction) -> Json:
    metadata: Json = {
        "id": one.id,
        "type": int(one.kind),
        "user": payloads.user(world.user(one.person_id)),
        "authorizing_integration_owners": _owners(world, one),
    }
    if one.target_id is not None:
        metadata["target_message_id"] = one.target_id
    if one.kind is Kind.COMPONENT:
        metadata["interacted_message_id"] = one.message_id
    if one.kind is Kind.MODAL_SUBMIT and one.parent is not None:
        metadata["triggering_interaction_metadata"] = _metadata(world, one.parent)
    return metadata
