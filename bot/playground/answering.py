"""How the bot answers an interaction: the one callback, then edits and follow-ups through its token."""

from collections.abc import Mapping
from dataclasses import replace

from bot.playground import command_rules, interaction_payloads, limits, modal_rules, refusals
from bot.playground.form import Form
from bot.playground.interactions import Callback, Interaction, Kind
from bot.playground.message_writing import Draft
from bot.playground.shapes import Json
from bot.playground.values import Flag, Message, Upload
from bot.playground.world import World

REPLY, COMMAND_ANSWER, MENU_ANSWER = 19, 20, 23


def answer(world: World, interaction: Interaction, body: Json, files: Mapping[int, Upload]) -> Message | None:
    """Takes the callback, or refuses it. Returns the message it wrote, if any."""
    interaction.check_answerable(world.now())
    callback = _callback(interaction, body.get("type"))
    data = body.get("data") or {}
    if not isinstance(data, dict):
        raise refusals.invalid_form({"data": {"_errors": [{"code": "MODEL_TYPE_CONVERT", "message": "Not an object"}]}})
    draft = Draft(body=data, files=files, form=Form(("data",)))
    written: Message | None = None
    match callback:
        case Callback.MESSAGE:
            written = _write_original(world, interaction, draft)
        case Callback.DEFERRED_MESSAGE:
            written = _loading(world, interaction, draft)
        case Callback.UPDATE:
            written = _update_source(world, interaction, draft)
        case Callback.DEFERRED_UPDATE:
            interaction.original_id = interaction.message_id
        case Callback.CHOICES:
            interaction.choices = _choices(interaction, draft)
        case Callback.MODAL:
            modal_rules.check(draft.form, data)
            draft.form.refuse_if_wrong()
            interaction.modal = modal_rules.answered(data)
    interaction.callback = callback
    world.interaction_answered(interaction)
    return written


def _callback(interaction: Interaction, given: object) -> Callback:
    legal = {
        Kind.COMMAND: {Callback.MESSAGE, Callback.DEFERRED_MESSAGE, Callback.MODAL},
        Kind.COMPONENT: set(Callback) - {Callback.CHOICES},
        Kind.AUTOCOMPLETE: {Callback.CHOICES},
        Kind.MODAL_SUBMIT: {Callback.MESSAGE, Callback.DEFERRED_MESSAGE},
    }[interaction.kind]
    if interaction.kind is Kind.MODAL_SUBMIT and interaction.message_id is not None:
        legal |= {Callback.UPDATE, Callback.DEFERRED_UPDATE}
    if isinstance(given, int) and given in list(Callback) and Callback(given) in legal:
        return Callback(given)
    form = Form()
    sentence = f"Value must be one of {{{', '.join(str(int(one)) for one in sorted(legal))}}}."
    form.wrong(("type",), "BASE_TYPE_CHOICES", sentence)
    form.refuse_if_wrong()
    raise AssertionError("unreachable: the form above is wrong")


def _blank(world: World, interaction: Interaction, flags: Flag, *, replies_to: str | None = None) -> Message:
    is_ephemeral = Flag.EPHEMERAL in flags
    kind = COMMAND_ANSWER if interaction.target_id is None else MENU_ANSWER
    return Message(
        id=world.snowflakes.take(),
        channel_id=interaction.channel_id,
        author_id=world.bot.id,
        created_at=world.now(),
        kind=REPLY if replies_to else kind,
        flags=flags,
        replies_to=replies_to,
        origin=interaction_payloads.origin(world, interaction),
        ephemeral_for=interaction.person_id if is_ephemeral else None,
    )


def _asked_ephemeral(draft: Draft) -> Flag:
    given = draft.body.get("flags")
    return Flag(given) & Flag.EPHEMERAL if isinstance(given, int) else Flag(0)


def _keep(world: World, interaction: Interaction, message: Message) -> Message:
    interaction.original_id = message.id
    interaction.is_ephemeral = message.ephemeral_for is not None
    interaction.message_ids.append(message.id)
    return world.post(message)


def _write_original(world: World, interaction: Interaction, draft: Draft) -> Message:
    replies_to = None if interaction.began_with_command else interaction.message_id
    blank = _blank(world, interaction, _asked_ephemeral(draft), replies_to=replies_to)
    return _keep(world, interaction, world.writer.write(draft, blank))


def _loading(world: World, interaction: Interaction, draft: Draft) -> Message:
    return _keep(world, interaction, _blank(world, interaction, _asked_ephemeral(draft) | Flag.LOADING))


def _update_source(world: World, interaction: Interaction, draft: Draft) -> Message:
    message = world.find_message(interaction.message_id or "")
    if message is None:
        raise refusals.unknown_message()
    interaction.original_id = message.id
    return world.change(world.writer.revise(draft, message, now=world.now()))


def _choices(interaction: Interaction, draft: Draft) -> list[Json]:
    form, place = draft.form, ("choices",)
    choices = form.listing(place, draft.body.get("choices"), most=limits.COMMAND_CHOICES, required=True)
    command_rules.check_choices(form, place, choices, kind=_focused_type(interaction.data.get("options", [])))
    form.refuse_if_wrong()
    return choices


def _focused_type(options: list[Json]) -> int:
    for option in options:
        if option.get("focused"):
            return int(option["type"])
        if "options" in option:
            return _focused_type(option["options"])
    return command_rules.STRING


# After the callback, by token.


def with_token(world: World, token: str) -> Interaction:
    interaction = world.interaction_with_token(token)
    if interaction is None:
        raise refusals.unknown_webhook()
    interaction.check_token(world.now())
    return interaction


def message_of(world: World, interaction: Interaction, message_id: str) -> Message:
    """A message this token may read and change: the original answer, or one of its follow-ups."""
    wanted = interaction.original_id if message_id == "@original" else message_id
    own = {interaction.original_id, *interaction.message_ids}
    message = world.find_message(wanted) if wanted in own and wanted is not None else None
    if message is None:
        raise refusals.unknown_message()
    return message


def edit(world: World, message: Message, draft: Draft) -> Message:
    return world.change(world.writer.revise(draft, message, now=world.now()))


def follow_up(world: World, interaction: Interaction, draft: Draft) -> Message:
    """A further message; right after a deferral it fills the one that is still loading."""
    original = world.find_message(interaction.original_id or "")
    if original is not None and original.is_loading:
        body = {key: value for key, value in draft.body.items() if key != "flags"}
        if draft.body.get("flags"):
            body["flags"] = int(draft.body["flags"]) & ~Flag.EPHEMERAL
        return edit(world, original, replace(draft, body=body))
    blank = _blank(world, interaction, _asked_ephemeral(draft), replies_to=interaction.original_id)
    message = world.writer.write(draft, blank)
    interaction.message_ids.append(message.id)
    return world.post(message)
