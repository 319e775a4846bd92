"""The workflows on a real database and a real engine, with a fake provider; can crash and start again."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import httpx

from bot.datasets.limits import DatasetLimits
from bot.downloads import Upload
from bot.fetching import Written
from bot.hub.hub import Hub
from bot.providers.contract import Provider
from bot.webhooks import Hooks
from bot.wiring import Workflows, build_workflows
from bot.workflows.engine import Engine
from bot.workflows.wakeups import Wakeups
from storage.database import Database
from storage.datasets import Dataset, find_dataset
from storage.files import Files
from storage.history import StageEvent, history_of
from storage.jobs import Job, find_job
from storage.objects import Objects
from storage.statuses import JobStatus, Stage
from tests.fakes import FakeAnnouncer, FakeCards, FakeProvider, FakeSender, Minutes
from tests.resources import resources_with

OWNER = 7


class FolderDownloads:
    """Hands out files from a folder where the real thing asks Discord's CDN."""

    def __init__(self) -> None:
        self.fetched = 0

    async def fetch(self, url: str, into: Path, *, max_bytes: int) -> Written:
        self.fetched += 1
        content = Path(url).read_bytes()
        assert len(content) <= max_bytes
        into.write_bytes(content)
        return Written(size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


class Workshop:
    def __init__(
        self, database: Database, folder: Path, pool: Executor, *, variables: dict[str, str] | None = None
    ) -> None:
        self.database = database
        self.files = Files(folder / "files")
        self.provider = FakeProvider(folder / "provider")
        self.cards = FakeCards()
        self.announcer = FakeAnnouncer()
        self.sender = FakeSender(OWNER)
        self.clock_ms = Minutes()
        self.downloads = FolderDownloads()
        self.other_providers: list[Provider] = []
        self.objects: Objects | None = None
        self.hub = Hub(endpoint="http://127.0.0.1:9")
        self.limits = DatasetLimits()
        self.hooks = Hooks(public_url=None, key="key")
        self._client = httpx.AsyncClient()
        self._folder = folder
        self._pool = pool
        self._variables = variables
        self._pace: Callable[[float], Awaitable[None]] = self._no_pause
        self.engine: Engine
        self.do: Workflows

    async def _no_pause(self, _seconds: float) -> None:
        await asyncio.sleep(0.005)

    async def start(self) -> None:
        self.engine = Engine(self.database)
        resources = resources_with(
            self.provider,
            *self.other_providers,
            folder=self._folder,
            database=self.database,
            files=self.files,
            pool=self._pool,
            client=self._client,
            variables=self._variables,
            downloads=self.downloads,
            hooks=self.hooks,
            objects=self.objects,
            hub=self.hub,
            limits=self.limits,
            sleep=self._pace,
            wakeups=Wakeups(self._pace),
            now_ms=self.clock_ms,
        )
        resources.operators.speak_through(self.sender)
        self.do = build_workflows(resources, self.engine, self.cards, self.announcer)
        await self.engine.start()

    async def crash(self) -> None:
        """Everything in memory is gone; nothing more is written."""
        await self.engine.stop()

    async def close(self) -> None:
        await self.engine.stop()
        await self._client.aclose()
        self.files.close()

    async def job(self, job_id: str) -> Job:
        async with self.database.reading() as connection:
            job = await find_job(connection, job_id)
        assert job is not None
        return job

    async def undo(self, dataset_id: str, person_id: int) -> Dataset:
        """As its person presses Undo on the card that shows the dataset as it is."""
        async with self.database.reading() as connection:
            dataset = await find_dataset(connection, dataset_id)
        assert dataset is not None
        return await self.do.datasets.undo(dataset_id, person_id, dataset.last_step)

    async def history(self, job_id: str) -> list[StageEvent]:
        async with self.database.reading() as connection:
            return await history_of(connection, job_id)

    def hang(self, *, job_id: str, stage: Stage, owner: str, call: str, moment: str) -> "Hanging":
        """Hangs the next `owner.call` of that stage, `before` its effect or `after` it, as a crash would find it."""
        target = getattr(self, owner)
        hanging = Hanging(target, call)

        async def hang(*arguments: Any, **options: Any) -> Any:
            events = await self.history(job_id)
            if not events or events[-1].stage is not stage or events[-1].ended_ms is not None:
                return await hanging.real(*arguments, **options)
            if moment == "after":
                await hanging.real(*arguments, **options)
            hanging.reached.set()
            return await asyncio.Event().wait()

        setattr(target, call, hang)
        return hanging

    def hang_any(self, owner: str, call: str) -> "Hanging":
        """Hangs every `owner.call` from now on, before its effect."""
        target = getattr(self, owner)
        hanging = Hanging(target, call)

        async def hang(*_arguments: Any, **_options: Any) -> Any:
            hanging.reached.set()
            return await asyncio.Event().wait()

        setattr(target, call, hang)
        return hanging

    async def until(self, job_id: str, *statuses: JobStatus, seconds: float = 20.0) -> Job:
        async with asyncio.timeout(seconds):
            while (job := await self.job(job_id)).status not in statuses:
                await asyncio.sleep(0.02)
        return job


class Hanging:
    """A call that hangs until it is let go."""

    def __init__(self, target: Any, call: str) -> None:
        self._target = target
        self._call = call
        self.real = getattr(target, call)
        self.reached = asyncio.Event()

    def let_go(self) -> None:
        setattr(self._target, self._call, self.real)


def upload(path: Path) -> Upload:
    return Upload(url=str(path), name=path.name, size_bytes=path.stat().st_size)
