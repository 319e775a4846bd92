"""The object store: what goes up comes down by a link, what goes wrong is said in a sentence, and no secret is."""

import asyncio
import hashlib
import logging
import random
import socket
import stat
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from storage.objects import ObjectGone, Objects, ObjectsRefused, ObjectsUnreachable
from tests.simulators.s3 import S3Server

MIB = 1 << 20
KEY = "datasets/cats-1.zip"
R2 = {
    "bucket": "atelier",
    "endpoint": "https://account.r2.cloudflarestorage.com",
    "access_key_id": "a" * 32,
    "secret_access_key": "b" * 64,
}
Call = Callable[[Objects, Path], Awaitable[object]]
CALLS: dict[str, Call] = {
    "check": lambda objects, _: objects.check(),
    "put": lambda objects, folder: objects.put(folder / "cats.zip", KEY),
    "has": lambda objects, _: objects.has(KEY, size_bytes=8),
    "fetch": lambda objects, folder: objects.fetch(KEY, folder / "fetched", max_bytes=1000),
    "remove": lambda objects, _: objects.remove(KEY),
}


@pytest.fixture
def server() -> Iterator[S3Server]:
    with S3Server() as server:
        yield server


def objects_at(server: S3Server, **changes: str) -> Objects:
    known = {
        "bucket": server.bucket,
        "endpoint": server.endpoint,
        "access_key_id": server.access_key_id,
        "secret_access_key": server.secret_access_key,
    }
    return Objects(**(known | changes))


@pytest.fixture
def objects(server: S3Server) -> Objects:
    return objects_at(server)


@pytest.fixture
def cats(tmp_path: Path) -> Path:
    (tmp_path / "cats.zip").write_bytes(b"pictures")
    return tmp_path / "cats.zip"


@pytest.fixture
async def anyone() -> AsyncIterator[httpx.AsyncClient]:
    """Somebody with a link and nothing else."""
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


async def test_anyone_with_the_link_can_read_what_was_put(
    objects: Objects, server: S3Server, cats: Path, anyone: httpx.AsyncClient
) -> None:
    await objects.check()
    await objects.put(cats, KEY)
    answer = await anyone.get(await objects.link(KEY, seconds=60))
    assert (answer.status_code, answer.content) == (200, b"pictures")
    assert server.keys() == [KEY]


async def test_a_link_can_be_used_again_until_it_expires(
    objects: Objects, server: S3Server, cats: Path, anyone: httpx.AsyncClient
) -> None:
    await objects.put(cats, KEY)
    link = await objects.link(KEY, seconds=604_800)
    server.move_clock(604_790)
    assert [(await anyone.get(link)).status_code for _ in range(2)] == [200, 200]
    server.move_clock(20)
    assert (await anyone.get(link)).status_code == 403


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("Expires=60", "Expires=600"),
        ("cats-1", "cats-2"),
        ("Signature=", "Signature=0"),
        ("X-Amz-Date=2", "X-Amz-Date=3"),
    ],
)
async def test_a_link_that_was_changed_is_refused(
    objects: Objects, cats: Path, anyone: httpx.AsyncClient, said: str, instead: str
) -> None:
    await objects.put(cats, "datasets/cats-1.zip")
    await objects.put(cats, "datasets/cats-2.zip")
    link = await objects.link("datasets/cats-1.zip", seconds=60)
    assert (await anyone.get(link.replace(said, instead))).status_code == 403
    assert (await anyone.put(link, content=b"other pictures")).status_code == 403
    assert (await anyone.get(link.partition("?")[0])).status_code == 400
    assert (await anyone.get(link)).content == b"pictures"


@pytest.mark.parametrize("seconds", [-1, 0, 604_801])
async def test_a_link_lasts_a_second_to_a_week(seconds: int) -> None:
    with pytest.raises(ValueError, match="604800 seconds"):
        await Objects(**R2).link(KEY, seconds=seconds)


async def test_links_are_signed_for_the_address_that_others_use(
    server: S3Server, cats: Path, anyone: httpx.AsyncClient
) -> None:
    public_url = server.endpoint.replace("127.0.0.1", "localhost")
    objects = objects_at(server, public_url=public_url)
    await objects.put(cats, KEY)
    link = await objects.link(KEY, seconds=60)
    assert link.startswith(f"{public_url}/{server.bucket}/{KEY}?")
    assert (await anyone.get(link)).content == b"pictures"


