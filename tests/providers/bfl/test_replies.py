"""Black Forest Labs' answers, whatever they are: what is no answer is a failure by meaning, never a surprise."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import ProviderError
from bot.providers.bfl.finetunes import details_of, finetune_ids, is_of_job
from bot.providers.bfl.first_seen import FirstSeen
from bot.providers.bfl.replies import balance_of, explain, picture_link, poll_of, state_of, task_of, training_of
from bot.providers.replies import Reply
from bot.providers.tasks import Finished, Stopped, Working
from tests.providers.clock import Clock

WORDS = st.sampled_from(
    ["Ready", "Error", "Failed", "Content Moderated", "Request Moderated", "Pending", "Task not found"]
)
NAMES = st.sampled_from(
    [
        "id",
        "status",
        "result",
        "sample",
        "progress",
        "details",
        "Moderation Reasons",
        "polling_url",
        "finetune_id",
        "finetunes",
        "finetune_details",
        "finetune_comment",
        "timestamp",
        "credits",
        "detail",
    ]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=6),
    max_leaves=20,
)
STATUSES = st.sampled_from([200, 400, 403, 404, 422, 429])


def _reply(body: Any, status: int = 200) -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status=status, headers={}, body=content)


def _read_in_every_way(reply: Reply) -> None:
    explain(reply)
    for read in (_state, _link, balance_of, finetune_ids, _details, _task, _training):
        try:
            read(reply)
        except ProviderError as error:
            lengths = (len(error.sentence), len(error.advice))
        else:
            lengths = (1, 0)
        assert 0 < lengths[0] < 1000
        assert lengths[1] < 1000


def _state(reply: Reply) -> None:
    assert isinstance(state_of(poll_of(reply)), Working | Finished | Stopped)


def _link(reply: Reply) -> None:
    assert picture_link(poll_of(reply)).startswith("http")


def _details(reply: Reply) -> None:
    assert is_of_job(details_of(reply), "job-1", since=0.0) in (True, False)


def _task(reply: Reply) -> None:
    assert task_of(reply, "https://api.bfl.ai").id


def _training(reply: Reply) -> None:
    assert training_of(reply, "https://api.bfl.ai").id


@settings(max_examples=400, deadline=None)
@given(body=ANYTHING, status=STATUSES)
def test_any_json_is_an_answer_or_a_failure_by_meaning(body: Any, status: int) -> None:
    _read_in_every_way(_reply(body, status))


@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=60), status=STATUSES)
def test_any_bytes_are_an_answer_or_a_failure_by_meaning(body: bytes, status: int) -> None:
    _read_in_every_way(_reply(body, status))


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"details":' * 50_000, b"1" * 10_000, b'{"status": "\\ud800"}', b""]
)
def test_answers_made_to_break_a_parser_are_failures_by_meaning(body: bytes) -> None:
    _read_in_every_way(_reply(body))
    _read_in_every_way(_reply(body, 422))


def test_only_the_latest_tasks_are_remembered() -> None:
    clock = Clock()
    first_seen = FirstSeen(clock)
    assert first_seen.seconds_ago("first") == 0
    clock.seconds += 5
    assert first_seen.seconds_ago("first") == 5
    for number in range(10_000):
        first_seen.seconds_ago(str(number))
    assert first_seen.seconds_ago("9999") == 0
    clock.seconds += 5
    assert first_seen.seconds_ago("first") == 0
    assert first_seen.seconds_ago("9999") == 5
