"""Workflows call `prepare`: files on disk become checked pictures. All blocking work is in the pool."""

import asyncio
import contextlib
import shutil
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path

from bot.datasets.images import prepare_image
from bot.datasets.limits import DatasetLimits
from bot.datasets.report import LeftOut, Prepared, PreparedImage
from bot.datasets.selection import Selection
from bot.datasets.sources import Candidate, SourceFile, gather

__all__ = ["SourceFile", "prepare"]

_IN_FLIGHT = 8  # two pictures for each of the four processes a pool has at most
_WORKING_FOLDER = "preparing-"
_ABANDONED = ".abandoned"


def _nobody_watches(done: int, total: int) -> None:
    """The default for `on_progress`, which is told pictures done and pictures in all."""


async def prepare(
    sources: Sequence[SourceFile],
    *,
    into: Path,
    pool: Executor,
    limits: DatasetLimits,
    most: int,
    on_progress: Callable[[int, int], None] = _nobody_watches,
) -> Prepared:
    """Leaves the chosen pictures in `into` as `<sha256>.jpg`, or nothing.

    `into` belongs to one preparation at a time; another starts over.
    """
    loop = asyncio.get_running_loop()
    async with _working_folder(into, pool) as folder:
        gathered = await loop.run_in_executor(pool, gather, tuple(sources), folder / "unpacked", limits)
        selection = Selection(most=min(most, limits.max_images), left_out=list(gathered.left_out))
        await _fill(selection, gathered.candidates, folder / "pictures", pool, limits, on_progress)
        selection.refuse_if_empty()
        await loop.run_in_executor(pool, _hand_out, selection.images, folder / "pictures", into)
    return Prepared(images=selection.images, left_out=tuple(selection.left_out))


def _hand_out(images: Sequence[PreparedImage], pictures: Path, into: Path) -> None:
    for image in images:
        (pictures / f"{image.sha256}.jpg").rename(into / f"{image.sha256}.jpg")


async def _fill(
    selection: Selection,
    candidates: Sequence[Candidate],
    pictures: Path,
    pool: Executor,
    limits: DatasetLimits,
    on_progress: Callable[[int, int], None],
) -> None:
    """A few pictures at a time: enough to keep the pool busy, few enough to stop soon."""
    loop = asyncio.get_running_loop()
    waiting = deque(candidates)
    at_work: deque[tuple[Candidate, asyncio.Future[PreparedImage | LeftOut]]] = deque()
    done = 0
    on_progress(done, len(candidates))
    try:
        while waiting or at_work:
            while waiting and len(at_work) < _IN_FLIGHT and not selection.is_full:
                next_one = waiting.popleft()
                job = loop.run_in_executor(pool, prepare_image, next_one.path, next_one.name, pictures, limits)
                at_work.append((next_one, job))
            if not at_work:
                break
            candidate, job = at_work.popleft()
            selection.judge(candidate, await job)
            done += 1
            on_progress(done, len(candidates))
    finally:
        for _, job in at_work:
            if not job.cancel():
                job.exception()  # seen, so that asyncio does not report it: the first failure speaks for all
    for surplus in waiting:
        selection.leave_out_as_surplus(surplus)


@contextlib.asynccontextmanager
async def _working_folder(into: Path, pool: Executor) -> AsyncIterator[Path]:
    """Gone afterwards, whatever happened; also what an earlier preparation left here when the bot was killed."""
    into.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left_behind in into.glob(f"{_WORKING_FOLDER}*"):
        await _remove(left_behind, pool)
    for earlier in into.glob("*.jpg"):
        earlier.unlink()
    folder = Path(tempfile.mkdtemp(prefix=_WORKING_FOLDER, dir=into))
    try:
        (folder / "unpacked").mkdir()
        (folder / "pictures").mkdir()
        yield folder
    finally:
        await _remove(folder, pool)


async def _remove(folder: Path, pool: Executor) -> None:
    """Renamed first: a process still at work in it then finds no place for another file."""
    abandoned = folder if folder.name.endswith(_ABANDONED) else folder.rename(f"{folder}{_ABANDONED}")
    loop = asyncio.get_running_loop()
    try:
        await asyncio.shield(loop.run_in_executor(pool, shutil.rmtree, abandoned, True))
    except RuntimeError:  # the pool is closed or broken; few files are left, and nothing else can be done
        shutil.rmtree(abandoned, ignore_errors=True)
