"""The bot and all its workers as one group of processes, which is killed without a word at any instant."""

import asyncio
import contextlib
import os
import signal
import sys

from tests.end_to_end.bot_process import PROJECT, BotProcess

TIMES_AS_FAST = 20.0
READY_SECONDS = 30.0


class KillableBot(BotProcess):
    """`falls` counts how often it ended without having been killed."""

    def __init__(self, *arguments: object, **variables: str) -> None:
        super().__init__(*arguments, **variables)  # type: ignore[arg-type]
        self._launcher: asyncio.subprocess.Process | None = None
        self._pid: int | None = None

    async def __aexit__(self, *problem: object) -> None:
        await super().__aexit__(*problem)  # type: ignore[arg-type]
        if self._launcher is not None:
            assert self._launcher.stdin is not None
            self._launcher.stdin.close()
            await asyncio.wait_for(self._launcher.wait(), 10)

    @property
    def is_alive(self) -> bool:
        if self._pid is None:
            return False
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            return False
        return True

    @property
    def is_online(self) -> bool:
        return self.playground._gateway.is_online

    async def start(self) -> None:
        """As a supervisor does: what ends by itself is started again."""
        async with asyncio.timeout(READY_SECONDS):
            while not self.is_online:
                if not self.is_alive:
                    await self.begin()
                await asyncio.sleep(0.01)

    async def begin(self) -> None:
        """A new process; it is not waited for."""
        if self._launcher is None:
            self.data_dir.parent.mkdir(parents=True, exist_ok=True)
            with self._log.open("ab") as log:
                self._launcher = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "tests.faults.launcher", str(TIMES_AS_FAST)),
                    env=self.environment(),
                    cwd=PROJECT,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                )
        assert self._launcher.stdin is not None
        assert self._launcher.stdout is not None
        self._launcher.stdin.write(b"start\n")
        self._pid = int(await asyncio.wait_for(self._launcher.stdout.readline(), 30))

    def kill_now(self) -> None:
        """SIGKILL to all of them, within the call: no line of the bot runs after this."""
        if self._pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)

    async def kill(self) -> None:
        self.kill_now()
        await self.is_gone()

    async def is_gone(self) -> None:
        async with asyncio.timeout(10):
            while self.is_alive or self.is_online:
                await asyncio.sleep(0.005)
        self._pid = None

    def last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()
        return lines[-1][:300] if lines else ""
