"""A job that waits for a provider goes on by itself, ends when its person says so, or goes to another provider."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import AtelierError, NotYours, ProviderAway, ProviderUnpaid, TooLate
from bot.permissions import Asker
from bot.providers.tasks import TrainingRequest
from bot.workflows.outages import FAILURES_IN_A_ROW
from storage.jobs import Job, add_job
from storage.models import add_model
from storage.statuses import JobStatus, Stage
from storage.submissions import intend, submissions_of
from storage.training_sets import add_training_set
from tests.builders import CARD, GENERATOR, PLACE, TRAINER, finetune_job, model, training_set
from tests.fakes import FakeProvider
from tests.workflows.test_finetune import ME
from tests.workflows.test_finetune import request as finetune_request
from tests.workflows.test_generate import request
from tests.workflows.workshop import Workshop

UNPAID = ProviderUnpaid("No money left.")
ELSEWHERE = replace(
    CARD,
    name="other",
    title="Other provider",
    trainers=(replace(TRAINER, id="theirs", title="Their trainer", lora_ranks=(8,)),),
    generators=(replace(GENERATOR, id="theirs", title="Their generator", aspect_ratios=("4:3", "16:9")),),
)


@pytest.fixture
async def town(workshop: Workshop, tmp_path: Path) -> Workshop:
    """Two providers, and a model that both can use."""
    await workshop.crash()
    workshop.other_providers = [FakeProvider(tmp_path / "other", card=ELSEWHERE)]
    await workshop.start()
    weights = workshop.files.work_folder("w") / "weights"
    weights.write_bytes(b"weights")
    name = await workshop.files.keep(weights)
    async with workshop.database.writing() as connection:
        await add_job(connection, finetune_job(status=JobStatus.DONE))
        await add_training_set(connection, training_set())
        await add_model(connection, model(weights_file=name))
    return workshop


def other(workshop: Workshop) -> FakeProvider:
    (provider,) = workshop.other_providers
    assert isinstance(provider, FakeProvider)
    return provider


async def held(workshop: Workshop, job_id: str) -> Job:
    async with asyncio.timeout(20):
        while (job := await workshop.job(job_id)).held_ms is None:
            await asyncio.sleep(0.02)
    return job


async def waits(workshop: Workshop, *errors: Exception) -> Job:
    workshop.provider.fail_next("submit", *(errors or (UNPAID,)))  # type: ignore[arg-type]
    await workshop.do.generate.request("2002", PLACE, request(generator="fake:generator"))
    return await held(workshop, "2002")


async def test_a_job_waits_in_its_first_attempt_and_is_submitted_once_when_there_is_money(town: Workshop) -> None:
    await waits(town)
    async with asyncio.timeout(20):
        while not town.announcer.posted:
            await asyncio.sleep(0.02)
    await town.crash()
    await town.start()
    await asyncio.sleep(0.1)
    assert town.provider.accepted() == []
    async with town.database.reading() as connection:
        assert await submissions_of(connection, "2002") == [], "nothing is meant to be sent while it waits"
    town.clock_ms.forward(1.1)
    await town.until("2002", JobStatus.DONE)
    assert len(town.provider.accepted()) == 1
    attempts = [event.attempt for event in await town.history("2002") if event.stage is Stage.GENERATING]
    assert attempts == [1, 2], "two because of the restart"
    assert town.announcer.edited == [(PLACE.channel_id, "Fake provider", 1)]


async def test_a_provider_that_cannot_be_reached_costs_no_job_its_attempts(town: Workshop) -> None:
    await waits(town, *[ProviderAway("It cannot be reached.")] * (FAILURES_IN_A_ROW + 1))
    while (await town.job("2002")).status is JobStatus.RUNNING:
        town.clock_ms.forward(0.5)
        await asyncio.sleep(0.2)
    assert (await town.job("2002")).status is JobStatus.DONE
    assert len(town.provider.accepted()) == 1


async def test_a_job_that_waits_can_be_cancelled(town: Workshop) -> None:
    await waits(town)
    await town.do.cancel.request("2002", Asker(person_id=ME))
    await town.until("2002", JobStatus.CANCELLED)
    assert town.provider.accepted() == []


async def test_who_names_no_generator_gets_one_whose_provider_is_not_out(town: Workshop) -> None:
    await waits(town)
    await town.do.generate.request("2003", PLACE, request(aspect_ratio="16:9"))
    assert (await town.until("2003", JobStatus.DONE)).provider == "other"


async def test_a_generation_goes_elsewhere_once_with_its_parameters_put_right(town: Workshop) -> None:
    await waits(town)
    answers = await asyncio.gather(
        *(town.do.moving.move("2002", ME, to="Other provider") for _ in range(2)), return_exceptions=True
    )
    assert sorted(map(type, answers), key=str) == sorted([type(None), TooLate], key=str)
    job = await town.until("2002", JobStatus.DONE)
    assert (job.provider, job.round, job.held_ms) == ("other", 1, None)
    assert job.details["generator"] == "theirs"
    assert job.details["changed"] == {"aspect_ratio": ["1:1", "4:3"]}
    assert (len(other(town).accepted()), len(town.provider.accepted())) == (1, 0)
    town.clock_ms.forward(15)
    await asyncio.sleep(0.3)
    assert town.provider.accepted() == [], "nobody tells the first story any more"


async def test_a_crash_right_after_the_move_leaves_it_there(town: Workshop) -> None:
    await waits(town)
    hanging = town.hang_any("engine", "abandon")
    moving = asyncio.create_task(town.do.moving.move("2002", ME, to="Other provider"))
    await asyncio.wait_for(hanging.reached.wait(), 20)
    await town.crash()
    moving.cancel()
    await town.start()
    town.clock_ms.forward(15)
    assert (await town.until("2002", JobStatus.DONE, JobStatus.FAILED)).status is JobStatus.DONE
    await asyncio.sleep(0.3)
    assert (len(other(town).accepted()), len(town.provider.accepted())) == (1, 0)


async def test_what_may_have_been_accepted_goes_nowhere(town: Workshop) -> None:
    job = await waits(town)
    async with town.database.writing() as connection:
        await intend(connection, job, 0)
    with pytest.raises(TooLate, match="Nobody can say yet whether Fake provider took this job"):
        await town.do.moving.move("2002", ME, to="Other provider")
    assert (await town.job("2002")).provider == "fake"


@pytest.mark.parametrize(
    ("person_id", "to", "refusal"), [(ME + 1, "Other provider", NotYours), (ME, "Third provider", TooLate)]
)
async def test_only_its_person_moves_a_job_and_only_where_it_can_be_done(
    town: Workshop, person_id: int, to: str, refusal: type[AtelierError]
) -> None:
    await waits(town)
    with pytest.raises(refusal):
        await town.do.moving.move("2002", person_id, to=to)
    assert (await town.job("2002")).provider == "fake"


async def test_a_job_whose_provider_is_back_stays(town: Workshop) -> None:
    town.provider._checks_until_finished = 10**9
    await town.do.generate.request("2002", PLACE, request(generator="fake:generator"))
    async with asyncio.timeout(20):
        while not town.provider.accepted():
            await asyncio.sleep(0.02)
    with pytest.raises(TooLate):
        await town.do.moving.move("2002", ME, to="Other provider")


async def test_a_training_comes_back_for_review_with_the_other_trainers_own_settings(
    town: Workshop, photos: Path
) -> None:
    await town.do.finetune.request("1005", PLACE, replace(finetune_request(photos), name="Mira"))
    await town.until("1005", JobStatus.REVIEW)
    town.provider.fail_next("submit", UNPAID)
    await town.do.review.start("1005", ME)
    await held(town, "1005")
    await town.do.moving.move("1005", ME, to="Other provider")
    job = await town.job("1005")
    assert (job.status, job.provider, job.details["trainer"], job.round) == (JobStatus.REVIEW, "other", "theirs", 1)
    assert job.details["settings"]["lora_rank"] == 8
    assert job.details["settings"]["trigger_word"] == "ohwx"
    async with asyncio.timeout(20):
        while not town.provider.tidied:
            await asyncio.sleep(0.02)
    assert other(town).accepted() == [], "nothing is paid without Start"
    await town.do.review.start("1005", ME)
    await town.until("1005", JobStatus.DONE)
    assert (len(other(town).accepted()), len(town.provider.accepted())) == (1, 0)


async def test_what_is_laid_out_late_at_the_provider_that_was_left_is_taken_away(town: Workshop, photos: Path) -> None:
    """The upload was under way when its person went elsewhere."""
    await town.do.finetune.request("1005", PLACE, replace(finetune_request(photos), name="Mira"))
    await town.until("1005", JobStatus.REVIEW)
    reached, go_on, prepare = asyncio.Event(), asyncio.Event(), town.provider.prepare_training

    async def slowly(request: TrainingRequest) -> dict[str, str]:
        reached.set()
        await go_on.wait()
        return await prepare(request)

    town.provider.prepare_training = slowly  # type: ignore[method-assign]
    await town.do.review.start("1005", ME)
    await asyncio.wait_for(reached.wait(), 20)
    await waits(town)
    await town.do.moving.move("1005", ME, to="Other provider")
    go_on.set()
    async with asyncio.timeout(20):
        while not town.provider.tidied:
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    job = await town.job("1005")
    assert (job.status, job.round, job.details["trainer"]) == (JobStatus.REVIEW, 1, "theirs")
    assert "prepared" not in job.details
    await town.do.review.start("1005", ME)
    await town.until("1005", JobStatus.DONE)
    assert (len(other(town).accepted()), len(town.provider.accepted())) == (1, 0)
