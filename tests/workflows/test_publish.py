"""Publish: one commit on the Hub whatever crashes, private unless asked otherwise, a sentence for what cannot be."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import BadInput, NotFound, NotYours
from bot.hub.hub import Hub
from bot.messages.lists import model_details
from bot.permissions import Asker
from storage.database import Database
from storage.jobs import Job, add_job
from storage.models import Model, add_model, delete_model, find_model
from storage.pictures import Picture, add_picture, pictures_of_job
from storage.places import Place
from storage.statuses import ErrorCategory, JobStatus, Stage, StageOutcome
from storage.training_sets import add_training_set
from tests.builders import CARD, PLACE, TRAINING_SETTINGS, finetune_job, generate_job, model, training_set
from tests.hub.stage import PNG, a_hub
from tests.messages.reading import text_of
from tests.simulators.hub import LFS_WARNING, HubSimulator
from tests.simulators.hub_repos import Repo
from tests.workflows.workshop import Workshop

ME = PLACE.person_id
STRANGER = replace(PLACE, person_id=44)
REPO = "atelier-bot/luna-1001"
JOB_TITLE = "Atelier job 4004"

pytestmark = pytest.mark.filterwarnings(LFS_WARNING)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The stories are the same on PostgreSQL; `test_finetune` runs there too."""
    return sqlite_url


@pytest.fixture
async def simulator() -> AsyncIterator[HubSimulator]:
    async with HubSimulator() as simulator:
        yield simulator


@pytest.fixture
async def hub(simulator: HubSimulator) -> AsyncIterator[Hub]:
    hub = a_hub(simulator)
    yield hub
    await hub.close()


@pytest.fixture
async def press(database: Database, tmp_path: Path, pool: Executor, hub: Hub) -> AsyncIterator[Workshop]:
    """With one trained model, Luna."""
    workshop = Workshop(database, tmp_path, pool)
    workshop.hub = hub
    await workshop.start()
    await store(workshop, model(base_model="flux.1-dev", weights_file=await kept(workshop, b"weights of Luna")))
    yield workshop
    await workshop.close()


async def kept(press: Workshop, content: bytes) -> str:
    path = press.files.work_folder("w") / "file"
    path.write_bytes(content)
    return await press.files.keep(path)


async def store(press: Workshop, stored: Model) -> None:
    async with press.database.writing() as connection:
        await add_job(connection, finetune_job(id=stored.job_id, status=JobStatus.DONE))
        await add_training_set(connection, training_set())
        await add_model(connection, stored)


async def paint(press: Workshop, job_id: int, *, place: Place = PLACE, model_id: str | None = "1001") -> bytes:
    """A picture of the model, younger than those before."""
    content = PNG + str(job_id).encode()
    picture = Picture(
        job_id=str(job_id),
        position=0,
        place=place,
        model_id=model_id,
        file=await kept(press, content),
        prompt=f"Luna number {job_id}",
        seed=1,
    )
    async with press.database.writing() as connection:
        await add_job(connection, generate_job(id=str(job_id), place=place))
        await add_picture(connection, picture)
    return content


async def ended(press: Workshop, *, job_id: str = "4004", private: bool = True) -> Job:
    await press.do.publish.request(job_id, PLACE, "luna", private=private)
    return await press.until(job_id, JobStatus.DONE, JobStatus.FAILED)


async def published(press: Workshop) -> str | None:
    async with press.database.reading() as connection:
        found = await find_model(connection, "1001")
    assert found is not None
    return found.published


def titles(repo: Repo) -> list[str]:
    return [commit.title for commit in repo.ours]


# What is published.


async def test_a_model_is_published_privately_in_one_commit_and_its_address_kept(
    press: Workshop, simulator: HubSimulator
) -> None:
    job = await ended(press)
    assert job.error_sentence is None
    assert [(event.stage, event.outcome) for event in await press.history("4004")] == [
        (stage, StageOutcome.DONE) for stage in (Stage.PUBLISHED, Stage.ANNOUNCED)
    ]
    repo = simulator.repos[REPO]
    assert titles(repo) == [JOB_TITLE]
    assert repo.private
    assert repo.files["lora.safetensors"] == b"weights of Luna"
    assert (repo.card["base_model"], repo.card["instance_prompt"]) == ("black-forest-labs/FLUX.1-dev", "ohwx")
    assert await published(press) == f"{simulator.endpoint}/{REPO}"
    assert press.cards.delivered == ["4004"]


async def test_the_address_is_shown_with_the_model(press: Workshop, simulator: HubSimulator) -> None:
    await ended(press)
    async with press.database.reading() as connection:
        found = await find_model(connection, "1001")
    assert found is not None
    assert f"<{simulator.endpoint}/{REPO}>" in text_of(model_details(found, None, CARD))


async def test_public_is_only_what_was_asked_to_be(press: Workshop, simulator: HubSimulator) -> None:
    assert (await ended(press, private=False)).error_sentence is None
    assert not simulator.repos[REPO].private


