"""Nothing stays at work for ever: a job without a story is closed with a reason, a late card is shown again."""

import asyncio
from pathlib import Path

import pytest

from bot.workflows.stages import LONGEST_SECONDS
from bot.workflows.watchdog import QUIET_MS, WITHOUT_A_WORD
from storage.database import now_ms
from storage.jobs import RETRY_MS, change_job
from storage.statuses import JobStatus, Message, Stage
from storage.tables import jobs
from tests.workflows.test_finetune import ME, review
from tests.workflows.test_retry import ended
from tests.workflows.workshop import Workshop


async def long_quiet(workshop: Workshop) -> None:
    async with workshop.database.writing() as connection:
        await connection.execute(jobs.update().values(updated_ms=now_ms() - QUIET_MS - 1000))


async def at_work(workshop: Workshop, photos: Path) -> None:
    workshop.provider._checks_until_finished = 10**9
    await review(workshop, photos)
    await workshop.do.review.start("1001", ME)
    async with asyncio.timeout(20):
        while not workshop.provider.accepted():
            await asyncio.sleep(0.01)


async def lose_the_story(workshop: Workshop) -> None:
    """As if the engine had given it up; the row still says that the job is at work."""
    await workshop.engine.abandon(story="train", job_id="1001")
    async with asyncio.timeout(20):
        while workshop.engine._running:
            await asyncio.sleep(0.02)


async def test_a_job_without_a_story_is_closed_and_can_be_retried_without_paying_again(
    workshop: Workshop, photos: Path
) -> None:
    await at_work(workshop, photos)
    await lose_the_story(workshop)
    await long_quiet(workshop)
    await workshop.do.watchdog.look()
    job = await workshop.job("1001")
    assert (job.status, job.error_sentence) == (JobStatus.FAILED, WITHOUT_A_WORD.sentence)
    assert all(event.ended_ms is not None for event in await workshop.history("1001"))
    assert workshop.cards.announced == [Message.FAILURE]

    workshop.provider._checks_until_finished = 0
    await workshop.do.retry.retry("1001", ME)
    assert (await ended(workshop)).status is JobStatus.DONE
    assert len(workshop.provider.accepted()) == 1


async def test_a_job_whose_story_is_told_is_left_alone_however_quiet(workshop: Workshop, photos: Path) -> None:
    await at_work(workshop, photos)
    await long_quiet(workshop)
    await workshop.do.watchdog.look()
    assert (await workshop.job("1001")).status is JobStatus.RUNNING


async def test_a_job_that_lost_its_story_a_moment_ago_is_given_time(workshop: Workshop, photos: Path) -> None:
    await at_work(workshop, photos)
    await lose_the_story(workshop)
    await workshop.do.watchdog.look()
    assert (await workshop.job("1001")).status is JobStatus.RUNNING


async def test_a_cancel_that_went_astray_is_brought_to_its_end(workshop: Workshop, photos: Path) -> None:
    await review(workshop, photos)
    async with workshop.database.writing() as connection:
        await change_job(connection, "1001", status=JobStatus.CANCELLING)
    await long_quiet(workshop)
    await workshop.do.watchdog.look()
    assert (await workshop.job("1001")).status is JobStatus.CANCELLED


@pytest.mark.parametrize(("seconds_ago", "is_shown"), [(60, True), (1, False), (2 * 86_400, False)])
async def test_a_card_that_shows_an_older_state_is_shown_again(
    workshop: Workshop, photos: Path, seconds_ago: int, is_shown: bool
) -> None:
    await review(workshop, photos)
    async with workshop.database.writing() as connection:
        await connection.execute(jobs.update().values(updated_ms=now_ms() - seconds_ago * 1000, shown_ms=0))
    workshop.cards.refreshed.clear()
    await workshop.do.watchdog.look()
    assert (workshop.cards.refreshed == ["1001"]) is is_shown


async def test_what_a_retry_would_have_needed_goes_after_a_week(workshop: Workshop, photos: Path) -> None:
    await review(workshop, photos)
    kept = workshop.files.work_folder("1001") / "captioned.zip"
    for age_ms, remains in ((RETRY_MS - 60_000, True), (RETRY_MS + 60_000, False)):
        kept.write_bytes(b"pictures")
        async with workshop.database.writing() as connection:
            await connection.execute(
                jobs.update().values(status=JobStatus.FAILED, finished_ms=now_ms() - age_ms, shown_ms=now_ms())
            )
        await workshop.do.watchdog.look()
        assert kept.is_file() is remains


async def test_one_that_stumbles_looks_again(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    async def look() -> None:
        looks.append(1)
        raise RuntimeError("the database is away")

    async def sleep(_seconds: float) -> None:
        if len(looks) == 3:
            raise asyncio.CancelledError

    monkeypatch.setattr(workshop.do.watchdog, "look", look)
    with pytest.raises(asyncio.CancelledError):
        await workshop.do.watchdog.keep_watch(sleep)
    assert len(looks) == 3


async def test_a_stage_that_takes_longer_than_it_ever_should_is_stopped(
    workshop: Workshop, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LONGEST_SECONDS, Stage.ARCHIVED, 0.2)

    async def never(*_arguments: object) -> None:
        await asyncio.Event().wait()

    workshop.provider.fetch_weights = never  # type: ignore[method-assign,assignment]
    await review(workshop, photos)
    await workshop.do.review.start("1001", ME)
    job = await ended(workshop)
    assert (job.status, job.may_be_retried) == (JobStatus.FAILED, True)
    assert "longer than it ever should" in (job.error_sentence or "")
