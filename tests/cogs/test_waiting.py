"""Waiting in line, as its person sees it; and a person's share of the queue, which comes from their roles."""

import asyncio
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import discord
import pytest

from cogs.answers import weight_of
from storage.jobs import add_job, change_job, jobs_of_person
from storage.statuses import JobStatus
from storage.turns import take_turn
from tests.builders import generate_job
from tests.cogs.stage import CHANNEL, Stage, private_words

in_one_loop = pytest.mark.asyncio(loop_scope="module")
WEIGHTS = {"supporter": 3, "moderator": 2, "900": 7}


def asks(*roles: tuple[int, str], kind: type = discord.Member) -> Mock:
    known = [SimpleNamespace(id=role_id, name=name) for role_id, name in roles]
    resources = SimpleNamespace(settings=SimpleNamespace(role_weights=WEIGHTS))
    user = Mock(spec=kind, roles=known) if kind is discord.Member else Mock(spec=kind)
    return Mock(spec=discord.Interaction, user=user, client=SimpleNamespace(resources=resources))


@pytest.mark.parametrize(
    ("roles", "weight"),
    [
        ([], 1),
        ([(1, "@everyone")], 1),
        ([(1, "@everyone"), (2, "Supporter")], 3),
        ([(3, "MODERATOR "), (2, "supporter")], 3),
        ([(900, "whatever it is called")], 7),
        ([(901, "900 reasons")], 1),
    ],
)
def test_the_largest_weight_among_ones_roles_counts(roles: list[tuple[int, str]], weight: int) -> None:
    assert weight_of(asks(*roles)) == weight


def test_who_is_no_member_has_a_weight_of_one() -> None:
    assert weight_of(asks(kind=discord.User)) == 1


@pytest.fixture
def everyone_weighs_four(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    resources = stage.bot.resources
    weighed = replace(resources, settings=replace(resources.settings, role_weights={"@everyone": 4}))
    monkeypatch.setattr(stage.bot, "resources", weighed)


async def weights_of(stage: Stage, person_id: str, *, jobs: int) -> list[int]:
    """Of all that this person has, newest first, as soon as there are so many."""
    async with asyncio.timeout(20):
        while True:
            async with stage.bot.resources.database.reading() as connection:
                found = await jobs_of_person(connection, int(person_id), limit=9)
            if len(found) == jobs:
                return [job.weight for job in found]
            await asyncio.sleep(0.05)


@in_one_loop
@pytest.mark.usefixtures("everyone_weighs_four")
async def test_a_job_carries_its_persons_weight(stage: Stage, textfile: Path) -> None:
    ann = stage.newcomer()
    model_id = await stage.give_model(ann, "Luna")
    await ann.command("generate", channel=CHANNEL, options={"model": model_id, "prompt": "a fox"})
    result = await stage.sees(f"<@{ann.id}> **Luna**", "a fox")
    await ann.press(result, "Again, new seed")
    assert await weights_of(stage, ann.id, jobs=3) == [4, 4, 1]
    await ann.command("finetune", channel=CHANNEL, options={"picture_1": textfile, "name": "Notes"})
    await stage.sees("Notes was not trained", f"<@{ann.id}>")
    assert await weights_of(stage, ann.id, jobs=4) == [4, 4, 4, 1]


@in_one_loop
async def test_who_waits_sees_their_place_on_a_card_and_in_the_list(stage: Stage) -> None:
    ann = stage.newcomer()
    job = generate_job(id=str(next(stage.numbers)), place=stage.place_of(ann))
    async with stage.bot.resources.database.writing() as connection:
        await add_job(connection, job)
        await take_turn(connection, job, "at-fake")
    await stage.sees(f"<@{ann.id}>", "**1st in line**")
    assert "1st in line" in await private_words(await ann.command("jobs mine", channel=CHANNEL))
    async with stage.bot.resources.database.writing() as connection:
        await change_job(connection, job.id, status=JobStatus.CANCELLED)
