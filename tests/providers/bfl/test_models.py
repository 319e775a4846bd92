"""Black Forest Labs, the models it keeps: looked up, deleted, and trained as it was possible in 2025."""

import base64
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

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
from bot.providers.caching import Cache
from bot.providers.card import FinetuneType, Handover, Mode, Priority
from bot.providers.contract import Ability, abilities_of
from bot.providers.tasks import Finished, ModelInUse, Stopped, Task, Webhook, Working
from tests.dataset_files import photo_zip, zip_of
from tests.providers.benches.bfl import a_generation, a_training, provider_for
from tests.providers.clock import Clock
from tests.simulators.bfl import DELETION, DETAILS, FINETUNING, LISTED, REBUILT_POLL, BflSimulator
from tests.simulators.service import (
    BAD_GATEWAY_AFTER_EFFECT,
    RESET,
    RESET_AFTER_EFFECT,
    TOO_MANY,
    UNAVAILABLE,
    Fault,
    answers,
)

BASE = "flux.2-klein-9b"


@pytest.fixture
async def service() -> AsyncIterator[BflSimulator]:
    async with BflSimulator(has_legacy_finetune=True) as service:
        yield service


@pytest.fixture
def legacy(service: BflSimulator, client: httpx.AsyncClient, clock: Clock) -> BflProvider:
    return provider_for(service, client, now=clock, cache=Cache(now=clock), legacy_finetune=True)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return photo_zip(tmp_path / "cats.zip", 4)


# Looking up.


@pytest.mark.parametrize(
    "name", ["cats-of-rome", "my_lora_2", "acme-Org1/cats", "0f2d8a51-3b1c-4b52-9a7e-77c1e1f0a001"]
)
@pytest.mark.parametrize("hidden_from", [(), ("unlisted",), ("undetailed",)])
async def test_a_model_that_either_call_knows_is_found(
    today: BflProvider, service: BflSimulator, name: str, hidden_from: tuple[str, ...]
) -> None:
    service.add_lora(name)
    for call in hidden_from:
        getattr(service, call).add(name)
    assert await today.look_up(f" {name} ", BASE) == {"finetune_id": name, "api_url": service.url}


async def test_a_model_that_neither_call_knows_is_gone(today: BflProvider, service: BflSimulator) -> None:
    service.add_lora("cats")
    service.unlisted.add("cats")
    service.undetailed.add("cats")
    with pytest.raises(ProviderGone, match=r"dashboard\.bfl\.ai"):
        await today.look_up("cats", BASE)


@pytest.mark.parametrize(
    "denial",
    [answers(404, {"detail": "no"}), answers(422, {"detail": "no"}), answers(400, {"detail": "no"}), answers(410)],
)
async def test_a_model_may_be_denied_in_several_ways(today: BflProvider, service: BflSimulator, denial: Fault) -> None:
    service.order(DETAILS, denial)
    with pytest.raises(ProviderGone):
        await today.look_up("cats", BASE)


@pytest.mark.parametrize("body", ["{}", '{"finetune_details": {}}', '{"finetune_details": null}'])
async def test_empty_details_are_no_model(today: BflProvider, service: BflSimulator, body: str) -> None:
    service.order(DETAILS, answers(200, body))
    with pytest.raises(ProviderGone):
        await today.look_up("cats", BASE)


async def test_a_list_that_is_not_there_lists_nothing(today: BflProvider, service: BflSimulator) -> None:
    service.order(LISTED, answers(404, {"detail": "Not Found"}))
    with pytest.raises(ProviderGone, match="knows no model"):
        await today.look_up("cats", BASE)


@pytest.mark.parametrize(
    "listed", [["cats"], [{"finetune_id": "cats"}], [{"id": "cats"}], [7, None, {}, {"name": "cats"}, "Bad Name"]]
)
async def test_the_list_may_hold_names_or_objects(today: BflProvider, service: BflSimulator, listed: Any) -> None:
    service.order(LISTED, answers(200, {"finetunes": listed}))
    assert (await today.look_up("cats", BASE))["finetune_id"] == "cats"


@pytest.mark.parametrize(
    ("route", "body"),
    [
        (DETAILS, "[]x"),
        (DETAILS, '{"finetune_details": "yes"}'),
        (LISTED, "[]"),
        (LISTED, '{"finetunes": {"a": 1}}'),
        (LISTED, "<html>"),
    ],
)
async def test_answers_that_make_no_sense_are_broken(
    today: BflProvider, service: BflSimulator, route: str, body: str
) -> None:
    service.order(route, answers(200, body))
    with pytest.raises(ProviderBroken):
        await today.look_up("cats", BASE)


