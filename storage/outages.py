"""Outages of providers: who takes nothing at the moment, since when, and which channels were told.

A provider has at most one outage that has not ended. Until `opened_ms` is set it is a suspicion: failures in a row,
too few to stop sending. One job at a time probes an open one: `prober`, until `probe_ms` when it never comes back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storage.database import Connection
from storage.places import Place, insert_if_absent
from storage.statuses import ErrorCategory
from storage.tables import outage_notices, outages


@dataclass(frozen=True, kw_only=True)
class Outage:
    """`probes` counts those that failed; from `probe_ms` on the next one may go. `advice` is for the operator."""

    id: int
    provider: str
    category: ErrorCategory
    sentence: str
    advice: str
    failures: int
    began_ms: int
    opened_ms: int | None
    probes: int
    probe_ms: int
    prober: str | None
    ended_ms: int | None

    @property
    def is_open(self) -> bool:
        return self.opened_ms is not None and self.ended_ms is None

    @property
    def is_unpaid(self) -> bool:
        return self.category is ErrorCategory.PAYMENT


@dataclass(frozen=True, kw_only=True)
class Failure:
    provider: str
    category: ErrorCategory
    sentence: str
    advice: str

    def as_columns(self) -> dict[str, str]:
        return {"category": self.category, "sentence": self.sentence[:1000], "advice": self.advice[:1000]}


@dataclass(frozen=True, kw_only=True)
class Notice:
    """The message about an outage in a channel; `message_id` None until it is posted, 0 when it could not be."""

    outage_id: int
    channel_id: int
    message_id: int | None


async def current_outage(connection: Connection, provider: str) -> Outage | None:
    """Open or only suspected."""
    statement = sa.select(outages).where(outages.c.provider == provider, outages.c.ended_ms.is_(None))
    row = (await connection.execute(statement)).one_or_none()
    return _outage(row) if row is not None else None


async def open_outages(connection: Connection) -> list[Outage]:
    statement = (
        sa.select(outages)
        .where(outages.c.ended_ms.is_(None), outages.c.opened_ms.is_not(None))
        .order_by(outages.c.opened_ms)
    )
    return [_outage(row) for row in await connection.execute(statement)]


async def providers_out(connection: Connection) -> frozenset[str]:
    return frozenset(outage.provider for outage in await open_outages(connection))


async def count_failure(
    connection: Connection, failure: Failure, *, now_ms: int, enough: int, within_ms: int, pause_ms: int
) -> Outage:
    """One more failure in a row; the `enough`-th within that time opens the outage, to be probed after the pause."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    first = {"provider": failure.provider, **failure.as_columns(), "began_ms": now_ms, "probe_ms": now_ms}
    statement = (
        dialect.insert(outages)
        .values(**first)
        .on_conflict_do_update(
            index_elements=["provider"],
            index_where=outages.c.ended_ms.is_(None),
            set_={"failures": outages.c.failures + 1},
        )
        .returning(outages)
    )
    outage = _outage((await connection.execute(statement)).one())
    if outage.is_open:
        return outage
    is_old = outage.began_ms < now_ms - within_ms
    failures = 1 if is_old else outage.failures
    changes: dict[str, Any] = {
        **failure.as_columns(),
        "failures": failures,
        "began_ms": now_ms if is_old else outage.began_ms,
    }
    if failures >= enough:
        changes |= {"opened_ms": now_ms, "probe_ms": now_ms + pause_ms}
    return await _change(connection, outage.id, changes)


async def forget_suspicion(connection: Connection, provider: str) -> None:
    """It answers: failures are no longer in a row."""
    await connection.execute(
        sa.delete(outages).where(
            outages.c.provider == provider, outages.c.ended_ms.is_(None), outages.c.opened_ms.is_(None)
        )
    )


