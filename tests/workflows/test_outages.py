"""The gate before a provider: what closes it, who may probe, what opens it; over several processes."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import (
    Cancelled,
    OutcomeUnknown,
    ProviderAway,
    ProviderBroken,
    ProviderBusy,
    ProviderDenied,
    ProviderError,
    ProviderRefused,
    ProviderUnpaid,
    ProviderUnreachable,
    WaitedTooLong,
)
from bot.operators import Operators
from bot.providers.tasks import Balance
from bot.workflows.outages import FAILURES_IN_A_ROW, LONGEST_WAIT_MS, PROBE_MS, WITHIN_MS, Outages, pause_ms
from bot.workflows.stages import Superseded
from bot.workflows.vigil import Vigil
from storage.database import Database
from storage.jobs import Job, add_job, change_job, find_job
from storage.outages import Outage, current_outage
from storage.statuses import ErrorCategory, JobStatus
from storage.submissions import intend
from tests.builders import PLACE, generate_job
from tests.fakes import FakeAnnouncer, FakeCards, FakeProvider, FakeSender
from tests.workflows.outages import outages_at, vigil_at

AWAY = ProviderAway("It cannot be reached.")
UNPAID = ProviderUnpaid("No money left.", advice="Insufficient credit.")
MINUTE = 60_000


class WithAccount(FakeProvider):
    dollars = 0.0

    async def balance(self) -> Balance:
        return Balance(account="fake", amount_usd=self.dollars)


class Street:
    """One provider, one database, and as many processes as a test needs. Whoever pauses moves the clock."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.provider = WithAccount(folder)
        self.announcer = FakeAnnouncer()
        self.cards = FakeCards()
        self.sender = FakeSender(7)
        self.ms = 1_000_000_000
        self.on_pause: Callable[[], None] = lambda: None
        self.speed = 1
        self.here = self.process()

    def process(self) -> Outages:
        operators = self.operators()
        return outages_at(
            self.database,
            self.provider,
            sleep=self.pause,
            vigil=self.vigil(operators),
            operators=operators,
            now_ms=lambda: self.ms,
        )

    def operators(self) -> Operators:
        operators = Operators(frozenset(), now=lambda: self.ms / 1000)
        operators.speak_through(self.sender)
        return operators

    def vigil(self, operators: Operators) -> Vigil:
        return vigil_at(
            self.database,
            self.provider,
            cards=self.cards,
            announcer=self.announcer,
            operators=operators,
            now_ms=lambda: self.ms,
        )

    async def pause(self, seconds: float) -> None:
        self.ms += int(seconds * 1000) * self.speed
        self.on_pause()
        await asyncio.sleep(0)

    async def job(self, job_id: str = "2002") -> Job:
        job = generate_job(id=job_id)
        async with self.database.writing() as connection:
            await add_job(connection, job)
        return job

    async def stored(self, job: Job) -> Job:
        async with self.database.reading() as connection:
            found = await find_job(connection, job.id)
        assert found is not None
        return found

    async def outage(self) -> Outage | None:
        async with self.database.reading() as connection:
            return await current_outage(connection, "fake")

    async def fails(self, job: Job, *errors: ProviderError) -> None:
        for error in errors:
            await self.here.report(job, error)

    async def is_out(self) -> bool:
        outage = await self.outage()
        return outage is not None and outage.is_open


@pytest.fixture
async def street(database: Database, tmp_path: Path) -> Street:
    """On SQLite and on PostgreSQL."""
    return Street(database, tmp_path)


