"""How long a provider may take: what its card declares, and less once our own history says what is usual there."""

import math
from collections.abc import Sequence

from storage.database import Database
from storage.history import stage_durations
from storage.jobs import Job
from storage.statuses import Stage

FEWEST = 20  # runs, before they say more than the card
LATEST = 200
PATIENCE = 6.0  # times what all but one in twenty needed
SHORTEST_SHARE = 0.1  # of the declared deadline: history may not make us hasty


async def deadline_of(database: Database, job: Job, stage: Stage, *, declared_seconds: float) -> float:
    """Seconds from the provider's acceptance."""
    async with database.reading() as connection:
        took = await stage_durations(connection, provider=job.provider, kind=job.kind, stage=stage, limit=LATEST)
    return learnt_deadline([each / 1000 for each in took], declared_seconds=declared_seconds)


def learnt_deadline(seconds: Sequence[float], *, declared_seconds: float) -> float:
    """Never longer than declared, never less than a tenth of it. Pure."""
    if len(seconds) < FEWEST:
        return declared_seconds
    slow = sorted(seconds)[math.ceil(len(seconds) * 0.95) - 1]
    return min(declared_seconds, max(PATIENCE * slow, SHORTEST_SHARE * declared_seconds))
