"""Downloads: only from where they may come from, never more than allowed, and a sentence for what goes wrong."""

import asyncio
import gzip
import hashlib
import os
import stat
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from bot.downloads import Downloads
from bot.errors import AtelierError, BadInput, ProviderUnreachable
from bot.fetching import Written

LINK = "https://cdn.discordapp.com/attachments/1/2/cats.zip?ex=1&hm=2"
Answer = Callable[[httpx.Request], httpx.Response]


class Wire:
    """Answers every request with the same reply, and remembers what was asked."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        return self._answer(request)


async def fetch(
    answer: Answer, into: Path, *, url: str = LINK, max_bytes: int = 1000, extra_hosts: frozenset[str] = frozenset()
) -> tuple[Written, Wire]:
    wire = Wire(answer)
    async with httpx.AsyncClient(transport=httpx.MockTransport(wire), follow_redirects=False) as client:
        written = await Downloads(client, extra_hosts=extra_hosts).fetch(url, into, max_bytes=max_bytes)
    return written, wire


def file(content: bytes = b"pictures", **headers: str) -> Answer:
    return lambda _request: httpx.Response(200, content=content, headers=headers)


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "upload-0"


@pytest.mark.parametrize("host", ["cdn.discordapp.com", "media.discordapp.net", "CDN.discordapp.com"])
async def test_a_file_of_discords_is_on_disk_for_nobody_else(into: Path, host: str) -> None:
    written, wire = await fetch(file(), into, url=f"https://{host}/attachments/1/2/cats.zip")
    assert written == Written(size_bytes=8, sha256=hashlib.sha256(b"pictures").hexdigest())
    assert into.read_bytes() == b"pictures"
    assert stat.S_IMODE(into.stat().st_mode) == 0o600
    assert len(wire.asked) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.discordapp.com/a.zip",
        "ftp://cdn.discordapp.com/a.zip",
        "file:///etc/passwd",
        "https://example.com/a.zip",
        "https://cdn.discordapp.com.example.com/a.zip",
        "https://cdn.discordapp.com@example.com/a.zip",
        "https://discordapp.com/a.zip",
        "https://127.0.0.1/a.zip",
        "https://10.0.0.1/a.zip",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/a.zip",
        "https://localhost/a.zip",
        "cdn.discordapp.com/a.zip",
        "",
    ],
)
async def test_no_other_host_is_ever_asked(into: Path, url: str) -> None:
    wire = Wire(file())
    async with httpx.AsyncClient(transport=httpx.MockTransport(wire)) as client:
        with pytest.raises(BadInput, match="not on Discord"):
            await Downloads(client).fetch(url, into, max_bytes=1000)
    assert wire.asked == []
    assert not into.exists()


@pytest.mark.parametrize("url", ["http://127.0.0.1:8420/attachments/1", "https://127.0.0.1/attachments/1"])
async def test_a_host_the_operator_named_may_be_private_and_plain(into: Path, url: str) -> None:
    written, _ = await fetch(file(), into, url=url, extra_hosts=frozenset({"127.0.0.1"}))
    assert written.size_bytes == 8


async def test_a_named_host_still_speaks_http_only(into: Path) -> None:
    with pytest.raises(BadInput):
        await fetch(file(), into, url="ftp://127.0.0.1/a", extra_hosts=frozenset({"127.0.0.1"}))


async def test_a_redirect_is_not_followed(into: Path) -> None:
    wire = Wire(lambda _request: httpx.Response(302, headers={"location": "http://169.254.169.254/"}))
    async with httpx.AsyncClient(transport=httpx.MockTransport(wire), follow_redirects=False) as client:
        with pytest.raises(AtelierError):
            await Downloads(client).fetch(LINK, into, max_bytes=1000)
    assert wire.asked == [LINK]


async def test_a_redirect_is_not_followed_by_a_client_that_would(into: Path) -> None:
    wire = Wire(lambda _request: httpx.Response(302, headers={"location": "http://169.254.169.254/"}))
    async with httpx.AsyncClient(transport=httpx.MockTransport(wire), follow_redirects=True) as client:
        with pytest.raises(AtelierError):
            await Downloads(client).fetch(LINK, into, max_bytes=1000)
    assert wire.asked == [LINK]


async def test_exactly_the_limit_is_taken_and_one_byte_more_is_not(into: Path) -> None:
    assert (await fetch(file(b"x" * 1000), into))[0].size_bytes == 1000
    with pytest.raises(BadInput, match="send fewer or smaller pictures"):
        await fetch(file(b"x" * 1001), into)


async def test_a_length_that_lies_changes_nothing(into: Path) -> None:
    """The limit is counted while the bytes arrive, so an endless file stops early."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65536
            yield b"x" * 65536

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=endless(), headers={"content-length": "10"})

    with pytest.raises(BadInput):
        await fetch(answer, into, max_bytes=200_000)
    assert sent < 1_000_000
    assert into.stat().st_size <= 200_000


