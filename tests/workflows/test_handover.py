"""How a dataset reaches its trainer by each way there is, and that nothing of it stays behind anywhere."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import BadInput, ProviderBusy, ProviderModerated, ProviderRefused, ProviderUnreachable
from bot.permissions import Asker
from bot.providers.card import Handover, TrainerCard
from bot.providers.tasks import Task, TrainingRequest
from bot.workflows.requests import GenerateRequest
from storage.database import Database
from storage.jobs import Job, add_job
from storage.objects import Objects, ObjectsRefused, ObjectsUnreachable
from storage.statuses import ErrorCategory, JobStatus, Stage, StageOutcome
from tests.builders import CARD, PLACE, TRAINER, finetune_job
from tests.fakes import FakeProvider
from tests.simulators.s3 import S3Server
from tests.workflows.test_finetune import ME, request
from tests.workflows.workshop import Workshop

MIB = 2**20
KEY = "datasets/1001.zip"
SIGNATURE = "X-Amz-Signature=NobodyMayReadThis"
ANY_SIZE = 2**40

WITHOUT_STORAGE = replace(
    TRAINER, handover=((Handover.LINK, ANY_SIZE), (Handover.UPLOAD, 4 * MIB), (Handover.INLINE, 10 * MIB))
)

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class FakeObjects:
    """A bucket in memory; every link is a new one."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.links = 0
        self.troubles: dict[str, list[Exception]] = {"put": [], "remove": []}
        self.reached = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def put(self, source: Path, key: str) -> None:
        self.reached.set()
        await self.gate.wait()
        if self.troubles["put"]:
            raise self.troubles["put"].pop(0)
        self.kept[key] = source.read_bytes()

    async def has(self, key: str, *, size_bytes: int) -> bool:
        return len(self.kept.get(key, b"")) == size_bytes

    async def link(self, key: str, *, seconds: int) -> str:
        assert 3600 <= seconds <= 604_800
        self.links += 1
        return f"https://objects.example/{key}?number={self.links}&{SIGNATURE}"

    async def remove(self, key: str) -> None:
        if self.troubles["remove"]:
            raise self.troubles["remove"].pop(0)
        self.kept.pop(key, None)


class Trainer(FakeProvider):
    """Remembers by which link it was handed a dataset, and what lay behind it then."""

    def __init__(self, home: Path, trainer: TrainerCard) -> None:
        super().__init__(home, card=replace(CARD, trainers=(trainer,)))
        self.prepared_with: list[str | None] = []
        self.submitted_with: list[str | None] = []
        self.tidy_trouble: list[ProviderUnreachable] = []

    async def prepare_training(self, request: TrainingRequest) -> dict[str, str]:
        self.prepared_with.append(request.dataset_link)
        return await super().prepare_training(request)

    async def submit_training(self, request: TrainingRequest) -> Task:
        self.submitted_with.append(request.dataset_link)
        assert request.prepared == {"version": "1"}
        return await super().submit_training(request)

    async def tidy_training(self, prepared: Mapping[str, Any]) -> None:
        if self.tidy_trouble:
            raise self.tidy_trouble.pop(0)
        await super().tidy_training(prepared)


@pytest.fixture
async def depot(database: Database, tmp_path: Path, pool: Executor) -> AsyncIterator[Workshop]:
    """Not started yet: each test names the ways first."""
    workshop = Workshop(database, tmp_path, pool)
    yield workshop
    await workshop.close()


async def opened(
    depot: Workshop, folder: Path, *handover: tuple[Handover, int], objects: Any = None, checks: int = 1
) -> Trainer:
    trainer = Trainer(folder / "trainer", replace(TRAINER, handover=handover))
    trainer._checks_until_finished = checks
    depot.provider, depot.objects = trainer, objects
    await depot.start()
    return trainer


async def started(depot: Workshop, photos: Path) -> None:
    await depot.do.finetune.request("1001", PLACE, request(photos))
    await depot.until("1001", JobStatus.REVIEW, JobStatus.FAILED)
    await depot.do.review.start("1001", ME)


async def ended(depot: Workshop, photos: Path) -> Job:
    await started(depot, photos)
    return await depot.until("1001", JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)


async def tidied(trainer: Trainer) -> int:
    """How often, once it has been: a job that failed is told before it is tidied."""
    async with asyncio.timeout(10):
        while not trainer.tidied:
            await asyncio.sleep(0.01)
    return trainer.tidied


