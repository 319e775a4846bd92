"""The finetune story: what it stores, what it refuses, and how it goes on after a crash in every stage."""

import asyncio
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import (
    BadInput,
    DiscordUnreachable,
    NotYours,
    OutcomeUnknown,
    ProviderBusy,
    ProviderModerated,
    ProviderUnreachable,
    TooLate,
)
from bot.permissions import Asker
from bot.providers.tasks import Task, TrainedWeights, TrainingRequest
from bot.workflows.requests import AddRequest, AdvancedChoices, FinetuneRequest
from storage.datasets import find_dataset
from storage.models import models_of_person
from storage.statuses import ErrorCategory, JobStatus, Stage, StageOutcome
from storage.training_sets import find_training_set
from tests.builders import CARD, PLACE, TRAINER
from tests.dataset_files import photo_files, photo_zip, zip_of
from tests.workflows.workshop import Workshop, upload

ME = PLACE.person_id


def request(*files: Path, **changes: Any) -> FinetuneRequest:
    values = {"name": "Luna", "trigger_word": "ohwx", "mode": "style", "uploads": tuple(map(upload, files)), **changes}
    return FinetuneRequest(**values)


async def review(workshop: Workshop, photos: Path) -> None:
    await workshop.do.finetune.request("1001", PLACE, request(photos))
    await workshop.until("1001", JobStatus.REVIEW, JobStatus.FAILED)


async def test_a_zip_becomes_a_model_and_every_stage_is_in_the_history(workshop: Workshop, photos: Path) -> None:
    await review(workshop, photos)
    assert workshop.provider.accepted() == []
    await workshop.do.review.start("1001", ME)
    job = await workshop.until("1001", JobStatus.DONE, JobStatus.FAILED)

    assert job.status is JobStatus.DONE
    assert job.progress == 1.0
    assert [(event.stage, event.outcome) for event in await workshop.history("1001")] == [
        (stage, StageOutcome.DONE)
        for stage in (Stage.RECEIVED, Stage.PREPARED, Stage.STAGED, Stage.TRAINING, Stage.ARCHIVED, Stage.ANNOUNCED)
    ]
    async with workshop.database.reading() as connection:
        (model,) = await models_of_person(connection, ME, limit=5)
        dataset = await find_training_set(connection, model.training_set_id)
    assert await workshop.files.read(model.weights_file) == b"weights of task-1"
    assert dataset is not None
    assert len(dataset.images) == 5
    assert workshop.cards.delivered == ["1001"]
    assert list((workshop.files.work_folder("1001")).iterdir()) == []


