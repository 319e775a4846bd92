"""Captions by a provider: each picture without one is asked about once, whatever happens in between."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import (
    BadInput,
    NotFound,
    NotYours,
    OutcomeUnknown,
    ProviderBroken,
    ProviderBusy,
    ProviderDenied,
    ProviderError,
    ProviderModerated,
    ProviderUnreachable,
    TooLate,
)
from bot.permissions import Asker
from bot.workflows import captioning
from storage.statuses import DatasetAct, ErrorCategory, JobStatus, Message, Stage, StageOutcome
from tests.builders import PLACE
from tests.workflows.drafts import DRAFT, ME, SOMEBODY, captions_of, draft, ended, store_draft, training
from tests.workflows.workshop import Workshop

JOB = "9001"
SKIPPED = "could not be described: write those yourself."


async def describe(workshop: Workshop, *captions: str | None) -> list[str]:
    """Ask for what is missing; answers the captions as they shall be."""
    workshop.provider.describes_pictures()
    stored = await store_draft(workshop, list(captions))
    await workshop.do.captioning.request(JOB, PLACE, DRAFT)
    return [image.caption or f"picture {image.file[:8]}" for image in stored.images]


async def names(workshop: Workshop) -> list[str]:
    return [image.file for image in (await draft(workshop)).images]


async def test_every_picture_without_a_caption_is_described_once(workshop: Workshop) -> None:
    described = await describe(workshop, None, "a cat", None)
    job = await ended(workshop, JOB)
    assert (job.status, job.note, job.progress) == (JobStatus.DONE, "", 1.0)
    assert captions_of(await draft(workshop)) == described
    first, _, third = await names(workshop)
    assert workshop.provider.described == [first, third]
    assert [(event.stage, event.outcome) for event in await workshop.history(JOB)] == [
        (Stage.DESCRIBED, StageOutcome.DONE)
    ]


async def test_what_was_left_out_is_not_described(workshop: Workshop) -> None:
    workshop.provider.describes_pictures()
    await store_draft(workshop, [None, None])
    await workshop.do.datasets.edit(DRAFT, ME, leave_out=[1])
    await workshop.do.captioning.request(JOB, PLACE, DRAFT)
    assert (await ended(workshop, JOB)).status is JobStatus.DONE
    assert workshop.provider.described == (await names(workshop))[1:]


async def test_the_job_says_how_many_for_how_much(workshop: Workshop) -> None:
    await describe(workshop, None, "a cat", None)
    details = (await ended(workshop, JOB)).details
    assert (details["count"], details["price_usd"]) == (2, 0.5)


async def test_a_price_that_nobody_says_is_none(workshop: Workshop) -> None:
    workshop.provider.describes_pictures(usd=None)
    await store_draft(workshop, [None])
    await workshop.do.captioning.request(JOB, PLACE, DRAFT)
    assert (await ended(workshop, JOB)).details["price_usd"] is None


async def test_all_that_a_job_wrote_is_one_undo(workshop: Workshop) -> None:
    await describe(workshop, None, "a cat", None)
    await ended(workshop, JOB)
    undone = await workshop.undo(DRAFT, ME)
    assert captions_of(undone) == [None, "a cat", None]
    assert undone.last_act is DatasetAct.ADD


async def test_one_undo_takes_it_back_although_its_person_wrote_in_between(workshop: Workshop) -> None:
    held = _held(workshop, after=1)
    await describe(workshop, None, None, None)
    await asyncio.wait_for(held.reached.wait(), 20)
    await workshop.do.datasets.write_captions(DRAFT, ME, {1: "mine"})
    held.go_on.set()
    await ended(workshop, JOB)
    second, third = (f"picture {name[:8]}" for name in (await names(workshop))[1:])
    assert captions_of(await draft(workshop)) == ["mine", second, third]
    await workshop.undo(DRAFT, ME)
    assert captions_of(await workshop.undo(DRAFT, ME)) == [None, None, None]


async def test_a_caption_that_its_person_wrote_before_its_turn_stays_and_is_not_paid_for(workshop: Workshop) -> None:
    held = _held(workshop, after=0)
    await describe(workshop, None, None)
    await asyncio.wait_for(held.reached.wait(), 20)
    await workshop.do.datasets.write_captions(DRAFT, ME, {1: "mine", 2: "mine too"})
    held.go_on.set()
    job = await ended(workshop, JOB)
    assert (job.status, job.note) == (JobStatus.DONE, "")
    assert captions_of(await draft(workshop)) == ["mine", "mine too"]
    assert workshop.provider.described == (await names(workshop))[:1], "only the one that was under way"


async def test_pressing_twice_does_not_pay_twice(workshop: Workshop) -> None:
    """Two presses are two interactions, and each job would ask about every picture."""
    held = _held(workshop, after=0)
    await describe(workshop, None, None)
    await asyncio.wait_for(held.reached.wait(), 20)
    with pytest.raises(BadInput, match="are being described already"):
        await workshop.do.captioning.request("9002", PLACE, DRAFT)
    await workshop.do.captioning.request(JOB, PLACE, DRAFT)  # the same press, delivered twice
    held.go_on.set()
    assert (await ended(workshop, JOB)).status is JobStatus.DONE
    assert workshop.provider.described == await names(workshop)


async def test_what_an_earlier_job_did_not_describe_may_be_asked_for_again(workshop: Workshop) -> None:
    workshop.provider.fail_next("caption", ProviderModerated("Not this one."))
    await describe(workshop, None, None)
    assert (await ended(workshop, JOB)).note == f"1 {SKIPPED}"
    await workshop.do.captioning.request("9002", PLACE, DRAFT)
    assert (await ended(workshop, "9002")).status is JobStatus.DONE
    assert None not in captions_of(await draft(workshop))


class Held:
    """One of the provider's descriptions waits until it may go on."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()


