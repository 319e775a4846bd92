"""Failures on request: how they are written, and in which order they happen."""

import pytest

from bot.errors import ProviderBroken, ProviderBusy, ProviderError
from bot.providers.local.failures import CALLS, MEANINGS, Failure, Failures, FailuresLeft, error_of


def test_call_meaning_and_times_are_read() -> None:
    assert Failures.parse("submit:busy:2, check:unreachable:3, training:moderated").planned == (
        Failure(call="submit", meaning="busy", times=2),
        Failure(call="check", meaning="unreachable", times=3),
        Failure(call="training", meaning="moderated", times=1),
    )


@pytest.mark.parametrize("text", ["", "  ", ",", " , "])
def test_nothing_written_means_that_nothing_fails(text: str) -> None:
    assert Failures.parse(text) == Failures()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("lunch:busy", "unknown call “lunch”"),
        ("submit", "unknown meaning “”"),
        ("submit:tired", "unknown meaning “tired”"),
        ("check:outcome_unknown", "only submit and caption"),
        ("submit:busy:0", "whole number"),
        ("submit:busy:-1", "whole number"),
        ("submit:busy:often", "whole number"),
        ("submit:busy:1:1", "whole number"),
        ("submit:busy:²", "whole number"),
        ("submit:busy:9999999999", "whole number"),
    ],
)
def test_nonsense_is_named(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Failures.parse(text)


def test_failures_of_one_call_happen_in_their_order_and_then_end() -> None:
    left = FailuresLeft(Failures.parse("check:busy, submit:denied, check:broken:2"))
    assert [left.take("check") for _ in range(4)] == ["busy", "broken", "broken", None]
    assert left.take("submit") == "denied"


@pytest.mark.parametrize("meaning", MEANINGS)
def test_every_meaning_is_an_error_with_a_sentence(meaning: str) -> None:
    error = error_of(meaning)
    assert isinstance(error, ProviderError)
    assert error.sentence.endswith(".")


def test_a_meaning_from_a_later_version_is_a_broken_provider() -> None:
    assert isinstance(error_of("haunted"), ProviderBroken)


def test_busy_says_when_to_come_back() -> None:
    error = error_of("busy")
    assert isinstance(error, ProviderBusy)
    assert error.retry_after_seconds == 1.0
    assert "submit" in CALLS