STORIES = [
    (Stage.RECEIVED, "downloads", "fetch"),
    (Stage.PREPARED, "files", "adopt"),
    (Stage.STAGED, "files", "adopt"),
    (Stage.STAGED, "cards", "refresh_soon"),
    (Stage.TRAINING, "provider", "submit_training"),
    (Stage.TRAINING, "provider", "check"),
    (Stage.ARCHIVED, "provider", "fetch_weights"),
    (Stage.ANNOUNCED, "cards", "deliver"),
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("stage", "owner", "call"), STORIES)
async def test_a_crash_in_any_stage_ends_in_one_submission_and_one_result(
    workshop: Workshop,
    photos: Path,
    stage: Stage,
    owner: str,
    call: str,
    moment: str,
) -> None:
    """`before`: the call never happened. `after`: it did, and its answer was lost."""
    hanging = workshop.hang(job_id="1001", stage=stage, owner=owner, call=call, moment=moment)
    await workshop.do.finetune.request("1001", PLACE, request(photos))
    if stage not in (Stage.RECEIVED, Stage.PREPARED):
        await workshop.until("1001", JobStatus.REVIEW)
        starting = asyncio.ensure_future(workshop.do.review.start("1001", ME))
    else:
        starting = asyncio.ensure_future(asyncio.sleep(0))
    await asyncio.wait_for(hanging.reached.wait(), 20)
    await workshop.crash()
    starting.cancel()

    hanging.let_go()
    await workshop.start()
    if stage in (Stage.RECEIVED, Stage.PREPARED):
        await workshop.until("1001", JobStatus.REVIEW)
        await workshop.do.review.start("1001", ME)
    job = await workshop.until("1001", JobStatus.DONE, JobStatus.FAILED)

    assert job.error_sentence is None
    assert len(workshop.provider.accepted()) == 1
    assert set(workshop.cards.delivered) == {"1001"}
    attempts = [event for event in await workshop.history("1001") if event.stage is stage]
    assert [event.outcome for event in attempts] == [StageOutcome.INTERRUPTED, StageOutcome.DONE]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_crash_after_the_upload_is_deleted_finds_the_dataset_that_was_made(
    workshop: Workshop, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = asyncio.Event()
    real = workshop.files.clear_work

    async def clear(name: str) -> None:
        await real(name)
        reached.set()
        raise asyncio.CancelledError

    monkeypatch.setattr(workshop.files, "clear_work", clear)
    await workshop.do.finetune.request("1001", PLACE, request(photos))
    await asyncio.wait_for(reached.wait(), 20)
    monkeypatch.setattr(workshop.files, "clear_work", real)
    await workshop.crash()
    await workshop.start()
    assert (await workshop.until("1001", JobStatus.REVIEW, JobStatus.FAILED)).error_sentence is None


async def test_a_crash_while_waiting_for_review_keeps_the_review(workshop: Workshop, photos: Path) -> None:
    await review(workshop, photos)
    await workshop.crash()
    await workshop.start()
    await workshop.do.review.start("1001", ME)
    assert (await workshop.until("1001", JobStatus.DONE, JobStatus.FAILED)).status is JobStatus.DONE


async def test_pressing_start_twice_starts_once(workshop: Workshop, photos: Path) -> None:
    await review(workshop, photos)
    results = await asyncio.gather(*(workshop.do.review.start("1001", ME) for _ in range(3)), return_exceptions=True)
    await workshop.until("1001", JobStatus.DONE)
    assert [type(result) for result in results if result is not None] == [TooLate, TooLate]
    assert len(workshop.provider.accepted()) == 1


async def test_the_same_command_delivered_twice_is_one_job(workshop: Workshop, photos: Path) -> None:
    for _ in range(2):
        await workshop.do.finetune.request("1001", PLACE, request(photos))
    await workshop.until("1001", JobStatus.REVIEW)
    assert workshop.downloads.fetched == 1


async def test_failures_that_promise_nothing_was_accepted_are_tried_again(workshop: Workshop, photos: Path) -> None:
    workshop.provider.fail_next("submit", ProviderBusy("busy"), ProviderBusy("busy"))
    workshop.provider.fail_next("check", ProviderUnreachable("away"))
    workshop.provider.fail_next("fetch", ProviderUnreachable("away"))
    workshop.cards.failures.append(DiscordUnreachable("away"))
    await review(workshop, photos)
    await workshop.do.review.start("1001", ME)
    job = await workshop.until("1001", JobStatus.DONE, JobStatus.FAILED)
    assert job.status is JobStatus.DONE
    assert len(workshop.provider.accepted()) == 1
    failed = [event for event in await workshop.history("1001") if event.outcome is StageOutcome.FAILED]
    assert [(event.stage, event.error_category) for event in failed] == [
        (Stage.TRAINING, ErrorCategory.RATE_LIMIT),
        (Stage.TRAINING, ErrorCategory.RATE_LIMIT),
        (Stage.ARCHIVED, ErrorCategory.NETWORK),
        (Stage.ANNOUNCED, ErrorCategory.NETWORK),
    ]


async def test_a_lost_answer_is_looked_up_and_never_sent_again(workshop: Workshop, photos: Path) -> None:
    workshop.provider.fail_next("accepted", OutcomeUnknown("no answer"))
    await review(workshop, photos)
    await workshop.do.review.start("1001", ME)
    job = await workshop.until("1001", JobStatus.DONE, JobStatus.FAILED)
    assert job.status is JobStatus.DONE
    assert len(workshop.provider.accepted()) == 1


async def test_when_nobody_can_say_whether_it_was_accepted_it_is_not_sent_again(
    workshop: Workshop, photos: Path
) -> None:
    workshop.provider.fail_next("accepted", OutcomeUnknown("no answer"))
    workshop.provider.fail_next("find", *[ProviderUnreachable("away")] * 50)
    await review(workshop, photos)
    await workshop.do.review.start("1001", ME)
    job = await workshop.until("1001", JobStatus.DONE, JobStatus.FAILED, JobStatus.UNCERTAIN)
    assert (job.status, job.error_category) == (JobStatus.UNCERTAIN, ErrorCategory.UNCERTAIN)
    assert "not sent again" in (job.error_sentence or "")
    assert len(workshop.provider.accepted()) == 1
    assert workshop.provider.tidied == 0, "it may be reading its dataset at this moment"


async def test_a_refusal_ends_the_job_and_its_person_is_told_once(workshop: Workshop, photos: Path) -> None:
    workshop.provider.fail_next("check", ProviderModerated("The pictures were refused for their content."))
    await review(workshop, photos)
    await workshop.do.review.start("1001", ME)
    job = await workshop.until("1001", JobStatus.FAILED)
    assert (job.error_category, job.error_sentence) == (
        ErrorCategory.MODERATION,
        "The pictures were refused for their content.",
    )
    async with asyncio.timeout(5):
        while not workshop.cards.delivered:
            await asyncio.sleep(0.02)
    assert workshop.cards.delivered == ["1001"]


async def test_too_few_pictures_wait_for_more_and_cannot_be_started(workshop: Workshop, tmp_path: Path) -> None:
    few = photo_zip(tmp_path / "few.zip", count=3)
    await workshop.do.finetune.request("1001", PLACE, request(few))
    await workshop.until("1001", JobStatus.REVIEW)
    with pytest.raises(BadInput, match="needs 1 more picture"):
        await workshop.do.review.start("1001", ME)
    assert (await workshop.job("1001")).status is JobStatus.REVIEW
    more = AddRequest(dataset="1001", uploads=request(photo_zip(tmp_path / "more.zip", count=2, seed=9)).uploads)
    await workshop.do.datasets.add("1002", PLACE, more)
    await workshop.until("1002", JobStatus.DONE)
    assert workshop.provider.accepted() == []
    await workshop.do.review.start("1001", ME)
    await workshop.until("1001", JobStatus.DONE)
    async with workshop.database.reading() as connection:
        learnt_from = await find_training_set(connection, "1001")
    assert learnt_from is not None
    assert len(learnt_from.images) == 5


async def test_not_one_usable_picture_ends_the_job_and_leaves_nothing(workshop: Workshop, tmp_path: Path) -> None:
    await workshop.do.finetune.request("1001", PLACE, request(zip_of({"notes.txt": b"no"}, tmp_path / "none.zip")))
    job = await workshop.until("1001", JobStatus.FAILED, JobStatus.REVIEW)
    assert job.error_category is ErrorCategory.FILE_ERROR
    async with workshop.database.reading() as connection:
        assert await find_dataset(connection, "1001") is None
    assert workshop.provider.accepted() == []


async def test_advanced_choices_are_kept_and_checked(workshop: Workshop, photos: Path) -> None:
    await review(workshop, photos)
    choices = AdvancedChoices(
        iterations="150", learning_rate="0.0002", captioning=False, priority="speed", finetune_type_and_rank="full-16"
    )
    await workshop.do.review.change("1001", ME, choices)
    stored = (await workshop.job("1001")).details["settings"]
    assert (stored["iterations"], stored["learning_rate"], stored["lora_rank"]) == (150, 0.0002, 16)
    with pytest.raises(BadInput, match="100 to 1000"):
        await workshop.do.review.change(
            "1001",
            ME,
            AdvancedChoices(
                iterations="99", learning_rate="", captioning=True, priority="speed", finetune_type_and_rank="lora-16"
            ),
        )
    assert (await workshop.job("1001")).details["settings"] == stored


async def test_nobody_else_starts_or_cancels_it(workshop: Workshop, photos: Path) -> None:
    await review(workshop, photos)
    with pytest.raises(NotYours):
        await workshop.do.review.start("1001", ME + 1)
    with pytest.raises(NotYours):
        await workshop.do.cancel.request("1001", Asker(person_id=ME + 1))
    assert (await workshop.job("1001")).status is JobStatus.REVIEW


async def test_a_name_can_be_used_once(workshop: Workshop, photos: Path) -> None:
    await review(workshop, photos)
    await workshop.do.review.start("1001", ME)
    await workshop.until("1001", JobStatus.DONE)
    with pytest.raises(BadInput, match="already have a model"):
        await workshop.do.finetune.request("1002", PLACE, request(photos, name="LUNA"))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("needs_it_there", [True, False])
async def test_a_trainer_that_learns_the_word_from_captions_finds_it_in_each(
    workshop: Workshop, tmp_path: Path, needs_it_there: bool
) -> None:
    card = replace(CARD, trainers=(replace(TRAINER, trigger_in_captions=needs_it_there),))
    workshop.provider._card = card
    seen: list[dict[str, bytes]] = []
    submit = workshop.provider.submit_training

    async def look(request: TrainingRequest) -> Task:
        with zipfile.ZipFile(request.dataset) as archive:
            seen.append({name: archive.read(name) for name in archive.namelist() if name.endswith(".txt")})
        return await submit(request)

    workshop.provider.submit_training = look  # type: ignore[method-assign]
    files = dict(photo_files(5))
    captioned = next(iter(files))
    pictures = zip_of({**files, captioned.replace(".jpg", ".txt"): b"a cat on a wall"}, tmp_path / "captioned.zip")
    await review(workshop, pictures)
    await workshop.do.review.start("1001", ME)
    await workshop.until("1001", JobStatus.DONE)
    assert [list(captions.values()) for captions in seen] == [
        [b"ohwx, a cat on a wall" if needs_it_there else b"a cat on a wall"]
    ]


async def test_weights_that_their_provider_kept_to_itself_still_make_a_model(workshop: Workshop, photos: Path) -> None:
    async def without_a_file(task: Task, _into: Path) -> TrainedWeights:
        return TrainedWeights(path=None, remote={"version": task.id})

    workshop.provider.fetch_weights = without_a_file  # type: ignore[method-assign]
    await review(workshop, photos)
    await workshop.do.review.start("1001", ME)
    assert (await workshop.until("1001", JobStatus.DONE, JobStatus.FAILED)).error_sentence is None
    async with workshop.database.reading() as connection:
        (model,) = await models_of_person(connection, ME, limit=5)
    assert (model.weights_file, model.remote) == (None, {"fake": {"version": "task-1"}})
