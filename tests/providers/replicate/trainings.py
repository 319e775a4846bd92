"""A training on Replicate, step by step: asked for, prepared, submitted."""

from dataclasses import replace
from typing import Any

from bot.providers.tasks import Task, TrainingRequest
from tests.providers.benches.replicate import ReplicateBench


def asked(bench: ReplicateBench, **changes: Any) -> TrainingRequest:
    """A training request; names of settings go into its settings."""
    request = bench.training("job-1")
    assert request is not None
    settings = {name: value for name, value in changes.items() if hasattr(request.settings, name)}
    others = {name: value for name, value in changes.items() if name not in settings}
    return replace(request, settings=replace(request.settings, **settings), **others)


async def prepared(bench: ReplicateBench, **changes: Any) -> TrainingRequest:
    request = asked(bench, **changes)
    return replace(request, prepared=await bench.provider.prepare_training(request))


async def submitted(bench: ReplicateBench, **changes: Any) -> Task:
    return await bench.provider.submit_training(await prepared(bench, **changes))
