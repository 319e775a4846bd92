"""What can be said about a job's waiting and working: its place in line, and times from what happened here before."""

from bot.outlook import Outlook, Spread, ready, spread_of, waiting
from bot.providers.card import ProviderCard
from storage.database import Connection, now_ms
from storage.durations import Sort, at_work_in, durations_of, sort_of, waiting_sorts_before
from storage.jobs import Job
from storage.statuses import JobKind, JobStatus
from storage.turns import is_waiting, waiting_before

FORESEEN = 200  # further back only the position is said


async def outlook_of(connection: Connection, job: Job, card: ProviderCard) -> Outlook | None:
    """None for a job that neither waits for its provider nor is at work there."""
    if job.status is not JobStatus.RUNNING or job.lane is None or job.kind is JobKind.CAPTION:
        return None  # three pictures or three hundred are described in one job: nothing to compare
    spreads = _Spreads(connection, card)
    if job.begun_ms is not None:
        return ready(await spreads.of(sort_of(job)), begun_ms=job.begun_ms, now_ms=now_ms())
    if not is_waiting(job):
        return None
    position = await waiting_before(connection, job) + 1
    if position > FORESEEN:
        return Outlook(position=position)
    return waiting(
        slots=card.concurrent_jobs,
        at_work=[(await spreads.of(sort), begun_ms) for sort, begun_ms in await at_work_in(connection, job.lane)],
        before=[await spreads.of(sort) for sort in await waiting_sorts_before(connection, job, limit=FORESEEN)],
        now_ms=now_ms(),
        per_minute=card.submissions_per_minute,
    )


async def usual_of(connection: Connection, job: Job) -> Spread | None:
    """How long such jobs took here; None while there were too few."""
    return spread_of(await durations_of(connection, sort_of(job)))


class _Spreads:
    """Each sort is looked up once. A training of which we have seen too few takes what its card declares."""

    def __init__(self, connection: Connection, card: ProviderCard) -> None:
        self._connection = connection
        self._card = card
        self._known: dict[Sort, Spread | None] = {}

    async def of(self, sort: Sort) -> Spread | None:
        if sort not in self._known:
            self._known[sort] = spread_of(await durations_of(self._connection, sort)) or self._declared(sort)
        return self._known[sort]

    def _declared(self, sort: Sort) -> Spread | None:
        trainer = self._card.trainer(sort.trainer) if sort.trainer else None
        if trainer is None:
            return None
        usual_ms = round(trainer.usual_seconds * 1000)
        return Spread(shortest_ms=usual_ms, longest_ms=usual_ms)
