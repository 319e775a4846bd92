"""What every story works with. Built once in `bot/client.py`, given to each through its constructor."""

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.errors import ProviderDenied, ProviderError, ProviderUnreachable
from bot.operators import Operators
from bot.providers.registry import Providers
from bot.providers.tasks import Webhook
from bot.workflows.caps import Caps
from bot.workflows.endings import Endings
from bot.workflows.engine import Engine
from bot.workflows.outages import Outages
from bot.workflows.room import Room
from bot.workflows.stages import Cards, Stages
from bot.workflows.submission import Submissions
from storage.database import Connection, Database
from storage.dataset_jobs import reviews_of_dataset
from storage.files import Files
from storage.jobs import Job, add_job, find_job
from storage.needed import needed_files
from storage.objects import Objects, ObjectsRefused, ObjectsUnreachable
from storage.turns import take_turn

log = logging.getLogger(__name__)

LINK_SECONDS = 48 * 3600  # a training may wait long in its queue before it reads its dataset

WebhookFor = Callable[[str, str], Webhook | None]  # provider, job id


@dataclass(frozen=True, kw_only=True)
class Workbench:
    """`objects` is None without object storage; `webhook_for` answers None without a public address."""

    database: Database
    engine: Engine
    files: Files
    cards: Cards
    providers: Providers
    stages: Stages
    endings: Endings
    submissions: Submissions
    outages: Outages
    objects: Objects | None
    webhook_for: WebhookFor
    operators: Operators
    caps: Caps
    room: Room

    async def add(self, connection: Connection, job: Job) -> bool:
        """Store a new job; False when it is stored already. Raises `TooMany`."""
        if await find_job(connection, job.id) is None:
            await self.caps.check(connection, job.place)
        return await add_job(connection, job)

    async def enqueue(self, connection: Connection, job: Job, *, story: str, lane: str) -> None:
        """Hand a story of this job to the engine, within the caller's transaction. At a provider it takes its turn."""
        turn = await take_turn(connection, job, lane) if lane == lane_of(job.provider) else None
        await self.engine.enqueue(
            connection,
            story=story,
            job_id=job.id,
            lane=lane,
            person_id=job.place.person_id,
            turn=turn,
            telling=job.round,
        )

    async def refresh_reviews(self, dataset_id: str) -> None:
        """The cards of trainings that wait for Start show this dataset."""
        async with self.database.reading() as connection:
            waiting = await reviews_of_dataset(connection, dataset_id)
        for job_id in waiting:
            await self.cards.refresh(job_id)

    async def drop_files(self, files: Collection[str]) -> None:
        """Those of them that nothing needs. Nobody adds one of them while this looks."""
        async with self.files.changing:
            async with self.database.writing() as connection:
                unneeded = set(files) - await needed_files(connection, files)
            await self.files.remove_all(unneeded)  # hundreds perhaps: the database is not held up for them

    async def share(self, file: Path, key: str) -> None:
        """Put a file into object storage, when there is one."""
        if self.objects is not None:
            with _trouble_has_a_sentence():
                await self.objects.put(file, key)

    async def share_if_possible(self, file: Path, key: str) -> None:
        """What is archived with us already does not hang on the object store: it is shared when it is needed."""
        try:
            await self.share(file, key)
        except ProviderError as problem:
            log.warning("%s is not in object storage yet: %s %s", key, problem, problem.advice)

    async def shared_link(self, file: Path, key: str) -> str | None:
        """A link to a file of ours, which is put there first when it is missing: it may be older than the storage."""
        if self.objects is None:
            return None
        with _trouble_has_a_sentence():
            if not await self.objects.has(key, size_bytes=file.stat().st_size):
                await self.objects.put(file, key)
        return await self.link_to(key)

    async def link_to(self, key: str) -> str | None:
        """A fresh presigned link. Signing costs nothing, so a link is never stored."""
        if self.objects is None:
            return None
        with _trouble_has_a_sentence():
            return await self.objects.link(key, seconds=LINK_SECONDS)

    async def unshare(self, key: str) -> None:
        if self.objects is not None:
            with _trouble_has_a_sentence():
                await self.objects.remove(key)


@contextmanager
def _trouble_has_a_sentence() -> Iterator[None]:
    try:
        yield
    except ObjectsUnreachable as problem:
        raise ProviderUnreachable("Our object storage did not answer; trying again.", advice=str(problem)) from None
    except ObjectsRefused as problem:
        raise ProviderDenied(
            "Our object storage is not set up right: the bot's operator has to look at it.", advice=str(problem)
        ) from None


def weights_key(weights_file: str) -> str:
    return f"weights/{weights_file}.safetensors"


def lane_of(provider: str) -> str:
    """The queue of everything that is at work at one provider: its limits are the provider's."""
    return f"at-{provider}"
