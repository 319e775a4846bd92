"""Pictures come into a dataset: once each, in one step, whatever happens to the process in between."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot.datasets.limits import DatasetLimits
from bot.errors import BadInput, NotFound, TooMany
from bot.permissions import Asker
from bot.workflows import datasets
from bot.workflows.requests import AddRequest, Which
from storage.dataset_steps import addition_of
from storage.datasets import create_dataset, datasets_of_person
from storage.statuses import DatasetAct, ErrorCategory, JobStatus, Stage, StageOutcome
from tests.builders import PLACE
from tests.dataset_files import jpeg_bytes, photo, photo_files, photo_zip, zip_of
from tests.workflows.drafts import DRAFT, ME, SOMEBODY, draft, draft_or_none, ended, kept, store_draft, training
from tests.workflows.workshop import Workshop, upload

FIRST, SECOND = "8001", "8002"


def pictures(*files: Path, dataset: str = "Luna") -> AddRequest:
    return AddRequest(dataset=dataset, uploads=tuple(map(upload, files)))


async def add(workshop: Workshop, job_id: str, *files: Path, dataset: str = "Luna") -> None:
    """To the end, which is a good one."""
    await workshop.do.datasets.add(job_id, PLACE, pictures(*files, dataset=dataset))
    job = await ended(workshop, job_id)
    assert (job.status, job.error_sentence) == (JobStatus.DONE, None)


async def own_names(workshop: Workshop) -> list[str]:
    async with workshop.database.reading() as connection:
        return [line.name for line in await datasets_of_person(connection, ME, limit=9)]


async def reasons(workshop: Workshop, job_id: str) -> Sequence[tuple[str, str]]:
    async with workshop.database.reading() as connection:
        addition = await addition_of(connection, job_id)
    assert addition is not None
    return addition.left_out


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photo_zip(tmp_path_factory.mktemp("others") / "others.zip", count=3, seed=5)


async def test_a_new_name_begins_a_dataset_with_its_first_pictures(workshop: Workshop, photos: Path) -> None:
    await workshop.do.datasets.add(FIRST, PLACE, pictures(photos, dataset=" Luna  at home "))
    assert (await ended(workshop, FIRST)).note == "5 in it now."
    found = await draft(workshop, FIRST)
    assert (found.name, found.place, found.last_act) == ("Luna at home", PLACE, DatasetAct.ADD)
    assert [image.number for image in found.chosen] == [1, 2, 3, 4, 5]
    assert kept(workshop) == {image.file for image in found.images}
    assert [(event.stage, event.outcome) for event in await workshop.history(FIRST)] == [
        (Stage.RECEIVED, StageOutcome.DONE),
        (Stage.PREPARED, StageOutcome.DONE),
    ]
    assert list(workshop.files.work_folder(FIRST).iterdir()) == []
    assert workshop.provider.accepted() == []


@pytest.mark.parametrize("called", ["Luna", " luna ", FIRST])
async def test_more_pictures_come_to_the_same_dataset(
    workshop: Workshop, photos: Path, others: Path, called: str
) -> None:
    await add(workshop, FIRST, photos)
    await add(workshop, SECOND, others, dataset=called)
    found = await draft(workshop, FIRST)
    assert [image.number for image in found.chosen] == list(range(1, 9))
    assert await draft_or_none(workshop, SECOND) is None
    undone = await workshop.undo(FIRST, ME)
    assert [image.number for image in undone.chosen] == [1, 2, 3, 4, 5]


async def test_captions_beside_the_pictures_come_with_them(workshop: Workshop, tmp_path: Path) -> None:
    files = {**photo_files(2), "warm-02.txt": b"a cat on a wall"}
    await add(workshop, FIRST, zip_of(files, tmp_path / "captioned.zip"))
    found = await draft(workshop, FIRST)
    assert {image.name: image.caption for image in found.images} == {
        "warm-01.jpg": None,
        "warm-02.jpg": "a cat on a wall",
    }


async def test_pictures_that_are_in_it_are_left_out_with_their_number(
    workshop: Workshop, photos: Path, tmp_path: Path
) -> None:
    await add(workshop, FIRST, photos)
    before = {image.file: image.number for image in (await draft(workshop, FIRST)).images}
    again = dict(list(photo_files(5).items())[:2])
    await add(workshop, SECOND, zip_of({**again, **photo_files(1, "cool")}, tmp_path / "again.zip"))
    found = await draft(workshop, FIRST)
    assert len(found.images) == 6
    assert {image.file: image.number for image in found.images if image.file in before} == before
    told = await reasons(workshop, SECOND)
    assert [reason for _, reason in told] == [f"is in the dataset already, as number {number}" for number in (1, 2)]
    assert found.left_out == told


async def test_an_addition_of_nothing_new_says_so_and_stores_nothing(workshop: Workshop, photos: Path) -> None:
    await add(workshop, FIRST, photos)
    before, files = await draft(workshop, FIRST), kept(workshop)
    await workshop.do.datasets.add(SECOND, PLACE, pictures(photos))
    job = await ended(workshop, SECOND)
    assert (job.status, job.error_category) == (JobStatus.FAILED, ErrorCategory.FILE_ERROR)
    assert (job.error_sentence or "").startswith("Nothing was added to Luna: ")
    assert "is in the dataset already" in (job.error_sentence or "")
    assert await draft(workshop, FIRST) == before
    assert kept(workshop) == files


async def test_what_was_left_out_comes_back_with_its_old_number_and_caption(workshop: Workshop, photos: Path) -> None:
    await add(workshop, FIRST, photos)
    await workshop.do.datasets.write_captions(FIRST, ME, {2: "a cat"})
    before = await draft(workshop, FIRST)
    await workshop.do.datasets.edit(FIRST, ME, leave_out=[2, 3])
    await add(workshop, SECOND, photos)
    assert (await draft(workshop, FIRST)).images == before.images
    undone = await workshop.undo(FIRST, ME)
    assert [image.number for image in undone.chosen] == [1, 4, 5]


async def test_not_one_usable_picture_begins_no_dataset(workshop: Workshop, tmp_path: Path) -> None:
    await workshop.do.datasets.add(FIRST, PLACE, pictures(zip_of({"notes.txt": b"no"}, tmp_path / "none.zip")))
    job = await ended(workshop, FIRST)
    assert (job.status, job.error_category) == (JobStatus.FAILED, ErrorCategory.FILE_ERROR)
    assert await own_names(workshop) == []
    assert kept(workshop) == set()


async def test_a_command_delivered_twice_is_one_addition(workshop: Workshop, photos: Path) -> None:
    for _ in range(2):
        await workshop.do.datasets.add(FIRST, PLACE, pictures(photos))
    await ended(workshop, FIRST)
    await workshop.do.datasets.add(FIRST, PLACE, pictures(photos))
    assert workshop.downloads.fetched == 1
    assert len((await draft(workshop, FIRST)).images) == 5
    assert await own_names(workshop) == ["Luna"]
    assert (await workshop.undo(FIRST, ME)).last_act is None


async def test_two_additions_that_begin_it_at_once_come_together(
    workshop: Workshop, photos: Path, others: Path
) -> None:
    """Each was asked for before the other had begun the dataset."""
    held = workshop.hang_any("downloads", "fetch")
    await workshop.do.datasets.add(FIRST, PLACE, pictures(photos))
    await workshop.do.datasets.add(SECOND, PLACE, pictures(others, dataset="luna"))
    await asyncio.wait_for(held.reached.wait(), 20)
    await workshop.crash()
    held.let_go()
    await workshop.start()
    for job_id in (FIRST, SECOND):
        assert (await ended(workshop, job_id)).error_sentence is None
    assert len(await own_names(workshop)) == 1
    assert len((await draft(workshop, FIRST)).chosen) == 8


async def test_the_second_of_two_begins_it_when_the_first_brings_nothing(
    workshop: Workshop, photos: Path, tmp_path: Path
) -> None:
    held = workshop.hang_any("downloads", "fetch")
    await workshop.do.datasets.add(FIRST, PLACE, pictures(zip_of({"notes.txt": b"no"}, tmp_path / "none.zip")))
    await workshop.do.datasets.add(SECOND, PLACE, pictures(photos))
    await asyncio.wait_for(held.reached.wait(), 20)
    await workshop.crash()
    held.let_go()
    await workshop.start()
    assert (await ended(workshop, FIRST)).status is JobStatus.FAILED
    assert (await ended(workshop, SECOND)).status is JobStatus.DONE
    assert await own_names(workshop) == ["Luna"]
    assert len((await workshop.do.datasets.meant("Luna", ME)).chosen) == 5


@pytest.mark.parametrize("called", [DRAFT, "Luna"])
async def test_who_adds_to_somebody_elses_begins_one_of_their_own(
    workshop: Workshop, photos: Path, called: str
) -> None:
    before = await store_draft(workshop, [None])
    await workshop.do.datasets.add(FIRST, SOMEBODY, pictures(photos, dataset=called))
    assert (await ended(workshop, FIRST)).status is JobStatus.DONE
    assert await draft(workshop) == before
    assert (await draft(workshop, FIRST)).place == SOMEBODY


async def test_a_dataset_deleted_meanwhile_is_a_sentence(workshop: Workshop, photos: Path, others: Path) -> None:
    await add(workshop, FIRST, photos)
    hanging = workshop.hang(job_id=SECOND, stage=Stage.RECEIVED, owner="downloads", call="fetch", moment="before")
    await workshop.do.datasets.add(SECOND, PLACE, pictures(others))
    await asyncio.wait_for(hanging.reached.wait(), 20)
    await workshop.do.datasets.delete(FIRST, ME)
    await workshop.crash()
    hanging.let_go()
    await workshop.start()
    job = await ended(workshop, SECOND)
    assert job.error_sentence == "That dataset was deleted meanwhile: send the pictures again to a new one."
    assert await own_names(workshop) == []
    assert kept(workshop) == set()


async def test_an_addition_that_is_stopped_adds_nothing(workshop: Workshop, photos: Path) -> None:
    hanging = workshop.hang(job_id=FIRST, stage=Stage.RECEIVED, owner="downloads", call="fetch", moment="after")
    await workshop.do.datasets.add(FIRST, PLACE, pictures(photos))
    await asyncio.wait_for(hanging.reached.wait(), 20)
    await workshop.do.cancel.request(FIRST, Asker(person_id=ME))
    assert (await ended(workshop, FIRST)).status is JobStatus.CANCELLED
    assert await own_names(workshop) == []
    assert kept(workshop) == set()
    assert list(workshop.files.work_folder(FIRST).iterdir()) == []


# How many.


async def test_a_person_has_so_many_datasets_and_no_more(
    workshop: Workshop, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "DATASETS_PER_PERSON", 2)
    async with workshop.database.writing() as connection:
        for number in (1, 2):
            await create_dataset(connection, str(number), PLACE, f"Luna {number}")
    with pytest.raises(TooMany, match="You have 2 datasets: delete one"):
        await workshop.do.datasets.add(FIRST, PLACE, pictures(photos))
    with pytest.raises(TooMany, match="You have 2 datasets"):
        await workshop.do.finetune.request(FIRST, PLACE, replace(training(""), uploads=(upload(photos),)))
    assert workshop.cards.refreshed == []
    await workshop.do.datasets.add(FIRST, SOMEBODY, pictures(photos))
    await add(workshop, SECOND, photos, dataset="Luna 2")
    assert len((await draft(workshop, "2")).chosen) == 5


async def test_a_dataset_holds_so_many_pictures_and_says_which_it_did_not_take(
    workshop: Workshop, photos: Path, others: Path
) -> None:
    await workshop.crash()
    workshop.limits = DatasetLimits(max_images=6)
    await workshop.start()
    await add(workshop, FIRST, photos)
    await add(workshop, SECOND, others)
    assert len((await draft(workshop, FIRST)).chosen) == 6
    told = await reasons(workshop, SECOND)
    assert [reason for _, reason in told] == ["is beyond the 6 pictures that one dataset holds"] * 2
    await workshop.do.datasets.add("8003", PLACE, pictures(others))
    assert "is beyond the 6 pictures" in ((await ended(workshop, "8003")).error_sentence or "")


@pytest.mark.parametrize("count", [0, 12])
async def test_no_file_and_too_many_files_are_refused_at_once(workshop: Workshop, photos: Path, count: int) -> None:
    with pytest.raises(BadInput):
        await workshop.do.datasets.add(FIRST, PLACE, pictures(*[photos] * count))
    assert workshop.cards.refreshed == []


async def test_a_name_that_is_none_is_refused_at_once(workshop: Workshop, photos: Path) -> None:
    with pytest.raises(BadInput, match="Give the dataset a name"):
        await workshop.do.datasets.add(FIRST, PLACE, pictures(photos, dataset=" \n "))
    with pytest.raises(NotFound):
        await workshop.do.datasets.meant(" ", ME)


# Crashes.

PLACES = [
    (Stage.RECEIVED, "downloads", "fetch"),
    (Stage.RECEIVED, "cards", "refresh_soon"),
    (Stage.PREPARED, "files", "adopt"),
    (Stage.PREPARED, "cards", "refresh_soon"),
    (Stage.PREPARED, "cards", "refresh"),
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("stage", "owner", "call"), PLACES)
async def test_a_crash_in_any_stage_ends_in_one_step_with_each_picture_once(
    workshop: Workshop, photos: Path, tmp_path: Path, stage: Stage, owner: str, call: str, moment: str
) -> None:
    """`before`: the call never happened. `after`: it did, and its answer was lost."""
    await add(workshop, FIRST, photos)
    await workshop.do.finetune.request("7007", PLACE, training(FIRST))  # its card is drawn anew when they are added
    more = {**dict(list(photo_files(5).items())[:1]), **photo_files(2, "cool")}
    hanging = workshop.hang(job_id=SECOND, stage=stage, owner=owner, call=call, moment=moment)
    asked = workshop.do.datasets.add(SECOND, PLACE, pictures(zip_of(more, tmp_path / "more.zip")))
    asking = asyncio.ensure_future(asked)
    await asyncio.wait_for(hanging.reached.wait(), 20)
    await workshop.crash()
    asking.cancel()
    hanging.let_go()
    await workshop.start()
    job = await ended(workshop, SECOND)

    assert (job.status, job.error_sentence) == (JobStatus.DONE, None)
    found = await draft(workshop, FIRST)
    assert [image.number for image in found.chosen] == list(range(1, 8))
    assert len({image.file for image in found.images}) == 7
    assert kept(workshop) == {image.file for image in found.images}
    assert [reason for _, reason in found.left_out] == ["is in the dataset already, as number 1"]
    assert len((await workshop.undo(FIRST, ME)).chosen) == 5
    assert len((await workshop.undo(FIRST, ME)).chosen) == 0
    outcomes = [event.outcome for event in await workshop.history(SECOND) if event.stage is stage]
    assert outcomes == [StageOutcome.INTERRUPTED, StageOutcome.DONE]


async def test_loose_pictures_are_an_addition_too(workshop: Workshop, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.jpg" for number in (1, 2)]
    for number, path in enumerate(paths):
        path.write_bytes(jpeg_bytes(photo(number)))
    await add(workshop, FIRST, *paths)
    assert [image.name for image in (await draft(workshop, FIRST)).images] == ["1.jpg", "2.jpg"]
    assert workshop.downloads.fetched == 2


async def test_captions_that_come_later_are_taken_over(workshop: Workshop, tmp_path: Path) -> None:
    names = list(photo_files(3))
    await add(workshop, FIRST, zip_of(photo_files(3), tmp_path / "bare.zip"))
    captions = {names[1].replace(".jpg", ".txt"): b"a cat"}
    again = zip_of({**photo_files(3), **captions}, tmp_path / "captioned.zip")
    await add(workshop, SECOND, again)
    assert [image.caption for image in (await draft(workshop, FIRST)).images] == [None, "a cat", None]
    async with workshop.database.reading() as connection:
        addition = await addition_of(connection, SECOND)
    assert addition is not None
    assert (addition.pictures, addition.captions, len(addition.left_out)) == (0, 1, 2)
    undone = await workshop.undo(FIRST, ME)
    assert [image.caption for image in undone.images] == [None, None, None]


async def test_a_picked_dataset_that_is_gone_is_no_name_for_a_new_one(workshop: Workshop, photos: Path) -> None:
    uploads = pictures(photos).uploads
    for request in (
        AddRequest(dataset="5005", uploads=uploads, which=Which.KNOWN),
        AddRequest(dataset="1573769994641080320", uploads=uploads),
    ):
        with pytest.raises(NotFound, match="gone"):
            await workshop.do.datasets.add(FIRST, PLACE, request)
    assert await own_names(workshop) == []


async def test_a_new_dataset_is_another_one_though_its_name_is_taken(workshop: Workshop, photos: Path) -> None:
    await store_draft(workshop, [None])
    new = AddRequest(dataset="luna", uploads=pictures(photos).uploads, which=Which.NEW)
    await workshop.do.datasets.add(FIRST, PLACE, new)
    await ended(workshop, FIRST)
    assert sorted(await own_names(workshop)) == ["Luna", "luna 2"]
    assert len((await draft(workshop)).chosen) == 1


async def test_a_training_on_pictures_that_are_all_there_already_still_comes_to_its_review(
    workshop: Workshop, photos: Path
) -> None:
    await add(workshop, FIRST, photos)
    await workshop.do.finetune.request(SECOND, PLACE, training(FIRST, uploads=(upload(photos),)))
    assert (await workshop.until(SECOND, JobStatus.REVIEW, JobStatus.FAILED)).status is JobStatus.REVIEW
    assert len((await draft(workshop, FIRST)).chosen) == 5
