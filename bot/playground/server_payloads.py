"""Discord's JSON for the server, its roles and members, and for what the gateway says about them."""

from bot.playground import limits, payloads
from bot.playground.shapes import Json
from bot.playground.values import Channel, Permission
from bot.playground.world import World

# What a server may have and this one does not.
NOT_SET = (
    "icon",
    "description",
    "home_header",
    "splash",
    "discovery_splash",
    "banner",
    "application_id",
    "afk_channel_id",
    "widget_channel_id",
    "max_presences",
    "vanity_url_code",
    "rules_channel_id",
    "safety_alerts_channel_id",
    "public_updates_channel_id",
    "incidents_data",
    "hub_type",
)


def _role(role_id: str, name: str, permissions: Permission, position: int) -> Json:
    return {
        "id": role_id,
        "name": name,
        "permissions": str(int(permissions)),
        "position": position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": False,
        "mentionable": False,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }


def _roles(world: World) -> list[Json]:
    everyone = Permission.of_everyone()
    own = _role(world.server.bot_role_id, world.bot.name, everyone, 1)
    own |= {"managed": True, "tags": {"bot_id": world.bot.id}}
    return [_role(world.server.id, "@everyone", everyone, 0), own]


def member(world: World, user_id: str) -> Json:
    return {
        "user": payloads.user(world.user(user_id)),
        "nick": None,
        "avatar": None,
        "banner": None,
        "roles": [world.server.bot_role_id] if user_id == world.bot.id else [],
        "joined_at": payloads.timestamp(world.server.opened_at),
        "premium_since": None,
        "communication_disabled_until": None,
        "pending": False,
        "deaf": False,
        "mute": False,
        "flags": 0,
    }


def acting_member(world: World, user_id: str, channel: Channel) -> Json:
    """The member of an interaction: as above, with what they may do in the channel."""
    return member(world, user_id) | {"permissions": str(int(world.permissions(user_id, channel)))}


def guild(world: World) -> Json:
    general = next(iter(world.channels))
    return dict.fromkeys(NOT_SET) | {
        "id": world.server.id,
        "name": world.server.name,
        "owner_id": world.server.owner_id,
        "features": [],
        "region": "rotterdam",
        "afk_timeout": 300,
        "system_channel_id": general,
        "system_channel_flags": 0,
        "widget_enabled": False,
        "verification_level": 0,
        "roles": _roles(world),
        "default_message_notifications": 1,
        "mfa_level": 0,
        "explicit_content_filter": 0,
        "max_members": 500000,
        "max_stage_video_channel_users": 50,
        "max_video_channel_users": 25,
        "premium_tier": _tier(world),
        "premium_subscription_count": 0,
        "premium_progress_bar_enabled": False,
        "preferred_locale": "en-US",
        "nsfw": False,
        "nsfw_level": 0,
        "emojis": [],
        "stickers": [],
    }


def _tier(world: World) -> int:
    """What lets people and bots post files of this size."""
    return max((tier for tier, size in limits.FILE_BYTES_OF_TIER.items() if size <= world.file_bytes), default=0)


def guild_with_counts(world: World) -> Json:
    count = len(world.people) + 1
    return guild(world) | {"approximate_member_count": count, "approximate_presence_count": count}


def guild_create(world: World) -> Json:
    held = [one for one in world.channels.values() if not one.is_direct]
    channels = [payloads.channel(world, one) for one in held if one.parent_id is None]
    threads = [payloads.channel(world, one) for one in held if one.parent_id is not None]
    return guild(world) | {
        "joined_at": payloads.timestamp(world.server.opened_at),
        "large": False,
        "unavailable": False,
        "member_count": len(world.people) + 1,
        "members": [member(world, world.bot.id), member(world, world.server.owner_id)],
        "channels": channels,
        "voice_states": [],
        "threads": threads,
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }
