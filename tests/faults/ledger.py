"""What must not have happened, counted once everything is at rest: from messages, simulators and tables alone."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.playground.reading import text_of
from storage.statuses import JobStatus
from tests.faults.people import Asked, Message, People, acts_of
from tests.faults.services import Accepted
from tests.faults.stored import AT_REST, Stored, StoredJob

PICTURE = re.compile(r"^Picture (\d+) of \d+, generated with .*: (scene\d{4}) ", re.DOTALL)
EPHEMERAL, LOADING = 1 << 6, 1 << 7
PICTURES = 4  # in the zip that everybody hands over
STORING_TAKES = timedelta(seconds=5)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A sentence for each thing that must not be.

    `cut_short` is none: the bot was killed between acknowledging a command and storing it. `left_thinking` is a command
    that was acknowledged and not stored although nothing killed the bot.
    """

    lost: list[str] = field(default_factory=list)
    paid_twice: list[str] = field(default_factory=list)
    told_twice: list[str] = field(default_factory=list)
    made_twice: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    cut_short: list[str] = field(default_factory=list)
    left_thinking: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        return [*self.lost, *self.paid_twice, *self.told_twice, *self.made_twice, *self.stuck, *self.silent]


def verdict_of(people: People, stored: Stored, accepted: Sequence[Accepted], killed_at: Sequence[datetime]) -> Verdict:
    """`silent` is for the buttons, which are pressed later."""
    jobs = stored.jobs()
    public = people.messages(lambda one: one["author"].get("bot", False) and not one["flags"] & EPHEMERAL)
    without_row, cut_short, left_thinking = _unstored(people, {job.id for job in jobs}, killed_at)
    cards = {job.id: _cards_of(job, public) for job in jobs}
    return Verdict(
        lost=[*_not_at_rest(jobs), *without_row, *_empty(jobs, stored), *_untold(jobs, public)],
        paid_twice=[*_paid_twice(jobs, accepted), *_unknown_to_us(jobs, accepted, stored)],
        told_twice=[*_cards_twice(jobs, cards), *_results_twice(public), *_failures_twice(jobs, public)],
        made_twice=_made_twice(stored.datasets()),
        stuck=_stuck(jobs, cards),
        cut_short=cut_short,
        left_thinking=left_thinking,
    )


def _name(job: StoredJob) -> str:
    return f"{job.kind} {job.mark} at {job.provider}, job {job.id}, {job.status}"


# Lost.


def _not_at_rest(jobs: Iterable[StoredJob]) -> list[str]:
    return [f"not at rest: {_name(job)}" for job in jobs if job.status not in AT_REST]


def _unstored(
    people: People, job_ids: set[str], killed_at: Sequence[datetime]
) -> tuple[list[str], list[str], list[str]]:
    """Commands without a row: those that were taken in; those that a kill cut short; those that nothing cut short."""
    taken, cut_short, thinking = [], [], []
    for asked in people.asked:
        for interaction in people.interactions_with(asked.mark):
            if interaction.callback is None or interaction.id in job_ids:
                continue
            if people.world.find_message(interaction.original_id or "") is None:
                taken.append(f"taken in without a row: {_words(asked)}")
            elif people.latest[interaction.original_id]["flags"] & LOADING:
                within = interaction.created_at + STORING_TAKES
                was_killed = any(interaction.created_at <= moment <= within for moment in killed_at)
                (cut_short if was_killed else thinking).append(f"left thinking: {_words(asked)}")
    return taken, cut_short, thinking


def _words(asked: Asked) -> str:
    return f"/{asked.kind} {asked.mark} at {asked.provider}"


def _empty(jobs: Iterable[StoredJob], stored: Stored) -> list[str]:
    made = {
        "add": set(stored.additions()),
        "finetune": {model for model, _, _ in stored.models()},
        "generate": set(stored.pictures()),
    }
    return [
        f"done with nothing: {_name(job)}"
        for job in jobs
        if job.status is JobStatus.DONE and job.id not in made[job.kind]
    ]


def _untold(jobs: Iterable[StoredJob], public: Sequence[Message]) -> list[str]:
    return [
        f"done and never told: {_name(job)}"
        for job in jobs
        if job.status is JobStatus.DONE and not any(_is_result(one, job) for one in public)
    ]


