"""How `huggingface_hub` is made to behave: bounded, silent, and with no token but ours. Only `hub.py` calls it.

Left alone, version 2.4 waits for ever (its client has no timeout, and paging and `model_info` ask for none), sleeps for
as long as a `Retry-After` says, asks huggingface.co which coding agent runs it, reads the machine's own token on the
LFS path, and prints to stderr through a log handler of its own. All of that is process-wide, so it is set in one place.
"""

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
from huggingface_hub import close_session, constants, get_session, set_client_factory
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # public: the package only lacks an `__all__`
    build_hf_headers,
    disable_progress_bars,
    hf_raise_for_status,
)

from bot.errors import AtelierError, ProviderDenied, ProviderRefused
from bot.hub.meanings import meaning_of, unreachable
from bot.providers.scrubbing import LONGEST_TEXT, scrubbed

log = logging.getLogger(__name__)

Result = TypeVar("Result")

LIBRARY = "atelier"
THREADS = 2
CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 120.0  # a large commit takes the Hub a while
CLOSING_SECONDS = 5.0
LARGEST_ANSWER_BYTES = 32 * 2**20  # answers are JSON; weights are never downloaded through this client
TURNED_OFF = ("HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_IMPLICIT_TOKEN")  # True means off
STATUS_IN_WORDS = re.compile(r"HTTP status (?:client|server) error \((\d{3}) ")  # hf_xet raises a ConnectionError
FAILURES = (
    httpx2.HTTPError,
    httpx2.InvalidURL,
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
)


@dataclass
class Deadline:
    """Until when a call may begin another request; moved to now when nobody waits for the call any more."""

    at: float

    def end(self) -> None:
        self.at = 0.0


_deadline: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def prepare_library() -> None:
    for name in TURNED_OFF:
        if not hasattr(constants, name):
            raise RuntimeError(f"huggingface_hub has no {name} any more: see how to turn it off now")
        setattr(constants, name, True)
    disable_progress_bars()
    logger = logging.getLogger("huggingface_hub")
    for own in list(logger.handlers):
        logger.removeHandler(own)  # its lines reach ours, where secrets are replaced
    set_client_factory(_bounded_client)


def ask_who(endpoint: str, token: str) -> Any:
    """`HfApi.whoami` without its look at the machine's own token after a 401."""
    headers = build_hf_headers(token=token, library_name=LIBRARY)
    response = get_session().get(f"{endpoint}/api/whoami-v2", headers=headers)
    hf_raise_for_status(response)
    return response.json()


class Calls:
    """Runs the library's calls in threads of their own, each bounded in time, each failure translated."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="hub")
        self._running: dict[Future[Any], Deadline] = {}

    async def run(self, call: Callable[[], Result], *, seconds: float) -> Result:
        deadline = Deadline(at=time.monotonic() + seconds)
        running = self._threads.submit(_within, deadline, call)
        self._running[running] = deadline
        running.add_done_callback(self._forget)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.wrap_future(running)
        except TimeoutError:
            raise unreachable(f"no end after {seconds:.0f} seconds") from None
        finally:
            deadline.end()

    async def close(self) -> None:
        """Calls under way stop before their next request."""
        for deadline in self._running.values():
            deadline.end()
        ending = [asyncio.wrap_future(future) for future in self._running if not future.done()]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_SECONDS):
                await asyncio.gather(*ending, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)
        close_session()

    def _forget(self, finished: Future[Any]) -> None:
        self._running.pop(finished, None)


def _within(deadline: Deadline, call: Callable[[], Result]) -> Result:
    """In the thread. What is raised has no cause: the library's exceptions hold requests with their keys."""
    token = _deadline.set(deadline)
    try:
        return call()
    except FAILURES as problem:
        failure = _translated(problem)
        if failure is None:
            raise
        log.info("the Hub: %s: %s", type(failure).__name__, failure.advice or failure.sentence)
    finally:
        _deadline.reset(token)
    raise failure


def _translated(problem: BaseException) -> AtelierError | None:
    """None: it is no failure of the Hub's but of this machine, e.g. a file that is not there."""
    refusal = next((one for one in _chain(problem) if isinstance(one, HfHubHTTPError)), None)
    if refusal is not None:
        headers = {name.lower(): value for name, value in refusal.response.headers.items()}
        return meaning_of(refusal.response.status_code, headers, refusal.server_message or "")
    if told := STATUS_IN_WORDS.search(str(problem)):
        return meaning_of(int(told[1]), {}, str(problem))
    if isinstance(problem, OSError) and problem.filename is not None:
        return None
    if isinstance(problem, PermissionError):  # what hf_xet raises for a token that may not write
        return ProviderDenied("The Hugging Face Hub did not let the bot upload.", advice=scrubbed(str(problem)))
    if isinstance(problem, ValueError) and str(problem).startswith("LFS batch API returned errors"):
        return ProviderRefused(f"The Hugging Face Hub refused this: {scrubbed(str(problem), longest=LONGEST_TEXT)}")
    return unreachable(f"{type(problem).__name__}: {scrubbed(str(problem), longest=LONGEST_TEXT)}")


def _chain(problem: BaseException | None) -> Iterator[BaseException]:
    while problem is not None:
        yield problem
        problem = problem.__cause__


def _bounded_client() -> httpx2.Client:
    return httpx2.Client(
        event_hooks={"request": [_before_sending], "response": [_before_reading]},
        follow_redirects=True,
        headers={"Accept-Encoding": "identity"},
    )


def _before_sending(request: httpx2.Request) -> None:
    """The library passes `timeout=None` here and there, so the request itself is told."""
    deadline = _deadline.get()
    left = SILENCE_SECONDS if deadline is None else deadline.at - time.monotonic()
    if left <= 0:
        raise TimeoutError("this call has had its time")
    silence = min(SILENCE_SECONDS, left)
    request.extensions["timeout"] = {
        "connect": min(CONNECT_SECONDS, left),
        "read": silence,
        "write": silence,
        "pool": silence,
    }


def _before_reading(response: httpx2.Response) -> None:
    """An answer that asks for a pause is ours to heed: the library would sleep in its thread."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ValueError("a compressed answer, which was not asked for")
    response.stream = _Capped(response.stream)
    if response.status_code == 429 or (response.status_code >= 500 and "retry-after" in response.headers):
        response.read()
        hf_raise_for_status(response)


class _Capped(httpx2.SyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._stream:
            size += len(chunk)
            if size > LARGEST_ANSWER_BYTES:
                raise ValueError("an answer that is far too large")
            yield chunk

    def close(self) -> None:
        self._stream.close()
