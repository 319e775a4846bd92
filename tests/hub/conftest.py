"""A strict Hub on the loopback, ours that speaks to it, and one call that publishes."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from bot.hub.hub import Hub, Publication
from tests.hub.stage import JOB, MODEL, PNG, REPO, a_hub
from tests.simulators.hub import HubSimulator


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
def weights(tmp_path: Path) -> Path:
    save_file({"lora.up": np.ones((4, 4), dtype=np.float32)}, path := tmp_path / "weights.safetensors")
    return path


@pytest.fixture
def publish(hub: Hub, weights: Path, tmp_path: Path) -> Callable[..., Any]:
    picture = tmp_path / "one.png"
    picture.write_bytes(PNG)

    async def publish(**changes: Any) -> Publication:
        asked = {"repo_name": REPO, "model": MODEL, "weights": weights, "job_id": JOB, "private": True}
        return await hub.publish(**{**asked, "sample_files": [picture], **changes})

    return publish
