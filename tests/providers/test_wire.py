"""The wire: what is sent once and what again, what each failure means, and where the key and the reader may go."""

import asyncio
import contextlib
import gzip
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina
from aiohttp import web

from bot.addresses import AllowedHosts
from bot.errors import (
    OutcomeUnknown,
    ProviderAway,
    ProviderBroken,
    ProviderBusy,
    ProviderDenied,
    ProviderError,
    ProviderGone,
    ProviderModerated,
    ProviderRefused,
    ProviderUnpaid,
    ProviderUnreachable,
)
from bot.providers.line import CALLS_AT_ONCE
from bot.providers.pace import Pace
from bot.providers.replies import Reply
from bot.providers.wire import Wire
from tests.providers.benches.bench import LOOPBACK
from tests.simulators.service import (
    BAD_GATEWAY,
    BAD_GATEWAY_AFTER_EFFECT,
    HTML,
    RESET,
    RESET_AFTER_EFFECT,
    SLOW_BODY,
    TOO_MANY,
    TRUNCATED,
    UNAVAILABLE,
    Fault,
    Received,
    Service,
    answers,
)

KEY = "bfl_0123456789abcdef"
SUBMIT, READ, ACT, FILE = "POST /v1/tasks", "GET /v1/tasks/{id}", "PUT /v1/tasks/{id}", "GET /files/{name}"
PICTURE = b"\x89PNG" + bytes(range(256)) * 64


