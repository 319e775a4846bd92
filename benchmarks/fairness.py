"""Who waits how long when a few members bring hundreds of jobs: real engine, real lane, a provider with limits.

    .venv/bin/python -m benchmarks.fairness --jobs 10000 --members 300 --seed 1

A slot is one job begun: a wait of 40 slots means that 40 other jobs began in the meantime.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks.backlog import Drain, Served, drain, sizes

AT_ONCE = 16
PER_MINUTE = 2400
NEWCOMERS = 20
CLASSES = (("1-5", 1, 5), ("6-20", 6, 20), ("21-100", 21, 100), ("100+", 101, 10**9))
COLUMNS = ("min", "median", "p95", "max")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--members", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    counts = sizes(chosen.jobs, chosen.members, random.Random(chosen.seed))
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(
            drain(Path(folder), counts, newcomers=NEWCOMERS, at_once=AT_ONCE, per_minute=PER_MINUTE, seed=chosen.seed)
        )
    print(
        f"{chosen.jobs:,} jobs of {chosen.members} members (the largest have {counts[:3]}), queued largest first, "
        f"seed {chosen.seed}; {NEWCOMERS} newcomers come with one job each while these are served.\n"
    )
    print("\n".join(report(result, counts)))
    print(f"Everything, with queueing the backlog: {time.monotonic() - began:.0f} s.")


def report(result: Drain, counts: Sequence[int]) -> list[str]:
    groups = [(name, range(*_members(counts, low, high))) for name, low, high in CLASSES]
    groups.append(("newcomers", range(len(counts), len(counts) + NEWCOMERS)))
    lines: list[str] = []
    for title, digits, measure in (
        ("Wait in slots", 0, lambda one: one.slots),
        ("The same, had it been first come, first served", 0, lambda one: _as_they_came(one, counts)),
        ("Wait in seconds", 1, lambda one: one.seconds),
    ):
        lines += _table(title, digits, [(name, _of(result, members)) for name, members in groups], measure)
    lines.append(
        "While a member waited for their first job, nobody else began more than "
        f"{most_begun_before_a_first_job(list(result.served.values()))} of theirs."
    )
    provider, lane, total = result.provider, result.lane, len(result.served)
    lines.append(f"Tasks at once: {provider.most_at_once} at most, limit {lane.at_once}.")
    lines.append(f"Tasks begun in a minute: {provider.most_per_minute:,} at most, limit {lane.per_minute:,}.")
    lines.append(f"Refused by the provider: {provider.refused}.")
    lines.append(f"{total:,} jobs served in {result.seconds:.0f} s: {total / result.seconds:.1f} jobs per second.")
    return lines


def _members(counts: Sequence[int], low: int, high: int) -> tuple[int, int]:
    """First and last plus one; the members are sorted by their number of jobs, the largest first."""
    return sum(count > high for count in counts), sum(count >= low for count in counts)


def _of(result: Drain, members: range) -> list[Served]:
    return [one for one in result.served.values() if one.member in members]


def _as_they_came(one: Served, counts: Sequence[int]) -> int:
    """Everything that came before and had not begun when this one came."""
    return one.came - (one.begun_before if one.member >= len(counts) else 0)


def first_jobs(served: Iterable[Served]) -> list[Served]:
    first: dict[int, Served] = {}
    for one in sorted(served, key=lambda one: one.rank):
        first.setdefault(one.member, one)
    return list(first.values())


def most_begun_before_a_first_job(served: Sequence[Served]) -> int:
    """Of one and the same member, while another waited for their first."""
    in_order = [one.member for one in sorted(served, key=lambda one: one.rank)]
    waits = [in_order[first.begun_before : first.rank] for first in first_jobs(served)]
    return max((max(Counter(ahead).values()) for ahead in waits if ahead), default=0)


def _table(
    title: str, digits: int, groups: Sequence[tuple[str, list[Served]]], measure: Callable[[Served], float]
) -> list[str]:
    heads = [f"{column:>8}" for column in COLUMNS]
    lines = [
        title,
        f"{'jobs each':<10}{'members':>8}{'jobs':>7}  | first job{' ' * 23} | all jobs",
        f"{'':<25}  |{''.join(heads)} |{''.join(heads)}",
    ]
    for name, served in groups:
        first = first_jobs(served)
        figures = " |".join(
            "".join(f"{f:>8,.{digits}f}" for f in _figures(map(measure, some))) for some in (first, served)
        )
        lines.append(f"{name:<10}{len(first):>8}{len(served):>7}  |{figures}")
    return [*lines, ""]


def _figures(values: Iterable[float]) -> list[float]:
    ordered = sorted(values)
    if not ordered:
        return [0.0] * len(COLUMNS)
    return [ordered[0], statistics.median(ordered), ordered[(len(ordered) * 95 - 1) // 100], ordered[-1]]


if __name__ == "__main__":
    main()
