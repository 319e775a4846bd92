"""Whose a row is and where it came from: every table carries these three."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storage.database import Connection, now_ms
from storage.tables import people, servers

DIRECT_MESSAGE = 0  # the server of a job that was asked for in a direct message


@dataclass(frozen=True, kw_only=True)
class Place:
    server_id: int
    channel_id: int
    person_id: int

    def as_columns(self) -> dict[str, int]:
        return {"server_id": self.server_id, "channel_id": self.channel_id, "person_id": self.person_id}


def place_of(row: sa.Row[Any]) -> Place:
    return Place(server_id=row.server_id, channel_id=row.channel_id, person_id=row.person_id)


async def remember_place(connection: Connection, place: Place) -> None:
    """Make sure that the person and the server have their rows."""
    for table, identity in ((people, place.person_id), (servers, place.server_id)):
        await insert_if_absent(connection, table, {"id": identity, "first_seen_ms": now_ms()})


async def hold_place(connection: Connection, place: Place) -> None:
    """Until the transaction ends nobody else holds this person or this server; SQLite has one writer anyway."""
    await remember_place(connection, place)
    for table, identity in ((people, place.person_id), (servers, place.server_id)):
        row = sa.select(table.c.id).where(table.c.id == identity).with_for_update(key_share=True)
        await connection.execute(row)


async def insert_if_absent(connection: Connection, table: sa.Table, values: dict[str, Any]) -> bool:
    """True when the row is new; False when one with that key was there already."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    key = next(iter(table.primary_key.columns))
    statement = dialect.insert(table).values(**values).on_conflict_do_nothing().returning(key)
    return (await connection.execute(statement)).one_or_none() is not None
