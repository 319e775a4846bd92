"""Preparation: the first half of a finetune, from what was handed over to a dataset under review.

received → prepared → review
"""

import asyncio
from concurrent.futures import BrokenExecutor, Executor

from bot.datasets.limits import DatasetLimits
from bot.datasets.preparation import SourceFile, prepare
from bot.downloads import Downloads
from bot.errors import DatasetRejected
from bot.pictures.sheets import write_contact_sheet
from bot.workflows.engine import Json
from bot.workflows.workbench import Workbench
from storage.datasets import Dataset, DatasetImage, add_dataset, find_dataset
from storage.jobs import Job
from storage.statuses import JobStatus, Stage

PREPARE = "prepare"
LANE = "prepare"


class Preparation:
    def __init__(self, bench: Workbench, *, downloads: Downloads, pool: Executor, limits: DatasetLimits) -> None:
        self._database = bench.database
        self._stages = bench.stages
        self._files = bench.files
        self._providers = bench.providers
        self._downloads = downloads
        self._pool = pool
        self._limits = limits
        bench.engine.tell(PREPARE, bench.endings.with_an_edge(self._tell))

    async def _tell(self, job_id: str) -> None:
        await self._stages.run(job_id, Stage.RECEIVED, self._receive, can_be_cut_short=True)
        await self._stages.run(job_id, Stage.PREPARED, self._prepare, can_be_cut_short=True)
        await self._stages.change("review", job_id, only_when=(JobStatus.PREPARING,), status=JobStatus.REVIEW)

    async def _receive(self, job: Job) -> Json:
        """Discord's links die soon, so the bytes are fetched first of all."""
        folder = self._files.empty_work_folder(job.id)
        left = self._limits.max_upload_bytes
        for number, upload in enumerate(job.details["uploads"]):
            path = folder / f"upload-{number}"
            left -= await self._downloads.fetch(upload["url"], path, max_bytes=left)
        return {"uploads": len(job.details["uploads"])}

    async def _prepare(self, job: Job) -> Json:
        async with self._database.reading() as connection:
            dataset = await find_dataset(connection, job.id)
        if dataset is None:
            dataset = await self._dataset_from(job)
            async with self._database.writing() as connection:
                await add_dataset(connection, dataset)
        self._files.clear_work(job.id)  # after the row: an attempt cut off in between finds one or the other
        return {"images": len(dataset.images), "left_out": len(dataset.left_out)}

    async def _dataset_from(self, job: Job) -> Dataset:
        folder = self._files.work_folder(job.id)
        uploads = [
            SourceFile(path=folder / f"upload-{number}", name=upload["name"])
            for number, upload in enumerate(job.details["uploads"])
        ]
        if not all(source.path.is_file() for source in uploads):
            raise DatasetRejected("The upload went missing on our disk: please send it again.")
        into = self._files.empty_part_of_work(job.id, "prepared")
        counts = self._providers.trainer_of(job.provider, job.details["trainer"]).image_count
        try:
            prepared = await prepare(
                uploads,
                into=into,
                pool=self._pool,
                limits=self._limits,
                min_images=int(counts.lowest),
                max_images=int(counts.highest),
            )
        except BrokenExecutor as problem:
            raise DatasetRejected(
                "One of these pictures breaks the reader: leave out unusual ones and send the rest again."
            ) from problem
        sheet = await asyncio.get_running_loop().run_in_executor(
            self._pool, write_contact_sheet, prepared.zip_path, into / "sheet.jpg"
        )
        return Dataset(
            id=job.id,
            place=job.place,
            name=job.details["name"],
            prepared_file=await self._files.keep(prepared.zip_path),
            sheet_file=await self._files.keep(sheet),
            images=tuple(
                DatasetImage(name=i.name, width=i.width, height=i.height, sha256=i.sha256, caption=i.caption)
                for i in prepared.report.images
            ),
            left_out=tuple((item.name, item.reason) for item in prepared.report.left_out),
        )
