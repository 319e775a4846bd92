"""The bot's process is killed at every stage of a job: the job ends well, is paid for once and told of once."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.playground import reading
from bot.playground.person import Person
from bot.playground.reading import text_of
from bot.playground.server import Playground
from storage.statuses import Stage
from tests.dataset_files import photo_zip
from tests.end_to_end.bot_process import BotProcess
from tests.end_to_end.live_bot import Message, can_be_started, start_of
from tests.end_to_end.stored import acceptances, count, kept_files, rows, unfinished_work

SECONDS = 100.0
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

    async def reads(self, *texts: str) -> Message:
        """The newest message that Ann sees, private ones included."""

        def look() -> Message | None:
            found = [one for one in self.ann.sees("training") if all(text in text_of(one) for text in texts)]
            return found[-1] if found else None

        return await reading.until(self.playground.world, look, timeout=SECONDS)

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

    async def is_added(self, name: str, *, pictures: int, steps: int = 1) -> None:
        """Each picture is there once, each addition is one step and has one card."""
        await until(lambda: count(self.bot.data_dir, "jobs", kind="add", status="done") == steps)
        await until(lambda: len(self.messages(f"Pictures added to {name}")) == steps)
        job_id = self.job_id("add")
        assert job_id is not None
        await self.is_done(job_id)
        data_dir = self.bot.data_dir
        assert count(data_dir, "datasets") == 1
        assert count(data_dir, "dataset_images", is_in=True) == count(data_dir, "dataset_images") == pictures
        assert count(data_dir, "dataset_steps") == steps
        assert len(kept_files(data_dir)) == pictures
        assert len(self.messages(name)) == steps
        assert unfinished_work(data_dir) == []

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


async def test_an_addition_survives_a_kill_at_every_stage(town: Town) -> None:
    await add(town, town.photos, "Harbour")
    for stage in PREPARATION:
        await town.killed_when(lambda stage=stage: town.has_begun("add", stage))
    await town.is_added("Harbour", pictures=4)
    assert interrupted(town, town.job_id("add") or "") > 0


async def test_a_kill_between_adding_and_noting_adds_nothing_twice(town: Town) -> None:
    """The card is posted and not yet noted; the pictures are in and the stage is not yet noted."""
    await add(town, town.photos, "Harbour")
    await town.killed_when(lambda: bool(town.messages("Adding pictures to Harbour")))
    await town.killed_when(lambda: bool(rows(town.bot.data_dir, "SELECT number FROM dataset_steps")))
    await town.is_added("Harbour", pictures=4)


@pytest.mark.parametrize("seed", [1, 2])
async def test_additions_survive_kills_at_any_moment(town: Town, tmp_path: Path, seed: int) -> None:
    """Four kills, spread over two additions to one dataset, at moments drawn by lot."""
    lot = random.Random(seed)
    for pictures, path in ((4, town.photos), (7, photo_zip(tmp_path / "more.zip", 3, "cool"))):
        await add(town, path, "Anywhere")
        for _ in range(2):
            await after(lot.uniform(0, 0.8), town)
        await town.is_added("Anywhere", pictures=pictures, steps=1 if pictures == 4 else 2)


async def test_a_description_survives_kills_and_asks_nothing_twice(town: Town) -> None:
    """What was asked when the process died is not asked again: the card says so."""
    await add(town, town.photos, "Shore")
    await town.is_added("Shore", pictures=4)
    await town.ann.press(await town.sees(lambda one: "Pictures added to Shore" in text_of(one)), "Open")
    card = await town.reads("### Shore", "**4 pictures**")
    await town.ann.press(card, "Edit captions")
    page = await town.reads("### Captions of Shore")
    await town.ann.press(page, "Describe 4 for me (free)")
    await town.killed_when(lambda: town.has_begun("caption", Stage.DESCRIBED))
    await town.killed_when(lambda: bool(rows(town.bot.data_dir, "SELECT * FROM dataset_images WHERE caption <> ''")))
    said = text_of(await town.sees(lambda one: "The pictures of Shore are described" in text_of(one)))
    job_id = town.job_id("caption")
    assert job_id is not None
    await town.is_done(job_id)
    assert count(town.bot.data_dir, "dataset_images", asked_by=job_id) == 4
    skipped = len(rows(town.bot.data_dir, "SELECT number FROM dataset_images WHERE caption IS NULL"))
    assert skipped <= 2, "one for each kill"
    assert (f"{skipped} could not be described" in said) == bool(skipped)
    assert count(town.bot.data_dir, "dataset_steps", act="caption") == 1
    assert len(town.messages("The pictures of Shore are described")) == 1


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


async def add(town: Town, path: Path, dataset: str) -> None:
    before = town.job_id("add")
    await town.ann.command("dataset add", channel="training", zip=path, dataset=dataset)
    await until(lambda: town.job_id("add") != before)


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
