"""Models: a person's trained LoRAs and finetunes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from storage.database import Connection, now_ms
from storage.places import Place, insert_if_absent, place_of
from storage.tables import models

NAME_CHARACTERS = 50


@dataclass(frozen=True, kw_only=True)
class Model:
    """`remote` says, for each provider that knows the model, what it calls it; `weights_file` is None for a model that
    lives only there; `training_set_id` is None for an imported one; `published` is its repository on the Hub."""

    id: str
    place: Place
    name: str
    job_id: str
    training_set_id: str | None
    provider: str
    base_model: str
    trigger_word: str
    settings: Mapping[str, Any]
    weights_file: str | None
    remote: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    published: str | None = None
    created_ms: int = 0
    deleted_ms: int | None = None


async def add_model(connection: Connection, model: Model) -> None:
    """Store a model; storing the same one again changes nothing."""
    await insert_if_absent(
        connection,
        models,
        {
            "id": model.id,
            **model.place.as_columns(),
            "name": model.name,
            "job_id": model.job_id,
            "training_set_id": model.training_set_id,
            "provider": model.provider,
            "base_model": model.base_model,
            "trigger_word": model.trigger_word,
            "settings": dict(model.settings),
            "weights_file": model.weights_file,
            "remote": {provider: dict(names) for provider, names in model.remote.items()},
            "created_ms": now_ms(),
        },
    )


async def find_model(connection: Connection, model_id: str) -> Model | None:
    """The model, deleted ones too: an old picture still names the model it came from."""
    row = (await connection.execute(sa.select(models).where(models.c.id == model_id))).one_or_none()
    return _model(row) if row is not None else None


async def free_model_name(connection: Connection, person_id: int, name: str) -> str:
    """The name, numbered when this person has a model of that name; never longer than names may be."""
    candidate, number = name[:NAME_CHARACTERS], 1
    while await model_named(connection, person_id, candidate) is not None:
        number += 1
        candidate = f"{name[: NAME_CHARACTERS - 5]} {number}"
    return candidate


async def models_of_person(
    connection: Connection, person_id: int, *, matching: str = "", limit: int, offset: int = 0
) -> list[Model]:
    """Newest first, names that contain `matching` in any case."""
    statement = _living(person_id, matching).order_by(models.c.created_ms.desc(), models.c.id.desc())
    return [_model(row) for row in await connection.execute(statement.limit(limit).offset(offset))]


async def model_named(connection: Connection, person_id: int, name: str) -> Model | None:
    statement = _living(person_id, "").where(sa.func.lower(models.c.name) == sa.func.lower(name))
    row = (await connection.execute(statement.order_by(models.c.created_ms.desc()).limit(1))).one_or_none()
    return _model(row) if row is not None else None


async def count_models_of_person(connection: Connection, person_id: int) -> int:
    statement = sa.select(sa.func.count()).select_from(_living(person_id, "").subquery())
    return int((await connection.execute(statement)).scalar_one())


async def rename_model(connection: Connection, model_id: str, name: str) -> None:
    await connection.execute(sa.update(models).where(models.c.id == model_id).values(name=name))


async def model_published(connection: Connection, model_id: str, repository: str) -> None:
    await connection.execute(sa.update(models).where(models.c.id == model_id).values(published=repository))


async def delete_model(connection: Connection, model_id: str) -> None:
    await connection.execute(sa.update(models).where(models.c.id == model_id).values(deleted_ms=now_ms()))


async def count_models_with_weights(connection: Connection, weights_file: str) -> int:
    """How many living models share these bytes: a file is removed with the last of them."""
    statement = sa.select(sa.func.count()).where(models.c.weights_file == weights_file, models.c.deleted_ms.is_(None))
    return int((await connection.execute(statement)).scalar_one())


def _living(person_id: int, matching: str) -> sa.Select[Any]:
    statement = sa.select(models).where(models.c.person_id == person_id, models.c.deleted_ms.is_(None))
    return statement.where(models.c.name.icontains(matching, autoescape=True)) if matching else statement


def _model(row: sa.Row[Any]) -> Model:
    return Model(
        id=row.id,
        place=place_of(row),
        name=row.name,
        job_id=row.job_id,
        training_set_id=row.training_set_id,
        provider=row.provider,
        base_model=row.base_model,
        trigger_word=row.trigger_word,
        settings=row.settings,
        weights_file=row.weights_file,
        remote=row.remote,
        published=row.published,
        created_ms=row.created_ms,
        deleted_ms=row.deleted_ms,
    )