async def claim_probe(connection: Connection, outage: Outage, job_id: str, *, now_ms: int, until_ms: int) -> bool:
    """Whether this job, and no other of any process, may try; a job that was interrupted as the prober still is it."""
    is_free = sa.or_(outages.c.probe_ms <= now_ms, outages.c.prober == job_id)
    statement = (
        sa.update(outages)
        .where(outages.c.id == outage.id, outages.c.ended_ms.is_(None), is_free)
        .values(prober=job_id, probe_ms=until_ms)
    )
    return (await connection.execute(statement)).rowcount == 1


async def give_up_probe(
    connection: Connection, outage: Outage, job_id: str, *, next_ms: int, failure: Failure | None = None
) -> None:
    """The probe came to nothing, with a failure or without saying anything; the next one may go at `next_ms`."""
    changes: dict[str, Any] = {"prober": None, "probe_ms": next_ms}
    if failure is not None:
        changes |= {"probes": outages.c.probes + 1, **failure.as_columns()}
    await connection.execute(
        sa.update(outages)
        .where(outages.c.id == outage.id, outages.c.ended_ms.is_(None), outages.c.prober == job_id)
        .values(**changes)
    )


async def probe_sooner(connection: Connection, outage: Outage, *, now_ms: int) -> None:
    """Unless somebody is at it."""
    await connection.execute(
        sa.update(outages)
        .where(outages.c.id == outage.id, outages.c.ended_ms.is_(None), outages.c.prober.is_(None))
        .values(probe_ms=now_ms)
    )


async def end_outage(connection: Connection, outage: Outage, *, now_ms: int) -> bool:
    """True for the one who ends it."""
    statement = (
        sa.update(outages).where(outages.c.id == outage.id, outages.c.ended_ms.is_(None)).values(ended_ms=now_ms)
    )
    return (await connection.execute(statement)).rowcount == 1


async def intend_notice(connection: Connection, outage: Outage, place: Place) -> None:
    """This channel is to be told, once."""
    values = {"outage_id": outage.id, "channel_id": place.channel_id, "server_id": place.server_id}
    await insert_if_absent(connection, outage_notices, values)


async def remember_notice(connection: Connection, notice: Notice, **changes: int) -> None:
    """`message_id` once it is posted, `over_ms` once it says that the outage is over."""
    await connection.execute(
        sa.update(outage_notices)
        .where(outage_notices.c.outage_id == notice.outage_id, outage_notices.c.channel_id == notice.channel_id)
        .values(**changes)
    )


async def notices_of(connection: Connection, outage: Outage) -> list[Notice]:
    """Those that do not say yet that it is over."""
    statement = (
        sa.select(outage_notices)
        .where(outage_notices.c.outage_id == outage.id, outage_notices.c.over_ms.is_(None))
        .order_by(outage_notices.c.channel_id)
    )
    return [_notice(row) for row in await connection.execute(statement)]


async def ended_in_silence(connection: Connection) -> Sequence[Outage]:
    """Outages that are over while a channel was not told: the process ended in between."""
    untold = sa.select(outage_notices.c.outage_id).where(outage_notices.c.over_ms.is_(None))
    statement = sa.select(outages).where(outages.c.ended_ms.is_not(None), outages.c.id.in_(untold))
    return [_outage(row) for row in await connection.execute(statement.order_by(outages.c.id))]


async def _change(connection: Connection, outage_id: int, changes: dict[str, Any]) -> Outage:
    statement = sa.update(outages).where(outages.c.id == outage_id).values(**changes).returning(outages)
    return _outage((await connection.execute(statement)).one())


def _notice(row: sa.Row[Any]) -> Notice:
    return Notice(outage_id=row.outage_id, channel_id=row.channel_id, message_id=row.message_id)


def _outage(row: sa.Row[Any]) -> Outage:
    return Outage(
        id=row.id,
        provider=row.provider,
        category=ErrorCategory(row.category),
        sentence=row.sentence,
        advice=row.advice,
        failures=row.failures,
        began_ms=row.began_ms,
        opened_ms=row.opened_ms,
        probes=row.probes,
        probe_ms=row.probe_ms,
        prober=row.prober,
        ended_ms=row.ended_ms,
    )