async def test_the_settings_of_a_training_are_in_the_card_and_nothing_private(
    press: Workshop, simulator: HubSimulator
) -> None:
    await ended(press)
    readme = simulator.repos[REPO].files["README.md"].decode()
    assert f"| iterations | {TRAINING_SETTINGS['iterations']} |" in readme
    assert "learning rate" not in readme, "it was left to the trainer"
    assert str(ME) not in readme


async def test_the_samples_are_ones_own_four_newest_pictures(press: Workshop, simulator: HubSimulator) -> None:
    await paint(press, 2000, model_id=None)
    mine = [await paint(press, number) for number in range(2001, 2007)]
    await paint(press, 2007, place=STRANGER)
    await ended(press)
    repo = simulator.repos[REPO]
    samples = [content for name, content in sorted(repo.files.items()) if name.startswith("images/")]
    assert samples == mine[:1:-1]
    assert [one["text"] for one in repo.card["widget"]] == [
        f"Luna number {number}" for number in (2006, 2005, 2004, 2003)
    ]


async def test_a_sample_whose_file_is_gone_is_left_out(press: Workshop, simulator: HubSimulator) -> None:
    await paint(press, 2001)
    async with press.database.reading() as connection:
        (gone,) = await pictures_of_job(connection, "2001")
    press.files.remove(gone.file)
    here = await paint(press, 2002)
    assert (await ended(press)).error_sentence is None
    repo = simulator.repos[REPO]
    assert [content for name, content in repo.files.items() if name.startswith("images/")] == [here]
    assert len(repo.card["widget"]) == 1


async def test_a_sample_is_named_for_what_it_is(press: Workshop, simulator: HubSimulator) -> None:
    picture = Picture(
        job_id="2001",
        position=0,
        place=PLACE,
        model_id="1001",
        file=await kept(press, b"\xff\xd8\xff\xe0\0" + bytes(100)),
        prompt="Luna",
        seed=1,
    )
    async with press.database.writing() as connection:
        await add_job(connection, generate_job(id="2001"))
        await add_picture(connection, picture)
    assert (await ended(press)).error_sentence is None
    assert "images/sample_1.jpg" in simulator.repos[REPO].files


async def test_publishing_again_adds_a_commit_to_the_same_repository(press: Workshop, simulator: HubSimulator) -> None:
    await ended(press)
    new = await paint(press, 2001)
    assert (await ended(press, job_id="4005")).error_sentence is None
    repo = simulator.repos[REPO]
    assert titles(repo) == [JOB_TITLE, "Atelier job 4005"]
    assert repo.files["images/sample_1.png"] == new
    assert list(simulator.repos) == [REPO]


async def test_the_same_command_delivered_twice_is_one_commit(press: Workshop, simulator: HubSimulator) -> None:
    for _ in range(2):
        await press.do.publish.request("4004", PLACE, "luna", private=True)
    await press.until("4004", JobStatus.DONE, JobStatus.FAILED)
    assert titles(simulator.repos[REPO]) == [JOB_TITLE]


async def test_a_repository_that_is_public_by_now_is_not_written_to_as_a_private_one(
    press: Workshop, simulator: HubSimulator
) -> None:
    simulator.add_repo(REPO, {}, private=False)
    job = await ended(press, private=True)
    assert "nothing was published" in (job.error_sentence or "")
    assert JOB_TITLE not in titles(simulator.repos[REPO])
    assert await published(press) is None


# What is refused at once.


async def test_without_a_token_publishing_is_switched_off(press: Workshop) -> None:
    await press.crash()
    press.hub = Hub(endpoint="http://127.0.0.1:9")
    await press.start()
    with pytest.raises(BadInput, match="Publishing is switched off here"):
        await press.do.publish.request("4004", PLACE, "luna", private=True)
    await press.hub.close()


NO_LORA: list[tuple[dict[str, Any], str]] = [
    ({"base_model": "local-quilting"}, "Only FLUX LoRAs can be published, and Selene is of Local preview"),
    ({"base_model": "flux-pro"}, r"Selene is of FLUX.1 \[pro\] finetune of 2025"),
    ({"base_model": "unheard-of"}, "Selene is of unheard-of"),
    ({"weights_file": None}, "Selene lives at fake only: there are no weights to publish"),
]


async def test_what_has_no_lora_to_publish_is_refused(press: Workshop) -> None:
    for number, (changes, sentence) in enumerate(NO_LORA, start=1002):
        plain = model(id=str(number), job_id=str(number), name="Selene", base_model="flux.1-dev")
        await store(press, replace(plain, **changes))
        with pytest.raises(BadInput, match=sentence):
            await press.do.publish.request("4004", PLACE, str(number), private=True)
    with pytest.raises(AssertionError):
        await press.job("4004")


