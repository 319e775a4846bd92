"""What can be said about a job's waiting, from what is stored: own runs first, then what a trainer's card declares."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

import bot.forecast
import storage.turns
from bot.forecast import FORESEEN, outlook_of
from bot.outlook import Outlook
from storage.database import Database
from storage.durations import REMEMBERED_RUNS
from storage.jobs import Job, add_job, count_jobs_of_person, find_job
from storage.places import Place
from storage.statuses import JobStatus
from storage.tables import jobs
from storage.turns import begin, take_turn
from tests.builders import CARD, PLACE, finetune_job, generate_job

NOW = 1_700_000_000_000
LANE = "at-fake"
ONE_SLOT = replace(CARD, concurrent_jobs=1)
MINUTES = 60_000


@pytest.fixture(autouse=True)
def frozen_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (bot.forecast, storage.turns):
        monkeypatch.setattr(module, "now_ms", lambda: NOW)


async def done(database: Database, kind: Callable[..., Job], durations: list[int]) -> None:
    """Runs of the past, one after the other."""
    async with database.writing() as connection:
        for duration in durations:
            ended = NOW - 10**9 + 1000 * await count_jobs_of_person(connection, PLACE.person_id)
            job = kind(id=f"9{ended}")
            await add_job(connection, job)
            values = {"status": JobStatus.DONE, "begun_ms": ended - duration, "finished_ms": ended}
            await connection.execute(sa.update(jobs).where(jobs.c.id == job.id).values(values))


async def queued(database: Database, job: Job, *, has_begun: bool = False) -> Job:
    async with database.writing() as connection:
        await add_job(connection, job)
        await take_turn(connection, job, LANE)
        if has_begun:
            await begin(connection, job.id)
        stored = await find_job(connection, job.id)
    assert stored is not None
    return stored


async def outlook(database: Database, job: Job) -> Outlook | None:
    async with database.reading() as connection:
        return await outlook_of(connection, job, ONE_SLOT)


def training(number: int, **changes: Any) -> Job:
    place = Place(server_id=11, channel_id=22, person_id=number)
    return finetune_job(**{"id": str(number), "place": place, "status": JobStatus.RUNNING, **changes})


async def test_own_runs_tell_how_long_the_wait_is(database: Database) -> None:
    await done(database, generate_job, [duration * MINUTES for duration in (1, 2, 3, 4, 5, 6)])
    await queued(database, generate_job(id="1"), has_begun=True)
    second = await queued(database, generate_job(id="2"))
    third = await queued(database, generate_job(id="3"))
    assert await outlook(database, second) == Outlook(
        position=1, earliest_ms=NOW + 2 * MINUTES, latest_ms=NOW + 5 * MINUTES
    )
    assert await outlook(database, third) == Outlook(
        position=2, earliest_ms=NOW + 4 * MINUTES, latest_ms=NOW + 10 * MINUTES
    )


async def test_with_too_few_runs_a_training_takes_what_its_card_declares(database: Database) -> None:
    await done(database, finetune_job, [1 * MINUTES] * 4)
    first = await queued(database, training(1), has_begun=True)
    second = await queued(database, training(2))
    assert await outlook(database, first) == Outlook(
        position=None, earliest_ms=NOW + 10 * MINUTES, latest_ms=NOW + 10 * MINUTES
    )
    assert await outlook(database, second) == Outlook(
        position=1, earliest_ms=NOW + 10 * MINUTES, latest_ms=NOW + 10 * MINUTES
    )


async def test_the_runs_of_another_trainer_say_nothing(sqlite: Database) -> None:
    await done(sqlite, finetune_job, [1 * MINUTES] * 9)
    details = {**finetune_job().details, "trainer": "retired"}
    assert await outlook(sqlite, await queued(sqlite, training(1, details=details), has_begun=True)) == Outlook(
        position=None
    )
    mine = await queued(sqlite, training(2), has_begun=True)
    assert await outlook(sqlite, mine) == Outlook(
        position=None, earliest_ms=NOW + 1 * MINUTES, latest_ms=NOW + 1 * MINUTES
    )


async def test_one_unknown_job_ahead_leaves_only_the_position(sqlite: Database) -> None:
    await done(sqlite, finetune_job, [1 * MINUTES] * 9)
    await queued(sqlite, generate_job(id="5", place=replace(PLACE, person_id=5)), has_begun=True)
    assert await outlook(sqlite, await queued(sqlite, training(6))) == Outlook(position=1)


async def test_only_the_last_runs_count(sqlite: Database) -> None:
    await done(sqlite, generate_job, [7 * MINUTES] * 30 + [1 * MINUTES] * REMEMBERED_RUNS)
    job = await queued(sqlite, generate_job(id="1"), has_begun=True)
    assert await outlook(sqlite, job) == Outlook(position=None, earliest_ms=NOW + MINUTES, latest_ms=NOW + MINUTES)


async def test_far_back_in_line_only_the_position_is_said(sqlite: Database) -> None:
    await done(sqlite, generate_job, [1 * MINUTES] * 9)
    for number in range(FORESEEN + 1):
        last = await queued(sqlite, generate_job(id=f"7{number:03}"))
    assert await outlook(sqlite, last) == Outlook(position=FORESEEN + 1)


@pytest.mark.parametrize("status", [status for status in JobStatus if status is not JobStatus.RUNNING])
async def test_what_neither_waits_nor_works_has_no_outlook(sqlite: Database, status: JobStatus) -> None:
    job = await queued(sqlite, training(1))
    assert await outlook(sqlite, replace(job, status=status)) is None
    assert await outlook(sqlite, replace(job, lane=None)) is None
