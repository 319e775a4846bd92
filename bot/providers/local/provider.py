"""The embedded provider: needs no key and no network, and behaves like a durable remote service.

A task is accepted by the folder it gets (`local_tasks`). Whatever kills this process, asking after an accepted task
makes it run on here, and it is still the same task.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot.errors import OutcomeUnknown, ProviderBroken, ProviderBusy, ProviderRefused, ProviderUnreachable
from bot.providers.attaching import another, id_within, unknown
from bot.providers.card import ProviderCard
from bot.providers.checks import check_generation, check_training
from bot.providers.local import requests, work
from bot.providers.local.captions import Captioner
from bot.providers.local.failures import Failures, FailuresLeft, error_of
from bot.providers.local.meanings import disk_trouble_is, refusing
from bot.providers.local.tasks import GENERATION, TASK_ID, TRAINING, Ending, LocalTask, TaskFolders, copy_durably
from bot.providers.local.workshop import Workshop
from bot.providers.tasks import (
    FetchedPictures,
    Finished,
    GenerationRequest,
    Stopped,
    Task,
    TaskState,
    TrainedWeights,
    TrainingRequest,
)

logger = logging.getLogger(__name__)

CANCELLED = Ending(meaning="refused", sentence="This task was cancelled.")
NO_FAILURES = Failures()


class LocalProvider:
    """Trains, generates with a model, describes, lists, attaches, cancels.

    `*_seconds` stretch the work, with smooth progress.
    """

    def __init__(
        self,
        *,
        home: Path,
        pool: Executor,
        training_seconds: float = 0.0,
        generation_seconds: float = 0.0,
        failures: Failures = NO_FAILURES,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folders = TaskFolders(home)
        self._failures = FailuresLeft(failures)
        self._now = now
        self._workshop = Workshop(
            folders=self._folders,
            pool=pool,
            seconds={TRAINING: training_seconds, GENERATION: generation_seconds},
            failures=self._failures,
            sleep=sleep,
            now=now,
            steady=steady,
        )
        self._captioner = Captioner(pool=pool, failures=self._failures)
        self._accepting: set[asyncio.Task[str]] = set()

    @property
    def card(self) -> ProviderCard:
        return requests.CARD

    async def refresh(self) -> None:
        """Nothing here changes by itself."""

    async def prepare_training(self, request: TrainingRequest) -> Mapping[str, Any]:
        check_training(self.card, request)
        return {}

    async def tidy_training(self, prepared: Mapping[str, Any]) -> None:
        """The dataset was read where it lies."""

    async def submit_training(self, request: TrainingRequest) -> Task:
        check_training(self.card, request)
        with refusing():
            names = await asyncio.to_thread(work.picture_names, request.dataset)
        requests.check_dataset(len(names), request.image_count)
        return await self._submit(request.job_id, TRAINING, asdict(request.settings), request.dataset)

    async def submit_generation(self, request: GenerationRequest) -> Task:
        check_generation(self.card, request)
        assert request.model is not None, "checked above"
        if request.model.weights is None:
            raise ProviderRefused("The weights of this model are not here.")
        with refusing():
            await asyncio.to_thread(work.check_weights, request.model.weights)
        fields = {name: getattr(request, name) for name in ("prompt", "strength", "aspect_ratio", "count", "seed")}
        return await self._submit(_accepted_as(request), GENERATION, fields, request.model.weights)

    async def find(self, request: TrainingRequest | GenerationRequest, *, since: float) -> Sequence[Task]:
        """By `job_id` and `part` alone."""
        self._failures.strike("find")
        await asyncio.gather(*self._accepting, return_exceptions=True)
        with disk_trouble_is(ProviderUnreachable):
            tasks = await asyncio.to_thread(self._folders.find, _accepted_as(request), since=since)
        return [Task(id=task.task_id) for task in tasks]

    async def attach(self, request: TrainingRequest | GenerationRequest, task_id: str) -> Task:
        """By `job_id` and `part`: each task's folder says whose it is."""
        found = id_in(task_id)
        self._failures.strike("attach")
        with disk_trouble_is(ProviderUnreachable):
            task = await asyncio.to_thread(self._folders.load, found)
        if task is None:
            raise unknown(self.card.title, "task")
        if task.job_id != _accepted_as(request):
            raise another(self.card.title, "it was made for another job")
        return Task(id=found)

    async def check(self, task: Task) -> TaskState:
        self._failures.strike("check")
        return await self._state_of(await self._load(task.id))

    async def _state_of(self, task: LocalTask) -> TaskState:
        task_id = task.task_id
        with disk_trouble_is(ProviderUnreachable):
            await self._workshop.collapsed(task)
            ending = await asyncio.to_thread(self._folders.ending, task_id)
            progress = await asyncio.to_thread(self._folders.progress, task_id)
        if ending is None:
            return self._workshop.start(task, progress)
        self._workshop.forget(task_id)
        return Stopped(error=error_of(ending.meaning, ending.sentence)) if ending.meaning else Finished()

    async def cancel(self, task: Task) -> bool:
        """The work stops at its next unit; that it has ended is true at once."""
        self._failures.strike("cancel")
        await self._load(task.id)
        with disk_trouble_is(ProviderUnreachable):
            if await asyncio.to_thread(self._folders.ending, task.id):
                return False
            return await asyncio.to_thread(self._folders.end, task.id, CANCELLED)

    async def fetch_weights(self, task: Task, into: Path) -> TrainedWeights:
        await self._finished(task.id, TRAINING)
        return TrainedWeights(path=await self._fetch(task.id, "weights.zip", into / f"{task.id}.zip"))

    async def fetch_pictures(self, task: Task, into: Path) -> FetchedPictures:
        finished = await self._finished(task.id, GENERATION)
        return FetchedPictures(
            paths=[
                await self._fetch(task.id, f"picture-{index}.png", into / f"{task.id}-{index}.png")
                for index in range(finished.request["count"])
            ]
        )

    async def caption(self, picture: Path) -> str:
        return await self._captioner.caption(picture)

    async def close(self) -> None:
        """Put the work down where it is. The next process that asks after a task takes it up again."""
        await asyncio.gather(*self._accepting, return_exceptions=True)
        await self._workshop.close()

    async def _submit(self, job_id: str, kind: str, request: dict[str, Any], needs: Path) -> Task:
        meaning = self._failures.take("submit")
        if meaning and meaning != "outcome_unknown":
            raise error_of(meaning)
        accepting = asyncio.create_task(self._accept(job_id, kind, request, needs))
        self._accepting.add(accepting)
        accepting.add_done_callback(self._accepted)
        task_id = await asyncio.shield(accepting)
        if meaning:
            raise error_of(meaning)
        return Task(id=task_id)

    async def _accept(self, job_id: str, kind: str, request: dict[str, Any], needs: Path) -> str:
        with disk_trouble_is(ProviderBusy):
            task = await asyncio.to_thread(
                self._folders.accept, job_id=job_id, kind=kind, request=request, needs=needs, now=self._now()
            )
        with disk_trouble_is(OutcomeUnknown):
            await asyncio.to_thread(self._folders.note_acceptance, task)
        self._workshop.start(task, 0.0)
        return task.task_id

    def _accepted(self, accepting: asyncio.Task[str]) -> None:
        """Whoever asked may have gone meanwhile; then nobody else looks at what came of it."""
        self._accepting.discard(accepting)
        if not accepting.cancelled() and accepting.exception():
            logger.debug("a task was not accepted: %s", accepting.exception())

    async def _load(self, task_id: str) -> LocalTask:
        with disk_trouble_is(ProviderUnreachable):
            task = await asyncio.to_thread(self._folders.load, task_id)
        if task is None:
            raise ProviderRefused("The local preview knows no such task.")
        return task

    async def _finished(self, task_id: str, kind: str) -> LocalTask:
        self._failures.strike("fetch")
        task = await self._load(task_id)
        with disk_trouble_is(ProviderUnreachable):
            ending = await asyncio.to_thread(self._folders.ending, task_id)
        if task.kind != kind or ending is None or ending.meaning:
            raise ProviderRefused("This task has no such result.")
        return task

    async def _fetch(self, task_id: str, name: str, target: Path) -> Path:
        with disk_trouble_is(ProviderBroken):
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            await asyncio.to_thread(copy_durably, self._folders.result_file(task_id, name), target)
        return target


def id_in(pasted: str) -> str:
    """The task's id: what its folder is called. Raises `ProviderRefused`."""
    return id_within(pasted, TASK_ID, title=requests.CARD.title)


def _accepted_as(request: TrainingRequest | GenerationRequest) -> str:
    """Each part of a job is a task of its own."""
    part = request.part if isinstance(request, GenerationRequest) else 0
    return f"{request.job_id}/{part}" if part else request.job_id
