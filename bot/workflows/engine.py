"""The durable engine: the only file that knows DBOS. A workflow is a story of steps; a finished step never runs again.

After a crash `start` continues every story where it stopped. ARCHITECTURE.md says why this engine.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer

from storage.database import Connection, Database

Json = dict[str, Any]
Story = Callable[[str], Awaitable[None]]

SHAPE_OF_THE_STORIES = "1"  # change it only when stored histories can no longer be replayed
QUEUE_POLL_SECONDS = 0.1
IDLE_SECONDS = 0.1  # the engine's own threads rest so long between two looks, and a stop waits for them
STOP_ROUNDS = 10  # seconds; a library may swallow one cancellation


class _NoOrderlyEnds(logging.Filter):
    """A story that its person cancelled, or that a stop put down, is no trouble, though the engine logs it as such."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.getMessage().startswith("Asyncio task cancelled"):
            return False
        error = record.exc_info[1] if record.exc_info else None
        return type(error).__name__ != "DBOSAwaitedWorkflowCancelledError"


def _log_as_we_do() -> None:
    """The engine brings its own handler; ours formats, and replaces secrets."""
    logger = logging.getLogger("dbos")
    logger.setLevel(logging.WARNING)
    logger.propagate = True
    logger.handlers.clear()
    logger.filters = [_NoOrderlyEnds()]


@dataclass(frozen=True, kw_only=True)
class Lane:
    """A queue: so many jobs at once in all processes together, and of one person; so many beginning in a minute."""

    name: str
    at_once: int
    at_once_per_person: int
    per_minute: int | None = None


class Engine:
    """Runs stories on the application's own database, so that "job row + enqueue" is one transaction."""

    def __init__(self, database: Database, *, executor_id: str = "atelier") -> None:
        self._database = database
        self._executor_id = executor_id
        self._stories: dict[str, Story] = {}
        self._lanes: dict[str, Lane] = {}
        self._running: set[asyncio.Task[Any]] = set()
        self._client: DBOSClient | None = None
        self._is_stopping = False

    def tell(self, name: str, story: Story) -> None:
        """Register a story before `start`."""
        self._stories[name] = story

    def open_lane(self, lane: Lane) -> None:
        self._lanes[lane.name] = lane

    async def start(self) -> None:
        """Launch and recover. Interrupted stories run again within a second."""
        self._is_stopping = False
        self._sync_engine = self._database.open_workflow_engine()
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
        _log_as_we_do()
        for name, story in self._stories.items():
            DBOS.workflow(name=name, max_recovery_attempts=None)(self._held(name, story))
        DBOS.launch()
        for lane in self._lanes.values():
            await DBOS.register_queue_async(
                lane.name,
                global_concurrency=lane.at_once,
                partition_concurrency=lane.at_once_per_person,
                limiter=None if lane.per_minute is None else {"limit": lane.per_minute, "period": 60.0},
                polling_interval_sec=QUEUE_POLL_SECONDS,
            )
        self._client = DBOSClient(
            system_database_url=config["system_database_url"],
            system_database_engine=self._sync_engine,
            serializer=DBOSPortableJSONSerializer(),
            application_name="atelier",
        )

    def _held(self, name: str, story: Story) -> Story:
        """Keep the running story's task, so that `stop` can put it down and the next start picks it up."""

        async def told(job_id: str) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._running.add(task)
            try:
                await story(job_id)
            finally:
                self._running.discard(task)

        told.__qualname__ = told.__name__ = name
        return told

    async def enqueue(
        self, connection: Connection, *, story: str, job_id: str, lane: str, person_id: int, telling: int = 0
    ) -> None:
        """Hand a story to the engine within the caller's transaction. Each `telling` of a job's story
        (0, and one more for each retry) runs once."""
        assert self._client is not None, "start() comes first"
        client = self._client
        await connection.run_sync(
            lambda sync_connection: client.enqueue_in_transaction(
                sync_connection,
                {
                    "workflow_name": story,
                    "queue_name": lane,
                    "workflow_id": _workflow_id(story, job_id, telling),
                    "queue_partition_key": str(person_id),
                    "app_version": SHAPE_OF_THE_STORIES,
                },
                job_id,
            )
        )

    async def step(self, name: str, body: Callable[[], Awaitable[Json]], *, preemptible: bool = False) -> Json:
        """Run one step of the story that is being told; after a crash its stored result is answered instead."""

        async def run() -> Json:
            """What a stopping process does to a step must not be recorded as the step's own outcome."""
            try:
                result = await body()
            except Exception:
                if self._is_stopping:
                    raise asyncio.CancelledError from None
                raise
            if self._is_stopping:
                raise asyncio.CancelledError
            return result

        if self._is_stopping:
            raise asyncio.CancelledError
        return cast(Json, await DBOS.run_step_async({"name": name, "preemptible": preemptible}, run))

    def telling(self) -> int:
        """Which telling of its job's story is running here: the job's round when it was enqueued."""
        _job_id, _story, *telling = (DBOS.workflow_id or "").split(":")
        return int(telling[0]) if telling else 0

    async def abandon(self, *, story: str, job_id: str, telling: int = 0) -> None:
        """Stop telling a story; a preemptible step is cancelled within about a second."""
        await DBOS.cancel_workflow_async(_workflow_id(story, job_id, telling))

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
