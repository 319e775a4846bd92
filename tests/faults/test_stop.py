"""The bot is told to stop: it takes nothing in, lets short work end, puts the rest down, and ends in time."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.intake import LEAVING
from bot.playground.server import Playground
from storage.statuses import Stage
from tests.end_to_end.bot_process import BotProcess
from tests.end_to_end.live_bot import start_of
from tests.end_to_end.stored import acceptances, rows
from tests.end_to_end.test_kills import LATENCY_SECONDS, Town, interrupted, until

LONGEST_STOP_SECONDS = 20.0
SHORT = (Stage.STAGED, Stage.ARCHIVED, Stage.ANNOUNCED)


@pytest.fixture
async def town(tmp_path: Path, photos: Path) -> AsyncIterator[Town]:
    async with Playground(message_limit=None) as playground:
        playground.latency_seconds = LATENCY_SECONDS
        async with BotProcess(playground, tmp_path, LOCAL_TRAINING_TIME="1s", LOCAL_GENERATION_TIME="1s") as bot:
            yield Town(playground=playground, bot=bot, ann=playground.person("Ann"), photos=photos)
        assert playground.unknown_routes == []


async def stopped_and_started(town: Town) -> None:
    code, seconds = await town.bot.stop()
    assert code == 0
    assert seconds < LONGEST_STOP_SECONDS
    assert "Traceback" not in town.bot.log
    await town.bot.start()


async def test_a_stop_at_every_stage_loses_nothing_and_lets_short_stages_end(town: Town) -> None:
    await town.ann.command("finetune", channel="training", zip=town.photos, name="Phoenix")
    await until(lambda: town.has_begun("finetune", Stage.RECEIVED))
    await stopped_and_started(town)
    await town.start("Phoenix")
    for stage in (Stage.STAGED, Stage.TRAINING, Stage.ARCHIVED, Stage.ANNOUNCED):
        await until(lambda stage=stage: town.has_begun("finetune", stage))
        await stopped_and_started(town)
    job_id = await town.is_trained("Phoenix")
    told = rows(town.bot.data_dir, "SELECT stage, outcome FROM job_events WHERE job_id = ?", job_id)
    assert {outcome for stage, outcome in told if stage in SHORT} == {"done"}
    assert interrupted(town, job_id) <= 1  # the wait for the training, if it was not over


async def test_a_stop_during_a_long_wait_is_quick(town: Town) -> None:
    await town.bot.kill()
    town.bot._variables["LOCAL_TRAINING_TIME"] = "30s"
    await town.bot.start()
    await town.ann.command("finetune", channel="training", zip=town.photos, name="Echo")
    await town.start("Echo")
    await until(lambda: acceptances(town.bot.data_dir, town.job_id("finetune") or "") == 1)
    code, seconds = await town.bot.stop()
    assert (code, seconds < LONGEST_STOP_SECONDS / 2) == (0, True), seconds
    town.bot._variables["LOCAL_TRAINING_TIME"] = "1s"
    await town.bot.start()
    await town.is_trained("Echo")


async def test_whoever_comes_during_the_stop_reads_a_sentence(town: Town) -> None:
    """The stop waits for an answer of Discord's that takes its time; meanwhile the bot still listens."""
    await town.ann.command("finetune", channel="training", zip=town.photos, name="Luna")
    review = await town.review("Luna")
    dialog = await town.ann.press(review, "Advanced")
    assert dialog.modal is not None
    await town.ann.command("finetune", channel="training", zip=town.photos, name="Muse")
    muse = await town.review("Muse")
    town.playground.latency_seconds = 2.0
    await town.ann.press(muse, start_of(muse))
    await until(lambda: town.has_begun("finetune", Stage.STAGED))
    stopping = asyncio.create_task(town.bot.stop())
    await asyncio.sleep(0.2)
    town.playground.latency_seconds = 0.05
    answers = await asyncio.gather(
        town.ann.command("finetune", channel="training", zip=town.photos, name="Late"),
        town.ann.press(review, start_of(review)),
        town.ann.submit(dialog, {}),
        town.ann.command("help", channel="training"),
    )
    assert [(answer.text, answer.is_ephemeral) for answer in answers] == [(LEAVING, True)] * len(answers)
    assert await town.ann.autocomplete("generate", option="model", typed="", channel="training") == []
    assert (await stopping)[0] == 0
    await town.bot.start()
    town.playground.latency_seconds = LATENCY_SECONDS
    await town.is_trained("Muse")


async def test_a_second_signal_ends_the_process_at_once(town: Town) -> None:
    await town.ann.command("finetune", channel="training", zip=town.photos, name="Twice")
    await until(lambda: town.has_begun("finetune", Stage.RECEIVED))
    stopping = asyncio.create_task(town.bot.stop())
    await asyncio.sleep(0.1)
    os.kill(town.bot.pid, signal.SIGINT)
    code, seconds = await stopping
    assert (code, seconds < 2.0) == (0, True), seconds
    await town.bot.start()
    await town.start("Twice")
    await town.is_trained("Twice")
