"""Brings the pictures of a generation home: fetched, looked at and stored, each paid request's once."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import BrokenExecutor, Executor
from pathlib import Path
from typing import Any

from bot.errors import ProviderBroken
from bot.pictures.checking import check_picture
from bot.providers.contract import Generates
from bot.providers.disk import results_written
from bot.providers.tasks import FetchedPictures
from bot.workflows.requests import SEEDS
from bot.workflows.workbench import Workbench
from storage.jobs import Job
from storage.pictures import Picture, add_picture
from storage.submissions import remember_fetched


class Collector:
    def __init__(self, bench: Workbench, *, pool: Executor) -> None:
        self._database = bench.database
        self._files = bench.files
        self._providers = bench.providers
        self._submissions = bench.submissions
        self._pool = pool

    async def collect(self, job: Job, part: int) -> Mapping[str, Any]:
        """Fetch, look at and store the pictures of a part, once: `pictures` are their files, `withheld` a count."""
        submission = await self._submissions.stored(job, part)
        if submission.fetched is not None:
            return submission.fetched
        found = await self._fetch(job, part)
        generator = self._providers.generator_of(job.provider, job.details["generator"])
        per_request = int(generator.pictures.highest)
        pictures = [
            Picture(
                job_id=job.id,
                position=part * per_request + index,
                place=job.place,
                model_id=job.details["model"],
                file=await self._keep(path),
                prompt=job.details["prompt"],
                seed=seed_of(job, part, per_request),
            )
            for index, path in enumerate(found.paths)
        ]
        fetched = {"pictures": [picture.file for picture in pictures], "withheld": found.withheld}
        async with self._database.writing() as connection:
            for picture in pictures:
                await add_picture(connection, picture)
            await remember_fetched(connection, submission, fetched)
        return fetched

    async def _fetch(self, job: Job, part: int) -> FetchedPictures:
        provider = self._providers.that(job.provider, Generates)
        folder = await self._files.empty_part_of_work(job.id, f"pictures-{part}")
        fetched = await provider.fetch_pictures(await self._submissions.task_of(job, part), folder)
        for path in fetched.paths:
            try:
                await asyncio.get_running_loop().run_in_executor(self._pool, check_picture, path)
            except ValueError as problem:
                raise ProviderBroken(f"What the provider sent {problem}; trying again.") from None
            except BrokenExecutor:  # perhaps somebody else's picture broke the worker
                raise ProviderBroken("A picture could not be looked at; trying again.") from None
        return fetched

    async def _keep(self, path: Path) -> str:
        with results_written():
            return await self._files.keep(path)


def seed_of(job: Job, part: int, per_request: int) -> int:
    """Each request has a seed of its own; the first that of the job."""
    return int((job.details["seed"] + part * per_request) % SEEDS)