async def until_gone(objects: FakeObjects) -> None:
    async with asyncio.timeout(10):
        while KEY in objects.kept:
            await asyncio.sleep(0.01)


async def until_accepted(trainer: Trainer) -> None:
    async with asyncio.timeout(20):
        while not trainer.accepted():
            await asyncio.sleep(0.01)


# The way.


async def test_a_link_is_taken_first_where_there_is_object_storage(
    depot: Workshop, tmp_path: Path, photos: Path
) -> None:
    objects = FakeObjects()
    trainer = await opened(
        depot, tmp_path, (Handover.LINK, ANY_SIZE), (Handover.INLINE, ANY_SIZE), objects=objects, checks=10**9
    )
    await started(depot, photos)
    await until_accepted(trainer)
    assert objects.kept[KEY][:2] == b"PK", "the prepared zip lies there while the training goes on"
    assert all(link and KEY in link for link in (*trainer.prepared_with, *trainer.submitted_with))


@pytest.mark.parametrize("way", [Handover.UPLOAD, Handover.INLINE, Handover.FILE])
@pytest.mark.parametrize("has_storage", [True, False])
async def test_a_trainer_that_takes_the_file_itself_is_given_no_link(
    depot: Workshop, tmp_path: Path, photos: Path, way: Handover, has_storage: bool
) -> None:
    objects = FakeObjects()
    trainer = await opened(depot, tmp_path, (way, ANY_SIZE), objects=objects if has_storage else None)
    assert (await ended(depot, photos)).status is JobStatus.DONE
    assert trainer.prepared_with == trainer.submitted_with == [None]
    assert objects.links == 0
    assert [key for key in objects.kept if not key.startswith("weights/")] == []


@pytest.mark.parametrize(
    ("handover", "has_storage"),
    [
        (((Handover.LINK, ANY_SIZE), (Handover.INLINE, ANY_SIZE)), False),
        (((Handover.LINK, 10), (Handover.UPLOAD, ANY_SIZE)), True),
        (((Handover.INLINE, 10), (Handover.FILE, ANY_SIZE)), True),
    ],
)
async def test_the_next_way_is_taken_when_the_first_is_not_there_or_too_small(
    depot: Workshop, tmp_path: Path, photos: Path, handover: tuple[tuple[Handover, int], ...], has_storage: bool
) -> None:
    trainer = await opened(depot, tmp_path, *handover, objects=FakeObjects() if has_storage else None)
    assert (await ended(depot, photos)).status is JobStatus.DONE
    assert trainer.submitted_with == [None]


async def test_the_link_is_taken_when_the_dataset_is_too_large_for_the_request(
    depot: Workshop, tmp_path: Path, photos: Path
) -> None:
    trainer = await opened(depot, tmp_path, (Handover.INLINE, 10), (Handover.LINK, ANY_SIZE), objects=FakeObjects())
    assert (await ended(depot, photos)).status is JobStatus.DONE
    assert trainer.submitted_with[0] is not None


# The size.


async def test_a_dataset_that_is_too_large_is_refused_before_anything_is_spent(
    depot: Workshop, tmp_path: Path, photos: Path
) -> None:
    trainer = await opened(depot, tmp_path, (Handover.LINK, ANY_SIZE), (Handover.INLINE, 10))
    with pytest.raises(BadInput, match="too large together for Fake trainer"):
        await started(depot, photos)
    assert (await depot.job("1001")).status is JobStatus.REVIEW
    assert trainer.prepared_with == []
    assert trainer.accepted() == []


@pytest.mark.parametrize("size", [9 * MIB, 10 * MIB])
async def test_a_dataset_of_just_the_limit_still_fits(depot: Workshop, tmp_path: Path, size: int) -> None:
    await opened(depot, tmp_path)
    await depot.do.finetune._handovers.lay_out(finetune_job(), WITHOUT_STORAGE, zip_of_size(tmp_path, size))


async def test_the_refusal_names_both_sizes_and_what_to_do(depot: Workshop, tmp_path: Path) -> None:
    await opened(depot, tmp_path)
    with pytest.raises(ProviderRefused) as refused:
        await depot.do.finetune._handovers.lay_out(finetune_job(), WITHOUT_STORAGE, zip_of_size(tmp_path, 30 * MIB))
    assert refused.value.sentence == (
        "These pictures are 30 MiB together; without object storage Fake trainer takes 10 MiB: "
        "send fewer, or ask the bot's operator to set up object storage."
    )


