"""fal.ai as its tests meet it: nothing there goes on by being looked at unless a test says so."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.providers.fal.provider import FalProvider
from bot.providers.tasks import TrainingRequest
from tests.dataset_files import photo_zip
from tests.providers.benches.fal import a_training, provider_for
from tests.simulators.fal import Fal


@pytest.fixture
async def service() -> AsyncIterator[Fal]:
    async with Fal(polls=None) as service:
        yield service


@pytest.fixture
def fal(service: Fal, client: httpx.AsyncClient) -> FalProvider:
    return provider_for(service, client)


@pytest.fixture
def training(tmp_path: Path) -> TrainingRequest:
    return a_training(photo_zip(tmp_path / "dataset.zip", 4))
