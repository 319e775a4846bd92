"""A failed job goes on where it failed, and a paid request that nobody can vouch for is its person's to decide."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import (
    BadInput,
    NotYours,
    OutcomeUnknown,
    ProviderBroken,
    ProviderGone,
    ProviderModerated,
    ProviderUnreachable,
    TooLate,
)
from bot.permissions import Asker
from bot.workflows.finetune import TRAIN
from storage.database import now_ms
from storage.jobs import RETRY_MS, Job, change_job
from storage.models import models_of_person
from storage.pictures import pictures_of_job
from storage.statuses import ErrorCategory, JobStatus, Message, Stage, StageOutcome
from storage.submissions import Submission, submissions_of
from tests.workflows.test_finetune import ME, PLACE, request, review
from tests.workflows.test_generate import request as wish
from tests.workflows.test_generate import workshop_with_model
from tests.workflows.workshop import Workshop

__all__ = ["workshop_with_model"]  # a fixture of the generate story

ANN = Asker(person_id=ME)
SOMEBODY = Asker(person_id=ME + 1)
OPERATOR = Asker(person_id=ME + 2, operates=True)


async def failed(workshop: Workshop, photos: Path, *, job_id: str = "1001") -> Job:
    await review(workshop, photos)
    await workshop.do.review.start(job_id, ME)
    job = await ended(workshop, job_id)
    async with asyncio.timeout(20):
        while not workshop.cards.announced:  # its person has read so before doing anything about it
            await asyncio.sleep(0.01)
    return job


async def ended(workshop: Workshop, job_id: str = "1001") -> Job:
    return await workshop.until(job_id, JobStatus.DONE, JobStatus.FAILED, JobStatus.UNCERTAIN, JobStatus.CANCELLED)


async def doubted(workshop: Workshop, photos: Path) -> Job:
    """The provider accepted it and nobody heard."""
    workshop.provider.fail_next("accepted", OutcomeUnknown("no answer"))
    workshop.provider.fail_next("find", *[ProviderUnreachable("away")] * 5)
    job = await failed(workshop, photos)
    assert job.status is JobStatus.UNCERTAIN
    return job


async def paid_requests(workshop: Workshop, job_id: str = "1001") -> list[Submission]:
    async with workshop.database.reading() as connection:
        return await submissions_of(connection, job_id)


def outcomes(events: list[tuple[Stage, StageOutcome | None]], stage: Stage) -> list[StageOutcome | None]:
    return [outcome for one, outcome in events if one is stage]


async def told(workshop: Workshop, job_id: str = "1001") -> list[tuple[Stage, StageOutcome | None]]:
    return [(event.stage, event.outcome) for event in await workshop.history(job_id)]


# Retry.


async def test_weights_that_could_not_be_copied_are_not_trained_again(workshop: Workshop, photos: Path) -> None:
    workshop.provider.fail_next("fetch", *[ProviderUnreachable("away")] * 4)
    job = await failed(workshop, photos)
    assert (job.status, job.error_category, job.may_be_retried) == (JobStatus.FAILED, ErrorCategory.NETWORK, True)

    await workshop.do.retry.retry("1001", ME)
    job = await ended(workshop)
    assert (job.status, job.round, job.error_sentence) == (JobStatus.DONE, 1, None)
    assert len(workshop.provider.accepted()) == 1
    stages = await told(workshop)
    assert outcomes(stages, Stage.TRAINING) == [StageOutcome.DONE]
    assert workshop.provider.laid_out == 1, "what is trained needs no pictures any more"
    assert outcomes(stages, Stage.PREPARED) == [StageOutcome.DONE]
    assert outcomes(stages, Stage.ARCHIVED) == [StageOutcome.FAILED] * 4 + [StageOutcome.DONE]
    async with workshop.database.reading() as connection:
        assert len(await models_of_person(connection, ME, limit=5)) == 1
    assert workshop.cards.announced == [Message.FAILURE, Message.RESULT]


async def test_a_training_that_its_provider_broke_is_paid_for_again_only_when_its_person_retries(
    workshop: Workshop, photos: Path
) -> None:
    workshop.provider.end_next(ProviderBroken("The trainer crashed."))
    job = await failed(workshop, photos)
    assert (job.error_category, job.error_sentence) == (ErrorCategory.SERVICE_ERROR, "The trainer crashed.")
    assert len(workshop.provider.accepted()) == 1, "never by itself"

    await workshop.do.retry.retry("1001", ME)
    assert (await ended(workshop)).status is JobStatus.DONE
    assert len(workshop.provider.accepted()) == 2
    first, second = await paid_requests(workshop)
    assert (first.round, first.verdict, second.round, second.verdict) == (0, ErrorCategory.SERVICE_ERROR, 1, None)
    assert workshop.provider.tidied == 2, "what was laid out for the first round is not what the second used"


async def test_a_crash_after_the_verdict_pays_for_nothing(workshop: Workshop, photos: Path) -> None:
    workshop.provider.end_next(ProviderBroken("The trainer crashed."))
    hanging = workshop.hang(job_id="1001", stage=Stage.TRAINING, owner="provider", call="check", moment="after")
    await review(workshop, photos)
    await workshop.do.review.start("1001", ME)
    await asyncio.wait_for(hanging.reached.wait(), 20)
    await workshop.crash()
    hanging.let_go()
    await workshop.start()
    assert (await ended(workshop)).status is not JobStatus.UNCERTAIN
    assert len(workshop.provider.accepted()) == 1


async def test_a_training_that_took_too_long_is_asked_after_before_anything_is_paid_again(
    workshop: Workshop, photos: Path
) -> None:
    workshop.provider.cannot_be_stopped = True
    workshop.provider.deadline(0.0)
    job = await failed(workshop, photos)
    assert job.error_category is ErrorCategory.TIMEOUT
    workshop.provider.deadline(3600.0)
    await workshop.do.retry.retry("1001", ME)
    assert (await ended(workshop)).status is JobStatus.DONE
    assert len(workshop.provider.accepted()) == 1


async def test_two_clicks_are_one_retry_and_only_its_person_may(workshop: Workshop, photos: Path) -> None:
    workshop.provider.fail_next("fetch", *[ProviderUnreachable("away")] * 4)
    await failed(workshop, photos)
    with pytest.raises(NotYours):
        await workshop.do.retry.retry("1001", ME + 1)
    results = await asyncio.gather(*(workshop.do.retry.retry("1001", ME) for _ in range(3)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in results) == ["NoneType", "TooLate", "TooLate"]
    assert (await ended(workshop)).round == 1


async def test_what_would_fail_again_is_not_tried_again(workshop: Workshop, photos: Path) -> None:
    workshop.provider.end_next(ProviderModerated("These pictures were refused for their content."))
    job = await failed(workshop, photos)
    assert not job.may_be_retried
    with pytest.raises(TooLate, match="ask for it anew"):
        await workshop.do.retry.retry("1001", ME)


async def test_after_a_week_a_failed_job_is_past_retrying(workshop: Workshop, photos: Path) -> None:
    workshop.provider.fail_next("fetch", *[ProviderUnreachable("away")] * 4)
    await failed(workshop, photos)
    async with workshop.database.writing() as connection:
        await change_job(connection, "1001", finished_ms=now_ms() - RETRY_MS - 1)
    with pytest.raises(TooLate):
        await workshop.do.retry.retry("1001", ME)


async def test_an_upload_that_discord_did_not_give_is_fetched_when_its_person_retries(
    workshop: Workshop, photos: Path
) -> None:
    real, failures = workshop.downloads.fetch, [ProviderUnreachable("away")] * 4

    async def fetch(url: str, into: Path, *, max_bytes: int) -> int:
        if failures:
            raise failures.pop()
        return await real(url, into, max_bytes=max_bytes)

    workshop.downloads.fetch = fetch  # type: ignore[method-assign]
    await workshop.do.finetune.request("1001", PLACE, request(photos))
    assert (await workshop.until("1001", JobStatus.FAILED, JobStatus.REVIEW)).status is JobStatus.FAILED
    await workshop.do.retry.retry("1001", ME)
    assert (await workshop.until("1001", JobStatus.FAILED, JobStatus.REVIEW)).status is JobStatus.REVIEW
    assert workshop.provider.accepted() == []


async def test_pictures_that_could_not_be_fetched_are_fetched_by_a_retry(workshop_with_model: Workshop) -> None:
    workshop = workshop_with_model
    workshop.provider.fail_next("fetch", *[ProviderUnreachable("away")] * 5)
    await workshop.do.generate.request("2002", PLACE, wish())
    assert (await ended(workshop, "2002")).status is JobStatus.FAILED
    await workshop.do.retry.retry("2002", ME)
    assert (await ended(workshop, "2002")).status is JobStatus.DONE
    assert len(workshop.provider.accepted()) == 1
    async with workshop.database.reading() as connection:
        assert len(await pictures_of_job(connection, "2002")) == 2


# In doubt.


async def test_nobody_knows_whether_it_ran_and_its_person_is_asked(workshop: Workshop, photos: Path) -> None:
    await doubted(workshop, photos)
    assert workshop.cards.announced == [Message.QUESTION]
    await workshop.crash()
    await workshop.start()
    await asyncio.sleep(0.5)
    assert (await workshop.job("1001")).status is JobStatus.UNCERTAIN
    assert len(workshop.provider.accepted()) == 1


async def test_it_ran_and_its_id_is_attached(workshop: Workshop, photos: Path) -> None:
    await doubted(workshop, photos)
    await workshop.do.retry.attach("1001", ANN, "task-1")
    job = await ended(workshop)
    assert (job.status, job.round) == (JobStatus.DONE, 1)
    assert len(workshop.provider.accepted()) == 1


async def test_an_id_that_does_not_exist_changes_nothing(workshop: Workshop, photos: Path) -> None:
    before = await doubted(workshop, photos)
    with pytest.raises(ProviderGone, match="no such task"):
        await workshop.do.retry.attach("1001", ANN, "task-7")
    assert (await workshop.job("1001")) == before


async def test_an_id_of_another_job_is_refused(workshop: Workshop, photos: Path) -> None:
    await doubted(workshop, photos)
    real = workshop.provider.attach
    await workshop.do.finetune.request("1002", PLACE, request(photos, name="Twin"))
    await workshop.until("1002", JobStatus.REVIEW)
    await workshop.do.review.start("1002", ME)
    await ended(workshop, "1002")
    task = (await paid_requests(workshop, "1002"))[0].remote_id
    assert task is not None

    async def careless(request: object, task_id: str) -> object:
        del request
        return await real(await workshop.do.finetune.request_of(await workshop.job("1002")), task_id)

    workshop.provider.attach = careless  # type: ignore[method-assign,assignment]
    with pytest.raises(BadInput, match="another job"):
        await workshop.do.retry.attach("1001", ANN, task)


async def test_submitted_again_it_may_be_charged_twice_and_only_then(workshop: Workshop, photos: Path) -> None:
    await doubted(workshop, photos)
    workshop.provider.fail_next("find", ProviderUnreachable("still away"))
    await workshop.do.retry.submit_again("1001", ANN)
    assert (await ended(workshop)).status is JobStatus.DONE
    assert len(workshop.provider.accepted()) == 2
    first, second = await paid_requests(workshop)
    assert (first.verdict, first.remote_id, second.remote_id) == (ErrorCategory.UNCERTAIN, None, "task-2")


async def test_submitted_again_what_has_turned_up_meanwhile_is_taken(workshop: Workshop, photos: Path) -> None:
    await doubted(workshop, photos)
    await workshop.do.retry.submit_again("1001", ANN)
    assert (await ended(workshop)).status is JobStatus.DONE
    assert len(workshop.provider.accepted()) == 1


async def test_given_up_it_is_looked_for_once_more_and_stopped(workshop: Workshop, photos: Path) -> None:
    await doubted(workshop, photos)
    await workshop.do.cancel.request("1001", ANN)
    job = await ended(workshop)
    assert job.status is JobStatus.CANCELLED
    assert workshop.provider.cancelled == ["task-1"]
    assert workshop.provider.tidied == 1


@pytest.mark.parametrize("what", ["attach", "submit_again", "give_up"])
async def test_an_operator_may_decide_and_a_stranger_may_not(workshop: Workshop, photos: Path, what: str) -> None:
    await doubted(workshop, photos)
    retry = workshop.do.retry
    decide: dict[str, Callable[[Asker], object]] = {
        "attach": lambda asker: retry.attach("1001", asker, "task-1"),
        "submit_again": lambda asker: retry.submit_again("1001", asker),
        "give_up": lambda asker: workshop.do.cancel.request("1001", asker),
    }
    with pytest.raises(NotYours):
        await decide[what](SOMEBODY)  # type: ignore[misc]
    await decide[what](OPERATOR)  # type: ignore[misc]
    assert (await ended(workshop)).status in (JobStatus.DONE, JobStatus.CANCELLED)


async def test_two_decisions_at_once_are_one(workshop: Workshop, photos: Path) -> None:
    await doubted(workshop, photos)
    workshop.provider.fail_next("find", ProviderUnreachable("still away"))
    retry = workshop.do.retry
    results = await asyncio.gather(
        retry.attach("1001", ANN, "task-1"), retry.submit_again("1001", ANN), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in results) == ["NoneType", "TooLate"]
    assert (await ended(workshop)).round == 1


async def asked_and_not_noted(workshop: Workshop, photos: Path) -> None:
    """The card asks its person, and the engine has not noted that it does."""
    asked, refresh, engine = asyncio.Event(), workshop.cards.refresh, workshop.engine

    async def hangs_in_doubt(job_id: str) -> None:
        if workshop.engine is engine and (await workshop.job(job_id)).status is JobStatus.UNCERTAIN:
            asked.set()
            await asyncio.Event().wait()
        await refresh(job_id)

    workshop.cards.refresh = hangs_in_doubt  # type: ignore[method-assign]
    workshop.provider.fail_next("accepted", OutcomeUnknown("no answer"))
    workshop.provider.fail_next("find", *[ProviderUnreachable("away")] * 5)
    await review(workshop, photos)
    await workshop.do.review.start("1001", ME)
    await asyncio.wait_for(asked.wait(), 20)


async def test_an_end_that_is_told_again_after_a_crash_leaves_the_next_round_alone(
    workshop: Workshop, photos: Path
) -> None:
    await asked_and_not_noted(workshop, photos)
    workshop.provider._checks_until_finished = 10**9
    await workshop.do.retry.submit_again("1001", ANN)
    async with asyncio.timeout(20):
        while not workshop.provider.accepted():
            await asyncio.sleep(0.01)
    await workshop.crash()
    await workshop.start()
    async with asyncio.timeout(20):
        while await workshop.engine.is_told(story=TRAIN, job_id="1001"):
            await asyncio.sleep(0.05)
    job = await workshop.job("1001")
    assert (job.status, job.round, job.error_sentence) == (JobStatus.RUNNING, 1, None)
    workshop.provider._checks_until_finished = 0
    assert (await ended(workshop)).status is JobStatus.DONE
    assert workshop.cards.announced == [Message.RESULT]


async def test_a_question_that_a_crash_cut_off_is_asked_after_it(workshop: Workshop, photos: Path) -> None:
    await asked_and_not_noted(workshop, photos)
    await workshop.crash()
    await workshop.start()
    async with asyncio.timeout(20):
        while not workshop.cards.announced:
            await asyncio.sleep(0.02)
    assert workshop.cards.announced == [Message.QUESTION]


async def test_a_task_that_is_gone_is_asked_after_once_and_a_retry_begins_anew(
    workshop: Workshop, photos: Path
) -> None:
    workshop.provider.fail_next("check", ProviderGone("It does not know this task."))
    job = await failed(workshop, photos)
    assert (job.error_category, job.may_be_retried) == (ErrorCategory.GONE, True)
    (first,) = await paid_requests(workshop)
    assert first.verdict is ErrorCategory.GONE
    await workshop.do.retry.retry("1001", ME)
    assert (await ended(workshop)).status is JobStatus.DONE
    assert len(workshop.provider.accepted()) == 2


async def test_a_new_round_waits_for_its_provider_from_the_beginning(workshop: Workshop, photos: Path) -> None:
    workshop.provider.fail_next("fetch", *[ProviderUnreachable("away")] * 4)
    await failed(workshop, photos)
    async with workshop.database.writing() as connection:
        await change_job(connection, "1001", held_ms=1)
    await workshop.do.retry.retry("1001", ME)
    assert (await workshop.job("1001")).held_ms is None


async def test_weights_that_are_gone_before_they_were_copied_are_trained_anew_when_its_person_retries(
    workshop: Workshop, photos: Path
) -> None:
    workshop.provider.fail_next("fetch", ProviderGone("Its files were deleted."))
    assert (await failed(workshop, photos)).error_category is ErrorCategory.GONE
    await workshop.do.retry.retry("1001", ME)
    assert (await ended(workshop)).status is JobStatus.DONE
    assert len(workshop.provider.accepted()) == 2
