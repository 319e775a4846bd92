"""The bot's process is killed at every stage of a job: the job ends well, is paid for once and told of once."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.playground.person import Person
from bot.playground.reading import text_of
from bot.playground.server import Playground
from storage.statuses import Stage
from tests.end_to_end.bot_process import BotProcess
from tests.end_to_end.live_bot import Message, can_be_started, start_of
from tests.end_to_end.stored import acceptances, count, rows, unfinished_work

SECONDS = 40.0
LATENCY_SECONDS = 0.1  # so that no stage is over before anybody has looked
PREPARATION = (Stage.RECEIVED, Stage.PREPARED)
TRAINING = (Stage.STAGED, Stage.TRAINING, Stage.ARCHIVED, Stage.ANNOUNCED)
GENERATION = (Stage.RECEIVED, Stage.GENERATING, Stage.ARCHIVED, Stage.ANNOUNCED)


@dataclass(frozen=True, kw_only=True)
class Town:
    """The playground here, the bot in its process."""

    playground: Playground
    bot: BotProcess
    ann: Person
    photos: Path

    def job_id(self, kind: str) -> str | None:
        found = rows(self.bot.data_dir, "SELECT id FROM jobs WHERE kind = ? ORDER BY created_ms DESC", kind)
        return str(found[0][0]) if found else None

    def has_begun(self, kind: str, stage: Stage) -> bool:
        job_id = self.job_id(kind) or ""
        return bool(count(self.bot.data_dir, "job_events", job_id=job_id, stage=str(stage)))

    def messages(self, text: str) -> list[Message]:
        return [message for message in self.playground.messages("training") if text in text_of(message)]

    async def review(self, name: str) -> Message:
        return await self.sees(lambda one: can_be_started(one) and name in text_of(one))

    async def start(self, name: str) -> None:
        card = await self.review(name)
        await self.ann.press(card, start_of(card))

    async def sees(self, matches: Callable[[Message], bool]) -> Message:
        return await self.playground.wait_for(matches, channel="training", timeout=SECONDS)

    async def train(self, name: str) -> str:
        await self.ann.command("finetune", channel="training", zip=self.photos, name=name)
        await self.start(name)
        return await self.is_trained(name)

    async def is_trained(self, name: str) -> str:
        """The model's id, once everything about it is as if nothing had happened."""
        await self.sees(lambda one: f"{name} is trained" in text_of(one))
        job_id = self.job_id("finetune")
        assert job_id is not None
        await self.is_done(job_id)
        data_dir = self.bot.data_dir
        assert acceptances(data_dir, job_id) == 1
        assert count(data_dir, "models", job_id=job_id) == 1
        assert count(data_dir, "datasets", id=job_id) == 1
        assert len(self.messages(f"your model **{name}** is ready")) == 1
        assert len(self.messages(f"{name} is trained")) == 1
        assert len(self.messages(name)) == 2
        assert unfinished_work(data_dir) == []
        return job_id

    async def is_painted(self, prompt: str, pictures: int) -> None:
        await self.sees(lambda one: "Pictures with" in text_of(one) and prompt in text_of(one))
        job_id = self.job_id("generate")
        assert job_id is not None
        await self.is_done(job_id)
        assert acceptances(self.bot.data_dir, job_id) == 1
        assert count(self.bot.data_dir, "pictures", job_id=job_id) == pictures
        card, result = sorted(self.messages(prompt), key=lambda one: len(one["attachments"]))
        assert (len(card["attachments"]), len(result["attachments"])) == (0, pictures)
        assert unfinished_work(self.bot.data_dir) == []

    async def is_done(self, job_id: str) -> None:
        await until(lambda: bool(count(self.bot.data_dir, "jobs", id=job_id, status="done")))
        stages = rows(self.bot.data_dir, "SELECT stage, outcome FROM job_events WHERE job_id = ?", job_id)
        assert {outcome for _, outcome in stages} <= {"done", "interrupted"}

    async def killed_when(self, it_is_time: Callable[[], bool]) -> None:
        await until(it_is_time)
        await self.bot.kill_and_start()


