"""Each name in PROVIDERS opens to its provider, with its own settings, and no key shows."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from bot.errors import ProviderError
from bot.opening import OPENERS, Opening, open_provider
from bot.providers.bfl.provider import BflProvider
from bot.providers.contract import Provider
from bot.providers.fal.provider import FalProvider
from bot.providers.local.provider import LocalProvider
from bot.providers.replicate.provider import ReplicateProvider
from bot.providers.together.provider import TogetherProvider
from bot.settings import KNOWN_PROVIDERS
from tests.builders import settings

KINDS = {
    "fal": FalProvider,
    "replicate": ReplicateProvider,
    "bfl": BflProvider,
    "together": TogetherProvider,
    "local": LocalProvider,
}
REMOTE = sorted(set(KINDS) - {"local"})
KEYS = {name: f"secret-key-of-{name}" for name in REMOTE}
VARIABLES = {
    "FAL_KEY": KEYS["fal"],
    "FAL_QUEUE_URL": "https://fal.example/queue",
    "REPLICATE_API_TOKEN": KEYS["replicate"],
    "REPLICATE_API_URL": "https://replicate.example/v1",
    "REPLICATE_OWNER": "atelier-owner",
    "BFL_API_KEY": KEYS["bfl"],
    "BFL_API_URL": "https://bfl.example",
    "TOGETHER_API_KEY": KEYS["together"],
    "TOGETHER_API_URL": "https://together.example/v1",
}


@dataclass
class Bench:
    """What there is to open with, and what came over the wire."""

    opening: Opening
    asked: list[httpx.Request] = field(default_factory=list)

    def open(self, name: str) -> Provider:
        return open_provider(name, self.opening)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(401, json={"detail": "no"})

    hosts = frozenset(f"{name}.example" for name in REMOTE)
    with ThreadPoolExecutor(1) as pool:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            chosen = settings(tmp_path, **VARIABLES)
            yield Bench(Opening(settings=chosen, client=client, extra_hosts=hosts, pool=pool), asked)


def test_every_known_name_has_its_opener() -> None:
    assert set(OPENERS) == set(KNOWN_PROVIDERS) == set(KINDS)


@pytest.mark.parametrize("name", KINDS)
async def test_a_name_opens_to_its_own_provider(bench: Bench, name: str) -> None:
    provider = bench.open(name)
    assert type(provider) is KINDS[name]
    assert provider.card.name == name
    assert bench.asked == [], "opening asks nobody anything"
    await provider.close()


@pytest.mark.parametrize("name", REMOTE)
async def test_a_provider_asks_at_its_own_address_with_its_own_key(bench: Bench, name: str) -> None:
    provider = bench.open(name)
    with suppress(ProviderError):
        await provider.refresh()
    assert bench.asked
    for request in bench.asked:
        assert request.url.host == f"{name}.example"
        assert request.url.scheme == "https"
    assert any(KEYS[name] in value for request in bench.asked for value in request.headers.values())
    others = [key for owner, key in KEYS.items() if owner != name]
    assert not any(key in value for key in others for one in bench.asked for value in one.headers.values())
    await provider.close()


@pytest.mark.parametrize("name", KINDS)
async def test_no_key_shows_in_what_was_opened(bench: Bench, name: str) -> None:
    provider = bench.open(name)
    for shown in (repr(provider), str(provider), repr(provider.card), repr(bench.opening), f"{vars(provider)}"):
        assert "secret-key-of" not in shown
    await provider.close()


async def test_the_local_provider_works_below_the_data_directory(bench: Bench, tmp_path: Path) -> None:
    provider = bench.open("local")
    assert isinstance(provider, LocalProvider)
    assert provider._folders._home == tmp_path / "local"
    await provider.close()


@pytest.mark.parametrize(("said", "trains"), [("true", True), ("false", False)])
async def test_the_old_training_of_bfl_is_there_only_where_it_was_asked_for(
    bench: Bench, tmp_path: Path, said: str, trains: bool
) -> None:
    chosen = settings(tmp_path, **VARIABLES, BFL_LEGACY_FINETUNE=said)
    opening = Opening(settings=chosen, client=bench.opening.client, extra_hosts=frozenset(), pool=bench.opening.pool)
    card = open_provider("bfl", opening).card
    assert bool(card.trainers) is trains
    assert bool(card.no_training) is not trains
