"""Which addresses bytes may be fetched from: https, a host that was named before, and never into a private network."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from urllib.parse import SplitResult, urlsplit

LONGEST_URL = 8192
CARRIERS = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("2002::/16"))

Resolve = Callable[[str], Awaitable[list[str]]]


class AddressRefused(ValueError):
    """The reason, without the address: it may carry a signature."""


async def resolve(host: str) -> list[str]:
    """The IP addresses of a host name. Raises `OSError`."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class AllowedHosts:
    """`hosts` are exact names, or `.suffix` for every name below one. `extra_hosts` may also be plain http and private
    addresses: whoever runs the bot named them."""

    def __init__(
        self, hosts: frozenset[str], *, extra_hosts: frozenset[str] = frozenset(), resolve: Resolve = resolve
    ) -> None:
        self._hosts = frozenset(host for host in hosts if not host.startswith("."))
        self._suffixes = tuple(host for host in hosts if host.startswith("."))
        self._extra_hosts = extra_hosts
        self._resolve = resolve

    def host_of(self, url: str) -> str:
        """The host, when it may be asked. Raises `AddressRefused`."""
        parts = _parts(url)
        host = (parts.hostname or "").lower().rstrip(".")
        if parts.username or parts.password:
            raise AddressRefused("the address carries a user name")
        if host in self._extra_hosts and parts.scheme in ("http", "https"):
            return host
        if parts.scheme != "https":
            raise AddressRefused("the address is not https")
        if is_ip_address(host) or not (host in self._hosts or host.endswith(self._suffixes or ("\0",))):
            raise AddressRefused("the host is not one of those allowed")
        return host

    async def check(self, url: str) -> None:
        """Also where the name leads to. Raises `AddressRefused`, or `OSError` when the name cannot be resolved."""
        host = self.host_of(url)
        if host in self._extra_hosts:
            return
        try:
            found = await self._resolve(host)
        except UnicodeError:
            raise AddressRefused("that is no address") from None
        if not found or not all(_is_public(address) for address in found):
            raise AddressRefused("the host leads into a private network, or nowhere")


def _is_public(address: str) -> bool:
    """Not private, and not a private one inside another: NAT64 (RFC 6052) and 6to4 (RFC 3056) carry an IPv4 address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    carries = isinstance(ip, ipaddress.IPv6Address) and any(ip in network for network in CARRIERS)
    return ip.is_global and not ip.is_multicast and not carries


def is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: what a key belongs to. Raises `AddressRefused`."""
    parts = _parts(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), port


def _parts(url: str) -> SplitResult:
    if len(url) > LONGEST_URL or any(sign.isspace() or not sign.isprintable() for sign in url):
        raise AddressRefused("that is no address")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise AddressRefused("that is no address") from None
    return parts
