"""Workflows call `prepare`: files on disk become checked pictures on disk. All blocking work is in the pool."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor
from pathlib import Path
from typing import ParamSpec, TypeVar

from bot.datasets.captions.pairing import Candidate
from bot.datasets.images import prepare_stored
from bot.datasets.limits import DatasetLimits
from bot.datasets.pool import alone
from bot.datasets.report import LeftOut, Prepared, PreparedImage, shown_name
from bot.datasets.selection import Selection
from bot.datasets.sources import SourceFile, gather
from bot.datasets.workplace import clear, hand_out, opened

__all__ = ["SourceFile", "prepare"]

_AT_WORK = 8  # two pictures for each of the four processes a pool has at most
_AHEAD = 32  # of the oldest unfinished picture: a slow one holds up nobody

P = ParamSpec("P")
T = TypeVar("T")
Verdict = PreparedImage | LeftOut
Job = asyncio.Future[Verdict]


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
    """Leaves the chosen pictures in `into` as `<sha256>.jpg` and nothing else, or nothing at all.

    `into` belongs to one preparation at a time; another starts over.
    """
    await _done(pool, clear, into)
    is_complete = False
    try:
        folder = opened(into)
        gathered = await _done(pool, gather, tuple(sources), limits)
        selection = Selection(most=min(most, limits.max_images), left_out=list(gathered.left_out))
        await _fill(selection, gathered.candidates, folder, pool, limits, on_progress)
        selection.refuse_if_empty()
        names = tuple(f"{image.sha256}.jpg" for image in selection.images)
        await _done(pool, hand_out, names, folder, into)
        is_complete = True
    finally:
        if not is_complete:
            await _clear(into, pool)
    return Prepared(images=selection.images, left_out=tuple(selection.left_out))


async def _fill(
    selection: Selection,
    candidates: Sequence[Candidate],
    folder: Path,
    pool: Executor,
    limits: DatasetLimits,
    on_progress: Callable[[int, int], None],
) -> None:
    """A few pictures at a time: enough to keep the pool busy, few enough to stop soon. Judged in their order."""
    loop = asyncio.get_running_loop()
    waiting = deque(candidates)
    begun: deque[tuple[Candidate, Job]] = deque()
    done = 0
    on_progress(done, len(candidates))
    try:
        while begun or (waiting and not selection.is_full):
            while waiting and not selection.is_full and _has_room(begun):
                candidate = waiting.popleft()
                begun.append((candidate, loop.run_in_executor(pool, prepare_stored, candidate.stored, folder, limits)))
            await asyncio.wait(
                [job for _, job in begun if not job.done()] or [begun[0][1]], return_when="FIRST_COMPLETED"
            )
            while begun and begun[0][1].done():
                candidate, job = begun.popleft()
                selection.judge(candidate, await _verdict(candidate, job, folder, limits))
                done += 1
                on_progress(done, len(candidates))
    finally:
        for _, job in begun:
            if not job.cancel() and not job.cancelled():
                job.exception()  # seen, so that asyncio does not report it: the first failure speaks for all
    for surplus in waiting:
        selection.leave_out_as_surplus(surplus)


async def _verdict(candidate: Candidate, job: Job, folder: Path, limits: DatasetLimits) -> Verdict:
    """When a process dies, all that was at work in the pool is lost: each then gets a process of its own."""
    with contextlib.suppress(BrokenExecutor):
        return job.result()
    try:
        return await alone(prepare_stored, candidate.stored, folder, limits)
    except BrokenExecutor:
        return LeftOut(name=shown_name(candidate.stored.name), reason="breaks the reader: save it again as JPEG or PNG")


def _has_room(begun: deque[tuple[Candidate, Job]]) -> bool:
    return len(begun) < _AHEAD and sum(not job.done() for _, job in begun) < _AT_WORK


async def _done(pool: Executor, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Also when somebody else's picture ends the process it is done in."""
    try:
        return await asyncio.wrap_future(pool.submit(fn, *args, **kwargs))
    except BrokenExecutor:
        return await alone(fn, *args, **kwargs)


async def _clear(into: Path, pool: Executor) -> None:
    try:
        await asyncio.shield(_done(pool, clear, into))
    except RuntimeError:  # the pool is closed; few files are left, and nothing else can be done
        clear(into)
