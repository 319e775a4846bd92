"""A bare HTTP client for what no library would send, a clock to move, and the smallest picture."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import discord

from bot.playground.server import Playground

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)


@dataclass(kw_only=True)
class Wire:
    """Talks to the playground without any library."""

    playground: Playground
    session: aiohttp.ClientSession

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        files: dict[str, bytes] | None = None,
    ) -> tuple[int, Any, aiohttp.typedefs.LooseHeaders]:
        headers = {"Authorization": f"Bot {token or self.playground.token}"}
        data: dict[str, Any] = {}
        if files is not None:
            form = aiohttp.FormData(quote_fields=False)
            form.add_field("payload_json", discord.utils._to_json(body or {}))
            for number, (name, raw) in enumerate(files.items()):
                form.add_field(
                    f"files[{number}]", io.BytesIO(raw), filename=name, content_type="application/octet-stream"
                )
            data["data"] = form
        elif body is not None:
            data["json"] = body
        url = self.playground.api_url + path
        async with self.session.request(method, url, headers=headers, **data) as response:
            raw = await response.read()
            return response.status, discord.utils._from_json(raw.decode()) if raw else None, response.headers

    def channel(self, name: str = "general") -> str:
        return self.playground.world.channel_named(name).id