async def test_a_dataset_of_one_byte_more_is_not_said_to_be_as_large_as_the_limit(
    depot: Workshop, tmp_path: Path
) -> None:
    await opened(depot, tmp_path)
    with pytest.raises(ProviderRefused) as refused:
        await depot.do.finetune._handovers.lay_out(finetune_job(), WITHOUT_STORAGE, zip_of_size(tmp_path, 10 * MIB + 1))
    assert "are 10 MiB together" not in refused.value.sentence


async def test_what_is_too_large_for_a_link_too_is_not_blamed_on_missing_storage(
    depot: Workshop, tmp_path: Path
) -> None:
    await opened(depot, tmp_path, objects=FakeObjects())
    trainer = replace(TRAINER, handover=((Handover.LINK, 10 * MIB),))
    with pytest.raises(ProviderRefused) as refused:
        await depot.do.finetune._handovers.lay_out(finetune_job(), trainer, zip_of_size(tmp_path, 12 * MIB))
    assert "12 MiB" in refused.value.sentence
    assert "10 MiB" in refused.value.sentence
    assert "set up object storage" not in refused.value.sentence


def zip_of_size(folder: Path, size: int) -> Path:
    path = folder / "large.zip"
    with path.open("wb") as file:
        file.truncate(size)
    return path


# The link.


async def test_every_attempt_is_given_a_fresh_link_and_none_is_ever_stored(
    depot: Workshop, tmp_path: Path, photos: Path
) -> None:
    trainer = await opened(depot, tmp_path, (Handover.LINK, ANY_SIZE), objects=FakeObjects())
    trainer.fail_next("submit", ProviderBusy("busy"), ProviderBusy("busy"))
    assert (await ended(depot, photos)).status is JobStatus.DONE
    assert len(trainer.submitted_with) == 3
    given = [*trainer.prepared_with, *trainer.submitted_with]
    assert len(set(given)) == len(given) == 4
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("atelier.sqlite3*"))
    assert b"task-1" in stored, "what is stored can be found in these bytes"
    assert b"NobodyMayReadThis" not in stored


async def test_a_training_that_goes_on_after_a_crash_is_not_given_a_stale_link(
    depot: Workshop, tmp_path: Path, photos: Path
) -> None:
    trainer = await opened(depot, tmp_path, (Handover.LINK, ANY_SIZE), objects=FakeObjects())
    hanging = depot.hang(job_id="1001", stage=Stage.TRAINING, owner="provider", call="submit_training", moment="before")
    await depot.do.finetune.request("1001", PLACE, request(photos))
    await depot.until("1001", JobStatus.REVIEW)
    await depot.do.review.start("1001", ME)
    await asyncio.wait_for(hanging.reached.wait(), 20)
    await depot.crash()
    hanging.let_go()
    await depot.start()
    assert (await depot.until("1001", JobStatus.DONE, JobStatus.FAILED)).error_sentence is None
    (link,) = trainer.submitted_with
    assert link not in trainer.prepared_with


async def test_a_real_store_holds_the_zip_for_the_trainer_and_nothing_afterwards(
    depot: Workshop, tmp_path: Path, photos: Path
) -> None:
    with S3Server() as server:
        objects = Objects(
            bucket=server.bucket,
            endpoint=server.endpoint,
            access_key_id=server.access_key_id,
            secret_access_key=server.secret_access_key,
        )
        trainer = await opened(depot, tmp_path, (Handover.LINK, ANY_SIZE), objects=objects, checks=10**9)
        await started(depot, photos)
        await until_accepted(trainer)
        assert server.keys() == [KEY]
        trainer._checks_until_finished = 0
        assert (await depot.until("1001", JobStatus.DONE, JobStatus.FAILED)).error_sentence is None
        assert [key.partition("/")[0] for key in server.keys()] == ["weights"]  # noqa: SIM118 - a method of its own
        (link,) = trainer.submitted_with
        assert link is not None
        signature = link.partition("X-Amz-Signature=")[2][:64].encode()
        assert len(signature) == 64
        assert not any(signature in path.read_bytes() for path in tmp_path.glob("atelier.sqlite3*"))
        assert await tidied(trainer) == 1


# Nothing stays.


