"""Streams an answer's body to disk, capped while it arrives: for Discord's files and for providers' results."""

import asyncio
import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

CHUNK_BYTES = 1 << 16
WRITTEN_AT_ONCE = 1 << 20  # bytes: what is worth a turn of the writing thread


class TooLarge(Exception):
    """There is more than was allowed."""


class Incomplete(Exception):
    """There is less than was announced."""


async def write_whole(response: httpx.Response, into: Path, *, max_bytes: int) -> None:
    """`write_capped`, and the file is whole under its name or not there at all."""
    part = into.with_name(f"{into.name}.part")
    try:
        await write_capped(response, part, max_bytes=max_bytes)
        part.replace(into)
    finally:
        part.unlink(missing_ok=True)


@dataclass(frozen=True, kw_only=True)
class Written:
    size_bytes: int
    sha256: str


async def write_capped(response: httpx.Response, into: Path, *, max_bytes: int) -> Written:
    """What came, hashed on its way into a file that only this bot's user may read, and that a power cut spares.

    Raises `TooLarge`, `Incomplete`, `OSError`, and whatever the wire raises.
    """
    announced = response.headers.get("content-length", "")
    size = 0
    writing = _Writing(into)
    try:
        async for chunk in response.aiter_bytes(CHUNK_BYTES):
            size += len(chunk)
            if size > max_bytes:
                raise TooLarge
            await writing.write(chunk)
        if announced.isdecimal() and "content-encoding" not in response.headers and size < int(announced):
            raise Incomplete
        await writing.make_lasting()
    finally:
        writing.end()
    return Written(size_bytes=size, sha256=writing.digest.hexdigest())


class _Writing:
    """A file that a thread of its own writes: gigabytes and slow disks hold up neither the event loop nor the few
    threads that everybody shares."""

    def __init__(self, into: Path) -> None:
        into.unlink(missing_ok=True)  # an attempt that was cut short may still be writing to the file of that name
        self._file = os.fdopen(os.open(into, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="fetching")
        self._waiting = bytearray()
        self.digest = hashlib.sha256()

    async def write(self, chunk: bytes) -> None:
        self._waiting += chunk
        if len(self._waiting) >= WRITTEN_AT_ONCE:
            await self._in_thread(self._write_waiting)

    async def make_lasting(self) -> None:
        await self._in_thread(self._write_the_rest)

    def _write_waiting(self) -> None:
        self.digest.update(self._waiting)
        self._file.write(self._waiting)
        self._waiting.clear()

    def _write_the_rest(self) -> None:
        self._write_waiting()
        self._file.flush()
        os.fsync(self._file.fileno())

    def end(self) -> None:
        """Without waiting: what is cut short still closes behind its last write."""
        self._thread.submit(self._file.close)
        self._thread.shutdown(wait=False)

    async def _in_thread(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, work)