class Studio(Service):
    """Tasks, files and detours; `ledger` counts what took effect."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger: list[Any] = []
        self.detours: dict[str, str] = {}
        self.at_once, self.most_at_once = 0, 0
        self.route("POST", "/v1/tasks", self._submit)
        self.route("GET", "/v1/tasks/{id}", self._read)
        self.route("PUT", "/v1/tasks/{id}", self._act)
        self.route("GET", "/v1/slow", self._slow)
        self.route("GET", "/v1/bomb", self._bomb)
        self.route("GET", "/files/{name}", self._file, is_public=True)
        self.route("GET", "/detour/{name}", self._detour, is_public=True)

    def is_authorised(self, received: Received) -> bool:
        return received.headers.get("x-key") == KEY

    async def _submit(self, received: Received) -> web.Response:
        self.ledger.append(received.json)
        return web.json_response({"id": f"task-{len(self.ledger)}"})

    async def _read(self, received: Received) -> web.Response:
        return web.json_response({"id": received.match["id"], "query": dict(received.query)})

    async def _act(self, received: Received) -> web.Response:
        return web.json_response({"json": received.json, "parts": sorted(received.parts)})

    async def _slow(self, _received: Received) -> web.Response:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.01)
        self.at_once -= 1
        return web.json_response({})

    async def _bomb(self, _received: Received) -> web.Response:
        return web.Response(body=gzip.compress(b"0" * 5 * 2**20), headers={"Content-Encoding": "gzip"})

    async def _file(self, _received: Received) -> web.Response:
        return web.Response(body=PICTURE, content_type="image/png")

    async def _detour(self, received: Received) -> web.Response:
        return web.Response(status=302, headers={"Location": self.detours[received.match["name"]]})


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """As often as the wire itself would repeat a call."""
    with stamina.set_testing(True, attempts=50, cap=True):
        yield


@pytest.fixture
async def studio() -> AsyncIterator[Studio]:
    async with Studio() as studio:
        yield studio


@pytest.fixture
async def elsewhere() -> AsyncIterator[Studio]:
    """Another origin: same host, another port."""
    async with Studio() as studio:
        yield studio


Opener = Callable[..., Wire]


@pytest.fixture
def opened(studio: Studio, client: httpx.AsyncClient) -> Opener:
    def open_wire(**changes: Any) -> Wire:
        settings: dict[str, Any] = {
            "client": client,
            "title": "The studio",
            "base_url": f"{studio.url}/v1",
            "key_headers": {"x-key": KEY},
            "hosts": AllowedHosts(frozenset(), extra_hosts=LOOPBACK),
        }
        settings.update(changes)
        return Wire(settings.pop("client"), **settings)

    return open_wire


@pytest.fixture
def wire(opened: Opener) -> Wire:
    return opened()


async def failure_of(call: Any) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await call
    return caught.value


def quick(read: float) -> httpx.Timeout:
    return httpx.Timeout(connect=5.0, read=read, write=5.0, pool=5.0)


# Paid requests are sent once.


async def test_a_paid_request_is_sent_with_the_key_and_its_headers(wire: Wire, studio: Studio) -> None:
    reply = await wire.submit("tasks", body={"prompt": "a cat"}, params={"wait": "0"}, headers={"Prefer": "wait=1"})
    assert reply.json() == {"id": "task-1"}
    (received,) = studio.requests
    assert received.json == {"prompt": "a cat"}
    assert received.query == {"wait": "0"}
    assert received.headers["prefer"] == "wait=1"
    assert received.headers["x-key"] == KEY
    assert "Atelier" in received.headers["user-agent"]


SUBMIT_FAILURES = [
    (answers(400, {"detail": "bad"}), ProviderRefused, 0),
    (answers(401, {"detail": "no"}), ProviderDenied, 0),
    (answers(402, {"detail": "no money"}), ProviderUnpaid, 0),
    (answers(403, {"detail": "no"}), ProviderDenied, 0),
    (answers(404, {"detail": "Not Found"}), ProviderGone, 0),
    (answers(410, HTML), ProviderGone, 0),
    (answers(422, {"detail": [{"loc": ["body", "n"], "msg": "too many"}]}), ProviderRefused, 0),
    (answers(408, {}), OutcomeUnknown, 0),
    (answers(409, {}), OutcomeUnknown, 0),
    (answers(500, {"detail": "oh"}), OutcomeUnknown, 0),
    (BAD_GATEWAY, OutcomeUnknown, 0),
    (BAD_GATEWAY_AFTER_EFFECT, OutcomeUnknown, 1),
    (UNAVAILABLE, OutcomeUnknown, 0),
    (answers(529, "overloaded"), OutcomeUnknown, 0),
    (RESET, OutcomeUnknown, 0),
    (RESET_AFTER_EFFECT, OutcomeUnknown, 1),
    (TRUNCATED, OutcomeUnknown, 1),
    (TOO_MANY, ProviderBusy, 0),
    (answers(307, "moved", Location="/v1/tasks/elsewhere"), ProviderBroken, 0),
]


@pytest.mark.parametrize(("fault", "error", "paid"), SUBMIT_FAILURES)
async def test_a_paid_request_that_fails_is_sent_exactly_once(
    wire: Wire, studio: Studio, fault: Fault, error: type[ProviderError], paid: int
) -> None:
    studio.order(SUBMIT, fault)
    assert type(await failure_of(wire.submit("tasks", body={"prompt": "a cat"}))) is error
    assert len(studio.requests) == 1
    assert len(studio.ledger) == paid


async def test_a_closed_port_took_nothing(opened: Opener) -> None:
    wire = opened(base_url="http://127.0.0.1:1/v1")
    assert type(await failure_of(wire.submit("tasks", body={}))) is ProviderAway


@pytest.mark.parametrize(
    ("problem", "error"),
    [
        (httpx.ConnectError, ProviderAway),
        (httpx.ConnectTimeout, ProviderAway),
        (httpx.PoolTimeout, ProviderBusy),
        (httpx.WriteTimeout, OutcomeUnknown),
        (httpx.WriteError, OutcomeUnknown),
        (httpx.ReadTimeout, OutcomeUnknown),
        (httpx.ReadError, OutcomeUnknown),
        (httpx.RemoteProtocolError, OutcomeUnknown),
        (httpx.ProxyError, OutcomeUnknown),
        (TimeoutError, OutcomeUnknown),
    ],
)
async def test_only_what_never_left_was_certainly_not_accepted(
    opened: Opener, problem: type[Exception], error: type[ProviderError]
) -> None:
    sent = 0

    def fail(_request: httpx.Request) -> httpx.Response:
        nonlocal sent
        sent += 1
        raise problem("x")

    async with httpx.AsyncClient(transport=httpx.MockTransport(fail)) as client:
        assert type(await failure_of(opened(client=client).submit("tasks", body={}))) is error
    assert sent == 1


async def test_an_answer_that_takes_too_long_is_unknown(opened: Opener, studio: Studio) -> None:
    studio.order(SUBMIT, Fault(delay_seconds=0.5))
    assert type(await failure_of(opened(timeout=quick(0.1)).submit("tasks", body={}))) is OutcomeUnknown
    assert len(studio.requests) == 1


async def test_a_body_that_comes_in_drops_is_unknown(opened: Opener, studio: Studio) -> None:
    studio.order(SUBMIT, SLOW_BODY)
    assert type(await failure_of(opened(timeout=quick(0.01)).submit("tasks", body={}))) is OutcomeUnknown
    assert (len(studio.requests), len(studio.ledger)) == (1, 1)


async def test_a_body_that_cannot_be_unpacked_is_unknown(wire: Wire, studio: Studio) -> None:
    studio.order(SUBMIT, answers(200, "no gzip", Content_Encoding="gzip"))
    assert type(await failure_of(wire.submit("tasks", body={}))) is OutcomeUnknown
    assert len(studio.requests) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": "0"}, 0.0),
        ({"Retry_After": "999999999"}, 3600.0),
        ({"ratelimit_reset": "3"}, 3.0),
        ({"Retry_After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 5.0),
        ({"Retry_After": "-1"}, 5.0),
        ({"Retry_After": "nan"}, 5.0),
        ({}, 5.0),
    ],
)
async def test_a_429_says_how_long_to_wait(wire: Wire, studio: Studio, headers: dict[str, str], seconds: float) -> None:
    studio.order(SUBMIT, answers(429, {"detail": "throttled"}, **headers))
    error = await failure_of(wire.submit("tasks", body={}))
    assert isinstance(error, ProviderBusy)
    assert error.retry_after_seconds == seconds
    assert len(studio.requests) == 1


async def test_a_payload_that_is_echoed_reaches_neither_log_nor_sentence(
    wire: Wire, studio: Studio, caplog: pytest.LogCaptureFixture
) -> None:
    payload = "QUJD" * 5000
    echoes: list[Any] = [
        {"detail": [{"loc": ["body", "image"], "msg": "bad base64", "input": payload}]},
        {"error": {"message": f"cannot read data:image/png;base64,{payload}"}},
        {"detail": f"https://files.example/cats.zip?X-Amz-Signature={payload} is gone, says {KEY}"},
        payload,
    ]
    for echo in echoes:
        studio.order(SUBMIT, answers(422, echo))
        with caplog.at_level(logging.DEBUG, logger="bot"):
            error = await failure_of(wire.submit("tasks", body={"image": payload}))
        told = error.sentence + error.advice + repr(error) + caplog.text
        assert "422" in caplog.text
        for secret in ("QUJDQUJD", "Signature", KEY):
            assert secret not in told


async def test_what_the_provider_means_wins_over_its_status(opened: Opener, studio: Studio) -> None:
    def explain(reply: Reply) -> ProviderError | None:
        return ProviderModerated("No such cats.") if b"nsfw" in reply.body else None

    wire = opened(explain=explain)
    studio.order(SUBMIT, answers(422, {"detail": "nsfw"}), answers(500, {"detail": "nsfw"}), answers(422, {}))
    found = [type(await failure_of(wire.submit("tasks", body={}))) for _ in range(3)]
    assert found == [ProviderModerated, ProviderModerated, ProviderRefused]
    assert len(studio.requests) == 3


async def test_an_accepted_request_with_far_too_large_an_answer_is_unknown(
    wire: Wire, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.providers.line.LARGEST_REPLY", 5)
    assert type(await failure_of(wire.submit("tasks", body={}))) is OutcomeUnknown
    assert len(studio.ledger) == 1


@pytest.mark.parametrize("body", [{"prompt": "half \ud800"}, {"scale": float("nan")}])
async def test_a_body_that_is_no_json_is_refused(wire: Wire, body: Any) -> None:
    assert type(await failure_of(wire.submit("tasks", body=body))) is ProviderRefused


# Harmless requests are repeated, not forever.


@pytest.mark.parametrize("fault", [RESET, BAD_GATEWAY, UNAVAILABLE, TOO_MANY, TRUNCATED, answers(500, {})])
async def test_a_question_is_asked_again_while_it_fails_in_passing(wire: Wire, studio: Studio, fault: Fault) -> None:
    studio.order(READ, fault, fault, fault)
    reply = await wire.read("tasks/7", params={"full": "1"})
    assert reply.json() == {"id": "7", "query": {"full": "1"}}
    assert len(studio.requests) == 4


@pytest.mark.parametrize(
    ("fault", "error"),
    [(RESET, ProviderUnreachable), (BAD_GATEWAY, ProviderUnreachable), (TOO_MANY, ProviderBusy)],
)
async def test_a_question_is_asked_four_times_at_most(
    wire: Wire, studio: Studio, fault: Fault, error: type[ProviderError]
) -> None:
    studio.order(READ, *[fault] * 10)
    assert type(await failure_of(wire.read("tasks/7"))) is error
    assert len(studio.requests) == 4


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ProviderRefused),
        (401, ProviderDenied),
        (402, ProviderUnpaid),
        (403, ProviderDenied),
        (404, ProviderGone),
        (410, ProviderGone),
        (418, ProviderRefused),
        (422, ProviderRefused),
        (302, ProviderBroken),
    ],
)
async def test_a_clear_no_is_not_asked_again(
    wire: Wire, studio: Studio, status: int, error: type[ProviderError]
) -> None:
    studio.order(READ, answers(status, {"detail": "no"}))
    assert type(await failure_of(wire.read("tasks/7"))) is error
    assert len(studio.requests) == 1


async def test_a_status_that_was_asked_for_is_an_answer(wire: Wire, studio: Studio) -> None:
    studio.order(READ, answers(404, {"detail": "Task not found"}))
    reply = await wire.read("tasks/7", accepted=(404,))
    assert (reply.status, reply.said()) == (404, "Task not found")
    assert reply.headers["content-type"].startswith("application/json")


async def test_a_question_that_times_out_is_asked_again(opened: Opener, studio: Studio) -> None:
    studio.order(READ, Fault(delay_seconds=0.5), SLOW_BODY)
    assert (await opened(timeout=quick(0.02)).read("tasks/7")).status == 200
    assert len(studio.requests) == 3


async def test_an_act_is_repeated_with_all_that_belongs_to_it(wire: Wire, studio: Studio) -> None:
    studio.order(ACT, RESET, UNAVAILABLE)
    assert (await wire.act("PUT", "tasks/7", body={"a": 1})).json() == {"json": {"a": 1}, "parts": []}
    studio.order(ACT, RESET_AFTER_EFFECT)
    files = {"content": ("cats.zip", b"zip", "application/zip")}
    reply = await wire.act("PUT", "tasks/7", files=files, data={"type": "zip"})
    assert reply.json() == {"json": None, "parts": ["content", "type"]}
    assert len(studio.requests) == 5


@pytest.mark.parametrize("body", ["", "no JSON", "{", HTML, "[" * 100_000])
async def test_an_answer_that_is_no_json_is_broken(wire: Wire, studio: Studio, body: str) -> None:
    studio.order(READ, answers(200, body))
    reply = await wire.read("tasks/7")
    with pytest.raises(ProviderBroken):
        reply.json()
    assert "<" not in reply.said()


async def test_an_answer_that_is_far_too_large_is_not_read_to_its_end(
    wire: Wire, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.providers.line.LARGEST_REPLY", 2**20)
    studio.order(READ, answers(200, {"data": "x" * 2 * 2**20}))
    assert type(await failure_of(wire.read("tasks/7"))) is ProviderBroken
    assert type(await failure_of(wire.read("bomb"))) is ProviderBroken
    assert len(studio.requests) == 2


async def test_few_calls_are_under_way_at_once(wire: Wire, studio: Studio) -> None:
    await asyncio.gather(*(wire.read("slow") for _ in range(3 * CALLS_AT_ONCE)))
    assert 1 < studio.most_at_once <= CALLS_AT_ONCE


async def test_every_attempt_waits_its_turn(opened: Opener, studio: Studio) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    wire = opened(pace=Pace(60, burst=1, now=lambda: 1000.0, sleep=sleep))
    studio.order(READ, UNAVAILABLE)
    await wire.read("tasks/7")
    await wire.submit("tasks", body={})
    assert waits == [1.0, 2.0]


# The key stays at home.


async def test_the_key_goes_to_its_own_origin_only(
    wire: Wire, studio: Studio, elsewhere: Studio, tmp_path: Path
) -> None:
    await wire.download(f"{elsewhere.url}/files/a.png", tmp_path / "a", max_bytes=10**6, types=("image/",), key=True)
    await wire.download(f"{studio.url}/files/a.png", tmp_path / "b", max_bytes=10**6, types=("image/",))
    assert type(await failure_of(wire.read(f"{elsewhere.url}/v1/tasks/7"))) is ProviderDenied
    assert type(await failure_of(wire.read("tasks/7", key=False))) is ProviderDenied
    for received in (*elsewhere.requests, *studio.requests):
        assert KEY not in str(received.headers)
    await wire.download(f"{studio.url}/files/a.png", tmp_path / "c", max_bytes=10**6, types=("image/",), key=True)
    assert studio.requests[-1].headers["x-key"] == KEY


async def test_the_key_goes_to_an_origin_that_was_named(opened: Opener, studio: Studio, elsewhere: Studio) -> None:
    wire = opened(key_origins=frozenset({("http", "127.0.0.1", elsewhere.port)}))
    assert (await wire.read(f"{elsewhere.url}/v1/tasks/7")).status == 200
    assert (await wire.read("tasks/7")).status == 200


async def test_a_redirect_takes_no_key_along(wire: Wire, studio: Studio, elsewhere: Studio, tmp_path: Path) -> None:
    studio.detours["out"] = f"{elsewhere.url}/detour/back"
    elsewhere.detours["back"] = f"{studio.url}/files/a.png"
    await wire.download(f"{studio.url}/detour/out", tmp_path / "a", max_bytes=10**6, types=("image/",), key=True)
    assert [KEY in str(one.headers) for one in (*studio.requests, *elsewhere.requests)] == [True, True, False]


async def test_a_redirected_question_is_not_followed(wire: Wire, studio: Studio, elsewhere: Studio) -> None:
    studio.order(READ, answers(302, "moved", Location=f"{elsewhere.url}/v1/tasks/7"))
    assert type(await failure_of(wire.read("tasks/7"))) is ProviderBroken
    assert elsewhere.requests == []


async def test_a_path_with_two_slashes_stays_at_home(wire: Wire, studio: Studio) -> None:
    assert wire._line.url_of("//files.example/x").startswith(f"{studio.url}/v1/")


# Where it may go.

FORBIDDEN = [
    "http://files.example/a.png",
    "https://stranger.example/a.png",
    "https://files.example.stranger.example/a.png",
    "https://xfiles.example/a.png",
    "https://ann@files.example/a.png",
    "https://files.example@stranger.example/a.png",
    "https://localhost/a.png",
    "https://localhost./a.png",
    "http://127.0.0.1:1/a.png",
    "https://127.0.0.1/a.png",
    "https://2130706433/a.png",
    "https://0x7f000001/a.png",
    "https://017700000001/a.png",
    "https://127.1/a.png",
    "https://[::1]/a.png",
    "https://[::ffff:127.0.0.1]/a.png",
    "https://[fe80::1%25eth0]/a.png",
    "https://169.254.169.254/latest/meta-data",
    "https://files.example:99999/a.png",
    "https://files.example/a b.png",
    "https://files.example/\n",
    "https:///a.png",
    "https://" + "a" * 9000,
]


def strict() -> AllowedHosts:
    async def resolve(_host: str) -> list[str]:
        return ["93.184.215.14"]

    return AllowedHosts(frozenset({"files.example", ".files.example"}), resolve=resolve)


@pytest.mark.parametrize("url", FORBIDDEN)
async def test_an_address_that_was_not_allowed_is_not_visited(
    opened: Opener, tmp_path: Path, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"{request.url} was visited")

    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as client:
        wire = opened(client=client, hosts=strict())
        error = await failure_of(wire.download(url, tmp_path / "a", max_bytes=100, types=("image/",)))
        assert type(error) is ProviderBroken
        assert "ALLOWED_DOWNLOAD_HOSTS" in error.advice
        assert url not in error.sentence + error.advice + caplog.text
        assert type(await failure_of(wire.read(url))) is ProviderBroken


@pytest.mark.parametrize("target", [url for url in FORBIDDEN if not set(url) & set(" \n") and "///" not in url])
async def test_a_redirect_to_an_address_that_was_not_allowed_is_not_followed(
    opened: Opener, tmp_path: Path, target: str
) -> None:
    visited: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        visited.append(request.url.host)
        return httpx.Response(302, headers={"Location": target})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        wire = opened(client=client, hosts=strict())
        call = wire.download("https://files.example/a.png", tmp_path / "a", max_bytes=100, types=("image/",))
        assert type(await failure_of(call)) is ProviderBroken
    assert visited == ["files.example"]


@pytest.mark.parametrize("found", [["10.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["::1"], ["fe80::1%eth0"]])
async def test_a_name_that_leads_into_a_private_network_is_not_visited(
    opened: Opener, tmp_path: Path, found: list[str]
) -> None:
    async def resolve(_host: str) -> list[str]:
        return found

    hosts = AllowedHosts(frozenset({"files.example"}), resolve=resolve)
    call = opened(hosts=hosts).download("https://files.example/a", tmp_path / "a", max_bytes=9, types=("image/",))
    assert "private network" in (await failure_of(call)).advice


async def test_a_name_that_cannot_be_resolved_right_now_is_tried_again(opened: Opener, tmp_path: Path) -> None:
    asked = 0

    async def resolve(_host: str) -> list[str]:
        nonlocal asked
        asked += 1
        raise OSError("no answer")

    hosts = AllowedHosts(frozenset({"files.example"}), resolve=resolve)
    call = opened(hosts=hosts).download("https://files.example/a", tmp_path / "a", max_bytes=9, types=("image/",))
    assert type(await failure_of(call)) is ProviderUnreachable
    assert asked == 4


async def test_a_user_name_before_its_own_host_is_refused(wire: Wire, studio: Studio) -> None:
    assert type(await failure_of(wire.read(f"http://ann:secret@127.0.0.1:{studio.port}/v1/tasks/7"))) is ProviderBroken


@pytest.mark.parametrize("target", ["ftp://files.example/a.png", "file:///etc/passwd", "javascript:alert(1)"])
async def test_what_is_no_web_address_is_not_asked_of_the_api(
    wire: Wire, studio: Studio, tmp_path: Path, target: str
) -> None:
    try:
        await failure_of(wire.download(target, tmp_path / "a", max_bytes=9, types=("image/",)))
        assert studio.unknown_routes == []
    finally:
        studio.unknown_routes.clear()


@pytest.mark.parametrize("location", ["https://[::1", "https://a.example:x/", "https://\u2488.example/"])
async def test_a_redirect_to_nonsense_ends_badly(opened: Opener, tmp_path: Path, location: str) -> None:
    """httpx refuses it while it reads the answer, so it looks like an answer that broke off."""

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers=[(b"Location", location.encode())])

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        wire = opened(client=client, hosts=strict())
        call = wire.download("https://files.example/a.png", tmp_path / "a", max_bytes=100, types=("image/",))
        assert type(await failure_of(call)) is ProviderUnreachable


@pytest.mark.parametrize(
    ("host", "hosts"),
    [
        ("a..files.example", AllowedHosts(frozenset({".files.example"}))),
        ("a" * 64 + ".files.example", AllowedHosts(frozenset({".files.example"}))),
        ("xn--.files.example", strict()),
    ],
)
async def test_a_host_that_is_no_name_is_broken(opened: Opener, tmp_path: Path, host: str, hosts: AllowedHosts) -> None:
    """The first two end in the resolver before it asks anybody, the third in httpx."""
    call = opened(hosts=hosts).download(f"https://{host}/a.png", tmp_path / "a", max_bytes=100, types=("image/",))
    assert type(await failure_of(call)) is ProviderBroken


# Results come whole or not at all.


async def download(wire: Wire, url: str, into: Path, *, max_bytes: int = 10**6) -> str:
    return await wire.download(url, into, max_bytes=max_bytes, types=("image/", "application/zip"))


async def test_a_result_is_streamed_to_disk_for_its_owner(wire: Wire, studio: Studio, tmp_path: Path) -> None:
    assert await download(wire, f"{studio.url}/files/a.png", tmp_path / "a") == "image/png"
    assert (tmp_path / "a").read_bytes() == PICTURE
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("fault", [TRUNCATED, RESET, UNAVAILABLE, BAD_GATEWAY, TOO_MANY])
async def test_a_download_that_breaks_off_starts_again(
    wire: Wire, studio: Studio, tmp_path: Path, fault: Fault
) -> None:
    studio.order(FILE, fault, fault, fault)
    await download(wire, f"{studio.url}/files/a.png", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == PICTURE
    assert len(studio.requests) == 4


async def test_a_download_that_always_breaks_off_ends(wire: Wire, studio: Studio, tmp_path: Path) -> None:
    studio.order(FILE, *[TRUNCATED] * 9)
    error = await failure_of(download(wire, f"{studio.url}/files/a.png", tmp_path / "a"))
    assert type(error) is ProviderUnreachable
    assert len(studio.requests) == 4


async def test_a_download_with_less_than_it_announced_is_not_believed(opened: Opener, tmp_path: Path) -> None:
    class Short(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"half"

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Length": "8", "Content-Type": "image/png"}, stream=Short())

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        wire = opened(client=client, hosts=strict())
        error = await failure_of(download(wire, "https://files.example/a.png", tmp_path / "a"))
    assert type(error) is ProviderUnreachable


async def test_a_download_that_is_too_long_is_stopped(wire: Wire, studio: Studio, tmp_path: Path) -> None:
    error = await failure_of(download(wire, f"{studio.url}/files/a.png", tmp_path / "a", max_bytes=len(PICTURE) - 1))
    assert type(error) is ProviderRefused
    assert len(studio.requests) == 1
    await download(wire, f"{studio.url}/files/a.png", tmp_path / "a", max_bytes=len(PICTURE))


@pytest.mark.parametrize("is_too_long", [True, False])
async def test_a_failed_download_leaves_no_half_file(
    wire: Wire, studio: Studio, tmp_path: Path, is_too_long: bool
) -> None:
    if not is_too_long:
        studio.order(FILE, *[TRUNCATED] * 9)
    size = 5000 if is_too_long else 10**6
    await failure_of(download(wire, f"{studio.url}/files/a.png", tmp_path / "a", max_bytes=size))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("body", [HTML, "plain words", {"error": "no"}])
async def test_a_result_of_another_type_is_refused_and_not_written(
    wire: Wire, studio: Studio, tmp_path: Path, body: Any
) -> None:
    studio.order(FILE, answers(200, body))
    error = await failure_of(download(wire, f"{studio.url}/files/a.png", tmp_path / "a"))
    assert type(error) is ProviderBroken
    assert list(tmp_path.iterdir()) == []
    assert len(studio.requests) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_a_link_that_has_expired_is_gone(wire: Wire, studio: Studio, tmp_path: Path, status: int) -> None:
    studio.order(FILE, answers(status, "<Error><Code>AccessDenied</Code></Error>"))
    error = await failure_of(download(wire, f"{studio.url}/files/a.png", tmp_path / "a"))
    assert type(error) is ProviderGone
    assert "expired" in error.sentence
    assert len(studio.requests) == 1


async def test_three_detours_are_followed_and_a_fourth_is_not(wire: Wire, studio: Studio, tmp_path: Path) -> None:
    studio.detours |= {"a": "/detour/b", "b": "c?x=1", "c": f"{studio.url}/files/a.png", "d": "/detour/a"}
    await download(wire, f"{studio.url}/detour/a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == PICTURE
    assert type(await failure_of(download(wire, f"{studio.url}/detour/d", tmp_path / "b"))) is ProviderBroken


async def test_a_circle_ends(wire: Wire, studio: Studio, tmp_path: Path) -> None:
    studio.detours["a"] = "/detour/a"
    assert type(await failure_of(download(wire, f"{studio.url}/detour/a", tmp_path / "a"))) is ProviderBroken
    assert len(studio.requests) == 4


@pytest.mark.parametrize("status", [304, 300, 206])
async def test_an_answer_that_is_neither_a_file_nor_a_detour_is_broken(
    wire: Wire, studio: Studio, tmp_path: Path, status: int
) -> None:
    studio.order(FILE, answers(status, None))
    with contextlib.suppress(FileNotFoundError):
        assert type(await failure_of(download(wire, f"{studio.url}/files/a.png", tmp_path / "a"))) is ProviderBroken
    assert not (tmp_path / "a").exists()
