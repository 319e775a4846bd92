"""The disk fills up while pictures are received, prepared or packed: the job waits, the operator is told, it goes on.

The disk is a real one, and the trouble is met where it is met in earnest: in a worker process too. Where none may be
mounted, `tests/faults/test_storage_faults.py` bounds the size of files instead.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.downloads import Downloads, Upload
from bot.workflows.requests import AddRequest
from bot.workflows.resuming import keep_resuming
from storage.database import Database
from storage.errors import StorageTrouble
from storage.jobs import find_job
from storage.statuses import JobKind, JobStatus, Stage, StageOutcome
from tests.builders import CARD, PLACE, TRAINER
from tests.small_disk import fill, free, small_disk_at
from tests.workflows.drafts import ME, draft, store_draft, training
from tests.workflows.test_finetune import request
from tests.workflows.workshop import OWNER, Workshop

JOB = "8001"
LINK = "https://cdn.discordapp.com/attachments/1/2/luna.zip"
LOOKS_SECONDS = 0.05


class Discord:
    """Its file server, and whatever shall happen while it answers."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.asked = 0
        self.meanwhile: Callable[[], None] = lambda: None

    def __call__(self, _request: httpx.Request) -> httpx.Response:
        self.asked += 1
        self.meanwhile()
        self.meanwhile = lambda: None
        return httpx.Response(200, content=self.file.read_bytes())


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk_at(tmp_path / "disk") as disk:
        yield disk


@pytest.fixture
def discord(photos: Path) -> Discord:
    return Discord(photos)


@pytest.fixture
async def workshop(sqlite: Database, disk: Path, pool: Executor, discord: Discord) -> AsyncIterator[Workshop]:
    """Its files on the small disk, its database elsewhere: rows can still be written."""
    workshop = Workshop(sqlite, disk, pool)
    async with httpx.AsyncClient(transport=httpx.MockTransport(discord)) as client:
        workshop.downloads = Downloads(client)  # type: ignore[assignment]
        await workshop.start()
        operators = workshop.do.finetune._bench.operators
        resuming = asyncio.create_task(keep_resuming(workshop.engine, operators, sleep=_look_soon))
        yield workshop
        resuming.cancel()
        await workshop.close()


async def _look_soon(_seconds: float) -> None:
    await asyncio.sleep(LOOKS_SECONDS)


def described(photos: Path) -> Upload:
    return Upload(url=LINK, name="luna.zip", size_bytes=photos.stat().st_size)


async def hand_over(workshop: Workshop, kind: JobKind, upload: Upload) -> None:
    if kind is JobKind.ADD:
        await workshop.do.datasets.add(JOB, PLACE, AddRequest(dataset="Luna", uploads=(upload,)))
    else:
        await workshop.do.finetune.request(JOB, PLACE, replace(request(), uploads=(upload,)))


async def the_operator_is_told(workshop: Workshop) -> None:
    async with asyncio.timeout(20):
        while not any(
            "the disk is full: free some space" in text for _, to, text in workshop.sender.sent if to == OWNER
        ):
            assert (await workshop.job(JOB)).error_sentence is None
            await asyncio.sleep(0.02)
    assert (await workshop.job(JOB)).status in (JobStatus.PREPARING, JobStatus.RUNNING), "it waits"


async def ended_well(workshop: Workshop, stage: Stage, *statuses: JobStatus) -> None:
    job = await workshop.until(JOB, *statuses, JobStatus.FAILED)
    assert (job.status in statuses, job.error_sentence) == (True, None)
    outcomes = [event.outcome for event in await workshop.history(JOB) if event.stage is stage]
    assert outcomes[0] is StageOutcome.INTERRUPTED, "the disk was met there"
    assert outcomes[-1] is StageOutcome.DONE


def once_after(workshop: Workshop, call: str, then: Callable[[], None]) -> None:
    """What happens as soon as the file store has done this for the first time."""
    real: Callable[..., Awaitable[Any]] = getattr(workshop.files, call)

    async def done(*arguments: Any) -> Any:
        result = await real(*arguments)
        setattr(workshop.files, call, real)
        then()
        return result

    setattr(workshop.files, call, done)


