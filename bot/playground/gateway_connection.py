"""What one gateway socket has said so far, and the rules for what it may say next."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import Any

from bot.playground import limits
from bot.playground.gateway_session import Session, Wire
from bot.playground.shapes import Json

INVALID, ACK = 9, 11


class Closing(Exception):
    """The gateway ends this connection with a close code of Discord's."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Connection:
    """What one socket has said so far, and the rules for what it may say next."""

    def __init__(
        self,
        wire: Wire,
        *,
        identify: Callable[[Json, Wire], Session],
        resume: Callable[[Json, Wire], Session | None],
    ) -> None:
        self.wire = wire
        self._begin = identify
        self._continue = resume
        self.session: Session | None = None
        self._received: deque[float] = deque()

    async def receive(self, raw: str | bytes) -> None:
        self._count()
        if len(raw) > limits.GATEWAY_EVENT_BYTES:
            raise Closing(4002, "Error while decoding payload.")
        payload = _decode(raw)
        match payload.get("op"):
            case 1:
                await asyncio.sleep(0.05)  # a client notes the time after it has sent; no real answer is quicker
                await self.wire.send({"op": ACK, "s": None, "t": None, "d": None})
            case 2:
                self._identify(payload.get("d"))
            case 6:
                await self._resume(payload.get("d"))
            case 3 | 4 | 8 | 31:
                if self.session is None:
                    raise Closing(4003, "Not authenticated.")
            case _:
                raise Closing(4001, "Unknown opcode.")

    def _identify(self, data: Any) -> None:
        if self.session is not None:
            raise Closing(4005, "Already authenticated.")
        if not isinstance(data, dict) or "properties" not in data:
            raise Closing(4002, "Error while decoding payload.")
        self.session = self._begin(data, self.wire)

    async def _resume(self, data: Any) -> None:
        if self.session is not None:
            raise Closing(4005, "Already authenticated.")
        if not isinstance(data, dict):
            raise Closing(4002, "Error while decoding payload.")
        self.session = self._continue(data, self.wire)
        if self.session is None:
            await self.wire.send({"op": INVALID, "s": None, "t": None, "d": False})

    def _count(self) -> None:
        moment = asyncio.get_running_loop().time()
        self._received.append(moment)
        while self._received[0] < moment - limits.GATEWAY_SENDS_SECONDS:
            self._received.popleft()
        if len(self._received) > limits.GATEWAY_SENDS:
            raise Closing(4008, "Rate limited.")


def _decode(raw: str | bytes) -> Json:
    try:
        payload = json.loads(raw)
    except ValueError:
        raise Closing(4002, "Error while decoding payload.") from None
    if not isinstance(payload, dict):
        raise Closing(4002, "Error while decoding payload.")
    return payload
