"""A deadline is what the card declares, and shorter once own history knows better."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.workflows.deadlines import FEWEST, PATIENCE, deadline_of, learnt_deadline
from storage.database import Database
from storage.history import begin_stage, end_stage
from storage.jobs import add_job
from storage.statuses import Stage, StageOutcome
from tests.builders import finetune_job


def test_a_few_runs_say_nothing_yet() -> None:
    assert learnt_deadline([1.0] * (FEWEST - 1), declared_seconds=3600) == 3600


def test_many_runs_shorten_it_to_several_times_the_slow_ones() -> None:
    runs = [60.0] * 19 + [100.0]
    assert learnt_deadline(runs, declared_seconds=3600) == pytest.approx(PATIENCE * 60.0)
    assert learnt_deadline([*runs, 100.0], declared_seconds=3600) == pytest.approx(PATIENCE * 100.0)


@given(st.lists(st.floats(0, 1e6), max_size=60), st.floats(1, 1e5))
def test_it_is_never_longer_than_declared_and_never_hasty(runs: list[float], declared: float) -> None:
    assert declared * 0.1 <= learnt_deadline(runs, declared_seconds=declared) <= declared


async def test_it_is_learnt_from_the_stages_of_the_same_provider(sqlite: Database) -> None:
    job = finetune_job()
    async with sqlite.writing() as connection:
        for number in range(FEWEST):
            done = finetune_job(id=str(2000 + number))
            await add_job(connection, done)
            await begin_stage(connection, done, Stage.TRAINING)
            await end_stage(connection, done, Stage.TRAINING, StageOutcome.DONE, result={})
    declared = {"declared_seconds": 3600.0}
    assert await deadline_of(sqlite, job, Stage.TRAINING, **declared) == pytest.approx(360.0)
    assert await deadline_of(sqlite, job, Stage.ARCHIVED, **declared) == 3600.0
    assert await deadline_of(sqlite, finetune_job(provider="elsewhere"), Stage.TRAINING, **declared) == 3600.0
