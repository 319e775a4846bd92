"""Whose turn it is in a provider's lane, on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from storage.database import Database
from storage.jobs import Job, add_job, change_job, find_job
from storage.places import Place
from storage.statuses import JobStatus
from storage.turns import TURN, begin, is_waiting, positions_of, take_turn, waiting_before, waiting_in_all_lanes
from tests.builders import finetune_job, generate_job
from tests.posted import has_its_card

LANE, OTHER = "at-fake", "at-other"
ANN, BEN, CLEO = 33, 44, 55


def job_of(person_id: int, number: int, *, weight: int = 1) -> Job:
    place = Place(server_id=11, channel_id=22, person_id=person_id)
    return generate_job(id=f"{person_id}{number:03}", place=place, weight=weight)


async def queue(database: Database, job: Job, *, lane: str = LANE) -> int:
    async with database.writing() as connection:
        await add_job(connection, job)
        return await take_turn(connection, job, lane)


async def queue_all(database: Database, person_id: int, count: int, *, weight: int = 1) -> list[int]:
    return [await queue(database, job_of(person_id, number, weight=weight)) for number in range(count)]


async def begin_job(database: Database, job_id: str) -> None:
    async with database.writing() as connection:
        await begin(connection, job_id)


async def end_job(database: Database, job_id: str, status: JobStatus) -> None:
    async with database.writing() as connection:
        await change_job(connection, job_id, status=status)


async def stored(database: Database, job_id: str) -> Job:
    async with database.reading() as connection:
        job = await find_job(connection, job_id)
    assert job is not None
    return job


async def test_the_jobs_of_one_person_stand_one_turn_apart(database: Database) -> None:
    assert await queue_all(database, ANN, 3) == [0, TURN, 2 * TURN]
    assert await queue_all(database, BEN, 2) == [0, TURN]


@pytest.mark.parametrize("weight", [1, 2, 3, 7, 11, 20])
async def test_a_weight_of_n_gets_n_turns_for_one(sqlite: Database, weight: int) -> None:
    turns = await queue_all(sqlite, ANN, weight + 1, weight=weight)
    assert turns[weight - 1] < TURN
    assert turns[weight] == pytest.approx(TURN, rel=0.01)


async def test_who_comes_later_stands_beside_those_who_are_served_now(database: Database) -> None:
    await queue_all(database, ANN, 5)
    for number in range(3):
        await begin_job(database, f"{ANN}{number:03}")
    assert await queue_all(database, BEN, 2) == [2 * TURN, 3 * TURN]


async def test_who_was_served_a_moment_ago_does_not_overtake_by_coming_back(database: Database) -> None:
    await queue_all(database, BEN, 3)
    await queue_all(database, ANN, 1)
    await begin_job(database, f"{ANN}000")
    await end_job(database, f"{ANN}000", JobStatus.DONE)
    assert await queue(database, job_of(ANN, 1)) == TURN


async def test_what_was_stopped_before_it_began_took_no_turn(database: Database) -> None:
    await queue_all(database, BEN, 1)
    await queue_all(database, ANN, 4)
    for number in range(4):
        await end_job(database, f"{ANN}{number:03}", JobStatus.CANCELLED)
    assert await queue(database, job_of(ANN, 9)) == 0


@pytest.mark.parametrize("status", [JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.UNCERTAIN])
async def test_a_lane_that_ran_empty_starts_again_at_zero(database: Database, status: JobStatus) -> None:
    await queue_all(database, ANN, 2)
    for number in range(2):
        await begin_job(database, f"{ANN}{number:03}")
        await end_job(database, f"{ANN}{number:03}", status)
    assert await queue(database, job_of(ANN, 5)) == 0
    assert await queue(database, job_of(ANN, 6)) == TURN


async def test_lanes_do_not_know_of_each_other(database: Database) -> None:
    await queue_all(database, ANN, 3)
    await begin_job(database, f"{ANN}001")
    assert await queue(database, job_of(ANN, 7), lane=OTHER) == 0
    assert await queue(database, job_of(ANN, 8)) == 3 * TURN


async def test_a_job_that_is_tried_again_waits_again_behind_its_persons_others(database: Database) -> None:
    await queue_all(database, ANN, 2)
    await begin_job(database, f"{ANN}000")
    assert await queue(database, await stored(database, f"{ANN}000")) == 2 * TURN
    assert is_waiting(await stored(database, f"{ANN}000"))


async def test_a_job_begins_once_and_only_when_it_was_queued(database: Database) -> None:
    await queue(database, job_of(ANN, 0))
    await begin_job(database, f"{ANN}000")
    first = (await stored(database, f"{ANN}000")).begun_ms
    await asyncio.sleep(0.005)
    await begin_job(database, f"{ANN}000")
    assert first is not None
    assert (await stored(database, f"{ANN}000")).begun_ms == first
    async with database.writing() as connection:
        await add_job(connection, finetune_job(id="7"))
        await begin(connection, "7")
    assert (await stored(database, "7")).begun_ms is None


async def test_many_who_come_at_the_same_moment_all_get_turns_of_their_own(database: Database) -> None:
    """Without a lock two of one person's jobs would read the same last turn."""
    people = (ANN, BEN, CLEO)
    turns = await asyncio.gather(*(queue(database, job_of(person, n)) for n in range(12) for person in people))
    assert sorted(turns) == sorted(number * TURN for number in range(12) for _ in people)


