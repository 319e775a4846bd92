"""Submitting once and waiting: the intent first, the provider's own list before a second try, and an end to waiting."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import (
    Cancelled,
    OutcomeUnknown,
    ProviderBroken,
    ProviderBusy,
    ProviderDenied,
    ProviderError,
    ProviderRefused,
    ProviderTimedOut,
    ProviderUnreachable,
    TaskEnded,
)
from bot.operators import Operators
from bot.providers.card import ProviderCard
from bot.providers.tasks import Finished, Stopped, Task, TaskState, TrainingRequest, Working
from bot.workflows.outages import Outages
from bot.workflows.reconciliation import LOOKS, SECONDS_BETWEEN_LOOKS, Paid
from bot.workflows.requests import settings_of
from bot.workflows.submission import LONGEST_PATIENCE, Submissions
from bot.workflows.wakeups import Wakeups
from storage.database import Database
from storage.jobs import Job, add_job, change_job, find_job
from storage.statuses import JobStatus
from storage.submissions import intend, latest_submission, remember_remote, submissions_of
from tests.builders import CARD, finetune_job
from tests.fakes import FakeAnnouncer, FakeCards, FakeProvider
from tests.workflows.outages import outages_at, vigil_at

POLL_SECONDS = 0.01


@dataclass(kw_only=True)
class Clock:
    """Sleeping moves it; nobody waits."""

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


class ScriptedProvider(FakeProvider):
    """Answers `check` with what a test wrote down; the last answer repeats."""

    def __init__(self, home: Path, *states: TaskState | ProviderError, card: ProviderCard = CARD) -> None:
        super().__init__(home, card=card)
        self._states = list(states)

    async def check(self, _task: Task) -> TaskState:
        state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        if isinstance(state, ProviderError):
            raise state
        return state


class Listless(FakeProvider):
    """Keeps no list that one could ask."""

    find = None  # type: ignore[assignment]


class Desk:
    """One job, and everything that submits it."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.provider = FakeProvider(folder)
        self.cards = FakeCards()
        self.clock = Clock()
        self.job = finetune_job()
        self._dataset = folder / "dataset.zip"
        self._dataset.write_bytes(b"pictures")
        self.submissions = Submissions(
            database=database,
            cards=self.cards,
            wakeups=Wakeups(self.clock.sleep),
            outages=self._outages(),
            now=self.clock.now,
        )

    def _outages(self) -> Outages:
        def now_ms() -> int:
            return int(self.clock.seconds * 1000)

        operators = Operators(frozenset())
        vigil = vigil_at(
            self.database,
            self.provider,
            cards=self.cards,
            announcer=FakeAnnouncer(),
            operators=operators,
            now_ms=now_ms,
        )
        return outages_at(
            self.database, self.provider, sleep=self.clock.sleep, vigil=vigil, operators=operators, now_ms=now_ms
        )

    @property
    def request(self) -> TrainingRequest:
        return TrainingRequest(
            job_id=self.job.id,
            trainer="trainer",
            name="Luna",
            settings=settings_of(self.job),
            dataset=self._dataset,
            image_count=4,
        )

    def paid(self, provider: FakeProvider, **changes: Any) -> Paid:
        return replace(
            Paid(
                job=self.job,
                provider=provider,
                request=self.request,
                submit=lambda: provider.submit_training(self.request),
                can_be_found=True,
                poll_seconds=POLL_SECONDS,
                deadline_seconds=30.0,
            ),
            **changes,
        )

    async def submit(self, provider: FakeProvider | None = None, **changes: Any) -> str:
        return (await self.submissions.submit_once(self.paid(provider or self.provider, **changes))).id

    async def wait(self, provider: FakeProvider, **changes: Any) -> None:
        part = changes.get("part", 0)
        async with self.database.writing() as connection:
            await intend(connection, self.job, part)
            intent = await latest_submission(connection, self.job.id, part)
            assert intent is not None
            await remember_remote(connection, intent, "task-1", {})
        await self.submissions.wait(self.paid(provider, **changes), Task(id="task-1"))

    async def stored(self) -> tuple[Job, str | None]:
        async with self.database.reading() as connection:
            job = await find_job(connection, self.job.id)
            assert job is not None
            submission = await latest_submission(connection, self.job.id, 0)
            return job, submission.remote_id if submission else None

    async def meant_to_submit(self) -> None:
        """An earlier process wrote its intention, and died before the answer."""
        async with self.database.writing() as connection:
            assert await intend(connection, self.job, 0)


