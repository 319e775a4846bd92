"""Routes with which the bot, by its own token, reads and writes messages of a channel."""

from bot.playground import payloads, refusals
from bot.playground.form import Form
from bot.playground.message_writing import Draft
from bot.playground.rest_call import Call, Reply, Route
from bot.playground.shapes import Json
from bot.playground.values import Channel, Flag, Message, Permission

CHANNEL = "/channels/{channel_id}/messages"
ONE = "/channels/{channel_id}/messages/{message_id}"
REPLY = 19


def _channel(call: Call, needed: Permission) -> Channel:
    channel = call.world.channel(call.values["channel_id"])
    held = call.world.permissions(call.world.bot.id, channel)
    if Permission.VIEW_CHANNEL not in held:
        raise refusals.missing_access()
    if needed not in held:
        raise refusals.missing_permissions()
    return channel


def _channel_to_write_in(call: Call) -> Channel:
    is_thread = call.world.channel(call.values["channel_id"]).parent_id is not None
    channel = _channel(call, Permission.SEND_MESSAGES_IN_THREADS if is_thread else Permission.SEND_MESSAGES)
    if channel.recipient_id in call.world.closed_to_the_bot:
        raise refusals.cannot_message_this_user()
    if call.files:
        _channel(call, Permission.ATTACH_FILES)
    return channel


def visible_message(call: Call) -> Message:
    return _message(call, Permission.VIEW_CHANNEL)


def _message(call: Call, needed: Permission) -> Message:
    """A message the bot's token can see: ephemeral ones are known only to their interaction."""
    message = call.world.message(_channel(call, needed).id, call.values["message_id"])
    if message.ephemeral_for is not None:
        raise refusals.unknown_message()
    return message


def _create(call: Call) -> Reply:
    world, body = call.world, call.object
    channel = _channel_to_write_in(call)
    nonce = body.get("nonce")
    if body.get("enforce_nonce") and nonce is not None:
        earlier = world.posted_with_nonce(channel.id, nonce)
        if earlier is not None:
            return Reply(body=payloads.message(world, earlier))
    form = Form()
    replied = _replied_to(call, channel, form)
    blank = Message(
        id=world.snowflakes.take(),
        channel_id=channel.id,
        author_id=world.bot.id,
        created_at=world.now(),
        kind=REPLY if replied else 0,
        replies_to=replied.id if replied else None,
    )
    # Only an interaction can be answered ephemerally: Discord passes the flag over here.
    public = body | {"flags": body["flags"] & ~Flag.EPHEMERAL} if isinstance(body.get("flags"), int) else body
    draft = Draft(body=public, files=call.files, form=form)
    message = world.writer.write(draft, blank, replied_to=replied.author_id if replied else None)
    return Reply(body=payloads.message(world, world.post(message)))


def _replied_to(call: Call, channel: Channel, form: Form) -> Message | None:
    reference: Json | None = call.object.get("message_reference")
    if reference is None:
        return None
    if reference.get("type"):
        raise refusals.not_implemented("forwarded messages")
    try:
        return call.world.message(channel.id, str(reference.get("message_id")))
    except refusals.Refusal:
        if reference.get("fail_if_not_exists", True):
            form.wrong(("message_reference",), "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
        return None


def _read(call: Call) -> Reply:
    return Reply(body=payloads.message(call.world, _message(call, Permission.VIEW_CHANNEL)))


def _history(call: Call) -> Reply:
    channel = _channel(call, Permission.VIEW_CHANNEL)
    form = Form()
    limit = int(call.query["limit"]) if call.query.get("limit", "").isdigit() else 50
    form.number(("limit",), limit, least=1, most=100)
    form.refuse_if_wrong()
    if Permission.READ_MESSAGE_HISTORY not in call.world.permissions(call.world.bot.id, channel):
        return Reply(body=[])  # Discord refuses nothing here, and shows nothing
    held = [one for one in call.world.messages_in(channel.id) if one.ephemeral_for is None]
    if call.query.get("before", "").isdigit():
        held = [one for one in held if int(one.id) < int(call.query["before"])]
    if call.query.get("after", "").isdigit():
        held = [one for one in held if int(one.id) > int(call.query["after"])][:limit]
    if "around" in call.query:
        raise refusals.not_implemented("around in GET messages")
    return Reply(body=[payloads.message(call.world, one) for one in reversed(held[-limit:])])


def _edit(call: Call) -> Reply:
    world = call.world
    # Editing needs no right to send, only to see the channel.
    message = _message(call, Permission.VIEW_CHANNEL)
    if message.author_id != world.bot.id:
        raise refusals.message_of_another()
    draft = Draft(body=call.object, files=call.files, form=Form())
    edited = world.change(world.writer.revise(draft, message, now=world.now()))
    return Reply(body=payloads.message(world, edited))


def _delete(call: Call) -> Reply:
    world = call.world
    message = _message(call, Permission.VIEW_CHANNEL)
    channel = world.channel(message.channel_id)
    if message.author_id != world.bot.id:
        if channel.is_direct:
            raise refusals.cannot_act_in_direct_channel()
        if Permission.MANAGE_MESSAGES not in world.permissions(world.bot.id, channel):
            raise refusals.missing_permissions()
    world.remove(message)
    return Reply(status=204)


ROUTES = (
    Route(method="POST", path=CHANNEL, answer=_create, is_limited=True),
    Route(method="GET", path=CHANNEL, answer=_history),
    Route(method="GET", path=ONE, answer=_read),
    Route(method="PATCH", path=ONE, answer=_edit, is_limited=True),
    Route(method="DELETE", path=ONE, answer=_delete, is_limited=True),
)
