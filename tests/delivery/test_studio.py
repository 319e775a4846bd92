"""The studio: a dataset as its person sees it, for the trainer that is meant, with all its pictures on one sheet."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from bot.client import Atelier
from bot.datasets.pool import open_pool
from bot.delivery.studio import REMEMBERED_SHEETS, Studio
from bot.errors import NotFound, NotYours
from bot.messages.view import DatasetView
from bot.providers.card import Mode, Range
from bot.providers.contract import Provider
from bot.providers.registry import Providers
from storage.database import Database
from storage.datasets import Dataset, DatasetImage, DatasetLine, delete_dataset
from storage.files import Files
from storage.jobs import Job, add_job
from storage.statuses import JobKind, JobStatus
from tests.builders import (
    CARD,
    PLACE,
    TRAINER,
    dataset,
    dataset_image,
    finetune_job,
    store_dataset,
)
from tests.builders import (
    add_job as addition,
)
from tests.dataset_files import jpeg_bytes, photo
from tests.fakes import FakeProvider
from tests.resources import resources_with

ME = PLACE.person_id
DEMANDING = replace(TRAINER, id="demanding", title="Demanding", image_count=Range(lowest=9, highest=50, default=10))
RETIRED = replace(TRAINER, id="retired", title="Retired", retired="It was switched off in May.")
OFFERING = replace(CARD, trainers=(TRAINER, DEMANDING, RETIRED))


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with open_pool(1) as pool:
        yield pool


@pytest.fixture
def provider(tmp_path: Path) -> FakeProvider:
    return FakeProvider(tmp_path / "provider", card=OFFERING)


@dataclass(kw_only=True)
class Desk:
    """A studio over real storage, a real store of files and a real pool."""

    studio: Studio
    database: Database
    files: Files

    async def store(self, value: Dataset) -> Dataset:
        """With the addition that it began with, unless a finetune of that id is stored already."""
        async with self.database.writing() as connection:
            await add_job(connection, addition(id=value.id, place=value.place))
            await store_dataset(connection, value)
        return value

    async def store_job(self, job: Job) -> None:
        async with self.database.writing() as connection:
            await add_job(connection, job)

    async def picture(self, number: int, **changes: Any) -> DatasetImage:
        """One that really lies in the store."""
        source = self.files.work_folder("incoming") / "picture"
        source.write_bytes(jpeg_bytes(photo(number, size=(160, 120))))
        return dataset_image(number, file=await self.files.keep(source), **changes)

    async def draft(self, *images: DatasetImage, **changes: Any) -> DatasetView:
        value = await self.store(dataset(images=images, left_out=(), **changes))
        return await self.studio.view_of(value.id, ME)


@pytest.fixture
async def desk(sqlite: Database, tmp_path: Path, pool: Executor, provider: Provider) -> AsyncIterator[Desk]:
    files = Files(tmp_path / "files")
    studio = Studio(database=sqlite, files=files, providers=Providers([provider]), pool=pool, has_object_storage=False)
    yield Desk(studio=studio, database=sqlite, files=files)
    files.close()


def drawn(sheets: list[Any]) -> Image.Image:
    (sheet,) = sheets
    assert sheet.filename == "pictures.jpg"
    image = Image.open(io.BytesIO(sheet.fp.read()))
    assert image.format == "JPEG"
    return image


# Which dataset, and by whose eyes.


async def test_a_draft_is_seen_by_the_first_trainer_that_is_offered(desk: Desk) -> None:
    """It has the id of the addition that it began with, and that job knows no trainer."""
    await desk.store(dataset(id="77"))
    view = await desk.studio.view_of("77", ME)
    assert (view.subject, view.dataset.name) == ("77", "Luna")
    assert (view.provider, view.trainer, view.mode) == (OFFERING, TRAINER, Mode.GENERAL)
    assert view.appraisal.missing == 0


async def test_a_training_under_review_is_seen_by_its_own_trainer(desk: Desk) -> None:
    await desk.store(dataset(id="77"))
    job = finetune_job(id="88", status=JobStatus.REVIEW)
    await desk.store_job(replace(job, details={**job.details, "dataset": "77", "trainer": "demanding"}))
    view = await desk.studio.view_of("88", ME)
    assert (view.subject, view.dataset.id) == ("88", "77")
    assert (view.trainer, view.mode) == (DEMANDING, Mode.STYLE)
    assert view.appraisal.missing == 5


async def test_a_training_whose_trainer_is_gone_is_seen_by_the_first_that_is_offered(desk: Desk) -> None:
    job = finetune_job(status=JobStatus.REVIEW)
    job = replace(job, details={**job.details, "trainer": "nobody"})
    await desk.store_job(job)
    value = await desk.store(dataset())
    assert desk.studio.view_for(job, value) is None
    view = await desk.studio.view_of(value.id, ME)
    assert (view.subject, view.trainer) == (value.id, TRAINER)


@pytest.mark.parametrize("status", [status for status in JobStatus if status is not JobStatus.REVIEW])
async def test_a_training_that_waits_no_more_judges_its_dataset_no_more(desk: Desk, status: JobStatus) -> None:
    """A dataset that /finetune began has that training's id for ever; its buttons may speak of another one's."""
    await desk.store(dataset(id="77"))
    for job_id in ("77", "88"):
        job = finetune_job(id=job_id, status=status)
        await desk.store_job(replace(job, details={**job.details, "dataset": "77", "trainer": "demanding"}))
    for subject in ("77", "88"):
        view = await desk.studio.view_of(subject, ME)
        assert (view.subject, view.dataset.id) == ("77", "77")
        assert (view.trainer, view.mode) == (TRAINER, Mode.GENERAL)


async def test_a_retired_trainer_still_judges_what_waits_for_it(desk: Desk) -> None:
    job = finetune_job(status=JobStatus.REVIEW)
    view = desk.studio.view_for(replace(job, details={**job.details, "trainer": "retired"}), dataset())
    assert view is not None
    assert view.trainer == RETIRED


async def test_somebody_elses_dataset_is_refused_alone_and_under_review(desk: Desk) -> None:
    await desk.store(dataset(id="77"))
    job = finetune_job(id="88", status=JobStatus.REVIEW)
    await desk.store_job(replace(job, details={**job.details, "dataset": "77"}))
    for subject in ("77", "88"):
        with pytest.raises(NotYours, match="Only the person it belongs to"):
            await desk.studio.view_of(subject, ME + 1)


async def test_a_deleted_dataset_is_gone_alone_and_under_review(desk: Desk) -> None:
    value = await desk.store(dataset(id="77"))
    job = finetune_job(id="88", status=JobStatus.REVIEW)
    await desk.store_job(replace(job, details={**job.details, "dataset": "77"}))
    async with desk.database.writing() as connection:
        await delete_dataset(connection, value)
    for subject in ("77", "88", "99"):
        with pytest.raises(NotFound, match="That dataset is gone"):
            await desk.studio.view_of(subject, ME)


async def test_where_nobody_trains_a_draft_is_still_shown(desk: Desk, tmp_path: Path) -> None:
    await desk.store(dataset(id="77"))
    nobody = FakeProvider(tmp_path / "nobody", card=replace(CARD, trainers=(), no_training="It was switched off."))
    with ThreadPoolExecutor(1) as threads:
        studio = Studio(
            database=desk.database,
            files=desk.files,
            providers=Providers([nobody]),
            pool=threads,
            has_object_storage=False,
        )
        view = await studio.view_of("77", ME)
    assert (view.provider, view.appraisal.missing) == (None, 0)


async def test_who_describes_pictures_is_offered_for_those_without_a_caption(
    desk: Desk, provider: FakeProvider
) -> None:
    some = (dataset_image(1, caption="a cat"), dataset_image(2), dataset_image(3), dataset_image(4, is_in=False))
    await desk.store(dataset(id="77", images=some))
    assert (await desk.studio.view_of("77", ME)).offer is None
    provider.describes_pictures(usd=0.25)
    offer = (await desk.studio.view_of("77", ME)).offer
    assert offer is not None
    assert (offer.pictures, offer.price_usd) == (2, 0.5)


async def test_the_list_of_a_failed_addition_hides_no_datasets_own(desk: Desk) -> None:
    """Of two additions that begin one dataset the first may fail: the dataset has its id all the same."""
    failed = finetune_job(id="77", kind=JobKind.ADD, status=JobStatus.FAILED)
    await desk.store_job(replace(failed, details={**failed.details, "left_out": [["bad.pdf", "is a PDF"]]}))
    assert await desk.studio.left_out_of("77", ME) == ("Luna", [["bad.pdf", "is a PDF"]])
    with pytest.raises(NotYours):
        await desk.studio.left_out_of("77", ME + 1)
    async with desk.database.writing() as connection:
        await store_dataset(connection, dataset(id="77", left_out=(("other.txt", "is a text"),)))
    assert (await desk.studio.left_out_of("77", ME))[1] == (("other.txt", "is a text"),)


# The sheet.


async def test_all_pictures_of_a_dataset_are_drawn_on_one_sheet(desk: Desk) -> None:
    pictures = [await desk.picture(number) for number in range(1, 5)]
    view = await desk.draft(*pictures, await desk.picture(5, is_in=False))
    (sheet,) = sheets = await desk.studio.sheet(view)
    assert sheet.description == ("The pictures of Luna: 1 1.jpg, 2 2.jpg, 3 3.jpg, 4 4.jpg, 5 5.jpg (left out)")
    image = drawn(sheets)
    assert image.width > image.height, "two rows of three"
    assert len(image.getcolors(image.width * image.height) or ()) > 1000, "these are photographs, no blank"


async def test_a_dataset_without_pictures_has_no_sheet(desk: Desk) -> None:
    assert await desk.studio.sheet(await desk.draft()) == []


async def test_the_pictures_of_a_page_and_the_covers_of_a_list_are_drawn_too(desk: Desk) -> None:
    first, second = await desk.picture(1, caption="a cat"), await desk.picture(2)
    (strip,) = await desk.studio.captioned([first, second])
    assert strip.description == "1 1.jpg, 2 2.jpg"
    drawn([strip])
    lines = [
        DatasetLine(id="1", name="Luna", pictures=1, cover=first.file, updated_ms=0),
        DatasetLine(id="2", name="Empty", pictures=0, cover=None, updated_ms=0),
    ]
    (covers,) = await desk.studio.covers(lines)
    assert covers.description == "Luna, Empty"
    drawn([covers])
    assert await desk.studio.covers(lines[1:]) == []


async def test_a_picture_that_is_missing_from_the_store_gives_no_sheet_and_no_error(desk: Desk) -> None:
    here, missing = await desk.picture(1), await desk.picture(2)
    view = await desk.draft(here, missing)
    desk.files.remove(missing.file)
    assert await desk.studio.sheet(view) == []


async def test_a_picture_that_is_damaged_gives_no_sheet_and_no_error(desk: Desk) -> None:
    image = await desk.picture(1)
    view = await desk.draft(image)
    desk.files.path_of(image.file).write_bytes(b"this is no picture")
    assert await desk.studio.sheet(view) == []


async def test_drawing_leaves_nothing_behind_whether_it_worked_or_not(desk: Desk) -> None:
    image = await desk.picture(1)
    view = await desk.draft(image)
    await desk.studio.sheet(view)
    desk.files.remove(image.file)
    await desk.studio.captioned([image])
    assert list(desk.files.work_folder("sheets").iterdir()) == []


async def test_a_sheet_is_drawn_once_and_forgotten_when_enough_others_were_drawn(desk: Desk) -> None:
    """Its file goes away meanwhile: only a remembered sheet can still be shown."""
    first, other = await desk.picture(1), await desk.picture(2)
    view = await desk.draft(first)
    before = drawn(await desk.studio.sheet(view))
    desk.files.remove(first.file)
    assert drawn(await desk.studio.sheet(view)).tobytes() == before.tobytes()
    for number in range(REMEMBERED_SHEETS):
        drawn(await desk.studio.captioned([replace(other, number=number)]))
    assert await desk.studio.sheet(view) == []


async def test_a_sheet_that_is_asked_for_again_and_again_is_not_forgotten(desk: Desk) -> None:
    first, other = await desk.picture(1), await desk.picture(2)
    view = await desk.draft(first)
    drawn(await desk.studio.sheet(view))
    desk.files.remove(first.file)
    for number in range(REMEMBERED_SHEETS + 1):
        drawn(await desk.studio.captioned([replace(other, number=number)]))
        drawn(await desk.studio.sheet(view))


async def test_a_sheet_is_drawn_anew_when_its_dataset_changed(desk: Desk) -> None:
    first, second = await desk.picture(1), await desk.picture(2)
    view = await desk.draft(first, second)
    before = drawn(await desk.studio.sheet(view))
    changed = replace(view, dataset=replace(view.dataset, images=(first, replace(second, is_in=False))))
    assert drawn(await desk.studio.sheet(changed)).tobytes() != before.tobytes()


class Busy(Executor):
    """A pool in which whole datasets are at work: nothing that is new begins."""

    def submit(self, *_arguments: Any, **_options: Any) -> Future[Any]:
        return Future()


async def test_a_sheet_waits_for_nobodys_dataset(
    sqlite: Database, tmp_path: Path, pool: Executor, provider: Provider
) -> None:
    files = Files(tmp_path / "files")
    async with httpx.AsyncClient() as client:
        resources = resources_with(provider, folder=tmp_path, database=sqlite, files=files, pool=pool, client=client)
        bot = Atelier(replace(resources, pool=Busy()))
        desk = Desk(studio=bot.studio, database=sqlite, files=files)
        view = await desk.draft(await desk.picture(1))
        async with asyncio.timeout(20):
            drawn(await desk.studio.sheet(view))
    files.close()
