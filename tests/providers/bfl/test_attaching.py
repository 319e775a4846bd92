"""Black Forest Labs: a task that a person found there, wherever it lives."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.errors import ProviderBroken, ProviderGone, ProviderRefused, ProviderUnreachable
from bot.providers.bfl.provider import BflProvider
from bot.providers.tasks import Finished, Task, Webhook, Working
from tests.dataset_files import photo_zip
from tests.providers.benches.bfl import a_generation, a_model, a_training, provider_for
from tests.simulators.bfl import REBUILT_POLL, BflSimulator
from tests.simulators.service import RESET, answers

AN_ID = "8f14e45f-ceea-467f-a8d1-0242ac120002"
HOOK = Webhook(url="https://bot.example.org/webhooks/bfl", secret="b" * 64)
JOB = str(1_000_000_000_000 << 22)  # asked for in September 2046


@pytest.fixture
async def region() -> AsyncIterator[BflSimulator]:
    async with BflSimulator() as region:
        yield region


@pytest.fixture
def both(service: BflSimulator, region: BflSimulator, client: httpx.AsyncClient) -> BflProvider:
    return provider_for(service, client, region_urls=(region.url,))


@pytest.fixture
async def past() -> AsyncIterator[BflSimulator]:
    async with BflSimulator(has_legacy_finetune=True) as past:
        yield past


@pytest.fixture
def legacy(past: BflSimulator, client: httpx.AsyncClient) -> BflProvider:
    return provider_for(past, client, legacy_finetune=True)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return photo_zip(tmp_path / "cats.zip", 4)


# Where it lives.


async def test_a_task_is_looked_for_in_every_region(
    both: BflProvider, region: BflSimulator, client: httpx.AsyncClient
) -> None:
    there = await provider_for(region, client).submit_generation(a_generation(webhook=HOOK))
    attached = await both.attach(a_generation(), there.id)
    assert attached == Task(id=there.id, links={"api_url": region.url})
    assert isinstance(await both.check(attached), Working)


async def test_a_models_task_is_looked_for_where_the_model_lives(
    both: BflProvider, service: BflSimulator, region: BflSimulator
) -> None:
    region.add_lora("cats-of-rome")
    model = a_model(api_url=region.url)
    request = a_generation(generator="flux-2-klein-9b-finetuned", model=model, webhook=HOOK)
    task = await both.submit_generation(request)
    assert await both.attach(request, task.id) == task
    assert service.requests == []


async def test_a_task_that_no_region_knows_is_gone(
    both: BflProvider, service: BflSimulator, region: BflSimulator
) -> None:
    with pytest.raises(ProviderGone, match="knows no task of that id"):
        await both.attach(a_generation(), AN_ID)
    assert (len(service.requests), len(region.requests)) == (1, 1)


async def test_a_region_that_does_not_answer_leaves_it_open(both: BflProvider, service: BflSimulator) -> None:
    service.order(REBUILT_POLL, *[RESET] * 4)
    with pytest.raises(ProviderUnreachable):
        await both.attach(a_generation(), AN_ID)


async def test_a_pasted_polling_link_says_where_to_ask_and_the_key_stays_here() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        is_there = request.url.host == "api.eu2.bfl.ai"
        return httpx.Response(200, json={"id": AN_ID, "status": "Pending" if is_there else "Task not found"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        hosts = frozenset({"api.bfl.ai", "api.eu.bfl.ai", "api.us.bfl.ai", "api.eu2.bfl.ai"})  # without asking DNS
        provider = BflProvider(client=client, key="bfl_key", extra_hosts=hosts)
        link = f"https://api.eu2.bfl.ai/v1/get_result?id={AN_ID}"
        attached = await provider.attach(a_generation(), f"`{link}`")
        assert attached == Task(id=AN_ID, links={"api_url": "https://api.bfl.ai", "polling_url": link})
        assert isinstance(await provider.check(attached), Working)
        assert [str(one.url) for one in asked] == [link, link]
        with pytest.raises(ProviderGone):
            await provider.attach(a_generation(), f"https://api.us.bfl.ai/v1/get_result?id={AN_ID}")
    assert not any("x-key" in one.headers for one in asked)
    assert [one.url.host for one in asked[2:]] == ["api.us.bfl.ai", "api.bfl.ai", "api.eu.bfl.ai"]


# Whose it is.


async def test_another_seed_is_another_task_once_it_is_said(today: BflProvider, service: BflSimulator) -> None:
    task = await today.submit_generation(a_generation(seed=43, webhook=HOOK))
    assert await today.attach(a_generation(), task.id) == task
    service.finish_all()
    with pytest.raises(ProviderRefused, match="its seed is not what was asked for"):
        await today.attach(a_generation(), task.id)


@pytest.mark.parametrize("result", [{"sample": "https://x"}, {"sample": "https://x", "seed": None, "prompt": "other"}])
async def test_a_result_that_does_not_say_its_seed_is_taken(
    today: BflProvider, service: BflSimulator, result: dict[str, Any]
) -> None:
    task = await today.submit_generation(a_generation(webhook=HOOK))
    service.finish_all()
    service.polls_say = {"result": result}
    assert await today.attach(a_generation(), task.id) == task


async def test_what_is_ready_without_a_picture_is_no_generation(today: BflProvider, service: BflSimulator) -> None:
    task = await today.submit_generation(a_generation(webhook=HOOK))
    service.finish_all()
    service.polls_say = {"result": None}
    with pytest.raises(ProviderRefused, match="no picture"):
        await today.attach(a_generation(), task.id)


# Trainings of 2025.


async def test_without_the_finetunes_of_2025_there_is_no_training_to_find(
    today: BflProvider, service: BflSimulator, dataset: Path
) -> None:
    with pytest.raises(ProviderRefused, match="switched training off"):
        await today.attach(a_training(dataset), AN_ID)
    assert service.requests == []


@pytest.mark.parametrize("lists", [True, False])
async def test_a_training_is_found_while_it_runs_and_afterwards(
    legacy: BflProvider, past: BflSimulator, dataset: Path, lists: bool
) -> None:
    past.lists_running_trainings = lists
    request = a_training(dataset)
    task = await legacy.submit_training(request)
    assert await legacy.attach(request, task.id) == task
    past.finish_all()
    assert await legacy.check(task) == Finished()
    past.forgets_finished_trainings = True
    assert await legacy.attach(request, task.id) == task


async def test_a_training_that_is_listed_and_not_described_is_found(
    legacy: BflProvider, past: BflSimulator, dataset: Path
) -> None:
    past.add_lora(AN_ID, "flux-pro")
    past.undetailed.add(AN_ID)
    attached = await legacy.attach(a_training(dataset), AN_ID)
    assert set(attached.links) == {"api_url", "my_finetunes"}


async def test_another_jobs_training_is_refused_by_its_comment(legacy: BflProvider, dataset: Path) -> None:
    task = await legacy.submit_training(a_training(dataset, "job-10"))
    with pytest.raises(ProviderRefused, match="comment names another job"):
        await legacy.attach(a_training(dataset, "job-1"), task.id)


async def test_a_training_from_before_the_job_is_refused(
    legacy: BflProvider, past: BflSimulator, dataset: Path
) -> None:
    past.add_lora(AN_ID, "flux-pro", finetune_comment=f"Atelier job {JOB}: cats", timestamp="2025-10-01T00:00:00Z")
    with pytest.raises(ProviderRefused, match="before this job"):
        await legacy.attach(a_training(dataset, JOB), AN_ID)


async def test_a_training_that_nobody_knows_is_gone(legacy: BflProvider, dataset: Path) -> None:
    with pytest.raises(ProviderGone):
        await legacy.attach(a_training(dataset), AN_ID)


async def test_a_picture_is_no_training_and_a_training_no_picture(
    legacy: BflProvider, past: BflSimulator, dataset: Path
) -> None:
    picture = await legacy.submit_generation(a_generation(webhook=HOOK))
    training = await legacy.submit_training(a_training(dataset))
    with pytest.raises(ProviderRefused, match="no picture"):
        await legacy.attach(a_generation(), training.id)
    past.finish_all()
    with pytest.raises(ProviderRefused, match="made a picture"):
        await legacy.attach(a_training(dataset), picture.id)


@pytest.mark.parametrize("body", [{}, {"status": 7}, []])
async def test_an_answer_without_a_status_is_not_gone(today: BflProvider, service: BflSimulator, body: Any) -> None:
    service.order(REBUILT_POLL, answers(200, body))
    with pytest.raises(ProviderBroken, match="without a status"):
        await today.attach(a_generation(), AN_ID)
