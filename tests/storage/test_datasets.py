"""A dataset is a draft: every change is remembered, the last can be undone, and nothing of another's is touched."""

from dataclasses import replace

import pytest

from storage.database import Database
from storage.dataset_steps import (
    REMEMBERED_STEPS,
    Addition,
    add_images,
    addition_of,
    change_images,
    remember_asked,
    remove_images,
    rename_dataset,
    undo_step,
)
from storage.datasets import (
    Dataset,
    count_datasets_of_person,
    create_dataset,
    dataset_named,
    datasets_of_person,
    delete_dataset,
    find_dataset,
    free_name,
    locked_dataset,
)
from storage.jobs import add_job, change_job
from storage.needed import needed_files
from storage.statuses import DatasetAct, JobStatus
from storage.training_sets import add_training_set, find_training_set, remember_packed
from tests.builders import PLACE, dataset_image, finetune_job, training_set

LEFT_OUT = (("notes.pdf", "is not a picture"),)


async def stored(database: Database, dataset_id: str = "5005") -> Dataset:
    async with database.reading() as connection:
        found = await find_dataset(connection, dataset_id)
    assert found is not None
    return found


async def with_pictures(
    database: Database,
    *numbers: int,
    job_id: str = "1001",
    dataset_id: str = "5005",
    left_out: tuple[tuple[str, str], ...] = LEFT_OUT,
) -> Dataset:
    async with database.writing() as connection:
        await create_dataset(connection, dataset_id, PLACE, "Luna")
        await add_job(connection, finetune_job(id=job_id))
        found = await locked_dataset(connection, dataset_id)
        assert found is not None
        images = [dataset_image(0, name=f"{n}.jpg", file=f"{n:064x}") for n in numbers]
        await add_images(connection, found, images, left_out=left_out, job_id=job_id)
    return await stored(database, dataset_id)


async def test_pictures_get_numbers_that_stay(database: Database) -> None:
    assert [image.number for image in (await with_pictures(database, 7, 8)).images] == [1, 2]
    grown = await with_pictures(database, 8, 9, job_id="1002")
    assert [(image.number, image.name) for image in grown.images] == [(1, "7.jpg"), (2, "8.jpg"), (3, "9.jpg")]
    assert grown.left_out == LEFT_OUT * 2
    assert grown.last_act is DatasetAct.ADD


async def test_what_the_latest_addition_left_out_comes_first(database: Database) -> None:
    """Each in the order in which it was handed over."""
    first, second = (("a.pdf", "is a PDF"), ("b.pdf", "is a PDF")), (("c.pdf", "is a PDF"), ("d.pdf", "is a PDF"))
    await with_pictures(database, 1, left_out=first)
    assert (await with_pictures(database, 2, job_id="1002", left_out=second)).left_out == second + first


async def test_every_file_of_a_full_zip_is_remembered(database: Database) -> None:
    many = tuple((f"{number}.pdf", "is a PDF") for number in range(1999))
    assert len((await with_pictures(database, 1, left_out=many)).left_out) == 1999


async def test_what_a_job_added_is_known_by_its_id(database: Database) -> None:
    await with_pictures(database, 1)
    async with database.reading() as connection:
        assert await addition_of(connection, "1001") == Addition(pictures=1, left_out=LEFT_OUT)
        assert await addition_of(connection, "1002") is None


async def test_every_step_is_undone_in_turn(database: Database) -> None:
    first = await with_pictures(database, 1, 2)
    async with database.writing() as connection:
        assert await change_images(connection, first, DatasetAct.LEAVE_OUT, {1: {"is_in": False}})
        changed = await find_dataset(connection, "5005")
        assert changed is not None
        assert [image.number for image in changed.chosen] == [2]
        assert await change_images(connection, changed, DatasetAct.CAPTION, {2: {"caption": "a cat"}})
        await rename_dataset(connection, changed, "Moon")
    assert (await stored(database)).name == "Moon"
    undone = []
    for _ in range(5):
        async with database.writing() as connection:
            found = await locked_dataset(connection, "5005")
            assert found is not None
            undone.append(found.last_act)
            assert await undo_step(connection, found, found.last_step) is (found.last_act is not None)
    assert undone == [DatasetAct.RENAME, DatasetAct.CAPTION, DatasetAct.LEAVE_OUT, DatasetAct.ADD, None]
    assert (await stored(database)).chosen == ()
    assert (await stored(database)).left_out == ()


