"""fal.ai: a request that a person found there, at addresses that no answer named."""

from dataclasses import replace
from typing import Any

import pytest

from bot.errors import ProviderDenied, ProviderGone, ProviderRefused, ProviderUnreachable
from bot.providers.fal.cards import CARD
from bot.providers.fal.provider import FalProvider
from bot.providers.fal.requests import links_of
from bot.providers.tasks import TrainingRequest
from tests.providers.benches.fal import GENERATION, with_a_model
from tests.simulators.fal import RESULT, STATUS, Fal
from tests.simulators.service import RESET, answers

AN_ID = "8f14e45f-ceea-467f-a8d1-0242ac120002"


@pytest.mark.parametrize("generator", [one.id for one in CARD.generators])
async def test_the_addresses_built_here_are_those_that_fal_names(
    fal: FalProvider, service: Fal, generator: str
) -> None:
    card = CARD.generator(generator)
    assert card is not None
    request = with_a_model(generator) if card.needs_model else replace(GENERATION, generator=generator)
    task = await fal.submit_generation(request)
    assert links_of(service.url, generator, task.id) == task.links


def test_of_an_endpoint_only_owner_and_alias_are_in_an_address() -> None:
    links = links_of("https://queue.fal.run/", "fal-ai/flux-2/klein/9b/lora", AN_ID)
    here = f"https://queue.fal.run/fal-ai/flux-2/requests/{AN_ID}"
    assert links == {"status_url": f"{here}/status", "response_url": here, "cancel_url": f"{here}/cancel"}


async def test_what_fal_names_itself_is_used(fal: FalProvider, service: Fal) -> None:
    task = await fal.submit_generation(GENERATION)
    service.links_lead_to = "https://queue.falrun.com"
    attached = await fal.attach(GENERATION, task.id)
    assert set(attached.links) == set(task.links)
    assert all(link.startswith("https://queue.falrun.com/fal-ai/flux/") for link in attached.links.values())


@pytest.mark.parametrize("changes", [{"seed": 8}, {"prompt": "a dog"}])
async def test_a_result_that_says_something_else_is_another_requests(
    fal: FalProvider, service: Fal, changes: dict[str, Any]
) -> None:
    task = await fal.submit_generation(replace(GENERATION, **changes))
    assert await fal.attach(GENERATION, task.id) == task, "a status says nothing of what was asked"
    await service.finish_all()
    with pytest.raises(ProviderRefused, match="another task"):
        await fal.attach(GENERATION, task.id)


async def test_a_result_that_repeats_nothing_is_taken(fal: FalProvider, service: Fal) -> None:
    task = await fal.submit_generation(GENERATION)
    await service.finish_all()
    service.order(RESULT, answers(200, {"images": [], "prompt": "", "seed": None}))
    assert await fal.attach(GENERATION, task.id) == task


@pytest.mark.parametrize("file", ["diffusers_lora_file", "lora_file"])
async def test_a_result_with_weights_is_no_generations(fal: FalProvider, service: Fal, file: str) -> None:
    task = await fal.submit_generation(GENERATION)
    await service.finish_all()
    service.order(RESULT, answers(200, {file: {"url": "https://fal.media/x"}}))
    with pytest.raises(ProviderRefused, match="it is a training"):
        await fal.attach(GENERATION, task.id)


async def test_a_result_with_pictures_is_no_trainings(
    fal: FalProvider, service: Fal, training: TrainingRequest
) -> None:
    task = await fal.submit_training(training)
    await service.finish_all()
    service.order(RESULT, answers(200, {"images": []}))
    with pytest.raises(ProviderRefused, match="made pictures"):
        await fal.attach(training, task.id)


async def test_a_request_to_another_app_is_not_there(fal: FalProvider, training: TrainingRequest) -> None:
    task = await fal.submit_generation(GENERATION)
    with pytest.raises(ProviderGone, match="no request to fal-ai/flux-2-klein-4b-base-trainer of that id"):
        await fal.attach(training, task.id)


@pytest.mark.parametrize("strange", ["", "../../account", "fal-ai/no-such-thing"])
async def test_an_endpoint_that_is_none_of_fals_makes_no_address(
    fal: FalProvider, service: Fal, training: TrainingRequest, strange: str
) -> None:
    for request in (replace(training, trainer=strange), replace(GENERATION, generator=strange)):
        with pytest.raises(ProviderRefused, match="nothing of that name"):
            await fal.attach(request, AN_ID)
    assert service.requests == []


async def test_trouble_in_passing_is_not_gone(fal: FalProvider, service: Fal) -> None:
    task = await fal.submit_generation(GENERATION)
    await service.finish_all()
    for route in (STATUS, RESULT):
        service.order(route, *[RESET] * 4)
        with pytest.raises(ProviderUnreachable):
            await fal.attach(GENERATION, task.id)


async def test_a_wrong_key_is_told(fal: FalProvider, service: Fal) -> None:
    service.key = "another"
    with pytest.raises(ProviderDenied):
        await fal.attach(GENERATION, AN_ID)
