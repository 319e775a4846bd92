"""Reference pictures that a person hands over with a prompt: fetched, checked, cleaned, and gone with the job."""

import asyncio
from concurrent.futures import BrokenExecutor, Executor
from pathlib import Path

from bot.datasets.images import prepare_image
from bot.datasets.limits import DatasetLimits
from bot.datasets.report import LeftOut
from bot.downloads import Downloads
from bot.errors import BadInput
from bot.workflows.requests import REFERENCE_BYTES
from storage.files import Files
from storage.jobs import Job
from storage.trouble import naming_trouble


class References:
    def __init__(self, *, files: Files, downloads: Downloads, pool: Executor, limits: DatasetLimits) -> None:
        self._files = files
        self._downloads = downloads
        self._pool = pool
        self._limits = limits

    async def receive(self, job: Job) -> list[str]:
        """Names of the cleaned pictures in the job's work folder, in order. Raises `BadInput`."""
        folder = await self._files.empty_part_of_work(job.id, "references")
        return [await self._receive(upload, number, folder) for number, upload in enumerate(job.details["uploads"])]

    def paths(self, job: Job, names: list[str]) -> tuple[Path, ...]:
        """Raises `BadInput` when they are gone."""
        folder = self._files.work_folder(job.id) / "references"
        paths = tuple(folder / name for name in names)
        if not all(path.is_file() for path in paths):
            raise BadInput("Your reference picture went missing on our disk: please send it again.")
        return paths

    async def _receive(self, upload: dict[str, str], number: int, folder: Path) -> str:
        raw = folder / f"upload-{number}"
        await self._downloads.fetch(upload["url"], raw, max_bytes=REFERENCE_BYTES)
        try:
            with naming_trouble():
                prepared = await asyncio.get_running_loop().run_in_executor(
                    self._pool, prepare_image, raw, upload["name"], folder, self._limits
                )
        except BrokenExecutor:
            raise BadInput("That reference picture breaks the reader: choose another.") from None
        finally:
            raw.unlink(missing_ok=True)
        if isinstance(prepared, LeftOut):
            raise BadInput(f"Your reference picture {prepared.name} {prepared.reason}.")
        return f"{prepared.sha256}.jpg"
