"""Preparation: what was handed over becomes pictures of a dataset. Half of a finetune, and all of an addition.

received → prepared → (of a finetune) review
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import asdict

from bot.datasets.limits import DatasetLimits
from bot.datasets.preparation import prepare
from bot.datasets.report import LeftOut, Prepared, PreparedImage, top_reasons
from bot.datasets.selection import NothingUsable
from bot.downloads import Downloads
from bot.errors import DatasetRejected
from bot.workflows.engine import Json
from bot.workflows.receiving import Receiving
from bot.workflows.room import Kept
from bot.workflows.workbench import Workbench
from storage.database import Connection
from storage.dataset_steps import Addition, add_images, addition_of
from storage.datasets import Dataset, DatasetImage, create_dataset, find_dataset, free_name, locked_dataset
from storage.jobs import Job, change_job
from storage.statuses import JobKind, JobStatus, Stage
from storage.trouble import naming_trouble

PREPARE = "prepare"
LANE = "prepare"
SECONDS_BETWEEN_TELLING = 2.0
TOLD_OF_A_FAILURE = 500  # files that were left out, when nothing was left
ROWS_FOR_EACH = 3  # of a dataset's most pictures: what was left out can be taken back, but not without end


class Preparation:
    def __init__(self, bench: Workbench, *, downloads: Downloads, pool: Executor, limits: DatasetLimits) -> None:
        self._bench = bench
        self._database = bench.database
        self._stages = bench.stages
        self._files = bench.files
        self._room = bench.room
        self._receiving = Receiving(
            files=bench.files,
            downloads=downloads,
            room=bench.room,
            operators=bench.operators,
            max_bytes=limits.max_upload_bytes,
        )
        self._pool = pool
        self._limits = limits
        bench.engine.tell(PREPARE, bench.endings.with_an_edge(self._tell))

    async def _tell(self, job_id: str) -> None:
        received = await self._stages.run(job_id, Stage.RECEIVED, self._receiving.receive, can_be_cut_short=True)
        done = await self._stages.run(
            job_id, Stage.PREPARED, lambda job: self._prepare(job, received), can_be_cut_short=True
        )
        is_addition = done.get("kind") == JobKind.ADD
        status, note = (JobStatus.DONE, done["note"]) if is_addition else (JobStatus.REVIEW, "")
        await self._stages.change(
            "review", job_id, only_when=(JobStatus.PREPARING,), status=status, progress=1.0, note=note
        )

    async def _prepare(self, job: Job, received: Json) -> Json:
        async with self._database.reading() as connection:
            addition = await addition_of(connection, job.id)
        if addition is None:
            try:
                addition = await self._added(job, received)
            except NothingUsable as nothing:
                await self._remember_left_out(job, nothing.left_out)
                raise
        await self._files.clear_work(job.id)  # after the row: an attempt cut off in between finds one or the other
        await self._bench.refresh_reviews(job.dataset_id)
        async with self._database.reading() as connection:
            dataset = await find_dataset(connection, job.dataset_id)
        note = f"{len(dataset.chosen):,} in it now." if dataset and job.kind is JobKind.ADD else ""
        return {"kind": job.kind, "images": addition.pictures, "left_out": len(addition.left_out), "note": note}

    async def _added(self, job: Job, received: Json) -> Addition:
        try:
            prepared = await self._prepared(job, received)
        except NothingUsable as nothing:
            if job.kind is JobKind.ADD or job.details.get("is_new", True):
                raise
            prepared = Prepared(images=(), left_out=nothing.left_out)
        folder = self._files.work_folder(job.id) / "prepared"
        names = [image.sha256 for image in prepared.images]
        try:
            async with self._files.changing:
                kept = await self._room.kept_by(job.place.person_id)
                await self._files.adopt({name: folder / f"{name}.jpg" for name in names})
                async with self._database.writing() as connection:
                    return await self._add(connection, job, prepared, kept)
        finally:
            await self._bench.drop_files(names)  # those that it did not take

    async def _add(self, connection: Connection, job: Job, prepared: Prepared, kept: Kept) -> Addition:
        dataset = await self._dataset_of(connection, job)
        wanted, unwanted = _parted(prepared.images, dataset, most=self._limits.max_images)
        left_out = (*unwanted, *prepared.left_out)
        if not wanted and not (job.kind is JobKind.FINETUNE and dataset.chosen):  # such a training has its pictures
            reasons = top_reasons(unwanted or prepared.left_out)
            raise NothingUsable(f"Nothing was added to {dataset.name}: {reasons}.", left_out=left_out)
        if refusal := kept.refusal({image.file: image.size_bytes for image in wanted}, is_public=True):
            raise DatasetRejected(refusal)
        await add_images(connection, dataset, wanted, left_out=_pairs(left_out), job_id=job.id)
        addition = await addition_of(connection, job.id)
        assert addition is not None, "it was added in this transaction"
        return addition

    async def _remember_left_out(self, job: Job, left_out: Sequence[LeftOut]) -> None:
        """There is no step to which it could belong."""
        details = {**job.details, "left_out": _pairs(left_out)[:TOLD_OF_A_FAILURE]}
        async with self._database.writing() as connection:
            await change_job(connection, job.id, only_when=(JobStatus.PREPARING,), details=details)

    async def _dataset_of(self, connection: Connection, job: Job) -> Dataset:
        """It comes into being with its first pictures."""
        details = job.details
        if details.get("is_new", True):
            name = await free_name(connection, job.place.person_id, details["name"])
            await create_dataset(connection, job.dataset_id, job.place, name)
        dataset = await locked_dataset(connection, job.dataset_id)
        if dataset is None:
            raise DatasetRejected("That dataset was deleted meanwhile: send the pictures again to a new one.")
        return dataset

    async def _prepared(self, job: Job, received: Json) -> Prepared:
        sources = await self._receiving.sources(job, received)
        into = await self._files.empty_part_of_work(job.id, "prepared")
        async with self._telling(job) as on_progress:
            try:
                with naming_trouble():  # a worker's too: what the system said comes back from it as it was
                    return await prepare(
                        sources,
                        into=into,
                        pool=self._pool,
                        limits=self._limits,
                        most=self._limits.max_images,
                        on_progress=on_progress,
                    )
            except BrokenExecutor as problem:
                raise DatasetRejected(
                    "One of these pictures breaks the reader: leave out unusual ones and send the rest again."
                ) from problem

    @contextlib.asynccontextmanager
    async def _telling(self, job: Job) -> AsyncIterator[Callable[[int, int], None]]:
        """The card shows how far it is, now and then."""
        seen = {"done": 0, "total": 0}

        async def keep_telling() -> None:
            while True:
                await asyncio.sleep(SECONDS_BETWEEN_TELLING)
                if seen["total"]:
                    await self._tell_progress(job, **seen)

        telling = asyncio.create_task(keep_telling())
        try:
            yield lambda done, total: seen.update(done=done, total=total)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    async def _tell_progress(self, job: Job, *, done: int, total: int) -> None:
        async with self._database.writing() as connection:
            await change_job(
                connection,
                job.id,
                only_when=(JobStatus.PREPARING,),
                progress=min(done / total, 1.0),
                note=f"{done:,} of {total:,} pictures looked at",
            )
        await self._bench.cards.refresh_soon(job.id)


def _parted(
    images: tuple[PreparedImage, ...], dataset: Dataset, *, most: int
) -> tuple[tuple[DatasetImage, ...], tuple[LeftOut, ...]]:
    """Those that the dataset takes, as pictures or for their captions, and why it does not take the others."""
    there = {image.file: image for image in dataset.images}
    room, rows = most - len(dataset.chosen), most * ROWS_FOR_EACH - len(dataset.images)
    wanted: list[DatasetImage] = []
    unwanted: list[LeftOut] = []
    for image in images:
        known = there.get(image.sha256)
        if known is not None and known.is_in and (known.caption or not image.caption):
            reason = f"is in the dataset already, as number {known.number}"
        elif room <= 0 and (known is None or not known.is_in):
            reason = f"is beyond the {most:,} pictures that one dataset holds"
        elif rows <= 0 and known is None:
            reason = "is beyond what one dataset remembers, with all that was left out: delete some of those for good"
        else:
            room -= known is None or not known.is_in
            rows -= known is None
            wanted.append(_image(image))
            continue
        unwanted.append(LeftOut(name=image.name, reason=reason))
    return tuple(wanted), tuple(unwanted)


def _pairs(left_out: Sequence[LeftOut]) -> list[tuple[str, str]]:
    return [(each.name, each.reason) for each in left_out]


def _image(image: PreparedImage) -> DatasetImage:
    kept = {name: value for name, value in asdict(image).items() if name not in ("sha256", "measures")}
    return DatasetImage(number=0, file=image.sha256, measures=image.measures.to_json(), **kept)