@pytest.fixture
async def town(tmp_path: Path, photos: Path) -> AsyncIterator[Town]:
    async with Playground(message_limit=None) as playground:
        playground.latency_seconds = LATENCY_SECONDS
        async with BotProcess(playground, tmp_path, LOCAL_TRAINING_TIME="500ms", LOCAL_GENERATION_TIME="500ms") as bot:
            yield Town(playground=playground, bot=bot, ann=playground.person("Ann"), photos=photos)
        assert playground.unknown_routes == []


async def test_a_finetune_survives_a_kill_at_every_stage(town: Town) -> None:
    await town.ann.command("finetune", channel="training", zip=town.photos, name="Phoenix")
    for stage in PREPARATION:
        await town.killed_when(lambda stage=stage: town.has_begun("finetune", stage))
    await town.start("Phoenix")
    for stage in TRAINING:
        await town.killed_when(lambda stage=stage: town.has_begun("finetune", stage))
    job_id = await town.is_trained("Phoenix")
    assert interrupted(town, job_id) > 0


async def test_a_generation_survives_a_kill_at_every_stage(town: Town) -> None:
    await town.train("Muse")
    await ask(town, "Muse", "TOK rising", count=2)
    for stage in GENERATION:
        await town.killed_when(lambda stage=stage: town.has_begun("generate", stage))
    await town.is_painted("TOK rising", pictures=2)


async def test_a_kill_between_doing_and_noting_repeats_nothing(town: Town) -> None:
    """The card is posted and not yet noted; the work is accepted and not yet noted; the same for the results."""
    await town.ann.command("finetune", channel="training", zip=town.photos, name="Echo")
    await town.killed_when(lambda: bool(town.messages("Getting Echo ready")))
    await town.start("Echo")
    await town.killed_when(lambda: acceptances(town.bot.data_dir, town.job_id("finetune") or "") == 1)
    await town.killed_when(lambda: bool(town.messages("your model **Echo** is ready")))
    await town.is_trained("Echo")
    await ask(town, "Echo", "TOK, twice?", count=1)
    await town.killed_when(lambda: any(one["attachments"] for one in town.messages("TOK, twice?")))
    await town.is_painted("TOK, twice?", pictures=1)


@pytest.mark.parametrize("seed", [1, 2])
async def test_jobs_survive_kills_at_any_moment(town: Town, seed: int) -> None:
    """Five kills, spread over a training and a generation, at moments drawn by lot."""
    lot = random.Random(seed)
    await town.ann.command("finetune", channel="training", zip=town.photos, name="Anyhow")
    await until(lambda: town.job_id("finetune") is not None)
    await after(lot.uniform(0, 0.6), town)
    await town.start("Anyhow")
    for _ in range(2):
        await after(lot.uniform(0, 1.5), town)
    await town.is_trained("Anyhow")
    await ask(town, "Anyhow", "TOK by chance", count=1)
    for _ in range(2):
        await after(lot.uniform(0, 1.2), town)
    await town.is_painted("TOK by chance", pictures=1)


async def ask(town: Town, model: str, prompt: str, *, count: int) -> None:
    await town.ann.command("generate", channel="training", model=model, prompt=prompt, count=count)
    await until(lambda: town.job_id("generate") is not None)


async def after(seconds: float, town: Town) -> None:
    await asyncio.sleep(seconds)
    await town.bot.kill_and_start()


async def until(is_true: Callable[[], bool]) -> None:
    """The bot is another process: there is nothing to wait for but the clock."""
    async with asyncio.timeout(SECONDS):
        while not is_true():
            await asyncio.sleep(0.005)


def interrupted(town: Town, job_id: str) -> int:
    return count(town.bot.data_dir, "job_events", job_id=job_id, outcome="interrupted")
