"""The playground's one world: people, a server with channels, messages, commands and interactions.

Routes, the gateway, the page and the people of tests all read and change it here; every change is announced.
"""

import base64
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.playground import limits, refusals
from bot.playground.cdn import Files
from bot.playground.commands import CommandBook
from bot.playground.events import (
    ChannelDeleted,
    ChannelOpened,
    CommandsChanged,
    Event,
    InteractionAnswered,
    InteractionOpened,
    Listener,
    MessageCreated,
    MessageDeleted,
    MessageUpdated,
)
from bot.playground.interactions import Interaction, Kind
from bot.playground.message_writing import Writer, is_shown_by_embed
from bot.playground.shapes import Json
from bot.playground.snowflakes import Snowflakes
from bot.playground.values import Channel, Message, Permission, Server, User

PEOPLE = ("Ann", "Ben", "Cleo")
CHANNELS = {
    "general": "Say hello.",
    "training": "Finetunes and how they are getting on.",
    "gallery": "Pictures worth keeping.",
    "help": "Questions about the bot.",
}


# Who and what was there from the beginning has the same id in every playground, so a bot's data outlives it.
FOUNDED = datetime(2026, 1, 1, tzinfo=UTC)


class World:
    """Everything that exists in the playground. `now` is passed in so that time can be moved."""

    def __init__(self, *, now: Callable[[], datetime], file_bytes: int = limits.FILE_BYTES) -> None:
        self.now = now
        self.file_bytes = file_bytes
        self.snowflakes = Snowflakes(now)
        self.files = Files(now=now, snowflakes=self.snowflakes)
        self.writer = Writer(self.files, file_bytes=self.file_bytes_in)
        take = Snowflakes(lambda: FOUNDED).take
        self.people = {user.id: user for user in (User(id=take(), name=name) for name in PEOPLE)}
        self.bot = User(id=take(), name="Atelier", is_bot=True)
        self.token = _token(self.bot.id)
        owner_id = list(self.people)[-1]
        self.server = Server(
            id=take(), name="Atelier playground", owner_id=owner_id, bot_role_id=take(), opened_at=now()
        )
        self.channels: dict[str, Channel] = {}
        for position, (name, topic) in enumerate(CHANNELS.items()):
            channel = Channel(id=take(), name=name, topic=topic, position=position)
            self.channels[channel.id] = channel
        self.commands = CommandBook(self.snowflakes, application_id=self.bot.id)
        self.interactions: dict[str, Interaction] = {}
        self.withheld: dict[str, Permission] = {}  # from the bot, by channel
        self.closed_to_the_bot: set[str] = set()  # people who take no direct messages
        self._messages: dict[str, dict[str, Message]] = {}
        self._nonces: dict[tuple[str, str], tuple[str, datetime]] = {}
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Calls `listener` with every event until the returned function is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def announce(self, event: Event) -> None:
        for listener in list(self._listeners):
            listener(event)

    # People and places.

    def user(self, user_id: str) -> User:
        user = self.bot if user_id == self.bot.id else self.people.get(user_id)
        if user is None:
            raise refusals.unknown_user()
        return user

    def channel(self, channel_id: str) -> Channel:
        channel = self.channels.get(channel_id)
        if channel is None:
            raise refusals.unknown_channel()
        return channel

    def channel_named(self, name: str) -> Channel:
        bare = name.removeprefix("#")
        for channel in self.channels.values():
            if bare in (channel.id, channel.name) and (bare == channel.id or not channel.is_direct):
                return channel
        raise LookupError(f"There is no channel called {name!r} in the playground.")

    def direct_channel(self, person_id: str) -> Channel:
        """The channel between the bot and one person, opened when there is none."""
        for channel in self.channels.values():
            if channel.recipient_id == person_id:
                return channel
        name = self.user(person_id).username
        return self.open_channel(Channel(id=self.snowflakes.take(), name=name, recipient_id=person_id))

    def open_channel(self, channel: Channel) -> Channel:
        self.channels[channel.id] = channel
        self.announce(ChannelOpened(channel=channel))
        return channel

    def delete_channel(self, channel: Channel) -> None:
        """With its messages, its files and its threads."""
        for thread in [one for one in self.channels.values() if one.parent_id == channel.id]:
            self.delete_channel(thread)
        for message in self._messages.pop(channel.id, {}).values():
            for attachment in message.attachments:
                self.files.forget(attachment.id)
        del self.channels[channel.id]
        self.announce(ChannelDeleted(channel=channel))

    def permissions(self, user_id: str, channel: Channel) -> Permission:
        """A thread has those of its channel."""
        if user_id == self.server.owner_id:
            return Permission.of_owner()
        withheld = self.withheld.get(channel.parent_id or channel.id) if user_id == self.bot.id else None
        return Permission.of_everyone() & ~(withheld or Permission(0))

    def file_bytes_in(self, channel_id: str) -> int:
        """How large a file may be: a server's boosts do not reach into direct messages."""
        return limits.FILE_BYTES if self.channel(channel_id).is_direct else self.file_bytes

    # Messages.

    def message(self, channel_id: str, message_id: str) -> Message:
        message = self._messages.get(self.channel(channel_id).id, {}).get(message_id)
        if message is None:
            raise refusals.unknown_message()
        return message

    def messages_in(self, channel_id: str) -> list[Message]:
        """Every message of a channel, oldest first, ephemeral ones of all people included."""
        return list(self._messages.get(channel_id, {}).values())

    def find_message(self, message_id: str) -> Message | None:
        return next((held[message_id] for held in self._messages.values() if message_id in held), None)

    def post(self, message: Message) -> Message:
        self._messages.setdefault(message.channel_id, {})[message.id] = message
        if message.nonce is not None:
            self._nonces[(message.channel_id, str(message.nonce))] = (message.id, self.now())
        self.announce(MessageCreated(message=message))
        return message

    def change(self, message: Message) -> Message:
        """Puts the next version of a message in its place; files it no longer has are gone."""
        before = self._messages[message.channel_id][message.id]
        self._messages[message.channel_id][message.id] = message
        for attachment in before.attachments:
            if attachment not in message.attachments and not is_shown_by_embed(message, attachment):
                self.files.forget(attachment.id)
        self.announce(MessageUpdated(message=message))
        return message

    def remove(self, message: Message) -> None:
        del self._messages[message.channel_id][message.id]
        for attachment in message.attachments:
            self.files.forget(attachment.id)
        self.announce(MessageDeleted(message=message))

    def posted_with_nonce(self, channel_id: str, nonce: str | int) -> Message | None:
        """The message this nonce already made in the last minutes."""
        message_id, posted_at = self._nonces.get((channel_id, str(nonce)), ("", self.now()))
        is_recent = self.now() - posted_at <= timedelta(seconds=limits.NONCE_SECONDS)
        return self.find_message(message_id) if is_recent else None

    # Commands and interactions.

    def register_commands(self, scope: str | None, commands: list[Json]) -> list[Json]:
        written = self.commands.replace_all(scope, commands)
        self.announce(CommandsChanged())
        return written

    def register_command(self, scope: str | None, command: Json) -> tuple[Json, bool]:
        registered = self.commands.put(scope, command)
        self.announce(CommandsChanged())
        return registered

    def open_interaction(
        self,
        kind: Kind,
        *,
        person_id: str,
        channel_id: str,
        data: Json,
        name: str,
        message_id: str | None = None,
        parent: Interaction | None = None,
    ) -> Interaction:
        interaction = Interaction(
            id=self.snowflakes.take(),
            token=secrets.token_urlsafe(48),
            kind=kind,
            person_id=person_id,
            channel_id=channel_id,
            data=data,
            name=name,
            created_at=self.now(),
            message_id=message_id,
            parent=parent,
        )
        self.interactions[interaction.id] = interaction
        self.announce(InteractionOpened(interaction=interaction))
        return interaction

    def interaction_answered(self, interaction: Interaction) -> None:
        self.announce(InteractionAnswered(interaction=interaction))

    def interaction_with_token(self, token: str) -> Interaction | None:
        return next((one for one in self.interactions.values() if secrets.compare_digest(one.token, token)), None)


def _token(bot_id: str) -> str:
    """Shaped like a real one: libraries read the bot's id from the first part."""
    first = base64.urlsafe_b64encode(bot_id.encode()).decode().rstrip("=")
    return f"{first}.play.{secrets.token_urlsafe(27)}"


def wall_clock() -> datetime:
    return datetime.now(UTC)