@pytest.mark.parametrize("kind", [JobKind.ADD, JobKind.FINETUNE])
async def test_a_disk_that_fills_up_while_pictures_come_in_is_waited_for(
    workshop: Workshop, disk: Path, discord: Discord, photos: Path, kind: JobKind
) -> None:
    discord.meanwhile = lambda: fill(disk)
    await hand_over(workshop, kind, described(photos))
    await the_operator_is_told(workshop)
    free(disk)
    await ended_well(workshop, Stage.RECEIVED, JobStatus.DONE, JobStatus.REVIEW)
    assert len((await draft(workshop, JOB)).chosen) == 5


@pytest.mark.parametrize("kind", [JobKind.ADD, JobKind.FINETUNE])
async def test_a_worker_that_cannot_write_its_picture_is_waited_for(
    workshop: Workshop, disk: Path, photos: Path, kind: JobKind
) -> None:
    once_after(workshop, "empty_part_of_work", lambda: fill(disk))
    await hand_over(workshop, kind, described(photos))
    await the_operator_is_told(workshop)
    free(disk)
    await ended_well(workshop, Stage.PREPARED, JobStatus.DONE, JobStatus.REVIEW)
    assert len((await draft(workshop, JOB)).chosen) == 5


async def test_a_worker_that_cannot_pack_is_waited_for(workshop: Workshop, disk: Path, photos: Path) -> None:
    await hand_over(workshop, JobKind.FINETUNE, described(photos))
    await workshop.until(JOB, JobStatus.REVIEW)
    fill(disk)
    await workshop.do.review.start(JOB, ME)
    await the_operator_is_told(workshop)
    free(disk)
    await ended_well(workshop, Stage.STAGED, JobStatus.DONE)


async def test_a_worker_that_cannot_write_the_captions_is_waited_for(workshop: Workshop, disk: Path) -> None:
    captioned = replace(TRAINER, trigger_in_captions=True)
    workshop.provider._card = replace(CARD, trainers=(captioned,))
    await store_draft(workshop, ["a cat"] * 5)
    await workshop.do.finetune.request(JOB, PLACE, training())
    once_after(workshop, "adopt", lambda: fill(disk))
    await workshop.do.review.start(JOB, ME)
    await the_operator_is_told(workshop)
    free(disk)
    await ended_well(workshop, Stage.STAGED, JobStatus.DONE)


@pytest.mark.parametrize("kind", [JobKind.ADD, JobKind.FINETUNE])
async def test_what_the_disk_has_no_room_for_is_refused_before_it_comes(
    workshop: Workshop, discord: Discord, kind: JobKind
) -> None:
    """24 MiB hold no upload of 10 and the pictures that are made of it, with something to spare."""
    upload = Upload(url=LINK, name="luna.zip", size_bytes=10 * 2**20)
    with pytest.raises(StorageTrouble, match="My disk is full, so nothing was stored") as full:
        await hand_over(workshop, kind, upload)
    assert "MiB are free where 28 MiB are needed" in full.value.advice
    async with workshop.database.reading() as connection:
        assert await find_job(connection, JOB) is None
    assert discord.asked == 0


async def test_room_that_is_gone_when_the_turn_comes_is_waited_for_and_nothing_fetched(
    workshop: Workshop, disk: Path, discord: Discord, photos: Path
) -> None:
    once_after(workshop, "clear_work", lambda: fill(disk, leaving=2**20))
    await hand_over(workshop, JobKind.ADD, described(photos))
    await the_operator_is_told(workshop)
    assert discord.asked == 0
    free(disk)
    job = await workshop.until(JOB, JobStatus.DONE, JobStatus.FAILED)
    assert (job.status, job.error_sentence) == (JobStatus.DONE, None)


async def test_room_that_never_comes_is_waited_for_so_long_and_no_longer(
    workshop: Workshop, disk: Path, discord: Discord, photos: Path
) -> None:
    once_after(workshop, "clear_work", lambda: fill(disk, leaving=2**20))
    await hand_over(workshop, JobKind.ADD, described(photos))
    job = await workshop.until(JOB, JobStatus.DONE, JobStatus.FAILED)
    assert job.error_sentence == "My disk has no room for these any more: please send them again later."
    assert [event.outcome for event in await workshop.history(JOB)] == [StageOutcome.FAILED], "one attempt"
    assert discord.asked == 0
