"""One person keeps so much and no more: said before anything is fetched, and again when the pictures are known."""

from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.errors import TooMany
from storage.database import Database
from storage.dataset_tables import dataset_images
from storage.statuses import ErrorCategory, JobStatus
from tests.builders import PLACE
from tests.workflows.drafts import DRAFT, ME, SOMEBODY, draft, ended, kept, store_draft, training
from tests.workflows.test_additions import FIRST, SECOND, own_names, pictures
from tests.workflows.workshop import Workshop, upload

Opens = Callable[[str], Awaitable[Workshop]]
MEBIBYTE = 1 << 20


@pytest.fixture
async def workshop_with(sqlite: Database, tmp_path: Path, pool: Executor) -> AsyncIterator[Opens]:
    """A workshop in which one person may keep that much."""
    opened: list[Workshop] = []

    async def open_with(space: str) -> Workshop:
        workshop = Workshop(sqlite, tmp_path, pool, variables={"DATASET_SPACE_PER_PERSON": space})
        await workshop.start()
        opened.append(workshop)
        return workshop

    yield open_with
    for workshop in opened:
        await workshop.close()


async def full_datasets(workshop: Workshop) -> None:
    """Luna with two pictures and Moon with three of a mebibyte each, of which two are the same: three in all."""
    await store_draft(workshop, [None] * 2)
    await store_draft(workshop, [None] * 3, dataset_id="6006", name="Moon")
    await workshop.do.datasets.edit("6006", ME, leave_out=[3])  # it can be taken back, so it is kept
    async with workshop.database.writing() as connection:
        await connection.execute(sa.update(dataset_images).values(size_bytes=MEBIBYTE))


async def test_whoever_has_used_up_their_room_is_told_what_to_delete(workshop_with: Opens, photos: Path) -> None:
    workshop = await workshop_with("3MiB")
    await full_datasets(workshop)
    for ask in (
        workshop.do.datasets.add(FIRST, PLACE, pictures(photos)),
        workshop.do.finetune.request(FIRST, PLACE, replace(training(""), uploads=(upload(photos),))),
    ):
        with pytest.raises(TooMany) as refused:
            await ask
        assert refused.value.sentence == (
            "That makes 3.0 MiB of pictures, and one person may keep 3.0 MiB: delete pictures for good "
            "with /dataset edit, or a dataset with /dataset delete. The largest: Moon (3.0 MiB), Luna (2.0 MiB)."
        )
    assert workshop.downloads.fetched == 0
    assert workshop.cards.refreshed == []


async def test_what_is_deleted_makes_room_and_what_others_keep_takes_none(workshop_with: Opens, photos: Path) -> None:
    workshop = await workshop_with("3MiB")
    await full_datasets(workshop)
    await workshop.do.datasets.add(FIRST, SOMEBODY, pictures(photos))
    assert (await ended(workshop, FIRST)).status is JobStatus.DONE
    await workshop.do.datasets.delete("6006", ME)
    await workshop.do.datasets.add(SECOND, PLACE, pictures(photos))
    assert (await ended(workshop, SECOND)).error_sentence is None


async def test_pictures_that_turn_out_too_large_are_not_kept(workshop_with: Opens, photos: Path) -> None:
    workshop = await workshop_with("3073KiB")
    await full_datasets(workshop)
    before, files = await draft(workshop), kept(workshop)
    await workshop.do.datasets.add(FIRST, PLACE, pictures(photos))
    job = await ended(workshop, FIRST)
    assert (job.status, job.error_category) == (JobStatus.FAILED, ErrorCategory.FILE_ERROR)
    assert "one person may keep 3.0 MiB: delete pictures for good" in (job.error_sentence or "")
    assert "Moon" not in (job.error_sentence or ""), "the channel reads it"
    assert (await draft(workshop, DRAFT), kept(workshop)) == (before, files)
    assert list(workshop.files.work_folder(FIRST).iterdir()) == []


async def test_too_much_at_once_is_a_sentence_for_whoever_has_nothing_to_delete(
    workshop_with: Opens, photos: Path
) -> None:
    workshop = await workshop_with("1KiB")
    await workshop.do.datasets.add(FIRST, PLACE, pictures(photos))
    sentence = (await ended(workshop, FIRST)).error_sentence or ""
    assert sentence.endswith("and one person may keep 0.0 MiB: send fewer or smaller pictures.")
    assert await own_names(workshop) == []
    assert kept(workshop) == set()


async def test_what_is_kept_already_takes_no_more_room(workshop_with: Opens, photos: Path) -> None:
    workshop = await workshop_with("0")
    await workshop.do.datasets.add(FIRST, PLACE, pictures(photos))
    assert (await ended(workshop, FIRST)).status is JobStatus.DONE
    taken = sum(workshop.files.path_of(name).stat().st_size for name in kept(workshop))
    await workshop.close()
    workshop = await workshop_with(f"{taken + 1}")
    await workshop.do.datasets.add(SECOND, PLACE, pictures(photos, dataset="Another"))
    assert (await ended(workshop, SECOND)).error_sentence is None
    assert sorted(await own_names(workshop)) == ["Another", "Luna"]


async def test_without_a_bound_anybody_keeps_what_they_like(workshop_with: Opens, photos: Path) -> None:
    workshop = await workshop_with("0")
    await full_datasets(workshop)
    await workshop.do.datasets.add(FIRST, PLACE, pictures(photos))
    assert (await ended(workshop, FIRST)).status is JobStatus.DONE
