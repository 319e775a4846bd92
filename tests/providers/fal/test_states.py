"""fal.ai: what the states of a task mean, and where its failures hide."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.errors import (
    ProviderBroken,
    ProviderError,
    ProviderGone,
    ProviderModerated,
    ProviderRefused,
    ProviderTimedOut,
    ProviderUnreachable,
)
from bot.providers.fal.provider import FalProvider
from bot.providers.tasks import Finished, Task, TrainingRequest, Working
from tests.providers.benches.fal import GENERATION, provider_for
from tests.providers.fal.watching import last, stopped
from tests.simulators.fal import RESULT, STATUS, Fal
from tests.simulators.service import BAD_GATEWAY, RESET, SLOW_BODY, TOO_MANY, TRUNCATED, UNAVAILABLE, Fault, answers


async def test_a_task_waits_runs_and_finishes(service: Fal, client: httpx.AsyncClient) -> None:
    async with Fal(polls=2) as quick:
        fal = provider_for(quick, client)
        task = await fal.submit_generation(GENERATION)
        assert isinstance(await fal.check(task), Working)
        assert isinstance(await fal.check(task), Working)
        assert await fal.check(task) == Finished()
        assert await fal.check(task) == Finished()


async def test_a_waiting_task_tells_its_place_counted_from_one(fal: FalProvider, service: Fal) -> None:
    tasks = [await fal.submit_generation(GENERATION) for _ in range(5)]
    assert await fal.check(tasks[4]) == Working(progress=None, note="Position 3 in fal's queue.")
    assert await fal.check(tasks[0]) == Working(progress=None, note="Position 1 in fal's queue.")


@pytest.mark.parametrize("position", [None, -1, True, "3", 1.5, 10**9])
async def test_a_place_that_makes_no_sense_is_not_told(fal: FalProvider, service: Fal, position: Any) -> None:
    task = await fal.submit_generation(GENERATION)
    service.order(STATUS, answers(202, {"status": "IN_QUEUE", "request_id": task.id, "queue_position": position}))
    assert await fal.check(task) == Working(progress=None)


async def test_progress_and_the_time_left_are_read_from_the_logs(
    fal: FalProvider, service: Fal, training: TrainingRequest
) -> None:
    task = await fal.submit_training(training)
    await fal.check(task)
    assert await fal.check(task) == Working(progress=0.5, seconds_left=30.0)


def bar(text: str) -> dict[str, Any]:
    return {"status": "IN_PROGRESS", "request_id": "x", "logs": [{"message": text}]}


@pytest.mark.parametrize(
    ("message", "progress", "left"),
    [
        (" 37%|███▋      | 370/1000 [02:10<03:41,  2.85it/s]", 0.37, 221.0),
        ("steps:  10%|#  | 100/1000 [00:10<1:02:03, 1.0s/it, loss=0.1]", 0.1, 3723.0),
        ("1%|  | 10/1000 [00:00<?, ?it/s]\r2%|  | 20/1000 [00:00<?, ?it/s]", 0.02, None),
        ("  5%|▌         | 50/1000", 0.05, None),
        ("300%|██| 3000/1000 [00:01<00:00]", 1.0, 0.0),
        ("Fetching 7 files: 100%|██████████| 7/7 [00:01<00:00]", None, None),
        ("0%|  | 0/0", None, None),
        ("half done", None, None),
        ("x" * 10**6 + " 50%|█| 50/100 [00:01<00:01]", 0.5, 1.0),
    ],
)
async def test_a_progress_bar_is_read_as_well_as_can_be(
    fal: FalProvider, service: Fal, message: str, progress: float | None, left: float | None
) -> None:
    task = await fal.submit_generation(GENERATION)
    service.order(STATUS, answers(202, bar(message)))
    assert await fal.check(task) == Working(progress=progress, seconds_left=left)


@pytest.mark.parametrize("logs", [None, "text", {}, [None], ["50%|█| 50/100"], [{"message": 7}], [{}], []])
async def test_logs_that_make_no_sense_are_no_progress(fal: FalProvider, service: Fal, logs: Any) -> None:
    task = await fal.submit_generation(GENERATION)
    service.order(STATUS, answers(202, {"status": "IN_PROGRESS", "request_id": task.id, "logs": logs}))
    assert await fal.check(task) == Working(progress=None)


@pytest.mark.parametrize("word", ["PAUSED", "", "FAILED"])
async def test_an_unknown_word_means_at_work(fal: FalProvider, service: Fal, word: str) -> None:
    task = await fal.submit_generation(GENERATION)
    service.order(STATUS, answers(200, {"status": word, "request_id": task.id}))
    assert await fal.check(task) == Working(progress=None)


@pytest.mark.parametrize("body", ["text", [], {}, {"status": 7}, {"status": None}])
async def test_a_status_that_makes_no_sense_is_broken(fal: FalProvider, service: Fal, body: Any) -> None:
    task = await fal.submit_generation(GENERATION)
    service.order(STATUS, answers(200, body))
    with pytest.raises(ProviderBroken):
        await fal.check(task)


@pytest.mark.parametrize(
    ("error", "error_type", "meaning"),
    [
        ("Runner died", "runner_server_error", ProviderBroken),
        ("Runner died", None, ProviderBroken),
        ("Out of memory", "something_new", ProviderBroken),
        ("Cancelled", "client_cancelled", ProviderRefused),
        ("Too slow", "request_timeout", ProviderTimedOut),
        ("No runner", "startup_timeout", ProviderTimedOut),
        ("Flagged", "content_policy_violation", ProviderModerated),
        ("content_policy_violation: flagged", None, ProviderModerated),
        ("steps: too many", "bad_request", ProviderRefused),
    ],
)
async def test_completed_with_an_error_is_stopped_with_a_meaning(
    fal: FalProvider, service: Fal, error: str, error_type: str | None, meaning: type[ProviderError]
) -> None:
    task = await fal.submit_generation(GENERATION)
    service.fail_all(error, error_type)
    found = await stopped(fal, task)
    assert type(found) is meaning
    assert error in found.advice + found.sentence


async def test_an_error_that_is_no_text_is_still_a_failure(fal: FalProvider, service: Fal) -> None:
    task = await fal.submit_generation(GENERATION)
    service.order(STATUS, answers(200, {"status": "COMPLETED", "error": {"code": 7}, "error_type": ["x"]}))
    service.order(RESULT, answers(500, {"detail": "x"}))
    assert type(await stopped(fal, task)) is ProviderBroken


async def test_a_vague_error_is_explained_by_what_lies_in_place_of_the_result(fal: FalProvider, service: Fal) -> None:
    task = await fal.submit_generation(GENERATION)
    service.moderate_all()
    last(service).error = "Unprocessable Entity"
    assert type(await stopped(fal, task)) is ProviderModerated


async def test_a_failure_stays_one_while_the_result_cannot_be_read(fal: FalProvider, service: Fal) -> None:
    task = await fal.submit_generation(GENERATION)
    service.fail_all()
    service.order(RESULT, *[UNAVAILABLE] * 4)
    assert type(await stopped(fal, task)) is ProviderBroken


async def test_a_moderation_verdict_hides_where_the_result_should_be(
    fal: FalProvider, service: Fal, training: TrainingRequest
) -> None:
    task = await fal.submit_training(training)
    service.moderate_all()
    found = await stopped(fal, task)
    assert type(found) is ProviderModerated
    assert "5ec4e75166a4" not in found.sentence + found.advice


async def test_a_refusal_that_echoes_the_payload_tells_only_what_is_wrong(
    fal: FalProvider, service: Fal, training: TrainingRequest, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="bot")
    task = await fal.submit_training(replace(training, dataset_link=None))
    service.refuse_all()
    found = await stopped(fal, task)
    assert type(found) is ProviderRefused
    assert found.sentence == "fal.ai refused this: image_data_url: Failed to read the archive"
    assert "UEsDB" not in found.advice + caplog.text


@pytest.mark.parametrize(
    ("status", "body", "headers", "meaning"),
    [
        (500, {"detail": "Internal Server Error"}, {}, ProviderBroken),
        (500, {"detail": "CUDA out of memory"}, {"x-fal-error-type": "runner_server_error"}, ProviderBroken),
        (504, {"detail": "timed out", "error_type": "request_timeout"}, {}, ProviderBroken),
        (404, {"detail": "Not Found"}, {}, ProviderGone),
        (400, {"detail": "Bad input"}, {}, ProviderRefused),
        (422, {"detail": "Unprocessable"}, {}, ProviderRefused),
    ],
)
async def test_a_failure_that_only_the_result_tells_is_stopped(
    fal: FalProvider, service: Fal, status: int, body: Any, headers: dict[str, str], meaning: type[ProviderError]
) -> None:
    task = await fal.submit_generation(GENERATION)
    service.answer_all(status, body, headers)
    assert type(await stopped(fal, task)) is meaning


async def test_a_dataset_that_fal_cannot_read_tells_the_operator_about_the_link(
    fal: FalProvider, service: Fal, training: TrainingRequest
) -> None:
    missing = f"{service.url}/files/gone.zip"
    task = await fal.submit_training(replace(training, dataset_link=missing))
    await service.finish_all()
    found = await stopped(fal, task)
    assert type(found) is ProviderRefused
    assert "object storage" in found.advice


async def test_a_gateway_in_trouble_is_no_verdict_on_the_task(fal: FalProvider, service: Fal) -> None:
    task = await fal.submit_generation(GENERATION)
    await service.finish_all()
    service.order(RESULT, BAD_GATEWAY, UNAVAILABLE)
    assert await fal.check(task) == Finished()
    service.order(RESULT, *[BAD_GATEWAY] * 4)
    with pytest.raises(ProviderUnreachable):
        await fal.check(task)
    assert await fal.check(task) == Finished()


async def test_a_result_that_is_a_moment_late_is_waited_for(fal: FalProvider, service: Fal) -> None:
    task = await fal.submit_generation(GENERATION)
    await service.finish_all()
    service.order(RESULT, answers(400, {"detail": "Request is still in progress"}))
    assert await fal.check(task) == Finished()


@pytest.mark.parametrize("fault", [UNAVAILABLE, BAD_GATEWAY, RESET, TRUNCATED, TOO_MANY, SLOW_BODY])
async def test_a_check_survives_a_passing_failure(fal: FalProvider, service: Fal, fault: Fault) -> None:
    task = await fal.submit_generation(GENERATION)
    await service.finish_all()
    service.order(STATUS, fault)
    assert await fal.check(task) == Finished()


async def test_a_check_gives_up_when_fal_stays_away(fal: FalProvider, service: Fal) -> None:
    task = await fal.submit_generation(GENERATION)
    service.order(STATUS, *[UNAVAILABLE] * 4)
    with pytest.raises(ProviderUnreachable):
        await fal.check(task)


async def test_a_task_that_fal_does_not_know_is_gone(fal: FalProvider, service: Fal) -> None:
    task = await fal.submit_generation(GENERATION)
    service.ledger.clear()
    with pytest.raises(ProviderGone):
        await fal.check(task)


async def test_a_stored_task_without_links_is_gone_in_a_sentence(fal: FalProvider, tmp_path: Path) -> None:
    bare = Task(id="a")
    for question in (fal.check(bare), fal.cancel(bare), fal.fetch_weights(bare, tmp_path)):
        with pytest.raises(ProviderGone):
            await question
