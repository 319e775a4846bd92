"""The cards of those who wait move as the line moves, a few at a time."""

import asyncio

import pytest

from bot.positions import CARDS_AT_ONCE, Positions
from storage.database import Database
from storage.jobs import add_job, change_job
from storage.statuses import JobStatus
from storage.turns import begin, take_turn
from tests.builders import generate_job
from tests.fakes import FakeCards
from tests.posted import has_its_card

LANE = "at-fake"


async def queue(database: Database, *job_ids: str, has_card: bool = True) -> None:
    async with database.writing() as connection:
        for job_id in job_ids:
            job = generate_job(id=job_id)
            await add_job(connection, job)
            await take_turn(connection, job, LANE)
            if has_card:
                await has_its_card(connection, job)


async def let_begin(database: Database, job_id: str) -> None:
    async with database.writing() as connection:
        await begin(connection, job_id)


async def moved(positions: Positions, cards: FakeCards) -> list[str]:
    cards.refreshed.clear()
    await positions.move()
    return list(cards.refreshed)


async def test_a_card_is_shown_again_when_its_position_changed_and_not_before(sqlite: Database) -> None:
    cards = FakeCards()
    positions = Positions(database=sqlite, cards=cards)
    await queue(sqlite, "1", "2", "3")
    assert await moved(positions, cards) == ["1", "2", "3"]
    assert await moved(positions, cards) == []
    await let_begin(sqlite, "1")
    assert await moved(positions, cards) == ["2", "3"]
    async with sqlite.writing() as connection:
        await change_job(connection, "3", status=JobStatus.CANCELLED)
    assert await moved(positions, cards) == []


async def test_only_so_many_are_shown_at_once_and_the_first_in_line_first(sqlite: Database) -> None:
    cards = FakeCards()
    positions = Positions(database=sqlite, cards=cards)
    ids = [str(number) for number in range(100, 100 + 2 * CARDS_AT_ONCE + 1)]
    await queue(sqlite, *ids)
    assert await moved(positions, cards) == ids[:CARDS_AT_ONCE]
    assert await moved(positions, cards) == ids[CARDS_AT_ONCE : 2 * CARDS_AT_ONCE]
    await let_begin(sqlite, ids[0])
    assert await moved(positions, cards) == ids[1 : CARDS_AT_ONCE + 1]


async def test_who_has_no_card_yet_gets_one_first(sqlite: Database) -> None:
    cards = FakeCards()
    positions = Positions(database=sqlite, cards=cards)
    ids = [str(number) for number in range(100, 100 + CARDS_AT_ONCE)]
    await queue(sqlite, *ids)
    await queue(sqlite, "7", has_card=False)
    assert await moved(positions, cards) == ["7", *ids[:-1]]


async def test_far_back_a_step_forward_is_no_news(sqlite: Database) -> None:
    cards = FakeCards()
    positions = Positions(database=sqlite, cards=cards)
    ids = [str(number) for number in range(100, 160)]
    await queue(sqlite, *ids)
    for _ in range(6):
        await positions.move()
    await let_begin(sqlite, ids[0])
    shown = [await moved(positions, cards) for _ in range(3)]
    assert shown == [ids[1:11], ids[11:20], []], "from the 20th on one place more or less is left alone"
    await let_begin(sqlite, ids[1])
    assert ids[-1] not in [one for _ in range(6) for one in await moved(positions, cards)]
    await let_begin(sqlite, ids[2])
    assert ids[-1] in [one for _ in range(6) for one in await moved(positions, cards)]


async def test_one_bad_moment_does_not_end_it(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cards = FakeCards()
    positions = Positions(database=sqlite, cards=cards)
    await queue(sqlite, "1")
    slept: list[float] = []
    real = sqlite.reading

    def broken() -> None:
        raise OSError("the disk is away")

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        monkeypatch.setattr(sqlite, "reading", real)
        if len(slept) == 2:
            raise asyncio.CancelledError

    monkeypatch.setattr(sqlite, "reading", broken)
    with pytest.raises(asyncio.CancelledError):
        await positions.keep_moving(sleep)
    assert cards.refreshed == ["1"]
    assert "the disk is away" in caplog.text
    assert slept == [5.0, 5.0]
