"""Black Forest Labs, generating: what is submitted, what its answers mean, and how a picture comes home."""

import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from bot.errors import (
    OutcomeUnknown,
    ProviderBroken,
    ProviderBusy,
    ProviderDenied,
    ProviderGone,
    ProviderModerated,
    ProviderRefused,
    ProviderUnpaid,
    ProviderUnreachable,
)
from bot.providers.bfl.provider import BflProvider
from bot.providers.contract import Ability, abilities_of
from bot.providers.signatures import NotGenuine
from bot.providers.tasks import Finished, Stopped, Task, Webhook, Working
from tests.dataset_files import photo, png_bytes
from tests.providers.benches.bench import ClosedPort, certificates
from tests.providers.benches.bfl import a_generation, a_model, provider_for
from tests.providers.clock import Clock
from tests.simulators.bfl import CREDITS, DELIVERY, KEY, POLL, REBUILT_POLL, SIGNED, SUBMIT, BflSimulator
from tests.simulators.service import (
    BAD_GATEWAY,
    BAD_GATEWAY_AFTER_EFFECT,
    RESET,
    RESET_AFTER_EFFECT,
    SLOW_BODY,
    TOO_MANY,
    TOO_MANY_WITH_RETRY_AFTER,
    TRUNCATED,
    UNAVAILABLE,
    Fault,
    answers,
)

WEBHOOK = Webhook(url="https://atelier.example/hooks/aZ09", secret="s3cret-of-this-job")


@pytest.fixture
def way() -> ClosedPort:
    return ClosedPort()


@pytest.fixture
async def client(way: ClosedPort) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=way) as client:
        yield client


@pytest.fixture
def provider(service: BflSimulator, client: httpx.AsyncClient, clock: Clock) -> BflProvider:
    return provider_for(service, client, now=clock)


async def submitted(provider: BflProvider, **changes: Any) -> Task:
    return await provider.submit_generation(a_generation(**changes))


async def finished(provider: BflProvider, service: BflSimulator, **changes: Any) -> Task:
    task = await submitted(provider, **changes)
    service.finish_all()
    return task


# The whole way.


async def test_a_picture_comes_home_as_the_png_that_was_asked_for(
    provider: BflProvider, service: BflSimulator, tmp_path: Path
) -> None:
    task = await submitted(provider, aspect_ratio="16:9")
    assert await provider.check(task) == Working(progress=0.5)
    assert await provider.check(task) == Working(progress=1.0)
    assert await provider.check(task) == Finished()
    fetched = await provider.fetch_pictures(task, tmp_path / "new" / "folder")
    (path,) = fetched.paths
    assert path.suffix == ".png"
    assert path.parent == tmp_path / "new" / "folder"
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.width > image.height
    assert fetched.withheld == 0
    assert len(service.ledger) == 1


async def test_a_picture_has_the_name_of_its_bytes(
    provider: BflProvider, service: BflSimulator, tmp_path: Path
) -> None:
    service.picture = (b"\xff\xd8\xff\xe0 and so on", "image/png")
    task = await finished(provider, service)
    assert (await provider.fetch_pictures(task, tmp_path)).paths[0].suffix == ".jpg"


async def test_two_tasks_do_not_overwrite_each_other(
    provider: BflProvider, service: BflSimulator, tmp_path: Path
) -> None:
    first = await finished(provider, service)
    second = await finished(provider, service, seed=43)
    one = (await provider.fetch_pictures(first, tmp_path)).paths[0]
    two = (await provider.fetch_pictures(second, tmp_path)).paths[0]
    assert one.read_bytes() != two.read_bytes()


async def test_what_the_class_can_do_is_what_the_card_says(provider: BflProvider) -> None:
    assert abilities_of(provider) == {
        Ability.GENERATE,
        Ability.GENERATE_WITH_MODEL,
        Ability.IMPORT,
        Ability.BALANCE,
        Ability.DELETE,
        Ability.WEBHOOK,
        Ability.LIST,
        Ability.ATTACH,
    }


# Submitting.