def place_in(job_ids: Sequence[str]) -> dict[str, int]:
    return {job_id: number for number, job_id in enumerate(job_ids, start=1)}


async def test_positions_follow_the_order_in_which_jobs_will_begin(database: Database) -> None:
    for person_id, count in ((ANN, 3), (BEN, 1), (CLEO, 2)):
        await queue_all(database, person_id, count)
        await asyncio.sleep(0.002)
    order = [
        f"{person}{number:03}" for person, number in ((ANN, 0), (BEN, 0), (CLEO, 0), (ANN, 1), (CLEO, 1), (ANN, 2))
    ]
    jobs = [await stored(database, job_id) for job_id in order]
    async with database.reading() as connection:
        assert await positions_of(connection, jobs) == place_in(order)
        assert {one.job_id: one.position for one in await waiting_in_all_lanes(connection, limit=9)} == place_in(order)
    await begin_job(database, order[0])
    await end_job(database, order[2], JobStatus.CANCELLED)
    left = [order[1], *order[3:]]
    async with database.reading() as connection:
        assert [await waiting_before(connection, await stored(database, job_id)) for job_id in left] == [0, 1, 2, 3]
        assert await positions_of(connection, [await stored(database, job_id) for job_id in order]) == place_in(left)


async def test_the_first_in_line_come_first_whatever_the_lane(sqlite: Database) -> None:
    for number, lane in enumerate((LANE, LANE, LANE, OTHER)):
        await queue(sqlite, job_of(ANN, number), lane=lane)
    first = await stored(sqlite, f"{ANN}000")
    async with sqlite.writing() as connection:
        await has_its_card(connection, first)
        waiting = await waiting_in_all_lanes(connection, limit=3)
    assert [one.position for one in waiting] == [1, 1, 2]
    assert {one.job_id for one in waiting} == {f"{ANN}{number:03}" for number in (0, 1, 3)}
    assert [one.job_id for one in waiting if one.has_card] == [f"{ANN}000"]


@pytest.mark.parametrize(
    "changes",
    [{"status": JobStatus.DONE, "turn": 0}, {"turn": None}, {"turn": 0, "begun_ms": 5}],
    ids=["ended", "never queued", "begun"],
)
def test_only_a_queued_job_waits(changes: dict[str, object]) -> None:
    assert not is_waiting(replace(generate_job(), lane=LANE, queued_ms=1, **changes))  # type: ignore[arg-type]