@pytest.fixture
async def desk(sqlite: Database, tmp_path: Path) -> Desk:
    desk = Desk(sqlite, tmp_path)
    async with sqlite.writing() as connection:
        await add_job(connection, desk.job)
    return desk


async def test_a_job_is_submitted_and_its_task_remembered(desk: Desk) -> None:
    assert await desk.submit() == "task-1"
    job, remembered = await desk.stored()
    assert remembered == "task-1"
    assert job.status is desk.job.status


async def test_the_addresses_that_a_provider_names_are_kept_with_the_task(desk: Desk) -> None:
    await desk.submit()
    task = await desk.submissions.task_of(desk.job)
    assert task == Task(id="task-1", links={"status": "https://fake.example/task-1"})
    assert await desk.submissions.submit_once(desk.paid(desk.provider)) == task


async def test_the_intention_is_stored_before_the_request_leaves(desk: Desk) -> None:
    seen: list[bool] = []

    class Looking(FakeProvider):
        async def submit_training(self, request: TrainingRequest) -> Task:
            async with desk.database.writing() as connection:
                seen.append(await intend(connection, desk.job, 0))
            return await super().submit_training(request)

    await desk.submit(Looking(desk.provider._ledger.parent))
    assert seen == [False], "it had been written already"


async def test_submitting_again_answers_what_is_remembered(desk: Desk) -> None:
    await desk.submit()
    desk.provider.fail_next("find", ProviderRefused("nobody asks"))
    assert await desk.submit() == "task-1"
    assert len(desk.provider.accepted()) == 1


async def test_an_intention_without_an_answer_is_looked_up_first(desk: Desk) -> None:
    await desk.provider.submit_training(desk.request)
    await desk.meant_to_submit()
    assert await desk.submit() == "task-1"
    assert len(desk.provider.accepted()) == 1


async def test_an_intention_that_never_left_is_sent_now(desk: Desk) -> None:
    await desk.meant_to_submit()
    assert await desk.submit() == "task-1"
    assert len(desk.provider.accepted()) == 1


async def test_a_list_that_proves_nothing_lets_nothing_be_sent_again(desk: Desk) -> None:
    await desk.meant_to_submit()
    with pytest.raises(OutcomeUnknown, match="not sent again"):
        await desk.submit(can_be_found=False)
    assert desk.provider.accepted() == []
    assert desk.clock.slept == [SECONDS_BETWEEN_LOOKS] * LOOKS


async def test_a_provider_without_a_list_is_not_looked_at(desk: Desk, tmp_path: Path) -> None:
    provider = Listless(tmp_path / "listless")
    await desk.meant_to_submit()
    with pytest.raises(OutcomeUnknown, match="not sent again"):
        await desk.submit(provider)
    assert provider.accepted() == []
    assert desk.clock.slept == []


async def test_a_list_that_takes_a_while_is_believed_only_then(desk: Desk, tmp_path: Path) -> None:
    provider = FakeProvider(tmp_path / "slow", card=replace(CARD, settles_in_seconds=20.0))
    await desk.meant_to_submit()
    assert await desk.submit(provider) == "task-1"
    assert desk.clock.slept == [SECONDS_BETWEEN_LOOKS] * 20


async def test_a_task_of_another_job_that_looks_the_same_is_not_taken_over(desk: Desk) -> None:
    await desk.provider.submit_training(desk.request)
    twin = finetune_job(id="1002")
    async with desk.database.writing() as connection:
        await add_job(connection, twin)
        await intend(connection, twin, 0)
        await remember_remote(connection, (await submissions_of(connection, twin.id))[0], "task-1", {})
    await desk.meant_to_submit()
    assert await desk.submit() == "task-2"


