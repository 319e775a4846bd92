"""The route that begins a thread at a message. The thread has the message's own id, so a message has at most one."""

from bot.playground import limits, payloads, refusals
from bot.playground.form import Form
from bot.playground.rest_call import Call, Reply, Route
from bot.playground.rest_messages import ONE, visible_message
from bot.playground.values import Channel, Permission

AUTO_ARCHIVE_MINUTES = (60, 1440, 4320, 10080)


def _begin(call: Call) -> Reply:
    world = call.world
    message = visible_message(call)
    channel = world.channel(message.channel_id)
    if channel.is_direct or channel.parent_id is not None:
        raise refusals.not_in_this_kind_of_channel()
    if Permission.CREATE_PUBLIC_THREADS not in world.permissions(world.bot.id, channel):
        raise refusals.missing_permissions()
    if message.id in world.channels:
        raise refusals.thread_exists()
    form, name = Form(), call.object.get("name")
    form.text(("name",), name, longest=limits.CHANNEL_NAME, shortest=1, required=True)
    if call.object.get("auto_archive_duration", 1440) not in AUTO_ARCHIVE_MINUTES:
        choices = ", ".join(str(minutes) for minutes in AUTO_ARCHIVE_MINUTES)
        form.wrong(("auto_archive_duration",), "BASE_TYPE_CHOICES", f"Value must be one of {{{choices}}}.")
    form.refuse_if_wrong()
    thread = Channel(id=message.id, name=str(name), parent_id=channel.id, owner_id=world.bot.id, opened_at=world.now())
    return Reply(status=201, body=payloads.channel(world, world.open_channel(thread)))


ROUTES = (Route(method="POST", path=f"{ONE}/threads", answer=_begin, is_limited=True),)
