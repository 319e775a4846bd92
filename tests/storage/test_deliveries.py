"""What a job said in Discord: the intent first, the message's id afterwards, each once; on SQLite and PostgreSQL."""

from dataclasses import replace

from storage.database import Database
from storage.deliveries import (
    Slot,
    deliveries_of,
    find_delivery,
    intend_delivery,
    remember_posted,
    withdraw_delivery,
)
from storage.jobs import add_job, change_job, find_job, remember_shown
from storage.statuses import JobStatus, Message, Route
from tests.builders import finetune_job

CARD = Slot(job_id="1001", message=Message.CARD)
RESULT = Slot(job_id="1001", message=Message.RESULT)


async def test_an_intent_becomes_a_message(database: Database) -> None:
    job = finetune_job()
    async with database.writing() as connection:
        await add_job(connection, job)
        assert await find_delivery(connection, CARD) is None
        await intend_delivery(connection, job, CARD, route=Route.CHANNEL, posted_in=2**62, pictures=[0, 2])
        intent = await find_delivery(connection, CARD)
        await remember_posted(connection, CARD, 2**61)
        posted = await find_delivery(connection, CARD)
    assert intent is not None
    assert (intent.route, intent.posted_in, intent.message_id, intent.pictures) == (Route.CHANNEL, 2**62, None, (0, 2))
    assert not intent.is_settled
    assert posted == replace(intent, message_id=2**61)
    assert posted.is_settled


async def test_an_open_intent_takes_another_route_and_a_posted_one_stays(database: Database) -> None:
    job = finetune_job()
    async with database.writing() as connection:
        await add_job(connection, job)
        for route, place in ((Route.CHANNEL, 1), (Route.DIRECT, 2)):
            await intend_delivery(connection, job, RESULT, route=route, posted_in=place)
        await remember_posted(connection, RESULT, 3)
        await intend_delivery(connection, job, RESULT, route=Route.KEPT, posted_in=None)
        (delivery,) = await deliveries_of(connection, job.id)
    assert (delivery.route, delivery.posted_in, delivery.message_id) == (Route.DIRECT, 2, 3)


async def test_what_is_kept_is_settled_without_a_message(database: Database) -> None:
    async with database.writing() as connection:
        await add_job(connection, finetune_job())
        await intend_delivery(connection, finetune_job(), RESULT, route=Route.KEPT, posted_in=None)
        (delivery,) = await deliveries_of(connection, "1001")
    assert delivery.is_settled


async def test_only_what_was_not_posted_is_withdrawn(database: Database) -> None:
    job = finetune_job()
    async with database.writing() as connection:
        await add_job(connection, job)
        await intend_delivery(connection, job, CARD, route=Route.CHANNEL, posted_in=1)
        await withdraw_delivery(connection, CARD)
        assert await deliveries_of(connection, job.id) == []
        await intend_delivery(connection, job, CARD, route=Route.CHANNEL, posted_in=1)
        await remember_posted(connection, CARD, 2)
        await withdraw_delivery(connection, CARD)
        assert len(await deliveries_of(connection, job.id)) == 1


async def test_rounds_and_parts_are_messages_of_their_own(database: Database) -> None:
    job = finetune_job()
    slots = [replace(RESULT, round=round_, part=part) for round_ in (0, 1) for part in (0, 1)]
    async with database.writing() as connection:
        await add_job(connection, job)
        for number, slot in enumerate(reversed(slots)):
            await intend_delivery(connection, job, slot, route=Route.CHANNEL, posted_in=1)
            await remember_posted(connection, slot, number)
        found = await deliveries_of(connection, job.id)
    assert [one.slot for one in found] == slots
    assert [one.message_id for one in found] == [3, 2, 1, 0]


async def test_showing_a_job_is_no_change_of_it(database: Database) -> None:
    async with database.writing() as connection:
        await add_job(connection, finetune_job())
        early = await find_job(connection, "1001")
        assert early is not None
        await change_job(connection, "1001", status=JobStatus.DONE)
        late = await find_job(connection, "1001")
        assert late is not None
        await remember_shown(connection, late)
        await remember_shown(connection, replace(early, updated_ms=early.updated_ms - 1))
        after = await find_job(connection, "1001")
    assert after == replace(late, shown_ms=late.updated_ms), "an older showing comes too late"