async def test_an_undo_of_long_ago_undoes_nothing_that_came_after(database: Database) -> None:
    """Its button may still be there, on a card that nobody has shown anew."""
    found = await with_pictures(database, 1, 2)
    async with database.writing() as connection:
        await change_images(connection, found, DatasetAct.LEAVE_OUT, {1: {"is_in": False}})
    left_out = await stored(database)
    async with database.writing() as connection:
        assert await undo_step(connection, left_out, left_out.last_step)
        await change_images(connection, await stored(database), DatasetAct.CAPTION, {2: {"caption": "a cat"}})
        assert not await undo_step(connection, await stored(database), left_out.last_step)
    assert (await stored(database)).images[1].caption == "a cat"


async def test_what_is_removed_is_gone_from_the_history_too(database: Database) -> None:
    found = await with_pictures(database, 1, 2, 3)
    async with database.writing() as connection:
        await change_images(connection, found, DatasetAct.LEAVE_OUT, {n: {"is_in": False} for n in (2, 3)})
        await change_images(connection, await stored(database), DatasetAct.CAPTION, {3: {"caption": "a cat"}})
        assert await remove_images(connection, await stored(database), [3]) == {f"{3:064x}"}
    left = await stored(database)
    assert [image.number for image in left.images] == [1, 2]
    assert left.last_act is DatasetAct.LEAVE_OUT, "nothing is left of the caption"
    async with database.writing() as connection:
        assert await undo_step(connection, left, left.last_step)
    assert [image.number for image in (await stored(database)).chosen] == [1, 2]
    assert (await stored(database)).left_out == LEFT_OUT
    grown = await with_pictures(database, 9, job_id="1002")
    assert [image.number for image in grown.images] == [1, 2, 4], "a number is never given twice"


async def test_an_addition_of_which_nothing_is_left_is_no_step_to_undo(database: Database) -> None:
    await with_pictures(database, 1)
    more = await with_pictures(database, 2, 3, job_id="1002")
    async with database.writing() as connection:
        await change_images(connection, more, DatasetAct.LEAVE_OUT, {1: {"is_in": False}})
        await remove_images(connection, await stored(database), [2, 3])
        addition = await addition_of(connection, "1002")
    assert addition == Addition(pictures=0, left_out=LEFT_OUT)
    left = await stored(database)
    assert (left.last_act, left.steps, left.left_out) == (DatasetAct.LEAVE_OUT, 2, LEFT_OUT * 2)
    async with database.writing() as connection:
        assert await undo_step(connection, left, left.last_step)
    again = await stored(database)
    assert again.last_act is DatasetAct.ADD
    async with database.writing() as connection:
        assert await undo_step(connection, again, again.last_step)
    assert (await stored(database)).chosen == ()


async def test_adding_a_picture_again_takes_it_back(database: Database) -> None:
    first = await with_pictures(database, 1, 2)
    async with database.writing() as connection:
        await change_images(connection, first, DatasetAct.LEAVE_OUT, {1: {"is_in": False}})
        assert not await undo_step(connection, first, first.last_step), "that is not the last one any more"
    again = await with_pictures(database, 1, job_id="1002")
    assert [image.number for image in again.chosen] == [1, 2]
    async with database.writing() as connection:
        assert await undo_step(connection, again, again.last_step)
    assert [image.number for image in (await stored(database)).chosen] == [2]


async def test_a_change_that_changes_nothing_is_no_step(database: Database) -> None:
    found = await with_pictures(database, 1)
    async with database.writing() as connection:
        assert not await change_images(connection, found, DatasetAct.TAKE_BACK, {1: {"is_in": True}})
    assert (await stored(database)).last_act is DatasetAct.ADD


