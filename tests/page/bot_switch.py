"""The bot's process, to turn on and to cut off; the page's tests use it."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from bot.demo import bot_process
from bot.playground.server import Playground


class BotSwitch:
    """Turns the bot's process on, and off as a power cut would."""

    def __init__(self, playground: Playground, data_dir: Path) -> None:
        self._playground = playground
        self._data_dir = data_dir
        self._running = AsyncExitStack()
        self._process: asyncio.subprocess.Process | None = None

    async def on(self) -> None:
        self._process = await self._running.enter_async_context(
            bot_process(self._playground, self._data_dir, training="3s", generation="1s")
        )
        await self._playground.bot_ready(timeout=30)

    async def cut(self) -> None:
        assert self._process is not None, "the bot is off already"
        self._process.kill()
        await self.off()

    async def off(self) -> None:
        self._process = None
        await self._running.aclose()
