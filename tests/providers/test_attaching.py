"""What every `attach` goes by: an id in what was pasted, and the moment when a job was asked for."""

import re

import pytest

from bot.errors import ProviderRefused
from bot.providers.attaching import UUID, difference, id_within, refuse_older
from bot.providers.bfl.attaching import host_in
from bot.providers.bfl.attaching import id_in as bfl_id_in
from bot.providers.fal.attaching import id_in as fal_id_in
from bot.providers.local.provider import id_in as local_id_in
from bot.providers.replicate.attaching import id_in as replicate_id_in

ONE = "8f14e45f-ceea-467f-a8d1-0242ac120002"
OTHER = "6512bd43-d9ca-46e0-9c5e-000000000000"
ASKED_AT = 1_763_719_200.0  # 2025-11-21 10:00 UTC
JOB = str((int(ASKED_AT * 1000) - 1_420_070_400_000) << 22)


@pytest.mark.parametrize(
    ("id_in", "pasted", "found"),
    [
        (replicate_id_in, "https://replicate.com/p/gm3qorzdhgbfurvjtvhg6dckhu", "gm3qorzdhgbfurvjtvhg6dckhu"),
        (
            replicate_id_in,
            "<https://api.replicate.com/v1/trainings/zz4ibbonubfz7carwiefibzgga/cancel>",
            "zz4ibbonubfz7carwiefibzgga",
        ),
        (fal_id_in, f"https://queue.fal.run/fal-ai/flux/requests/{ONE}/status?logs=1", ONE),
        (fal_id_in, f"https://fal.ai/models/fal-ai/flux/requests?request_id={ONE}", ONE),
        (bfl_id_in, f"https://api.eu2.bfl.ai/v1/get_result?id={ONE}", ONE),
        (bfl_id_in, f"“{ONE.upper()}”", ONE),
        (local_id_in, "/data/local/tasks/local-0123456789abcdef-0123456789ab/", "local-0123456789abcdef-0123456789ab"),
    ],
)
def test_each_providers_links_hold_its_id(id_in: object, pasted: str, found: str) -> None:
    assert callable(id_in)
    assert id_in(pasted) == found


@pytest.mark.parametrize(
    "id_in_and_foreign",
    [
        (replicate_id_in, ONE),
        (replicate_id_in, "https://replicate.com/atelier-bot/atelier-1234567890123456789"),
        (fal_id_in, "gm3qorzdhgbfurvjtvhg6dckhu"),
        (bfl_id_in, "cats-of-rome"),
        (local_id_in, ONE),
    ],
)
def test_another_providers_id_is_none(id_in_and_foreign: tuple[object, str]) -> None:
    id_in, foreign = id_in_and_foreign
    assert callable(id_in)
    with pytest.raises(ProviderRefused, match="no id of a task"):
        id_in(foreign)


def test_the_same_id_twice_is_one() -> None:
    assert id_within(f"[{ONE}](https://x.example/{ONE.upper()})", UUID, title="it") == ONE


def test_two_ids_are_one_too_many() -> None:
    with pytest.raises(ProviderRefused, match="more than one"):
        id_within(f"{ONE} {OTHER}", UUID, title="it")


@pytest.mark.parametrize("pasted", [f"{ONE}0", f"0{ONE}", f"{ONE}-1", f"_{ONE}", ONE[:-1], ONE.replace("-", "_")])
def test_a_part_of_something_longer_is_no_id(pasted: str) -> None:
    with pytest.raises(ProviderRefused, match="no id of a task"):
        id_within(pasted, UUID, title="it")


def test_a_whole_page_is_not_searched() -> None:
    with pytest.raises(ProviderRefused, match="far too long"):
        id_within(ONE + " " * 2000, UUID, title="it")


@pytest.mark.parametrize("begun_at", [None, ASKED_AT - 899, ASKED_AT, ASKED_AT + 86_400])
def test_a_task_that_began_after_its_job_was_asked_for_is_taken(begun_at: float | None) -> None:
    refuse_older(begun_at, JOB, title="it")


def test_a_task_that_began_before_its_job_was_asked_for_is_refused() -> None:
    with pytest.raises(ProviderRefused, match="before this job"):
        refuse_older(ASKED_AT - 901, JOB, title="it")


@pytest.mark.parametrize("job_id", ["job-1", "", "12345", "1" * 30])
def test_of_an_id_that_is_not_discords_nobody_can_tell_the_moment(job_id: str) -> None:
    refuse_older(0.0, job_id, title="it")


@pytest.mark.parametrize("said", [{}, {"seed": None}, {"seed": ""}, {"seed": 7}, {"seed": 7.0}, {"else": 8}])
def test_what_a_provider_does_not_say_is_no_difference(said: dict[str, object]) -> None:
    assert difference({"seed": 7}, said) == ""


@pytest.mark.parametrize("seed", [8, 0, "7", [7]])
def test_what_it_says_differently_is_one(seed: object) -> None:
    assert difference({"prompt": "a cat", "seed": 7}, {"prompt": "a cat", "seed": seed}) == "seed"


@pytest.mark.parametrize(
    ("pasted", "host"),
    [
        (f"https://api.eu2.bfl.ai/v1/get_result?id={ONE}", "https://api.eu2.bfl.ai"),
        (f"`HTTPS://API.US.BFL.AI/v1/get_result?id={ONE}`", "https://api.us.bfl.ai"),
        (f"https://api.bfl.ml/v1/get_result?id={ONE}", "https://api.bfl.ml"),
        (f"https://api.evil.example/v1/get_result?id={ONE}", ""),
        (f"https://api.bfl.ai.evil.example/v1/get_result?id={ONE}", ""),
        (f"https://evil.example/https://api.bfl.ai@evil.example/v1/get_result?id={ONE}", ""),
        (f"https://api.a.b.bfl.ai/v1/get_result?id={ONE}", ""),
        (f"http://api.bfl.ai/v1/get_result?id={ONE}", ""),
        (f"https://api.bfl.ai/v1/get_results?id={ONE}", ""),
        (ONE, ""),
    ],
)
def test_only_the_vendors_own_hosts_are_read_from_a_polling_link(pasted: str, host: str) -> None:
    assert host_in(pasted) == host
    assert re.fullmatch(r"(https://api(\.\w+)?\.bfl\.(ai|ml))?", host)
