"""The playground's gateway, version 10: hello, identify, heartbeat, resume, and the world's events as they happen."""

import asyncio
from collections import deque

from aiohttp import WSMsgType, web

from bot.playground import interaction_payloads, payloads, server_payloads
from bot.playground.events import (
    BotCameOrWent,
    ChannelDeleted,
    ChannelOpened,
    Event,
    InteractionOpened,
    MessageCreated,
    MessageDeleted,
    MessageUpdated,
    TypingStarted,
)
from bot.playground.faults import Garbling
from bot.playground.gateway_connection import Closing, Connection
from bot.playground.gateway_session import Session, Wire
from bot.playground.shapes import Json
from bot.playground.values import Channel, Message
from bot.playground.world import World

HEARTBEAT_MS = 41_250
KNOWN_INTENTS = (1 << 26) - 1
PRIVILEGED_INTENTS = (1 << 1) | (1 << 8) | (1 << 15)
MESSAGE_CONTENT = 1 << 15
GUILDS, GUILD_MESSAGES, GUILD_TYPING, DIRECT_MESSAGES, DIRECT_TYPING = 1, 1 << 9, 1 << 11, 1 << 12, 1 << 14
SESSIONS = 50

RECONNECT, HELLO = 7, 10


class Gateway:
    """All sessions. `allowed_intents` are the privileged ones switched on for the application."""

    def __init__(self, world: World, *, allowed_intents: int = 0) -> None:
        self._world = world
        self._allowed_intents = allowed_intents
        self._sessions: dict[str, Session] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self.wires: set[Wire] = set()
        self.garbling = Garbling()
        self.dispatched: deque[Json] = deque(maxlen=20_000)
        world.subscribe(self.hear)

    @property
    def is_online(self) -> bool:
        return any(session.wire is not None for session in self._sessions.values())

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One connection, until either side ends it."""
        socket = web.WebSocketResponse(max_msg_size=0, compress=False, timeout=1.0)
        await socket.prepare(request)
        wire = Wire(socket, is_compressed=request.query.get("compress") == "zlib-stream")
        self.wires.add(wire)
        connection = Connection(wire, identify=self.identify, resume=self.resume)
        try:
            if request.query.get("v") != "10" or request.query.get("encoding", "json") != "json":
                raise Closing(4012, "Invalid API version.")
            await wire.send({"op": HELLO, "s": None, "t": None, "d": {"heartbeat_interval": HEARTBEAT_MS}})
            async for frame in socket:
                if frame.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    await connection.receive(frame.data)
        except Closing as closing:
            await wire.close(closing.code, closing.reason)
        except ConnectionError:
            # The client hung up while it was being answered.
            return socket
        finally:
            self.wires.discard(wire)
            self._part(connection, socket.close_code)
        return socket

    def _part(self, connection: Connection, close_code: int | None) -> None:
        session = connection.session
        if session is None or session.wire is not connection.wire:
            return
        session.wire = None
        if close_code in (1000, 1001) and not connection.wire.was_closed_here:
            self._sessions.pop(session.id, None)
        self._world.announce(BotCameOrWent(is_online=self.is_online))

    # What a connection asks for.

    def identify(self, data: Json, wire: Wire) -> Session:
        if str(data.get("token", "")).removeprefix("Bot ") != self._world.token:
            raise Closing(4004, "Authentication failed.")
        intents = data.get("intents")
        if not isinstance(intents, int) or intents & ~KNOWN_INTENTS:
            raise Closing(4013, "Invalid intent(s).")
        if intents & PRIVILEGED_INTENTS & ~self._allowed_intents:
            raise Closing(4014, "Disallowed intent(s).")
        number, count = data.get("shard") or (0, 1)
        if not 0 <= number < count:
            raise Closing(4010, "Invalid shard.")
        session = Session(bot=self._world.bot, intents=intents, shard=(number, count), wire=wire)
        while len(self._sessions) >= SESSIONS:
            self._sessions.pop(next(iter(self._sessions)))
        self._sessions[session.id] = session
        self._greet(session)
        return session

    def _greet(self, session: Session) -> None:
        guild_id = self._world.server.id
        serves = session.serves_guild(guild_id)
        ready: Json = {
            "v": 10,
            "user": payloads.own_user(self._world),
            "guilds": [{"id": guild_id, "unavailable": True}] if serves else [],
            "private_channels": [],
            "relationships": [],
            "session_type": "normal",
            "session_id": session.id,
            "resume_gateway_url": self._world.files.base_url.replace("http://", "ws://", 1) + "/gateway",
            "shard": list(session.shard),
            "application": {"id": self._world.bot.id, "flags": 0, "flags_new": "0"},
        }
        self._dispatch(session, "READY", ready)
        if serves and session.wants(GUILDS):
            self._dispatch(session, "GUILD_CREATE", server_payloads.guild_create(self._world))
        self._world.announce(BotCameOrWent(is_online=True))

    def resume(self, data: Json, wire: Wire) -> Session | None:
        """Continues a session with what it missed; None when it cannot be continued."""
        if str(data.get("token", "")).removeprefix("Bot ") != self._world.token:
            raise Closing(4004, "Authentication failed.")
        session = self._sessions.get(str(data.get("session_id")))
        sequence = data.get("seq")
        missed = session.missed_since(sequence) if session and isinstance(sequence, int) else None
        if session is None or missed is None:
            return None
        session.wire = wire
        for event in missed:
            self._send(session, event)
        self._dispatch(session, "RESUMED", {"_trace": ["playground"]})
        self._world.announce(BotCameOrWent(is_online=True))
        return session

    # What the world tells.

    def hear(self, event: Event) -> None:
        match event:
            case MessageCreated(message=message):
                self._tell_of_message("MESSAGE_CREATE", message)
            case MessageUpdated(message=message):
                self._tell_of_message("MESSAGE_UPDATE", message)
            case MessageDeleted(message=message):
                self._tell_of_deletion(message)
            case TypingStarted(channel=channel, user_id=user_id):
                moment = int(self._world.now().timestamp())
                data = {"channel_id": channel.id, "user_id": user_id, "timestamp": moment}
                self._tell("TYPING_START", data, channel, DIRECT_TYPING if channel.is_direct else GUILD_TYPING)
            case ChannelOpened(channel=channel) if channel.parent_id is not None:
                self._tell("THREAD_CREATE", self._told(channel) | {"newly_created": True}, channel, GUILDS)
            case ChannelDeleted(channel=channel) if not channel.is_direct:
                kind = "CHANNEL" if channel.parent_id is None else "THREAD"
                self._tell(f"{kind}_DELETE", self._told(channel), channel, GUILDS)
            case InteractionOpened(interaction=interaction):
                channel = self._world.channel(interaction.channel_id)
                data = interaction_payloads.interaction(self._world, interaction)
                self._tell("INTERACTION_CREATE", data, channel, 0)

    def _told(self, channel: Channel) -> Json:
        return payloads.channel(self._world, channel)

    def _tell_of_message(self, name: str, message: Message) -> None:
        # Ephemeral messages exist only between the person and the interaction's token.
        if message.ephemeral_for is not None:
            return
        channel = self._world.channel(message.channel_id)
        data = payloads.message(self._world, message)
        if not channel.is_direct:
            data["guild_id"] = self._world.server.id
            if message.author_id in self._world.people:
                member = server_payloads.member(self._world, message.author_id)
                data["member"] = {key: value for key, value in member.items() if key != "user"}
        self._tell(name, data, channel, DIRECT_MESSAGES if channel.is_direct else GUILD_MESSAGES)

    def _tell_of_deletion(self, message: Message) -> None:
        if message.ephemeral_for is not None:
            return
        channel = self._world.channel(message.channel_id)
        data = {"id": message.id, "channel_id": channel.id}
        if not channel.is_direct:
            data["guild_id"] = self._world.server.id
        self._tell("MESSAGE_DELETE", data, channel, DIRECT_MESSAGES if channel.is_direct else GUILD_MESSAGES)

    def _tell(self, name: str, data: Json, channel: Channel, intent: int) -> None:
        """Direct channels belong to shard 0; what people write is hidden from a bot that may not read it."""
        for session in self._sessions.values():
            serves = session.shard[0] == 0 if channel.is_direct else session.serves_guild(self._world.server.id)
            if serves and session.wants(intent):
                self._dispatch(session, name, self._as_seen(session, name, data, channel))

    def _as_seen(self, session: Session, name: str, data: Json, channel: Channel) -> Json:
        if name not in ("MESSAGE_CREATE", "MESSAGE_UPDATE") or session.wants(MESSAGE_CONTENT) or channel.is_direct:
            return data
        own = data["author"]["id"] == session.bot.id
        if own or any(user["id"] == session.bot.id for user in data["mentions"]):
            return data
        return data | {"content": "", "embeds": [], "attachments": [], "components": []}

    def _dispatch(self, session: Session, name: str, data: Json) -> None:
        self._send(session, session.number(name, data))

    def _send(self, session: Session, event: Json) -> None:
        self.dispatched.append(event)
        if session.wire is None:
            return
        # Tasks start in the order they are made, and a frame is written before the first pause: order is kept.
        task = asyncio.get_running_loop().create_task(_send_quietly(session.wire, self.garbling.instead_of(event)))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def close_all(self, code: int, reason: str) -> None:
        for wire in list(self.wires):
            await wire.close(code, reason)

    async def ask_to_reconnect(self) -> None:
        for wire in list(self.wires):
            await wire.send({"op": RECONNECT, "s": None, "t": None, "d": None})

    def forget_sessions(self) -> None:
        """After this no session can be resumed."""
        self._sessions.clear()


async def _send_quietly(wire: Wire, event: Json | str) -> None:
    try:
        await wire.send(event)
    except ConnectionError:
        # The client went away meanwhile; the session keeps the event for its resume.
        return