async def test_looking_up_is_repeated_while_it_fails_in_passing(today: BflProvider, service: BflSimulator) -> None:
    service.add_lora("cats")
    service.order(DETAILS, UNAVAILABLE, RESET)
    assert await today.look_up("cats", BASE)


async def test_looking_up_that_never_gets_an_answer_is_unreachable(today: BflProvider, service: BflSimulator) -> None:
    service.order(DETAILS, *[RESET] * 4)
    with pytest.raises(ProviderUnreachable):
        await today.look_up("cats", BASE)


async def test_a_wrong_key_is_denied_and_not_taken_for_an_unknown_model(
    service: BflSimulator, client: httpx.AsyncClient
) -> None:
    wrong = provider_for(service, client, key="bfl_other")
    with pytest.raises(ProviderDenied):
        await wrong.look_up("cats", BASE)


@pytest.mark.parametrize(
    "name", ["", "Cats", "cats of rome", "a/b/c", "../etc", "cats?x=1", "x" * 129, "catś", "cats\nrome"]
)
async def test_a_name_that_can_be_none_is_refused_before_asking(
    today: BflProvider, service: BflSimulator, name: str
) -> None:
    with pytest.raises(ProviderRefused, match="small letters"):
        await today.look_up(name, BASE)
    assert service.requests == []


@pytest.mark.parametrize(
    ("base_model", "why"),
    [("flux.1-dev", "flux.2-klein-9b-kv-bf16"), ("", "base models only"), ("flux-pro", "31 October 2025")],
)
async def test_a_base_model_that_nothing_here_takes_is_refused_before_asking(
    today: BflProvider, service: BflSimulator, base_model: str, why: str
) -> None:
    with pytest.raises(ProviderRefused, match=why):
        await today.look_up("cats", base_model)
    assert service.requests == []


async def test_finetunes_of_2025_can_be_imported_with_the_flag(legacy: BflProvider, service: BflSimulator) -> None:
    service.add_lora("old", "flux-pro")
    assert (await legacy.look_up("old", "flux-pro"))["finetune_id"] == "old"


async def test_a_model_in_another_region_is_found_there(service: BflSimulator, client: httpx.AsyncClient) -> None:
    async with BflSimulator() as europe, BflSimulator(key="bfl_another_one") as shut:
        europe.add_lora("cats")
        provider = provider_for(service, client, region_urls=(shut.url, europe.url))
        assert await provider.look_up("cats", BASE) == {"finetune_id": "cats", "api_url": europe.url}
        with pytest.raises(ProviderGone):
            await provider.look_up("dogs", BASE)


# Deleting.


async def test_a_model_is_deleted(today: BflProvider, service: BflSimulator) -> None:
    service.add_lora("cats")
    await today.delete_model({"finetune_id": "cats", "api_url": service.url})
    assert service.loras == {}


async def test_deleting_what_is_gone_already_is_no_error(today: BflProvider, service: BflSimulator) -> None:
    await today.delete_model({"finetune_id": "cats"})
    service.order(DELETION, answers(422, {"detail": "no such finetune"}))
    await today.delete_model({"finetune_id": "cats"})


async def test_a_deletion_that_is_refused_while_the_model_is_there_is_said(
    today: BflProvider, service: BflSimulator
) -> None:
    service.add_lora("cats")
    service.order(DELETION, answers(422, {"detail": "it is in use"}))
    with pytest.raises(ProviderRefused, match="in use"):
        await today.delete_model({"finetune_id": "cats"})


async def test_a_deletion_is_repeated_when_its_answer_is_lost(today: BflProvider, service: BflSimulator) -> None:
    service.add_lora("cats")
    service.order(DELETION, RESET_AFTER_EFFECT)
    await today.delete_model({"finetune_id": "cats"})
    assert service.loras == {}


@pytest.mark.parametrize(
    "remote", [{}, {"finetune_id": ""}, {"finetune_id": "Not A Name"}, {"finetune_id": "acme/cats"}]
)
async def test_what_is_not_ours_to_delete_is_refused(
    today: BflProvider, service: BflSimulator, remote: dict[str, str]
) -> None:
    with pytest.raises(ProviderRefused):
        await today.delete_model(remote)
    assert service.requests == []


async def test_a_model_is_deleted_where_it_lives(service: BflSimulator, client: httpx.AsyncClient) -> None:
    async with BflSimulator() as europe:
        europe.add_lora("cats")
        service.add_lora("cats")
        provider = provider_for(service, client, region_urls=(europe.url,))
        await provider.delete_model({"finetune_id": "cats", "api_url": europe.url})
        assert (list(europe.loras), list(service.loras)) == ([], ["cats"])