async def test_the_polling_address_is_kept_exactly_as_named(provider: BflProvider, service: BflSimulator) -> None:
    task = await submitted(provider)
    assert task.links["polling_url"] == f"{service.url}/cell-7/v1/get_result?id={task.id}"


async def test_a_rebuilt_polling_address_would_not_know_the_task(provider: BflProvider, service: BflSimulator) -> None:
    task = await finished(provider, service)
    async with httpx.AsyncClient(verify=certificates()) as plain:
        reply = await plain.get(f"{service.url}/v1/get_result", params={"id": task.id})
    assert reply.json()["status"] == "Task not found"
    assert await provider.check(task) == Finished()


async def test_a_reply_for_a_webhook_names_no_address_and_is_polled_on_the_same_host(
    provider: BflProvider, service: BflSimulator, tmp_path: Path
) -> None:
    task = await finished(provider, service, webhook=WEBHOOK)
    assert "polling_url" not in task.links
    assert await provider.check(task) == Finished()
    assert (await provider.fetch_pictures(task, tmp_path)).paths
    assert service.ledger[0][1]["webhook_url"] == WEBHOOK.url
    assert service.ledger[0][1]["webhook_secret"] == WEBHOOK.secret


async def test_an_address_named_beside_a_webhook_is_used(provider: BflProvider, service: BflSimulator) -> None:
    service.names_polling_url_beside_webhook = True
    task = await finished(provider, service, webhook=WEBHOOK)
    assert "/cell-7/" in task.links["polling_url"]
    assert await provider.check(task) == Finished()


@pytest.mark.parametrize("fault", [TOO_MANY, TOO_MANY_WITH_RETRY_AFTER])
async def test_a_429_is_busy_and_nothing_was_accepted(
    provider: BflProvider, service: BflSimulator, fault: Fault
) -> None:
    service.order(SUBMIT, fault)
    with pytest.raises(ProviderBusy):
        await submitted(provider)
    assert service.ledger == []


async def test_retry_after_says_for_how_long_it_is_busy(provider: BflProvider, service: BflSimulator) -> None:
    service.order(SUBMIT, answers(429, {"detail": "Too many"}, Retry_After="17"))
    with pytest.raises(ProviderBusy) as caught:
        await submitted(provider)
    assert caught.value.retry_after_seconds == 17


async def test_a_25th_task_at_once_is_busy(provider: BflProvider, service: BflSimulator) -> None:
    for _ in range(24):
        await submitted(provider)
    with pytest.raises(ProviderBusy):
        await submitted(provider)
    service.finish_all()
    await submitted(provider)
    assert len(service.ledger) == 25


async def test_a_7th_task_of_kontext_max_is_busy(provider: BflProvider) -> None:
    for _ in range(6):
        await submitted(provider, generator="flux-kontext-max")
    with pytest.raises(ProviderBusy):
        await submitted(provider, generator="flux-kontext-max")


async def test_no_connection_is_busy(provider: BflProvider, service: BflSimulator, way: ClosedPort) -> None:
    way.misses = 1
    with pytest.raises(ProviderBusy):
        await submitted(provider)
    assert service.ledger == []


@pytest.mark.parametrize("fault", [RESET_AFTER_EFFECT, BAD_GATEWAY_AFTER_EFFECT, TRUNCATED])
async def test_an_answer_that_is_lost_after_the_effect_leaves_the_outcome_unknown_and_is_not_sent_again(
    provider: BflProvider, service: BflSimulator, fault: Fault
) -> None:
    service.order(SUBMIT, fault)
    with pytest.raises(OutcomeUnknown):
        await submitted(provider)
    assert len(service.ledger) == 1


@pytest.mark.parametrize("fault", [RESET, BAD_GATEWAY, UNAVAILABLE])
async def test_a_failure_without_an_effect_cannot_be_told_from_one_with(
    provider: BflProvider, service: BflSimulator, fault: Fault
) -> None:
    service.order(SUBMIT, fault)
    with pytest.raises(OutcomeUnknown):
        await submitted(provider)


