"""What a storm has shown: figures that can be added up over several storms, as a table and as JSON."""

import json
import os
import platform
import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

ZEROS = {
    "lost": "jobs lost",
    "paid_twice": "double submissions",
    "told_twice": "duplicate messages",
    "made_twice": "datasets begun twice or not whole",
    "stuck": "stuck cards",
    "silent": "silent buttons",
    "hung": "starts that hung",
}


@dataclass(kw_only=True)
class Report:
    """Keys of several words are joined with ` / `, so that all of it is JSON."""

    seconds: float = 0.0
    seconds_to_rest: float = 0.0
    slowest_button_seconds: float = 0.0
    buttons: int = 0
    idle_kills: int = 0
    unheard: int = 0  # commands that Discord told the person had failed
    kills: Counter[str] = field(default_factory=Counter)
    hit: Counter[str] = field(default_factory=Counter)  # kind / provider / stage
    faults: Counter[str] = field(default_factory=Counter)  # side / kind
    outcomes: Counter[str] = field(default_factory=Counter)  # kind / provider / status
    reasons: Counter[str] = field(default_factory=Counter)
    falls: list[str] = field(default_factory=list)
    cut_short: list[str] = field(default_factory=list)
    left_thinking: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    paid_twice: list[str] = field(default_factory=list)
    told_twice: list[str] = field(default_factory=list)
    made_twice: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    hung: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        return [problem for name in ZEROS for problem in getattr(self, name)]

    @property
    def jobs(self) -> int:
        return self.outcomes.total()

    def to_json(self) -> str:
        return json.dumps(vars(self), indent=1, ensure_ascii=False)


def joined(counts: Counter[tuple[str, ...]]) -> Counter[str]:
    return Counter({" / ".join(key): times for key, times in counts.items()})


def from_json(text: str) -> Report:
    found = json.loads(text)
    counters = {name: Counter(value) for name, value in found.items() if isinstance(value, dict)}
    return Report(**{**found, **counters})


def added_up(reports: Iterable[Report]) -> Report:
    """Storms ran beside each other: their times are not added."""
    total = Report()
    for report in reports:
        for name, value in vars(report).items():
            before = getattr(total, name)
            is_longest = name.startswith(("seconds", "slowest"))
            setattr(total, name, max(before, value) if is_longest else before + value)
    return total


def markdown(report: Report, *, about: str) -> str:
    """The fragment of docs/RELIABILITY.md."""
    lines = [about, "", "| must be zero | found |", "| --- | --- |"]
    lines += [f"| {words} | {len(getattr(report, name))} |" for name, words in ZEROS.items()]
    lines += ["", "| workflow | provider | jobs | outcomes | kills while it was at work, by stage |"]
    lines += ["| --- | --- | --- | --- | --- |", *_cells(report)]
    lines += ["", "| faults | how many |", "| --- | --- |", *_faults(report)]
    lines += ["", "| kill | how many |", "| --- | --- |"]
    lines += [f"| {reason} | {times} |" for reason, times in sorted(report.kills.items())]
    lines += ["", *_further(report)]
    return "\n".join(lines)


def _cells(report: Report) -> list[str]:
    cells = sorted({tuple(key.split(" / ")[:2]) for key in report.outcomes})
    lines = []
    for kind, provider in cells:
        outcomes = _under(report.outcomes, f"{kind} / {provider} / ")
        lines.append(
            f"| {kind} | {provider} | {outcomes.total()} | {_said(outcomes)} | "
            f"{_said(_under(report.hit, f'{kind} / {provider} / '))} |"
        )
    return lines


def _faults(report: Report) -> list[str]:
    sides = sorted({key.partition(" / ")[0] for key in report.faults})
    lines = []
    for side in sides:
        found = _under(report.faults, f"{side} / ")
        lines.append(f"| {side}: {found.total()} | {_said(found)} |")
    return lines


def _further(report: Report) -> list[str]:
    storm = (
        f"{report.kills.total()} kills and {report.faults.total()} faults in {report.seconds:.0f} s met {report.jobs} "
        f"jobs; {report.idle_kills} kills met no open stage. Everything was at rest {report.seconds_to_rest:.0f} s "
        f"after the last. {report.buttons} buttons and commands were tried then: the slowest answer took "
        f"{report.slowest_button_seconds:.2f} s."
    )
    people = (
        f"{report.unheard} commands met a dead bot, and Discord said so; {len(report.cut_short)} were cut short by a "
        f"kill between their acknowledgement and their row, {len(report.left_thinking)} were acknowledged and not "
        f"stored although nothing killed the bot. The process ended by itself {len(report.falls)} times and was "
        f"started again."
    )
    reasons = [f"- {times} × {reason}" for reason, times in report.reasons.most_common()]
    return [storm, "", people, *(["", "Jobs that ended with a reason:", ""] if reasons else []), *reasons]


def _under(counts: Counter[str], prefix: str) -> Counter[str]:
    return Counter({key.removeprefix(prefix): times for key, times in counts.items() if key.startswith(prefix)})


def _said(counts: Counter[str]) -> str:
    return ", ".join(f"{times} {words}" for words, times in sorted(counts.items())) or "–"


def surroundings() -> str:
    root = Path(__file__).parents[2]
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=root, capture_output=True, text=True, check=False
    )
    return f"Commit {said.stdout.strip() or 'unknown'}, Python {platform.python_version()}, {os.cpu_count()} processors"