class Sending:
    """What a job sends: it meets these errors in turn, and then it is accepted."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.times = 0

    async def __call__(self) -> str:
        self.times += 1
        if self._errors:
            raise self._errors.pop(0)
        return "accepted"


async def test_one_empty_account_closes_the_gate_and_the_job_that_met_it_goes_on_by_itself(street: Street) -> None:
    job, send = await street.job(), Sending(UNPAID)
    began = street.ms
    assert await street.here.outlast(job, send) == "accepted"
    assert send.times == 2
    assert MINUTE <= street.ms - began <= MINUTE + 4000, "nothing was sent for a minute"
    assert await street.outage() is None
    assert (await street.stored(job)).held_ms is None


async def test_failures_close_it_when_they_are_in_a_row(street: Street) -> None:
    job = await street.job()
    await street.fails(job, AWAY, ProviderBroken("It failed."))
    assert not await street.is_out()
    await street.here.report(job, None)
    await street.fails(job, ProviderUnreachable("No answer."), AWAY)
    assert not await street.is_out(), "one was accepted in between"
    await street.fails(await street.job("2003"), AWAY)
    assert await street.is_out(), "whosever jobs they are"


async def test_failures_long_ago_are_not_in_a_row(street: Street) -> None:
    job = await street.job()
    await street.fails(job, *[AWAY] * (FAILURES_IN_A_ROW - 1))
    street.ms += WITHIN_MS + 1
    await street.fails(job, AWAY)
    assert not await street.is_out()
    await street.fails(job, *[AWAY] * (FAILURES_IN_A_ROW - 1))
    assert await street.is_out()


@pytest.mark.parametrize("error", [ProviderBusy("Too many requests."), ProviderRefused("No."), ProviderDenied("Key.")])
async def test_what_says_nothing_of_an_outage_closes_nothing(street: Street, error: ProviderError) -> None:
    job = await street.job()
    await street.fails(job, *[error] * 5)
    assert await street.outage() is None


async def test_what_nobody_can_say_keeps_others_from_being_sent_and_is_not_sent_again(street: Street) -> None:
    job, send = await street.job(), Sending(OutcomeUnknown("Nobody knows."))
    await street.fails(job, *[OutcomeUnknown("Nobody knows.")] * (FAILURES_IN_A_ROW - 1))
    with pytest.raises(OutcomeUnknown):
        await street.here.outlast(job, send)
    assert send.times == 1
    assert await street.is_out()


async def test_a_job_of_another_process_waits_too_and_so_does_one_after_a_restart(street: Street) -> None:
    first, second = await street.job(), await street.job("2003")
    await street.here.report(first, UNPAID)
    ends = street.ms + MINUTE
    await street.process().gate(second)
    assert ends <= street.ms <= ends + 4000


async def test_one_job_at_a_time_probes_whichever_process_it_is_in(street: Street) -> None:
    jobs = [await street.job(f"30{number}") for number in range(6)]
    await street.here.report(jobs[0], UNPAID)
    at_once, most, sent = 0, 0, 0

    async def send() -> None:
        nonlocal at_once, most, sent
        at_once, sent = at_once + 1, sent + 1
        most = max(most, at_once)
        await asyncio.sleep(0.01)
        at_once -= 1
        if sent <= 3:
            raise UNPAID

    processes = [street.process() for _ in range(3)]
    probing = [asyncio.create_task(processes[n % 3].outlast(job, send)) for n, job in enumerate(jobs)]
    while sent < 4:  # three probes that failed, and the one that did not
        await asyncio.sleep(0.01)
        assert at_once <= 1
    await asyncio.gather(*probing)
    assert sent == 3 + len(jobs), "each job was accepted once"
    assert await street.outage() is None


async def test_each_probe_that_fails_makes_the_next_pause_longer(street: Street) -> None:
    job = await street.job()
    times: list[int] = []

    async def send() -> str:
        times.append(street.ms)
        if len(times) <= 6:
            raise AWAY
        return "accepted"

    street.speed = 2
    await street.fails(job, *[AWAY] * (FAILURES_IN_A_ROW - 1))
    await street.here.outlast(job, send)
    pauses = [(later - earlier) / 1000 for earlier, later in itertools.pairwise(times)]
    assert [round(pause / 15) for pause in pauses] == [1, 2, 4, 8, 16, 20]


def test_the_pauses_are_bounded() -> None:
    assert [pause_ms(is_unpaid=True, probes=probes) // MINUTE for probes in (0, 1, 2, 3, 4, 99)] == [1, 2, 4, 8, 10, 10]
    assert [pause_ms(is_unpaid=False, probes=probes) // 1000 for probes in (0, 1, 99)] == [15, 30, 300]


async def test_a_probe_that_is_put_down_leaves_the_way_to_others(street: Street) -> None:
    first, second = await street.job(), await street.job("2003")
    await street.here.report(first, UNPAID)
    reached = asyncio.Event()

    async def hang() -> None:
        reached.set()
        await asyncio.Event().wait()

    probing = asyncio.create_task(street.here.outlast(first, hang))
    await reached.wait()
    probing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probing
    began = street.ms
    assert await street.process().outlast(second, Sending()) == "accepted"
    assert street.ms - began <= MINUTE + 4000


async def test_a_prober_that_was_killed_probes_again_at_once_and_others_when_it_never_comes_back(
    street: Street,
) -> None:
    first, second = await street.job(), await street.job("2003")
    await street.here.report(first, UNPAID)
    await street.here.gate(first)  # and the process dies
    began = street.ms
    await street.process().gate(first)
    assert street.ms == began
    await street.process().gate(second)
    assert PROBE_MS <= street.ms - began <= PROBE_MS + 4000


async def test_a_refusal_shows_that_it_answers_but_not_that_it_is_paid(street: Street) -> None:
    job = await street.job()
    refused = ProviderRefused("That prompt is no good.")
    await street.fails(job, *[AWAY] * FAILURES_IN_A_ROW)
    with pytest.raises(ProviderRefused):
        await street.here.outlast(job, Sending(refused))
    assert await street.outage() is None
    await street.here.report(job, UNPAID)
    with pytest.raises(ProviderRefused):
        await street.here.outlast(job, Sending(refused))
    assert await street.is_out()


async def test_what_was_sent_before_the_outage_does_not_end_it(street: Street) -> None:
    job = await street.job()
    await street.here.report(job, UNPAID)
    await street.here.report(await street.job("2003"), None)
    assert await street.is_out()


async def test_a_job_that_came_during_the_outage_and_ended_it_is_counted_with_those_it_waited_with(
    street: Street,
) -> None:
    first, second = await street.job(), await street.job("2003")
    await street.here.report(first, UNPAID)
    waiting = asyncio.create_task(street.process().gate(first))
    while first.id not in street.cards.refreshed:
        await asyncio.sleep(0)
    waiting.cancel()  # its process stops, and it goes on waiting
    street.ms += MINUTE

    async def send() -> None:
        async with street.database.writing() as connection:
            assert await intend(connection, await street.stored(second), 0)

    await street.process().outlast(second, send)
    assert street.announcer.edited == [(PLACE.channel_id, "Fake provider", 2)]


async def test_a_look_that_came_late_hides_no_prober(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was read before the probe began and remembered after: the outage would stay open until the prober is dead."""
    first, second = await street.job(), await street.job("2003")
    await street.here.report(first, UNPAID)
    street.ms += MINUTE
    reading, is_sent, is_late = street.database.reading, asyncio.Event(), asyncio.Event()

    @contextlib.asynccontextmanager
    async def late() -> AsyncIterator[AsyncConnection]:
        async with reading() as connection:
            yield connection
        if not is_late.is_set():
            is_late.set()
            await is_sent.wait()

    async def send() -> None:
        is_sent.set()
        await asyncio.wait([looking])

    monkeypatch.setattr(street.database, "reading", late)
    looking = asyncio.create_task(street.here.report(second, ProviderRefused("No.")))
    await is_late.wait()
    await street.here.outlast(first, send)
    assert await street.outage() is None


