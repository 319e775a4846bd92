"""Jobs, their history and their submissions."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from storage.database import Connection, Database
from storage.history import begin_stage, close_open_stages, end_stage, history_of
from storage.jobs import add_job, change_job, count_jobs_of_person, find_job, jobs_of_person
from storage.places import Place
from storage.statuses import ErrorCategory, JobStatus, Stage, StageOutcome
from storage.submissions import (
    Submission,
    belongs_to_another,
    intend,
    latest_submission,
    remember_fetched,
    remember_finished,
    remember_remote,
    remember_verdict,
    submissions_of,
    withdraw,
)
from storage.tables import jobs
from tests.builders import PLACE, finetune_job


async def test_a_job_is_read_back_as_it_was_stored(database: Database) -> None:
    async with database.writing() as connection:
        assert await add_job(connection, finetune_job())
    async with database.reading() as connection:
        job = await find_job(connection, "1001")
    assert job is not None
    assert (job.place, job.status, job.details["name"]) == (PLACE, JobStatus.PREPARING, "Luna")


async def test_the_same_click_twice_is_one_job(database: Database) -> None:
    async with database.writing() as connection:
        assert await add_job(connection, finetune_job())
        assert not await add_job(connection, finetune_job(status=JobStatus.RUNNING))
        job = await find_job(connection, "1001")
    assert job is not None
    assert job.status is JobStatus.PREPARING


async def test_a_change_waits_for_the_status_it_names(database: Database) -> None:
    async with database.writing() as connection:
        await add_job(connection, finetune_job())
        assert not await change_job(connection, "1001", only_when=[JobStatus.RUNNING], status=JobStatus.DONE)
        assert await change_job(connection, "1001", only_when=[JobStatus.PREPARING], status=JobStatus.DONE)
        job = await find_job(connection, "1001")
    assert job is not None
    assert job.status is JobStatus.DONE
    assert job.finished_ms is not None


@pytest.mark.parametrize("change", [{"status": "sleeping"}, {"progress": 2.0}, {"kind": "dream"}])
async def test_a_word_that_is_no_status_is_refused_by_the_database(database: Database, change: dict[str, Any]) -> None:
    async with database.writing() as connection:
        await add_job(connection, finetune_job())

    async def write() -> None:
        async with database.writing() as connection:
            await connection.execute(sa.update(jobs).values(**change))

    with pytest.raises(sa.exc.IntegrityError):
        await write()


async def test_people_see_their_own_jobs_newest_first(database: Database) -> None:
    other = Place(server_id=11, channel_id=22, person_id=44)
    async with database.writing() as connection:
        for number in range(3):
            await add_job(connection, finetune_job(id=str(number)))
        await add_job(connection, finetune_job(id="9", place=other))
        assert [job.id for job in await jobs_of_person(connection, 33, limit=2)] == ["2", "1"]
        assert [job.id for job in await jobs_of_person(connection, 33, limit=2, offset=2)] == ["0"]
        assert await count_jobs_of_person(connection, 33) == 3


async def test_the_history_keeps_every_attempt_and_names_an_interrupted_one(database: Database) -> None:
    async with database.writing() as connection:
        await add_job(connection, finetune_job())
        assert await begin_stage(connection, finetune_job(), Stage.TRAINING) == 1
        assert await begin_stage(connection, finetune_job(), Stage.TRAINING) == 2
        await end_stage(
            connection,
            finetune_job(),
            Stage.TRAINING,
            StageOutcome.FAILED,
            error_category=ErrorCategory.RATE_LIMIT,
            detail="busy",
        )
        await begin_stage(connection, finetune_job(), Stage.TRAINING)
        await close_open_stages(connection, "1001", StageOutcome.CANCELLED)
        events = await history_of(connection, "1001")
    assert [(event.attempt, event.outcome) for event in events] == [
        (1, StageOutcome.INTERRUPTED),
        (2, StageOutcome.FAILED),
        (3, StageOutcome.CANCELLED),
    ]
    assert events[1].error_category is ErrorCategory.RATE_LIMIT
    assert all(event.ended_ms is not None for event in events)


async def test_an_intent_is_stored_once_and_remembers_the_answer(database: Database) -> None:
    job = finetune_job()
    async with database.writing() as connection:
        await add_job(connection, job)
        assert await intend(connection, job, 0)
        assert not await intend(connection, job, 0)
        before = await latest(connection, 0)
        await remember_remote(connection, before, "task-1", {"status": "https://fake.example/1"})
        after = await latest(connection, 0)
    assert (before.provider, before.remote_id, before.accepted_ms) == (job.provider, None, None)
    assert after.accepted_ms is not None
    assert after == replace(
        before, remote_id="task-1", links={"status": "https://fake.example/1"}, accepted_ms=after.accepted_ms
    )


async def test_how_a_task_ended_is_remembered_with_it(database: Database) -> None:
    async with database.writing() as connection:
        await add_job(connection, finetune_job())
        for part in (0, 1):
            await intend(connection, finetune_job(), part)
        await remember_finished(connection, await latest(connection, 0))
        await remember_fetched(connection, await latest(connection, 0), {"pictures": ["ab"]})
        await remember_verdict(connection, await latest(connection, 1), ErrorCategory.MODERATION, "No." * 1000)
        finished, ended = await submissions_of(connection, "1001")
    assert finished.finished_ms is not None
    assert (finished.fetched, finished.verdict) == ({"pictures": ["ab"]}, None)
    assert (ended.finished_ms, ended.verdict) == (None, ErrorCategory.MODERATION)
    assert len(ended.verdict_sentence) == 1000


async def test_each_part_and_round_of_a_job_has_an_intent_of_its_own(database: Database) -> None:
    again = finetune_job(round=1)
    async with database.writing() as connection:
        await add_job(connection, finetune_job())
        assert [await intend(connection, finetune_job(), part) for part in (1, 0, 1)] == [True, True, False]
        await remember_remote(connection, await latest(connection, 1), "task-2", {})
        assert await intend(connection, again, 1)
        assert [(one.part, one.round, one.remote_id) for one in await submissions_of(connection, "1001")] == [
            (0, 0, None),
            (1, 0, "task-2"),
            (1, 1, None),
        ]
        assert (await latest(connection, 1)).round == 1


async def test_only_an_intent_without_an_answer_is_withdrawn(database: Database) -> None:
    async with database.writing() as connection:
        await add_job(connection, finetune_job())
        await intend(connection, finetune_job(), 0)
        await withdraw(connection, await latest(connection, 0))
        assert await submissions_of(connection, "1001") == []
        await intend(connection, finetune_job(), 0)
        await remember_remote(connection, await latest(connection, 0), "task-1", {})
        await withdraw(connection, await latest(connection, 0))
        assert len(await submissions_of(connection, "1001")) == 1


async def test_a_task_belongs_to_one_intent(database: Database) -> None:
    async with database.writing() as connection:
        await add_job(connection, finetune_job())
        for part in (0, 1):
            await intend(connection, finetune_job(), part)
        first, second = await submissions_of(connection, "1001")
        await remember_remote(connection, first, "task-1", {})
        assert not await belongs_to_another(connection, "task-1", first)
        assert await belongs_to_another(connection, "task-1", second)
        elsewhere = replace(second, provider="elsewhere")
        assert not await belongs_to_another(connection, "task-1", elsewhere), "two providers may give the same id"


async def latest(connection: Connection, part: int) -> Submission:
    found = await latest_submission(connection, "1001", part)
    assert found is not None
    return found