# Training, without the flag.


async def test_training_is_not_offered_and_says_why(today: BflProvider) -> None:
    assert today.card.trainers == ()
    assert "31 October 2025" in today.card.no_training
    assert "fal or Replicate" in today.card.no_training
    assert Ability.TRAIN not in abilities_of(today)


async def test_a_training_without_the_flag_is_refused_before_anything_is_sent(
    today: BflProvider, service: BflSimulator, dataset: Path
) -> None:
    with pytest.raises(ProviderRefused, match="31 October 2025"):
        await today.submit_training(a_training(dataset))
    with pytest.raises(ProviderRefused, match="31 October 2025"):
        await today.prepare_training(a_training(dataset))
    assert service.requests == []


# Training, with it.


async def test_a_training_goes_all_the_way(
    legacy: BflProvider, service: BflSimulator, dataset: Path, tmp_path: Path
) -> None:
    request = a_training(dataset)
    prepared = await legacy.prepare_training(request)
    task = await legacy.submit_training(request)
    assert await legacy.check(task) == Working(progress=0.5)
    service.finish_all()
    assert await legacy.check(task) == Finished()
    weights = await legacy.fetch_weights(task, tmp_path / "out")
    assert weights.path.name == "bfl-finetune.json"
    assert json.loads(weights.path.read_text())["finetune_id"] == task.id
    assert weights.remote == {"finetune_id": task.id, "api_url": service.url}
    await legacy.tidy_training(prepared)
    model = a_generation(
        generator="flux-pro-finetuned",
        model=ModelInUse(base_model="flux-pro", weights=None, remote=weights.remote),
        strength=1.1,
    )
    await legacy.submit_generation(model)
    assert [endpoint for endpoint, _ in service.ledger] == ["finetune", "flux-pro-finetuned"]


async def test_all_ten_parameters_are_sent(legacy: BflProvider, service: BflSimulator, dataset: Path) -> None:
    request = a_training(
        dataset,
        "job-7",
        trigger_word="ROMECAT",
        mode=Mode.PRODUCT,
        iterations=1000,
        learning_rate=5e-3,
        captioning=False,
        priority=Priority.HIGH_RES_ONLY,
        finetune_type=FinetuneType.LORA,
        lora_rank=16,
        webhook=Webhook(url="https://atelier.example/hooks/1", secret="s"),
    )
    await legacy.submit_training(request)
    ((_, body),) = service.ledger
    assert base64.b64decode(body["file_data"]) == dataset.read_bytes()
    assert {name: value for name, value in body.items() if name != "file_data"} == {
        "finetune_comment": "Atelier job job-7: Roman cats",
        "trigger_word": "ROMECAT",
        "mode": "product",
        "iterations": 1000,
        "learning_rate": 5e-3,
        "captioning": False,
        "priority": "high_res_only",
        "finetune_type": "lora",
        "lora_rank": 16,
        "webhook_url": "https://atelier.example/hooks/1",
        "webhook_secret": "s",
    }


async def test_the_services_own_learning_rate_is_left_to_it(
    legacy: BflProvider, service: BflSimulator, dataset: Path
) -> None:
    await legacy.submit_training(a_training(dataset))
    ((_, body),) = service.ledger
    assert not {"learning_rate", "webhook_url", "webhook_secret"} & set(body)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("priority", list(Priority))
async def test_every_mode_and_priority_is_taken(
    legacy: BflProvider, service: BflSimulator, dataset: Path, mode: Mode, priority: Priority
) -> None:
    await legacy.submit_training(a_training(dataset, mode=mode, priority=priority))
    ((_, body),) = service.ledger
    assert (body["mode"], body["priority"]) == (mode.value, priority.value)