@pytest.mark.parametrize("error", [ProviderBusy("busy"), ProviderRefused("no")])
async def test_after_a_clear_refusal_the_next_try_is_a_first_one(
    desk: Desk, tmp_path: Path, error: ProviderError
) -> None:
    provider = Listless(tmp_path / "listless")
    provider.fail_next("submit", error)
    with pytest.raises(type(error)):
        await desk.submit(provider)
    assert await desk.submit(provider) == "task-1"


async def test_each_part_of_a_job_is_submitted_once(desk: Desk) -> None:
    for _ in range(2):
        assert [await desk.submit(part=part) for part in range(3)] == ["task-1", "task-2", "task-3"]
    assert [(await desk.submissions.task_of(desk.job, part)).id for part in range(3)] == ["task-1", "task-2", "task-3"]


async def test_the_progress_of_a_part_is_its_share_of_the_job(desk: Desk, tmp_path: Path) -> None:
    provider = ScriptedProvider(tmp_path / "p", Working(progress=0.5), Stopped(error=ProviderBroken("gone")))
    with pytest.raises(TaskEnded):
        await desk.wait(provider, part=1, parts=4)
    assert (await desk.stored())[0].progress == 1.5 / 4


async def test_progress_that_nobody_knows_leaves_the_bar_where_it_was(desk: Desk, tmp_path: Path) -> None:
    provider = ScriptedProvider(
        tmp_path / "p",
        Working(progress=0.5),
        Working(progress=None, note="Nearly there."),
        Stopped(error=ProviderBroken("gone")),
    )
    with pytest.raises(TaskEnded):
        await desk.wait(provider)
    job, _ = await desk.stored()
    assert (job.progress, job.note) == (0.5, "Nearly there.")


async def test_a_provider_that_is_away_is_asked_a_few_times(desk: Desk) -> None:
    await desk.meant_to_submit()
    desk.provider.fail_next("find", *[ProviderUnreachable("away"), ProviderBusy("busy")] * 2)
    assert await desk.submit() == "task-1"
    assert len(desk.clock.slept) == 4


@pytest.mark.parametrize("was_accepted", [True, False])
async def test_a_lost_answer_is_looked_up_before_anything_else(desk: Desk, was_accepted: bool) -> None:
    desk.provider.fail_next("accepted" if was_accepted else "submit", OutcomeUnknown("no answer"))
    if was_accepted:
        assert await desk.submit() == "task-1"
    else:
        with pytest.raises(ProviderBusy, match="trying again"):
            await desk.submit()
        assert await desk.submit() == "task-1"
    assert len(desk.provider.accepted()) == 1


@pytest.mark.parametrize("error", [ProviderRefused("no"), ProviderBusy("busy")])
async def test_a_clear_refusal_is_passed_on(desk: Desk, error: ProviderError) -> None:
    desk.provider.fail_next("submit", error)
    with pytest.raises(type(error)):
        await desk.submit()
    assert (await desk.stored())[1] is None
    assert desk.clock.slept == []


async def test_the_task_of_a_job_that_was_never_answered_is_not_guessed(desk: Desk) -> None:
    await desk.meant_to_submit()
    with pytest.raises(OutcomeUnknown, match="never stored"):
        await desk.submissions.task_of(desk.job)


async def test_waiting_shows_progress_and_ends_full(desk: Desk, tmp_path: Path) -> None:
    provider = ScriptedProvider(
        tmp_path / "p", Working(progress=0.25, note="step 1 of 4", seconds_left=10.0), Working(progress=0.5), Finished()
    )
    await desk.wait(provider)
    job, _ = await desk.stored()
    assert (job.progress, job.note, job.ready_at_ms) == (1.0, "", None)
    assert desk.cards.refreshed == ["1001"] * 3
    assert desk.clock.slept == [POLL_SECONDS] * 2


