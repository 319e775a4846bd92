"""Two processes serve the same lanes on PostgreSQL: a provider's limits hold for both together."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from tests.workflows.lane_worker import LIMITED, SHARED, SHARED_JOBS


@contextmanager
def worker(url: str, name: str, log: Path) -> Iterator[IO[str]]:
    """What it reads."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.workflows.lane_worker", url, name, str(log)], stdin=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    try:
        yield process.stdin
    finally:
        process.communicate("\n", timeout=20)
    assert process.returncode == 0


def seen(log: Path, event: str, lane: str = "") -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [line for line in lines if line["event"] == event and line["job"].startswith(lane)]


async def until(log: Path, event: str, number: int, lane: str = "") -> None:
    async with asyncio.timeout(40):
        while len(seen(log, event, lane)) < number:
            await asyncio.sleep(0.05)


async def test_two_processes_together_stay_within_a_providers_limits(postgres_url: str, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.touch()
    with ExitStack() as workers:
        workers.enter_context(worker(postgres_url, "one", log))
        told = workers.enter_context(worker(postgres_url, "two", log))
        await until(log, "ready", 2)
        told.write("queue\n")
        told.flush()
        await until(log, "ended", SHARED_JOBS, SHARED.name)
        await until(log, "begun", 5, LIMITED.name)
    assert {line["worker"] for line in seen(log, "begun", SHARED.name)} == {"one", "two"}
    assert set(Counter(line["job"] for line in seen(log, "begun")).values()) == {1}, "each job is done once"
    assert 1 < most_at_once(log) <= SHARED.at_once
    assert len(seen(log, "begun", LIMITED.name)) == LIMITED.per_minute


def most_at_once(log: Path) -> int:
    begun, ended = ([line["at"] for line in seen(log, event, SHARED.name)] for event in ("begun", "ended"))
    return max(sum(other <= at for other in begun) - sum(other <= at for other in ended) for at in begun)