@pytest.mark.parametrize(
    "body", ["not json", [], None, {}, {"id": 7}, {"id": ""}, {"id": ["x"]}, {"id": "x" * 300}, {"id": "a\nb"}]
)
async def test_an_acceptance_that_makes_no_sense_leaves_the_outcome_unknown(
    provider: BflProvider, service: BflSimulator, body: Any
) -> None:
    service.order(SUBMIT, Fault(status=200, body=body, after_effect=True))
    with pytest.raises(OutcomeUnknown):
        await submitted(provider)


async def test_a_polling_address_that_is_no_text_is_as_none(provider: BflProvider, service: BflSimulator) -> None:
    service.order(SUBMIT, answers(200, {"id": "abc", "polling_url": {"a": 1}}))
    assert "polling_url" not in (await submitted(provider)).links


async def test_no_money_is_unpaid(provider: BflProvider, service: BflSimulator) -> None:
    service.credits = 0.5
    with pytest.raises(ProviderUnpaid, match="no money left"):
        await submitted(provider)
    assert service.ledger == []


@pytest.mark.parametrize(
    ("status", "detail"),
    [
        (403, "Not authenticated"),
        (403, "Not authenticated - Invalid Authentication"),
        (403, "Forbidden"),
        (400, "Invalid API key format"),
        (422, "Invalid API key format"),
        (401, "Invalid API key format"),
    ],
)
async def test_a_key_that_is_not_accepted_is_denied_whatever_the_status(
    provider: BflProvider, service: BflSimulator, status: int, detail: str
) -> None:
    service.order(SUBMIT, answers(status, {"detail": detail}))
    with pytest.raises(ProviderDenied, match="operator") as caught:
        await submitted(provider)
    assert caught.value.advice == detail