def _is_result(message: Message, job: StoredJob) -> bool:
    if job.kind == "add":
        return f"Pictures added to {job.mark}" in text_of(message)
    if job.kind == "finetune":
        return f"your model **{job.mark}** is ready" in text_of(message)
    return any(mark == job.mark for _, mark in _pictures_in(message))


def _pictures_in(message: Message) -> list[tuple[str, str]]:
    """Number and mark of each picture, as its description says."""
    described = [PICTURE.match(one.get("description") or "") for one in message["attachments"]]
    return [(found[1], found[2]) for found in described if found]


# Paid twice.


def _paid_twice(jobs: Iterable[StoredJob], accepted: Iterable[Accepted]) -> list[str]:
    """A round of a job may pay for each of its parts once."""
    by_mark = {job.mark.lower(): job for job in jobs}
    paid = Counter((one.provider, one.mark, one.seed) for one in accepted)
    return [
        f"paid {times} times (seed {seed}) for {_name(by_mark[mark]) if mark in by_mark else mark or 'something'}"
        for (_, mark, seed), times in paid.items()
        if mark and times > (by_mark[mark].round + 1 if mark in by_mark else 0)
    ]


def _unknown_to_us(jobs: Iterable[StoredJob], accepted: Iterable[Accepted], stored: Stored) -> list[str]:
    """What we know no id of must be one of the requests of which nobody could say whether they were accepted."""
    by_mark = {job.mark.lower(): job for job in jobs}
    known, unanswered = stored.remote_ids(), stored.unanswered()
    unknown = Counter(one.mark for one in accepted if one.id and one.id not in known and one.mark in by_mark)
    return [
        f"{times} accepted and unknown to us: {_name(by_mark[mark])}"
        for mark, times in unknown.items()
        if times > unanswered.get(by_mark[mark].id, 0)
    ]


# Told twice, and told wrongly.


def _cards_of(job: StoredJob, public: Iterable[Message]) -> list[Message]:
    """A card begins with a heading, and names what its person asked for."""
    return [one for one in public if text_of(one).startswith("### ") and _is_about(one, job)]


def _is_about(message: Message, job: StoredJob) -> bool:
    text = text_of(message)
    scenes = re.findall(r"scene\d{4}", text)
    return job.mark in scenes if scenes else job.mark in text


def _cards_twice(jobs: Iterable[StoredJob], cards: dict[str, list[Message]]) -> list[str]:
    return [f"{len(cards[job.id])} cards: {_name(job)}" for job in jobs if len(cards[job.id]) > 1]


def _results_twice(public: Iterable[Message]) -> list[str]:
    said: Counter[str] = Counter()
    for message in public:
        said.update(re.findall(r"your model \*\*Model\d{4}\*\* is ready", text_of(message)))
        said.update(f"picture {number} of {mark}" for number, mark in _pictures_in(message))
    return [f"said {times} times: {words}" for words, times in said.items() if times > 1]


def _failures_twice(jobs: Iterable[StoredJob], public: Iterable[Message]) -> list[str]:
    """A failed generation is called by its model's name only, so they are counted for each person and name."""
    failed = Counter(
        (job.person_id, job.model_name.lower()) for job in jobs if job.status in (JobStatus.FAILED, JobStatus.UNCERTAIN)
    )
    told: Counter[tuple[str, str]] = Counter()
    for message in public:
        found = re.match(r"<@(\d+)> \*\*(.+?)\*\* did not work out", text_of(message).replace("\\", ""))
        if found:
            told[found[1], found[2].lower()] += 1
    return [f"{times} messages of {failed[who]} failures: {who}" for who, times in told.items() if times > failed[who]]


def _made_twice(datasets: Mapping[str, tuple[int, int]]) -> list[str]:
    """Everybody hands over the same zip, once for each name."""
    return [
        f"{times} datasets with {pictures} pictures: {name}"
        for name, (times, pictures) in datasets.items()
        if (times, pictures) != (1, PICTURES)
    ]


def _stuck(jobs: Iterable[StoredJob], cards: dict[str, list[Message]]) -> list[str]:
    ended = [job for job in jobs if job.status.is_final]
    without = [f"no card: {_name(job)}" for job in ended if not cards[job.id]]
    return without + [
        f"the card still says {text_of(card)[:200]!r}: {_name(job)}"
        for job in ended
        for card in cards[job.id]
        if {"start", "cancel"} & set(acts_of(card)) or "▶️" in text_of(card) or "Stopping…" in text_of(card)
    ]
