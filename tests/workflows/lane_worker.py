"""One process of several that serve the same lanes: `python -m tests.workflows.lane_worker URL NAME LOG`.

It writes a line to LOG whenever a job begins or ends. A line `queue` from standard input makes it queue the jobs of
both lanes at once; at any other line, or at the end, it goes.
"""

import asyncio
import json
import os
import sys
import time

from bot.workflows.engine import Engine, Json, Lane
from storage.database import Database

STORY = "work"
SHARED = Lane(name="at-shared", at_once=3)
LIMITED = Lane(name="at-limited", at_once=10, per_minute=5)
SHARED_JOBS, LIMITED_JOBS = 30, 9
TASK_SECONDS = 0.15


async def work(url: str, name: str, log: str) -> None:
    database = Database(url)
    await database.open()
    engine = Engine(database, executor_id=name)
    file = os.open(log, os.O_WRONLY | os.O_APPEND)

    def note(event: str, job_id: str) -> None:
        line = {"worker": name, "event": event, "job": job_id, "at": time.monotonic()}
        os.write(file, f"{json.dumps(line)}\n".encode())

    async def story(job_id: str) -> None:
        async def step() -> Json:
            note("begun", job_id)
            await asyncio.sleep(TASK_SECONDS)
            note("ended", job_id)
            return {}

        await engine.step("step", step)

    engine.tell(STORY, story)
    engine.open_lane(SHARED)
    engine.open_lane(LIMITED)
    await engine.start()
    note("ready", "")
    while (await asyncio.to_thread(sys.stdin.readline)).strip() == "queue":
        async with database.writing() as connection:
            for lane, jobs in ((SHARED, SHARED_JOBS), (LIMITED, LIMITED_JOBS)):
                for number in range(jobs):
                    await engine.enqueue(
                        connection,
                        story=STORY,
                        job_id=f"{lane.name} {number}",
                        lane=lane.name,
                        person_id=1,
                        turn=number,
                    )
    await engine.stop()
    await database.close()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
