"""The durable engine: the only file that knows DBOS. A workflow is a story of steps; a finished step never runs again.

After a crash `start` continues every story where it stopped. ARCHITECTURE.md says why this engine.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, cast

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions

from bot.workflows.engine_logs import log_as_we_do
from storage.database import Connection, Database
from storage.errors import StorageTrouble
from storage.trouble import naming_trouble

Json = dict[str, Any]
Story = Callable[[str], Awaitable[None]]

SHAPE_OF_THE_STORIES = "1"  # change it only when stored histories can no longer be replayed
QUEUE_POLL_SECONDS = 0.1
IDLE_SECONDS = 0.1  # the engine's own threads rest so long between two looks, and a stop waits for them
STOP_ROUNDS = 5  # seconds; a library may swallow one cancellation
MINUTE_SECONDS = 65.0  # a request leaves a moment after its job began: a minute at the provider must not see more
LAST_PRIORITY = 2**31 - 1  # what has no number below that is served in the order of its coming

_being_told: ContextVar[str] = ContextVar("the id of the workflow that is being told here")


@dataclass(frozen=True, kw_only=True)
class Lane:
    """A queue: so many jobs at once in all processes together, so many beginning in a minute.

    Without `at_once_per_person` it is served by turns: whoever enqueues says each job's turn. With it every person
    has a queue of their own in it, and these are served in no order.
    """

    name: str
    at_once: int
    at_once_per_person: int | None = None
    per_minute: int | None = None


class Engine:
    """Runs stories on the application's own database, so that "job row + enqueue" is one transaction."""

    def __init__(self, database: Database, *, executor_id: str = "atelier") -> None:
        self._database = database
        self._executor_id = executor_id
        self._stories: dict[str, Story] = {}
        self._lanes: dict[str, Lane] = {}
        self._running: set[asyncio.Task[Any]] = set()
        self._put_down: dict[str, StorageTrouble] = {}
        self._client: DBOSClient | None = None
        self._is_settling = False
        self._is_stopping = False

    def tell(self, name: str, story: Story) -> None:
        """Register a story before `start`."""
        self._stories[name] = story

    def open_lane(self, lane: Lane) -> None:
        self._lanes[lane.name] = lane

    async def start(self) -> None:
        """Launch and recover. Interrupted stories run again within a second."""
        self._is_settling = self._is_stopping = False
        self._put_down.clear()
        self._sync_engine = self._database.open_workflow_engine(self._on_trouble)
        config: DBOSConfig = {
            "name": "atelier",
            "system_database_url": self._database.url.render_as_string(hide_password=False),
            "system_database_engine": self._sync_engine,
            "application_version": SHAPE_OF_THE_STORIES,
            "executor_id": self._executor_id,
            "serializer": DBOSPortableJSONSerializer(),
            "max_executor_threads": 4,
            "console_log_level": "ERROR",
            "use_listen_notify": False,
            "notification_listener_polling_interval_sec": IDLE_SECONDS,
        }
        DBOS(config=config)
        log_as_we_do()
        for name, story in self._stories.items():
            DBOS.workflow(name=name, max_recovery_attempts=None)(self._held(name, story))
        self._client = DBOSClient(
            system_database_url=config["system_database_url"],
            system_database_engine=self._sync_engine,
            serializer=DBOSPortableJSONSerializer(),
            application_name="atelier",
        )
        with naming_trouble():
            was_here_before = self._database.has_workflows(self._sync_engine)
            if was_here_before:  # the first poll must not go by older limits
                await asyncio.to_thread(self._register_lanes)
            DBOS.launch()
            if not was_here_before:
                await asyncio.to_thread(self._register_lanes)

    def _register_lanes(self) -> None:
        assert self._client is not None, "start() comes first"
        for lane in self._lanes.values():
            self._client.register_queue(
                lane.name,
                global_concurrency=lane.at_once,
                partition_concurrency=lane.at_once_per_person,
                limiter=None if lane.per_minute is None else {"limit": lane.per_minute, "period": MINUTE_SECONDS},
                polling_interval_sec=QUEUE_POLL_SECONDS,
            )

    def _held(self, name: str, story: Story) -> Story:
        """Keep the running story's task, so that `stop` can put it down and the next start picks it up."""

        async def told(job_id: str) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._running.add(task)
            _being_told.set(str(DBOS.workflow_id))
            try:
                await story(job_id)
            except StorageTrouble as trouble:
                raise self._interrupted_by(trouble) from trouble
            finally:
                self._running.discard(task)

        told.__qualname__ = told.__name__ = name
        return told

    async def enqueue(
        self,
        connection: Connection,
        *,
        story: str,
        job_id: str,
        lane: str,
        person_id: int,
        turn: int | None = None,
        telling: int = 0,
    ) -> None:
        """Hand a story to the engine within the caller's transaction. Each `telling` of a job's story
        (0, and one more for each retry) runs once. `turn` is for a lane that is served by turns, from 0."""
        assert self._client is not None, "start() comes first"
        client = self._client
        options: EnqueueOptions = {
            "workflow_name": story,
            "queue_name": lane,
            "workflow_id": _workflow_id(story, job_id, telling),
            "app_version": SHAPE_OF_THE_STORIES,
        }
        if turn is None:
            options["queue_partition_key"] = str(person_id)
        else:
            options["priority"] = min(turn + 1, LAST_PRIORITY)
        await connection.run_sync(
            lambda sync_connection: client.enqueue_in_transaction(sync_connection, options, job_id)
        )

    async def step(self, name: str, body: Callable[[], Awaitable[Json]], *, preemptible: bool = False) -> Json:
        """Run one step of the story that is being told; after a crash its stored result is answered instead."""

        async def run() -> Json:
            """What a stopping process or a failing storage does to a step must not be recorded as its own outcome."""
            try:
                result = await body()
            except StorageTrouble as trouble:
                raise self._interrupted_by(trouble) from trouble
            except Exception:
                if self._is_stopping:
                    raise asyncio.CancelledError from None
                raise
            if self._is_stopping:
                raise asyncio.CancelledError
            return result

        if self._is_settling or self._is_stopping:
            raise asyncio.CancelledError
        return cast(Json, await DBOS.run_step_async({"name": name, "preemptible": preemptible}, run))

    def _interrupted_by(self, trouble: StorageTrouble) -> asyncio.CancelledError:
        """Put the story that is being told here down, as a stop does: nothing is recorded, and it is told on later."""
        self._put_down[_being_told.get()] = trouble
        return asyncio.CancelledError()

    def _on_trouble(self, trouble: StorageTrouble) -> None:
        """The engine's own write or read failed. It would record that as the outcome of the step or story."""
        if _being_told.get(None) is not None:
            raise self._interrupted_by(trouble)

    async def resume_put_down(self) -> StorageTrouble | None:
        """Tell on every story that storage trouble interrupted; answers what the trouble was, None without any.
        Raises `StorageTrouble` while it lasts."""
        last = next(reversed(self._put_down.values()), None)
        with naming_trouble():
            for workflow_id in list(self._put_down):
                status = await DBOS.get_workflow_status_async(workflow_id)
                if status is not None and status.status == "PENDING":
                    await DBOS.resume_workflow_async(workflow_id, queue_name=status.queue_name)
                self._put_down.pop(workflow_id, None)
        return last

    def telling(self) -> int:
        """Which telling of its job's story is running here: the job's round when it was enqueued."""
        _job_id, _story, *telling = (DBOS.workflow_id or "").split(":")
        return int(telling[0]) if telling else 0

    async def abandon(self, *, story: str, job_id: str, telling: int = 0) -> None:
        """Stop telling a story; a preemptible step is cancelled within about a second."""
        with naming_trouble():
            await DBOS.cancel_workflow_async(_workflow_id(story, job_id, telling))

    async def settle(self, seconds: float) -> None:
        """No step begins any more; those at work may end within so long, and are recorded."""
        self._is_settling = True
        ends_at = time.monotonic() + seconds
        while self._running and (left := ends_at - time.monotonic()) > 0:
            await asyncio.wait(self._running, timeout=left)

    async def is_told(self, *, story: str, job_id: str, telling: int = 0) -> bool:
        """Whether the story is queued, at work or waiting to be recovered."""
        status = await DBOS.get_workflow_status_async(_workflow_id(story, job_id, telling))
        return status is not None and status.status in ("ENQUEUED", "DELAYED", "PENDING")

    async def stop(self) -> None:
        """Put every running story down; nothing is recorded, so the next start continues it."""
        self._is_stopping = True
        for _ in range(STOP_ROUNDS):
            if not self._running:
                break
            for task in self._running:
                task.cancel()
            await asyncio.wait(self._running, timeout=1.0)
        if self._client is None:
            return
        self._client = None
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(max_workers=1) as thread:
            await loop.run_in_executor(thread, lambda: DBOS.destroy(destroy_registry=True))
        loop.set_default_executor(ThreadPoolExecutor())  # DBOS had put its own there, which is shut down now
        self._sync_engine.dispose()


def _workflow_id(story: str, job_id: str, telling: int) -> str:
    return f"{job_id}:{story}:{telling}" if telling else f"{job_id}:{story}"
