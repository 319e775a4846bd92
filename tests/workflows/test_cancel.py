"""Cancel stops a job wherever it stands, reaches the provider, and survives a crash itself."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.errors import TooLate
from bot.permissions import Asker
from storage.models import models_of_person
from storage.statuses import JobStatus, Stage, StageOutcome
from tests.workflows.test_finetune import ME, PLACE, request
from tests.workflows.workshop import Workshop

ANN = Asker(person_id=ME)


async def in_training(workshop: Workshop, photos: Path) -> None:
    """Accepted by its provider, which does not finish by itself."""
    workshop.provider._checks_until_finished = 10**9
    await workshop.do.finetune.request("1001", PLACE, request(photos))
    await workshop.until("1001", JobStatus.REVIEW)
    await workshop.do.review.start("1001", ME)
    async with asyncio.timeout(20):
        while not workshop.provider.accepted():
            await asyncio.sleep(0.01)


async def until_stage(workshop: Workshop, stage: Stage) -> None:
    async with asyncio.timeout(20):
        while not any(event.stage is stage for event in await workshop.history("1001")):
            await asyncio.sleep(0.01)


async def test_a_review_can_be_cancelled_before_anything_is_spent(workshop: Workshop, photos: Path) -> None:
    await workshop.do.finetune.request("1001", PLACE, request(photos))
    await workshop.until("1001", JobStatus.REVIEW)
    await workshop.do.cancel.request("1001", ANN)
    await workshop.until("1001", JobStatus.CANCELLED)
    with pytest.raises(TooLate):
        await workshop.do.review.start("1001", ME)
    assert workshop.provider.accepted() == []


async def test_a_running_training_is_stopped_at_the_provider_too(workshop: Workshop, photos: Path) -> None:
    await in_training(workshop, photos)
    await workshop.do.cancel.request("1001", ANN)
    await workshop.crash()
    await workshop.start()
    await workshop.until("1001", JobStatus.CANCELLED)
    assert workshop.provider.cancelled == ["task-1"]
    await asyncio.sleep(1.5)
    assert (await workshop.job("1001")).status is JobStatus.CANCELLED
    training = [event for event in await workshop.history("1001") if event.stage is Stage.TRAINING]
    assert training[-1].outcome is StageOutcome.CANCELLED
    async with workshop.database.reading() as connection:
        assert await models_of_person(connection, ME, limit=1) == []


async def test_a_finished_job_is_too_late_to_cancel(workshop: Workshop, photos: Path) -> None:
    await workshop.do.finetune.request("1001", PLACE, request(photos))
    await workshop.until("1001", JobStatus.REVIEW)
    await workshop.do.review.start("1001", ME)
    await workshop.until("1001", JobStatus.DONE)
    with pytest.raises(TooLate, match="too late"):
        await workshop.do.cancel.request("1001", ANN)


@pytest.mark.parametrize(
    ("finishes", "note"),
    [
        (False, "could not be stopped any more, and charges about $2.00."),
        (True, "It came too late: Fake provider had finished, and charges about $2.00."),
    ],
)
async def test_a_cancel_that_comes_too_late_says_what_it_cost(
    workshop: Workshop, photos: Path, finishes: bool, note: str
) -> None:
    workshop.provider.cannot_be_stopped = True
    workshop.provider.costs(2.0)
    await in_training(workshop, photos)
    await workshop.do.cancel.request("1001", ANN)
    if finishes:
        workshop.provider._checks_until_finished = 0
    job = await workshop.until("1001", JobStatus.CANCELLED)
    assert job.note.endswith(note)


async def test_what_a_cancel_cost_is_said_after_a_crash_too(workshop: Workshop, photos: Path) -> None:
    """The provider was told, and the engine had not noted it."""
    workshop.provider.costs(2.0)
    await in_training(workshop, photos)
    engine, told, step = workshop.engine, asyncio.Event(), workshop.engine.step

    async def dies_before_it_notes(name: str, body: Any, **options: Any) -> Any:
        if name != "tell the provider":
            return await step(name, body, **options)
        await body()
        told.set()
        return await asyncio.Event().wait()

    engine.step = dies_before_it_notes  # type: ignore[method-assign]
    await workshop.do.cancel.request("1001", ANN)
    await asyncio.wait_for(told.wait(), 20)
    await workshop.crash()
    await workshop.start()
    job = await workshop.until("1001", JobStatus.CANCELLED)
    assert "stopped it and may charge for what ran until then" in job.note
