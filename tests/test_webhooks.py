"""The listener for providers' webhooks, over real HTTP: who may wake a job, and that strangers learn nothing."""

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import httpx
import pytest
import stamina

from bot.providers.registry import Providers
from bot.providers.tasks import GenerationRequest, Webhook
from bot.webhooks import LARGEST_BODY, Hooks, Listener
from tests.providers.benches import bfl, fal, local, replicate, together
from tests.simulators.fal import KEYS
from tests.simulators.replicate import WEBHOOK_SECRET
from tests.simulators.service import BAD_GATEWAY

NOW = 1_760_000_000.0
PUBLIC_URL = "https://atelier.example"
KEY = "the-discord-token-of-this-bot"
PROJECT = Path(__file__).parents[1]
PROMPT = "a-prompt-nobody-else-may-read"
KNOCKING = ("replicate", "fal", "bfl by signature", "bfl by secret")

Delivery = tuple[dict[str, str], bytes]


class Sender(Protocol):
    """A simulator's task that asked for a webhook, and the deliveries about it."""

    def __call__(self, *, at: float = NOW) -> Delivery: ...


@dataclass(frozen=True, kw_only=True)
class Porch:
    """The listener, and who has been woken. `url_of` is a job's webhook as the reverse proxy hands it on."""

    port: int
    hooks: Hooks
    client: httpx.AsyncClient
    woken: list[str]
    replicate: replicate.ReplicateBench
    fal: fal.FalBench
    bfl: bfl.BflBench

    def webhook(self, provider: str, job_id: str = "31") -> Webhook:
        webhook = self.hooks.webhook_for(provider, job_id)
        assert webhook is not None
        return webhook

    def url_of(self, provider: str, job_id: str = "31") -> str:
        return self.webhook(provider, job_id).url.replace(PUBLIC_URL, f"http://127.0.0.1:{self.port}")

    async def knock(self, url: str, delivery: Delivery) -> int:
        headers, body = delivery
        return (await self.client.post(url, content=body, headers=headers)).status_code

    async def sender(self, kind: str, job_id: str = "31") -> tuple[str, Sender]:
        """The name of the provider, and deliveries about a task that was really submitted for this job."""
        provider = kind.partition(" ")[0]
        webhook = self.webhook(provider, job_id)
        if provider == "replicate":
            request = _wanted(self.replicate.generation(job_id, with_model=False), webhook)
            task = await self.replicate.provider.submit_generation(request)
            self.replicate.simulator.finish_all()
            return provider, lambda *, at=NOW: self.replicate.simulator.delivery_for(task.id, at=at)
        if provider == "fal":
            request = _wanted(self.fal.generation(job_id, with_model=False), webhook)
            await self.fal.provider.submit_generation(request)  # type: ignore[attr-defined]
            await self.fal.finish()
            accepted = self.fal.service.ledger[-1]
            return provider, lambda *, at=NOW: self.fal.service.delivery(accepted, now=at)
        request = _wanted(self.bfl.generation(job_id, with_model=False), webhook)
        task = await self.bfl.provider.submit_generation(request)
        signs = kind.endswith("signature")
        return provider, lambda *, at=NOW: self.bfl.service.knock(task.id, signs=signs)  # noqa: ARG005 - it tells no time


def _wanted(request: GenerationRequest | None, webhook: Webhook) -> GenerationRequest:
    assert request is not None
    return replace(request, webhook=webhook, prompt=PROMPT)


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=4):
        yield


@pytest.fixture
async def porch(tmp_path: Path) -> AsyncIterator[Porch]:
    woken: list[str] = []
    hooks = Hooks(public_url=PUBLIC_URL, key=KEY)
    async with AsyncExitStack() as stack:
        of_replicate = await stack.enter_async_context(replicate.open_bench(_folder(tmp_path, "replicate")))
        of_fal = await stack.enter_async_context(fal.open_bench(_folder(tmp_path, "fal")))
        of_bfl = await stack.enter_async_context(bfl.open_bench(_folder(tmp_path, "bfl")))
        of_together = await stack.enter_async_context(together.open_bench(_folder(tmp_path, "together")))
        of_local = await stack.enter_async_context(local.open_bench(_folder(tmp_path, "local")))
        benches = (of_replicate, of_fal, of_bfl, of_together, of_local)
        providers = Providers([bench.provider for bench in benches])
        listener = Listener(hooks=hooks, providers=providers, wake=woken.append, now=lambda: NOW)
        port = await stack.enter_async_context(listener.listening("127.0.0.1", 0))
        client = await stack.enter_async_context(httpx.AsyncClient())
        yield Porch(port=port, hooks=hooks, client=client, woken=woken, replicate=of_replicate, fal=of_fal, bfl=of_bfl)


