"""The short storm: the bot is killed at random while the network misbehaves, and nothing is lost, paid or told twice.

`python -m tests.faults.run` is the long one; docs/RELIABILITY.md says what both prove.
"""

from pathlib import Path

import pytest

from tests.faults.harness import Storm
from tests.faults.people import CELLS
from tests.faults.report import Report
from tests.simulators.hub import LFS_WARNING

pytestmark = [pytest.mark.timeout(400), pytest.mark.filterwarnings(LFS_WARNING)]

KILLS = 30
STAGES = frozenset({"received", "prepared", "training", "generating", "archived"})


async def test_nothing_is_lost_and_nothing_happens_twice(tmp_path: Path) -> None:
    report = await Storm(tmp_path, kills=KILLS, seed=20, stages=STAGES).run()
    assert report.problems == []
    assert report.kills.total() >= KILLS
    assert workflows_and_providers(report) == set(CELLS)
    assert report.idle_kills < report.kills.total() / 3, "most kills meet a job at work"
    assert {key.split(" / ")[2] for key in report.hit} >= STAGES
    assert {key.partition(" / ")[0] for key in report.faults} >= {"discord", "replicate", "fal", "bfl"}
    assert done(report) > report.jobs / 2, "they do not come to rest by giving up"


async def test_nor_on_postgres(tmp_path: Path, postgres_url: str) -> None:
    report = await Storm(tmp_path, kills=6, seed=5, database_url=postgres_url).run()
    assert report.problems == []
    assert report.kills.total() == 6
    assert done(report) > 0


def workflows_and_providers(report: Report) -> set[tuple[str, ...]]:
    return {tuple(key.split(" / ")[:2]) for key in report.outcomes}


def done(report: Report) -> int:
    return sum(times for key, times in report.outcomes.items() if key.endswith(" / done"))