@pytest.mark.parametrize(
    ("error", "category", "says"),
    [(UNPAID, ErrorCategory.PAYMENT, "took no jobs"), (AWAY, ErrorCategory.NETWORK, "did not answer")],
)
async def test_after_a_day_a_job_stops_waiting_and_says_that_nothing_was_spent(
    street: Street, error: ProviderError, category: ErrorCategory, says: str
) -> None:
    job, began = await street.job(), street.ms
    await street.fails(job, *[error] * FAILURES_IN_A_ROW)
    street.speed = 1000
    with pytest.raises(WaitedTooLong, match=f"Fake provider {says} for a whole day.*nothing was spent") as ended:
        await street.here.outlast(job, Sending(*[error] * 1000))
    assert ended.value.category is category
    assert LONGEST_WAIT_MS <= street.ms - began <= LONGEST_WAIT_MS + 60 * MINUTE


async def test_a_job_that_was_stopped_or_moved_waits_no_longer(street: Street) -> None:
    job = await street.job()
    await street.here.report(job, UNPAID)
    async with street.database.writing() as connection:
        await change_job(connection, job.id, status=JobStatus.CANCELLING)
    with pytest.raises(Cancelled):
        await street.here.gate(job)
    async with street.database.writing() as connection:
        await change_job(connection, job.id, status=JobStatus.RUNNING, round=1, provider="other")
    with pytest.raises(Superseded):
        await street.here.gate(job)


async def test_each_channel_that_waits_is_told_once_and_told_when_it_is_over(street: Street) -> None:
    jobs = [await street.job(f"30{number}") for number in range(5)]
    async with street.database.writing() as connection:
        await connection.exec_driver_sql("UPDATE jobs SET channel_id = 23 WHERE id = '304'")
    await street.here.report(jobs[0], UNPAID)
    sending = Sending(UNPAID, UNPAID)
    await asyncio.gather(*(street.process().outlast(job, sending) for job in jobs))
    assert sorted(street.announcer.posted) == [(PLACE.channel_id, "Fake provider"), (23, "Fake provider")]
    assert sorted(street.announcer.edited) == [(PLACE.channel_id, "Fake provider", 4), (23, "Fake provider", 1)]
    assert set(street.cards.refreshed) == {job.id for job in jobs}