async def test_the_link_of_a_removed_object_leads_nowhere_and_removing_twice_is_harmless(
    objects: Objects, server: S3Server, cats: Path, anyone: httpx.AsyncClient
) -> None:
    await objects.put(cats, KEY)
    link = await objects.link(KEY, seconds=60)
    await objects.remove(KEY)
    await objects.remove(KEY)
    assert (await anyone.get(link)).status_code == 404
    assert server.keys() == []


async def test_an_object_is_there_if_it_has_the_right_size(objects: Objects, cats: Path) -> None:
    assert not await objects.has(KEY, size_bytes=8)
    await objects.put(cats, KEY)
    assert await objects.has(KEY, size_bytes=8)
    assert not await objects.has(KEY, size_bytes=7)


async def test_putting_again_replaces(objects: Objects, server: S3Server, cats: Path, tmp_path: Path) -> None:
    await objects.put(cats, KEY)
    await objects.put(cats, KEY)
    cats.write_bytes(b"")
    await objects.put(cats, KEY)
    assert server.keys() == [KEY]
    assert await objects.fetch(KEY, tmp_path / "fetched", max_bytes=0) == 0


async def test_a_large_file_goes_up_in_equal_parts_and_comes_down_whole(
    objects: Objects, server: S3Server, tmp_path: Path, anyone: httpx.AsyncClient
) -> None:
    content = random.Random(1).randbytes(30 * MIB)
    (tmp_path / "large").write_bytes(content)
    await objects.put(tmp_path / "large", KEY)
    parts = {asked.query["partNumber"]: len(asked.body) for asked in server.asked if "partNumber" in asked.query}
    assert parts == {"1": 8 * MIB, "2": 8 * MIB, "3": 8 * MIB, "4": 6 * MIB}
    assert await objects.has(KEY, size_bytes=30 * MIB)
    assert await objects.fetch(KEY, tmp_path / "fetched", max_bytes=30 * MIB) == 30 * MIB
    linked = await anyone.get(await objects.link(KEY, seconds=60))
    expected = hashlib.sha256(content).digest()
    assert hashlib.sha256(linked.content).digest() == expected
    assert hashlib.sha256((tmp_path / "fetched").read_bytes()).digest() == expected


async def test_nothing_is_sent_that_r2_does_not_know(objects: Objects, server: S3Server, tmp_path: Path) -> None:
    """Checksums that newer S3 libraries add on their own, and trailers: R2 answers those with 501."""
    (tmp_path / "large").write_bytes(bytes(9 * MIB))
    await objects.check()
    await objects.put(tmp_path / "large", KEY)
    await objects.has(KEY, size_bytes=1)
    await objects.fetch(KEY, tmp_path / "fetched", max_bytes=9 * MIB)
    await objects.remove(KEY)
    names = {name for asked in server.asked for name in asked.headers}
    assert {name for name in names if name.startswith("x-amz")} == {"x-amz-date", "x-amz-content-sha256"}
    assert not {"content-encoding", "transfer-encoding", "trailer", "content-md5"} & names
    assert {asked.method for asked in server.asked} == {"GET", "HEAD", "PUT", "POST", "DELETE"}


async def test_what_is_fetched_is_for_the_bots_user_only(objects: Objects, cats: Path, tmp_path: Path) -> None:
    into = tmp_path / "fetched"
    into.write_bytes(b"something that was there before")
    into.chmod(0o644)
    await objects.put(cats, KEY)
    assert await objects.fetch(KEY, into, max_bytes=8) == 8
    assert into.read_bytes() == b"pictures"
    assert stat.S_IMODE(into.stat().st_mode) == 0o600


async def test_too_large_an_object_is_refused_before_it_is_on_disk(
    objects: Objects, cats: Path, tmp_path: Path
) -> None:
    await objects.put(cats, KEY)
    with pytest.raises(ObjectsRefused, match="larger than 7 bytes"):
        await objects.fetch(KEY, tmp_path / "fetched", max_bytes=7)
    assert not (tmp_path / "fetched").exists()


async def test_fetching_what_is_gone_says_so(objects: Objects, tmp_path: Path) -> None:
    with pytest.raises(ObjectGone, match="upload it again"):
        await objects.fetch(KEY, tmp_path / "fetched", max_bytes=7)


