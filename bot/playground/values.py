"""The things of the playground's world: people, channels, messages. Frozen; a change is a new value."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntFlag

from bot.playground.shapes import Json


class Permission(IntFlag):
    ADD_REACTIONS = 1 << 6
    ADMINISTRATOR = 1 << 3
    MANAGE_GUILD = 1 << 5
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_APPLICATION_COMMANDS = 1 << 31
    CREATE_PUBLIC_THREADS = 1 << 35
    SEND_MESSAGES_IN_THREADS = 1 << 38

    @classmethod
    def of_everyone(cls) -> "Permission":
        return (
            cls.ADD_REACTIONS
            | cls.VIEW_CHANNEL
            | cls.SEND_MESSAGES
            | cls.EMBED_LINKS
            | cls.ATTACH_FILES
            | cls.READ_MESSAGE_HISTORY
            | cls.USE_APPLICATION_COMMANDS
            | cls.CREATE_PUBLIC_THREADS
            | cls.SEND_MESSAGES_IN_THREADS
        )

    @classmethod
    def of_owner(cls) -> "Permission":
        return cls.of_everyone() | cls.ADMINISTRATOR | cls.MANAGE_GUILD | cls.MANAGE_MESSAGES | cls.MENTION_EVERYONE


class Flag(IntFlag):
    """Message flags."""

    NONE = 0
    SUPPRESS_EMBEDS = 1 << 2
    HAS_THREAD = 1 << 5
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    COMPONENTS_V2 = 1 << 15


@dataclass(frozen=True, kw_only=True)
class User:
    id: str
    name: str
    is_bot: bool = False

    @property
    def username(self) -> str:
        return self.name.lower().replace(" ", "_")


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A text channel of the server; with a parent, a thread; with a recipient, that person's direct channel."""

    id: str
    name: str
    topic: str | None = None
    position: int = 0
    recipient_id: str | None = None
    parent_id: str | None = None
    owner_id: str | None = None  # who began the thread
    opened_at: datetime | None = None  # of a thread

    @property
    def is_direct(self) -> bool:
        return self.recipient_id is not None


@dataclass(frozen=True, kw_only=True)
class Server:
    id: str
    name: str
    owner_id: str
    bot_role_id: str
    opened_at: datetime


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A stored file. `folder` is the beginning of its path on the CDN."""

    id: str
    filename: str
    content_type: str
    size: int
    folder: str
    width: int | None = None
    height: int | None = None
    description: str | None = None
    is_spoiler: bool = False
    is_ephemeral: bool = False


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file as it came with a request, not stored yet."""

    filename: str
    data: bytes
    content_type: str | None = None


@dataclass(frozen=True, kw_only=True)
class Mentions:
    user_ids: tuple[str, ...] = ()
    role_ids: tuple[str, ...] = ()
    everyone: bool = False


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Which interaction a message answers; `metadata` is what Discord shows about it."""

    interaction_id: str
    name: str
    metadata: Json


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message. Media in embeds and components name stored files by id; addresses are made on writing it out."""

    id: str
    channel_id: str
    author_id: str
    created_at: datetime
    kind: int = 0
    content: str = ""
    embeds: tuple[Json, ...] = ()
    components: tuple[Json, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    flags: Flag = Flag.NONE
    edited_at: datetime | None = None
    mentions: Mentions = field(default_factory=Mentions)
    nonce: str | int | None = None
    replies_to: str | None = None
    origin: Origin | None = None
    ephemeral_for: str | None = None

    @property
    def is_loading(self) -> bool:
        return Flag.LOADING in self.flags

    @property
    def uses_components_v2(self) -> bool:
        return Flag.COMPONENTS_V2 in self.flags