@pytest.mark.parametrize(("said", "stored"), [(-1.0, 0.0), (7.0, 1.0)])
async def test_progress_beyond_all_bounds_is_held_within_them(
    desk: Desk, tmp_path: Path, said: float, stored: float
) -> None:
    provider = ScriptedProvider(
        tmp_path / "p", Working(progress=said, note="n" * 500, seconds_left=0.0), Stopped(error=ProviderBroken("gone"))
    )
    with pytest.raises(TaskEnded):
        await desk.wait(provider)
    job, _ = await desk.stored()
    assert (job.progress, len(job.note)) == (stored, 200)
    assert job.ready_at_ms is not None


async def test_progress_that_is_no_number_is_none(desk: Desk, tmp_path: Path) -> None:
    await desk.wait(ScriptedProvider(tmp_path / "p", Working(progress=float("nan")), Finished()))


async def test_a_task_that_stopped_says_why(desk: Desk, tmp_path: Path) -> None:
    provider = ScriptedProvider(tmp_path / "p", Stopped(error=ProviderRefused("These pictures cannot be used.")))
    with pytest.raises(TaskEnded, match="cannot be used"):
        await desk.wait(provider)


async def test_a_task_that_never_ends_is_stopped_at_its_deadline(desk: Desk, tmp_path: Path) -> None:
    provider = ScriptedProvider(tmp_path / "p", Working(progress=0.1))
    with pytest.raises(ProviderTimedOut, match="longer than it ever should"):
        await desk.wait(provider, deadline_seconds=60.0, poll_seconds=10.0)
    assert provider.cancelled == ["task-1"]
    assert desk.clock.seconds == 60.0


async def test_a_deadline_is_a_deadline_even_when_the_provider_cannot_be_told(desk: Desk, tmp_path: Path) -> None:
    class Deaf(ScriptedProvider):
        async def cancel(self, _task: Task) -> bool:
            raise ProviderUnreachable("away")

    provider = Deaf(tmp_path / "p", Working(progress=0.1))
    with pytest.raises(ProviderTimedOut):
        await desk.wait(provider, deadline_seconds=60.0, poll_seconds=10.0)


Trouble = Callable[[], ProviderError]


@pytest.mark.parametrize(
    "trouble",
    [
        lambda: ProviderUnreachable("away"),
        lambda: ProviderBusy("busy"),
        lambda: ProviderBroken("odd"),
        lambda: ProviderDenied("no"),
    ],
)
async def test_what_is_paid_for_is_waited_for_until_its_deadline(desk: Desk, tmp_path: Path, trouble: Trouble) -> None:
    """An outage of hours, or a key that is wrong for a while, ends no training that goes on over there."""
    away = [trouble() for _ in range(200)]
    await desk.wait(ScriptedProvider(tmp_path / "p", *away, Finished()), deadline_seconds=1e9)
    assert (await desk.stored())[0].progress == 1.0
    assert max(desk.clock.slept) == POLL_SECONDS * LONGEST_PATIENCE, "asked less and less often, and never given up"


async def test_a_provider_that_stays_silent_is_given_up_at_the_deadline(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(ProviderTimedOut):
        await desk.wait(ScriptedProvider(tmp_path / "p", ProviderUnreachable("away")), deadline_seconds=60.0)
    assert desk.cards.refreshed == []


async def test_a_job_that_was_cancelled_meanwhile_is_not_paid_for(desk: Desk) -> None:
    async with desk.database.writing() as connection:
        await change_job(connection, desk.job.id, status=JobStatus.CANCELLING)
    with pytest.raises(Cancelled):
        await desk.submit()
    assert desk.provider.accepted() == []


async def test_an_answer_now_and_then_is_enough(desk: Desk, tmp_path: Path) -> None:
    silence: list[TaskState | ProviderError] = [ProviderUnreachable("away")] * 20
    provider = ScriptedProvider(tmp_path / "p", *silence, Working(progress=0.5), *silence, Finished())
    await desk.wait(provider, deadline_seconds=1e9)
    assert (await desk.stored())[0].progress == 1.0
