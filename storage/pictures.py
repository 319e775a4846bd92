"""Pictures: what a generate job made."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from storage.database import Connection, now_ms
from storage.places import Place, insert_if_absent, place_of
from storage.tables import pictures


@dataclass(frozen=True, kw_only=True)
class Picture:
    """`file` names the bytes in the file store; `position` counts from 0 within the job."""

    job_id: str
    position: int
    place: Place
    model_id: str | None  # None: made without a model
    file: str
    prompt: str
    seed: int
    message_id: int | None = None


async def add_picture(connection: Connection, picture: Picture) -> None:
    """Store a picture; storing the same one again changes nothing."""
    await insert_if_absent(
        connection,
        pictures,
        {
            "job_id": picture.job_id,
            "position": picture.position,
            **picture.place.as_columns(),
            "model_id": picture.model_id,
            "file": picture.file,
            "prompt": picture.prompt,
            "seed": picture.seed,
            "created_ms": now_ms(),
        },
    )


async def pictures_of_job(connection: Connection, job_id: str) -> list[Picture]:
    statement = sa.select(pictures).where(pictures.c.job_id == job_id).order_by(pictures.c.position)
    return [_picture(row) for row in await connection.execute(statement)]


async def pictures_of_model(connection: Connection, model_id: str, person_id: int, *, limit: int) -> list[Picture]:
    """What this person made with the model, newest first."""
    statement = (
        sa.select(pictures)
        .where(pictures.c.model_id == model_id, pictures.c.person_id == person_id)
        .order_by(pictures.c.created_ms.desc(), pictures.c.job_id.desc(), pictures.c.position)
        .limit(limit)
    )
    return [_picture(row) for row in await connection.execute(statement)]


async def pictures_posted_in(connection: Connection, job_id: str, positions: Sequence[int], message_id: int) -> None:
    shown = sa.update(pictures).where(pictures.c.job_id == job_id, pictures.c.position.in_(positions))
    await connection.execute(shown.values(message_id=message_id))


def _picture(row: sa.Row[Any]) -> Picture:
    return Picture(
        job_id=row.job_id,
        position=row.position,
        place=place_of(row),
        model_id=row.model_id,
        file=row.file,
        prompt=row.prompt,
        seed=row.seed,
        message_id=row.message_id,
    )
