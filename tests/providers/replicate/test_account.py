"""What is not a task on Replicate: key and offers, balance, deletion, captions, webhooks, what is said and shown."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from bot.datasets.captions.captions import MAX_CAPTION_CHARACTERS
from bot.errors import (
    OutcomeUnknown,
    ProviderBroken,
    ProviderDenied,
    ProviderError,
    ProviderGone,
    ProviderRefused,
    ProviderUnpaid,
    ProviderUnreachable,
    TaskEnded,
)
from bot.providers.caching import Cache
from bot.providers.replicate.provider import ReplicateProvider
from bot.providers.signatures import NotGenuine
from bot.providers.tasks import Balance
from tests.dataset_files import jpeg_bytes, photo, png_bytes
from tests.providers.benches.replicate import TRAINED, ReplicateBench, provider_for
from tests.providers.replicate.trainings import asked
from tests.simulators import replicate as simulated
from tests.simulators.replicate import ReplicateSimulator
from tests.simulators.service import BAD_GATEWAY, RESET, RESET_AFTER_EFFECT, UNAVAILABLE, Fault, answers

MODEL = "GET /v1/models/{owner}/{name}"
REMOTE = {"version": f"{simulated.OWNER}/trained-before:{TRAINED}"}


# The key and what is offered.


async def test_a_refresh_leaves_the_card_as_it_is_while_everything_is_there(bench: ReplicateBench) -> None:
    before = bench.provider.card
    await bench.provider.refresh()
    assert bench.provider.card == before


async def test_a_wrong_key_is_denied(service: ReplicateSimulator, client: httpx.AsyncClient) -> None:
    provider = provider_for(service, client, key="r8_SomebodyElsesKey000000000000000000")
    with pytest.raises(ProviderDenied, match="operator") as caught:
        await provider.refresh()
    assert "r8_" not in caught.value.sentence + caught.value.advice


async def test_a_key_that_was_revoked_is_noticed(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    await bench.provider.refresh()
    service.key = "r8_AnotherKeyAltogether00000000000000"
    with pytest.raises(ProviderDenied):
        await bench.provider.refresh()


async def test_a_trainer_that_is_gone_is_not_offered_until_it_is_back(
    service: ReplicateSimulator, client: httpx.AsyncClient
) -> None:
    clock = [0.0]
    provider = provider_for(service, client, cache=Cache(now=lambda: clock[0]))
    gone = service.models.pop(simulated.FAST_TRAINER)
    await provider.refresh()
    assert [one.id for one in provider.card.trainers if not one.retired] == [simulated.DEV_TRAINER]
    service.models[simulated.FAST_TRAINER] = gone
    clock[0] = 3600.0
    await provider.refresh()
    assert not any(trainer.retired for trainer in provider.card.trainers)


async def test_without_any_trainer_it_says_why(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    for name in (simulated.DEV_TRAINER, simulated.FAST_TRAINER):
        service.models[name].versions.clear()
    await bench.provider.refresh()
    assert all("does not offer" in trainer.retired for trainer in bench.provider.card.trainers)
    assert "does not offer" in bench.provider.card.no_training
    with pytest.raises(ProviderGone, match="does not offer"):
        await bench.provider.prepare_training(asked(bench))


async def test_an_official_model_that_is_gone_is_retired_with_a_sentence(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    name = simulated.OFFICIAL[0]
    del service.models[name]
    await bench.provider.refresh()
    generator = bench.provider.card.generator(name)
    assert generator is not None
    assert name in generator.retired
    request = bench.generation("job-1", with_model=False)
    assert request is not None
    with pytest.raises(ProviderGone, match="does not offer"):
        await bench.provider.submit_generation(request)


@pytest.mark.parametrize("fault", [BAD_GATEWAY, answers(200, []), answers(200, {"latest_version": {"id": "x"}})])
async def test_trouble_with_what_is_optional_changes_nothing(
    bench: ReplicateBench, service: ReplicateSimulator, fault: Fault
) -> None:
    before = bench.provider.card
    service.order(MODEL, *[fault] * 20)
    await bench.provider.refresh()
    assert bench.provider.card == before


async def test_what_is_stable_is_asked_for_once(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    for number in range(3):
        await bench.provider.prepare_training(replace(asked(bench), job_id=f"job-{number}"))
    assert service.count("GET", "/v1/account") == 1
    assert service.count("GET", "/v1/hardware") == 1
    assert service.count("GET", f"/v1/models/{simulated.DEV_TRAINER}") == 1


@pytest.mark.parametrize("body", [[], {}, {"username": 7}, {"username": ""}, "text"])
async def test_an_account_of_a_wrong_shape_is_broken(
    bench: ReplicateBench, service: ReplicateSimulator, body: Any
) -> None:
    service.order("GET /v1/account", answers(200, body))
    with pytest.raises(ProviderBroken):
        await bench.provider.balance()


@pytest.mark.parametrize("body", [{}, [], [7], [{"sku": None}], "text"])
async def test_hardware_of_a_wrong_shape_is_broken(
    bench: ReplicateBench, service: ReplicateSimulator, body: Any
) -> None:
    service.order("GET /v1/hardware", answers(200, body))
    with pytest.raises(ProviderBroken):
        await bench.provider.prepare_training(asked(bench))


async def test_hardware_that_is_not_known_is_used_when_there_is_no_other(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    service.order("GET /v1/hardware", answers(200, [{"sku": "cpu"}, {"sku": "gpu-h100"}]))
    await bench.provider.prepare_training(asked(bench))
    assert service.models[f"{simulated.OWNER}/atelier-job-1"].hardware == "cpu"


async def test_the_balance_names_the_account_and_no_amount(bench: ReplicateBench) -> None:
    assert await bench.provider.balance() == Balance(account=simulated.OWNER, amount_usd=None)


async def test_an_owner_that_the_key_does_not_speak_for_is_denied(
    bench: ReplicateBench, service: ReplicateSimulator, client: httpx.AsyncClient
) -> None:
    provider = provider_for(service, client, owner="somebody-else")
    with pytest.raises(ProviderDenied):
        await provider.prepare_training(asked(bench))


async def test_the_owner_that_was_chosen_gets_the_model(
    bench: ReplicateBench, service: ReplicateSimulator, client: httpx.AsyncClient
) -> None:
    provider = provider_for(service, client, owner=simulated.OWNER)
    assert (await provider.prepare_training(asked(bench)))["destination"] == f"{simulated.OWNER}/atelier-job-1"
    assert service.count("GET", "/v1/account") == 0


# Deleting.


async def test_a_deleted_model_is_gone_there(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    await bench.provider.delete_model(REMOTE)
    assert service.deleted_versions == [TRAINED]
    assert f"{simulated.OWNER}/trained-before" not in service.models


async def test_deleting_what_is_gone_already_is_no_error(bench: ReplicateBench) -> None:
    await bench.provider.delete_model(REMOTE)
    await bench.provider.delete_model(REMOTE)


async def test_a_model_that_still_has_versions_stays(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    model = service.models[f"{simulated.OWNER}/trained-before"]
    model.versions["f" * 64] = None
    await bench.provider.delete_model(REMOTE)
    assert list(model.versions) == ["f" * 64]


@pytest.mark.parametrize("remote", [{}, {"version": f"somebody/else:{'a' * 64}"}, {"version": "odd"}])
async def test_only_our_own_models_are_deleted(
    bench: ReplicateBench, service: ReplicateSimulator, remote: dict[str, str]
) -> None:
    with pytest.raises(ProviderRefused):
        await bench.provider.delete_model(remote)
    assert service.count("DELETE", "/") == 0


# Captions.


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(jpeg_bytes(photo(1)))
    return path


def captioning(service: ReplicateSimulator, client: httpx.AsyncClient, *, patience: int = 1000) -> ReplicateProvider:
    """Time passes at once: what is waited for happens, or after `patience` waits nothing ever does."""
    waits = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        assert len(waits) <= patience

    return provider_for(service, client, sleep=sleep)


async def test_a_picture_is_described(service: ReplicateSimulator, client: httpx.AsyncClient, picture: Path) -> None:
    service.finishes_after_polls = 2
    assert await captioning(service, client).caption(picture) == "a red bicycle against a wall"
    given = service.jobs[service.ledger[0]].input
    assert given["image"].startswith("data:image/jpeg;base64,")
    assert given["task"] == "image_captioning"
    assert service.files == {}


async def test_a_large_picture_is_uploaded_and_removed(
    service: ReplicateSimulator, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    service.finishes_after_polls = 1
    path = tmp_path / "large.png"
    path.write_bytes(png_bytes(Image.effect_noise((700, 700), 100)))
    assert await captioning(service, client).caption(path) == "a red bicycle against a wall"
    assert service.jobs[service.ledger[0]].input["image"].startswith(f"{service.api_url}/files/")
    assert service.files == {}


@pytest.mark.parametrize(("output", "said"), [(["a ", "dog"], "a dog"), (" a\ncat ", "a cat")])
async def test_what_it_says_becomes_one_line(
    service: ReplicateSimulator, client: httpx.AsyncClient, picture: Path, output: Any, said: str
) -> None:
    service.finishes_after_polls, service.caption = 1, output
    assert await captioning(service, client).caption(picture) == said


@pytest.mark.parametrize("output", ["", "Caption: ", None, 7, {"text": "x"}, [1, 2]])
async def test_a_caption_that_says_nothing_is_broken(
    service: ReplicateSimulator, client: httpx.AsyncClient, picture: Path, output: Any
) -> None:
    service.finishes_after_polls, service.caption = 1, output
    with pytest.raises(TaskEnded, match="said nothing"):
        await captioning(service, client).caption(picture)


async def test_a_picture_that_is_never_described_is_given_up(
    service: ReplicateSimulator, client: httpx.AsyncClient, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.providers.replicate.provider.CALLS_PER_MINUTE", 1_000_000)
    with pytest.raises(TaskEnded, match="too long"):
        await captioning(service, client, patience=60).caption(picture)
    assert service.jobs[service.ledger[0]].status == "canceled"


@pytest.mark.parametrize(
    ("content", "name"), [(b"<svg/>", "a.svg"), (b"", "a.jpg"), (b"\xff\xd8\xff" + bytes(21 * 2**20), "a.jpg")]
)
async def test_what_cannot_be_described_is_refused_before_it_is_sent(
    service: ReplicateSimulator, client: httpx.AsyncClient, tmp_path: Path, content: bytes, name: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ProviderRefused):
        await captioning(service, client).caption(tmp_path / name)
    assert service.ledger == []


async def test_a_picture_that_is_gone_is_refused(
    service: ReplicateSimulator, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    with pytest.raises(ProviderRefused, match="not there any more"):
        await captioning(service, client).caption(tmp_path / "gone.png")


async def test_a_captioning_model_that_takes_no_picture_is_refused(
    service: ReplicateSimulator, client: httpx.AsyncClient, picture: Path
) -> None:
    service.models[simulated.CAPTION_MODEL].versions["d" * 64] = simulated.pro_schema()
    with pytest.raises(ProviderRefused, match="takes no picture"):
        await captioning(service, client).caption(picture)


async def test_an_official_captioning_model_is_asked_by_its_name(
    service: ReplicateSimulator, client: httpx.AsyncClient, picture: Path
) -> None:
    service.finishes_after_polls = 1
    service.models[simulated.CAPTION_MODEL].is_official = True
    service.models[simulated.CAPTION_MODEL].versions = {"hidden": simulated.caption_schema()}
    assert await captioning(service, client).caption(picture) == "a red bicycle against a wall"


@pytest.mark.parametrize(
    ("fault", "error"),
    [(simulated.UNPAID, ProviderUnpaid), (RESET_AFTER_EFFECT, OutcomeUnknown), (RESET, OutcomeUnknown)],
)
async def test_a_caption_that_is_not_accepted_says_why(
    service: ReplicateSimulator, client: httpx.AsyncClient, picture: Path, fault: Fault, error: type[ProviderError]
) -> None:
    service.order_for_next_paid(fault)
    with pytest.raises(error):
        await captioning(service, client).caption(picture)


@pytest.mark.parametrize("fault", [UNAVAILABLE, simulated.RATE_LIMITED, RESET, answers(200, {"odd": 1})])
async def test_trouble_while_a_sentence_is_waited_for_passes(
    service: ReplicateSimulator, client: httpx.AsyncClient, picture: Path, fault: Fault
) -> None:
    service.finishes_after_polls = 1
    service.order_for_next_look(*[fault] * 9)
    assert await captioning(service, client).caption(picture) == "a red bicycle against a wall"
    assert len(service.ledger) == 1


@pytest.mark.parametrize(
    "fault", [UNAVAILABLE, simulated.RATE_LIMITED, RESET, answers(200, {"odd": 1}), answers(404, {"detail": "gone"})]
)
async def test_what_is_paid_for_and_never_answered_is_unknown_and_not_busy(
    service: ReplicateSimulator,
    client: httpx.AsyncClient,
    picture: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
) -> None:
    monkeypatch.setattr("bot.providers.replicate.provider.CALLS_PER_MINUTE", 1_000_000)
    monkeypatch.setattr("bot.providers.replicate.captions.MOST_LOOKS", 3)
    service.order_for_next_look(*[fault] * 30)
    with pytest.raises(OutcomeUnknown, match="not sent again"):
        await captioning(service, client).caption(picture)
    assert len(service.ledger) == 1


async def test_an_acceptance_that_cannot_be_read_is_unknown(
    service: ReplicateSimulator, client: httpx.AsyncClient, picture: Path
) -> None:
    service.order_for_next_paid(answers(201, {"odd": 1}))
    with pytest.raises(OutcomeUnknown):
        await captioning(service, client).caption(picture)


async def test_a_sentence_is_waited_for_only_so_long_by_the_clock(
    service: ReplicateSimulator, client: httpx.AsyncClient, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.providers.replicate.captions.WAIT_SECONDS", 0.2)
    with pytest.raises(OutcomeUnknown):
        await provider_for(service, client, sleep=lambda _seconds: asyncio.sleep(60)).caption(picture)
    assert service.jobs[service.ledger[0]].status == "canceled"


async def test_a_model_that_is_not_looked_up_in_time_costs_nothing(
    service: ReplicateSimulator, client: httpx.AsyncClient, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.providers.replicate.captions.READY_SECONDS", 0.1)
    service.order(MODEL, Fault(hold_seconds=5.0))
    with pytest.raises(ProviderUnreachable):
        await captioning(service, client).caption(picture)
    assert service.ledger == []


async def test_an_upload_that_cannot_be_removed_does_not_cost_the_sentence(
    service: ReplicateSimulator, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    service.finishes_after_polls = 1
    service.order("DELETE /v1/files/{id}", *[UNAVAILABLE] * 4)
    path = tmp_path / "large.png"
    path.write_bytes(png_bytes(Image.effect_noise((700, 700), 100)))
    assert await captioning(service, client).caption(path) == "a red bicycle against a wall"


async def test_a_long_answer_is_cut_to_the_length_of_a_caption(
    service: ReplicateSimulator, client: httpx.AsyncClient, picture: Path
) -> None:
    service.finishes_after_polls, service.caption = 1, "Caption: " + "a cat and " * 5000
    said = await captioning(service, client).caption(picture)
    assert said.startswith("a cat and a cat")
    assert 3900 < len(said) <= MAX_CAPTION_CHARACTERS


async def test_a_picture_that_is_refused_for_its_content_is_moderated(
    service: ReplicateSimulator, client: httpx.AsyncClient, picture: Path
) -> None:
    async def sleep(_seconds: float) -> None:
        service.moderate_all()

    with pytest.raises(TaskEnded, match="safety checker"):
        await provider_for(service, client, sleep=sleep).caption(picture)


# Webhooks.


async def delivered(bench: ReplicateBench) -> str:
    request = bench.generation("job-1", with_model=False)
    assert request is not None
    return (await bench.provider.submit_generation(request)).id


async def test_a_genuine_delivery_is_recognised_by_its_id(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    headers, body = service.delivery_for(await delivered(bench), delivery_id="msg_7", at=1000.0)
    assert await bench.provider.check_webhook(headers, body, secret="unused", now=1010.0) == "msg_7"
    assert await bench.provider.check_webhook(headers, body, secret="unused", now=1010.0) == "msg_7"
    assert service.count("GET", "/webhooks/default/secret") == 1


async def test_a_delivery_that_is_not_genuine_is_refused(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    headers, body = service.delivery_for(await delivered(bench), at=1000.0)
    for changed, content, moment in (
        (headers, body + b" ", 1000.0),
        (headers, body, 1301.0),
        ({**headers, "webhook-id": "msg_2"}, body, 1000.0),
        ({}, body, 1000.0),
    ):
        with pytest.raises(NotGenuine):
            await bench.provider.check_webhook(changed, content, secret="unused", now=moment)


@pytest.mark.parametrize("body", [{}, [], {"key": 7}, {"key": ""}])
async def test_without_a_secret_nothing_is_believed(
    bench: ReplicateBench, service: ReplicateSimulator, body: Any
) -> None:
    headers, content = service.delivery_for(await delivered(bench), at=1000.0)
    service.order("GET /v1/webhooks/default/secret", answers(200, body))
    with pytest.raises(ProviderBroken):
        await bench.provider.check_webhook(headers, content, secret="unused", now=1000.0)


# What is said and shown.


async def test_neither_key_nor_signature_is_logged_or_said(
    bench: ReplicateBench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="bot")
    request = asked(bench)
    prepared = replace(request, prepared=await bench.provider.prepare_training(request))
    echo = {"detail": f"input.input_images: {request.dataset_link} is odd; key {simulated.KEY}", "status": 422}
    bench.simulator.order_for_next_paid(answers(422, echo))
    with pytest.raises(ProviderRefused) as caught:
        await bench.provider.submit_training(prepared)
    shown = caplog.text + repr(caught.value) + caught.value.advice + repr(prepared) + repr(bench.provider)
    assert not [secret for secret in bench.logs_must_not_hold if secret in shown]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (simulated.UNAUTHENTICATED, ProviderDenied),
        (simulated.UNPAID, ProviderUnpaid),
        (answers(403, {"detail": "no"}), ProviderDenied),
        (answers(500, "<html>oops</html>"), ProviderUnreachable),
        (answers(302, "", Location="https://evil.example/"), ProviderBroken),
        (answers(418, {"title": "Teapot"}), ProviderRefused),
    ],
)
async def test_every_status_has_a_meaning(
    bench: ReplicateBench, service: ReplicateSimulator, fault: Fault, error: type[ProviderError]
) -> None:
    service.order("GET /v1/account", *[fault] * 4)
    with pytest.raises(error) as caught:
        await bench.provider.balance()
    assert "<html>" not in caught.value.sentence
