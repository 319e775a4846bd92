"""The generate story: pictures once, one submission, whatever crashes."""

import asyncio
import io
from typing import Any

import pytest
from PIL import Image

from bot.errors import BadInput, NotFound, NotYours, ProviderBusy
from bot.workflows.requests import GenerateRequest
from storage.jobs import add_job
from storage.models import add_model, delete_model
from storage.pictures import pictures_of_job
from storage.places import Place
from storage.statuses import JobStatus, Stage, StageOutcome
from storage.training_sets import add_training_set
from tests.builders import GENERATION, PLACE, finetune_job, model, training_set
from tests.workflows.workshop import Workshop


def request(**changes: Any) -> GenerateRequest:
    known = {name: GENERATION[name] for name in ("prompt", "strength", "aspect_ratio", "count", "seed")}
    return GenerateRequest(**{"model": "1001", **known, **changes})


@pytest.fixture
async def workshop_with_model(workshop: Workshop) -> Workshop:
    weights = workshop.files.work_folder("w") / "weights"
    weights.write_bytes(b"weights")
    name = await workshop.files.keep(weights)
    async with workshop.database.writing() as connection:
        await add_job(connection, finetune_job(status=JobStatus.DONE))
        await add_training_set(connection, training_set())
        await add_model(connection, model(weights_file=name))
    return workshop


async def test_a_prompt_becomes_pictures_with_a_whole_history(workshop_with_model: Workshop) -> None:
    workshop = workshop_with_model
    await workshop.do.generate.request("2002", PLACE, request(model="luna", seed=None))
    job = await workshop.until("2002", JobStatus.DONE, JobStatus.FAILED)
    assert job.error_sentence is None
    assert [(event.stage, event.outcome) for event in await workshop.history("2002")] == [
        (stage, StageOutcome.DONE) for stage in (Stage.RECEIVED, Stage.GENERATING, Stage.ARCHIVED, Stage.ANNOUNCED)
    ]
    async with workshop.database.reading() as connection:
        pictures = await pictures_of_job(connection, "2002")
    made = [Image.open(io.BytesIO(await workshop.files.read(picture.file))) for picture in pictures]
    assert [picture.getpixel((0, 0))[0] for picture in made] == [0, 1], "in the order in which they were made"
    assert {picture.seed for picture in pictures} == {job.details["seed"]}
    assert workshop.cards.delivered == ["2002"]


STORIES = [
    (Stage.RECEIVED, "cards", "refresh_soon"),
    (Stage.GENERATING, "provider", "submit_generation"),
    (Stage.GENERATING, "provider", "check"),
    (Stage.GENERATING, "provider", "fetch_pictures"),
    (Stage.GENERATING, "files", "keep"),
    (Stage.ANNOUNCED, "cards", "deliver"),
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("stage", "owner", "call"), STORIES)
async def test_a_crash_in_any_stage_ends_in_one_submission_and_one_result(
    workshop_with_model: Workshop, stage: Stage, owner: str, call: str, moment: str
) -> None:
    workshop = workshop_with_model
    hanging = workshop.hang(job_id="2002", stage=stage, owner=owner, call=call, moment=moment)
    await workshop.do.generate.request("2002", PLACE, request())
    await asyncio.wait_for(hanging.reached.wait(), 20)
    await workshop.crash()
    hanging.let_go()
    await workshop.start()
    job = await workshop.until("2002", JobStatus.DONE, JobStatus.FAILED)

    assert job.error_sentence is None
    assert len(workshop.provider.accepted()) == 1
    assert set(workshop.cards.delivered) == {"2002"}
    async with workshop.database.reading() as connection:
        assert len(await pictures_of_job(connection, "2002")) == 2


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"prompt": ""}, "the prompt is empty"),
        ({"prompt": " \n\t "}, "the prompt is empty"),
        ({"prompt": "x" * 5000}, "5,000 characters"),
        ({"strength": 2.1}, "strength from 0 to 2"),
        ({"aspect_ratio": "5:1"}, "aspect ratio"),
        ({"count": 5}, "1 to 4 pictures"),
        ({"count": 0}, "1 to 4 pictures"),
        ({"seed": -1}, "seed from 0"),
    ],
)
async def test_bad_input_is_one_sentence_and_stores_nothing(
    workshop_with_model: Workshop, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence):
        await workshop_with_model.do.generate.request("2002", PLACE, request(**changes))
    with pytest.raises(AssertionError):
        await workshop_with_model.job("2002")


async def test_an_unknown_model_and_somebody_elses_are_refused(workshop_with_model: Workshop) -> None:
    generate = workshop_with_model.do.generate
    with pytest.raises(NotFound, match="no model of that name"):
        await generate.request("2002", PLACE, request(model="nobody"))
    stranger = Place(server_id=11, channel_id=22, person_id=44)
    with pytest.raises(NotYours, match="Only the person it belongs to"):
        await generate.request("2002", stranger, request(model="1001"))


async def test_a_model_deleted_meanwhile_ends_the_job_before_anything_is_spent(workshop_with_model: Workshop) -> None:
    workshop = workshop_with_model
    workshop.provider.fail_next("submit", *[ProviderBusy("busy")] * 2)
    async with workshop.database.writing() as connection:
        await delete_model(connection, "1001")
    with pytest.raises(NotFound):
        await workshop.do.generate.request("2002", PLACE, request())
    assert workshop.provider.accepted() == []


async def test_renaming_and_deleting_one_s_own_model(workshop_with_model: Workshop) -> None:
    workshop = workshop_with_model
    with pytest.raises(NotYours):
        await workshop.do.models.rename("1001", 44, "Mine")
    assert (await workshop.do.models.rename("1001", 33, "Selene")).name == "Selene"
    deleted = await workshop.do.models.delete("1001", 33)
    async with asyncio.timeout(10):
        while workshop.files.has(deleted.weights_file):
            await asyncio.sleep(0.02)
    with pytest.raises(NotFound):
        await workshop.do.models.delete("1001", 33)
