"""The processes that touch untrusted bytes, opened once at startup and closed at shutdown."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_IMPORTED_BEFORE_FORKING = ["bot.datasets.images", "bot.datasets.sources", "bot.datasets.packing"]


def open_pool(workers: int | None = None) -> "LastingPool":
    """Starts one process before returning, so call it before the event loop has anything to do."""
    pool = LastingPool(workers or min(4, os.cpu_count() or 1))
    pool.submit(_is_ready).result()
    return pool


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
    threading.Thread(target=_end_with_the_bot, daemon=True).start()


def _end_with_the_bot() -> None:
    """A killed bot closes nothing, and an idle process would wait for its next task forever."""
    if bot := multiprocessing.parent_process():
        bot.join()
        os._exit(1)


def _is_ready() -> bool:
    return True
