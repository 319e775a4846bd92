"""Receiving: what was handed over comes to our disk, and is looked at once more before pictures are made of it."""

import logging

from bot.datasets.preparation import SourceFile
from bot.downloads import Downloads
from bot.errors import BadInput, DatasetRejected
from bot.operators import Operators
from bot.workflows.engine import Json
from bot.workflows.resuming import SUBJECT
from bot.workflows.room import Room
from storage.errors import StorageTrouble
from storage.files import Files
from storage.jobs import Job

LOOKS_AT_THE_DISK = 120
SECONDS_BETWEEN_LOOKS = 5.0

log = logging.getLogger(__name__)


class Receiving:
    def __init__(self, *, files: Files, downloads: Downloads, room: Room, operators: Operators, max_bytes: int) -> None:
        self._files = files
        self._downloads = downloads
        self._room = room
        self._operators = operators
        self._max_bytes = max_bytes

    async def receive(self, job: Job) -> Json:
        """Discord's links die soon, so the bytes are fetched first of all."""
        folder = await self._files.empty_work_folder(job.id)
        await self._require_room(sum(upload["size_bytes"] for upload in job.details["uploads"]))
        left = self._max_bytes
        hashes = []
        for number, upload in enumerate(job.details["uploads"]):
            written = await self._downloads.fetch(upload["url"], folder / f"upload-{number}", max_bytes=left)
            left -= written.size_bytes
            hashes.append(written.sha256)
        return {"uploads": hashes}

    async def _require_room(self, upload_bytes: int) -> None:
        """There was room when it was asked for, and others have come since: they may be done soon."""
        for _ in range(LOOKS_AT_THE_DISK):
            try:
                return await self._room.require_on_disk(upload_bytes)
            except StorageTrouble as trouble:
                await self._operators.tell(SUBJECT, trouble.advice)
                await self._room.pause(SECONDS_BETWEEN_LOOKS)
        raise DatasetRejected("My disk has no room for these any more: please send them again later.")

    async def sources(self, job: Job, received: Json) -> list[SourceFile]:
        """The files as they were received: between then and now lie restarts, power cuts and other people's hands.

        Hashing takes two seconds of the gigabytes that take minutes to prepare. Raises `DatasetRejected`.
        """
        folder = self._files.work_folder(job.id)
        sources = []
        for number, (upload, sha256) in enumerate(zip(job.details["uploads"], received["uploads"], strict=True)):
            source = SourceFile(path=folder / f"upload-{number}", name=upload["name"])
            if not await self._is_as_received(source, sha256):
                await self._receive_again(job, upload["url"], source, sha256)
            sources.append(source)
        return sources

    async def _is_as_received(self, source: SourceFile, sha256: str) -> bool:
        try:
            return await self._files.sha256_of(source.path) == sha256
        except FileNotFoundError:
            return False

    async def _receive_again(self, job: Job, url: str, source: SourceFile, sha256: str) -> None:
        log.warning("Job %s: %s is not on disk as it was received; it is fetched again", job.id, source.path.name)
        lost = DatasetRejected("The upload went missing on our disk: please send it again.")
        try:
            written = await self._downloads.fetch(url, source.path, max_bytes=self._max_bytes)
        except BadInput:
            raise lost from None
        if written.sha256 != sha256:
            raise lost
