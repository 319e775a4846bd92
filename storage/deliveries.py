"""What a job said in Discord and where: the intent is stored before the post, the message's id after it.

A message is posted once per job and round; `part` numbers the messages of one that had to be split, from 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from storage.database import Connection, now_ms
from storage.jobs import Job
from storage.places import insert_if_absent
from storage.statuses import Message, Route
from storage.tables import deliveries


@dataclass(frozen=True, kw_only=True)
class Slot:
    """Which message of a job this is."""

    job_id: str
    message: Message
    round: int = 0
    part: int = 0


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """`posted_in` is a channel, a thread or a direct channel; `message_id` is None until it is known to be there.

    `pictures` are the positions of the pictures that this message shows or speaks of.
    """

    slot: Slot
    intended_ms: int
    route: Route
    posted_in: int | None
    message_id: int | None
    pictures: tuple[int, ...]

    @property
    def is_settled(self) -> bool:
        """Nothing more will be posted for it."""
        return self.message_id is not None or self.route is Route.KEPT


async def intend_delivery(
    connection: Connection,
    job: Job,
    slot: Slot,
    *,
    route: Route,
    posted_in: int | None,
    pictures: Sequence[int] = (),
) -> None:
    """Store where this message goes next; with `Route.KEPT` that it goes nowhere. A settled one stays as it is."""
    values = {"route": route, "posted_in": posted_in, "intended_ms": now_ms(), "pictures": list(pictures)}
    key = {"job_id": slot.job_id, "message": slot.message, "round": slot.round, "part": slot.part}
    if await insert_if_absent(connection, deliveries, {**key, **job.place.as_columns(), **values}):
        return
    is_open = deliveries.c.message_id.is_(None)
    await connection.execute(sa.update(deliveries).where(*_is(slot), is_open).values(**values))


async def remember_posted(connection: Connection, slot: Slot, message_id: int) -> None:
    await connection.execute(sa.update(deliveries).where(*_is(slot)).values(message_id=message_id))


async def withdraw_delivery(connection: Connection, slot: Slot) -> None:
    """The post is known to have come to nothing: the next one is a first one."""
    await connection.execute(sa.delete(deliveries).where(*_is(slot), deliveries.c.message_id.is_(None)))


async def find_delivery(connection: Connection, slot: Slot) -> Delivery | None:
    row = (await connection.execute(sa.select(deliveries).where(*_is(slot)))).one_or_none()
    return _delivery(row) if row is not None else None


async def deliveries_of(connection: Connection, job_id: str) -> list[Delivery]:
    """In the order of their rounds and parts."""
    statement = (
        sa.select(deliveries)
        .where(deliveries.c.job_id == job_id)
        .order_by(deliveries.c.round, deliveries.c.message, deliveries.c.part)
    )
    return [_delivery(row) for row in await connection.execute(statement)]


def _is(slot: Slot) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        deliveries.c.job_id == slot.job_id,
        deliveries.c.message == slot.message,
        deliveries.c.round == slot.round,
        deliveries.c.part == slot.part,
    )


def _delivery(row: sa.Row[Any]) -> Delivery:
    return Delivery(
        slot=Slot(job_id=row.job_id, message=Message(row.message), round=row.round, part=row.part),
        intended_ms=row.intended_ms,
        route=Route(row.route),
        posted_in=row.posted_in,
        message_id=row.message_id,
        pictures=tuple(row.pictures),
    )
