"""What goes wrong with the Hub: every failure by its meaning, bounded in time, and no token in any of it."""

import asyncio
import logging
import threading
import traceback
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from bot.errors import (
    AtelierError,
    BadInput,
    NotFound,
    ProviderBusy,
    ProviderDenied,
    ProviderRefused,
    ProviderUnpaid,
    ProviderUnreachable,
)
from bot.hub.hub import Hub, Patience
from bot.hub.library import Calls
from bot.hub.meanings import meaning_of
from tests.hub.stage import JOB, MODEL, REPO, a_hub
from tests.simulators.hub import LFS_WARNING, HubSimulator
from tests.simulators.service import answers

pytestmark = pytest.mark.filterwarnings(LFS_WARNING)


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        ("401", ProviderDenied),
        ("403", ProviderDenied),
        ("404", NotFound),
        ("429", ProviderBusy),
        ("500", ProviderUnreachable),
        ("html-500", ProviderUnreachable),
        ("reset", ProviderUnreachable),
    ],
)
async def test_a_failure_is_told_by_its_meaning(
    simulator: HubSimulator, hub: Hub, fault: str, meaning: type[AtelierError]
) -> None:
    simulator.fail_next("whoami", fault)
    with pytest.raises(meaning) as raised:
        await hub.check()
    assert type(raised.value) is meaning
    assert raised.value.__cause__ is None
    if isinstance(raised.value, ProviderBusy):
        assert raised.value.retry_after_seconds == 55
    if isinstance(raised.value, ProviderDenied):
        assert "HUGGINGFACE_API_TOKEN" in raised.value.advice
    assert await hub.check() == "atelier-bot"


@pytest.mark.parametrize("route", ["create", "about", "commits", "preupload", "batch", "upload", "verify", "commit"])
async def test_being_asked_to_wait_is_passed_on_at_once(simulator: HubSimulator, publish: Any, route: str) -> None:
    """The library would sleep for 56 seconds in its thread, up to five times."""
    simulator.fail_next(route, "429")
    with pytest.raises(ProviderBusy) as raised:
        await publish()
    assert raised.value.retry_after_seconds == 55
    assert simulator.repos.get(f"atelier-bot/{REPO}") is None or not simulator.repos[f"atelier-bot/{REPO}"].ours


async def test_a_passing_failure_of_an_upload_is_retried_by_the_library(simulator: HubSimulator, publish: Any) -> None:
    simulator.fail_next("upload", "reset")
    assert len(simulator.repos[(await publish()).repo_id].ours) == 1


async def test_what_the_hub_refuses_is_said_without_secrets(simulator: HubSimulator, publish: Any) -> None:
    told = "No: hf_abcdefghijklmnopqrst at https://s3.example/x?X-Amz-Signature=abc " + "blah " * 200
    simulator.order("POST /api/models/{owner:[^/]+}/{name:[^/]+}/commit/{revision}", answers(422, {"error": told}))
    with pytest.raises(ProviderRefused) as raised:
        await publish()
    assert "hf_abc" not in raised.value.sentence
    assert "Amz" not in raised.value.sentence
    assert len(raised.value.sentence) < 360


async def test_an_answer_without_end_is_not_read(simulator: HubSimulator, hub: Hub, monkeypatch: Any) -> None:
    monkeypatch.setattr("bot.hub.library.LARGEST_ANSWER_BYTES", 1000)
    simulator.add_repo("someone/large", {f"{number}.safetensors": b"x" for number in range(100)})
    with pytest.raises(ProviderUnreachable):
        await hub.lora_file("someone/large")


@pytest.mark.parametrize("body", [[], "word", 3, {"name": 4}, {"name": "../x"}, {"name": "a", "orgs": 3, "auth": []}])
async def test_an_answer_that_makes_no_sense_is_no_crash(simulator: HubSimulator, hub: Hub, body: Any) -> None:
    simulator.order("GET /api/whoami-v2", answers(200, body) if body != "word" else answers(200, "<html>"))
    with pytest.raises((ProviderUnreachable, ProviderDenied)):
        await hub.check()


@pytest.mark.parametrize("body", [[], 3, ["error"], {"error": {"a": 1}}, {"errors": 3}])
async def test_a_refusal_that_makes_no_sense_is_no_crash(simulator: HubSimulator, hub: Hub, body: Any) -> None:
    simulator.order("GET /api/whoami-v2", answers(400, body))
    with pytest.raises((ProviderUnreachable, ProviderRefused)):
        await hub.check()


async def test_a_hub_that_is_silent_is_given_up(simulator: HubSimulator) -> None:
    hub = a_hub(simulator, patience=Patience(question_seconds=0.2, publish_seconds=0.5))
    simulator.fail_next("whoami", "slow")
    with pytest.raises(ProviderUnreachable):
        await asyncio.wait_for(hub.check(), timeout=3)
    simulator.fail_next("commits", "slow")  # the library asks this one without a timeout
    with pytest.raises(ProviderUnreachable):
        await asyncio.wait_for(hub.find_publication(REPO, job_id=JOB), timeout=3)
    await hub.close()  # waits for the thread, which the library lets sleep before it would ask again
    assert simulator.called("commits") == 1


async def test_a_silent_commit_is_found_by_the_next_publish(
    simulator: HubSimulator, publish: Any, weights: Path
) -> None:
    hub = a_hub(simulator, patience=Patience(publish_seconds=1.0))
    simulator.fail_next("commit", "slow")
    with pytest.raises(ProviderUnreachable):
        await hub.publish(
            repo_name=REPO, model=MODEL, weights=weights, sample_files=[weights], private=True, job_id=JOB
        )
    await hub.close()
    published = await publish()
    assert len(simulator.repos[published.repo_id].ours) == 1


