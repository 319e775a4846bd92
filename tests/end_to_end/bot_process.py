"""The bot as a process of its own, which can be killed without a word and started again on what it left."""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.playground.server import Playground
from tests.secrets_heard import SECRETS

PROJECT = Path(__file__).parents[2]
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")


def bot_command(before: str = "") -> tuple[str, ...]:
    """What starts the bot's process; with something that happens in it first."""
    if not before:
        return (sys.executable, "-m", "bot", "run")
    start = "import runpy, sys; sys.argv[1:] = ['run']; runpy.run_module('bot', run_name='__main__', alter_sys=True)"
    return (sys.executable, "-c", f"{before}\n{start}")


class BotProcess:
    """`async with` it: whatever happens inside, no process stays behind. `before` is Python, run before the bot."""

    def __init__(self, playground: Playground, folder: Path, *, before: str = "", **variables: str) -> None:
        self.playground = playground
        self.data_dir = folder / "data"
        self._before = before
        self._log = folder / "bot.log"
        self._variables = variables
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.kill()
        SECRETS.read_output("the bot's process", self._log)
        if error is not None and self._log.is_file():
            error.add_note(f"The bot's log ends with:\n{self._log.read_text()[-3000:]}")

    def environment(self) -> dict[str, str]:
        """Nothing of ours but what a process needs to begin, and the bot's settings."""
        return {
            **{name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
            "DISCORD_TOKEN": self.playground.token,
            "DISCORD_API_URL": self.playground.api_url,
            "DISCORD_GATEWAY_URL": self.playground.gateway_url,
            "DATA_DIR": str(self.data_dir),
            "CARD_EDIT_INTERVAL": "0s",
            "LOG_LEVEL": "INFO",
            **self._variables,
        }

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *bot_command(self._before),
                env=self.environment(),
                cwd=PROJECT,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        await self.playground.bot_ready(timeout=30)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return self._log.read_text()

    async def kill(self) -> None:
        """SIGKILL: no line of the bot runs after this."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        await self._process.wait()
        self._process = None
        async with asyncio.timeout(5):
            while self.playground._gateway.is_online:
                await asyncio.sleep(0.005)

    async def stop(self, *, seconds: float = 25.0) -> tuple[int, float]:
        """SIGTERM, and the wait for the end; the exit code, and how many seconds it took."""
        assert self._process is not None
        began = asyncio.get_running_loop().time()
        self._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(seconds):
            code = await self._process.wait()
        self._process = None
        return code, asyncio.get_running_loop().time() - began

    async def kill_and_start(self) -> None:
        await self.kill()
        await self.start()
