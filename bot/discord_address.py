"""Points discord.py at Discord or at the playground. The one file that touches the library's internals."""

from urllib.parse import urlsplit

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

REAL_API_URL = "https://discord.com/api/v10"


def point_at(*, api_url: str, gateway_url: str | None) -> None:
    """Call once, before the client logs in. Raises `RuntimeError` when discord.py has changed beneath us."""
    missing = [
        name for owner, name in ((Route, "BASE"), (DiscordWebSocket, "DEFAULT_GATEWAY")) if not hasattr(owner, name)
    ]
    if missing:
        raise RuntimeError(
            f"discord.py {discord.__version__} keeps its addresses elsewhere: update discord_address.py."
        )
    Route.BASE = api_url
    if gateway_url is not None:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)


def file_hosts(api_url: str) -> frozenset[str]:
    """Where uploads may come from beside Discord's own CDN: the playground serves its own."""
    host = urlsplit(api_url).hostname
    return frozenset() if api_url == REAL_API_URL or host is None else frozenset({host})