async def test_the_history_is_bounded(database: Database) -> None:
    await with_pictures(database, 1)
    for number in range(REMEMBERED_STEPS + 10):
        async with database.writing() as connection:
            found = await locked_dataset(connection, "5005")
            assert found is not None
            await change_images(connection, found, DatasetAct.CAPTION, {1: {"caption": f"caption {number}"}})
    for _ in range(REMEMBERED_STEPS):
        async with database.writing() as connection:
            found = await locked_dataset(connection, "5005")
            assert found is not None
            assert await undo_step(connection, found, found.last_step)
    async with database.writing() as connection:
        found = await locked_dataset(connection, "5005")
        assert found is not None
        assert not await undo_step(connection, found, found.last_step)
    assert (await stored(database)).images[0].caption == "caption 9"


async def test_deleting_answers_the_files_nobody_else_knows(database: Database) -> None:
    await with_pictures(database, 1, 2)
    other = await with_pictures(database, 2, 3, job_id="1002", dataset_id="6006")
    async with database.writing() as connection:
        assert await delete_dataset(connection, other) == {f"{3:064x}"}
        assert await find_dataset(connection, "6006") is None
        assert await addition_of(connection, "1002") is None
    assert len((await stored(database)).images) == 2


async def test_lists_and_names_are_a_persons_own(database: Database) -> None:
    await with_pictures(database, 1, 2)
    async with database.writing() as connection:
        await create_dataset(connection, "6006", replace(PLACE, person_id=44), "Luna")
    async with database.reading() as connection:
        lines = await datasets_of_person(connection, PLACE.person_id, limit=10)
        assert [(line.id, line.name, line.pictures) for line in lines] == [("5005", "Luna", 2)]
        assert await count_datasets_of_person(connection, PLACE.person_id) == 1
        assert await dataset_named(connection, PLACE.person_id, "LUNA") == "5005"
        assert await dataset_named(connection, PLACE.person_id, "Moon") is None


@pytest.mark.parametrize(("name", "typed"), [("Мурка", "мурка"), ("Ökotest", "ÖKOTEST"), ("Ünal", "Ünal")])
async def test_a_name_in_any_letters_is_found_in_any_case(database: Database, name: str, typed: str) -> None:
    async with database.writing() as connection:
        await create_dataset(connection, "5005", PLACE, name)
        assert await dataset_named(connection, PLACE.person_id, typed) == "5005"
        assert await free_name(connection, PLACE.person_id, typed) == f"{typed} 2"


async def test_a_picture_is_asked_about_once_by_a_job(database: Database) -> None:
    await with_pictures(database, 1)
    async with database.writing() as connection:
        assert await remember_asked(connection, "5005", 1, "2002")
        assert not await remember_asked(connection, "5005", 1, "2002")
        assert await remember_asked(connection, "5005", 1, "3003")


async def test_a_training_set_needs_its_pictures_until_it_is_packed_and_its_zip_to_the_end(database: Database) -> None:
    waiting = training_set(prepared_file=None)
    files, packed = {image.sha256 for image in waiting.images}, "e" * 64
    async with database.writing() as connection:
        await add_job(connection, finetune_job(id=waiting.id))
        await add_training_set(connection, waiting)
        await add_training_set(connection, waiting)
        assert await needed_files(connection, {*files, "f" * 64}) == files
        await remember_packed(connection, waiting.id, packed)
        assert await needed_files(connection, {*files, packed}) == {packed}
        await change_job(connection, waiting.id, status=JobStatus.CANCELLED)
        assert await needed_files(connection) == set()
        assert await find_training_set(connection, waiting.id) == replace(waiting, prepared_file=packed)
        assert await find_training_set(connection, "nobody") is None


@pytest.mark.parametrize("name", ["Luna", "luna"])
async def test_creating_twice_is_creating_once(database: Database, name: str) -> None:
    async with database.writing() as connection:
        assert await create_dataset(connection, "5005", PLACE, "Luna")
        assert not await create_dataset(connection, "5005", PLACE, name)
    assert (await stored(database)).name == "Luna"
