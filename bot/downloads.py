"""Fetches what people handed over, from Discord's CDN to disk: checked host, capped size, never whole in memory."""

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from bot.errors import BadInput, ProviderUnreachable

DISCORD_HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
CHUNK_BYTES = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file as Discord described it: its short-lived link, the name its person gave it, its size in bytes."""

    url: str
    name: str
    size_bytes: int


class Downloads:
    """`extra_hosts` may also be plain http and private addresses: whoever runs the bot named them."""

    def __init__(self, client: httpx.AsyncClient, *, extra_hosts: frozenset[str] = frozenset()) -> None:
        self._client = client
        self._extra_hosts = extra_hosts

    async def fetch(self, url: str, into: Path, *, max_bytes: int) -> int:
        """Stream one file to `into`, answer its size in bytes. Raises `BadInput`, or `ProviderUnreachable` to retry."""
        self._check(url)
        try:
            async with self._client.stream("GET", url, follow_redirects=False) as response:
                if response.status_code in (401, 403, 404, 410):
                    raise BadInput("Discord no longer has that file: please upload it again.")
                if response.status_code != 200:
                    raise ProviderUnreachable("Discord's file server did not answer; trying again.")
                return await _write(response, into, max_bytes)
        except httpx.RequestError as problem:
            raise ProviderUnreachable("Discord's file server did not answer; trying again.") from problem

    def _check(self, url: str) -> None:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        if host in self._extra_hosts and parts.scheme in ("http", "https"):
            return
        if host not in DISCORD_HOSTS or parts.scheme != "https" or _is_address(host):
            raise BadInput("That file is not on Discord: please attach it to the command.")


async def _write(response: httpx.Response, into: Path, max_bytes: int) -> int:
    size = 0
    descriptor = os.open(into, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        async for chunk in response.aiter_bytes(CHUNK_BYTES):
            size += len(chunk)
            if size > max_bytes:
                raise too_large(max_bytes)
            file.write(chunk)
    return size


def too_large(max_bytes: int) -> BadInput:
    limit = f"{max_bytes // 2**20} MiB" if max_bytes >= 2**20 else f"{max_bytes:,} bytes"
    return BadInput(f"That is more than {limit}: send fewer or smaller pictures.")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