def _folder(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything anybody logs, however unimportant."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, logger="httpcore")  # the stranger's own side
    caplog.set_level(logging.WARNING, logger="httpx")
    return caplog


def says_nothing_of(porch: Porch, provider: str, said: pytest.LogCaptureFixture) -> None:
    """Nothing that came in, and nothing that proves anything."""
    webhook = porch.webhook(provider)
    for hidden in (PROMPT, webhook.url, webhook.url.rpartition("/")[2], webhook.secret, WEBHOOK_SECRET, KEY):
        assert hidden not in said.text


# Who is heard.


@pytest.mark.parametrize("kind", KNOCKING)
async def test_a_genuine_knock_wakes_exactly_that_job_once(
    porch: Porch, kind: str, said: pytest.LogCaptureFixture
) -> None:
    provider, delivery = await porch.sender(kind)
    assert await porch.knock(porch.url_of(provider), delivery()) == 204
    assert porch.woken == ["31"]
    says_nothing_of(porch, provider, said)


@pytest.mark.parametrize("kind", KNOCKING)
async def test_a_repeated_knock_is_thanked_for_and_wakes_nobody_again(porch: Porch, kind: str) -> None:
    provider, delivery = await porch.sender(kind)
    url = porch.url_of(provider)
    assert [await porch.knock(url, delivery()) for _ in range(3)] == [204, 204, 204]
    assert porch.woken == ["31"]


@pytest.mark.parametrize("kind", KNOCKING)
async def test_the_same_knock_many_times_at_the_same_moment_wakes_once(porch: Porch, kind: str) -> None:
    provider, delivery = await porch.sender(kind)
    url, same = porch.url_of(provider), delivery()
    assert await asyncio.gather(*(porch.knock(url, same) for _ in range(8))) == [204] * 8
    assert porch.woken == ["31"]


async def test_two_jobs_are_woken_each_by_its_own_knock(porch: Porch) -> None:
    for kind, job_id in (("replicate", "31"), ("fal", "32"), ("bfl by secret", "33")):
        provider, delivery = await porch.sender(kind, job_id)
        assert await porch.knock(porch.url_of(provider, job_id), delivery()) == 204
    assert porch.woken == ["31", "32", "33"]


async def test_a_later_knock_about_the_same_task_wakes_again(porch: Porch) -> None:
    """Started and completed are two deliveries."""
    await porch.sender("replicate")
    simulator = porch.replicate.simulator
    for delivery_id in ("msg_started", "msg_completed"):
        delivery = simulator.delivery_for(simulator.ledger[-1], delivery_id=delivery_id, at=NOW)
        assert await porch.knock(porch.url_of("replicate"), delivery) == 204
    assert porch.woken == ["31", "31"]


# Who is not.


def _flipped(delivery: Delivery) -> Delivery:
    headers, body = delivery
    return headers, body.replace(b'"', b"'", 1)


def _unsigned(delivery: Delivery) -> Delivery:
    return {}, delivery[1]


def _signed_by_a_stranger(delivery: Delivery) -> Delivery:
    """The right shape, and another key."""
    headers, body = delivery
    forged = {
        "webhook-signature": "v1,Zm9yZ2VkIGZvcmdlZCBmb3JnZWQgZm9yZ2VkIGZvcmc=",
        "x-fal-webhook-signature": "ab" * 64,
        "x-bfl-signature": "sha256=" + "ab" * 32,
        "x-webhook-secret": "ab" * 32,
    }
    return {name: forged.get(name, value) for name, value in headers.items()}, body


FORGERIES = [(kind, forge) for kind in KNOCKING for forge in (_flipped, _unsigned, _signed_by_a_stranger)]
FORGERIES.remove(("bfl by secret", _flipped))  # the bare secret does not cover the body


@pytest.mark.parametrize(("kind", "forge"), FORGERIES)
async def test_a_forged_knock_is_not_found_and_wakes_nobody(
    porch: Porch, kind: str, forge: Callable[[Delivery], Delivery], said: pytest.LogCaptureFixture
) -> None:
    provider, delivery = await porch.sender(kind)
    assert await porch.knock(porch.url_of(provider), forge(delivery())) == 404
    assert porch.woken == []
    assert f"A webhook of {provider} for job 31 is not genuine" in said.text
    says_nothing_of(porch, provider, said)


@pytest.mark.parametrize("kind", ["replicate", "fal"])
@pytest.mark.parametrize("seconds", [-301.0, 301.0])
async def test_a_knock_of_another_time_is_not_found(
    porch: Porch, kind: str, seconds: float, said: pytest.LogCaptureFixture
) -> None:
    provider, delivery = await porch.sender(kind)
    assert await porch.knock(porch.url_of(provider), delivery(at=NOW + seconds)) == 404
    assert porch.woken == []
    says_nothing_of(porch, provider, said)


@pytest.mark.parametrize("kind", KNOCKING)
async def test_a_genuine_knock_at_another_jobs_door_needs_that_jobs_token(
    porch: Porch, kind: str, said: pytest.LogCaptureFixture
) -> None:
    provider, delivery = await porch.sender(kind)
    token = porch.url_of(provider, "31").rpartition("/")[2]
    other = porch.url_of(provider, "32").rpartition("/")[0] + "/" + token
    assert await porch.knock(other, delivery()) == 404
    assert porch.woken == []
    says_nothing_of(porch, provider, said)


async def test_bfls_proof_for_one_job_opens_no_other_door(porch: Porch) -> None:
    """Its secret is made for one job alone."""
    for kind in ("bfl by secret", "bfl by signature"):
        _, delivery = await porch.sender(kind)
        assert await porch.knock(porch.url_of("bfl", "32"), delivery()) == 404
    assert porch.woken == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"),
        lambda url: url.rpartition("/")[0] + "/" + "0" * 64,
        lambda url: url.rpartition("/")[0] + "/" + url.rpartition("/")[2].upper(),
        lambda url: url[:-1],
        lambda url: url + "0",
        lambda url: url.rpartition("/")[0],
        lambda url: url.replace("/replicate/", "/nobody/"),
        lambda url: url.replace("/replicate/", "/together/"),
        lambda url: url.replace("/replicate/", "/local/"),
        lambda url: url.replace("/31/", "/thirty-one/"),
        lambda url: url.replace("/webhooks/", "/"),
        lambda url: url.replace("/webhooks/", "/webhooks/../webhooks/x/"),
    ],
    ids=[
        "last digit",
        "zeros",
        "capitals",
        "short",
        "long",
        "none",
        "nobody",
        "together",
        "local",
        "name",
        "root",
        "..",
    ],
)
async def test_a_wrong_address_is_not_found_whatever_it_brings(
    porch: Porch, spoil: Callable[[str], str], said: pytest.LogCaptureFixture
) -> None:
    _, delivery = await porch.sender("replicate")
    assert await porch.knock(spoil(porch.url_of("replicate")), delivery()) == 404
    assert porch.woken == []
    says_nothing_of(porch, "replicate", said)