async def test_nobody_there_is_unreachable() -> None:
    hub = Hub(token="hf_nothing", username="someone", endpoint="http://127.0.0.1:9")
    with pytest.raises(ProviderUnreachable):
        await hub.check()
    await hub.close()


async def test_closing_leaves_no_thread_behind(simulator: HubSimulator) -> None:
    hub = a_hub(simulator)
    await hub.check()
    assert [one for one in threading.enumerate() if one.name.startswith("hub")]
    await hub.close()
    await asyncio.sleep(0.05)
    assert not [one for one in threading.enumerate() if one.name.startswith("hub")]


@pytest.mark.parametrize(
    ("headers", "said", "seconds"),
    [
        ({"ratelimit": '"api";r=0;t=120', "retry-after": "3"}, "", 120),
        ({"ratelimit": '"api";r=9;t=120', "retry-after": "3"}, "", 3),
        ({"retry-after": "999999999"}, "", 3600),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, "", 60),
        ({}, "You can retry this action in about 5 minutes.", 300),
        ({}, "You can retry this action in about an hour.", 3600),
        ({}, "", 60),
    ],
)
def test_how_long_to_wait_is_read_from_what_was_said(headers: dict[str, str], said: str, seconds: float) -> None:
    busy = meaning_of(429, headers, said)
    assert isinstance(busy, ProviderBusy)
    assert busy.retry_after_seconds == seconds


def test_an_empty_account_and_a_disabled_repository_have_sentences() -> None:
    assert isinstance(meaning_of(402, {}, "Payment required"), ProviderUnpaid)
    assert isinstance(meaning_of(403, {"x-error-message": "Access to this resource is disabled."}, ""), BadInput)


XET = "Network error: Request error: HTTP status client error (403 Forbidden), domain: https://hub/api/xet-write-token"


@pytest.mark.parametrize(
    ("raised", "meaning"),
    [
        (ConnectionError(XET), ProviderDenied),
        (PermissionError("Authentication error: token expired"), ProviderDenied),
        (RuntimeError("Data processing error: CAS service error"), ProviderUnreachable),
        (ValueError("LFS batch API returned errors:\nEncountered error: `quota"), ProviderRefused),
        (AttributeError("'list' object has no attribute 'get'"), ProviderUnreachable),
        (FileNotFoundError(2, "No such file", "weights"), FileNotFoundError),
    ],
)
async def test_what_the_library_raises_of_its_own_has_a_meaning(raised: Exception, meaning: type[Exception]) -> None:
    """`hf_xet` uploads in production, and tells of a status in words only."""

    def fail() -> None:
        raise raised

    calls = Calls()
    with pytest.raises(meaning) as told:
        await calls.run(fail, seconds=5)
    assert type(told.value) is meaning
    await calls.close()


# The token.


async def test_a_token_that_cannot_publish_is_told(simulator: HubSimulator, hub: Hub) -> None:
    simulator.role = "read"
    with pytest.raises(ProviderDenied) as raised:
        await hub.check()
    assert "read" in raised.value.advice
    elsewhere = a_hub(simulator, username="our-club")
    with pytest.raises(ProviderDenied):
        await elsewhere.check()
    simulator.role, simulator.organisations = "fineGrained", ["Our-Club"]
    assert await elsewhere.check() == "atelier-bot"
    await elsewhere.close()


async def test_the_token_is_in_no_log_and_no_failure(
    simulator: HubSimulator, hub: Hub, publish: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("huggingface_hub", "httpx2", "httpcore2"):
        caplog.set_level(logging.DEBUG, logger=name)
    told = []
    for fault in ("401", "403", "404", "429", "500", "reset"):
        simulator.fail_next("create", fault)
        with pytest.raises(AtelierError) as raised:
            await publish()
        told.append("".join(traceback.format_exception(raised.value)) + raised.value.advice)
    await publish()
    stranger = a_hub(simulator, token="hf_foreigntokenforeigntoken")
    with pytest.raises(ProviderDenied) as denied:
        await stranger.check()
    told.append("".join(traceback.format_exception(denied.value)) + denied.value.advice)
    await stranger.close()
    assert caplog.text
    for text in (caplog.text, *told, repr(hub)):
        assert simulator.token not in text
        assert "hf_foreign" not in text


async def test_the_machines_own_token_is_neither_read_nor_sent(
    simulator: HubSimulator, weights: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The token file is a folder: reading it is an error. The default Hub is ours: asking it is an unknown route."""
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.delenv("HUGGING_FACE_HUB_TOKEN", raising=False)
    for name, value in {"TOKEN_PATH": str(tmp_path), "HUB_DISABLE_TELEMETRY": False}.items():
        monkeypatch.setattr(constants, f"HF_{name}", value)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", False)
    monkeypatch.setattr(constants, "ENDPOINT", simulator.endpoint)
    monkeypatch.setattr("huggingface_hub.utils._detect_agent._registry", None)
    hub = a_hub(simulator)
    published = await hub.publish(
        repo_name=REPO, model=MODEL, weights=weights, sample_files=[weights], private=True, job_id=JOB
    )
    assert len(simulator.repos[published.repo_id].ours) == 1
    simulator.fail_next("whoami", "401")
    with pytest.raises(ProviderDenied):
        await hub.check()
    sent = {one.headers.get("authorization") for one in simulator.requests}
    assert sent == {f"Bearer {simulator.token}", None}  # None: the signed link
    await hub.close()
