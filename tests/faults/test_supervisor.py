"""What Discord sends can end the client, but not the bot: it is opened anew, and the jobs go on."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot import running
from bot.playground.server import Playground
from bot.settings import Settings
from storage.statuses import Stage
from tests.builders import settings
from tests.end_to_end.bot_process import BotProcess
from tests.end_to_end.test_kills import Town, ask, until

OPENED_ANEW = "Everything is opened anew"
CONNECTED = "Connected as"


def event(name: str, data: Any) -> str:
    return json.dumps({"op": 0, "t": name, "s": 1, "d": data})


# Each of these ends discord.py's client; found by trying, as are null, numbers and lists in the place of objects.
DEADLY = {
    "no session": ("READY", event("READY", {"v": 10})),
    "no id": ("GUILD_CREATE", event("GUILD_CREATE", {"unavailable": False})),
    "half a channel": ("GUILD_CREATE", event("GUILD_CREATE", {"id": "5", "name": "x", "channels": [{"type": 0}]})),
    "no JSON": ("GUILD_CREATE", "{not json"),
}


@pytest.fixture
async def town(tmp_path: Path, photos: Path) -> AsyncIterator[Town]:
    async with Playground(message_limit=None) as playground:
        playground.latency_seconds = 0.05
        async with BotProcess(playground, tmp_path, LOCAL_TRAINING_TIME="1s", LOCAL_GENERATION_TIME="1s") as bot:
            await until(lambda: CONNECTED in bot.log)  # or its line would be taken for the next connection's
            yield Town(playground=playground, bot=bot, ann=playground.person("Ann"), photos=photos)


async def dies(town: Town, payload: str) -> None:
    """The bot's session is lost, and the new one begins with the payload."""
    event_name, text = DEADLY[payload]
    deaths, connections = town.bot.log.count(OPENED_ANEW), town.bot.log.count(CONNECTED)
    town.playground.garble_next(event_name, text)
    town.playground.forget_sessions()
    await town.playground.reset_connections()
    await until(lambda: town.bot.log.count(OPENED_ANEW) > deaths)
    await until(lambda: town.bot.log.count(CONNECTED) > connections)


async def test_no_payload_ends_the_bot_and_every_job_ends_once(town: Town) -> None:
    await town.ann.command("finetune", channel="training", zip=town.photos, name="Phoenix")
    await town.start("Phoenix")
    await until(lambda: town.has_begun("finetune", Stage.TRAINING))
    await dies(town, "no id")
    await town.is_trained("Phoenix")
    await ask(town, "Phoenix", "TOK after all", count=2)
    await until(lambda: town.has_begun("generate", Stage.GENERATING))
    await dies(town, "no JSON")
    await town.is_painted("TOK after all", pictures=2)
    assert (await town.bot.stop())[0] == 0


@pytest.mark.parametrize("payload", ["no session", "half a channel"])
async def test_a_client_that_dies_is_opened_anew(town: Town, payload: str) -> None:
    await dies(town, payload)
    answer = await town.ann.command("help", channel="training")
    assert "/finetune" in str(answer.text)


class Bots:
    """What `keep_running` opens: bots that live so many seconds, by a clock of their own, and then die."""

    def __init__(self, *lives: float) -> None:
        self._lives = list(lives)
        self.now = 0.0
        self.pauses: list[float] = []
        self.has_started = True

    @asynccontextmanager
    async def open(self, _settings: Settings) -> AsyncIterator["Bots"]:
        yield self

    async def start_or_refuse(self, _token: str) -> None:
        self.now += self._lives.pop(0)
        raise KeyError("id")

    async def pause(self, told_to_leave: asyncio.Event, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        if not self._lives:
            told_to_leave.set()


@pytest.fixture
def keep(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Bots], Awaitable[list[float]]]:
    async def keep(bots: Bots) -> list[float]:
        monkeypatch.setattr(running, "open_bot", bots.open)
        monkeypatch.setattr(running, "_either", bots.pause)
        monkeypatch.setattr(running, "time", SimpleNamespace(monotonic=lambda: bots.now))
        monkeypatch.setattr(running, "_hear_signals", asyncio.Event)
        await running.keep_running(settings(tmp_path))
        return bots.pauses

    return keep


async def test_the_pauses_grow_to_a_minute(keep: Callable[[Bots], Awaitable[list[float]]]) -> None:
    assert await keep(Bots(*[5.0] * 9)) == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]


async def test_ten_healthy_minutes_make_the_next_pause_short(keep: Callable[[Bots], Awaitable[list[float]]]) -> None:
    assert await keep(Bots(5.0, 5.0, 601.0, 5.0)) == [1.0, 2.0, 1.0, 2.0]


async def test_what_the_first_start_meets_ends_the_program(keep: Callable[[Bots], Awaitable[list[float]]]) -> None:
    bots = Bots(1.0, 1.0)
    bots.has_started = False
    with pytest.raises(KeyError):
        await keep(bots)
    assert bots.pauses == []
