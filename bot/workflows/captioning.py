"""Captioning: a provider describes those pictures of a dataset that have no caption. Paid for by the picture.

described
"""

import logging
from collections.abc import Sequence

from bot.advice import caption_offer
from bot.datasets.captions.captions import MAX_CAPTION_CHARACTERS, cleaned_caption
from bot.errors import (
    BadInput,
    Cancelled,
    DatasetRejected,
    ProviderBusy,
    ProviderDenied,
    ProviderError,
    ProviderGone,
    ProviderUnpaid,
    ProviderUnreachable,
    StageOverdue,
    TooLate,
    WaitedTooLong,
)
from bot.permissions import own_dataset
from bot.providers.contract import Captions
from bot.workflows.engine import Json
from bot.workflows.stages import within
from bot.workflows.workbench import Workbench, lane_of
from storage.dataset_jobs import captions_are_coming
from storage.dataset_steps import describe_image, forget_asked, remember_asked
from storage.datasets import Dataset, DatasetImage, find_dataset, locked_dataset
from storage.jobs import Job, change_job, find_job
from storage.places import Place
from storage.statuses import JobKind, JobStatus, Stage

log = logging.getLogger(__name__)

CAPTION = "caption"
AT_IT = "These pictures are being described already: their card says how far it is."
NOT_TAKEN = (ProviderBusy, ProviderUnreachable, ProviderDenied, ProviderUnpaid, ProviderGone)
LONGEST_FOR_ONE = 300.0  # seconds, once it is asked


class NotAsked(Exception):
    """Its person wrote a caption meanwhile; or this job asked before, and nobody can say what became of it."""


class Captioning:
    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._database = bench.database
        bench.engine.tell(CAPTION, bench.endings.with_an_edge(self._tell))

    async def request(
        self, job_id: str, place: Place, dataset_id: str, *, pictures: int | None = None, weight: int = 1
    ) -> None:
        """Describe what has no caption yet: so many pictures, where its person was shown a number with a price.

        Raises `BadInput`, `NotFound`, `NotYours`, `TooLate`, `TooMany`.
        """
        async with self._database.writing() as connection:
            dataset = own_dataset(await locked_dataset(connection, dataset_id), place.person_id)
            if await captions_are_coming(connection, dataset_id, besides=job_id):
                raise BadInput(AT_IT)
            offer = caption_offer(dataset, self._bench.providers)
            if offer is None:
                raise BadInput("Every picture has a caption, or nobody here can write one.")
            if pictures not in (None, offer.pictures):
                raise TooLate(f"{offer.pictures} pictures have no caption now: open the captions again.")
            job = Job(
                id=job_id,
                place=place,
                kind=JobKind.CAPTION,
                status=JobStatus.RUNNING,
                provider=offer.provider.name,
                weight=weight,
                details={
                    "name": dataset.name,
                    "dataset": dataset_id,
                    "count": offer.pictures,
                    "numbers": [image.number for image in _without_caption(dataset)],
                    "price_usd": offer.price_usd,
                },
            )
            if await self._bench.add(connection, job):
                await self._bench.enqueue(connection, job, story=CAPTION, lane=lane_of(job.provider))

    async def _tell(self, job_id: str) -> None:
        done = await self._bench.stages.run(job_id, Stage.DESCRIBED, self._describe)
        note = f"{done['skipped']} could not be described: write those yourself." if done["skipped"] else ""
        await self._bench.stages.change(
            "done", job_id, only_when=(JobStatus.RUNNING,), status=JobStatus.DONE, progress=1.0, note=note
        )

    async def _describe(self, job: Job) -> Json:
        """One after the other, each saved at once. What was asked and never answered is not asked again."""
        ordered = frozenset(job.details["numbers"])
        waiting = [image for image in _without_caption(await self._dataset_of(job)) if image.number in ordered]
        for place, image in enumerate(waiting):
            await self._describe_one(job, image)
            await self._tell_progress(job, (place + 1) / len(waiting))
        await self._bench.refresh_reviews(job.dataset_id)
        left = {image.number for image in _without_caption(await self._dataset_of(job))}
        skipped = len(left.intersection(image.number for image in waiting))
        return {"described": len(waiting) - skipped, "skipped": skipped}

    async def _describe_one(self, job: Job, image: DatasetImage) -> None:
        """It stays without a caption when nobody can say what it shows, or whether the question was paid for."""
        try:
            text = await self._bench.outages.outlast(job, lambda: self._ask(job, image))
        except (*NOT_TAKEN, WaitedTooLong):
            raise
        except NotAsked:
            return
        except (ProviderError, StageOverdue) as problem:
            log.warning("Picture %d of job %s was not described: %s", image.number, job.id, problem)
            return
        if caption := cleaned_caption(text)[:MAX_CAPTION_CHARACTERS]:
            await self._save(job, image.number, caption)

    async def _ask(self, job: Job, image: DatasetImage) -> str:
        """The question is remembered before it is asked, and forgotten only when it was certainly not taken."""
        async with self._database.writing() as connection:
            now = await find_job(connection, job.id)
            if now is None or now.status is not JobStatus.RUNNING:
                raise Cancelled("This job was stopped.")
            if not await remember_asked(connection, job.dataset_id, image.number, job.id):
                raise NotAsked
        describer = self._bench.providers.that(job.provider, Captions)
        try:
            return await within(LONGEST_FOR_ONE, describer.caption(self._bench.files.path_of(image.file)))
        except FileNotFoundError:  # removed meanwhile, with its row
            raise NotAsked from None
        except NOT_TAKEN:
            async with self._database.writing() as connection:
                await forget_asked(connection, job.dataset_id, image.number, job.id)
            raise

    async def _save(self, job: Job, number: int, caption: str) -> None:
        async with self._database.writing() as connection:
            dataset = await locked_dataset(connection, job.dataset_id)
            if dataset is not None:
                await describe_image(connection, dataset, number, caption, job_id=job.id)

    async def _tell_progress(self, job: Job, progress: float) -> None:
        async with self._database.writing() as connection:
            await change_job(connection, job.id, only_when=(JobStatus.RUNNING,), progress=progress)
        await self._bench.cards.refresh_soon(job.id)

    async def _dataset_of(self, job: Job) -> Dataset:
        async with self._database.reading() as connection:
            dataset = await find_dataset(connection, job.dataset_id)
        if dataset is None:
            raise DatasetRejected("That dataset was deleted meanwhile: there is nothing to describe.")
        return dataset


def _without_caption(dataset: Dataset) -> Sequence[DatasetImage]:
    return [image for image in dataset.chosen if image.caption is None]
