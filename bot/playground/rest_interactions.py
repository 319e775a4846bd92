"""Routes with which the bot answers people: the callback, and what its token may do for fifteen minutes."""

from bot.playground import answering, payloads, refusals
from bot.playground.form import Form
from bot.playground.interactions import Callback, Interaction
from bot.playground.message_writing import Draft
from bot.playground.rest_call import Call, Reply, Route
from bot.playground.shapes import Json
from bot.playground.values import Message

HOOK = "/webhooks/{application_id}/{token}"
ONE = "/webhooks/{application_id}/{token}/messages/{message_id}"


def _callback(call: Call) -> Reply:
    interaction = call.world.interactions.get(call.values["interaction_id"])
    if interaction is None or interaction.token != call.values["token"]:
        raise refusals.unknown_interaction()
    message = answering.answer(call.world, interaction, call.object, call.files)
    if call.query.get("with_response", "").lower() not in ("true", "1"):
        return Reply(status=204)
    return Reply(body=_callback_response(call, interaction, message))


def _callback_response(call: Call, interaction: Interaction, message: Message | None) -> Json:
    about: Json = {"id": interaction.id, "type": int(interaction.kind), "channel_id": interaction.channel_id}
    if not call.world.channel(interaction.channel_id).is_direct:
        about["guild_id"] = call.world.server.id
    if interaction.original_id is not None:
        about["response_message_id"] = interaction.original_id
        about["response_message_loading"] = interaction.callback is Callback.DEFERRED_MESSAGE
        about["response_message_ephemeral"] = interaction.is_ephemeral
    body: Json = {"interaction": about}
    if message is not None and interaction.callback in (Callback.MESSAGE, Callback.UPDATE):
        body["resource"] = {"type": int(interaction.callback), "message": payloads.message(call.world, message)}
    return body


def _with_token(call: Call) -> Interaction:
    if call.values["application_id"] != call.world.bot.id:
        raise refusals.unknown_webhook()
    return answering.with_token(call.world, call.values["token"])


def _message(call: Call) -> Message:
    return answering.message_of(call.world, _with_token(call), call.values["message_id"])


def _draft(call: Call) -> Draft:
    return Draft(body=call.object, files=call.files, form=Form())


def _read(call: Call) -> Reply:
    return Reply(body=payloads.message(call.world, _message(call)))


def _edit(call: Call) -> Reply:
    edited = answering.edit(call.world, _message(call), _draft(call))
    return Reply(body=payloads.message(call.world, edited))


def _delete(call: Call) -> Reply:
    call.world.remove(_message(call))
    return Reply(status=204)


def _follow_up(call: Call) -> Reply:
    message = answering.follow_up(call.world, _with_token(call), _draft(call))
    return Reply(body=payloads.message(call.world, message))


# The token in the path is the permission: libraries send no other here.
ROUTES = (
    Route(method="POST", path="/interactions/{interaction_id}/{token}/callback", answer=_callback, needs_token=False),
    Route(method="GET", path=ONE, answer=_read, needs_token=False),
    Route(method="PATCH", path=ONE, answer=_edit, needs_token=False),
    Route(method="DELETE", path=ONE, answer=_delete, needs_token=False),
    Route(method="POST", path=HOOK, answer=_follow_up, needs_token=False),
)
