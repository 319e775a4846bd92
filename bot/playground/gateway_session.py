"""One bot's gateway session: it outlives its socket, and remembers what was sent so that it can be resumed."""

import json
import secrets
import zlib
from collections import deque

from aiohttp import web

from bot.playground.shapes import Json
from bot.playground.values import User

REMEMBERED_EVENTS = 1000


class Wire:
    """One socket, writing text frames or, when the client asked for it, one long zlib stream."""

    def __init__(self, socket: web.WebSocketResponse, *, is_compressed: bool) -> None:
        self.socket = socket
        self.was_closed_here = False
        self._deflate = zlib.compressobj() if is_compressed else None

    async def send(self, payload: Json | str) -> None:
        """Text is sent as it stands."""
        text = payload if isinstance(payload, str) else json.dumps(payload)
        if self.socket.closed:
            return
        if self._deflate is None:
            await self.socket.send_str(text)
            return
        squeezed = self._deflate.compress(text.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        await self.socket.send_bytes(squeezed)

    async def close(self, code: int, reason: str) -> None:
        self.was_closed_here = True
        await self.socket.close(code=code, message=reason.encode())


class Session:
    """Numbers events and holds the last thousand. `wire` is None while the client is away."""

    def __init__(self, *, bot: User, intents: int, shard: tuple[int, int], wire: Wire) -> None:
        self.id = secrets.token_hex(16)
        self.bot = bot
        self.intents = intents
        self.shard = shard
        self.wire: Wire | None = wire
        self._sequence = 0
        self._events: deque[Json] = deque(maxlen=REMEMBERED_EVENTS)

    @property
    def sequence(self) -> int:
        return self._sequence

    def wants(self, intent: int) -> bool:
        return not intent or bool(self.intents & intent)

    def serves_guild(self, guild_id: str) -> bool:
        number, count = self.shard
        return (int(guild_id) >> 22) % count == number

    def number(self, name: str, data: Json) -> Json:
        """The next event, remembered for a resume."""
        self._sequence += 1
        event = {"op": 0, "t": name, "s": self._sequence, "d": data}
        self._events.append(event)
        return event

    def missed_since(self, sequence: int) -> list[Json] | None:
        """What came after `sequence`, or None when that can no longer be told."""
        oldest = self._events[0]["s"] if self._events else self._sequence + 1
        if sequence > self._sequence or sequence < oldest - 1:
            return None
        return [event for event in self._events if event["s"] > sequence]
