"""Trainings on Replicate: prepared, paid once, watched, cancelled, fetched, found again."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import (
    OutcomeUnknown,
    ProviderBroken,
    ProviderBusy,
    ProviderError,
    ProviderGone,
    ProviderModerated,
    ProviderRefused,
    ProviderUnreachable,
)
from bot.providers.card import Mode
from bot.providers.contract import Ability, abilities_of
from bot.providers.tasks import Finished, Stopped, Task, Webhook, Working
from bot.providers.weights import check_lora
from tests.providers.benches.bench import Mishap, each_mishap
from tests.providers.benches.replicate import ReplicateBench, open_bench
from tests.providers.replicate.trainings import asked, prepared, submitted
from tests.simulators import replicate as simulated
from tests.simulators.replicate import ReplicateSimulator
from tests.simulators.service import BAD_GATEWAY, RESET, RESET_AFTER_EFFECT, UNAVAILABLE, Fault, answers

CREATE_MODEL = "POST /v1/models"
CREATE_FILE = "POST /v1/files"


def sent_input(service: ReplicateSimulator) -> dict[str, Any]:
    return service.jobs[service.ledger[-1]].input


async def test_a_training_goes_from_its_dataset_to_weights_and_a_version(bench: ReplicateBench, tmp_path: Path) -> None:
    task = await submitted(bench)
    assert isinstance(await bench.provider.check(task), Working)
    await bench.finish()
    assert await bench.provider.check(task) == Finished()
    trained = await bench.provider.fetch_weights(task, tmp_path / "weights")
    assert check_lora(trained.path).tensor_count == 2
    assert trained.remote["version"].startswith(f"{simulated.OWNER}/atelier-job-1:")
    assert list((tmp_path / "weights").iterdir()) == [trained.path]
    assert bench.paid() == 1


async def test_it_finishes_by_being_asked_after(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.simulator.finishes_after_polls = 2
        task = await submitted(bench)
        assert isinstance(await bench.provider.check(task), Working)
        assert await bench.provider.check(task) == Finished()


def test_it_has_the_abilities_that_it_claims(bench: ReplicateBench) -> None:
    assert abilities_of(bench.provider) == set(Ability) - {Ability.IMPORT}


# Preparing.


async def test_the_destination_is_private_and_named_after_the_job(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    request = await prepared(bench)
    assert request.prepared["destination"] == f"{simulated.OWNER}/atelier-job-1"
    assert service.models[f"{simulated.OWNER}/atelier-job-1"].visibility == "private"
    assert bench.paid() == 0


async def test_a_job_id_of_other_signs_still_makes_a_name_of_its_own(bench: ReplicateBench) -> None:
    names = {(await prepared(bench, job_id=job)).prepared["destination"] for job in ("Job 1", "job_1", "job-1", "äöü")}
    assert len(names) == 4


async def test_preparing_again_changes_nothing(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    first = await prepared(bench)
    models = len(service.models)
    assert (await prepared(bench)).prepared == first.prepared
    assert len(service.models) == models


@pytest.mark.parametrize("status", [409, 422])
async def test_a_destination_that_exists_already_is_just_as_well(
    bench: ReplicateBench, service: ReplicateSimulator, status: int
) -> None:
    service.repeats_creation_with = status
    await prepared(bench)
    assert (await prepared(bench)).prepared["destination"] == f"{simulated.OWNER}/atelier-job-1"


async def test_a_destination_whose_creation_was_not_answered_is_used(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    service.order(CREATE_MODEL, RESET_AFTER_EFFECT)
    assert (await submitted(bench)).id in service.jobs


async def test_a_public_destination_is_refused(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    name = f"{simulated.OWNER}/atelier-job-1"
    service.models[name] = simulated.Model(owner=simulated.OWNER, name="atelier-job-1", visibility="public")
    with pytest.raises(ProviderRefused, match="private"):
        await prepared(bench)


async def test_a_refused_destination_is_said_as_such(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    service.order(CREATE_MODEL, answers(422, {"detail": "You have too many models", "status": 422}))
    with pytest.raises(ProviderRefused, match="too many models"):
        await prepared(bench)


async def test_what_was_prepared_is_json_without_a_secret(bench: ReplicateBench) -> None:
    stored = json.dumps((await prepared(bench)).prepared)
    assert "SignatureOfALink" not in stored
    assert simulated.KEY not in stored
    assert json.loads(stored)["version"] == simulated.DEV_VERSION


async def test_a_job_goes_on_with_the_version_that_it_began_with(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    request = await prepared(bench)
    service.rename_trainer_field("steps", "num_train_steps")
    stored = replace(request, prepared=json.loads(json.dumps(request.prepared)))
    task = await bench.provider.submit_training(stored)
    assert service.jobs[task.id].version == simulated.DEV_VERSION


async def test_without_a_link_the_dataset_is_uploaded_and_tidied_away(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    request = await prepared(bench, dataset_link=None)
    (file,) = service.files.values()
    assert file["size"] == request.dataset.stat().st_size
    assert file["metadata"] == {"job_id": "job-1"}
    await bench.provider.submit_training(request)
    assert sent_input(service)["input_images"] == file["urls"]["get"]
    await bench.provider.tidy_training(request.prepared)
    await bench.provider.tidy_training(request.prepared)
    assert service.files == {}


async def test_tidying_up_after_a_link_touches_nothing(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    request = await prepared(bench)
    before = len(service.requests)
    await bench.provider.tidy_training(request.prepared)
    assert len(service.requests) == before


@pytest.mark.parametrize("fault", [RESET, BAD_GATEWAY, UNAVAILABLE])
async def test_an_upload_that_fails_in_passing_is_sent_whole_again(
    bench: ReplicateBench, service: ReplicateSimulator, fault: Fault
) -> None:
    service.order(CREATE_FILE, fault)
    request = await prepared(bench, dataset_link=None)
    (file,) = service.files.values()
    assert file["size"] == request.dataset.stat().st_size


async def test_a_dataset_above_the_limit_is_refused_before_it_is_sent(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path
) -> None:
    huge = tmp_path / "huge.zip"
    with huge.open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(ProviderRefused, match="less than 100 MB"):
        await prepared(bench, dataset=huge, dataset_link=None)
    assert service.count("POST", "/files") == 0


async def test_a_dataset_that_is_gone_is_refused(bench: ReplicateBench, tmp_path: Path) -> None:
    with pytest.raises(ProviderRefused, match="not there any more"):
        await prepared(bench, dataset=tmp_path / "gone.zip", dataset_link=None)


async def test_a_413_says_that_the_dataset_is_too_large(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    service.largest_file = 1000
    with pytest.raises(ProviderRefused, match="100 MB"):
        await prepared(bench, dataset_link=None)


async def test_a_file_without_an_address_is_nonsense(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    service.order(CREATE_FILE, answers(201, {"id": "f1", "urls": {"get": "file:///etc/passwd"}}))
    with pytest.raises(ProviderBroken):
        await prepared(bench, dataset_link=None)


async def test_a_signature_in_a_files_address_is_not_kept(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    urls = {"get": "https://api.replicate.com/v1/files/f1?signature=SignatureOfALink"}
    service.order(CREATE_FILE, answers(201, {"id": "f1", "urls": urls, "expires_at": None}))
    request = await prepared(bench, dataset_link=None)
    assert request.prepared["file_url"] == "https://api.replicate.com/v1/files/f1"


# What the trainer is told.


async def test_every_setting_reaches_the_trainer(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    await submitted(bench, iterations=700, lora_rank=32, learning_rate=2e-4, captioning=False, trigger_word="BIKE")
    given = sent_input(service)
    link = given.pop("input_images")
    assert link.startswith("https://storage.example/job-1.zip")
    assert given == {
        "trigger_word": "BIKE", "steps": 700, "lora_rank": 32, "learning_rate": 2e-4, "autocaption": False,
    }  # fmt: skip


async def test_the_trainers_own_learning_rate_is_left_to_it(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    await submitted(bench, learning_rate=None)
    assert "learning_rate" not in sent_input(service)


@pytest.mark.parametrize(("mode", "lora_type"), [(Mode.STYLE, "style"), (Mode.CHARACTER, "subject")])
async def test_the_fast_trainer_is_told_what_it_knows(
    bench: ReplicateBench, service: ReplicateSimulator, mode: Mode, lora_type: str
) -> None:
    await submitted(bench, trainer=simulated.FAST_TRAINER, mode=mode, iterations=600, learning_rate=1e-4)
    given = sent_input(service)
    assert given.pop("input_images")
    assert given == {"trigger_word": "TOK", "training_steps": 600, "lora_type": lora_type}


async def test_the_fast_trainer_may_call_its_steps_by_the_other_name(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    service.models[simulated.FAST_TRAINER].versions["a" * 64] = simulated.fast_trainer_schema("steps")
    await submitted(bench, trainer=simulated.FAST_TRAINER, iterations=600)
    assert sent_input(service)["steps"] == 600


async def test_what_the_card_does_not_offer_is_not_sent_even_where_the_version_knows_it(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    schema = simulated.fast_trainer_schema()
    known = {"lora_rank": {"type": "integer"}, "learning_rate": {"type": "number"}, "autocaption": {"type": "boolean"}}
    schema["components"]["schemas"]["TrainingInput"]["properties"] |= known
    service.models[simulated.FAST_TRAINER].versions["a" * 64] = schema
    await submitted(bench, trainer=simulated.FAST_TRAINER, learning_rate=1e-4)
    assert not known.keys() & sent_input(service).keys()


async def test_the_trainers_default_kind_of_lora_is_left_to_the_one_that_has_no_kinds(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    schema = simulated.dev_trainer_schema()
    schema["components"]["schemas"]["TrainingInput"]["properties"]["lora_type"] = {"type": "string"}
    service.models[simulated.DEV_TRAINER].versions["a" * 64] = schema
    await submitted(bench, mode=Mode.STYLE)
    assert "lora_type" not in sent_input(service)


@pytest.mark.parametrize("name", ["steps", "input_images", "trigger_word"])
async def test_a_trainer_that_renamed_a_field_is_refused_before_money_is_spent(
    bench: ReplicateBench, service: ReplicateSimulator, name: str
) -> None:
    service.rename_trainer_field(name, "something_else")
    with pytest.raises(ProviderRefused, match="another trainer") as caught:
        await prepared(bench)
    assert name in caught.value.advice
    assert f"{simulated.OWNER}/atelier-job-1" not in service.models


async def test_a_field_that_is_not_needed_may_vanish(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    service.rename_trainer_field("autocaption", "captions")
    await submitted(bench)
    assert "autocaption" not in sent_input(service)


async def test_a_value_outside_the_versions_own_range_is_refused_in_our_words(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    with pytest.raises(ProviderRefused, match="training_steps must be at most 4000"):
        await prepared(bench, trainer=simulated.FAST_TRAINER, iterations=5000)
    assert f"{simulated.OWNER}/atelier-job-1" not in service.models


async def test_a_trainer_that_needs_what_nobody_knows_is_refused(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    schema = simulated.dev_trainer_schema()
    schema["components"]["schemas"]["TrainingInput"]["required"].append("hf_token")
    service.models[simulated.DEV_TRAINER].versions["b" * 64] = schema
    with pytest.raises(ProviderRefused, match="hf_token"):
        await prepared(bench)


@pytest.mark.parametrize("schema", [None, {}, {"components": {"schemas": {"Input": {}}}}, {"components": []}])
async def test_a_trainer_that_does_not_say_what_it_takes_is_not_used(
    bench: ReplicateBench, service: ReplicateSimulator, schema: Any
) -> None:
    service.models[simulated.DEV_TRAINER].versions["c" * 64] = schema
    with pytest.raises(ProviderBroken, match="does not say"):
        await prepared(bench)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iterations", 2), ("iterations", 6001), ("learning_rate", 0.5), ("learning_rate", float("nan")),
        ("lora_rank", 0), ("lora_rank", 129), ("trigger_word", " "), ("trigger_word", "x" * 101),
        ("image_count", 1), ("image_count", 401), ("trainer", "nobody/knows"),
    ],
)  # fmt: skip
async def test_what_the_card_does_not_offer_is_refused_before_anything_is_sent(
    bench: ReplicateBench, service: ReplicateSimulator, name: str, value: Any
) -> None:
    with pytest.raises(ProviderRefused):
        await prepared(bench, **{name: value})
    assert service.requests == []


async def test_the_webhook_knocks_at_the_start_and_at_the_end(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    task = await submitted(bench)
    (request,) = [one for one in service.requests if one.path.endswith("/trainings")]
    assert service.jobs[task.id].webhook == "https://atelier.example/webhooks/replicate"
    assert request.json["webhook_events_filter"] == ["start", "completed"]


@pytest.mark.parametrize("webhook", [None, Webhook(url="http://192.168.1.5/hook", secret="s")])
async def test_without_a_public_address_there_is_no_webhook(
    bench: ReplicateBench, service: ReplicateSimulator, webhook: Webhook | None
) -> None:
    task = await submitted(bench, webhook=webhook)
    assert service.jobs[task.id].webhook == ""


# Submitting.


@each_mishap
async def test_what_became_of_a_submission_is_said_as_it_is(
    bench: ReplicateBench, mishap: Mishap, error: type[ProviderError], paid: int
) -> None:
    request = await prepared(bench)
    bench.cause(mishap)
    with pytest.raises(error):
        await bench.provider.submit_training(request)
    assert bench.paid() == paid


async def test_a_429_is_busy_for_as_long_as_its_sentence_says(bench: ReplicateBench) -> None:
    request = await prepared(bench)
    bench.cause(Mishap.BUSY)
    with pytest.raises(ProviderBusy) as caught:
        await bench.provider.submit_training(request)
    assert caught.value.retry_after_seconds == 30
    assert bench.paid() == 0


@pytest.mark.parametrize(
    ("headers", "sentence", "seconds"),
    [
        ({"Retry_After": "7"}, "Your rate limit resets in ~30s.", 7),
        ({}, "Your rate limit resets in ~2m.", 120),
        ({"ratelimit_reset": "11"}, "Request was throttled.", 11),
        ({}, "Your rate limit resets in ~999999h.", 3600),
        ({}, "Request was throttled.", 5),
    ],
)
async def test_how_long_to_wait_is_read_from_header_or_sentence(
    bench: ReplicateBench, service: ReplicateSimulator, headers: dict[str, str], sentence: str, seconds: float
) -> None:
    request = await prepared(bench)
    service.order_for_next_paid(answers(429, {"detail": sentence}, **headers))
    with pytest.raises(ProviderBusy) as caught:
        await bench.provider.submit_training(request)
    assert caught.value.retry_after_seconds == seconds


async def test_a_destination_that_is_gone_has_a_sentence_of_its_own(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    request = await prepared(bench)
    del service.models[f"{simulated.OWNER}/atelier-job-1"]
    with pytest.raises(ProviderGone, match="model that this training should go to") as caught:
        await bench.provider.submit_training(request)
    assert "REPLICATE_OWNER" in caught.value.advice
    assert bench.paid() == 0


async def test_a_422_says_what_replicate_says(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    request = await prepared(bench)
    service.order_for_next_paid(simulated.INVALID_INPUT)
    with pytest.raises(ProviderRefused, match=r"input\.steps: Must be less than or equal to 6000"):
        await bench.provider.submit_training(request)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"invalid_fields": [{"field": "input.steps", "description": "too many"}, "odd", 7]}, "input.steps too many"),
        ({"invalid_fields": "odd"}, "its input is wrong"),
        ([], "its input is wrong"),
        ("<html>odd</html>", "its input is wrong"),
    ],
)
async def test_a_422_without_a_detail_is_read_as_far_as_it_goes(
    bench: ReplicateBench, service: ReplicateSimulator, body: Any, said: str
) -> None:
    request = await prepared(bench)
    service.order_for_next_paid(answers(422, body))
    with pytest.raises(ProviderRefused, match=said):
        await bench.provider.submit_training(request)


@pytest.mark.parametrize("body", [[], {"id": 7}, {"id": "x"}, {"id": "", "status": "starting"}, "no json"])
async def test_an_acceptance_that_cannot_be_read_is_not_called_a_refusal(
    bench: ReplicateBench, service: ReplicateSimulator, body: Any
) -> None:
    request = await prepared(bench)
    service.order_for_next_paid(Fault(status=201, body=body, after_effect=True))
    with pytest.raises(OutcomeUnknown):
        await bench.provider.submit_training(request)
    assert bench.paid() == 1


async def test_an_uploaded_dataset_that_has_expired_costs_nothing(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    service.now = lambda: 1000.0  # long ago, so that what it keeps for an hour is gone by now
    request = await prepared(bench, dataset_link=None)
    with pytest.raises(ProviderGone, match="no longer has the dataset"):
        await bench.provider.submit_training(request)
    assert bench.paid() == 0


async def test_a_training_without_a_dataset_is_refused(bench: ReplicateBench) -> None:
    request = replace(await prepared(bench), dataset_link=None)
    with pytest.raises(ProviderRefused, match="nowhere to be found"):
        await bench.provider.submit_training(request)


@pytest.mark.parametrize("stored", [{}, {"trainer": "a/b"}, {"something": "else"}])
async def test_a_training_that_was_not_prepared_is_refused(bench: ReplicateBench, stored: dict[str, Any]) -> None:
    with pytest.raises(ProviderRefused, match="not prepared"):
        await bench.provider.submit_training(asked(bench, prepared=stored))


# Watching.


@pytest.mark.parametrize(
    ("logs", "expected"),
    [
        ("", Working(progress=None)),
        ("Caption for a.jpg: a bike\n", Working(progress=None, note="Describing the pictures")),
        (
            "Caption for a.jpg: a bike\nflux_train_replicate:   5%|▌   | 50/1000 [00:50<15:10, 1.0it/s]",
            Working(progress=0.05, seconds_left=910.0),
        ),
        (
            "flux_train_replicate:  5%|▌ | 50/1000 [0:50<15:10]\rflux_train: 25%|██▌ | 250/1000 [4:00<1:02:03]",
            Working(progress=0.25, seconds_left=3723.0),
        ),
        ("flux_train_replicate: 100%|█| 10/5 [00:01<?, ?it/s]\nsaving\n", Working(progress=1.0)),
        ("  0%|          | 0/0 [00:00<?, ?it/s]", Working(progress=None)),
        ("x" * 200_000 + "\n 50%|█ | 5/10 [00:01<00:01]", Working(progress=0.5, seconds_left=1.0)),
        ("50%|" + "█" * 300_000, Working(progress=None)),
    ],
)
async def test_progress_is_the_last_thing_that_the_logs_say(
    bench: ReplicateBench, service: ReplicateSimulator, logs: str, expected: Working
) -> None:
    task = await submitted(bench)
    service.jobs[task.id].status, service.jobs[task.id].logs = "processing", logs
    assert await bench.provider.check(task) == expected


async def test_a_status_that_nobody_knows_is_work_going_on(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    task = await submitted(bench)
    service.jobs[task.id].status = "queued"
    assert isinstance(await bench.provider.check(task), Working)


async def test_a_queued_training_says_what_it_waits_for(bench: ReplicateBench) -> None:
    assert await bench.provider.check(await submitted(bench)) == Working(progress=None, note="Waiting for a machine")


@pytest.mark.parametrize(
    ("status", "error", "meaning", "said"),
    [
        ("failed", "CUDA out of memory", ProviderBroken, "CUDA out of memory"),
        ("failed", None, ProviderBroken, "nobody says why"),
        ("failed", "NSFW content detected", ProviderModerated, "safety checker"),
        ("failed", "Failed to download https://s.example/x?sig=abc: 403", ProviderBroken, "could not read the dataset"),
        ("failed", "bad token r8_abcdefghijklmnop", ProviderBroken, r"\[secret\]"),
        ("canceled", None, ProviderRefused, "cancelled"),
        ("aborted", None, ProviderBroken, "before it began"),
    ],
)
async def test_how_a_training_ended_is_said_by_meaning(
    bench: ReplicateBench,
    service: ReplicateSimulator,
    status: str,
    error: str | None,
    meaning: type[ProviderError],
    said: str,
) -> None:
    task = await submitted(bench)
    service.jobs[task.id].status, service.jobs[task.id].error = status, error
    state = await bench.provider.check(task)
    assert isinstance(state, Stopped)
    assert type(state.error) is meaning
    with pytest.raises(meaning, match=said):
        raise state.error
    assert "sig=" not in state.error.sentence + state.error.advice


async def test_an_uploaded_dataset_that_expired_in_the_queue_is_said_so(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    task = await submitted(bench, dataset_link=None)
    service.expire_files()
    await bench.finish()
    state = await bench.provider.check(task)
    assert isinstance(state, Stopped)
    assert "link had expired" in state.error.sentence


@pytest.mark.parametrize("fault", [RESET, BAD_GATEWAY, UNAVAILABLE, simulated.RATE_LIMITED])
async def test_a_look_that_fails_in_passing_is_repeated(
    bench: ReplicateBench, service: ReplicateSimulator, fault: Fault
) -> None:
    task = await submitted(bench)
    service.order_for_next_look(fault)
    assert isinstance(await bench.provider.check(task), Working)


async def test_a_replicate_that_stays_away_is_unreachable(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    task = await submitted(bench)
    service.order_for_next_look(*[BAD_GATEWAY] * 4)
    with pytest.raises(ProviderUnreachable):
        await bench.provider.check(task)


async def test_a_training_that_is_not_there_is_gone(bench: ReplicateBench) -> None:
    with pytest.raises(ProviderGone):
        await bench.provider.check(Task(id="no such one"))


async def test_a_training_whose_addresses_were_lost_is_found_by_its_id(bench: ReplicateBench) -> None:
    task = Task(id=(await submitted(bench)).id)
    assert isinstance(await bench.provider.check(task), Working)
    assert await bench.provider.cancel(task)


@pytest.mark.parametrize(
    "body", [None, [], "text", {"id": "x"}, {"status": "starting"}, {"id": 1, "status": 2}, {"id": "x", "status": []}]
)
async def test_an_answer_of_a_wrong_shape_is_broken(
    bench: ReplicateBench, service: ReplicateSimulator, body: Any
) -> None:
    task = await submitted(bench)
    service.order_for_next_look(answers(200, body))
    with pytest.raises(ProviderBroken):
        await bench.provider.check(task)


async def test_odd_things_beside_id_and_status_do_no_harm(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    task = await submitted(bench)
    odd = {
        "id": "x",
        "status": "processing",
        "urls": 7,
        "input": [],
        "logs": {},
        "error": 1,
        "created_at": {},
        "model": 2,
    }
    service.order_for_next_look(answers(200, odd))
    assert await bench.provider.check(task) == Working(progress=None)


async def test_addresses_that_lead_elsewhere_are_not_followed(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    elsewhere = {"get": "https://evil.example/t/1", "cancel": "https://evil.example/t/1/cancel"}
    service.order_for_next_paid(answers(201, {"id": "t1", "status": "starting", "urls": elsewhere}))
    task = await submitted(bench)
    assert all(link.startswith(service.api_url) for link in task.links.values())


async def test_a_training_that_is_named_as_a_prediction_is_asked_after_there(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    service.names_trainings_as_predictions = True
    task = await submitted(bench)
    assert "/predictions/" in task.links["get"]
    assert isinstance(await bench.provider.check(task), Working)


# Cancelling.


async def test_a_running_training_can_be_cancelled(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    task = await submitted(bench)
    assert await bench.provider.cancel(task)
    assert service.jobs[task.id].status == "canceled"


async def test_a_training_that_has_ended_cannot_be_cancelled(bench: ReplicateBench) -> None:
    task = await submitted(bench)
    await bench.finish()
    assert not await bench.provider.cancel(task)


async def test_cancelling_what_is_not_there_says_no(bench: ReplicateBench) -> None:
    assert not await bench.provider.cancel(Task(id="nobody"))


# Finding again.


async def test_a_lost_training_is_found(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    request = await prepared(bench)
    bench.cause(Mishap.LOST)
    with pytest.raises(OutcomeUnknown):
        await bench.provider.submit_training(request)
    (task,) = await bench.provider.find(request, since=service.now())
    assert [task.id] == service.ledger
    assert isinstance(await bench.provider.check(task), Working)


async def test_it_is_found_under_a_link_that_was_signed_anew(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    request = await prepared(bench)
    await bench.provider.submit_training(request)
    later = replace(request, dataset_link="https://storage.example/job-1.zip?X-Amz-Signature=Another")
    assert len(await bench.provider.find(later, since=service.now())) == 1


async def test_nothing_is_found_where_nothing_was_accepted(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    request = await prepared(bench)
    bench.cause(Mishap.BUSY)
    with pytest.raises(ProviderBusy):
        await bench.provider.submit_training(request)
    assert await bench.provider.find(request, since=service.now()) == []
    assert await bench.provider.find(asked(bench), since=service.now()) == []


@pytest.mark.parametrize(
    "changes",
    [{"iterations": 600}, {"trigger_word": "BIKE"}, {"lora_rank": 32}, {"trainer": simulated.FAST_TRAINER},
     {"dataset_link": "https://storage.example/other.zip"}],
)  # fmt: skip
async def test_another_training_is_not_taken_for_this_one(
    bench: ReplicateBench, service: ReplicateSimulator, changes: dict[str, Any]
) -> None:
    await submitted(bench, **changes)
    assert await bench.provider.find(await prepared(bench), since=service.now()) == []


async def test_an_older_training_of_the_same_dataset_is_not_taken_for_this_one(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    request = await prepared(bench)
    await bench.provider.submit_training(request)
    service.jobs[service.ledger[0]].created_at -= 901
    assert await bench.provider.find(request, since=service.now()) == []
    assert len(await bench.provider.find(request, since=service.now() - 10)) == 1


async def test_a_training_that_went_to_another_model_is_not_taken_for_this_one(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    request = await prepared(bench)
    other = await prepared(bench, job_id="job-2")
    link = request.dataset_link
    await bench.provider.submit_training(replace(other, dataset_link=link))
    await bench.finish()
    assert await bench.provider.find(request, since=service.now()) == []
    assert len(await bench.provider.find(replace(other, dataset_link=link), since=service.now())) == 1


async def test_the_newest_comes_first(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    request = await prepared(bench)
    older = await bench.provider.submit_training(request)
    service.jobs[older.id].created_at -= 5
    newer = await bench.provider.submit_training(request)
    found = await bench.provider.find(request, since=service.now())
    assert [task.id for task in found] == [newer.id, older.id]


async def test_it_is_found_on_a_later_page(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    request = await prepared(bench)
    task = await bench.provider.submit_training(request)
    service.page_size = 2
    for number in range(5):
        service.jobs[f"other-{number}"] = replace(
            service.jobs[task.id], id=f"other-{number}", created_at=service.now() + 1, input={"input_images": "other"}
        )
    assert [one.id for one in await bench.provider.find(request, since=service.now())] == [task.id]
    assert service.count("GET", "/v1/trainings") == 3


async def test_after_five_pages_nobody_can_tell(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    request = await prepared(bench)
    task = await bench.provider.submit_training(request)
    service.page_size = 1
    for number in range(9):
        service.jobs[f"other-{number}"] = replace(
            service.jobs[task.id], id=f"other-{number}", created_at=service.now() + 1, input={"input_images": "other"}
        )
    with pytest.raises(OutcomeUnknown):
        await bench.provider.find(request, since=service.now())
    assert service.count("GET", "/v1/trainings") == 5


async def test_a_training_whose_input_is_hidden_leaves_it_open(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    request = await prepared(bench)
    await bench.provider.submit_training(request)
    service.hides_input = True
    with pytest.raises(OutcomeUnknown):
        await bench.provider.find(request, since=service.now())


async def test_a_dataset_that_replicate_moved_leaves_it_open(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    request = await prepared(bench)
    task = await bench.provider.submit_training(request)
    for moved in ("https://replicate.delivery/pbxt/abc.zip", "", None):
        service.jobs[task.id].input["input_images"] = moved
        with pytest.raises(OutcomeUnknown):
            await bench.provider.find(request, since=service.now())


@pytest.mark.parametrize(
    "address", ["https://evil.example/v1/trainings?cursor=1", "{url}/v1/files?cursor=1", "http://[", "x y"]
)
async def test_a_next_page_that_leads_elsewhere_is_refused(
    bench: ReplicateBench, service: ReplicateSimulator, address: str
) -> None:
    request = await prepared(bench)
    for _ in range(2):
        await bench.provider.submit_training(request)
    service.page_size, service.names_next_page_at = 1, address.replace("{url}", service.url)
    with pytest.raises(ProviderBroken, match="somewhere else"):
        await bench.provider.find(request, since=service.now())


@pytest.mark.parametrize("body", [[], {}, {"results": {}}, {"results": [7]}, {"results": [{"id": "x"}]}])
async def test_a_list_of_a_wrong_shape_is_broken(bench: ReplicateBench, service: ReplicateSimulator, body: Any) -> None:
    request = await prepared(bench)
    service.order("GET /v1/trainings", answers(200, body))
    with pytest.raises(ProviderBroken):
        await bench.provider.find(request, since=service.now())
