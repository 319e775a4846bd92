"""Together AI: one paid blocking call, whose pictures are safe on disk before it counts."""

import asyncio
import base64
import io
import json
import logging
import os
import stat
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from safetensors.numpy import save

from bot.errors import (
    OutcomeUnknown,
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
from bot.providers.caching import Cache
from bot.providers.contract import Ability, Generates, abilities_of
from bot.providers.replies import Reply
from bot.providers.tasks import Finished, GenerationRequest, ModelInUse, Stopped, Task
from bot.providers.together.card import CARD, DEV_LORA, SCHNELL, SIZES
from bot.providers.together.provider import TogetherProvider
from bot.providers.together.replies import explained, offered_models, pictures_of
from tests.dataset_files import jpeg_bytes, photo, png_bytes
from tests.providers.benches.bench import LOOPBACK, ClosedPort, Mishap, certificates, each_mishap
from tests.providers.benches.together import GENERATION, LINK, MODEL, open_bench
from tests.providers.clock import Clock
from tests.simulators import together as simulator
from tests.simulators.service import (
    BAD_GATEWAY,
    BAD_GATEWAY_AFTER_EFFECT,
    HTML,
    RESET,
    RESET_AFTER_EFFECT,
    TOO_MANY_WITH_RETRY_AFTER,
    TRUNCATED,
    UNAVAILABLE,
    Fault,
    Received,
    Service,
    answers,
)
from tests.simulators.together import GENERATIONS, MODELS, Together

DAY = 86_400.0
KONTEXT = "black-forest-labs/FLUX.1-kontext-pro"
FLUX_2 = "black-forest-labs/FLUX.2-dev"


@pytest.fixture
async def service() -> AsyncIterator[Together]:
    async with Together() as service:
        yield service


@pytest.fixture
def clock() -> Clock:
    """As late as the files that are written meanwhile."""
    return Clock(1_800_000_000.0)


Opener = Callable[..., TogetherProvider]


@pytest.fixture
def opened(service: Together, tmp_path: Path, clock: Clock, client: httpx.AsyncClient) -> Opener:
    def open_provider(**changes: Any) -> TogetherProvider:
        settings: dict[str, Any] = {
            "client": client,
            "key": service.key,
            "home": tmp_path / "spool",
            "api_url": service.api_url,
            "extra_hosts": LOOPBACK,
            "cache": Cache(now=clock),
            "now": clock,
        }
        return TogetherProvider(**{**settings, **changes})

    return open_provider


@pytest.fixture
def provider(opened: Opener) -> TogetherProvider:
    return opened()


def request(**changes: Any) -> GenerationRequest:
    return replace(GENERATION, **changes)


def left_in(spool: Path) -> list[str]:
    return sorted(path.name for path in spool.iterdir()) if spool.exists() else []


def sizes_of(paths: Any) -> list[tuple[int, int]]:
    sizes = []
    for path in paths:
        with Image.open(path) as image:
            image.load()
            sizes.append(image.size)
    return sizes


# What it offers.


def test_it_generates_and_does_nothing_else(provider: TogetherProvider) -> None:
    assert isinstance(provider, Generates)
    assert abilities_of(provider) == {Ability.GENERATE, Ability.GENERATE_WITH_MODEL}
    assert provider.card.trainers == ()
    assert "Replicate" in provider.card.no_training


def test_only_flux_1_dev_takes_loras_and_its_title_says_that_it_will_go() -> None:
    (with_lora,) = CARD.generators_for("flux.1-dev")
    assert with_lora.id == DEV_LORA
    assert "remove it soon" in with_lora.title
    assert CARD.generators_for("flux.2-dev") == ()
    assert len(CARD.generators_for(None)) == 8


def test_nothing_can_be_found_again_and_the_card_says_so() -> None:
    assert not any(generator.can_be_found for generator in CARD.generators)


def test_the_card_names_what_the_service_knows() -> None:
    assert [generator.id for generator in CARD.generators] == simulator.FLUX


@pytest.mark.parametrize("size", SIZES.values())
def test_every_size_is_about_a_megapixel_in_steps_of_sixteen(size: tuple[int, int]) -> None:
    assert all(side % 16 == 0 and 256 <= side <= 1440 for side in size)
    assert 0.95 <= size[0] * size[1] / 10**6 <= 1.05


# One request.


@pytest.mark.parametrize("generator", [one.id for one in CARD.generators])
async def test_every_generator_makes_pictures(
    provider: TogetherProvider, service: Together, tmp_path: Path, generator: str
) -> None:
    model = MODEL if generator == DEV_LORA else None
    task = await provider.submit_generation(request(generator=generator, model=model))
    assert await provider.check(task) == Finished()
    fetched = await provider.fetch_pictures(task, tmp_path / "out")
    assert fetched.withheld == 0
    assert sizes_of(fetched.paths) == [(1024, 1024)]
    assert service.ledger[0]["model"] == generator


@pytest.mark.parametrize("aspect_ratio", SIZES)
async def test_the_aspect_ratio_becomes_width_and_height(
    provider: TogetherProvider, tmp_path: Path, aspect_ratio: str
) -> None:
    task = await provider.submit_generation(request(aspect_ratio=aspect_ratio))
    fetched = await provider.fetch_pictures(task, tmp_path / "out")
    assert sizes_of(fetched.paths) == [SIZES[aspect_ratio]]


async def test_only_what_a_model_knows_is_sent(provider: TogetherProvider, service: Together) -> None:
    await provider.submit_generation(request(count=2))
    await provider.submit_generation(request(generator=FLUX_2, seed=2**32 - 1))
    usual = {"prompt": "a cat on a sofa", "width": 1024, "height": 1024}
    form = {"response_format": "base64", "output_format": "png"}
    assert service.ledger == [
        {"model": SCHNELL, "n": 2, "seed": 7, "steps": 4, **usual, **form},
        {"model": FLUX_2, "n": 1, "seed": 2**32 - 1, **usual, **form},
    ]


async def test_the_pictures_come_in_order_and_are_different(provider: TogetherProvider, tmp_path: Path) -> None:
    task = await provider.submit_generation(request(count=4, seed=3))
    fetched = await provider.fetch_pictures(task, tmp_path / "out")
    expected = [simulator.picture_bytes(1024, 1024, 3 + index) for index in range(4)]
    assert [path.read_bytes() for path in fetched.paths] == expected
    assert [path.suffix for path in fetched.paths] == [".png"] * 4
    assert all(path.parent == tmp_path / "out" for path in fetched.paths)


async def test_a_lora_goes_as_the_link_to_our_archive(provider: TogetherProvider, service: Together) -> None:
    await provider.submit_generation(request(generator=DEV_LORA, model=MODEL, strength=0.8))
    assert service.ledger[0]["image_loras"] == [{"path": LINK, "scale": 0.8}]
    assert "steps" not in service.ledger[0]


async def test_a_lora_without_archive_link_goes_as_its_public_address_on_the_hub(
    provider: TogetherProvider, service: Together
) -> None:
    hub_url = "https://huggingface.co/ann/cats"
    model = ModelInUse(base_model="flux.1-dev", weights=None, remote={"hub_url": hub_url})
    await provider.submit_generation(request(generator=DEV_LORA, model=model))
    assert service.ledger[0]["image_loras"] == [{"path": hub_url, "scale": 1.0}]


@pytest.mark.parametrize(("picture", "kind"), [(png_bytes(photo(1)), "png"), (jpeg_bytes(photo(2)), "jpeg")])
async def test_a_reference_picture_travels_inside_the_request(
    provider: TogetherProvider, service: Together, tmp_path: Path, picture: bytes, kind: str
) -> None:
    path = tmp_path / "reference.bin"
    path.write_bytes(picture)
    expected = f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"
    await provider.submit_generation(request(generator=KONTEXT, images=(path,)))
    await provider.submit_generation(request(generator=FLUX_2, images=(path, path)))
    assert service.ledger[0]["image_url"] == expected
    assert "reference_images" not in service.ledger[0]
    assert service.ledger[1]["reference_images"] == [expected, expected]
    assert "image_url" not in service.ledger[1]


# What is refused before it costs anything.

REFUSED = {
    "no prompt": {"prompt": " \n"},
    "a long prompt": {"prompt": "a" * 2001},
    "half a character": {"prompt": "cat \ud800"},
    "no picture": {"count": 0},
    "five pictures": {"count": 5},
    "a negative seed": {"seed": -1},
    "a large seed": {"seed": 2**32},
    "an odd shape": {"aspect_ratio": "7:5"},
    "a model where none goes": {"model": MODEL},
    "a generator that needs a model": {"generator": DEV_LORA},
    "the wrong base model": {"generator": DEV_LORA, "model": replace(MODEL, base_model="flux.2-dev")},
    "too weak": {"generator": DEV_LORA, "model": MODEL, "strength": 0.29},
    "too strong": {"generator": DEV_LORA, "model": MODEL, "strength": 1.21},
    "no strength at all": {"generator": DEV_LORA, "model": MODEL, "strength": float("nan")},
    "no link": {"generator": DEV_LORA, "model": replace(MODEL, weights_link=None)},
    "a reference it does not take": {"images": (Path("cat.png"),)},
    "two references": {"generator": KONTEXT, "images": (Path("cat.png"),) * 2},
    "a reference that is gone": {"generator": KONTEXT, "images": (Path("/nowhere/cat.png"),)},
}


@pytest.mark.parametrize("changes", REFUSED.values(), ids=REFUSED)
async def test_what_cannot_work_is_refused_before_it_is_sent(
    provider: TogetherProvider, service: Together, changes: dict[str, Any]
) -> None:
    with pytest.raises(ProviderRefused):
        await provider.submit_generation(request(**changes))
    assert service.requests == []


@pytest.mark.parametrize("content", [b"", b"GIF89a" + b"\0" * 40, b"\xff\xd8\xff" + b"\0" * 8 * 2**20])
async def test_a_reference_that_is_no_picture_or_too_large_is_refused(
    provider: TogetherProvider, service: Together, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "cat.png").write_bytes(content)
    with pytest.raises(ProviderRefused, match="reference picture"):
        await provider.submit_generation(request(generator=KONTEXT, images=(tmp_path / "cat.png",)))
    assert service.requests == []


async def test_a_generator_that_does_not_exist_is_refused(provider: TogetherProvider) -> None:
    with pytest.raises(ProviderRefused, match="no such generator"):
        await provider.submit_generation(request(generator="FLUX.9"))


async def test_a_disk_that_takes_nothing_is_noticed_before_anything_is_paid(
    opened: Opener, service: Together, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProviderBusy):
        await opened(home=tmp_path / "file").submit_generation(request())
    assert service.ledger == []


# What the service says no to.


def said(message: str, kind: str = "invalid_request_error", code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


NOES = [
    (answers(400, said("n must be between 1 and 4")), ProviderRefused, "n must be between 1 and 4"),
    (answers(400, {"error": "a plain sentence"}), ProviderRefused, "a plain sentence"),
    (answers(400, HTML), ProviderRefused, "HTTP 400"),
    (answers(400, said("Failed to load LoRA from path https://x/y?s=1")), ProviderRefused, "open to everybody"),
    (answers(401, said("Invalid API key provided", "authentication_error")), ProviderDenied, "operator"),
    (answers(402, said("You have reached your spend limit", "credit_limit")), ProviderUnpaid, "top it up"),
    (answers(403, said("The prompt is over the limit of this model")), ProviderRefused, "Shorten the prompt"),
    (answers(403, "error code: 1010"), ProviderRefused, "Shorten the prompt"),
    (answers(403, said("Your account has no permission")), ProviderDenied, "operator"),
    (answers(404, said("Unable to access model X", code="model_not_available")), ProviderGone, "another generator"),
    (answers(410, said("gone")), ProviderGone, "another generator"),
    (answers(422, said("Your prompt was flagged as NSFW")), ProviderModerated, "other words"),
    (answers(422, said("no", code="content_policy_violation")), ProviderModerated, "other words"),
    (answers(400, said("no", "content_moderation")), ProviderModerated, "other words"),
    (answers(422, said("width must be a multiple of 16")), ProviderRefused, "multiple of 16"),
    (answers(413, said("too large")), ProviderRefused, "too large"),
    (answers(429, said("slow down", "rate_limit"), Retry_After="7"), ProviderBusy, "busy"),
    (answers(429, HTML), ProviderBusy, "busy"),
]


@pytest.mark.parametrize(("fault", "error", "words"), NOES)
async def test_each_no_is_told_by_its_meaning_and_asked_once(
    provider: TogetherProvider, service: Together, fault: Fault, error: type[ProviderError], words: str, tmp_path: Path
) -> None:
    service.order(GENERATIONS, fault)
    with pytest.raises(ProviderError) as caught:
        await provider.submit_generation(request())
    assert type(caught.value) is error
    assert words in caught.value.sentence
    assert service.count("POST", "generations") == 1
    assert service.ledger == []
    assert left_in(tmp_path / "spool") == []


async def test_a_429_is_busy_for_as_long_as_it_says_and_nothing_was_accepted(
    provider: TogetherProvider, service: Together
) -> None:
    service.order(GENERATIONS, answers(429, said("slow down"), Retry_After="7"))
    with pytest.raises(ProviderBusy) as caught:
        await provider.submit_generation(request())
    assert caught.value.retry_after_seconds == 7
    assert service.ledger == []
    await provider.submit_generation(request())


async def test_flagged_words_are_moderated_and_cost_nothing(provider: TogetherProvider, service: Together) -> None:
    with pytest.raises(ProviderModerated):
        await provider.submit_generation(request(prompt="a forbidden cat"))
    assert service.ledger == []


async def test_weights_that_only_we_can_read_are_refused_with_a_word_about_the_link(
    provider: TogetherProvider, service: Together
) -> None:
    service.closed_paths.add(LINK)
    with pytest.raises(ProviderRefused, match="Publish the model") as caught:
        await provider.submit_generation(request(generator=DEV_LORA, model=MODEL))
    assert "Signature" not in caught.value.sentence + caught.value.advice
    assert service.ledger == []


class Weights(Service):
    """Somebody's file server."""

    def __init__(self) -> None:
        super().__init__()
        self.route("GET", "/{name}", self._file, is_public=True)

    async def _file(self, received: Received) -> web.Response:
        tensors = {"unet.lora_up.weight": np.zeros((4, 2), np.float32)}
        return web.Response(body=save(tensors) if received.match["name"] == "cats.safetensors" else b"<html>")


@pytest.mark.parametrize(("name", "is_lora"), [("cats.safetensors", True), ("page.html", False)])
async def test_the_service_reads_the_weights_behind_the_link(
    provider: TogetherProvider, service: Together, name: str, is_lora: bool
) -> None:
    async with Weights() as weights:
        model = replace(MODEL, weights_link=f"{weights.url}/{name}?signature=1")
        asked = request(generator=DEV_LORA, model=model)
        if is_lora:
            await provider.submit_generation(asked)
        else:
            with pytest.raises(ProviderRefused, match="link"):
                await provider.submit_generation(asked)
    assert len(service.ledger) == is_lora


# What nobody can say.


@pytest.mark.parametrize(
    ("fault", "paid"),
    [
        (RESET, 0),
        (RESET_AFTER_EFFECT, 1),
        (BAD_GATEWAY, 0),
        (BAD_GATEWAY_AFTER_EFFECT, 1),
        (UNAVAILABLE, 0),
        (answers(500, said("server error", "server_error")), 0),
        (answers(504, said("flagged by a timeout", "timeout")), 0),
        (answers(408, said("timeout")), 0),
        (answers(409, said("conflict")), 0),
        (TRUNCATED, 1),
        (answers(307, {"error": "moved"}, Location="/v1/models"), 0),
    ],
)
async def test_a_lost_answer_stays_unknown_and_is_never_sent_again(
    provider: TogetherProvider, service: Together, tmp_path: Path, fault: Fault, paid: int
) -> None:
    service.order(GENERATIONS, fault)
    with pytest.raises(OutcomeUnknown, match="not sent again"):
        await provider.submit_generation(request())
    assert service.count("POST", "generations") == 1
    assert len(service.ledger) == paid
    assert left_in(tmp_path / "spool") == []


async def test_a_closed_door_is_busy(service: Together, tmp_path: Path) -> None:
    transport = ClosedPort()
    async with httpx.AsyncClient(transport=transport) as client:
        provider = TogetherProvider(client=client, key=service.key, home=tmp_path / "spool", api_url=service.api_url)
        transport.misses = 1
        with pytest.raises(ProviderBusy):
            await provider.submit_generation(request())
        assert service.requests == []
        await provider.submit_generation(request())


async def test_an_answer_that_is_far_too_large_is_not_paid_twice(
    provider: TogetherProvider, service: Together, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.providers.line.LARGEST_REPLY", 1000)
    with pytest.raises(OutcomeUnknown):
        await provider.submit_generation(request())
    assert len(service.ledger) == 1


async def test_being_stopped_while_it_waits_leaves_nothing_behind(
    provider: TogetherProvider, service: Together, tmp_path: Path
) -> None:
    service.order(GENERATIONS, Fault(delay_seconds=5.0))
    waiting = asyncio.create_task(provider.submit_generation(request()))
    while not service.requests:
        await asyncio.sleep(0.01)
    assert left_in(tmp_path / "spool") != []
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert left_in(tmp_path / "spool") == []


# What is wrong with an answer that is paid.


async def test_links_are_taken_though_base64_was_asked(
    provider: TogetherProvider, service: Together, tmp_path: Path
) -> None:
    service.answers_with_links = True
    task = await provider.submit_generation(request(count=2))
    service.cdn.files.clear()
    fetched = await provider.fetch_pictures(task, tmp_path / "out")
    assert sizes_of(fetched.paths) == [(1024, 1024)] * 2
    assert service.cdn.count("GET", "/shrt/") == 2


async def test_the_cdn_is_told_a_user_agent_and_no_key(provider: TogetherProvider, service: Together) -> None:
    service.answers_with_links = True
    await provider.submit_generation(request())
    assert {"authorization", "x-api-key"}.isdisjoint(service.cdn.requests[0].headers)
    assert all(one.headers["user-agent"] for one in service.cdn.requests)


async def test_the_cdn_refuses_a_blank_user_agent(service: Together) -> None:
    async with httpx.AsyncClient(headers={"User-Agent": ""}, verify=certificates()) as client:
        link = service.cdn.link_to(b"\x89PNG")
        assert (await client.get(link, follow_redirects=True)).status_code == 403


async def test_a_cdn_that_stumbles_is_asked_again(
    provider: TogetherProvider, service: Together, tmp_path: Path
) -> None:
    service.answers_with_links = True
    service.cdn.order("GET /imgproxy/{name}", UNAVAILABLE, TRUNCATED, TOO_MANY_WITH_RETRY_AFTER)
    task = await provider.submit_generation(request())
    assert sizes_of((await provider.fetch_pictures(task, tmp_path / "out")).paths) == [(1024, 1024)]


CDN_FAILURES = {
    "refused": [answers(403, "error code: 1010")],
    "gone": [answers(404)],
    "away": [UNAVAILABLE] * 4,
    "busy": [TOO_MANY_WITH_RETRY_AFTER] * 4,
    "no picture": [answers(200, HTML)],
    "an API answer": [answers(200, {"error": "no"})],
}


@pytest.mark.parametrize("faults", CDN_FAILURES.values(), ids=CDN_FAILURES)
async def test_a_picture_that_cannot_be_fetched_ends_the_task_and_is_not_paid_twice(
    provider: TogetherProvider, service: Together, tmp_path: Path, faults: list[Fault]
) -> None:
    service.answers_with_links = True
    service.cdn.order("GET /imgproxy/{name}", *faults)
    task = await provider.submit_generation(request())
    state = await provider.check(task)
    assert isinstance(state, Stopped)
    assert type(state.error) is ProviderBroken
    assert "no picture" in state.error.sentence
    with pytest.raises(ProviderBroken):
        await provider.fetch_pictures(task, tmp_path / "out")
    assert len(service.ledger) == 1


async def test_a_link_to_a_strange_host_is_not_followed(
    opened: Opener, service: Together, caplog: pytest.LogCaptureFixture
) -> None:
    service.answers_with_links = True
    provider = opened(extra_hosts=frozenset())
    with caplog.at_level(logging.INFO):
        task = await provider.submit_generation(request())
    assert isinstance(await provider.check(task), Stopped)
    assert service.cdn.requests == []
    assert "ALLOWED_DOWNLOAD_HOSTS" in caplog.text
    assert "/shrt/" not in caplog.text


async def test_broken_base64_costs_only_that_picture(
    provider: TogetherProvider, service: Together, tmp_path: Path
) -> None:
    service.broken_pictures = 1
    task = await provider.submit_generation(request(count=3))
    assert await provider.check(task) == Finished()
    fetched = await provider.fetch_pictures(task, tmp_path / "out")
    assert (len(fetched.paths), fetched.missing, fetched.withheld) == (2, 1, 0)
    assert fetched.paths[0].read_bytes() == simulator.picture_bytes(1024, 1024, 8)


async def test_fewer_pictures_than_asked_are_kept_and_the_rest_is_missing_not_withheld(
    provider: TogetherProvider, service: Together, tmp_path: Path
) -> None:
    service.missing_pictures = 3
    task = await provider.submit_generation(request(count=4))
    fetched = await provider.fetch_pictures(task, tmp_path / "out")
    assert (len(fetched.paths), fetched.missing, fetched.withheld) == (1, 3, 0)


async def test_nothing_but_broken_pictures_ends_the_task(provider: TogetherProvider, service: Together) -> None:
    service.broken_pictures = 2
    task = await provider.submit_generation(request(count=2))
    assert isinstance(await provider.check(task), Stopped)
    assert len(service.ledger) == 1


GOOD = base64.b64encode(png_bytes(photo(5, (64, 64)))).decode()
STRANGE_ANSWERS: dict[str, Any] = {
    "nothing": None,
    "HTML": HTML,
    "a list": [],
    "no data": {"object": "list"},
    "data that is no list": {"data": {"0": {"b64_json": GOOD}}},
    "entries that are none": {"data": [None, 3, "x", [], {}]},
    "numbers": {"data": [{"index": 0, "b64_json": 5}]},
    "links that are none": {"data": [{"index": 0, "url": ["https://x"]}, {"url": "javascript:alert(1)"}]},
    "a file of ours": {"data": [{"index": 0, "url": "file:///etc/passwd"}]},
    "base64 of no picture": {"data": [{"index": 0, "b64_json": base64.b64encode(b"<html>").decode()}]},
    "no ASCII": {"data": [{"index": 0, "b64_json": "ä" * 20}]},
    "padding": {"data": [{"index": 0, "b64_json": GOOD[:-3]}]},
    "an error": said("oops"),
}


@pytest.mark.parametrize("body", STRANGE_ANSWERS.values(), ids=STRANGE_ANSWERS)
async def test_an_answer_without_sense_ends_the_task(provider: TogetherProvider, service: Together, body: Any) -> None:
    service.order(GENERATIONS, answers(200, body))
    task = await provider.submit_generation(request())
    state = await provider.check(task)
    assert isinstance(state, Stopped)
    assert service.count("POST", "generations") == 1


TOLERATED: dict[str, Any] = {
    "no type, as seen in the wild": [{"index": 0, "b64_json": GOOD, "timings": {"inference": 0.4}}],
    "both at once": [{"index": 0, "b64_json": GOOD, "url": "https://elsewhere.example/x.png"}],
    "no index": [{"b64_json": GOOD}],
    "an index that is none": [{"index": "first", "b64_json": GOOD}],
    "more than asked": [{"index": number, "b64_json": GOOD} for number in range(50)],
    "null beside it": [{"index": 0, "b64_json": GOOD, "url": None}],
    "null before it": [{"index": 0, "b64_json": None, "url": None}, {"index": 1, "b64_json": GOOD}],
}


@pytest.mark.parametrize("data", TOLERATED.values(), ids=TOLERATED)
async def test_an_answer_that_is_a_little_different_is_taken(
    provider: TogetherProvider, service: Together, tmp_path: Path, data: Any
) -> None:
    service.order(GENERATIONS, answers(200, {"data": data}))
    task = await provider.submit_generation(request())
    assert sizes_of((await provider.fetch_pictures(task, tmp_path / "out")).paths) == [(64, 64)]


@pytest.mark.parametrize(("kind", "suffix"), [("JPEG", ".jpg"), ("WEBP", ".webp"), ("PNG", ".png")])
async def test_a_picture_is_named_by_what_it_is(
    provider: TogetherProvider, service: Together, tmp_path: Path, kind: str, suffix: str
) -> None:
    buffer = io.BytesIO()
    photo(1, (64, 64)).save(buffer, kind)
    entry = {"index": 0, "type": "b64_json", "b64_json": base64.b64encode(buffer.getvalue()).decode()}
    service.order(GENERATIONS, answers(200, {"data": [entry]}))
    task = await provider.submit_generation(request())
    (path,) = (await provider.fetch_pictures(task, tmp_path / "out")).paths
    assert path.suffix == suffix


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["data", "index", "b64_json", "url", "error", "message", "id"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(JSON, st.sampled_from([200, 400, 403, 404, 422, 429, 500]))
def test_no_answer_whatever_it_is_breaks_the_reading(body: Any, status: int) -> None:
    reply = Reply(status=status, headers={}, body=json.dumps(body).encode())
    assert len(pictures_of(reply, 4)) <= 4
    assert explained(reply) is None or status in (400, 403, 404, 422)
    try:
        offered = offered_models(reply)
    except ProviderBroken:
        return
    assert all(isinstance(one, str) for one in offered)


# Where the pictures wait.


async def test_the_pictures_wait_on_disk_for_another_process(opened: Opener, service: Together, tmp_path: Path) -> None:
    task = await opened().submit_generation(request())
    again = opened()
    assert await again.check(task) == Finished()
    for folder in ("once", "twice"):
        fetched = await again.fetch_pictures(task, tmp_path / folder)
        assert sizes_of(fetched.paths) == [(1024, 1024)]
    assert len(service.ledger) == 1


async def test_only_the_owner_may_read_what_waits(provider: TogetherProvider, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        task = await provider.submit_generation(request())
        fetched = await provider.fetch_pictures(task, tmp_path / "out")
    finally:
        os.umask(before)
    for path in [*(tmp_path / "spool").rglob("*"), tmp_path / "spool", *fetched.paths]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


@pytest.mark.parametrize("task_id", ["0" * 32, "", ".", "..", "../spool", "/etc", "incoming-" + "0" * 32, "x" * 5000])
async def test_a_task_that_is_not_kept_is_gone(provider: TogetherProvider, tmp_path: Path, task_id: str) -> None:
    await provider.submit_generation(request())
    with pytest.raises(ProviderGone, match="generate them again"):
        await provider.check(Task(id=task_id))
    with pytest.raises(ProviderGone):
        await provider.fetch_pictures(Task(id=task_id), tmp_path / "out")


async def test_a_day_later_they_are_forgotten(provider: TogetherProvider, clock: Clock, tmp_path: Path) -> None:
    old = await provider.submit_generation(request())
    os.utime(tmp_path / "spool" / old.id, (clock() - DAY - 1,) * 2)
    half = tmp_path / "spool" / "incoming-0123"
    half.mkdir()
    os.utime(half, (0, 0))
    young = await provider.submit_generation(request())
    os.utime(tmp_path / "spool" / young.id, (clock() - DAY + 60,) * 2)
    await provider.refresh()
    assert left_in(tmp_path / "spool") == [young.id]
    with pytest.raises(ProviderGone):
        await provider.check(old)
    assert await provider.check(young) == Finished()


async def test_a_disk_that_fails_after_the_payment_is_not_paid_twice(
    provider: TogetherProvider, service: Together, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bot.providers.together.spool.os.fsync", full)
    with pytest.raises(OutcomeUnknown, match="disk") as caught:
        await provider.submit_generation(request())
    assert "No space left" in caught.value.advice
    assert len(service.ledger) == 1
    assert left_in(tmp_path / "spool") == []


# What is offered changes.


async def test_a_model_that_is_no_longer_listed_is_retired_and_not_asked_for(
    provider: TogetherProvider, service: Together
) -> None:
    service.retire(FLUX_2)
    await provider.refresh()
    retired = provider.card.generator(FLUX_2)
    assert retired is not None
    assert "no longer offers FLUX.2 [dev]" in retired.retired
    assert [one.id for one in provider.card.generators if one.retired] == [FLUX_2]
    with pytest.raises(ProviderGone, match=r"FLUX\.2"):
        await provider.submit_generation(request(generator=FLUX_2))
    assert service.count("POST", "generations") == 0


async def test_a_model_that_is_called_deprecated_is_retired(provider: TogetherProvider, service: Together) -> None:
    service.deprecated.add(SCHNELL)
    await provider.refresh()
    assert [one.id for one in provider.card.generators if one.retired] == [SCHNELL]


async def test_without_its_lora_model_it_names_who_else_can(provider: TogetherProvider, service: Together) -> None:
    await provider.refresh()
    assert Ability.GENERATE_WITH_MODEL in abilities_of(provider)
    assert provider.card.generators_for("flux.1-dev")
    service.retire(DEV_LORA)
    provider._cache.forget("together: models")
    await provider.refresh()
    assert provider.card.generators_for("flux.1-dev") == ()
    with pytest.raises(ProviderGone, match="fal or Replicate"):
        await provider.submit_generation(request(generator=DEV_LORA, model=MODEL))
    assert service.ledger == []


async def test_the_list_is_read_once_an_hour(provider: TogetherProvider, service: Together, clock: Clock) -> None:
    await provider.refresh()
    await provider.refresh()
    clock.seconds += 3599
    await provider.refresh()
    assert service.count("GET", "models") == 1
    service.retire(SCHNELL)
    clock.seconds += 2
    await provider.refresh()
    assert provider.card.generators_for(None)[0].id != SCHNELL
    service.offered.append(SCHNELL)
    clock.seconds += 3601
    await provider.refresh()
    assert provider.card.generators_for(None)[0].id == SCHNELL


async def test_a_model_found_missing_on_use_has_the_list_read_again(
    provider: TogetherProvider, service: Together
) -> None:
    await provider.refresh()
    service.retire(SCHNELL)
    with pytest.raises(ProviderGone):
        await provider.submit_generation(request())
    await provider.refresh()
    assert [one.id for one in provider.card.generators if one.retired] == [SCHNELL]


async def test_a_wrong_key_is_denied_at_the_start(opened: Opener, service: Together) -> None:
    provider = opened(key="tgp_v1_somebody-elses-key")
    with pytest.raises(ProviderDenied):
        await provider.refresh()
    assert service.count("GET", "models") == 1


async def test_the_list_is_asked_for_again_when_the_service_stumbles(
    provider: TogetherProvider, service: Together
) -> None:
    service.order(MODELS, UNAVAILABLE, RESET, BAD_GATEWAY)
    await provider.refresh()
    assert service.count("GET", "models") == 4


async def test_a_service_that_does_not_answer_retires_nothing(provider: TogetherProvider, service: Together) -> None:
    service.order(MODELS, *[UNAVAILABLE] * 4)
    with pytest.raises(ProviderUnreachable):
        await provider.refresh()
    assert provider.card == CARD


async def test_a_service_without_a_list_retires_nothing(provider: TogetherProvider, service: Together) -> None:
    service.order(MODELS, answers(404, said("not found")))
    await provider.refresh()
    assert provider.card == CARD


@pytest.mark.parametrize("body", [[], {}, {"data": 5}, "x", None, 7])
async def test_a_list_without_sense_retires_nothing(provider: TogetherProvider, service: Together, body: Any) -> None:
    service.order(MODELS, answers(200, body))
    with pytest.raises(ProviderBroken):
        await provider.refresh()
    assert provider.card == CARD


def test_a_list_of_strange_entries_is_read_for_what_it_holds() -> None:
    entries = [None, 3, {"id": 5}, {"id": "a"}, {"id": "b", "status": "Deprecated"}, {"id": "c", "status": 3}]
    for body in (entries, {"object": "list", "data": entries}):
        assert offered_models(Reply(status=200, headers={}, body=json.dumps(body).encode())) == {"a", "c"}


# What is never told.


async def test_neither_key_nor_link_nor_payload_is_told_to_anybody(
    provider: TogetherProvider, service: Together, caplog: pytest.LogCaptureFixture
) -> None:
    echo = f"cannot read {LINK} nor data:image/png;base64,{'QUJD' * 200} with {service.key}"
    service.order(GENERATIONS, answers(400, said(echo)), answers(422, {"error": echo}), answers(403, said(echo)))
    told = []
    with caplog.at_level(logging.DEBUG):
        for _ in range(3):
            with pytest.raises(ProviderError) as caught:
                await provider.submit_generation(request())
            told += [caught.value.sentence, caught.value.advice, repr(caught.value)]
    everything = caplog.text + " ".join(told) + repr(provider) + repr(vars(provider)["_card"])
    for secret in (service.key, "X-Amz-Signature", "QUJDQUJDQUJD"):
        assert secret not in everything


def test_neither_pictures_nor_links_are_in_a_repr() -> None:
    body = {"data": [{"b64_json": "QUJD"}, {"url": "https://x.together.ai/?signature=1"}]}
    pictures = pictures_of(Reply(status=200, headers={}, body=json.dumps(body).encode()), 2)
    assert len(pictures) == 2
    assert "QUJD" not in repr(pictures)
    assert "signature" not in repr(pictures)


# The simulator is as strict as the service.

LOOSE = {
    "an unknown field": {"aspect_ratio": "1:1"},
    "a word for a number": {"n": "1"},
    "a claim for a number": {"seed": True},
    "five pictures": {"n": 5},
    "an odd side": {"width": 1000},
    "too many steps": {"steps": 5},
    "a LoRA where none goes": {"image_loras": [{"path": "https://x", "scale": 1}]},
    "a reference where none goes": {"image_url": "https://x"},
    "references where none go": {"reference_images": ["https://x"]},
    "a format of its own": {"response_format": "b64_json"},
    "webp": {"output_format": "webp"},
    "no prompt": {"prompt": ""},
    "three LoRAs": {"model": DEV_LORA, "image_loras": [{"path": "https://x", "scale": 1}] * 3},
    "a LoRA without scale": {"model": DEV_LORA, "image_loras": [{"path": "https://x"}]},
    "a file as a LoRA": {"model": DEV_LORA, "image_loras": [{"path": "/etc/passwd", "scale": 1}]},
    "a picture that is none": {"model": KONTEXT, "image_url": "data:image/png;base64,QUJD"},
    "steps for [flex]": {"model": "black-forest-labs/FLUX.2-flex", "steps": 20},
}


@pytest.mark.parametrize("changes", LOOSE.values(), ids=LOOSE)
async def test_the_simulator_refuses_what_the_service_would(changes: dict[str, Any]) -> None:
    async with Together() as service, httpx.AsyncClient(verify=certificates()) as client:
        body = {"model": SCHNELL, "prompt": "a cat", **changes}
        headers = {"Authorization": f"Bearer {service.key}"}
        reply = await client.post(f"{service.api_url}/images/generations", json=body, headers=headers)
        assert reply.status_code in (400, 422)
        assert set(reply.json()["error"]) == {"message", "type", "param", "code"}
        assert service.ledger == []
        service.broken_promises.clear()


async def test_the_simulator_defaults_to_a_jpeg_behind_a_link() -> None:
    async with Together() as service, httpx.AsyncClient(follow_redirects=True, verify=certificates()) as client:
        headers = {"Authorization": f"Bearer {service.key}"}
        body = {"model": SCHNELL, "prompt": "a cat"}
        reply = await client.post(f"{service.api_url}/images/generations", json=body, headers=headers)
        (entry,) = reply.json()["data"]
        assert (await client.get(entry["url"])).content.startswith(b"\xff\xd8\xff")


async def test_the_bench_is_ready_for_the_promises(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        for with_model in (False, True):
            asked = bench.generation("job", with_model=with_model, count=2)
            assert asked is not None
            assert isinstance(bench.provider, Generates)
            task = await bench.provider.submit_generation(asked)
            assert await bench.provider.check(task) == Finished()
        assert bench.paid() == 2


@each_mishap
async def test_the_bench_causes_every_mishap_once(
    tmp_path: Path, mishap: Mishap, error: type[ProviderError], paid: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_bench(tmp_path) as bench:
        asked = bench.generation("job", with_model=True)
        assert asked is not None
        assert isinstance(bench.provider, Generates)
        assert bench.cause(mishap)
        with caplog.at_level(logging.DEBUG, logger="bot"), pytest.raises(error) as caught:
            await bench.provider.submit_generation(asked)
        assert bench.paid() == paid
        await bench.provider.submit_generation(asked)
        assert bench.paid() == paid + 1
    for secret in (*bench.logs_must_not_hold, "AAAAAAAA"):
        assert secret not in caplog.text + caught.value.sentence + caught.value.advice