async def test_a_download_that_breaks_off_leaves_nothing_half(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        stamp = b"Last-Modified: Wed, 21 Oct 2026 07:28:00 GMT\r\nETag: x\r\n"
        writer.write(b"HTTP/1.1 200 OK\r\n" + stamp + b"Content-Length: 8\r\n\r\npict")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as broken:
        objects = Objects(**(R2 | {"endpoint": f"http://127.0.0.1:{broken.sockets[0].getsockname()[1]}"}))
        with pytest.raises(ObjectsUnreachable):
            await objects.fetch(KEY, tmp_path / "fetched", max_bytes=8)
    assert list(tmp_path.iterdir()) == []


async def test_a_file_that_is_not_there_is_not_put(objects: Objects, server: S3Server, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await objects.put(tmp_path / "missing", KEY)
    with pytest.raises(IsADirectoryError):
        await objects.put(tmp_path, KEY)
    assert server.asked == []


@pytest.mark.parametrize(
    "key", ["", "/a", "a/../b", "a..b", "a/./b", "a//b", "a/", "A", "ä", "a b", "a?b", "a\n", "a" * 502]
)
async def test_a_key_that_is_no_key_is_refused(objects: Objects, server: S3Server, cats: Path, key: str) -> None:
    for call in (
        lambda: objects.put(cats, key),
        lambda: objects.has(key, size_bytes=8),
        lambda: objects.link(key, seconds=60),
        lambda: objects.fetch(key, cats, max_bytes=8),
        lambda: objects.remove(key),
    ):
        with pytest.raises(ValueError, match="starts with a letter"):
            await call()
    assert server.asked == []


@pytest.mark.parametrize("call", CALLS)
async def test_a_wrong_secret_is_refused_with_advice(server: S3Server, cats: Path, call: str) -> None:
    objects = objects_at(server, secret_access_key="f" * 64)
    with pytest.raises(ObjectsRefused, match=r"(secret access key does not belong|keys may not do that)"):
        await CALLS[call](objects, cats.parent)


@pytest.mark.parametrize("call", ["check", "put", "fetch"])
async def test_each_mistake_of_the_operators_has_its_own_advice(server: S3Server, cats: Path, call: str) -> None:
    with pytest.raises(ObjectsRefused, match="does not know the access key id"):
        await CALLS[call](objects_at(server, access_key_id="e" * 32), cats.parent)
    with pytest.raises(ObjectsRefused, match="no bucket atelier-elsewhere: create it"):
        await CALLS[call](objects_at(server, bucket="atelier-elsewhere"), cats.parent)
    server.move_clock(3600)
    with pytest.raises(ObjectsRefused, match="clock is wrong"):
        await CALLS[call](objects_at(server), cats.parent)


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (403, "AccessDenied", "may not do that in the bucket atelier-[0-9a-f]+: let their token read and write"),
        (401, "Unauthorized", "does not accept the keys"),
        (400, "EntityTooLarge", "larger than it takes"),
        (501, "NotImplemented", "NotImplemented: check the bucket"),
        (400, "", "HTTP 400: check the bucket"),
        (400, "{bucket.__class__}", "HTTP 400: check the bucket"),
    ],
)
async def test_a_refusal_is_said_in_a_sentence(
    objects: Objects, server: S3Server, cats: Path, status: int, code: str, sentence: str
) -> None:
    server.fail_next(status, code, times=5)
    with pytest.raises(ObjectsRefused, match=sentence):
        await objects.put(cats, KEY)
    assert server.keys() == []


@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (429, "TooManyRequests"), (500, "InternalError")])
async def test_a_busy_store_is_asked_again(
    objects: Objects, server: S3Server, cats: Path, status: int, code: str
) -> None:
    server.fail_next(status, code, times=2)
    await objects.put(cats, KEY)
    assert server.keys() == [KEY]
    assert len(server.asked) == 3


async def test_a_part_that_fails_is_sent_again(objects: Objects, server: S3Server, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(9 * MIB))
    server.fail_next(503, "SlowDown", times=3)
    await objects.put(tmp_path / "large", KEY)
    assert await objects.has(KEY, size_bytes=9 * MIB)


async def test_a_store_that_stays_busy_is_to_be_tried_later(objects: Objects, server: S3Server, cats: Path) -> None:
    server.fail_next(503, "SlowDown", times=100)
    with pytest.raises(ObjectsUnreachable, match="try again later"):
        await objects.put(cats, KEY)
    assert len(server.asked) == 5