async def test_a_channel_that_takes_no_message_is_left_alone(street: Street) -> None:
    job = await street.job()
    street.announcer.refuses = True
    assert await street.here.outlast(job, Sending(UNPAID, UNPAID)) == "accepted"
    assert street.announcer.edited == []


async def test_operators_hear_of_an_empty_account_at_once_and_of_its_end(street: Street) -> None:
    await street.here.outlast(await street.job(), Sending(UNPAID, UNPAID, UNPAID))
    first, last = [text for *_, text in street.sender.sent]
    assert "wants money" in first
    assert "Insufficient credit" in first
    assert "takes jobs again" in last


async def test_operators_hear_of_an_outage_after_ten_minutes_and_of_its_end(street: Street) -> None:
    job = await street.job()
    await street.fails(job, *[AWAY] * FAILURES_IN_A_ROW)
    began, street.speed = street.ms, 5
    seen: list[int] = []
    street.on_pause = lambda: seen.append(street.ms - began) if street.sender.sent else None
    await street.here.outlast(job, Sending(*[AWAY] * 6))
    assert 10 * MINUTE <= seen[0] <= 10 * MINUTE + 20_000
    assert ["has been out for 10 minutes" in street.sender.sent[0][2], len(street.sender.sent)] == [True, 2]
    assert "takes jobs again" in street.sender.sent[1][2]


async def test_a_short_outage_is_no_operators_business(street: Street) -> None:
    job = await street.job()
    await street.fails(job, *[AWAY] * FAILURES_IN_A_ROW)
    await street.here.outlast(job, Sending())
    assert street.sender.sent == []


async def test_a_wrong_key_is_told_to_operators_once(street: Street) -> None:
    job = await street.job()
    for _ in range(3):
        with pytest.raises(ProviderDenied):
            await street.here.outlast(job, Sending(ProviderDenied("The key is wrong.", advice="invalid token")))
    (told,) = street.sender.sent
    assert "invalid token" in told[2]


async def test_more_money_on_the_account_is_a_reason_to_try_at_once(street: Street) -> None:
    street.provider.dollars = 0.01
    job = await street.job()
    await street.here.report(job, UNPAID)
    for _ in range(4):  # the next probe is eight minutes away
        await street.here.gate(job)
        await street.here.report(job, UNPAID)
    began = street.ms

    def top_up() -> None:
        if street.ms - began > MINUTE:
            street.provider.dollars = 10.0

    street.on_pause, street.speed = top_up, 3
    await street.here.gate(job)
    assert MINUTE <= street.ms - began <= MINUTE + 40_000


async def test_the_end_that_a_killed_process_owes_a_channel_is_said_by_the_next(street: Street) -> None:
    job = await street.job()
    await street.here.report(job, UNPAID)
    await street.here.gate(job)
    async with street.database.writing() as connection:
        await connection.exec_driver_sql(f"UPDATE outages SET ended_ms = {street.ms}")
    assert street.announcer.posted
    assert street.announcer.edited == []
    for _ in range(2):
        await street.vigil(street.operators()).catch_up()
    assert street.announcer.edited == [(PLACE.channel_id, "Fake provider", 0)]


async def test_what_is_not_paid_for_goes_at_once_and_ends_no_outage(street: Street) -> None:
    """Laying out a dataset says nothing of what the provider accepts, and some send nothing at all for it."""
    first, second = await street.job(), await street.job("3003")
    await street.fails(first, *[AWAY] * (FAILURES_IN_A_ROW - 1))
    assert await street.here.outlast(second, Sending(), is_paid=False) == "accepted"
    await street.fails(first, AWAY)
    assert await street.is_out(), "failures in a row stay in a row"
    laying_out = Sending()
    assert await street.here.outlast(second, laying_out, is_paid=False) == "accepted"
    assert laying_out.times == 1
    assert await street.is_out()
    assert street.announcer.edited == []


async def test_what_is_not_paid_for_waits_when_it_meets_the_outage_itself(street: Street) -> None:
    job = await street.job()
    await street.fails(job, *[AWAY] * FAILURES_IN_A_ROW)
    laying_out, before = Sending(AWAY), street.ms
    assert await street.here.outlast(job, laying_out, is_paid=False) == "accepted"
    assert laying_out.times == 2
    assert street.ms - before >= 15_000
