"""The bench of fal.ai keeps what it says: each mishap happens as it is named, and the service obeys its hand."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import (
    ProviderBroken,
    ProviderError,
    ProviderModerated,
)
from bot.providers.contract import Cancels, Generates, Knocks, Trains
from bot.providers.tasks import Finished, Stopped, Task, Working
from tests.providers.benches.bench import Bench, Mishap, each_mishap
from tests.providers.benches.fal import FalBench, open_bench


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[FalBench]:
    async with open_bench(tmp_path / "bench") as bench:
        yield bench


@each_mishap
@pytest.mark.parametrize("kind", ["training", "generation", "generation with a model"])
async def test_a_mishap_has_its_meaning_and_the_next_submission_none(
    bench: FalBench, mishap: Mishap, error: type[ProviderError], paid: int, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="bot")
    assert bench.cause(mishap)
    with pytest.raises(error):
        await submit(bench, kind)
    assert bench.paid() == paid
    await submit(bench, kind)
    assert bench.paid() == paid + 1
    assert not any(secret in caplog.text for secret in bench.logs_must_not_hold)


async def test_its_service_finishes_fails_moderates_and_withholds(bench: FalBench, tmp_path: Path) -> None:
    fal: Bench = bench
    assert isinstance(fal.provider, Trains)
    assert isinstance(fal.provider, Generates)
    assert isinstance(fal.provider, Cancels)
    assert isinstance(fal.provider, Knocks)
    failing = await submit(bench, "training")
    assert fal.fail_everything()
    moderated = await submit(bench, "generation")
    assert fal.moderate_everything()
    assert fal.withhold_one_picture()
    request = fal.generation("job", with_model=True, count=2)
    assert request is not None
    finishing = await fal.provider.submit_generation(request)
    assert fal.stop_answering_once()
    assert isinstance(await fal.provider.check(finishing), Working)
    await fal.finish()
    assert await fal.provider.check(finishing) == Finished()
    fetched = await fal.provider.fetch_pictures(finishing, tmp_path)
    assert (len(fetched.paths), fetched.withheld) == (1, 1)
    for task, meaning in ((failing, ProviderBroken), (moderated, ProviderModerated)):
        state = await fal.provider.check(task)
        assert isinstance(state, Stopped)
        assert type(state.error) is meaning


async def submit(bench: FalBench, kind: str) -> Task:
    if kind == "training":
        training = bench.training("job-1")
        assert training is not None
        assert isinstance(bench.provider, Trains)
        return await bench.provider.submit_training(training)
    generation = bench.generation("job-2", with_model=kind.endswith("model"))
    assert generation is not None
    assert isinstance(bench.provider, Generates)
    return await bench.provider.submit_generation(generation)
