"""Replicate as its tests meet it: the bench of the promise suite, and the service behind it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.providers.benches.replicate import ReplicateBench, open_bench
from tests.simulators.replicate import ReplicateSimulator


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[ReplicateBench]:
    async with open_bench(tmp_path) as bench:
        yield bench


@pytest.fixture
def service(bench: ReplicateBench) -> ReplicateSimulator:
    return bench.simulator
