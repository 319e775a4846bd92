"""What happens in the playground's world. The gateway, the page and waiting people all listen to these."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from bot.playground.interactions import Interaction
from bot.playground.values import Channel, Message


@dataclass(frozen=True, kw_only=True)
class MessageCreated:
    message: Message


@dataclass(frozen=True, kw_only=True)
class MessageUpdated:
    message: Message


@dataclass(frozen=True, kw_only=True)
class MessageDeleted:
    message: Message


@dataclass(frozen=True, kw_only=True)
class InteractionOpened:
    interaction: Interaction


@dataclass(frozen=True, kw_only=True)
class InteractionAnswered:
    interaction: Interaction


@dataclass(frozen=True, kw_only=True)
class TypingStarted:
    channel: Channel
    user_id: str


@dataclass(frozen=True, kw_only=True)
class ChannelOpened:
    """A thread was begun, or the bot and somebody may write to each other now."""

    channel: Channel


@dataclass(frozen=True, kw_only=True)
class ChannelDeleted:
    channel: Channel


@dataclass(frozen=True, kw_only=True)
class CommandsChanged:
    pass


@dataclass(frozen=True, kw_only=True)
class BotCameOrWent:
    is_online: bool


Event: TypeAlias = (
    MessageCreated
    | MessageUpdated
    | MessageDeleted
    | InteractionOpened
    | InteractionAnswered
    | TypingStarted
    | ChannelOpened
    | ChannelDeleted
    | CommandsChanged
    | BotCameOrWent
)
Listener: TypeAlias = Callable[[Event], None]
