"""Checks the body of a message request as a whole: text, files, embeds and cards, and how they exclude each other."""

from collections.abc import Mapping
from typing import Any

from bot.playground import embed_rules, limits, media, mentions, refusals
from bot.playground.component_rules import ComponentCheck
from bot.playground.form import Form
from bot.playground.shapes import Json
from bot.playground.values import Flag, Message, Upload

NOT_HERE = ("poll", "sticker_ids", "shared_client_theme")


def check(form: Form, body: Json, files: Mapping[int, Upload], *, existing: Message | None, file_bytes: int) -> None:
    """Refuses what Discord refuses of a new message, or of an edit of `existing`."""
    for part in NOT_HERE:
        if body.get(part):
            raise refusals.not_implemented(f"{part} in a message")
    if any(len(file.data) > file_bytes for file in files.values()):
        raise refusals.request_too_large()
    form.text(("content",), body.get("content"), longest=limits.CONTENT)
    mentions.check(form, body.get("allowed_mentions"))
    _check_nonce(form, body.get("nonce"))
    _check_attachments(form, body, files, existing)
    names = filenames_after(body, files, existing)
    embeds = form.listing(("embeds",), body.get("embeds"), most=limits.EMBEDS)
    embed_rules.check(form, embeds, filenames=names)
    _check_components(form, body, existing, names)
    form.refuse_if_wrong()


def _check_nonce(form: Form, nonce: Any) -> None:
    if isinstance(nonce, int) and not isinstance(nonce, bool):
        return
    form.text(("nonce",), nonce, longest=limits.NONCE)


def _check_attachments(form: Form, body: Json, files: Mapping[int, Upload], existing: Message | None) -> None:
    place = ("attachments",)
    listed = form.listing(place, body.get("attachments"), most=limits.FILES)
    kept = {attachment.id for attachment in existing.attachments} if existing else set()
    for index, entry in enumerate(listed):
        given = entry.get("id")
        form.text((*place, index, "description"), entry.get("description"), longest=limits.ALT_TEXT)
        if given is None:
            form.missing((*place, index, "id"))
        elif not _is_file(given, files) and str(given) not in kept:
            form.wrong((*place, index), "ATTACHMENT_NOT_FOUND", "Attachment data not found")
    if count_after(body, files, existing) > limits.FILES:
        form.wrong(place, "BASE_TYPE_BAD_LENGTH", f"Must be between 0 and {limits.FILES} in length.")


def _is_file(given: Any, files: Mapping[int, Upload]) -> bool:
    return str(given).isdigit() and int(given) in files


def count_after(body: Json, files: Mapping[int, Upload], existing: Message | None) -> int:
    if body.get("attachments") is None:
        return len(files) + (len(existing.attachments) if existing else 0)
    listed = {str(entry.get("id")) for entry in body["attachments"] if isinstance(entry, dict)}
    return len(listed | {str(number) for number in files})


def filenames_after(body: Json, files: Mapping[int, Upload], existing: Message | None) -> set[str]:
    """The names that attachment:// may use once this request is done."""
    overrides: dict[str, str] = {}
    listed: set[str] | None = None
    if isinstance(body.get("attachments"), list):
        entries = [entry for entry in body["attachments"] if isinstance(entry, dict)]
        listed = {str(entry.get("id")) for entry in entries}
        overrides = {str(entry.get("id")): entry["filename"] for entry in entries if entry.get("filename")}
    names = {media.safe_filename(overrides.get(str(number), file.filename)) for number, file in files.items()}
    if existing is not None:
        names |= {one.filename for one in existing.attachments if listed is None or one.id in listed}
    return names


def flags_after(body: Json, existing: Message | None) -> Flag:
    """A bot chooses four flags; the others belong to Discord and are passed over."""
    before = existing.flags if existing else Flag(0)
    if body.get("flags") is None:
        return before
    editable = Flag.SUPPRESS_EMBEDS | Flag.COMPONENTS_V2
    if existing is None:
        editable |= Flag.SUPPRESS_NOTIFICATIONS | Flag.EPHEMERAL
    return (before & ~editable) | (Flag(int(body["flags"])) & editable)


def _check_components(form: Form, body: Json, existing: Message | None, names: set[str]) -> None:
    if not form.number(("flags",), body.get("flags", 0) or 0, least=0, most=2**31 - 1):
        return
    flags = flags_after(body, existing)
    components = form.listing(("components",), body.get("components"), most=limits.COMPONENTS)
    walk = ComponentCheck(form, filenames=names)
    if Flag.COMPONENTS_V2 in flags:
        _check_card_stands_alone(form, body, existing)
        walk.check_card(components)
        return
    if existing is not None and existing.uses_components_v2:
        sentence = "The IS_COMPONENTS_V2 flag cannot be removed from a message"
        form.wrong(("flags",), "MESSAGE_CANNOT_REMOVE_COMPONENTS_V2_FLAG", sentence)
        return
    walk.check_rows(components)


def _check_card_stands_alone(form: Form, body: Json, existing: Message | None) -> None:
    """Text and embeds left over from before count as well: an edit that sets the flag must clear them."""
    for part in ("content", "embeds"):
        left_over = getattr(existing, part) if existing else None
        if body.get(part, left_over):
            sentence = f"The '{part}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
            form.wrong((part,), "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", sentence)
