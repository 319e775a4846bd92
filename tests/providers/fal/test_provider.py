"""fal.ai: its card, its key and where that goes, and cancelling."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from bot.errors import ProviderBroken, ProviderDenied, ProviderUnpaid
from bot.providers.base_models import BY_ID
from bot.providers.card import Handover, ModelBy
from bot.providers.contract import Ability, abilities_of
from bot.providers.fal.provider import FalProvider, cards
from bot.providers.tasks import Stopped, Task, TrainingRequest, Working
from tests.dataset_files import png_bytes
from tests.providers.benches.fal import GENERATION, provider_for
from tests.providers.fal.watching import stopped
from tests.simulators.fal import CANCEL, GENERATORS, STATUS, TRAINERS, Answer, Fal
from tests.simulators.service import RESET, UNAVAILABLE, answers

# The card.


def test_every_trainer_and_generator_on_the_card_exists_there() -> None:
    assert {trainer.id for trainer in cards.TRAINERS} == set(TRAINERS)
    assert {generator.id for generator in cards.GENERATORS} == set(GENERATORS)


def test_every_base_model_on_the_card_is_a_known_one() -> None:
    named = {trainer.base_model for trainer in cards.TRAINERS}
    assert named | {base for generator in cards.GENERATORS for base in generator.base_models} <= set(BY_ID)
    for trainer in cards.TRAINERS:
        assert cards.CARD.generators_for(trainer.base_model), f"nothing uses what {trainer.id} makes"


def test_its_abilities_are_those_it_implements(fal: FalProvider) -> None:
    assert abilities_of(fal) == {
        Ability.TRAIN,
        Ability.GENERATE,
        Ability.GENERATE_WITH_MODEL,
        Ability.CANCEL,
        Ability.ATTACH,
        Ability.WEBHOOK,
    }


def test_nothing_accepted_can_be_found_again_and_the_card_says_so() -> None:
    assert not any(card.can_be_found for card in (*cards.TRAINERS, *cards.GENERATORS))


def test_guessed_prices_say_that_they_are_guesses() -> None:
    certain = {trainer.id for trainer in cards.TRAINERS if trainer.price and trainer.price.is_certain}
    assert certain == {cards.FLUX_2_TRAINER, cards.FLUX_2_TRAINER_V2, cards.TURBO_TRAINER}
    turbo = cards.CARD.trainer(cards.TURBO_TRAINER)
    assert turbo is not None
    assert turbo.price is not None
    assert turbo.price.of(1000) == pytest.approx(2.40)


def test_datasets_go_by_link_first_and_models_by_link_or_by_what_fal_calls_them() -> None:
    assert all([way for way, _ in trainer.handover] == [Handover.LINK, Handover.INLINE] for trainer in cards.TRAINERS)
    assert all(
        set(generator.model_by) == ({ModelBy.LINK, ModelBy.REMOTE} if generator.needs_model else set())
        for generator in cards.GENERATORS
    )


def test_every_size_is_one_megapixel_in_steps_of_sixteen() -> None:
    for ratio, (width, height) in cards.SIZES.items():
        across, up = map(int, ratio.split(":"))
        assert width % 16 == height % 16 == 0
        assert 0.9 * 2**20 < width * height <= 2**20
        assert width / height == pytest.approx(across / up, rel=0.01)


# The key.


async def test_a_right_key_refreshes_and_costs_nothing(fal: FalProvider, service: Fal) -> None:
    await fal.refresh()
    assert service.ledger == []


async def test_a_wrong_key_is_denied_with_advice_for_the_operator(service: Fal, client: httpx.AsyncClient) -> None:
    with pytest.raises(ProviderDenied) as caught:
        await provider_for(service, client, key="wrong").refresh()
    assert caught.value.advice


async def test_a_locked_account_is_unpaid_on_refresh_too(fal: FalProvider, service: Fal) -> None:
    service.order(STATUS, answers(403, {"detail": "User is locked. Reason: Exhausted balance."}))
    with pytest.raises(ProviderUnpaid):
        await fal.refresh()


async def test_a_refresh_survives_a_passing_failure(fal: FalProvider, service: Fal) -> None:
    service.order(STATUS, UNAVAILABLE, RESET)
    await fal.refresh()


async def test_the_key_is_in_no_repr_and_closing_leaves_the_shared_client_open(
    fal: FalProvider, service: Fal, client: httpx.AsyncClient
) -> None:
    assert service.key not in repr(fal)
    await fal.close()
    assert not client.is_closed


# Where the key goes.


@pytest.mark.parametrize(
    "origin",
    [
        "https://queue.fal.run.example.org",
        "http://queue.fal.run",
        "https://user:word@queue.fal.run",
        "https://169.254.169.254",
        "https://[::1",
    ],
)
async def test_a_link_to_a_foreign_host_is_never_visited(fal: FalProvider, service: Fal, origin: str) -> None:
    service.links_lead_to = origin
    task = await fal.submit_generation(GENERATION)
    for question in (fal.check, fal.cancel):
        with pytest.raises(ProviderBroken, match="do not visit"):
            await question(task)
    assert len(service.requests) == 1


async def test_another_host_that_may_be_visited_gets_no_key(
    fal: FalProvider, service: Fal, client: httpx.AsyncClient
) -> None:
    async with Fal(polls=None) as other:
        service.links_lead_to = other.url
        task = await fal.submit_generation(GENERATION)
        with pytest.raises(ProviderDenied):
            await fal.check(task)
        assert other.requests
        assert all("authorization" not in request.headers for request in other.requests)


async def test_the_backup_host_of_the_queue_gets_the_key_and_the_cdn_does_not(tmp_path: Path) -> None:
    seen: dict[str, str | None] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        seen[request.url.host] = request.headers.get("authorization")
        if request.url.host == "v3.fal.media":
            return httpx.Response(
                200, content=png_bytes(Image.new("RGB", (8, 8))), headers={"content-type": "image/png"}
            )
        return httpx.Response(200, json={"images": [{"url": "https://v3.fal.media/files/a.png"}]})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        hosts = frozenset({"queue.falrun.com", "v3.fal.media"})  # named, so that nobody asks for their addresses
        fal = FalProvider(client=client, key="id:secret", extra_hosts=hosts)
        task = Task(id="a", links={"response_url": "https://queue.falrun.com/fal-ai/flux/requests/a"})
        assert len((await fal.fetch_pictures(task, tmp_path)).paths) == 1
    assert seen == {"queue.falrun.com": "Key id:secret", "v3.fal.media": None}


async def test_a_status_address_keeps_the_query_that_fal_gave_it(client: httpx.AsyncClient) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(202, json={"status": "IN_PROGRESS", "request_id": "a"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as mocked:
        fal = FalProvider(client=mocked, key="id:secret")
        await fal.check(Task(id="a", links={"status_url": "https://queue.fal.run/a/b/requests/a/status?shard=7"}))
    assert asked == ["https://queue.fal.run/a/b/requests/a/status?shard=7&logs=1"]


# Cancelling.


async def test_a_waiting_task_is_cancelled_and_stops(fal: FalProvider, service: Fal) -> None:
    task = await fal.submit_generation(GENERATION)
    assert await fal.cancel(task) is True
    assert "cancelled" in (await stopped(fal, task)).sentence
    assert await fal.cancel(task) is False


async def test_a_running_training_is_asked_to_stop(fal: FalProvider, service: Fal, training: TrainingRequest) -> None:
    task = await fal.submit_training(training)
    await fal.check(task)
    await fal.check(task)
    assert await fal.cancel(task) is True
    assert isinstance(await fal.check(task), Stopped)


async def test_a_trainer_that_does_not_listen_goes_on_after_a_cancellation(
    fal: FalProvider, service: Fal, training: TrainingRequest
) -> None:
    service.trainers_can_be_stopped = False
    task = await fal.submit_training(training)
    await fal.check(task)
    await fal.check(task)
    assert await fal.cancel(task) is True
    assert isinstance(await fal.check(task), Working)


async def test_a_finished_task_and_an_unknown_one_cannot_be_cancelled(fal: FalProvider, service: Fal) -> None:
    task = await fal.submit_generation(GENERATION)
    await service.finish_all()
    assert await fal.cancel(task) is False
    service.ledger.clear()
    assert await fal.cancel(task) is False


@pytest.mark.parametrize(
    ("status", "body", "stops"),
    [
        (200, {"status": "OK"}, True),
        (202, {"status": "CANCELLATION_REQUESTED"}, True),
        (202, {}, True),
        (200, "text", True),
        (200, {"status": "ALREADY_COMPLETED"}, False),
        (200, {"status": "NOT_FOUND"}, False),
        (400, {"status": "ALREADY_COMPLETED"}, False),
        (400, {"detail": "cannot be cancelled"}, False),
        (404, {"status": "NOT_FOUND"}, False),
        (404, [], False),
    ],
)
async def test_the_words_of_a_cancellation_count_more_than_its_status(
    fal: FalProvider, service: Fal, status: int, body: Any, stops: bool
) -> None:
    task = await fal.submit_generation(GENERATION)
    service.cancel_answer = Answer(status=status, body=body)
    assert await fal.cancel(task) is stops


async def test_a_cancellation_is_repeated_when_no_answer_comes(fal: FalProvider, service: Fal) -> None:
    task = await fal.submit_generation(GENERATION)
    service.order(CANCEL, UNAVAILABLE, RESET)
    assert await fal.cancel(task) is True
