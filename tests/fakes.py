"""Fakes, each written once. They remember what happened and refuse what the real thing refuses."""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from bot.errors import ProviderError, ProviderRefused
from bot.providers.contract import (
    Finished,
    GenerationRequest,
    ProviderCard,
    TaskState,
    TrainingRequest,
    Working,
)
from tests.builders import CARD


class FakeProvider:
    """A provider that keeps its tasks on disk, as a remote one does, and does no work. A paid call is never merged."""

    def __init__(self, home: Path, *, card: ProviderCard = CARD, checks_until_finished: int = 2) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._ledger = home / "accepted.jsonl"
        self._card = card
        self._checks_until_finished = checks_until_finished
        self._checks: dict[str, int] = defaultdict(int)
        self._failures: dict[str, list[ProviderError]] = defaultdict(list)
        self.cancelled: list[str] = []

    @property
    def card(self) -> ProviderCard:
        return self._card

    def fail_next(self, call: str, *errors: ProviderError) -> None:
        self._failures[call] += errors

    def accepted(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self._ledger.read_text().splitlines()] if self._ledger.exists() else []

    async def submit_training(self, request: TrainingRequest) -> str:
        self._fail("submit")
        if not request.dataset.is_file():
            raise ProviderRefused("The dataset is not there.")
        return self._accept(request.job_id)

    async def submit_generation(self, request: GenerationRequest) -> str:
        self._fail("submit")
        if not request.weights.is_file():
            raise ProviderRefused("The weights are not there.")
        return self._accept(request.job_id, pictures=str(request.count))

    def _accept(self, job_id: str, **more: str) -> str:
        task_id = f"task-{len(self.accepted()) + 1}"
        with self._ledger.open("a") as ledger:
            ledger.write(json.dumps({"job": job_id, "task": task_id, **more}) + "\n")
        self._fail("accepted")
        return task_id

    def _fail(self, call: str) -> None:
        if self._failures[call]:
            raise self._failures[call].pop(0)

    async def find(self, job_id: str) -> str | None:
        self._fail("find")
        return next((line["task"] for line in self.accepted() if line["job"] == job_id), None)

    async def check(self, task_id: str) -> TaskState:
        self._fail("check")
        if not any(line["task"] == task_id for line in self.accepted()):
            raise ProviderRefused(f"No task {task_id}.")
        self._checks[task_id] += 1
        if self._checks[task_id] > self._checks_until_finished:
            return Finished()
        return Working(progress=self._checks[task_id] / (self._checks_until_finished + 1), seconds_left=1.0)

    async def cancel(self, task_id: str) -> bool:
        self.cancelled.append(task_id)
        return True

    async def fetch_weights(self, task_id: str, into: Path) -> Path:
        self._fail("fetch")
        path = into / "weights"
        path.write_bytes(f"weights of {task_id}".encode())
        return path

    async def fetch_pictures(self, task_id: str, into: Path) -> Sequence[Path]:
        self._fail("fetch")
        count = next(int(line["pictures"]) for line in self.accepted() if line["task"] == task_id)
        paths = [into / f"{number}.png" for number in range(count)]
        for number, path in enumerate(paths):
            path.write_bytes(f"picture {number} of {task_id}".encode())
        return paths

    async def close(self) -> None:
        pass


class FakeCards:
    """Stands where the notifier stands and remembers; a repeated delivery is what Discord's nonce would merge."""

    def __init__(self) -> None:
        self.refreshed: list[str] = []
        self.delivered: list[str] = []
        self.failures: list[Exception] = []

    async def refresh(self, job_id: str) -> None:
        self.refreshed.append(job_id)

    async def refresh_soon(self, job_id: str) -> None:
        self.refreshed.append(job_id)

    async def deliver(self, job_id: str) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.delivered.append(job_id)