def _held(workshop: Workshop, *, after: int) -> Held:
    held, real, calls = Held(), workshop.provider.caption, 0

    async def caption(picture: Path) -> str:
        nonlocal calls
        calls += 1
        if calls == after + 1:
            held.reached.set()
            await held.go_on.wait()
        return await real(picture)

    workshop.provider.caption = caption  # type: ignore[method-assign]
    return held


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_crash_in_a_question_never_asks_it_again_and_the_rest_goes_on(workshop: Workshop, moment: str) -> None:
    """`before`: it never left. `after`: it did, and its answer was lost. Nobody can tell which."""
    hanging = workshop.hang(job_id=JOB, stage=Stage.DESCRIBED, owner="provider", call="caption", moment=moment)
    described = await describe(workshop, None, None, None)
    await asyncio.wait_for(hanging.reached.wait(), 20)
    await workshop.crash()
    hanging.let_go()
    await workshop.start()
    job = await ended(workshop, JOB)
    assert (job.status, job.note) == (JobStatus.DONE, f"1 {SKIPPED}")
    assert captions_of(await draft(workshop)) == [None, *described[1:]]
    first, second, third = await names(workshop)
    assert workshop.provider.described == ([first] if moment == "after" else []) + [second, third]
    outcomes = [event.outcome for event in await workshop.history(JOB)]
    assert outcomes == [StageOutcome.INTERRUPTED, StageOutcome.DONE]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_crash_between_two_pictures_goes_on_with_the_next(workshop: Workshop) -> None:
    hanging = workshop.hang(job_id=JOB, stage=Stage.DESCRIBED, owner="cards", call="refresh_soon", moment="before")
    described = await describe(workshop, None, None)
    await asyncio.wait_for(hanging.reached.wait(), 20)
    await workshop.crash()
    hanging.let_go()
    await workshop.start()
    job = await ended(workshop, JOB)
    assert (job.status, job.note) == (JobStatus.DONE, "")
    assert captions_of(await draft(workshop)) == described
    assert sorted(workshop.provider.described) == sorted(await names(workshop))


@pytest.mark.parametrize("certainly_not_taken", [ProviderBusy("busy"), ProviderUnreachable("away")])
async def test_what_was_certainly_not_taken_is_asked_again_later(
    workshop: Workshop, certainly_not_taken: ProviderError
) -> None:
    workshop.provider.fail_next("caption", certainly_not_taken)
    described = await describe(workshop, None, None)
    job = await ended(workshop, JOB)
    assert (job.status, job.note) == (JobStatus.DONE, "")
    assert captions_of(await draft(workshop)) == described
    assert [event.outcome for event in await workshop.history(JOB)] == [StageOutcome.FAILED, StageOutcome.DONE]


