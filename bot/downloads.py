"""Fetches what people handed over, from Discord's CDN to disk: checked host, capped size, never whole in memory."""

from dataclasses import dataclass
from pathlib import Path

import httpx

from bot.addresses import AddressRefused, AllowedHosts
from bot.errors import BadInput, ProviderUnreachable
from bot.fetching import Incomplete, TooLarge, Written, write_capped
from storage.trouble import naming_trouble

DISCORD_HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})


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
        self._hosts = AllowedHosts(DISCORD_HOSTS, extra_hosts=extra_hosts)

    async def fetch(self, url: str, into: Path, *, max_bytes: int) -> Written:
        """Stream one file to `into`. Raises `BadInput`, `StorageTrouble`, or `ProviderUnreachable` to retry."""
        try:
            self._hosts.host_of(url)
        except AddressRefused:
            raise BadInput("That file is not on Discord: please attach it to the command.") from None
        try:
            async with self._client.stream("GET", url, follow_redirects=False) as response:
                if response.status_code in (401, 403, 404, 410):
                    raise BadInput("Discord no longer has that file: please upload it again.")
                if response.status_code != 200:
                    raise ProviderUnreachable("Discord's file server did not answer; trying again.")
                with naming_trouble():
                    return await write_capped(response, into, max_bytes=max_bytes)
        except TooLarge:
            raise too_large(max_bytes) from None
        except (httpx.RequestError, Incomplete) as problem:
            raise ProviderUnreachable("Discord's file server did not answer; trying again.") from problem


def too_large(max_bytes: int) -> BadInput:
    limit = f"{max_bytes // 2**20} MiB" if max_bytes >= 2**20 else f"{max_bytes:,} bytes"
    return BadInput(f"That is more than {limit}: send fewer or smaller pictures.")
