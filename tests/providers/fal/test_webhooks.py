"""fal.ai's knocks: which are genuine, and how often its keys are asked for."""

import httpx
import pytest

from bot.errors import ProviderBroken, ProviderUnreachable
from bot.providers.caching import Cache
from bot.providers.fal.provider import FalProvider
from bot.providers.signatures import NotGenuine
from tests.providers.benches.fal import provider_for
from tests.providers.clock import Clock
from tests.simulators.fal import KEYS, Fal, FalTask
from tests.simulators.service import BAD_GATEWAY, RESET, answers

NOW = 1_760_000_000.0


@pytest.fixture
def clock() -> Clock:
    return Clock(0.0)


@pytest.fixture
def fal(service: Fal, client: httpx.AsyncClient, clock: Clock) -> FalProvider:
    return provider_for(service, client, cache=Cache(now=clock))


@pytest.fixture
def task() -> FalTask:
    return FalTask(id="req-1", endpoint="fal-ai/flux/dev", body={"prompt": "a cat"}, webhook=None, may_run_again=True)


async def check(fal: FalProvider, delivery: tuple[dict[str, str], bytes], *, now: float = NOW) -> str:
    return await fal.check_webhook(*delivery, secret="ours, which fal never hears of", now=now)


def asked_for_keys(service: Fal) -> int:
    return service.count("GET", "/.well-known/jwks.json")


async def test_a_genuine_delivery_answers_its_request_id(fal: FalProvider, service: Fal, task: FalTask) -> None:
    assert await check(fal, service.delivery(task, now=NOW)) == "req-1"


async def test_the_keys_are_asked_for_once_a_day(fal: FalProvider, service: Fal, task: FalTask, clock: Clock) -> None:
    for clock.seconds in (0.0, 60.0, 86_399.0):
        await check(fal, service.delivery(task, now=NOW))
    assert asked_for_keys(service) == 1
    clock.seconds = 86_400.0
    await check(fal, service.delivery(task, now=NOW))
    assert asked_for_keys(service) == 2


async def test_new_keys_are_fetched_when_a_signature_fits_none(
    fal: FalProvider, service: Fal, task: FalTask, clock: Clock
) -> None:
    await check(fal, service.delivery(task, now=NOW))
    service.rotate_keys()
    for clock.seconds in (10.0, 20.0, 100.0):
        assert await check(fal, service.delivery(task, now=NOW)) == "req-1"
    assert asked_for_keys(service) <= 3


async def test_a_stranger_makes_it_ask_once_a_minute_at_most(
    fal: FalProvider, service: Fal, task: FalTask, clock: Clock
) -> None:
    headers, body = service.delivery(task, now=NOW)
    for second in range(120):
        clock.seconds = float(second)
        with pytest.raises(NotGenuine):
            await check(fal, (headers, body + b" "))
    assert asked_for_keys(service) == 1 + 2


@pytest.mark.parametrize(
    "missing",
    [f"x-fal-webhook-{name}" for name in ("request-id", "user-id", "timestamp", "signature")],
)
async def test_a_delivery_without_all_its_headers_is_not_genuine(
    fal: FalProvider, service: Fal, task: FalTask, missing: str
) -> None:
    headers, body = service.delivery(task, now=NOW)
    del headers[missing]
    with pytest.raises(NotGenuine):
        await check(fal, (headers, body))


async def test_an_old_delivery_is_not_genuine(fal: FalProvider, service: Fal, task: FalTask) -> None:
    with pytest.raises(NotGenuine):
        await check(fal, service.delivery(task, now=NOW - 301))


async def test_keys_that_cannot_be_had_are_no_verdict_on_a_delivery(
    fal: FalProvider, service: Fal, task: FalTask
) -> None:
    service.order(KEYS, *[BAD_GATEWAY, RESET] * 2)
    with pytest.raises(ProviderUnreachable):
        await check(fal, service.delivery(task, now=NOW))
    assert await check(fal, service.delivery(task, now=NOW)) == "req-1"


@pytest.mark.parametrize("body", ["text", [], {}, {"keys": []}, {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "!"}]}])
async def test_keys_that_make_no_sense_are_broken(fal: FalProvider, service: Fal, task: FalTask, body: object) -> None:
    service.order(KEYS, answers(200, body))
    with pytest.raises(ProviderBroken):
        await check(fal, service.delivery(task, now=NOW))


async def test_a_stranger_cannot_make_it_ask_more_while_the_keys_cannot_be_had(
    fal: FalProvider, service: Fal, task: FalTask
) -> None:
    await check(fal, service.delivery(task, now=NOW))
    headers, body = service.delivery(task, now=NOW)
    service.order(KEYS, *[BAD_GATEWAY] * 4)
    for _ in range(10):
        with pytest.raises(NotGenuine):
            await check(fal, (headers, body + b" "))
    assert asked_for_keys(service) == 1 + 4


async def test_the_simulator_knocks_where_it_was_told_to(fal: FalProvider, service: Fal) -> None:
    """What arrives there, signed by fal, is taken for genuine."""
    async with Fal(polls=None) as listener:
        task = FalTask(
            id="req-2", endpoint="fal-ai/flux/dev", body={}, webhook=f"{listener.url}/fal-ai/hook", may_run_again=True
        )
        assert await service.knock(task, now=NOW) == 401
        received = listener.requests[-1]
        listener.broken_promises.clear()
        assert await check(fal, (dict(received.headers), received.body)) == "req-2"
