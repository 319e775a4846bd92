"""What a training learns is what its dataset held at Start, whatever becomes of the dataset before and afterwards."""

import asyncio
import zipfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.advice import appraisal_of
from bot.datasets.appraising.findings import Flaw
from bot.errors import BadInput, NotFound, TooLate
from bot.permissions import Asker
from bot.providers.card import Handover, Mode, Range
from bot.providers.tasks import Task, TrainingRequest
from bot.workflows.engine import Json
from bot.workflows.requests import AddRequest
from storage.statuses import JobStatus, Stage
from storage.training_sets import TrainingSet, find_training_set
from tests.builders import CARD, PLACE, TRAINER
from tests.dataset_files import photo_files, zip_of
from tests.workflows.drafts import DRAFT, ME, captions_of, draft, ended, kept, store_draft, training
from tests.workflows.test_additions import add
from tests.workflows.workshop import Hanging, Workshop, upload

JOB = "7007"


async def under_review(workshop: Workshop, captions: list[str | None]) -> None:
    await store_draft(workshop, captions)
    await workshop.do.finetune.request(JOB, PLACE, training())
    assert (await workshop.job(JOB)).status is JobStatus.REVIEW


async def frozen(workshop: Workshop, job_id: str = JOB) -> TrainingSet | None:
    async with workshop.database.reading() as connection:
        return await find_training_set(connection, job_id)


async def learnt(workshop: Workshop) -> list[str | None]:
    training_set = await frozen(workshop)
    assert training_set is not None
    return [image.caption for image in training_set.images]


def sent_to(workshop: Workshop) -> list[dict[str, bytes]]:
    """The captions in each zip that the provider is given."""
    sent: list[dict[str, bytes]] = []
    submit = workshop.provider.submit_training

    async def look(request: TrainingRequest) -> Task:
        with zipfile.ZipFile(request.dataset) as archive:
            sent.append({name: archive.read(name) for name in archive.namelist() if name.endswith(".txt")})
        return await submit(request)

    workshop.provider.submit_training = look  # type: ignore[method-assign]
    return sent


async def test_a_dataset_is_trained_on_without_any_upload(workshop: Workshop, photos: Path) -> None:
    await add(workshop, "8001", photos)
    await workshop.do.datasets.edit("8001", ME, leave_out=[2])
    await workshop.do.finetune.request(JOB, PLACE, training("luna"))
    assert await frozen(workshop) is None
    await workshop.do.review.start(JOB, ME)
    assert (await ended(workshop, JOB)).error_sentence is None
    training_set = await frozen(workshop)
    assert training_set is not None
    assert (training_set.name, len(training_set.images)) == ("Luna", 4)
    assert (await workshop.history(JOB))[0].stage is Stage.STAGED
    assert len((await draft(workshop, "8001")).images) == 5, "the draft stays"


async def test_pictures_sent_with_an_existing_dataset_join_it_before_the_review(
    workshop: Workshop, photos: Path, tmp_path: Path
) -> None:
    await add(workshop, "8001", photos)
    more = upload(zip_of(photo_files(2, seed=6), tmp_path / "more.zip"))
    await workshop.do.finetune.request(JOB, PLACE, replace(training("8001"), uploads=(more,)))
    assert (await workshop.until(JOB, JobStatus.REVIEW, JobStatus.FAILED)).error_sentence is None
    assert len((await draft(workshop, "8001")).chosen) == 7


async def test_what_is_changed_before_start_is_learnt_and_what_is_changed_after_is_not(workshop: Workshop) -> None:
    sent = sent_to(workshop)
    await under_review(workshop, ["a cat", None, None, None, None])
    await workshop.do.datasets.write_captions(DRAFT, ME, {1: "a dog"})
    await workshop.do.datasets.edit(DRAFT, ME, leave_out=[5])
    hanging = workshop.hang(job_id=JOB, stage=Stage.STAGED, owner="cards", call="refresh_soon", moment="before")
    await workshop.do.review.start(JOB, ME)
    await asyncio.wait_for(hanging.reached.wait(), 20)
    await workshop.do.datasets.write_captions(DRAFT, ME, {1: "a bird", 2: "a fish"})
    await workshop.do.datasets.edit(DRAFT, ME, name="Moon", leave_out=[3], take_back=[5])
    await workshop.crash()
    hanging.let_go()
    await workshop.start()
    assert (await ended(workshop, JOB)).status is JobStatus.DONE
    assert await learnt(workshop) == ["a dog", None, None, None]
    assert [list(captions.values()) for captions in sent] == [[b"a dog"]]