@pytest.mark.parametrize("end", ["done", "failed", "cancelled"])
async def test_the_dataset_goes_however_the_training_ends(
    depot: Workshop, tmp_path: Path, photos: Path, end: str
) -> None:
    objects = FakeObjects()
    trainer = await opened(depot, tmp_path, (Handover.LINK, ANY_SIZE), objects=objects, checks=10**9)
    await started(depot, photos)
    await until_accepted(trainer)
    assert KEY in objects.kept
    match end:
        case "done":
            trainer._checks_until_finished = 0
        case "failed":
            trainer.fail_next("check", ProviderModerated("Refused for its content."))
        case _:
            await depot.do.cancel.request("1001", Asker(person_id=ME))
    await depot.until("1001", JobStatus(end))
    assert await tidied(trainer) == 1
    assert KEY not in objects.kept


async def test_a_crash_while_training_still_ends_with_a_clean_house(
    depot: Workshop, tmp_path: Path, photos: Path
) -> None:
    objects = FakeObjects()
    trainer = await opened(depot, tmp_path, (Handover.LINK, ANY_SIZE), objects=objects, checks=10**9)
    await started(depot, photos)
    await until_accepted(trainer)
    await depot.crash()
    assert KEY in objects.kept
    trainer._checks_until_finished = 0
    await depot.start()
    await depot.until("1001", JobStatus.DONE)
    assert await tidied(trainer) == 1
    assert KEY not in objects.kept


async def test_the_dataset_goes_when_the_preparation_at_the_provider_failed(
    depot: Workshop, tmp_path: Path, photos: Path
) -> None:
    objects = FakeObjects()
    trainer = await opened(depot, tmp_path, (Handover.LINK, ANY_SIZE), objects=objects)
    trainer.fail_next("prepare", ProviderRefused("Not these pictures."))
    assert (await ended(depot, photos)).error_sentence == "Not these pictures."
    await until_gone(objects)


async def test_trouble_with_the_store_does_not_keep_the_provider_from_being_tidied(
    depot: Workshop, tmp_path: Path, photos: Path
) -> None:
    objects = FakeObjects()
    objects.troubles["remove"] = [ObjectsUnreachable("The object store did not answer.")]
    trainer = await opened(depot, tmp_path, (Handover.LINK, ANY_SIZE), objects=objects)
    assert (await ended(depot, photos)).status is JobStatus.DONE
    assert trainer.tidied == 1


