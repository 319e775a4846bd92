"""The machine's clock jumps by an hour, to and fro, while jobs wait, run and are queued: nobody notices."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.playground.server import Playground
from storage.statuses import Stage
from tests.end_to_end.bot_process import BotProcess
from tests.end_to_end.stored import count, rows
from tests.end_to_end.test_kills import Town, ask, until

HOUR = 3600
# What the bot's process takes for the time is off by what a file says.
CLOCK = """
import pathlib, time
real, real_ns, offset = time.time, time.time_ns, pathlib.Path({path!r})
time.time = lambda: real() + float(offset.read_text())
time.time_ns = lambda: real_ns() + int(float(offset.read_text()) * 1_000_000_000)
"""


class Clock:
    def __init__(self, path: Path) -> None:
        self._path = path
        self.jump(0)

    @property
    def shim(self) -> str:
        return CLOCK.format(path=str(self._path))

    def jump(self, seconds: float) -> None:
        """To so far from the right time."""
        half = self._path.with_suffix(".half")
        half.write_text(str(seconds))
        half.replace(self._path)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "offset")


@pytest.fixture
async def town(tmp_path: Path, photos: Path, clock: Clock) -> AsyncIterator[Town]:
    async with Playground(message_limit=None) as playground:
        playground.latency_seconds = 0.05
        async with BotProcess(
            playground, tmp_path, before=clock.shim, LOCAL_TRAINING_TIME="2s", LOCAL_GENERATION_TIME="1s"
        ) as bot:
            yield Town(playground=playground, bot=bot, ann=playground.person("Ann"), photos=photos)


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
async def test_a_jump_of_the_clock_ends_no_job_and_holds_none_up(town: Town, clock: Clock, jump: int) -> None:
    """While it trains, while three wait in the queue for two places, and back again while they are at work."""
    began = time.time()
    await town.ann.command("finetune", channel="training", zip=town.photos, name="Phoenix")
    await town.start("Phoenix")
    await until(lambda: town.has_begun("finetune", Stage.TRAINING))
    clock.jump(jump)
    await town.is_trained("Phoenix")

    for number in range(3):
        await ask(town, "Phoenix", f"TOK at hour {number}", count=1)
    await until(lambda: town.has_begun("generate", Stage.RECEIVED) or count(town.bot.data_dir, "job_events") > 6)
    clock.jump(0)
    await until(lambda: count(town.bot.data_dir, "jobs", status="done") == 4)
    for number in range(3):
        assert len(town.messages(f"TOK at hour {number}")) == 2
    told = rows(town.bot.data_dir, "SELECT outcome, started_ms, ended_ms FROM job_events")
    assert {outcome for outcome, _, _ in told} == {"done"}
    assert all(began - HOUR - 60 < ms / 1000 < time.time() + HOUR + 60 for _, *both in told for ms in both)


async def test_a_restart_after_a_jump_goes_on_where_it_was(town: Town, clock: Clock) -> None:
    await town.ann.command("finetune", channel="training", zip=town.photos, name="Echo")
    await town.start("Echo")
    await until(lambda: town.has_begun("finetune", Stage.TRAINING))
    clock.jump(-HOUR)
    await town.bot.kill_and_start()
    await asyncio.sleep(0.5)
    clock.jump(HOUR)
    await town.is_trained("Echo")