async def test_a_review_shows_every_change_of_its_dataset(workshop: Workshop, photos: Path) -> None:
    await under_review(workshop, ["a cat", None, None, None])
    shown = workshop.cards.refreshed.count(JOB)
    do = workshop.do.datasets
    for step in (
        do.edit(DRAFT, ME, leave_out=[2]),
        do.write_captions(DRAFT, ME, {1: "a dog"}),
        do.replace_in_captions(DRAFT, ME, find="dog", put="cat"),
        do.edit(DRAFT, ME, name="Moon", leave_out=[], take_back=[2]),
        workshop.undo(DRAFT, ME),
        add(workshop, "8001", photos, dataset=DRAFT),
        do.delete(DRAFT, ME),
    ):
        before = workshop.cards.refreshed.count(JOB)
        await step
        assert workshop.cards.refreshed.count(JOB) > before
    assert shown < workshop.cards.refreshed.count(JOB)


async def test_only_reviews_of_this_dataset_are_shown_anew(workshop: Workshop) -> None:
    await under_review(workshop, [None] * 4)
    await store_draft(workshop, [None] * 4, dataset_id="6006", name="Moon")
    before = len(workshop.cards.refreshed)
    await workshop.do.datasets.edit("6006", ME, leave_out=[2])
    assert len(workshop.cards.refreshed) == before


async def test_too_few_pictures_wait_for_more(workshop: Workshop) -> None:
    await under_review(workshop, [None] * 4)
    await workshop.do.datasets.edit(DRAFT, ME, leave_out=[1, 2])
    with pytest.raises(BadInput, match="Fake trainer needs 2 more pictures: press Add more"):
        await workshop.do.review.start(JOB, ME)
    assert (await workshop.job(JOB)).status is JobStatus.REVIEW
    assert await frozen(workshop) is None
    await workshop.undo(DRAFT, ME)
    await workshop.do.review.start(JOB, ME)
    assert (await ended(workshop, JOB)).status is JobStatus.DONE


async def test_without_its_dataset_start_is_a_sentence_and_cancel_still_works(workshop: Workshop) -> None:
    await under_review(workshop, [None] * 4)
    await workshop.do.datasets.delete(DRAFT, ME)
    with pytest.raises(NotFound, match="gone"):
        await workshop.do.review.start(JOB, ME)
    assert (await workshop.job(JOB)).status is JobStatus.REVIEW
    await workshop.do.cancel.request(JOB, Asker(person_id=ME))
    assert (await ended(workshop, JOB)).status is JobStatus.CANCELLED


async def test_two_starts_and_a_change_at_once_train_once_on_one_state_of_it(workshop: Workshop) -> None:
    await under_review(workshop, [None] * 5)
    results = await asyncio.gather(
        workshop.do.review.start(JOB, ME),
        workshop.do.datasets.edit(DRAFT, ME, name="Moon", leave_out=[5], take_back=[]),
        workshop.do.review.start(JOB, ME),
        return_exceptions=True,
    )
    assert [type(result) for result in results if isinstance(result, BaseException)] == [TooLate]
    assert (await ended(workshop, JOB)).status is JobStatus.DONE
    assert len(workshop.provider.accepted()) == 1
    training_set = await frozen(workshop)
    assert training_set is not None
    assert (training_set.name, len(training_set.images)) in [("Luna", 5), ("Moon", 4)]


async def test_one_dataset_makes_several_models(workshop: Workshop) -> None:
    await under_review(workshop, [None] * 4)
    await workshop.do.finetune.request("7008", PLACE, training(name="Other"))
    for job_id in (JOB, "7008"):
        await workshop.do.review.start(job_id, ME)
    for job_id in (JOB, "7008"):
        assert (await ended(workshop, job_id)).status is JobStatus.DONE
    assert len(workshop.provider.accepted()) == 2


