"""One HTTP exchange with a provider: where it may go, what travels with it, how large and slow it may be.

Used by `wire`, which knows what is repeated and what a failure means.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from bot.addresses import AddressRefused, AllowedHosts, origin_of
from bot.errors import ProviderBroken, ProviderUnreachable
from bot.fetching import CHUNK_BYTES, TooLarge
from bot.providers.pace import Pace
from bot.providers.replies import Reply

log = logging.getLogger(__name__)

CALLS_AT_ONCE = 16  # to one provider from one process
LARGEST_REPLY = 32 * 2**20  # bytes; four pictures as base64 fit
LONGEST_CALL_SECONDS = 600.0
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
STANDING_HEADERS = {
    "User-Agent": "Atelier (+Discord bot)",  # Together's CDN answers 403 to a blank one
    "Accept": "application/json, */*;q=0.5",
}


class Line:
    """The key goes to `base_url`'s origin and to `key_origins` only; other hosts must be among `hosts`."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        title: str,
        base_url: str,
        key_headers: Mapping[str, str],
        hosts: AllowedHosts,
        key_origins: frozenset[tuple[str, str, int | None]],
        pace: Pace | None,
        timeout: httpx.Timeout,
    ) -> None:
        self._client = client
        self._title = title
        self._base_url = base_url.rstrip("/")
        self._key_headers = dict(key_headers)
        self._hosts = hosts
        self._key_origins = key_origins | {origin_of(self._base_url)}
        self._pace = pace
        self._timeout = timeout
        self._calls = asyncio.Semaphore(CALLS_AT_ONCE)

    def url_of(self, path: str) -> str:
        """A path below the base address, or a whole web address as it is. Raises `ProviderBroken` for anything else."""
        if path.startswith(("https://", "http://")):
            return path
        if SCHEME.match(path):
            raise self._not_visited("the address is not https")
        return f"{self._base_url}/{path.lstrip('/')}"

    async def send(self, method: str, path: str, *, key: bool = True, headers: Any = None, **options: Any) -> Reply:
        url = self.url_of(path)
        async with (
            asyncio.timeout(LONGEST_CALL_SECONDS),
            self.open(method, url, key=key, headers=headers, **options) as response,
        ):
            body = await self._whole(response)
        reply = Reply(status=response.status_code, headers=lower_names(response.headers), body=body)
        if reply.status >= 400:
            log.info("%s answered %d: %s", self._title, reply.status, reply.said() or reply.start())
        return reply

    @asynccontextmanager
    async def open(
        self, method: str, url: str, *, key: bool, headers: Any, params: Any = None, **options: Any
    ) -> AsyncIterator[httpx.Response]:
        target = await self._checked(url)
        if params:
            target = target.copy_merge_params(params)
        keys = self._key_headers if key and origin_of(url) in self._key_origins else {}
        kind = {"Content-Type": "application/json"} if options.get("content") is not None else {}
        if self._pace is not None:
            await self._pace.turn()
        async with (
            self._calls,
            self._client.stream(
                method,
                target,
                headers={**STANDING_HEADERS, **kind, **(headers or {}), **keys},
                timeout=self._timeout,
                follow_redirects=False,
                **options,
            ) as response,
        ):
            yield response

    async def _checked(self, url: str) -> httpx.URL:
        try:
            if origin_of(url) != origin_of(self._base_url):
                await self._hosts.check(url)
            target = httpx.URL(url)
            _ = target.host  # decodes what an internationalised name hides
        except AddressRefused as problem:
            raise self._not_visited(str(problem)) from None
        except (httpx.InvalidURL, UnicodeError):
            raise self._not_visited("that is no address") from None
        except OSError:
            raise ProviderUnreachable(f"{self._title} did not answer; trying again.") from None
        if target.userinfo:
            raise self._not_visited("the address carries a user name")
        return target

    async def _whole(self, response: httpx.Response) -> bytes:
        chunks, size = [], 0
        async for chunk in response.aiter_bytes(CHUNK_BYTES):
            size += len(chunk)
            if size > LARGEST_REPLY:
                raise TooLarge
            chunks.append(chunk)
        return b"".join(chunks)

    def _not_visited(self, why: str) -> ProviderBroken:
        return ProviderBroken(
            f"{self._title} named an address that I do not visit.",
            advice=f"{why}: if it is right, add the host to ALLOWED_DOWNLOAD_HOSTS",
        )


def lower_names(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
