"""The one way to a provider's HTTP API: which calls are repeated, which never, and what each failure means.

`read` and `act` are harmless to repeat and are repeated with back-off and jitter. `submit` is paid: it is sent once,
and what came of it is either certain (an answer), certainly nothing (no connection, 429), or `OutcomeUnknown`.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx
import stamina

from bot.addresses import AllowedHosts
from bot.errors import (
    OutcomeUnknown,
    ProviderAway,
    ProviderBroken,
    ProviderBusy,
    ProviderError,
    ProviderGone,
    ProviderRefused,
    ProviderUnreachable,
)
from bot.fetching import Incomplete, TooLarge, write_whole
from bot.providers.line import Line, lower_names
from bot.providers.pace import Pace
from bot.providers.replies import Reply, meaning_of
from storage.trouble import trouble_of

log = logging.getLogger(__name__)

Result = TypeVar("Result")
Explain = Callable[[Reply], ProviderError | None]

TIMEOUT = httpx.Timeout(connect=10.0, read=60.0, write=120.0, pool=30.0)
ATTEMPTS = 4
LONGEST_PAUSE_SECONDS = 20.0
LONGEST_DOWNLOAD_SECONDS = 1800.0
HOPS = 3
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Wire:
    """`key_headers` travel to `base_url`'s origin and to `key_origins` only. `explain` reads what is the provider's own
    way of saying no; where it answers None the status speaks."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        title: str,
        base_url: str,
        key_headers: Mapping[str, str],
        hosts: AllowedHosts,
        key_origins: frozenset[tuple[str, str, int | None]] = frozenset(),
        explain: Explain = lambda _reply: None,
        pace: Pace | None = None,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        self._title = title
        self._explain = explain
        self._line = Line(
            client,
            title=title,
            base_url=base_url,
            key_headers=key_headers,
            hosts=hosts,
            key_origins=key_origins,
            pace=pace,
            timeout=timeout,
        )

    async def read(
        self, path: str, *, params: Mapping[str, str] | None = None, key: bool = True, accepted: tuple[int, ...] = ()
    ) -> Reply:
        """GET, repeated while it fails in passing. `key=False` sends none; `accepted` statuses are answers as well.

        Raises what the last attempt meant.
        """
        return await self._repeated("GET", path, accepted=accepted, params=params, key=key)

    async def act(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        files: Any = None,
        data: Any = None,
        accepted: tuple[int, ...] = (),
    ) -> Reply:
        """A call that may be repeated without harm: create what is absent, upload, cancel, delete."""
        return await self._repeated(
            method, path, accepted=accepted, content=self._encoded(body), files=files, data=data
        )

    async def submit(
        self, path: str, *, body: Any, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """POST something paid, once. `ProviderBusy`: certainly not accepted. `OutcomeUnknown`: nobody can say."""
        content = self._encoded(body)
        try:
            reply = await self._line.send("POST", path, content=content, params=params, headers=headers)
        except httpx.PoolTimeout:  # our own connections are all in use
            raise ProviderBusy(f"{self._title} has to wait for a moment; trying again.") from None
        except NEVER_SENT:
            raise ProviderAway(f"{self._title} cannot be reached; trying again.") from None
        except (httpx.RequestError, TimeoutError, TooLarge):
            raise self._unknown("no answer came that could be read") from None
        if reply.status >= 500 or reply.status in (408, 409):
            raise self._explain(reply) or self._unknown(f"HTTP {reply.status}")
        self._raise_for(reply)
        return reply

    async def download(self, url: str, into: Path, *, max_bytes: int, types: tuple[str, ...], key: bool = False) -> str:
        """Stream a result to `into`; answers its media type. Only allowed hosts and types (prefixes), and capped."""

        async def fetch() -> str:
            async with asyncio.timeout(LONGEST_DOWNLOAD_SECONDS):
                return await self._fetch(url, into, max_bytes=max_bytes, types=types, key=key)

        return await self._retrying(fetch)

    async def _repeated(self, method: str, path: str, *, accepted: tuple[int, ...], **options: Any) -> Reply:
        async def once() -> Reply:
            try:
                reply = await self._line.send(method, path, **options)
            except TooLarge:
                raise ProviderBroken(f"{self._title} sent an answer that is far too large.") from None
            if reply.status not in accepted:
                self._raise_for(reply)
            return reply

        return await self._retrying(once)

    async def _retrying(self, call: Callable[[], Awaitable[Result]]) -> Result:
        async for attempt in stamina.retry_context(
            on=_worth_another_try, attempts=ATTEMPTS, timeout=None, wait_initial=0.5, wait_max=10.0, wait_jitter=1.0
        ):
            with attempt:
                try:
                    return await call()
                except (httpx.RequestError, TimeoutError):
                    raise self._unreachable() from None
        raise AssertionError("the last attempt returns or raises")

    def _encoded(self, body: Any) -> bytes | None:
        """JSON, before anything is sent. Raises `ProviderRefused` for what cannot be written as JSON."""
        if body is None:
            return None
        try:
            return json.dumps(body, allow_nan=False, ensure_ascii=False).encode()
        except (ValueError, TypeError):
            raise ProviderRefused("This request holds something that cannot be sent: write it another way.") from None

    async def _fetch(self, url: str, into: Path, *, max_bytes: int, types: tuple[str, ...], key: bool) -> str:
        for _hop in range(HOPS + 1):
            async with self._line.open("GET", self._line.url_of(url), key=key, headers=None) as response:
                if response.is_redirect and "location" in response.headers:
                    url = str(response.url.join(response.headers["location"]))
                    continue
                if response.status_code != 200:
                    raise self._of_download(
                        Reply(status=response.status_code, headers=lower_names(response.headers), body=b"")
                    )
                media_type: str = response.headers.get("content-type", "").partition(";")[0].strip().lower()
                if not media_type.startswith(types):
                    raise ProviderBroken(f"{self._title} sent {media_type or 'something'} where a result should be.")
                await self._keep(response, into, max_bytes)
                return media_type
        raise ProviderBroken(f"{self._title} sent me from one address to the next.")

    async def _keep(self, response: httpx.Response, into: Path, max_bytes: int) -> None:
        try:
            await write_whole(response, into, max_bytes=max_bytes)
        except TooLarge:
            raise ProviderRefused(
                f"{self._title} sent more than {max_bytes // 2**20} MiB: I stopped reading."
            ) from None
        except Incomplete:
            raise self._unreachable() from None
        except OSError as problem:
            if (trouble := trouble_of(problem)) is not None:
                raise trouble from None
            raise ProviderBroken(
                f"What {self._title} sent could not be stored on our disk; trying again.", advice=str(problem)
            ) from None

    def _raise_for(self, reply: Reply) -> None:
        if reply.status >= 300:
            raise self._explain(reply) or meaning_of(reply, self._title)

    def _of_download(self, reply: Reply) -> ProviderError:
        """A link that has expired answers 403 or 404; the task itself may still name a fresh one."""
        if reply.status in (401, 403, 404, 410):
            return ProviderGone(f"{self._title} no longer has that result: its link has expired.")
        return meaning_of(reply, self._title)

    def _unreachable(self) -> ProviderUnreachable:
        return ProviderUnreachable(f"{self._title} did not answer; trying again.")

    def _unknown(self, why: str) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"{self._title} did not say whether it accepted this, so it was not sent again.", advice=why
        )


def _worth_another_try(error: Exception) -> bool | float:
    if isinstance(error, ProviderBusy):
        return min(error.retry_after_seconds, LONGEST_PAUSE_SECONDS)
    return isinstance(error, ProviderUnreachable)