async def test_deleting_it_after_start_takes_nothing_from_the_training_and_leaves_nothing(workshop: Workshop) -> None:
    await under_review(workshop, [None] * 4)
    pictures = {image.file for image in (await draft(workshop)).images}
    hanging = workshop.hang(job_id=JOB, stage=Stage.STAGED, owner="cards", call="refresh_soon", moment="before")
    await workshop.do.review.start(JOB, ME)
    await asyncio.wait_for(hanging.reached.wait(), 20)
    await workshop.do.datasets.delete(DRAFT, ME)
    assert kept(workshop) == pictures, "it is not packed yet"
    await workshop.crash()
    hanging.let_go()
    await workshop.start()
    assert (await ended(workshop, JOB)).error_sentence is None
    assert not kept(workshop) & pictures
    training_set = await frozen(workshop)
    assert training_set is not None
    async with asyncio.timeout(5):
        while training_set.prepared_file in kept(workshop):  # the model is made, and nothing needs the zip any more
            await asyncio.sleep(0.02)


async def test_another_trigger_word_is_written_into_the_captions_that_name_it(workshop: Workshop) -> None:
    await under_review(workshop, ["ohwx, a cat", "a dog", None, "an OHWX"])
    await workshop.do.review.change_word(JOB, ME, "zxqj")
    assert captions_of(await draft(workshop)) == ["zxqj, a cat", "a dog", None, "an zxqj"]
    assert (await workshop.job(JOB)).details["settings"]["trigger_word"] == "zxqj"
    assert captions_of(await workshop.undo(DRAFT, ME))[0] == "ohwx, a cat"
    with pytest.raises(BadInput, match="trigger word of 2 to 30"):
        await workshop.do.review.change_word(JOB, ME, "two words")
    await workshop.do.review.start(JOB, ME)
    with pytest.raises(TooLate):
        await workshop.do.review.change_word(JOB, ME, "later")
    await ended(workshop, JOB)


async def test_what_is_marked_as_surplus_is_left_aside(workshop: Workshop) -> None:
    few = replace(TRAINER, image_count=Range(lowest=2, highest=3, default=3))
    workshop.provider._card = replace(CARD, trainers=(few,))
    await store_draft(workshop, [None] * 5)
    await workshop.do.finetune.request(JOB, PLACE, training())
    surplus = {
        number
        for number, found in appraisal_of(
            await draft(workshop), few, Mode.STYLE, has_object_storage=False
        ).findings.items()
        if any(one.flaw is Flaw.SURPLUS for one in found)
    }
    assert len(surplus) == 2
    await workshop.do.review.start(JOB, ME)
    await ended(workshop, JOB)
    learnt_from = await frozen(workshop)
    assert learnt_from is not None
    assert {image.name for image in learnt_from.images} == {f"{n}.jpg" for n in {1, 2, 3, 4, 5} - surplus}


async def test_a_name_nobody_chose_is_numbered_and_one_that_was_chosen_is_refused(workshop: Workshop) -> None:
    await store_draft(workshop, [None] * 4)
    await workshop.do.finetune.request(JOB, PLACE, training(name="", suggested="Luna"))
    await workshop.do.review.start(JOB, ME)
    await ended(workshop, JOB)
    await workshop.do.finetune.request("7008", PLACE, training(name="", suggested="Luna"))
    assert (await workshop.job("7008")).details["name"] == "Luna 2"
    with pytest.raises(BadInput, match="already have a model"):
        await workshop.do.finetune.request("7009", PLACE, training(name="luna"))


async def test_what_is_too_large_together_is_left_aside_the_worst_first(workshop: Workshop) -> None:
    """As for a trainer that takes its dataset through a small upload."""
    small = replace(TRAINER, handover=((Handover.FILE, 350_000),))  # of pictures of 100,000 bytes
    workshop.provider._card = replace(CARD, trainers=(small,))
    await under_review(workshop, [None] * 4)
    with pytest.raises(BadInput, match="These are too large together for Fake trainer"):
        await workshop.do.review.start(JOB, ME)
    workshop.provider._card = replace(
        CARD, trainers=(replace(small, image_count=Range(lowest=2, highest=9, default=3)),)
    )
    await workshop.do.review.start(JOB, ME)
    assert (await ended(workshop, JOB)).error_sentence is None
    training_set = await frozen(workshop)
    assert training_set is not None
    assert [image.name for image in training_set.images] == ["1.jpg", "2.jpg", "3.jpg"]


