"""What was received is what is prepared: a power cut between the two costs nobody a picture."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import BadInput
from bot.fetching import Written
from storage.statuses import ErrorCategory, JobStatus, Stage
from tests.builders import PLACE
from tests.workflows.drafts import draft, draft_or_none, ended
from tests.workflows.test_additions import FIRST, pictures
from tests.workflows.workshop import Workshop

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def cut_off(upload: Path) -> None:
    upload.write_bytes(upload.read_bytes()[:1000])


def full_of_nothing(upload: Path) -> None:
    """As a file system leaves what it had made room for and not written yet."""
    upload.write_bytes(bytes(upload.stat().st_size))


DAMAGES = [cut_off, full_of_nothing, Path.unlink]


async def a_power_cut(workshop: Workshop, photos: Path, damage: Callable[[Path], None]) -> None:
    """Between *received* and *prepared*; the bot is down when this is over."""
    hanging = workshop.hang(job_id=FIRST, stage=Stage.PREPARED, owner="cards", call="refresh_soon", moment="before")
    await workshop.do.datasets.add(FIRST, PLACE, pictures(photos))
    await asyncio.wait_for(hanging.reached.wait(), 20)
    await workshop.crash()
    hanging.let_go()
    damage(workshop.files.work_folder(FIRST) / "upload-0")


@pytest.mark.parametrize("damage", DAMAGES)
async def test_what_the_disk_lost_is_fetched_again(
    workshop: Workshop, photos: Path, damage: Callable[[Path], None]
) -> None:
    await a_power_cut(workshop, photos, damage)
    await workshop.start()
    job = await ended(workshop, FIRST)
    assert (job.status, job.error_sentence) == (JobStatus.DONE, None)
    assert len((await draft(workshop, FIRST)).chosen) == 5
    assert workshop.downloads.fetched == 2


async def test_what_is_there_as_it_came_is_not_fetched_again(workshop: Workshop, photos: Path) -> None:
    await a_power_cut(workshop, photos, lambda _upload: None)
    await workshop.start()
    assert (await ended(workshop, FIRST)).status is JobStatus.DONE
    assert workshop.downloads.fetched == 1


@pytest.mark.parametrize("answer", ["gone", "something else"])
@pytest.mark.parametrize("damage", DAMAGES)
async def test_what_cannot_be_fetched_again_is_asked_for(
    workshop: Workshop, photos: Path, damage: Callable[[Path], None], answer: str
) -> None:
    async def fetch(_url: str, into: Path, *, max_bytes: int) -> Written:
        if answer == "gone":
            raise BadInput("Discord no longer has that file: please upload it again.")
        into.write_bytes(b"x" * min(10, max_bytes))
        return Written(size_bytes=10, sha256="0" * 64)

    await a_power_cut(workshop, photos, damage)
    workshop.downloads.fetch = fetch  # type: ignore[method-assign]
    await workshop.start()
    job = await ended(workshop, FIRST)
    assert (job.status, job.error_category) == (JobStatus.FAILED, ErrorCategory.FILE_ERROR)
    assert job.error_sentence == "The upload went missing on our disk: please send it again."
    assert await draft_or_none(workshop, FIRST) is None
    assert list(workshop.files.work_folder(FIRST).iterdir()) == []
