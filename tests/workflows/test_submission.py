"""Submitting once and waiting: the intent first, the provider's own list before a second try, and an end to waiting."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from bot.errors import (
    OutcomeUnknown,
    ProviderBroken,
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderTimedOut,
    ProviderUnreachable,
)
from bot.providers.contract import Finished, ProviderCard, Stopped, TaskState, TrainingRequest, Working
from bot.workflows.finetune import settings_of
from bot.workflows.submission import LOOKS, SECONDS_BETWEEN_LOOKS, UNANSWERED_CHECKS, Submissions
from storage.database import Database
from storage.jobs import Job, add_job, find_job
from storage.submissions import intend, submitted_as
from tests.builders import CARD, finetune_job
from tests.fakes import FakeCards, FakeProvider


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

    async def check(self, _task_id: str) -> TaskState:
        state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        if isinstance(state, ProviderError):
            raise state
        return state


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
        self.submissions = Submissions(database=database, cards=self.cards, sleep=self.clock.sleep, now=self.clock.now)

    async def submit(self, provider: FakeProvider | None = None) -> str:
        provider = provider or self.provider
        request = TrainingRequest(
            job_id=self.job.id, settings=settings_of(self.job), dataset=self._dataset, image_count=4
        )
        return await self.submissions.submit_once(self.job, provider, lambda: provider.submit_training(request))

    async def wait(self, provider: FakeProvider, *, deadline_seconds: float = 30.0) -> None:
        await self.submissions.wait(self.job, provider, "task-1", deadline_seconds=deadline_seconds)

    async def stored(self) -> tuple[Job, str | None]:
        async with self.database.reading() as connection:
            job = await find_job(connection, self.job.id)
            assert job is not None
            return job, await submitted_as(connection, self.job.id)

    async def meant_to_submit(self) -> None:
        """An earlier process wrote its intention, and died before the answer."""
        async with self.database.writing() as connection:
            assert await intend(connection, self.job.id, self.job.place)


@pytest.fixture
async def desk(sqlite: Database, tmp_path: Path) -> Desk:
    desk = Desk(sqlite, tmp_path)
    async with sqlite.writing() as connection:
        await add_job(connection, desk.job)
    return desk


async def test_a_job_is_submitted_and_its_task_remembered(desk: Desk) -> None:
    assert await desk.submit() == "task-1"
    job, remembered = await desk.stored()
    assert job.remote_id == remembered == "task-1"
    assert await desk.submissions.task_of(desk.job) == "task-1"


async def test_the_intention_is_stored_before_the_request_leaves(desk: Desk) -> None:
    seen: list[bool] = []

    class Looking(FakeProvider):
        async def submit_training(self, request: TrainingRequest) -> str:
            async with desk.database.writing() as connection:
                seen.append(await intend(connection, request.job_id, desk.job.place))
            return await super().submit_training(request)

    await desk.submit(Looking(desk.provider._ledger.parent))
    assert seen == [False], "it had been written already"


async def test_submitting_again_answers_what_is_remembered(desk: Desk) -> None:
    await desk.submit()
    desk.provider.fail_next("find", ProviderRefused("nobody asks"))
    assert await desk.submit() == "task-1"
    assert len(desk.provider.accepted()) == 1


async def test_an_intention_without_an_answer_is_looked_up_first(desk: Desk) -> None:
    await desk.provider.submit_training(
        TrainingRequest(job_id=desk.job.id, settings=settings_of(desk.job), dataset=desk._dataset, image_count=4)
    )
    await desk.meant_to_submit()
    assert await desk.submit() == "task-1"
    assert len(desk.provider.accepted()) == 1


async def test_an_intention_that_never_left_is_sent_now(desk: Desk) -> None:
    await desk.meant_to_submit()
    assert await desk.submit() == "task-1"
    assert len(desk.provider.accepted()) == 1


async def test_a_provider_without_a_list_proves_nothing_so_nothing_is_sent_again(desk: Desk, tmp_path: Path) -> None:
    provider = FakeProvider(tmp_path / "listless", card=replace(CARD, tasks_can_be_found=False))
    await desk.meant_to_submit()
    with pytest.raises(OutcomeUnknown, match="not sent again"):
        await desk.submit(provider)
    assert provider.accepted() == []
    assert desk.clock.slept == [SECONDS_BETWEEN_LOOKS] * (LOOKS - 1)


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
    assert desk.clock.slept == [CARD.poll_seconds] * 2


@pytest.mark.parametrize(("said", "stored"), [(-1.0, 0.0), (7.0, 1.0)])
async def test_progress_beyond_all_bounds_is_held_within_them(
    desk: Desk, tmp_path: Path, said: float, stored: float
) -> None:
    provider = ScriptedProvider(
        tmp_path / "p", Working(progress=said, note="n" * 500, seconds_left=0.0), ProviderBroken("gone")
    )
    with pytest.raises(ProviderBroken):
        await desk.wait(provider)
    job, _ = await desk.stored()
    assert (job.progress, len(job.note)) == (stored, 200)
    assert job.ready_at_ms is not None


async def test_progress_that_is_no_number_is_none(desk: Desk, tmp_path: Path) -> None:
    await desk.wait(ScriptedProvider(tmp_path / "p", Working(progress=float("nan")), Finished()))


async def test_a_task_that_stopped_says_why(desk: Desk, tmp_path: Path) -> None:
    provider = ScriptedProvider(tmp_path / "p", Stopped(error=ProviderRefused("These pictures cannot be used.")))
    with pytest.raises(ProviderRefused, match="cannot be used"):
        await desk.wait(provider)


async def test_a_task_that_never_ends_is_stopped_at_its_deadline(desk: Desk, tmp_path: Path) -> None:
    provider = ScriptedProvider(tmp_path / "p", Working(progress=0.1), card=replace(CARD, poll_seconds=10.0))
    with pytest.raises(ProviderTimedOut, match="longer than it ever should"):
        await desk.wait(provider, deadline_seconds=60.0)
    assert provider.cancelled == ["task-1"]
    assert desk.clock.seconds == 60.0


async def test_a_deadline_is_a_deadline_even_when_the_provider_cannot_be_told(desk: Desk, tmp_path: Path) -> None:
    class Deaf(ScriptedProvider):
        async def cancel(self, _task_id: str) -> bool:
            raise ProviderUnreachable("away")

    provider = Deaf(tmp_path / "p", Working(progress=0.1), card=replace(CARD, poll_seconds=10.0))
    with pytest.raises(ProviderTimedOut):
        await desk.wait(provider, deadline_seconds=60.0)


Trouble = Callable[[], ProviderError]


@pytest.mark.parametrize("trouble", [lambda: ProviderUnreachable("away"), lambda: ProviderBusy("busy")])
async def test_a_provider_that_stays_silent_is_given_up(desk: Desk, tmp_path: Path, trouble: Trouble) -> None:
    provider = ScriptedProvider(tmp_path / "p", trouble())
    with pytest.raises((ProviderUnreachable, ProviderBusy)):
        await desk.wait(provider, deadline_seconds=1e9)
    assert len(desk.clock.slept) == UNANSWERED_CHECKS
    assert desk.cards.refreshed == []


async def test_an_answer_now_and_then_is_enough(desk: Desk, tmp_path: Path) -> None:
    silence: list[TaskState | ProviderError] = [ProviderUnreachable("away")] * UNANSWERED_CHECKS
    provider = ScriptedProvider(tmp_path / "p", *silence, Working(progress=0.5), *silence, Finished())
    await desk.wait(provider, deadline_seconds=1e9)
    assert (await desk.stored())[0].progress == 1.0