async def test_nobody_publishes_what_is_not_theirs_or_not_there(press: Workshop, simulator: HubSimulator) -> None:
    with pytest.raises(NotYours):
        await press.do.publish.request("4004", STRANGER, "1001", private=True)
    with pytest.raises(NotFound):
        await press.do.publish.request("4004", PLACE, "nobody", private=True)
    async with press.database.writing() as connection:
        await delete_model(connection, "1001")
    with pytest.raises(NotFound):
        await press.do.publish.request("4004", PLACE, "1001", private=True)
    assert simulator.requests == []


# What happens on the way.


async def test_a_model_that_was_deleted_meanwhile_is_not_published(press: Workshop, simulator: HubSimulator) -> None:
    hanging = press.hang(job_id="4004", stage=Stage.PUBLISHED, owner="cards", call="refresh_soon", moment="before")
    await press.do.publish.request("4004", PLACE, "luna", private=True)
    await asyncio.wait_for(hanging.reached.wait(), 20)
    await press.do.models.delete("1001", ME)
    await press.crash()
    hanging.let_go()
    await press.start()
    job = await press.until("4004", JobStatus.DONE, JobStatus.FAILED)
    assert job.error_sentence == "That model was deleted: there is nothing to publish."
    assert simulator.repos == {}


async def test_weights_that_went_missing_on_the_disk_have_a_sentence_of_their_own(press: Workshop) -> None:
    async with press.database.reading() as connection:
        found = await find_model(connection, "1001")
    assert found is not None
    assert found.weights_file is not None
    press.files.remove(found.weights_file)
    job = await ended(press)
    assert job.error_sentence is not None
    assert "Something broke on our side" not in job.error_sentence


@pytest.mark.parametrize("route", ["create", "about", "commit"])
async def test_a_hub_in_trouble_is_asked_again(press: Workshop, simulator: HubSimulator, route: str) -> None:
    simulator.fail_next(route, *["500"] * 3)
    assert (await ended(press)).error_sentence is None
    assert titles(simulator.repos[REPO]) == [JOB_TITLE]


@pytest.mark.parametrize("route", ["create", "commit"])
async def test_an_answer_that_was_lost_is_looked_up(press: Workshop, simulator: HubSimulator, route: str) -> None:
    simulator.fail_next(route, "reset-after")
    assert (await ended(press)).error_sentence is None
    assert titles(simulator.repos[REPO]) == [JOB_TITLE]


async def test_a_hub_that_stays_in_trouble_ends_in_a_sentence(press: Workshop, simulator: HubSimulator) -> None:
    simulator.fail_next("create", *["500"] * 100)
    job = await ended(press)
    assert job.error_category is ErrorCategory.NETWORK
    assert "The Hugging Face Hub did not answer" in (job.error_sentence or "")
    assert await published(press) is None


@pytest.mark.parametrize("fault", ["401", "403"])
async def test_a_token_that_is_not_accepted_is_a_sentence_and_not_tried_again(
    press: Workshop, simulator: HubSimulator, fault: str
) -> None:
    simulator.fail_next("create", *[fault] * 10)
    job = await ended(press)
    assert (job.error_category, job.error_sentence) == (
        ErrorCategory.AUTHENTICATION,
        "The Hugging Face Hub did not accept the bot's token: its operator has to look at it.",
    )
    assert len([event for event in await press.history("4004") if event.stage is Stage.PUBLISHED]) == 1


STORIES = [
    (Stage.PUBLISHED, "cards", "refresh_soon"),
    (Stage.PUBLISHED, "hub", "publish"),
    (Stage.ANNOUNCED, "cards", "deliver"),
]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("stage", "owner", "call"), STORIES)
async def test_a_crash_in_any_stage_ends_in_one_commit(
    press: Workshop, simulator: HubSimulator, stage: Stage, owner: str, call: str, moment: str
) -> None:
    await paint(press, 2001)
    hanging = press.hang(job_id="4004", stage=stage, owner=owner, call=call, moment=moment)
    await press.do.publish.request("4004", PLACE, "luna", private=True)
    await asyncio.wait_for(hanging.reached.wait(), 20)
    await press.crash()
    hanging.let_go()
    await paint(press, 2002)  # the samples of a second attempt are others: still it is one commit
    await press.start()
    job = await press.until("4004", JobStatus.DONE, JobStatus.FAILED)

    assert job.error_sentence is None
    assert titles(simulator.repos[REPO]) == [JOB_TITLE]
    assert set(press.cards.delivered) == {"4004"}
    assert await published(press) == f"{simulator.endpoint}/{REPO}"


async def test_publishing_can_be_cancelled(press: Workshop, simulator: HubSimulator) -> None:
    hanging = press.hang(job_id="4004", stage=Stage.PUBLISHED, owner="hub", call="publish", moment="before")
    await press.do.publish.request("4004", PLACE, "luna", private=True)
    await asyncio.wait_for(hanging.reached.wait(), 20)
    await press.do.cancel.request("4004", Asker(person_id=ME))
    await press.until("4004", JobStatus.CANCELLED)
    assert simulator.repos == {}
    assert await published(press) is None
