"""When a job begins and when it is ready: the arithmetic."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.outlook import MINUTE_MS, Outlook, Spread, begins_at, ready, spread_of, waiting

NOW = 1_000_000
MINUTE = Spread(shortest_ms=60_000, longest_ms=90_000)
lengths = some.integers(min_value=0, max_value=10**7)
slots_of = some.integers(min_value=1, max_value=12)


def test_one_in_five_is_shorter_and_one_in_five_longer() -> None:
    assert spread_of(range(0, 1001, 10)) == Spread(shortest_ms=200, longest_ms=800)


@pytest.mark.parametrize("runs", [[], [5], [5, 5, 5, 5]])
def test_fewer_than_five_runs_say_nothing(runs: list[int]) -> None:
    assert spread_of(runs) is None


@given(some.lists(lengths, min_size=5, max_size=50))
def test_a_spread_lies_within_what_happened(durations: list[int]) -> None:
    spread = spread_of(durations)
    assert spread is not None
    assert min(durations) <= spread.shortest_ms <= spread.longest_ms <= max(durations)


@given(slots_of, some.integers(min_value=0, max_value=100), some.integers(min_value=1, max_value=10**6))
def test_with_all_jobs_alike_and_every_slot_just_taken_it_is_one_duration_a_wave(
    slots: int, before: int, length: int
) -> None:
    begins = begins_at(slots=slots, ends_ms=[NOW + length] * slots, before_ms=[length] * before, now_ms=NOW)
    assert begins == NOW + math.ceil((before + 1) / slots) * length


@given(slots_of, some.lists(lengths, max_size=20), some.lists(lengths, max_size=40), lengths)
def test_nothing_begins_earlier_because_more_stands_before_it(
    slots: int, at_work: list[int], before: list[int], one_more: int
) -> None:
    ends = [NOW + length - 1000 for length in at_work]
    begins = begins_at(slots=slots, ends_ms=ends, before_ms=before, now_ms=NOW)
    assert NOW <= begins <= begins_at(slots=slots, ends_ms=ends, before_ms=[*before, one_more], now_ms=NOW)
    assert begins_at(slots=slots + 1, ends_ms=ends, before_ms=before, now_ms=NOW) <= begins


def test_a_free_slot_is_free_now() -> None:
    assert begins_at(slots=2, ends_ms=[NOW + 500], before_ms=[], now_ms=NOW) == NOW
    assert begins_at(slots=2, ends_ms=[NOW + 500], before_ms=[300], now_ms=NOW) == NOW + 300


def test_of_more_at_work_than_there_are_slots_the_first_to_end_make_no_room() -> None:
    assert begins_at(slots=1, ends_ms=[NOW + 5, NOW + 90], before_ms=[], now_ms=NOW) == NOW + 90


def test_who_waits_hears_from_when_to_when() -> None:
    outlook = waiting(slots=1, at_work=[(MINUTE, NOW - 20_000)], before=[MINUTE], now_ms=NOW, per_minute=None)
    assert outlook == Outlook(position=2, earliest_ms=NOW + 40_000 + 60_000, latest_ms=NOW + 70_000 + 90_000)


def test_what_is_overdue_may_end_at_any_moment() -> None:
    outlook = waiting(slots=1, at_work=[(MINUTE, NOW - 70_000)], before=[], now_ms=NOW, per_minute=None)
    assert outlook == Outlook(position=1, earliest_ms=None, latest_ms=NOW + 20_000)
    late = waiting(slots=1, at_work=[(MINUTE, NOW - 95_000)], before=[], now_ms=NOW, per_minute=None)
    assert late == Outlook(position=1)


@pytest.mark.parametrize(("at_work", "before"), [([(None, NOW)], [MINUTE]), ([(MINUTE, NOW)], [None])])
def test_one_job_of_which_nothing_is_known_leaves_only_the_position(
    at_work: list[tuple[Spread | None, int]], before: list[Spread | None]
) -> None:
    assert waiting(slots=3, at_work=at_work, before=before, now_ms=NOW, per_minute=None) == Outlook(position=2)


def test_no_more_begin_in_a_minute_than_the_provider_takes() -> None:
    outlook = waiting(slots=50, at_work=[], before=[MINUTE] * 25, now_ms=NOW, per_minute=10)
    assert outlook == Outlook(position=26, earliest_ms=NOW + 2 * MINUTE_MS, latest_ms=NOW + 2 * MINUTE_MS)


def test_what_is_at_work_is_ready_after_as_long_as_it_usually_takes() -> None:
    assert ready(MINUTE, begun_ms=NOW - 10_000, now_ms=NOW) == Outlook(
        position=None, earliest_ms=NOW + 50_000, latest_ms=NOW + 80_000
    )
    assert ready(MINUTE, begun_ms=NOW - 90_000, now_ms=NOW) == Outlook(position=None)
    assert ready(None, begun_ms=NOW, now_ms=NOW) == Outlook(position=None)