@pytest.mark.parametrize(
    "problem", [OutcomeUnknown("no answer"), ProviderModerated("refused"), ProviderBroken("it fell over")]
)
@pytest.mark.parametrize("was_paid", ["caption", "described"])
async def test_a_question_that_was_refused_or_lost_is_skipped_and_said(
    workshop: Workshop, problem: ProviderError, was_paid: str
) -> None:
    workshop.provider.fail_next(was_paid, problem)
    described = await describe(workshop, None, None, None)
    job = await ended(workshop, JOB)
    assert (job.status, job.note) == (JobStatus.DONE, f"1 {SKIPPED}")
    assert captions_of(await draft(workshop)) == [None, *described[1:]]
    assert len(workshop.provider.described) == (3 if was_paid == "described" else 2)


async def test_an_empty_answer_is_no_caption(workshop: Workshop) -> None:
    async def says_nothing(_picture: Path) -> str:
        return " \n "

    workshop.provider.caption = says_nothing  # type: ignore[method-assign]
    await describe(workshop, None)
    assert (await ended(workshop, JOB)).note == f"1 {SKIPPED}"
    assert captions_of(await draft(workshop)) == [None]


async def test_a_question_that_takes_for_ever_is_given_up(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captioning, "LONGEST_FOR_ONE", 0.05)
    _held(workshop, after=0)
    described = await describe(workshop, None, None)
    job = await ended(workshop, JOB)
    assert (job.status, job.note) == (JobStatus.DONE, f"1 {SKIPPED}")
    assert captions_of(await draft(workshop)) == [None, described[1]]


