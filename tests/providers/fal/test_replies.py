"""fal.ai: whatever it answers, reading it ends in a value or in a failure a person can read, never in a crash."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import OutcomeUnknown, ProviderBroken
from bot.providers.fal import failures, replies
from bot.providers.replies import Reply
from bot.providers.tasks import Finished, Stopped, Working

WORDS = st.sampled_from(
    [
        "status", "COMPLETED", "IN_QUEUE", "IN_PROGRESS", "queue_position", "logs", "message", "error", "error_type",
        "detail", "type", "msg", "loc", "content_policy_violation", "request_id", "status_url", "response_url",
        "cancel_url", "https://queue.fal.run/a", "images", "url", "has_nsfw_concepts", "diffusers_lora_file",
        "lora_file", "data:image/png;base64,AAAA", "50%|█| 50/100 [00:01<00:01]", "locked",
    ]
)  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=6),
    max_leaves=25,
)
STATUSES = st.sampled_from([200, 202, 204, 301, 400, 401, 402, 403, 404, 409, 422, 429, 500, 502, 503, 504])
READERS: list[Callable[[Any], object]] = [replies.state_of, replies.weights_url, replies.pictures_of]


def reply_of(status: int, body: Any, **headers: str) -> Reply:
    return Reply(status=status, headers=headers, body=body if isinstance(body, bytes) else json.dumps(body).encode())


@given(body=ANYTHING)
@settings(max_examples=300, deadline=None)
def test_an_output_of_any_shape_is_read_or_broken(body: Any) -> None:
    for read in READERS:
        with contextlib.suppress(ProviderBroken):
            read(body)


@given(status=STATUSES, body=ANYTHING | st.binary(max_size=50), kind=st.text(max_size=30))
@settings(max_examples=300, deadline=None)
def test_a_refusal_of_any_shape_has_a_meaning_or_none(status: int, body: Any, kind: str) -> None:
    reply = reply_of(status, body, **{"x-fal-error-type": kind})
    for explain in (failures.explain, failures.explain_result):
        error = explain(reply)
        assert error is None or error.sentence
    assert replies.was_stopped(reply) in (True, False)


@given(body=ANYTHING | st.binary(max_size=50))
@settings(max_examples=300, deadline=None)
def test_an_acceptance_of_any_shape_is_a_task_or_an_open_outcome(body: Any) -> None:
    with contextlib.suppress(OutcomeUnknown):
        task = replies.task_of(reply_of(200, body))
        assert set(task.links) == {"status_url", "response_url", "cancel_url"}


def nested(depth: int, inner: str) -> bytes:
    return b'{"detail":' * depth + json.dumps(inner).encode() + b"}" * depth


@pytest.mark.parametrize("depth", [10, 400, 900, 100_000])
def test_an_answer_nested_without_end_is_no_crash(depth: int) -> None:
    reply = Reply(status=422, headers={}, body=nested(depth, "locked"))
    assert failures.explain(reply) is None
    assert failures.explain_result(reply) is None
    assert replies.was_stopped(reply) is False


def test_a_status_with_an_error_says_no_more_of_it_than_fits_a_sentence() -> None:
    state = replies.state_of({"status": "COMPLETED", "error": "x " * 10_000, "error_type": "bad_request"})
    assert isinstance(state, Stopped)
    assert len(state.error.sentence) < 400


def test_a_status_with_secrets_in_its_error_keeps_them_to_itself() -> None:
    link = "https://bucket.example.org/a.zip?X-Amz-Signature=5ec4e75166a4"
    state = replies.state_of({"status": "COMPLETED", "error": f"cannot read {link}", "error_type": "bad_request"})
    assert isinstance(state, Stopped)
    assert "5ec4e75166a4" not in state.error.sentence + state.error.advice


def test_empty_errors_are_no_failure() -> None:
    assert replies.state_of({"status": "COMPLETED", "error": None, "error_type": None}) == Finished()
    assert replies.state_of({"status": "COMPLETED", "error": "", "error_type": ""}) == Finished()
    assert replies.state_of({"status": "IN_PROGRESS", "error": "not ended yet"}) == Working(progress=None)


def test_a_picture_without_a_flag_is_not_withheld() -> None:
    address = "https://v3.fal.media/a.png"
    images = [{"url": address}] * 3
    pictures = replies.pictures_of({"images": images, "has_nsfw_concepts": [False, True]})
    assert [picture.is_withheld for picture in pictures] == [False, True, False]
    assert not any(picture.is_withheld for picture in replies.pictures_of({"images": images}))
    assert not replies.pictures_of({"images": images[:1], "has_nsfw_concepts": None})[0].is_withheld


def test_a_data_uri_of_more_than_any_picture_is_refused_unread() -> None:
    with pytest.raises(ProviderBroken):
        replies.inline_bytes("data:image/png;base64," + "A" * (replies.LARGEST_INLINE_CHARACTERS + 1))
