"""How a dataset gets to its trainer, and how nothing of it stays there: used by finetune and cancel."""

import logging
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bot.errors import AtelierError, Cancelled, ProviderGone, ProviderRefused
from bot.providers.card import Handover, TrainerCard
from bot.providers.contract import Trains
from bot.workflows.engine import Json
from bot.workflows.stages import Superseded
from bot.workflows.workbench import Workbench
from storage.jobs import Job, change_job, find_job, locked_job
from storage.statuses import JobKind, JobStatus

log = logging.getLogger(__name__)


class Handovers:
    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    async def lay_out(self, job: Job, trainer: TrainerCard, dataset: Path) -> None:
        """Put the zip where this trainer can take it. Raises `ProviderRefused` when there is no way."""
        if self._way(trainer, dataset) is Handover.LINK:
            await self._bench.share(dataset, dataset_key(job.id))

    async def link(self, job: Job, trainer: TrainerCard, dataset: Path) -> str | None:
        """A link to what was laid out; None when it goes another way."""
        return await self._bench.link_to(dataset_key(job.id)) if self._way(trainer, dataset) is Handover.LINK else None

    async def remember(self, job: Job, prepared: Mapping[str, Any]) -> None:
        """It lies there for this round of the job, to be tidied at its end. Raises `Superseded` and `Cancelled`, with
        nothing left behind."""
        async with self._bench.database.writing() as connection:
            now = await locked_job(connection, job.id)
            is_here = now is not None and now.round == job.round
            if is_here:
                await change_job(connection, job.id, details={**job.details, "prepared": dict(prepared)})
        if not is_here:  # it was moved to another provider meanwhile
            await self._bench.providers.that(job.provider, Trains).tidy_training(prepared)
            raise Superseded
        if now is None or now.status is not JobStatus.RUNNING:  # Cancel may have cleared before all this lay there
            await self.clear(job.id)
            raise Cancelled("This job was stopped.")

    async def clear(self, job_id: str) -> Json:
        """Remove what was laid out, however the training ended. What cannot be removed is said to the operator."""
        async with self._bench.database.reading() as connection:
            job = await find_job(connection, job_id)
        if job is None or job.kind is not JobKind.FINETUNE:
            return {}
        await self._or_say(job_id, self._bench.unshare(dataset_key(job_id)))
        if "prepared" in job.details:
            await self._or_say(job_id, self._tidy(job))
        return {}

    async def _tidy(self, job: Job) -> None:
        with suppress(ProviderGone):
            await self._bench.providers.that(job.provider, Trains).tidy_training(job.details["prepared"])

    async def _or_say(self, job_id: str, removal: Awaitable[None]) -> None:
        try:
            await removal
        except AtelierError as problem:
            log.warning("The dataset of job %s could not be removed everywhere: %s", job_id, problem)

    def _way(self, trainer: TrainerCard, dataset: Path) -> Handover:
        size = dataset.stat().st_size
        has_storage = self._bench.objects is not None
        way = way_to(trainer, size, has_object_storage=has_storage)
        if way is not None:
            return way
        most_bytes = trainer.most_bytes(has_object_storage=has_storage)
        if most_bytes is None:
            raise ProviderRefused(
                f"{trainer.title} takes pictures through object storage only: ask the bot's operator to set it up."
            )
        together = f"These pictures are {-(-size // 2**20)} MiB together"
        if has_storage:
            raise ProviderRefused(f"{together}; {trainer.title} takes {most_bytes // 2**20} MiB: send fewer.")
        raise ProviderRefused(
            f"{together}; without object storage {trainer.title} takes "
            f"{most_bytes // 2**20} MiB: send fewer, or ask the bot's operator to set up object storage."
        )


def way_to(trainer: TrainerCard, size: int, *, has_object_storage: bool) -> Handover | None:
    """The first way that takes a dataset of so many bytes; None when there is none."""
    for way, most_bytes in trainer.handover:
        if size <= most_bytes and (way is not Handover.LINK or has_object_storage):
            return way
    return None


def dataset_key(job_id: str) -> str:
    return f"datasets/{job_id}.zip"
