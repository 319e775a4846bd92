"""One thing a person did that the bot must answer, and how far that answer has come."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum

from bot.playground import limits, refusals
from bot.playground.shapes import Json


class Kind(IntEnum):
    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL_SUBMIT = 5


class Callback(IntEnum):
    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7
    CHOICES = 8
    MODAL = 9


@dataclass(kw_only=True, eq=False)
class Interaction:
    """Lives longer than a message and changes: first the callback, then up to fifteen minutes of edits."""

    id: str
    token: str
    kind: Kind
    person_id: str
    channel_id: str
    data: Json
    created_at: datetime
    name: str = ""
    message_id: str | None = None
    parent: "Interaction | None" = None
    callback: Callback | None = None
    original_id: str | None = None
    is_ephemeral: bool = False
    modal: Json | None = None
    modal_was_submitted: bool = False
    choices: list[Json] | None = None
    message_ids: list[str] = field(default_factory=list)

    @property
    def began_with_command(self) -> bool:
        first = self
        while first.parent is not None:
            first = first.parent
        return first.kind is Kind.COMMAND

    @property
    def target_id(self) -> str | None:
        """The message whose menu was used."""
        return self.data.get("target_id")

    def check_answerable(self, now: datetime) -> None:
        """The callback must come within three seconds, once."""
        if self.callback is not None:
            raise refusals.already_acknowledged()
        if now - self.created_at > timedelta(seconds=limits.ANSWER_SECONDS):
            raise refusals.unknown_interaction()

    def check_token(self, now: datetime) -> None:
        """The token edits and follows up for fifteen minutes, and only after a callback."""
        if now - self.created_at > timedelta(seconds=limits.TOKEN_SECONDS):
            raise refusals.invalid_webhook_token()
        if self.callback is None:
            raise refusals.unknown_webhook()
