"""Turns a checked request body into a message, or into the next version of one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.playground import embed_rules, mentions, message_rules, refusals
from bot.playground.cdn import Files
from bot.playground.component_shapes import Answered, media_in, walk
from bot.playground.form import Form
from bot.playground.shapes import Json
from bot.playground.values import Attachment, Flag, Message, Upload

ATTACHMENT = "attachment://"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A request to write a message: its body, its files by number, and where the body sits in the request."""

    body: Json
    files: Mapping[int, Upload]
    form: Form


class Writer:
    """Writes messages against one store of files; `file_bytes` is what one file may have in a channel."""

    def __init__(self, files: Files, *, file_bytes: Callable[[str], int]) -> None:
        self._files = files
        self._file_bytes = file_bytes

    def write(self, draft: Draft, blank: Message, *, replied_to: str | None = None) -> Message:
        """A new message: `blank` knows where, when and who; the draft fills it."""
        return self._fill(draft, blank, None, replied_to=replied_to)

    def revise(self, draft: Draft, message: Message, *, now: datetime) -> Message:
        """An edit: what the body does not name stays. A loading message becomes a real one."""
        revised = self._fill(draft, message, message)
        edited_at = message.edited_at if message.is_loading else now
        return replace(revised, edited_at=edited_at, flags=revised.flags & ~Flag.LOADING)

    def _fill(
        self, draft: Draft, blank: Message, existing: Message | None, *, replied_to: str | None = None
    ) -> Message:
        body = draft.body
        file_bytes = self._file_bytes(blank.channel_id)
        message_rules.check(draft.form, body, draft.files, existing=existing, file_bytes=file_bytes)
        attachments = self._attachments(draft, blank, existing)
        by_name = {attachment.filename: attachment for attachment in attachments}

        def media_of(url: str) -> Json:
            return self._media(url, by_name)

        filled = replace(blank, attachments=attachments, flags=message_rules.flags_after(body, existing))
        if "content" in body:
            filled = replace(filled, content=(body["content"] or "").strip())
        if "embeds" in body:
            embeds = [embed for embed in body["embeds"] or [] if not embed_rules.is_empty(embed)]
            filled = replace(filled, embeds=tuple(embed_rules.answered(embed, media_of) for embed in embeds))
        if "components" in body:
            filled = replace(filled, components=Answered(body["components"] or [], media_of).write())
        if "nonce" in body:
            filled = replace(filled, nonce=body["nonce"])
        allowed = body.get("allowed_mentions")
        filled = replace(filled, mentions=mentions.found(written_text(filled), allowed, replied_to=replied_to))
        if existing is not None:
            _refuse_dangling(existing, filled)
        _refuse_empty(filled)
        return filled

    def _attachments(self, draft: Draft, blank: Message, existing: Message | None) -> tuple[Attachment, ...]:
        listed = draft.body.get("attachments")
        before = existing.attachments if existing else ()
        if listed is None:
            kept = before
            entries: dict[str, Json] = {}
        else:
            entries = {str(entry["id"]): entry for entry in listed}
            kept = tuple(one for one in before if one.id in entries)
        stored = tuple(
            self._store(file, blank, entries.get(str(number), {})) for number, file in sorted(draft.files.items())
        )
        return kept + stored

    def _store(self, file: Upload, blank: Message, entry: Json) -> Attachment:
        upload = replace(file, filename=entry.get("filename") or file.filename)
        is_ephemeral = Flag.EPHEMERAL in blank.flags
        folder = f"{'ephemeral-attachments' if is_ephemeral else 'attachments'}/{blank.channel_id}"
        attachment = self._files.store(upload, folder=folder, ephemeral=is_ephemeral)
        return self._files.describe(
            attachment, description=entry.get("description"), is_spoiler=bool(entry.get("is_spoiler"))
        )

    def _media(self, url: str, by_name: Mapping[str, Attachment]) -> Json:
        """Names a stored file by id, so that its address can be signed afresh whenever the message is written out."""
        if url.startswith(ATTACHMENT):
            return {"attachment_id": by_name[url.removeprefix(ATTACHMENT)].id}
        stored = self._files.named_by(url)
        return {"attachment_id": stored.id} if stored else {"url": url}


def _refuse_dangling(before: Message, after: Message) -> None:
    """A card cannot go on showing a file that the same edit removes."""
    removed = {one.id for one in before.attachments} - {one.id for one in after.attachments}
    form = Form()
    for item in media_in(after.components):
        if item.get("attachment_id") in removed:
            sentence = "The referenced attachment could not be found"
            form.wrong(("components",), "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", sentence)
    form.refuse_if_wrong()


def _refuse_empty(message: Message) -> None:
    if not (message.content or message.embeds or message.components or message.attachments):
        raise refusals.empty_message()


def written_text(message: Message) -> str:
    """What the message says, content and text displays: the text in which mentions ping."""
    texts = [message.content]
    texts += [component["content"] for component in walk(message.components) if "content" in component]
    return "\n".join(texts)


def is_shown_by_embed(message: Message, attachment: Attachment) -> bool:
    """Discord leaves a file that an embed shows out of the message's attachments."""
    return any(
        embed.get(part, {}).get("attachment_id") == attachment.id
        for embed in message.embeds
        for part in ("image", "thumbnail")
    )
