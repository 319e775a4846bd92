"""How many jobs a person and a server may have waiting and at work at once."""

from dataclasses import dataclass

from bot.errors import TooMany
from storage.database import Connection
from storage.jobs import count_busy_jobs_of_person, count_busy_jobs_of_server
from storage.places import Place, hold_place


@dataclass(frozen=True, kw_only=True)
class Caps:
    per_person: int
    per_server: int

    async def check(self, connection: Connection, place: Place) -> None:
        """Whether there is room for one more, until the caller's transaction ends. Raises `TooMany`."""
        await hold_place(connection, place)
        if await count_busy_jobs_of_person(connection, place.person_id) >= self.per_person:
            raise TooMany(
                f"You have {_jobs(self.per_person)} waiting or at work, which is the most that one person may have: "
                "wait until one is done, or stop one with /jobs cancel."
            )
        if await count_busy_jobs_of_server(connection, place.server_id) >= self.per_server:
            raise TooMany(
                f"This server has {_jobs(self.per_server)} waiting or at work, which is the most that one server may "
                "have: try again when some of them are done."
            )


def _jobs(number: int) -> str:
    return f"{number:,} {'job' if number == 1 else 'jobs'}"
