"""The processes that touch untrusted bytes, opened once at startup and closed at shutdown."""

import asyncio
import contextlib
import ctypes
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from typing import ParamSpec, TypeVar

from bot.datasets.limits import MEBIBYTE

P = ParamSpec("P")
T = TypeVar("T")

_TRIM_ABOVE, _APART_ABOVE = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD in malloc.h
_IMPORTED_BEFORE_FORKING = [
    "bot.datasets.images",
    "bot.datasets.sources",
    "bot.datasets.packing",
    "PIL.JpegImagePlugin",  # what nearly every picture needs, so that the processes share it
    "PIL.PngImagePlugin",
]


def open_pool(workers: int | None = None) -> "LastingPool":
    """Starts one process before returning, so call it before the event loop has anything to do."""
    pool = LastingPool(workers or min(4, os.cpu_count() or 1))
    pool.submit(_is_ready).result()
    return pool


async def alone(fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """In a process of its own, which nobody else's work can end. Raises BrokenExecutor when this work ends it."""
    process = _processes(1)
    try:
        return await asyncio.wrap_future(process.submit(fn, *args, **kwargs))
    finally:
        process.shutdown(wait=False, cancel_futures=True)


class LastingPool(Executor):
    """A pool of processes that is opened anew when one of them dies.

    A picture may crash its decoder, or the system may end a process to save memory; the jobs at work then fail with
    BrokenExecutor, and the next one finds a pool that works.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._processes = _processes(workers)
        self._reopening = threading.Lock()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        with self._reopening:
            try:
                return self._processes.submit(fn, *args, **kwargs)
            except BrokenExecutor:
                self._processes.shutdown(wait=False)
                self._processes = _processes(self._workers)
                return self._processes.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._processes.shutdown(wait, cancel_futures=cancel_futures)


def _processes(workers: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED_BEFORE_FORKING)
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_begin)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the bot's to handle: it closes the pool
    os.nice(10)  # on a busy machine the event loop comes first
    _keep_freed_memory()
    threading.Thread(target=_end_with_the_bot, daemon=True).start()


def _keep_freed_memory() -> None:
    """Each picture needs what the one before has just given back: fetching it anew from the system costs a tenth more.

    What a much larger picture needed goes back all the same. Only glibc lets itself be told.
    """
    with contextlib.suppress(AttributeError, OSError):
        memory = ctypes.CDLL(None)
        memory.mallopt(_TRIM_ABOVE, 64 * MEBIBYTE)
        memory.mallopt(_APART_ABOVE, 32 * MEBIBYTE)


def _end_with_the_bot() -> None:
    """A killed bot closes nothing, and an idle process would wait for its next task forever."""
    if bot := multiprocessing.parent_process():
        bot.join()
        os._exit(1)


def _is_ready() -> bool:
    return True
