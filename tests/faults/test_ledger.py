"""The ledger of a storm is only worth something when it finds what is wrong: each wrong thing is put before it."""

from typing import Any

import pytest

from storage.statuses import JobStatus
from tests.faults import ledger
from tests.faults.services import Accepted
from tests.faults.stored import StoredJob

TRAINING = "finetune Model0001 at fal, job 7, "
PICTURES = "generate scene0002 at bfl, job 8, "


def training(status: JobStatus = JobStatus.DONE, **changes: Any) -> StoredJob:
    values: dict[str, Any] = {"id": "7", "kind": "finetune", "provider": "fal", "mark": "Model0001", "count": 1}
    values |= {"person_id": "1", "round": 0, "model_name": "Model0001", "sentence": ""}
    return StoredJob(**{**values, "status": status, **changes})


def pictures(status: JobStatus = JobStatus.DONE) -> StoredJob:
    return training(status, id="8", kind="generate", provider="bfl", mark="scene0002", model_name="FLUX.2 [pro]")


def addition(status: JobStatus = JobStatus.DONE) -> StoredJob:
    return training(status, id="9", kind="add", provider="atelier", mark="Data0003", model_name="Data0003")


def paid(job: StoredJob, seed: int = 1) -> Accepted:
    return Accepted(provider=job.provider, id=f"task-{job.id}", mark=job.mark.lower(), seed=seed)


def message(text: str, *descriptions: str, act: str = "") -> dict[str, Any]:
    row = {"type": 1, "components": [{"type": 2, "custom_id": f"atelier:{act}:7:1"}]}
    return {
        "content": text,
        "embeds": [],
        "components": [row] if act else [],
        "attachments": [{"description": one} for one in descriptions],
    }


@pytest.mark.parametrize("status", [JobStatus.PREPARING, JobStatus.RUNNING, JobStatus.CANCELLING])
def test_a_job_that_is_still_at_work_is_lost(status: JobStatus) -> None:
    assert ledger._not_at_rest([training(status), pictures()]) == [f"not at rest: {TRAINING}{status}"]


def test_a_result_that_nobody_was_told_of_is_lost() -> None:
    told = message("<@1> your model **Model0001** is ready.")
    shown = message("<@1> **FLUX.2 [pro]**", "Picture 1 of 1, generated with FLUX.2 [pro]: scene0002 in the rain")
    assert ledger._untold([training(), pictures()], [told]) == [f"done and never told: {PICTURES}done"]
    assert ledger._untold([training(), pictures()], [shown]) == [f"done and never told: {TRAINING}done"]
    assert ledger._untold([training(), pictures()], [told, shown]) == []


def test_an_addition_is_told_of_on_its_card() -> None:
    added = message("### Pictures added to Data0003")
    assert ledger._untold([addition()], [added]) == []
    assert ledger._untold([addition()], [message("### Adding pictures to Data0003")]) == [
        "done and never told: add Data0003 at atelier, job 9, done"
    ]


def test_a_dataset_that_was_begun_twice_or_is_not_whole_is_found() -> None:
    assert ledger._made_twice({"Data0003": (1, 4)}) == []
    assert ledger._made_twice({"Data0003": (2, 8), "Data0004": (1, 3)}) == [
        "2 datasets with 8 pictures: Data0003",
        "1 datasets with 3 pictures: Data0004",
    ]


def test_two_tasks_for_one_part_are_paid_twice_unless_its_person_tried_again() -> None:
    twice = [paid(training()), paid(training())]
    assert ledger._paid_twice([training()], twice) == [f"paid 2 times (seed 1) for {TRAINING}done"]
    assert ledger._paid_twice([training(round=1)], twice) == []
    assert ledger._paid_twice([pictures()], [paid(pictures(), seed=1), paid(pictures(), seed=2)]) == []


def test_a_task_without_any_job_is_paid_for_nothing() -> None:
    assert ledger._paid_twice([], [paid(training())]) == ["paid 1 times (seed 1) for model0001"]


def test_a_card_or_a_result_that_is_there_twice_is_found() -> None:
    cards = {"7": [message("### Training Model0001"), message("### Training Model0001")]}
    assert ledger._cards_twice([training()], cards) == [f"2 cards: {TRAINING}done"]
    ready = message("<@1> your model **Model0001** is ready.")
    assert ledger._results_twice([ready, ready]) == ["said 2 times: your model **Model0001** is ready"]
    one, other = (f"Picture {number} of 2, generated with Mo: scene0002 in the rain" for number in (1, 2))
    assert ledger._results_twice([message("", one, other)]) == []
    assert ledger._results_twice([message("", one), message("", one)]) == ["said 2 times: picture 1 of scene0002"]


def test_more_failures_told_than_there_were_are_found() -> None:
    told = message("<@1> **FLUX.2 \\[pro]** did not work out.")
    assert ledger._failures_twice([pictures(JobStatus.FAILED)], [told]) == []
    assert len(ledger._failures_twice([pictures(JobStatus.FAILED)], [told, told])) == 1
    assert len(ledger._failures_twice([pictures()], [told])) == 1


@pytest.mark.parametrize("text", ["▶️ **Training**", "⏹️ Stopping…"])
def test_a_card_that_goes_on_after_the_end_is_stuck(text: str) -> None:
    card = message(f"### Training Model0001\n{text}")
    assert len(ledger._stuck([training()], {"7": [card]})) == 1


def test_a_finished_job_has_a_card_that_cannot_be_cancelled() -> None:
    assert ledger._stuck([training()], {"7": []}) == [f"no card: {TRAINING}done"]
    assert len(ledger._stuck([training()], {"7": [message("### Model0001", act="cancel")]})) == 1
    assert ledger._stuck([training()], {"7": [message("### Model0001", act="timeline")]}) == []