async def test_a_file_packed_for_the_wire_counts_with_what_it_unpacks_to(into: Path) -> None:
    packed = gzip.compress(b"\0" * 1_000_000)
    with pytest.raises(BadInput):
        await fetch(file(packed, **{"content-encoding": "gzip"}), into)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_a_link_that_has_expired_asks_for_a_new_upload(into: Path, status: int) -> None:
    with pytest.raises(BadInput, match="please upload it again"):
        await fetch(lambda _request: httpx.Response(status), into)
    assert not into.exists()


@pytest.mark.parametrize("status", [204, 206, 429, 500, 502, 503])
async def test_a_server_in_trouble_is_worth_another_try(into: Path, status: int) -> None:
    with pytest.raises(ProviderUnreachable, match="trying again"):
        await fetch(lambda _request: httpx.Response(status), into)


@pytest.mark.parametrize(
    "trouble", [httpx.ConnectError, httpx.ReadTimeout, httpx.PoolTimeout, httpx.RemoteProtocolError]
)
async def test_no_answer_is_worth_another_try(into: Path, trouble: type[httpx.TransportError]) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        raise trouble("no answer")

    with pytest.raises(ProviderUnreachable):
        await fetch(answer, into)


async def test_a_connection_that_breaks_halfway_is_worth_another_try(into: Path) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b"x" * 10
        raise httpx.ReadError("gone")

    with pytest.raises(ProviderUnreachable):
        await fetch(lambda _request: httpx.Response(200, content=half()), into)
    assert (await fetch(file(), into))[0].size_bytes == 8
    assert into.read_bytes() == b"pictures", "nothing is left of the half"


async def test_bytes_that_do_not_unpack_are_worth_another_try(into: Path) -> None:
    with pytest.raises(AtelierError):
        await fetch(file(b"no gzip", **{"content-encoding": "gzip"}), into)


async def test_a_slow_disk_holds_up_nobody_else(into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And it has the file for good before anybody is told that it came."""
    lasting: list[int] = []

    def slowly(descriptor: int) -> None:
        time.sleep(1.0)
        lasting.append(os.fstat(descriptor).st_size)

    monkeypatch.setattr(os, "fsync", slowly)
    fetching, longest = asyncio.ensure_future(fetch(file(), into)), 0.0
    while not fetching.done():
        before = time.perf_counter()
        await asyncio.sleep(0.005)
        longest = max(longest, time.perf_counter() - before)
    await fetching
    assert lasting == [8]
    assert longest < 1.0


async def test_a_large_file_comes_whole_and_in_its_order(into: Path) -> None:
    content = bytes(range(256)) * 20_000
    written, _ = await fetch(file(content), into, max_bytes=len(content))
    assert written == Written(size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    assert into.read_bytes() == content


async def test_what_was_cut_short_writes_nothing_into_the_next_attempt(into: Path) -> None:
    reached = asyncio.Event()

    async def half() -> AsyncIterator[bytes]:
        yield b"x" * 3_000_000
        reached.set()
        await asyncio.Event().wait()

    cut = asyncio.ensure_future(fetch(lambda _request: httpx.Response(200, content=half()), into, max_bytes=9_000_000))
    await reached.wait()
    cut.cancel()
    await asyncio.wait([cut])
    assert (await fetch(file(), into))[0].size_bytes == 8
    assert into.read_bytes() == b"pictures"
