"""Fakes, each written once. They remember what happened and refuse what the real thing refuses."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from bot.errors import ProviderError, ProviderGone, ProviderRefused
from bot.providers.card import CaptionerCard, Price, ProviderCard
from bot.providers.tasks import (
    FetchedPictures,
    Finished,
    GenerationRequest,
    Stopped,
    Task,
    TaskState,
    TrainedWeights,
    TrainingRequest,
    Working,
)
from storage.database import now_ms
from storage.outages import Outage
from storage.statuses import Message
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
        self._endings: list[ProviderError] = []
        self._ended: dict[str, ProviderError] = {}
        self.cannot_be_stopped = False
        self.cancelled: list[str] = []
        self.laid_out = 0
        self.tidied = 0
        self.withholds = 0
        self.described: list[str] = []

    @property
    def card(self) -> ProviderCard:
        return self._card

    def fail_next(self, call: str, *errors: ProviderError) -> None:
        self._failures[call] += errors

    def end_next(self, *errors: ProviderError) -> None:
        """The next tasks that are looked at end without a result."""
        self._endings += errors

    def deadline(self, seconds: float) -> None:
        self._change_trainers(deadline_seconds=seconds)

    def costs(self, usd: float) -> None:
        self._change_trainers(price=Price(once=usd))

    def describes_pictures(self, *, usd: float | None = 0.25) -> None:
        captioner = CaptionerCard(title="Fake describer", usd_per_caption=usd)
        self._card = replace(self._card, captioner=captioner)

    def _change_trainers(self, **changes: Any) -> None:
        trainers = tuple(replace(trainer, **changes) for trainer in self._card.trainers)
        self._card = replace(self._card, trainers=trainers)

    def accepted(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self._ledger.read_text().splitlines()] if self._ledger.exists() else []

    async def refresh(self) -> None:
        self._fail("refresh")

    async def prepare_training(self, request: TrainingRequest) -> dict[str, str]:
        self._fail("prepare")
        self.laid_out += 1
        return {"version": "1"}

    async def tidy_training(self, prepared: Mapping[str, Any]) -> None:
        assert prepared == {"version": "1"}
        self.tidied += 1

    async def submit_training(self, request: TrainingRequest) -> Task:
        self._fail("submit")
        if not request.dataset.is_file():
            raise ProviderRefused("The dataset is not there.")
        return self._accept(request.job_id)

    async def submit_generation(self, request: GenerationRequest) -> Task:
        self._fail("submit")
        if request.model is None or request.model.weights is None or not request.model.weights.is_file():
            raise ProviderRefused("The weights are not there.")
        return self._accept(
            f"{request.job_id}/{request.part}" if request.part else request.job_id, pictures=str(request.count)
        )

    def _accept(self, job_id: str, **more: str) -> Task:
        task_id = f"task-{len(self.accepted()) + 1}"
        with self._ledger.open("a") as ledger:
            ledger.write(json.dumps({"job": job_id, "task": task_id, **more}) + "\n")
        self._fail("accepted")
        return Task(id=task_id, links={"status": f"https://fake.example/{task_id}"})

    def _fail(self, call: str) -> None:
        if self._failures[call]:
            raise self._failures[call].pop(0)

    async def find(self, request: TrainingRequest | GenerationRequest, *, since: float) -> list[Task]:
        self._fail("find")
        part = request.part if isinstance(request, GenerationRequest) else 0
        meant = f"{request.job_id}/{part}" if part else request.job_id
        return [Task(id=line["task"]) for line in self.accepted() if line["job"] == meant]

    async def attach(self, request: TrainingRequest | GenerationRequest, task_id: str) -> Task:
        self._fail("attach")
        if not any(line["task"] == task_id and line["job"] == request.job_id for line in self.accepted()):
            raise ProviderGone("There is no such task: copy its id again.")
        return Task(id=task_id)

    async def check(self, task: Task) -> TaskState:
        self._fail("check")
        task_id = task.id
        if not any(line["task"] == task_id for line in self.accepted()):
            raise ProviderRefused(f"No task {task_id}.")
        if self._endings:
            self._ended[task_id] = self._endings.pop(0)
        if task_id in self._ended:
            return Stopped(error=self._ended[task_id])
        self._checks[task_id] += 1
        if self._checks[task_id] > self._checks_until_finished:
            return Finished()
        return Working(progress=self._checks[task_id] / (self._checks_until_finished + 1), seconds_left=1.0)

    async def cancel(self, task: Task) -> bool:
        self._fail("cancel")
        if self.cannot_be_stopped:
            return False
        self.cancelled.append(task.id)
        return True

    async def fetch_weights(self, task: Task, into: Path) -> TrainedWeights:
        self._fail("fetch")
        path = into / "weights"
        path.write_bytes(f"weights of {task.id}".encode())
        return TrainedWeights(path=path, remote={"version": task.id})

    async def fetch_pictures(self, task: Task, into: Path) -> FetchedPictures:
        self._fail("fetch")
        count = next(int(line["pictures"]) for line in self.accepted() if line["task"] == task.id) - self.withholds
        paths = [into / f"{number}.png" for number in range(count)]
        for number, path in enumerate(paths):
            Image.new("RGB", (8, 8), (number, len(task.id), hash(task.id) % 256)).save(path)
        return FetchedPictures(paths=paths, withheld=self.withholds)

    async def caption(self, picture: Path) -> str:
        """`described` holds the name of each that was paid for."""
        self._fail("caption")
        if not picture.is_file():
            raise ProviderRefused("The picture is not there.")
        self.described.append(picture.name)
        self._fail("described")
        return f"picture {picture.name[:8]}"

    async def close(self) -> None:
        pass


class Minutes:
    """A clock of milliseconds that runs as the real one does, and can be set forward."""

    def __init__(self) -> None:
        self._ahead_ms = 0

    def __call__(self) -> int:
        return now_ms() + self._ahead_ms

    def forward(self, minutes: float) -> None:
        self._ahead_ms += int(minutes * 60_000)


class FakeAnnouncer:
    """Channels that keep what was said about outages, merged by its nonce as Discord does. It refuses to say that
    something is back that it never said."""

    def __init__(self) -> None:
        self.posted: list[tuple[int, str]] = []
        self._nonces: dict[tuple[int, int], int] = {}
        self.edited: list[tuple[int, str, int]] = []
        self.refuses = False

    async def say_out(self, channel_id: int, title: str, outage: Outage) -> int | None:
        if self.refuses:
            return None
        nonce = (channel_id, outage.id)
        if nonce not in self._nonces:
            self.posted.append((channel_id, title))
            self._nonces[nonce] = len(self.posted)
        return self._nonces[nonce]

    async def say_back(self, channel_id: int, message_id: int, title: str, outage: Outage, jobs: int) -> None:
        assert self.posted[message_id - 1] == (channel_id, title)
        assert outage.ended_ms is not None
        self.edited.append((channel_id, title, jobs))


class FakeSender:
    """Direct messages and channels, as Discord keeps them; the next `failures` of them are refused."""

    def __init__(self, *owners: int) -> None:
        self.sent: list[tuple[str, int, str]] = []
        self.failures = 0
        self._owners = owners

    async def write_to_person(self, person_id: int, text: str) -> bool:
        return self._send("person", person_id, text)

    async def write_in_channel(self, channel_id: int, text: str) -> bool:
        return self._send("channel", channel_id, text)

    async def owners(self) -> tuple[int, ...]:
        return () if self._fails() else self._owners

    def _send(self, kind: str, to: int, text: str) -> bool:
        assert text
        if self._fails():
            return False
        self.sent.append((kind, to, text))
        return True

    def _fails(self) -> bool:
        self.failures -= 1
        return self.failures >= 0


class FakeCards:
    """Stands where the notifier stands and remembers; a repeated delivery is what Discord's nonce would merge."""

    def __init__(self) -> None:
        self.refreshed: list[str] = []
        self.delivered: list[str] = []
        self.announced: list[Message] = []
        self.failures: list[Exception] = []

    async def refresh(self, job_id: str) -> None:
        self.refreshed.append(job_id)

    async def refresh_soon(self, job_id: str) -> None:
        self.refreshed.append(job_id)

    async def deliver(self, job_id: str, message: Message) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.announced.append(message)
        self.delivered.append(job_id)