async def test_a_store_that_is_not_there_is_unreachable(server: S3Server) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, and not listening: a connection is refused
        objects = objects_at(server, endpoint=f"http://127.0.0.1:{nobody.getsockname()[1]}")
        with pytest.raises(ObjectsUnreachable, match="check the network and its endpoint"):
            await objects.check()


@pytest.mark.parametrize(("call", "busy"), [*((call, False) for call in CALLS), ("put", True)])
async def test_no_secret_is_shown_by_anything_that_fails(
    server: S3Server, cats: Path, call: str, busy: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "5ecre7" * 10
    objects = objects_at(server, secret_access_key=wrong)
    link = await objects.link(KEY, seconds=60)
    if busy:
        server.fail_next(503, "SlowDown", times=5)
    with pytest.raises(ObjectsUnreachable if busy else ObjectsRefused) as raised:
        await CALLS[call](objects, cats.parent)
    problem = raised.value
    assert problem.__context__ is None  # obstore's own text, with addresses and answers in it
    assert problem.__cause__ is None
    told = f"{problem!r} {''.join(traceback.format_exception(problem, chain=True))}"
    assert not any(secret in told for secret in (wrong, server.access_key_id, "X-Amz-", "Signature=", "http://", link))
    ours = [record for record in caplog.records if not record.name.startswith("botocore")]  # the simulator's own sums
    assert not any(wrong in record.getMessage() or "X-Amz-" in record.getMessage() for record in ours)
    assert repr(objects) == f"Objects(bucket='{server.bucket}')"


async def test_variables_meant_for_another_store_change_nothing(
    server: S3Server, cats: Path, anyone: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "another",
        "AWS_SECRET_ACCESS_KEY": "another",
        "AWS_SESSION_TOKEN": "another",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "AWS_REGION": "eu-west-1",
        "AWS_BUCKET": "another",
        "AWS_SKIP_SIGNATURE": "true",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true",
        "AWS_REQUEST_PAYER": "true",
        "AWS_S3_EXPRESS": "true",
    }.items():
        monkeypatch.setenv(name, value)
    objects = objects_at(server)
    await objects.put(cats, KEY)
    link = await objects.link(KEY, seconds=60)
    assert "Security-Token" not in link
    assert (await anyone.get(link)).content == b"pictures"


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "account.r2.cloudflarestorage.com",
        "ftp://account.r2.cloudflarestorage.com",
        "https://",
        "https://account.r2.cloudflarestorage.com/atelier",
        "https://account.r2.cloudflarestorage.com?a=1",
        "https://ann:hunter2@account.r2.cloudflarestorage.com",
        "https://account.r2.cloudflarestorage.com:99999",
        "https://[::1",
    ],
)
def test_an_endpoint_is_an_address_and_nothing_more(endpoint: str) -> None:
    with pytest.raises(ObjectsRefused, match="leave the bucket out") as refused:
        Objects(**(R2 | {"endpoint": endpoint}))
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "change",
    [{"bucket": ""}, {"bucket": "Cats"}, {"bucket": "a/b"}, {"access_key_id": ""}, {"secret_access_key": "5ecre7\n"}],
)
def test_settings_that_cannot_be_right_are_refused_at_once(change: dict[str, str]) -> None:
    with pytest.raises(ObjectsRefused, match=r"(correct it|copy it again)") as refused:
        Objects(**(R2 | change))
    assert "5ecre7" not in str(refused.value)


def test_the_simulator_refuses_what_r2_refuses(server: S3Server) -> None:
    """So that the tests above mean something."""
    path = f"/{server.bucket}/a"
    assert server.signed("PUT", path, b"x").status_code == 200
    assert server.signed("PUT", path, b"x", content_encoding="aws-chunked").status_code == 501
    assert server.signed("PUT", path, b"x", x_amz_acl="public-read").status_code == 501
    upload = server.signed("POST", f"{path}?uploads=").text.partition("<UploadId>")[2].partition("<")[0]
    for number, size in ((1, 5 * MIB), (2, 6 * MIB), (3, 1)):
        assert server.signed("PUT", f"{path}?partNumber={number}&uploadId={upload}", bytes(size)).status_code == 200
    answer = server.signed("POST", f"{path}?uploadId={upload}", b"<CompleteMultipartUpload/>")
    assert (answer.status_code, "InvalidPart" in answer.text) == (400, True)