async def go_on(workshop: Workshop, hanging: Hanging) -> None:
    await workshop.crash()
    hanging.let_go()
    await workshop.start()


async def test_start_waits_for_descriptions_and_pictures_that_are_on_their_way(
    workshop: Workshop, photos: Path
) -> None:
    workshop.provider.describes_pictures()
    await under_review(workshop, [None] * 4)
    describing = workshop.hang(job_id="9001", stage=Stage.DESCRIBED, owner="provider", call="caption", moment="before")
    await workshop.do.captioning.request("9001", PLACE, DRAFT)
    await asyncio.wait_for(describing.reached.wait(), 20)
    with pytest.raises(BadInput, match="still being described: press Start when that is done, or cancel it first"):
        await workshop.do.review.start(JOB, ME)
    await go_on(workshop, describing)
    await ended(workshop, "9001")

    adding = workshop.hang(job_id="8001", stage=Stage.RECEIVED, owner="downloads", call="fetch", moment="before")
    await workshop.do.datasets.add("8001", PLACE, AddRequest(dataset=DRAFT, uploads=(upload(photos),)))
    await asyncio.wait_for(adding.reached.wait(), 20)
    with pytest.raises(BadInput, match="still being added to it: press Start when that is done, or cancel it first"):
        await workshop.do.review.start(JOB, ME)
    assert await frozen(workshop) is None
    await go_on(workshop, adding)
    await ended(workshop, "8001")
    await workshop.do.review.start(JOB, ME)
    await ended(workshop, JOB)
    assert len(await learnt(workshop)) == 9


@pytest.mark.parametrize("sent", ["what is in it already", "a document", "a zip of documents"])
async def test_files_that_bring_nothing_to_a_training_are_told_and_stop_nothing(
    workshop: Workshop, photos: Path, tmp_path: Path, sent: str
) -> None:
    await add(workshop, "8001", photos)
    document = tmp_path / "notes.pdf"
    document.write_bytes(b"%PDF-1.7 nothing")
    files = {
        "what is in it already": photos,
        "a document": document,
        "a zip of documents": zip_of({"notes.pdf": document.read_bytes()}, tmp_path / "notes.zip"),
    }
    request = replace(training("8001"), uploads=(upload(files[sent]),))
    await workshop.do.finetune.request(JOB, PLACE, request)
    assert (await workshop.until(JOB, JobStatus.REVIEW, JobStatus.FAILED)).error_sentence is None
    found = await draft(workshop, "8001")
    assert len(found.chosen) == 5
    assert len(found.left_out) == (5 if sent == "what is in it already" else 1)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_training_that_ends_takes_nothing_from_one_that_packs_the_same(workshop: Workshop) -> None:
    """The second has its zip in the store already, and not yet in its row, when the first needs it no more."""
    await under_review(workshop, [None] * 4)
    await workshop.do.finetune.request("7008", PLACE, training(name="Other"))
    await workshop.do.review.start(JOB, ME)
    await ended(workshop, JOB)
    forgetting: list[asyncio.Task[Json]] = []

    def first_ends_after(call: str) -> None:
        real: Callable[..., Awaitable[Any]] = getattr(workshop.files, call)

        async def done(*arguments: Any) -> Any:
            result = await real(*arguments)
            if not forgetting:
                forgetting.append(asyncio.create_task(workshop.do.finetune._training_sets.forget(JOB)))
                await asyncio.wait(forgetting, timeout=0.5)
            return result

        setattr(workshop.files, call, done)

    for call in ("keep", "adopt"):
        first_ends_after(call)
    await workshop.do.review.start("7008", ME)
    job = await ended(workshop, "7008")
    assert (job.status, job.error_sentence) == (JobStatus.DONE, None)
    assert len(forgetting) == 1