async def test_a_422_that_echoes_the_payload_says_only_what_is_wrong(
    provider: BflProvider, service: BflSimulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    picture = tmp_path / "reference.png"
    picture.write_bytes(png_bytes(photo(1, (320, 240))))
    service.refuse_with_echo()
    with caplog.at_level(logging.DEBUG, logger="bot"), pytest.raises(ProviderRefused) as caught:
        await submitted(provider, images=(picture,))
    assert "Value error, this does not suit me" in caught.value.sentence
    assert len(caught.value.sentence) < 400
    payload = service.requests[-1].json["input_image"]
    for said in (caught.value.sentence, caught.value.advice, caplog.text):
        assert payload[200:260] not in said
    assert service.ledger == []


async def test_a_400_is_refused_with_its_detail(provider: BflProvider, service: BflSimulator) -> None:
    service.order(SUBMIT, answers(400, {"detail": "Prompt is too spicy"}))
    with pytest.raises(ProviderRefused, match="too spicy"):
        await submitted(provider)


async def test_a_verdict_instead_of_an_acceptance_is_moderation(provider: BflProvider, service: BflSimulator) -> None:
    body = {"id": "abc", "status": "Request Moderated", "details": {"Moderation Reasons": ["Violence"]}}
    service.order(SUBMIT, answers(422, body))
    with pytest.raises(ProviderModerated, match="Violence"):
        await submitted(provider)


async def test_an_endpoint_that_was_retired_is_gone(provider: BflProvider, service: BflSimulator) -> None:
    service.order(SUBMIT, answers(404, {"detail": "Not Found"}))
    with pytest.raises(ProviderGone):
        await submitted(provider)


# Polling.


@pytest.mark.parametrize("word", ["Pending", "Reasoning", "Generating", "Queued", "Contemplating"])
async def test_a_word_that_is_no_end_is_work(provider: BflProvider, service: BflSimulator, word: str) -> None:
    task = await submitted(provider)
    service.polls_say = {"status": word}
    assert isinstance(await provider.check(task), Working)


@pytest.mark.parametrize(
    ("said", "shown"),
    [(0, 0.0), (0.25, 0.25), (1, 1.0), (None, None), ("half", None), (True, None), (42, None), (-1, None), ([], None)],
)
async def test_progress_is_shown_only_when_it_is_a_share(
    provider: BflProvider, service: BflSimulator, said: Any, shown: float | None
) -> None:
    task = await submitted(provider)
    service.polls_say = {"progress": said}
    assert await provider.check(task) == Working(progress=shown)


async def test_progress_that_is_not_a_number_in_json_is_not_shown(provider: BflProvider, service: BflSimulator) -> None:
    task = await submitted(provider)
    service.order(POLL, answers(200, '{"id": "x", "status": "Pending", "progress": NaN}'))
    assert await provider.check(task) == Working(progress=None)


@pytest.mark.parametrize("with_422", [False, True])
@pytest.mark.parametrize(
    ("word", "words"), [("Request Moderated", "refused the request"), ("Content Moderated", "held the picture back")]
)
async def test_a_moderated_task_stops_with_the_reasons(
    provider: BflProvider, service: BflSimulator, word: str, words: str, with_422: bool
) -> None:
    service.polls_fail_with_422 = with_422
    task = await submitted(provider)
    service.moderate_all(word, "Derivative Works", "Nudity")
    state = await provider.check(task)
    assert isinstance(state, Stopped)
    assert isinstance(state.error, ProviderModerated)
    assert words in state.error.sentence
    assert "Derivative Works, Nudity" in state.error.sentence


@pytest.mark.parametrize(
    "details",
    [None, {}, {"Moderation Reasons": None}, {"Moderation Reasons": "Nudity"}, {"Moderation Reasons": [1, {}, " "]}],
)
async def test_a_moderated_task_needs_no_readable_reasons(
    provider: BflProvider, service: BflSimulator, details: Any
) -> None:
    task = await submitted(provider)
    service.fail_all("Content Moderated", details)
    state = await provider.check(task)
    assert isinstance(state, Stopped)
    assert "(" not in state.error.sentence


async def test_reasons_are_bounded(provider: BflProvider, service: BflSimulator) -> None:
    task = await submitted(provider)
    service.moderate_all("Content Moderated", *(f"{number} reason " * 100 for number in range(1000)))
    state = await provider.check(task)
    assert isinstance(state, Stopped)
    assert len(state.error.sentence) < 700


@pytest.mark.parametrize("with_422", [False, True])
@pytest.mark.parametrize("word", ["Error", "Failed"])
async def test_a_failed_task_is_broken(provider: BflProvider, service: BflSimulator, word: str, with_422: bool) -> None:
    service.polls_fail_with_422 = with_422
    task = await submitted(provider)
    service.fail_all(word, {"error": "CUDA out of memory", "blob": "A" * 5000})
    state = await provider.check(task)
    assert isinstance(state, Stopped)
    assert isinstance(state.error, ProviderBroken)
    assert "CUDA out of memory" in state.error.advice
    assert len(state.error.advice) <= 300


async def test_a_task_that_is_not_known_right_after_submit_is_work(
    provider: BflProvider, service: BflSimulator
) -> None:
    service.new_tasks_unknown_for = 3
    task = await submitted(provider)
    for _ in range(3):
        assert await provider.check(task) == Working(progress=None)
    service.finish_all()
    assert await provider.check(task) == Finished()


async def test_a_task_that_stays_unknown_is_gone(provider: BflProvider, service: BflSimulator, clock: Clock) -> None:
    service.new_tasks_unknown_for = 1000
    task = await submitted(provider)
    clock.seconds += 29
    assert await provider.check(task) == Working(progress=None)
    clock.seconds += 2
    with pytest.raises(ProviderGone, match="start it again"):
        await provider.check(task)


async def test_after_a_restart_an_unknown_task_has_its_moment_too(
    service: BflSimulator, client: httpx.AsyncClient, provider: BflProvider
) -> None:
    service.new_tasks_unknown_for = 1000
    task = await submitted(provider)
    clock = Clock()
    later = provider_for(service, client, now=clock)
    assert await later.check(task) == Working(progress=None)
    clock.seconds += 31
    with pytest.raises(ProviderGone):
        await later.check(task)


@pytest.mark.parametrize("body", [{"detail": "Not found"}, "<html>not here</html>", {"status": "Task not found"}])
async def test_a_404_on_a_poll_is_an_unknown_task(
    provider: BflProvider, service: BflSimulator, clock: Clock, body: Any
) -> None:
    task = await submitted(provider)
    service.order(POLL, answers(404, body), answers(404, body))
    assert await provider.check(task) == Working(progress=None)
    clock.seconds += 31
    with pytest.raises(ProviderGone):
        await provider.check(task)


@pytest.mark.parametrize(
    "fault",
    [
        UNAVAILABLE,
        answers(503, "temporarily out", Retry_After="1"),
        BAD_GATEWAY,
        RESET,
        TOO_MANY_WITH_RETRY_AFTER,
        TRUNCATED,
        SLOW_BODY,
    ],
)
async def test_a_poll_that_fails_in_passing_is_repeated(
    provider: BflProvider, service: BflSimulator, fault: Fault
) -> None:
    task = await finished(provider, service)
    service.order(POLL, fault, fault)
    assert await provider.check(task) == Finished()


async def test_a_poll_that_never_answers_is_unreachable(provider: BflProvider, service: BflSimulator) -> None:
    task = await submitted(provider)
    service.order(POLL, *[RESET] * 4)
    with pytest.raises(ProviderUnreachable):
        await provider.check(task)


@pytest.mark.parametrize(
    "body", ["[]", "null", "7", '"Ready"', "{}", '{"status": 7}', '{"status": null}', "<html>", ""]
)
async def test_a_poll_that_makes_no_sense_is_broken(provider: BflProvider, service: BflSimulator, body: str) -> None:
    task = await submitted(provider)
    service.order(POLL, answers(200, body))
    with pytest.raises(ProviderBroken):
        await provider.check(task)


async def test_a_422_on_a_poll_without_a_status_is_refused(provider: BflProvider, service: BflSimulator) -> None:
    task = await submitted(provider)
    service.order(
        POLL, answers(422, {"detail": [{"loc": ["query", "id"], "msg": "Field required", "type": "missing"}]})
    )
    with pytest.raises(ProviderRefused, match=r"query\.id: Field required"):
        await provider.check(task)


@pytest.mark.parametrize(
    "address",
    [
        "https://api.bfl.ai.evil.example/v1/get_result?id=x",
        "https://evilbfl.ai/v1/get_result?id=x",
        "http://api.bfl.ai/v1/get_result?id=x",
        "https://user@api.bfl.ai/v1/get_result?id=x",
        "https://10.0.0.1/v1/get_result?id=x",
    ],
)
async def test_a_polling_address_elsewhere_is_not_visited(
    provider: BflProvider, service: BflSimulator, address: str
) -> None:
    service.order(SUBMIT, answers(200, {"id": "x", "polling_url": address}))
    task = await submitted(provider)
    with pytest.raises(ProviderBroken) as caught:
        await provider.check(task)
    assert "evil" not in caught.value.sentence + caught.value.advice


async def test_the_key_goes_to_submissions_only(provider: BflProvider, service: BflSimulator, tmp_path: Path) -> None:
    task = await finished(provider, service)
    await provider.check(task)
    await provider.fetch_pictures(task, tmp_path)
    with_key = {one.path for one in service.requests if "x-key" in one.headers}
    assert with_key == {"/v1/flux-2-klein-9b"}


# Fetching.


async def test_an_expired_link_is_asked_for_again(provider: BflProvider, service: BflSimulator, tmp_path: Path) -> None:
    task = await finished(provider, service)
    service.order(DELIVERY, answers(403, "<Error>AuthenticationFailed</Error>"))
    assert (await provider.fetch_pictures(task, tmp_path)).paths[0].suffix == ".png"


async def test_a_link_that_expires_between_is_replaced_by_the_fresh_one(
    service: BflSimulator, provider: BflProvider, tmp_path: Path
) -> None:
    task = await finished(provider, service)
    stale = f"{service.url}/delivery/{task.id}.png?sig=0-expired"
    service.order(POLL, answers(200, {"id": task.id, "status": "Ready", "result": {"sample": stale}}))
    service.expire_links()
    assert (await provider.fetch_pictures(task, tmp_path)).paths


async def test_a_picture_whose_fresh_link_has_expired_too_is_gone(
    provider: BflProvider, service: BflSimulator, tmp_path: Path
) -> None:
    task = await finished(provider, service)
    service.order(DELIVERY, *[answers(403, "<Error/>")] * 2)
    with pytest.raises(ProviderGone, match="expired"):
        await provider.fetch_pictures(task, tmp_path)


async def test_pictures_of_a_task_that_is_forgotten_are_gone(
    provider: BflProvider, service: BflSimulator, tmp_path: Path
) -> None:
    task = await finished(provider, service)
    service.tasks.clear()
    with pytest.raises(ProviderGone):
        await provider.fetch_pictures(task, tmp_path)


async def test_pictures_of_a_task_that_still_runs_are_refused(provider: BflProvider, tmp_path: Path) -> None:
    with pytest.raises(ProviderRefused, match="not finished"):
        await provider.fetch_pictures(await submitted(provider), tmp_path)


async def test_pictures_of_a_moderated_task_say_so(
    provider: BflProvider, service: BflSimulator, tmp_path: Path
) -> None:
    task = await submitted(provider)
    service.moderate_all("Content Moderated", "Nudity")
    with pytest.raises(ProviderModerated, match="Nudity"):
        await provider.fetch_pictures(task, tmp_path)


@pytest.mark.parametrize("fault", [UNAVAILABLE, RESET, TRUNCATED, SLOW_BODY, BAD_GATEWAY])
async def test_a_download_that_fails_in_passing_is_repeated(
    provider: BflProvider, service: BflSimulator, tmp_path: Path, fault: Fault
) -> None:
    task = await finished(provider, service)
    service.order(DELIVERY, fault)
    (path,) = (await provider.fetch_pictures(task, tmp_path)).paths
    with Image.open(path) as image:
        image.verify()


@pytest.mark.parametrize(
    "picture",
    [(b"<html>", "text/html"), (b"GIF89a", "image/gif"), (b"MZ", "application/octet-stream"), (b"", "image/png")],
)
async def test_what_is_no_picture_is_broken(
    provider: BflProvider, service: BflSimulator, tmp_path: Path, picture: tuple[bytes, str]
) -> None:
    service.picture = picture
    task = await finished(provider, service)
    with pytest.raises(ProviderBroken):
        await provider.fetch_pictures(task, tmp_path)


@pytest.mark.parametrize("result", [None, [], "x", {}, {"sample": None}, {"sample": 7}, {"sample": "ftp://x"}])
async def test_a_finished_task_without_a_link_is_broken(
    provider: BflProvider, service: BflSimulator, tmp_path: Path, result: Any
) -> None:
    task = await finished(provider, service)
    service.polls_say = {"result": result}
    with pytest.raises(ProviderBroken):
        await provider.fetch_pictures(task, tmp_path)


async def test_a_disk_that_cannot_be_written_is_said_to_the_operator(
    provider: BflProvider, service: BflSimulator, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    task = await finished(provider, service)
    with pytest.raises(ProviderBroken, match="disk") as caught:
        await provider.fetch_pictures(task, tmp_path / "file" / "below")
    assert "Not a directory" in caught.value.advice


async def test_a_delivery_elsewhere_is_not_visited(
    provider: BflProvider, service: BflSimulator, tmp_path: Path
) -> None:
    service.sample = f"https://delivery.evil.example/a.png?sig={SIGNED}"
    task = await finished(provider, service)
    with pytest.raises(ProviderBroken) as caught:
        await provider.fetch_pictures(task, tmp_path)
    assert SIGNED not in f"{caught.value!r}{caught.value.advice}"


async def test_nothing_secret_is_logged_or_shown(
    provider: BflProvider, service: BflSimulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="bot"):
        service.order(SUBMIT, answers(400, {"detail": f"bad key {KEY}"}))
        with pytest.raises(ProviderRefused) as caught:
            await submitted(provider)
        task = await finished(provider, service, webhook=WEBHOOK)
        service.order(DELIVERY, answers(500, f"https://x.example/a?sig={SIGNED}"))
        await provider.fetch_pictures(task, tmp_path)
    for text in (caplog.text, caught.value.sentence, repr(provider), repr(task), repr(provider.card)):
        assert KEY not in text
        assert SIGNED not in text
        assert WEBHOOK.secret not in text


# The account.


async def test_a_credit_is_a_cent(provider: BflProvider, service: BflSimulator) -> None:
    service.credits = 1234.5
    balance = await provider.balance()
    assert balance.amount_usd == pytest.approx(12.345)
    assert balance.account == "1234.5 credits"


@pytest.mark.parametrize("body", ["[]", "{}", '{"credits": "many"}', '{"credits": true}', '{"credits": NaN}', "1e9"])
async def test_credits_that_make_no_sense_are_broken(provider: BflProvider, service: BflSimulator, body: str) -> None:
    service.order(CREDITS, answers(200, body))
    with pytest.raises(ProviderBroken):
        await provider.balance()


async def test_credits_beyond_every_number_are_broken(provider: BflProvider, service: BflSimulator) -> None:
    service.order(CREDITS, answers(200, json.dumps({"credits": 10**400})))
    with pytest.raises(ProviderBroken):
        await provider.balance()


async def test_a_refresh_denies_a_wrong_key(service: BflSimulator, client: httpx.AsyncClient) -> None:
    wrong = provider_for(service, client, key="bfl_other")
    with pytest.raises(ProviderDenied):
        await wrong.refresh()


async def test_a_refresh_does_not_need_the_balance(provider: BflProvider, service: BflSimulator) -> None:
    service.order(CREDITS, answers(404, {"detail": "Not Found"}))
    await provider.refresh()


async def test_a_refresh_asks_once_in_a_while(provider: BflProvider, service: BflSimulator) -> None:
    await provider.refresh()
    service.order(CREDITS, answers(403, {"detail": "Not authenticated"}))
    await provider.refresh()
    await provider.close()


# Webhooks.


@pytest.mark.parametrize("signs", [False, True])
async def test_a_webhook_with_either_proof_is_genuine(
    provider: BflProvider, service: BflSimulator, signs: bool
) -> None:
    task = await submitted(provider, webhook=WEBHOOK)
    headers, body = service.knock(task.id, signs=signs)
    first = await provider.check_webhook(headers, body, secret=WEBHOOK.secret, now=0.0)
    again = await provider.check_webhook(headers, body, secret=WEBHOOK.secret, now=99.0)
    assert first == again
    assert len(first) == 64
    headers, body = service.knock(task.id, status="SUCCESS", signs=signs)
    assert await provider.check_webhook(headers, body, secret=WEBHOOK.secret, now=0.0) != first


@pytest.mark.parametrize("signs", [False, True])
async def test_a_webhook_for_another_job_is_not_genuine(
    provider: BflProvider, service: BflSimulator, signs: bool
) -> None:
    task = await submitted(provider, webhook=WEBHOOK)
    headers, body = service.knock(task.id, signs=signs)
    with pytest.raises(NotGenuine):
        await provider.check_webhook(headers, body, secret="another", now=0.0)


async def test_polls_at_the_plain_address_carry_no_key(provider: BflProvider, service: BflSimulator) -> None:
    task = await submitted(provider, webhook=WEBHOOK)
    service.order(REBUILT_POLL, UNAVAILABLE)
    assert isinstance(await provider.check(task), Working)
    assert service.broken_promises == []


async def test_a_generation_cannot_be_found_again(provider: BflProvider) -> None:
    await submitted(provider)
    assert await provider.find(a_generation(), since=0.0) == []
    assert not any(generator.can_be_found for generator in provider.card.generators)


async def test_with_a_model_there_is_no_other_wire(
    provider: BflProvider, service: BflSimulator, tmp_path: Path
) -> None:
    service.add_lora("cats-of-rome")
    task = await finished(provider, service, generator="flux-2-klein-9b-finetuned", model=a_model())
    assert (await provider.fetch_pictures(task, tmp_path)).paths
    assert service.ledger[0][1]["finetune_id"] == "cats-of-rome"
