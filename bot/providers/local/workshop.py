"""Where the local provider's accepted tasks are worked on: one asyncio task each, the heavy units in the pool."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from bot.pictures import learning, palette
from bot.pictures.learnt import WeightsUnreadable
from bot.providers.local import work
from bot.providers.local.failures import FailuresLeft
from bot.providers.local.tasks import TRAINING, Ending, LocalTask, TaskFolders, write_durably
from bot.providers.tasks import Working
from storage.trouble import trouble_of

logger = logging.getLogger(__name__)

PACE_SECONDS = 0.25

Given = ParamSpec("Given")
Result = TypeVar("Result")


class TaskEnded(Exception):
    """The task has ended while it was being worked on: cancelled, or failed on request."""


@dataclass(kw_only=True)
class Running:
    """A task at work in this process; changes while it runs, which is why it is not frozen."""

    worker: asyncio.Task[None]
    started_at: float  # by the clock that nobody sets
    age: float  # seconds from its acceptance to that moment
    first_progress: float
    progress: float


class Workshop:
    """`seconds` by kind stretch the work to at least that long since its acceptance, with smooth progress.

    `now` is the time of day in seconds; while a task runs here, `steady` measures, which no correction moves.
    """

    def __init__(
        self,
        *,
        folders: TaskFolders,
        pool: Executor,
        seconds: Mapping[str, float],
        failures: FailuresLeft,
        sleep: Callable[[float], Awaitable[None]],
        now: Callable[[], float],
        steady: Callable[[], float],
    ) -> None:
        self._folders = folders
        self._pool = pool
        self._seconds = seconds
        self._failures = failures
        self._sleep = sleep
        self._now = now
        self._steady = steady
        self._running: dict[str, Running] = {}

    def start(self, task: LocalTask, progress: float) -> Working:
        """How the task is doing here; it starts, or goes on from `progress`, unless it is already at work."""
        running = self._running.get(task.task_id)
        if running is None or running.worker.cancelled():
            worker = asyncio.create_task(self._run(task), name=task.task_id)
            running = Running(
                worker=worker,
                started_at=self._steady(),
                age=max(0.0, self._now() - task.accepted_at),
                first_progress=progress,
                progress=progress,
            )
            self._running[task.task_id] = running
        return self._working(running, self._seconds[task.kind])

    async def collapsed(self, task: LocalTask) -> None:
        """An error nobody foresaw ends the task, so that it is not tried again for ever."""
        running = self._running.get(task.task_id)
        if running is None or not running.worker.done() or running.worker.cancelled():
            return
        error = running.worker.exception()
        if error is None:
            return
        if trouble_of(error) is not None:  # our disk's fault and not the task's: `start` begins it again
            self.forget(task.task_id)
            return
        logger.error("local task %s collapsed", task.task_id, exc_info=error)
        await self._end(task, Ending(meaning="broken"))

    def forget(self, task_id: str) -> None:
        """The task has ended and its ending is known."""
        self._running.pop(task_id, None)

    async def close(self) -> None:
        """Put everything down where it is; nothing ends by that."""
        workers = [running.worker for running in self._running.values()]
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    def _working(self, running: Running, seconds: float) -> Working:
        made = running.progress - running.first_progress
        rate = made / max(self._steady() - running.started_at, 1e-3)
        rest = 1 - running.progress
        left = seconds * rest if seconds else (rest / rate if rate > 0 else None)
        return Working(progress=running.progress, note="offline preview", seconds_left=left)

    async def _run(self, task: LocalTask) -> None:
        story = self._train if task.kind == TRAINING else self._generate
        try:
            await story(task, self._failures.take(task.kind))
            await self._end(task, Ending())
        except TaskEnded:
            return
        except work.DatasetUnreadable as error:
            await self._end(task, Ending(meaning="refused", sentence=str(error)))
        except WeightsUnreadable as error:
            await self._end(task, Ending(meaning="refused", sentence=f"The weights cannot be used: {error}."))
        except BrokenExecutor:
            await self._end(task, Ending(meaning="broken"))

    async def _train(self, task: LocalTask, doom: str | None) -> None:
        dataset, settings = self._folders.needed_file(task), task.request
        names = await self._in_pool(work.picture_names, dataset)
        chunks = range(0, settings["iterations"], learning.CHUNK)
        units = len(names) + len(chunks) + 1
        look_at = work.look_at_and_describe if settings["captioning"] else work.look_at
        looks = []
        for name in names:
            looks.append(await self._in_pool(look_at, dataset, name, len(names)))
            await self._advance(task, len(looks) / units, doom)
        samples = await asyncio.to_thread(learning.gather, looks)
        colours = await self._in_pool(palette.first_palette, samples)
        for done, first in enumerate(chunks, len(looks) + 1):
            last = min(first + learning.CHUNK, settings["iterations"])
            colours = await self._in_pool(palette.refine, samples, colours, first=first, last=last)
            await self._advance(task, done / units, doom)
        wanted = {name: settings[name] for name in ("mode", "trigger_word", "iterations")}
        content = await self._in_pool(learning.finish, looks, colours, **wanted)
        await self._keep(task, "weights.zip", content)
        await self._advance(task, 1.0, doom)

    async def _generate(self, task: LocalTask, doom: str | None) -> None:
        """Pictures that an earlier process had finished are not painted again."""
        orders = work.orders(task.request, task.request["count"])
        for order in orders:
            name = f"picture-{order.index}.png"
            if not self._folders.result_file(task.task_id, name).exists():
                content = await self._in_pool(work.paint_png, self._folders.needed_file(task), order)
                await self._keep(task, name, content)
            await self._advance(task, (order.index + 1) / len(orders), doom)

    async def _advance(self, task: LocalTask, share: float, doom: str | None) -> None:
        """A unit is done: remember it, wait where the work is stretched, stop where the task has ended meanwhile."""
        seconds = self._seconds[task.kind]
        running = self._running[task.task_id]
        while True:
            if await asyncio.to_thread(self._folders.ending, task.task_id):
                raise TaskEnded
            elapsed = running.age + self._steady() - running.started_at
            paced = min(share, elapsed / seconds) if seconds else share
            progress = max(running.progress, paced)
            await asyncio.to_thread(self._folders.write_progress, task.task_id, progress)
            running.progress = progress  # shown only once it is on disk, so that a crash never takes it back
            if doom and paced > 0.499:
                await self._end(task, Ending(meaning=doom))
                raise TaskEnded
            wait = share * seconds - elapsed
            if wait < 1e-3:
                return
            await self._sleep(min(PACE_SECONDS, wait))

    async def _keep(self, task: LocalTask, name: str, content: bytes) -> None:
        await asyncio.to_thread(write_durably, self._folders.result_file(task.task_id, name), content)

    async def _end(self, task: LocalTask, ending: Ending) -> None:
        await asyncio.to_thread(self._folders.end, task.task_id, ending)

    async def _in_pool(self, unit: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> Result:
        return await asyncio.wrap_future(self._pool.submit(unit, *args, **kwargs))