@pytest.mark.parametrize("provider", ["together", "local"])
async def test_a_provider_without_webhooks_has_no_door_even_with_the_right_token(porch: Porch, provider: str) -> None:
    _, delivery = await porch.sender("replicate")
    assert await porch.knock(porch.url_of(provider), delivery()) == 404
    assert porch.woken == []


async def test_every_refusal_looks_the_same(porch: Porch) -> None:
    """Whether a door is there and only the signature is wrong is nobody's business."""
    _, delivery = await porch.sender("replicate")
    headers, body = _signed_by_a_stranger(delivery())
    good = porch.url_of("replicate")
    urls = (good, good.replace("/31/", "/32/"), good.replace("/replicate/", "/nobody/"), good + "/further")
    answers = [await porch.client.post(url, content=body, headers=headers) for url in urls]
    assert len({(one.status_code, one.content, one.headers["content-type"]) for one in answers}) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_only_a_post_is_a_knock(porch: Porch, method: str) -> None:
    _, delivery = await porch.sender("replicate")
    headers, body = delivery()
    answer = await porch.client.request(method, porch.url_of("replicate"), content=body, headers=headers)
    assert answer.status_code == 405
    assert porch.woken == []


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_body_that_is_too_large_is_not_read_to_its_end(
    porch: Porch, is_chunked: bool, said: pytest.LogCaptureFixture
) -> None:
    async def drops() -> AsyncIterator[bytes]:
        for _ in range(5 * LARGEST_BODY // 2**20):
            yield b"x" * 2**18

    body = drops() if is_chunked else b"x" * (LARGEST_BODY + 1)
    answer = await porch.client.post(porch.url_of("replicate"), content=body)
    assert answer.status_code == 413
    assert porch.woken == []
    says_nothing_of(porch, "replicate", said)


async def test_the_largest_body_that_is_taken_is_checked_like_any_other(porch: Porch) -> None:
    assert await porch.knock(porch.url_of("bfl"), ({}, b"x" * LARGEST_BODY)) == 404
    genuine = {"x-webhook-secret": porch.webhook("bfl").secret}
    assert await porch.knock(porch.url_of("bfl"), (genuine, b"x" * LARGEST_BODY)) == 204


# Keys that cannot be read.


@pytest.mark.parametrize(("kind", "route"), [("fal", KEYS), ("replicate", "GET /v1/webhooks/default/secret")])
async def test_without_the_providers_keys_it_is_asked_to_knock_again(
    porch: Porch, kind: str, route: str, said: pytest.LogCaptureFixture
) -> None:
    provider, delivery = await porch.sender(kind)
    service = porch.fal.service if kind == "fal" else porch.replicate.simulator
    service.order(route, *[BAD_GATEWAY] * 4)
    assert await porch.knock(porch.url_of(provider), delivery()) == 503
    assert porch.woken == []
    assert f"A webhook of {provider} could not be proved" in said.text
    says_nothing_of(porch, provider, said)
    assert await porch.knock(porch.url_of(provider), delivery()) == 204
    assert porch.woken == ["31"]


async def test_a_knock_signed_with_keys_that_were_changed_since_is_genuine(porch: Porch) -> None:
    _, delivery = await porch.sender("fal")
    assert await porch.knock(porch.url_of("fal"), delivery()) == 204
    porch.fal.service.rotate_keys()
    _, later = await porch.sender("fal", "32")
    assert await porch.knock(porch.url_of("fal", "32"), later()) == 204
    assert porch.woken == ["31", "32"]


# Addresses.


def test_without_a_public_address_there_is_no_webhook() -> None:
    assert Hooks(public_url=None, key=KEY).webhook_for("fal", "31") is None
    assert Hooks(public_url="", key=KEY).webhook_for("fal", "31") is None


def test_addresses_and_secrets_of_jobs_and_providers_differ_and_cannot_be_guessed() -> None:
    hooks = Hooks(public_url=PUBLIC_URL + "/", key=KEY)
    others = Hooks(public_url=PUBLIC_URL, key="another bot")
    made = [
        (name, job_id, one.webhook_for(name, job_id))
        for one in (hooks, others)
        for name in ("replicate", "fal", "bfl")
        for job_id in ("31", "32", "3132")
    ]
    tokens = set()
    for name, job_id, webhook in made:
        assert webhook is not None
        before, _, token = webhook.url.rpartition("/")
        assert before == f"{PUBLIC_URL}/webhooks/{name}/{job_id}"
        assert len(token) == 64
        assert set(token) <= set("0123456789abcdef")
        assert set(webhook.secret) <= set("0123456789abcdef")
        tokens |= {token, webhook.secret}
    assert len(tokens) == 2 * len(made)


def test_a_provider_and_a_job_cannot_be_cut_elsewhere_to_give_the_same_address() -> None:
    hooks = Hooks(public_url=PUBLIC_URL, key=KEY)
    assert hooks.secret("fal", "31") != hooks.secret("fal\n3", "1")
    assert not hooks.knows("fal", "31", hooks.secret("fal", "31"))


def test_the_same_key_makes_the_same_address_in_another_process() -> None:
    code = (
        "import sys, json; from bot.webhooks import Hooks\n"
        "webhook = Hooks(public_url=sys.argv[1], key=sys.argv[2]).webhook_for('fal', '31')\n"
        "print(json.dumps([webhook.url, webhook.secret]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, PUBLIC_URL, KEY], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    here = Hooks(public_url=PUBLIC_URL, key=KEY).webhook_for("fal", "31")
    assert here is not None
    assert json.loads(run.stdout) == [here.url, here.secret]


def test_a_webhook_shows_neither_its_address_nor_its_secret(porch: Porch) -> None:
    webhook = porch.webhook("fal")
    request = porch.fal.generation("31", with_model=False)
    assert request is not None
    for shown in (repr(webhook), str(webhook), repr(replace(request, webhook=webhook)), repr(porch.hooks)):
        assert webhook.url not in shown
        assert webhook.url.rpartition("/")[2] not in shown
        assert webhook.secret not in shown