@pytest.mark.parametrize("trouble", ["store", "provider"])
async def test_what_cannot_be_removed_is_told_to_the_operator_and_the_model_is_there(
    depot: Workshop, tmp_path: Path, photos: Path, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    objects = FakeObjects()
    trainer = await opened(depot, tmp_path, (Handover.LINK, ANY_SIZE), objects=objects)
    if trouble == "store":
        objects.troubles["remove"] = [ObjectsUnreachable("The object store did not answer.")]
    else:
        trainer.tidy_trouble = [ProviderUnreachable("away")]
    with caplog.at_level(logging.WARNING):
        assert (await ended(depot, photos)).status is JobStatus.DONE
    assert "The dataset of job 1001 could not be removed everywhere" in caplog.text
    assert "NobodyMayReadThis" not in caplog.text


async def test_a_review_that_is_cancelled_has_nothing_to_remove(depot: Workshop, tmp_path: Path, photos: Path) -> None:
    objects = FakeObjects()
    trainer = await opened(depot, tmp_path, (Handover.LINK, ANY_SIZE), objects=objects)
    await depot.do.finetune.request("1001", PLACE, request(photos))
    await depot.until("1001", JobStatus.REVIEW)
    await depot.do.cancel.request("1001", Asker(person_id=ME))
    await depot.until("1001", JobStatus.CANCELLED)
    assert (objects.kept, trainer.tidied) == ({}, 0)


async def test_the_dataset_goes_when_its_person_cancels_while_it_is_being_laid_out(
    depot: Workshop, tmp_path: Path, photos: Path
) -> None:
    objects = FakeObjects()
    objects.gate.clear()
    await opened(depot, tmp_path, (Handover.LINK, ANY_SIZE), objects=objects)
    await started(depot, photos)
    await asyncio.wait_for(objects.reached.wait(), 20)
    await depot.do.cancel.request("1001", Asker(person_id=ME))
    await depot.until("1001", JobStatus.CANCELLED)
    objects.gate.set()
    await asyncio.sleep(1.0)
    assert objects.kept == {}


async def test_a_dataset_at_a_provider_that_was_switched_off_since_leaves_the_store(
    depot: Workshop, tmp_path: Path, photos: Path
) -> None:
    objects = FakeObjects()
    trainer = await opened(depot, tmp_path, (Handover.LINK, ANY_SIZE), objects=objects, checks=10**9)
    await started(depot, photos)
    await until_accepted(trainer)
    await depot.crash()
    depot.provider = FakeProvider(tmp_path / "another", card=replace(CARD, name="another"))
    await depot.start()
    job = await depot.until("1001", JobStatus.FAILED)
    assert job.error_sentence == "fake is switched off here: ask the bot's operator."
    await until_gone(objects)


# A store in trouble.


async def test_a_store_that_is_down_for_a_moment_is_asked_again(depot: Workshop, tmp_path: Path, photos: Path) -> None:
    objects = FakeObjects()
    objects.troubles["put"] = [ObjectsUnreachable("The object store did not answer.")] * 2
    await opened(depot, tmp_path, (Handover.LINK, ANY_SIZE), objects=objects)
    assert (await ended(depot, photos)).status is JobStatus.DONE
    staged = [event.outcome for event in await depot.history("1001") if event.stage is Stage.STAGED]
    assert staged == [StageOutcome.FAILED, StageOutcome.FAILED, StageOutcome.DONE]


async def test_a_store_that_stays_down_ends_in_a_sentence_and_nothing_is_paid(
    depot: Workshop, tmp_path: Path, photos: Path
) -> None:
    objects = FakeObjects()
    objects.troubles["put"] = [ObjectsUnreachable("The object store did not answer.")] * 100
    trainer = await opened(depot, tmp_path, (Handover.LINK, ANY_SIZE), objects=objects)
    job = await ended(depot, photos)
    assert job.error_category is ErrorCategory.NETWORK
    assert (job.error_sentence or "").startswith("Our object storage did not answer")
    assert trainer.accepted() == []


async def test_a_store_that_refuses_is_not_asked_again_and_its_words_are_for_the_operator(
    depot: Workshop, tmp_path: Path, photos: Path, caplog: pytest.LogCaptureFixture
) -> None:
    objects = FakeObjects()
    objects.troubles["put"] = [ObjectsRefused("The object store refused: it has no bucket atelier.")] * 100
    trainer = await opened(depot, tmp_path, (Handover.LINK, ANY_SIZE), objects=objects)
    with caplog.at_level(logging.WARNING):
        job = await ended(depot, photos)
    assert job.error_sentence == ("Our object storage is not set up right: the bot's operator has to look at it.")
    assert "it has no bucket atelier" in caplog.text
    assert len(objects.troubles["put"]) == 99
    assert trainer.accepted() == []


@pytest.mark.parametrize(
    "trouble", [ObjectsUnreachable("The object store did not answer."), ObjectsRefused("It has no such bucket.")]
)
async def test_weights_that_cannot_be_shared_are_a_model_all_the_same_and_are_shared_when_they_are_used(
    depot: Workshop, tmp_path: Path, photos: Path, trouble: Exception
) -> None:
    objects = FakeObjects()
    objects.troubles["put"] = [trouble] * 100
    await opened(depot, tmp_path, (Handover.FILE, ANY_SIZE), objects=objects)
    assert (await ended(depot, photos)).status is JobStatus.DONE
    assert objects.kept == {}
    objects.troubles["put"].clear()
    request = GenerateRequest(model="Luna", prompt="a fox", strength=None, aspect_ratio="1:1", count=1, seed=None)
    await depot.do.generate.request("2002", PLACE, request)
    assert (await depot.until("2002", JobStatus.DONE, JobStatus.FAILED)).error_sentence is None
    assert [key.partition("/")[0] for key in objects.kept] == ["weights"]


async def test_a_job_that_is_not_known_has_nothing_to_clear(depot: Workshop, tmp_path: Path) -> None:
    trainer = await opened(depot, tmp_path, (Handover.FILE, ANY_SIZE))
    async with depot.database.writing() as connection:
        await add_job(connection, finetune_job())
    for job_id in ("1001", "404"):
        assert await depot.do.finetune._handovers.clear(job_id) == {}
    assert trainer.tidied == 0
