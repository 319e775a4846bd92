"""Looks after what nobody looks after: jobs whose story has ended without a word, cards that show an old state, work
folders that no retry will need. Runs as long as the bot does."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.workflows.cancel import CANCEL, STORIES, Cancel
from bot.workflows.stages import StageFailed
from bot.workflows.workbench import Workbench
from storage.database import now_ms
from storage.jobs import RETRY_MS, Job
from storage.statuses import ErrorCategory, JobStatus
from storage.watching import failed_between, left_open, shown_late

log = logging.getLogger(__name__)

SECONDS_BETWEEN = 60.0
QUIET_MS = 120_000  # so long a job may stand still before anybody asks after its story
CARD_LATE_MS = 30_000
DAY_MS = 86_400_000
MOST_AT_ONCE = 200
WITHOUT_A_WORD = StageFailed(
    category=ErrorCategory.SERVICE_ERROR,
    sentence="This job stopped without a word, so it was closed. Press Retry: what is paid for is not paid again.",
)


class Watchdog:
    def __init__(self, bench: Workbench, cancel: Cancel) -> None:
        self._bench = bench
        self._cancel = cancel
        self._seen_until = ""

    async def keep_watch(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Never ends by itself."""
        while True:
            await sleep(SECONDS_BETWEEN)
            try:
                await self.look()
            except Exception:
                log.exception("The watchdog stumbled; it looks again in a minute")

    async def look(self) -> None:
        now = now_ms()
        async with self._bench.database.reading() as connection:
            silent = await left_open(
                connection, quiet_since_ms=now - QUIET_MS, after_id=self._seen_until, limit=MOST_AT_ONCE
            )
            late = await shown_late(connection, after_ms=now - DAY_MS, before_ms=now - CARD_LATE_MS, limit=MOST_AT_ONCE)
            old = await failed_between(connection, now - RETRY_MS - DAY_MS, now - RETRY_MS)
        self._seen_until = silent[-1].id if len(silent) == MOST_AT_ONCE else ""  # in turns, however many wait
        for job in silent:
            await self._close_if_forsaken(job)
        for job_id in late:
            await self._bench.cards.refresh(job_id)
        for job_id in old:
            await self._bench.files.clear_work(job_id)

    async def _close_if_forsaken(self, job: Job) -> None:
        """A story that is queued, at work or to be recovered looks after its job itself."""
        stories = (CANCEL,) if job.status is JobStatus.CANCELLING else STORIES[job.kind]
        for story in stories:
            if await self._bench.engine.is_told(story=story, job_id=job.id, telling=job.round):
                return
        log.error("Job %s stood in %s and nobody looked after it", job.id, job.status)
        if job.status is JobStatus.CANCELLING:
            await self._cancel.close(job.id, "")
        else:
            await self._bench.endings.close_forsaken(job, WITHOUT_A_WORD)