async def test_the_trainers_card_is_that_of_the_schema(legacy: BflProvider) -> None:
    (trainer,) = legacy.card.trainers
    assert legacy.card.no_training == ""
    assert trainer.base_model == "flux-pro"
    assert (trainer.iterations.lowest, trainer.iterations.highest, trainer.iterations.default) == (100, 1000, 300)
    assert trainer.learning_rate is not None
    assert (trainer.learning_rate.lowest, trainer.learning_rate.highest) == (1e-6, 5e-3)
    assert (trainer.image_count.lowest, trainer.image_count.highest) == (1, 20)
    assert set(trainer.lora_ranks) == {16, 32}
    assert set(trainer.priorities) == set(Priority)
    assert set(trainer.finetune_types) == set(FinetuneType)
    assert set(trainer.modes) == set(Mode)
    assert trainer.describes_pictures
    assert [way for way, _ in trainer.handover] == [Handover.INLINE]
    assert not trainer.can_be_found


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"trainer": "other"}, "no such trainer"),
        ({"iterations": 99}, "iterations"),
        ({"iterations": 1001}, "iterations"),
        ({"learning_rate": 1e-7}, "learning rate"),
        ({"learning_rate": 0.006}, "learning rate"),
        ({"lora_rank": 8}, "16"),
        ({"image_count": 0}, "pictures"),
        ({"image_count": 21}, "pictures"),
        ({"trigger_word": " "}, "trigger word"),
        ({"trigger_word": "x" * 101}, "trigger word"),
        ({"dataset": Path("/no/such.zip")}, "cannot be read"),
    ],
)
async def test_a_training_that_cannot_work_is_refused_before_it_is_sent(
    legacy: BflProvider, service: BflSimulator, dataset: Path, changes: dict[str, Any], why: str
) -> None:
    changes = {"dataset": dataset, **changes}
    with pytest.raises(ProviderRefused, match=why):
        await legacy.submit_training(a_training(changes.pop("dataset"), **changes))
    assert service.requests == []


