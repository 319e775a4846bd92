"""When a job that waits will begin, and one at work be ready, from how long such jobs took here. Pure."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles

ENOUGH_RUNS = 5
MINUTE_MS = 60_000


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How long most jobs of a sort take: one in five is shorter, one in five is longer."""

    shortest_ms: int
    longest_ms: int


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """`position` counts from 1, None when the job is at work. The times say when it begins, or is ready: None for
    what is not known or lies behind us."""

    position: int | None
    earliest_ms: int | None = None
    latest_ms: int | None = None


def spread_of(durations_ms: Sequence[int]) -> Spread | None:
    """None when there are too few to say anything."""
    if len(durations_ms) < ENOUGH_RUNS:
        return None
    fifths = quantiles(durations_ms, n=5, method="inclusive")
    return Spread(shortest_ms=round(fifths[0]), longest_ms=round(fifths[-1]))


def ready(spread: Spread | None, *, begun_ms: int, now_ms: int) -> Outlook:
    if spread is None:
        return Outlook(position=None)
    earliest, latest = begun_ms + spread.shortest_ms, begun_ms + spread.longest_ms
    return Outlook(position=None, earliest_ms=_ahead(earliest, now_ms), latest_ms=_ahead(latest, now_ms))


def waiting(
    *,
    slots: int,
    at_work: Sequence[tuple[Spread | None, int]],
    before: Sequence[Spread | None],
    now_ms: int,
    per_minute: int | None,
) -> Outlook:
    """For the job behind those `before` it; `at_work` are those that have begun, and when they began."""
    position = len(before) + 1
    begun = [(spread, begun_ms) for spread, begun_ms in at_work if spread is not None]
    queue = [spread for spread in before if spread is not None]
    if len(begun) < len(at_work) or len(queue) < len(before):
        return Outlook(position=position)
    earliest, latest = (
        max(
            begins_at(slots=slots, ends_ms=ends, before_ms=lengths, now_ms=now_ms),
            now_ms + (len(before) // per_minute * MINUTE_MS if per_minute else 0),
        )
        for ends, lengths in (
            ([at + spread.shortest_ms for spread, at in begun], [spread.shortest_ms for spread in queue]),
            ([at + spread.longest_ms for spread, at in begun], [spread.longest_ms for spread in queue]),
        )
    )
    return Outlook(position=position, earliest_ms=_ahead(earliest, now_ms), latest_ms=_ahead(latest, now_ms))


def begins_at(*, slots: int, ends_ms: Sequence[int], before_ms: Sequence[int], now_ms: int) -> int:
    """When a slot is free, if what is at work ends at `ends_ms` and what stands before takes `before_ms` each.

    With every slot just taken and all jobs alike this is one duration for each full wave of `slots` jobs.
    """
    ends = sorted(max(end, now_ms) for end in ends_ms)
    free = [now_ms] * (slots - len(ends)) + ends[-slots:]
    for length in before_ms:
        heapq.heapreplace(free, free[0] + length)
    return free[0]


def _ahead(moment_ms: int, now_ms: int) -> int | None:
    return moment_ms if moment_ms > now_ms else None