async def test_waiting_for_a_provider_that_is_out_is_no_question(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it is out: every picture is asked about when it is back, and once."""
    monkeypatch.setattr(captioning, "LONGEST_FOR_ONE", 0.5)
    workshop.provider.fail_next("caption", *[ProviderUnreachable("away")] * 3)
    described = await describe(workshop, None, None)
    async with asyncio.timeout(20):
        while (await workshop.job(JOB)).held_ms is None:
            await asyncio.sleep(0.01)
    await asyncio.sleep(1.0)
    assert captions_of(await draft(workshop)) == [None, None]
    assert (await workshop.job(JOB)).status is JobStatus.RUNNING
    workshop.clock_ms.forward(1)
    job = await ended(workshop, JOB)
    assert (job.status, job.note) == (JobStatus.DONE, "")
    assert captions_of(await draft(workshop)) == described
    assert len(workshop.provider.described) == 2


async def test_what_may_have_been_paid_for_is_not_asked_again_after_an_outage(workshop: Workshop) -> None:
    workshop.provider.fail_next("described", *[ProviderBroken("it fell over")] * 3)
    described = await describe(workshop, None, None, None, None)
    async with asyncio.timeout(20):
        while (await workshop.job(JOB)).held_ms is None:
            await asyncio.sleep(0.01)
    workshop.clock_ms.forward(1)
    job = await ended(workshop, JOB)
    assert (job.status, job.note) == (JobStatus.DONE, f"3 {SKIPPED}")
    assert workshop.provider.described == await names(workshop)
    assert captions_of(await draft(workshop)) == [None, None, None, described[3]]


async def test_cancel_stops_between_pictures_and_keeps_what_is_written(workshop: Workshop) -> None:
    held = _held(workshop, after=1)
    described = await describe(workshop, None, None, None)
    await asyncio.wait_for(held.reached.wait(), 20)
    await workshop.do.cancel.request(JOB, Asker(person_id=ME))
    held.go_on.set()
    assert (await ended(workshop, JOB)).status is JobStatus.CANCELLED
    await asyncio.sleep(1.0)
    assert captions_of(await draft(workshop))[::2] == [described[0], None]
    assert len(workshop.provider.described) <= 2
    assert (await workshop.job(JOB)).status is JobStatus.CANCELLED
    with pytest.raises(TooLate):
        await workshop.do.cancel.request(JOB, Asker(person_id=ME))


async def test_a_retry_goes_on_with_what_is_missing(workshop: Workshop) -> None:
    real, calls = workshop.provider.caption, 0

    async def caption(picture: Path) -> str:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise ProviderDenied("The key is wrong.")
        return await real(picture)

    workshop.provider.caption = caption  # type: ignore[method-assign]
    described = await describe(workshop, None, None, None)
    job = await ended(workshop, JOB)
    assert (job.status, job.error_category) == (JobStatus.FAILED, ErrorCategory.AUTHENTICATION)
    assert captions_of(await draft(workshop)) == [described[0], None, None]
    async with asyncio.timeout(20):
        while not workshop.cards.announced:
            await asyncio.sleep(0.01)
    assert workshop.cards.announced == [Message.FAILURE]

    await workshop.do.retry.retry(JOB, ME)
    await workshop.until(JOB, JobStatus.DONE)
    assert captions_of(await draft(workshop)) == described
    assert workshop.provider.described == await names(workshop)
    assert captions_of(await workshop.undo(DRAFT, ME)) == [None, None, None]


async def test_a_dataset_deleted_meanwhile_ends_in_a_sentence_and_nothing_more_is_paid(workshop: Workshop) -> None:
    held = _held(workshop, after=0)
    await describe(workshop, None, None, None)
    await asyncio.wait_for(held.reached.wait(), 20)
    await workshop.do.datasets.delete(DRAFT, ME)
    held.go_on.set()
    job = await ended(workshop, JOB)
    assert job.status is JobStatus.FAILED
    assert job.error_sentence == "That dataset was deleted meanwhile: there is nothing to describe."
    assert workshop.provider.described == []


async def test_a_press_delivered_again_after_the_end_pays_for_nothing(workshop: Workshop) -> None:
    await describe(workshop, None)
    await ended(workshop, JOB)
    with pytest.raises(BadInput, match="Every picture has a caption"):
        await workshop.do.captioning.request(JOB, PLACE, DRAFT)
    assert len(workshop.provider.described) == 1


async def test_a_press_delivered_again_at_once_asks_no_question_twice(workshop: Workshop) -> None:
    workshop.provider.describes_pictures()
    await store_draft(workshop, [None, None])
    for _ in range(2):
        await workshop.do.captioning.request(JOB, PLACE, DRAFT)
    await ended(workshop, JOB)
    assert workshop.provider.described == await names(workshop)


def _describes(workshop: Workshop) -> None:
    workshop.provider.describes_pictures()


def _describes_not(_workshop: Workshop) -> None:
    pass


@pytest.mark.parametrize(("able", "caption"), [(_describes_not, None), (_describes, "a cat")])
async def test_without_a_describer_or_a_picture_to_describe_it_is_a_sentence(
    workshop: Workshop, able: Callable[[Workshop], None], caption: str | None
) -> None:
    able(workshop)
    await store_draft(workshop, [caption])
    with pytest.raises(BadInput, match="Every picture has a caption, or nobody here can write one"):
        await workshop.do.captioning.request(JOB, PLACE, DRAFT)
    assert workshop.cards.refreshed == []


async def test_nobody_pays_for_somebody_elses_captions(workshop: Workshop) -> None:
    workshop.provider.describes_pictures()
    await store_draft(workshop, [None])
    with pytest.raises(NotYours):
        await workshop.do.captioning.request(JOB, SOMEBODY, DRAFT)
    with pytest.raises(NotFound):
        await workshop.do.captioning.request(JOB, PLACE, "404")
    assert workshop.provider.described == []


async def test_a_review_shows_the_captions_that_were_written(workshop: Workshop) -> None:
    workshop.provider.describes_pictures()
    await store_draft(workshop, [None] * 4)
    await workshop.do.finetune.request("7007", PLACE, training())
    shown = workshop.cards.refreshed.count("7007")
    await workshop.do.captioning.request(JOB, PLACE, DRAFT)
    await ended(workshop, JOB)
    assert workshop.cards.refreshed.count("7007") > shown


async def test_no_more_is_described_than_was_shown_with_its_price(workshop: Workshop) -> None:
    workshop.provider.describes_pictures()
    await store_draft(workshop, [None, None, None])
    with pytest.raises(TooLate, match="3 pictures have no caption now"):
        await workshop.do.captioning.request(JOB, PLACE, DRAFT, pictures=2)
    assert workshop.provider.described == []
    await workshop.do.captioning.request(JOB, PLACE, DRAFT, pictures=3)
    assert (await ended(workshop, JOB)).details["numbers"] == [1, 2, 3]
