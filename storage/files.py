"""The file store: bytes named by their SHA-256, written whole or not at all, readable by this bot's user only."""

import asyncio
import errno
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, TypeVar

from storage.soundness import refusing
from storage.trouble import naming_trouble

FILE_NAME = re.compile(r"[0-9a-f]{64}")
CHUNK_BYTES = 1 << 20
SWEPT_AFTER_SECONDS = 86_400.0  # whoever has put a file there may not have come to its row yet

Result = TypeVar("Result")


class Files:
    """Content-addressed files below one folder; the disk is waited for in threads of its own.

    Opening raises `StorageRefused` with a way out; afterwards a failing disk is `StorageTrouble`.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="files")
        self.changing = asyncio.Lock()  # held from adopting a file to its row, and from looking for rows to removing
        self._incoming = root / "incoming"
        self._work = root / "work"
        for folder in (self._root, self._incoming, self._work):
            with refusing(folder):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def keep(self, source: Path) -> str:
        """Copy a file into the store; answers its name. Keeping the same bytes twice keeps one file."""
        return await self._in_thread(lambda: self._keep(source))

    async def adopt(self, paths: Mapping[str, Path]) -> None:
        """Move files of a work folder into the store, by what their bytes hash to; they are on disk already."""
        await self._to_the_end(lambda: self._adopt(paths))

    async def read(self, name: str) -> bytes:
        return await self._in_thread(self.path_of(name).read_bytes)

    async def sha256_of(self, path: Path) -> str:
        """Of any file; it is the file's name, once it is adopted."""
        return await self._in_thread(lambda: _sha256_of(path))

    async def require_room(self, needed_bytes: int) -> None:
        """Raises `StorageTrouble` when the disk has less than that, as if it were full already."""
        await self._in_thread(lambda: self._require_room(needed_bytes))

    async def sweep(self, needed: Set[str]) -> int:
        """Remove what nothing needs and nobody put there lately; answers how many files. Call at start."""
        return await self._in_thread(lambda: self._sweep(needed))

    async def remove_all(self, names: Collection[str]) -> None:
        await self._to_the_end(lambda: self._remove_all(names))

    def close(self) -> None:
        self._threads.shutdown()

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        with naming_trouble():
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _to_the_end(self, work: Callable[[], None]) -> None:
        """Whoever is cancelled waits for it too: a thread cannot be stopped, and it would remove what the next one
        to hold `changing`, or to begin in that work folder, has just put there."""
        doing = asyncio.ensure_future(self._in_thread(work))
        try:
            await asyncio.shield(doing)
        finally:
            await asyncio.wait([doing])

    def _keep(self, source: Path) -> str:
        digest = hashlib.sha256()
        temporary = self._incoming / secrets.token_hex(8)
        try:
            with source.open("rb") as reader, _create_private(temporary) as writer:
                while chunk := reader.read(CHUNK_BYTES):
                    digest.update(chunk)
                    writer.write(chunk)
                writer.flush()
                os.fsync(writer.fileno())
            target = self.path_of(digest.hexdigest())
            target.parent.mkdir(mode=0o700, exist_ok=True)
            temporary.replace(target)
            _sync_folder(target.parent)
        finally:
            temporary.unlink(missing_ok=True)
        return digest.hexdigest()

    def _adopt(self, paths: Mapping[str, Path]) -> None:
        touched = set()
        for name, path in paths.items():
            target = self.path_of(name)
            target.parent.mkdir(mode=0o700, exist_ok=True)
            if not target.exists():  # a file there has these bytes, and somebody may be reading it
                path.replace(target)
                touched.add(target.parent)
        for parent in touched:
            _sync_folder(parent)

    def _require_room(self, needed_bytes: int) -> None:
        free = shutil.disk_usage(self._root).free
        if free < needed_bytes:
            raise OSError(errno.ENOSPC, f"{free >> 20:,} MiB are free where {needed_bytes >> 20:,} MiB are needed")

    def _remove_all(self, names: Collection[str]) -> None:
        for name in names:
            self.remove(name)

    def _sweep(self, needed: Set[str]) -> int:
        before, swept = time.time() - SWEPT_AFTER_SECONDS, 0
        for folder in self._root.glob("[0-9a-f][0-9a-f]"):
            for path in folder.iterdir():
                is_ours = FILE_NAME.fullmatch(path.name) is not None
                if is_ours and path.name not in needed and path.stat().st_mtime < before:
                    path.unlink(missing_ok=True)
                    swept += 1
        return swept

    def path_of(self, name: str) -> Path:
        """Where a kept file lies; read it, never write to it."""
        if not FILE_NAME.fullmatch(name):
            raise ValueError("A file's name is 64 hexadecimal digits.")
        return self._root / name[:2] / name

    def has(self, name: str) -> bool:
        return self.path_of(name).is_file()

    def remove(self, name: str) -> None:
        self.path_of(name).unlink(missing_ok=True)

    def work_folder(self, name: str) -> Path:
        """A private folder for work in progress; it outlives a crash, `clear_work` ends it."""
        folder = self._work_folder(name)
        with naming_trouble():
            folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    async def empty_work_folder(self, name: str) -> Path:
        await self.clear_work(name)
        return self.work_folder(name)

    async def empty_part_of_work(self, name: str, part: str) -> Path:
        """An empty folder inside a work folder; it goes when that goes."""
        folder = self.work_folder(name) / part
        await self._to_the_end(lambda: shutil.rmtree(folder, ignore_errors=True))
        with naming_trouble():
            folder.mkdir(mode=0o700)
        return folder

    async def clear_work(self, name: str) -> None:
        folder = self._work_folder(name)
        await self._to_the_end(lambda: shutil.rmtree(folder, ignore_errors=True))

    def _work_folder(self, name: str) -> Path:
        return self._work / hashlib.sha256(name.encode()).hexdigest()[:24]

    def passing(self, suffix: str) -> Path:
        """A new path for what is read and removed at once; what a crash leaves there goes at the next start."""
        return self._incoming / f"{secrets.token_hex(8)}{suffix}"

    def forget_unfinished(self) -> None:
        """Remove what a crash left half written; call at start, before any work begins."""
        for leftover in self._incoming.iterdir():
            leftover.unlink(missing_ok=True)


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _create_private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