async def test_an_empty_dataset_is_refused_before_it_is_sent(
    legacy: BflProvider, service: BflSimulator, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.zip"
    empty.touch()
    with pytest.raises(ProviderRefused, match="empty"):
        await legacy.submit_training(a_training(empty))
    assert service.requests == []


async def test_a_422_that_echoes_the_dataset_says_only_what_is_wrong(
    legacy: BflProvider, service: BflSimulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nested = zip_of({"inner/more.zip": b"zip" * 3000, "a.png": b"x"}, tmp_path / "nested.zip", compression=0)
    with caplog.at_level(logging.DEBUG, logger="bot"), pytest.raises(ProviderRefused) as caught:
        await legacy.submit_training(a_training(nested))
    assert "file_data: Value error, needs 1 to 20 images" in caught.value.sentence
    payload = service.requests[-1].json["file_data"][400:460]
    assert payload not in caplog.text
    assert payload not in f"{caught.value!r}{caught.value.advice}"


async def test_a_finetune_named_by_id_only_is_taken(legacy: BflProvider, service: BflSimulator, dataset: Path) -> None:
    service.says_id_only = True
    task = await legacy.submit_training(a_training(dataset))
    assert task.id in service.tasks


@pytest.mark.parametrize("body", ["ok", [], {}, {"finetune_id": None}, {"finetune_id": 7, "status": "x"}])
async def test_an_accepted_training_without_an_id_leaves_the_outcome_unknown(
    legacy: BflProvider, service: BflSimulator, dataset: Path, body: Any
) -> None:
    service.order(FINETUNING, Fault(status=200, body=body, after_effect=True))
    with pytest.raises(OutcomeUnknown):
        await legacy.submit_training(a_training(dataset))


@pytest.mark.parametrize("fault", [RESET_AFTER_EFFECT, BAD_GATEWAY_AFTER_EFFECT])
async def test_a_training_whose_answer_was_lost_is_found_by_its_comment(
    legacy: BflProvider, service: BflSimulator, dataset: Path, fault: Fault
) -> None:
    await legacy.submit_training(a_training(dataset, "job-10"))
    service.order(FINETUNING, fault)
    with pytest.raises(OutcomeUnknown):
        await legacy.submit_training(a_training(dataset, "job-1"))
    (found,) = await legacy.find(a_training(dataset, "job-1"), since=0.0)
    assert len(service.ledger) == 2
    service.finish_all()
    assert await legacy.check(found) == Finished()


async def test_nothing_is_found_where_nothing_was_accepted(
    legacy: BflProvider, service: BflSimulator, dataset: Path
) -> None:
    service.add_lora("by-hand")
    service.add_lora("odd", finetune_comment=["Atelier job job-1: x"])
    service.add_lora("without-details")
    service.undetailed.add("without-details")
    assert await legacy.find(a_training(dataset, "job-1"), since=0.0) == []


@pytest.mark.parametrize(
    ("moment", "is_found"),
    [
        (None, True),
        ("no time", True),
        (["x"], True),
        (10.0**300, True),
        (999_990, True),
        (999_000, False),
        ("1970-01-12T13:46:40", True),
        ("1970-01-12T13:46:40+00:00", True),
        ("1970-01-10T00:00:00Z", False),
    ],
)
async def test_an_older_training_of_the_same_job_is_not_taken_for_it(
    legacy: BflProvider, service: BflSimulator, dataset: Path, moment: Any, is_found: bool
) -> None:
    service.add_lora("one", "flux-pro", finetune_comment="Atelier job job-1: Roman cats", timestamp=moment)
    found = await legacy.find(a_training(dataset, "job-1"), since=1_000_000.0)
    assert bool(found) is is_found


async def test_the_latest_of_several_comes_first(legacy: BflProvider, service: BflSimulator, dataset: Path) -> None:
    for name in ("first", "second"):
        service.add_lora(name, "flux-pro", finetune_comment="Atelier job job-1: Roman cats")
    found = await legacy.find(a_training(dataset, "job-1"), since=0.0)
    assert [task.id for task in found] == ["second", "first"]


async def test_what_could_not_be_described_yet_is_asked_about_again(
    legacy: BflProvider, service: BflSimulator, dataset: Path
) -> None:
    service.add_lora("late", "flux-pro", finetune_comment="Atelier job job-1: Roman cats")
    service.undetailed.add("late")
    assert await legacy.find(a_training(dataset, "job-1"), since=0.0) == []
    service.undetailed.clear()
    assert len(await legacy.find(a_training(dataset, "job-1"), since=0.0)) == 1


async def test_a_forgotten_task_whose_model_is_listed_has_finished(
    legacy: BflProvider, service: BflSimulator, dataset: Path, clock: Clock
) -> None:
    service.forgets_finished_trainings = True
    service.lists_running_trainings = False
    task = await legacy.submit_training(a_training(dataset))
    service.finish_all()
    assert isinstance(await legacy.check(task), Working)
    clock.seconds += 31
    assert await legacy.check(task) == Finished()


async def test_a_training_that_is_not_known_yet_has_not_finished_though_it_is_listed(
    legacy: BflProvider, service: BflSimulator, dataset: Path
) -> None:
    service.new_tasks_unknown_for = 2
    task = await legacy.submit_training(a_training(dataset))
    assert isinstance(await legacy.check(task), Working)


async def test_a_forgotten_task_without_a_model_is_gone(
    legacy: BflProvider, service: BflSimulator, dataset: Path, clock: Clock
) -> None:
    task = await legacy.submit_training(a_training(dataset))
    service.tasks.clear()
    service.loras.clear()
    clock.seconds += 1
    assert isinstance(await legacy.check(task), Working)
    clock.seconds += 31
    with pytest.raises(ProviderGone):
        await legacy.check(task)


@pytest.mark.parametrize(
    ("word", "meaning"),
    [("Error", ProviderBroken), ("Failed", ProviderBroken), ("Request Moderated", ProviderModerated)],
)
async def test_a_training_that_ends_badly_stops(
    legacy: BflProvider, service: BflSimulator, dataset: Path, word: str, meaning: type[Exception]
) -> None:
    task = await legacy.submit_training(a_training(dataset))
    service.fail_all(word)
    state = await legacy.check(task)
    assert isinstance(state, Stopped)
    assert isinstance(state.error, meaning)


async def test_polls_of_a_training_are_repeated_and_carry_no_key(
    legacy: BflProvider, service: BflSimulator, dataset: Path
) -> None:
    task = await legacy.submit_training(a_training(dataset))
    service.order(REBUILT_POLL, UNAVAILABLE, RESET)
    assert isinstance(await legacy.check(task), Working)
    assert service.broken_promises == []


async def test_weights_of_a_finetune_that_is_not_there_are_gone(legacy: BflProvider, tmp_path: Path) -> None:
    task = Task(id="nobody-knows", links={"my_finetunes": "x"})
    with pytest.raises(ProviderGone):
        await legacy.fetch_weights(task, tmp_path)
    assert list(tmp_path.iterdir()) == []


async def test_a_training_meets_the_usual_refusals(legacy: BflProvider, service: BflSimulator, dataset: Path) -> None:
    for fault, meaning in (
        (TOO_MANY, ProviderBusy),
        (answers(403, {"detail": "Not authenticated"}), ProviderDenied),
        (answers(402, {"detail": "Insufficient credits"}), ProviderUnpaid),
        (answers(404, {"detail": "Not Found"}), ProviderGone),
        (answers(410, {"detail": "Gone"}), ProviderGone),
    ):
        service.order(FINETUNING, fault)
        with pytest.raises(meaning):
            await legacy.submit_training(a_training(dataset))
    assert service.ledger == []


async def test_the_simulator_has_no_training_for_an_account_of_today(client: httpx.AsyncClient, dataset: Path) -> None:
    async with BflSimulator() as service:
        hopeful = provider_for(service, client, legacy_finetune=True)
        with pytest.raises(ProviderGone):
            await hopeful.submit_training(a_training(dataset))
