"""Routes about who and where: the bot, its application, the gateway's address, the server, channels and members."""

from bot.playground import payloads, refusals, server_payloads
from bot.playground.events import TypingStarted
from bot.playground.rest_call import Call, Reply, Route
from bot.playground.values import Permission
from bot.playground.world import World


def gateway_url(world: World) -> str:
    return world.files.base_url.replace("http://", "ws://", 1) + "/gateway"


def _gateway(call: Call) -> Reply:
    return Reply(body={"url": gateway_url(call.world)})


def _gateway_bot(call: Call) -> Reply:
    budget = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
    return Reply(body={"url": gateway_url(call.world), "shards": 1, "session_start_limit": budget})


def _me(call: Call) -> Reply:
    return Reply(body=payloads.own_user(call.world))


def _user(call: Call) -> Reply:
    return Reply(body=payloads.user(call.world.user(call.values["user_id"])))


def _application(call: Call) -> Reply:
    return Reply(body=payloads.application(call.world))


def _guild(call: Call) -> Reply:
    _check_guild(call)
    wants_counts = call.query.get("with_counts", "").lower() in ("true", "1")
    body = server_payloads.guild_with_counts(call.world) if wants_counts else server_payloads.guild(call.world)
    return Reply(body=body)


def _member(call: Call) -> Reply:
    _check_guild(call)
    user_id = call.values["user_id"]
    wanted = call.world.bot.id if user_id == "@me" else user_id
    if wanted != call.world.bot.id and wanted not in call.world.people:
        raise refusals.unknown_member()
    return Reply(body=server_payloads.member(call.world, wanted))


def _check_guild(call: Call) -> None:
    if call.values["guild_id"] != call.world.server.id:
        raise refusals.unknown_guild()


def _channel(call: Call) -> Reply:
    return Reply(body=payloads.channel(call.world, call.world.channel(call.values["channel_id"])))


def _open_direct_channel(call: Call) -> Reply:
    person_id = str(call.object.get("recipient_id", ""))
    if person_id == call.world.bot.id:
        raise refusals.cannot_message_this_user()
    return Reply(body=payloads.channel(call.world, call.world.direct_channel(person_id)))


def _typing(call: Call) -> Reply:
    world = call.world
    channel = world.channel(call.values["channel_id"])
    if Permission.SEND_MESSAGES not in world.permissions(world.bot.id, channel):
        raise refusals.missing_permissions()
    world.announce(TypingStarted(channel=channel, user_id=world.bot.id))
    return Reply(status=204)


ROUTES = (
    Route(method="GET", path="/gateway", answer=_gateway, needs_token=False),
    Route(method="GET", path="/gateway/bot", answer=_gateway_bot),
    Route(method="GET", path="/users/@me", answer=_me),
    Route(method="GET", path="/users/{user_id}", answer=_user),
    Route(method="GET", path="/oauth2/applications/@me", answer=_application),
    Route(method="GET", path="/applications/@me", answer=_application),
    Route(method="GET", path="/guilds/{guild_id}", answer=_guild),
    Route(method="GET", path="/guilds/{guild_id}/members/{user_id}", answer=_member),
    Route(method="GET", path="/channels/{channel_id}", answer=_channel),
    Route(method="POST", path="/channels/{channel_id}/typing", answer=_typing),
    Route(method="POST", path="/users/@me/channels", answer=_open_direct_channel),
)
