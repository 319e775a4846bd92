"""Datasets, models and pictures."""

from storage.database import Connection, Database
from storage.jobs import add_job
from storage.models import (
    add_model,
    count_models_of_person,
    count_models_with_weights,
    delete_model,
    find_model,
    model_named,
    models_of_person,
    rename_model,
)
from storage.pictures import Picture, add_picture, pictures_of_job, pictures_posted_in
from storage.training_sets import add_training_set
from tests.builders import PLACE, finetune_job, generate_job, model, training_set


async def store_model(connection: Connection, number: int, name: str) -> None:
    await add_job(connection, finetune_job(id=str(number)))
    await add_training_set(connection, training_set(id=str(number)))
    await add_model(connection, model(id=str(number), job_id=str(number), training_set_id=str(number), name=name))


async def test_models_are_found_by_any_part_of_their_name(database: Database) -> None:
    async with database.writing() as connection:
        await store_model(connection, 1, "Luna the cat")
        await store_model(connection, 2, "100 % oil_paint")
        assert [m.name for m in await models_of_person(connection, 33, matching="CAT", limit=5)] == ["Luna the cat"]
        assert [m.name for m in await models_of_person(connection, 33, matching="%", limit=5)] == ["100 % oil_paint"]
        assert [m.id for m in await models_of_person(connection, 33, limit=5)] == ["2", "1"]
        assert await models_of_person(connection, 44, limit=5) == []
        found = await model_named(connection, 33, "luna THE cat")
        assert found is not None
        assert await count_models_of_person(connection, 33) == 2


async def test_a_name_in_any_letters_is_found_in_any_case(database: Database) -> None:
    async with database.writing() as connection:
        await store_model(connection, 1, "Мурка Örn")
        found = await model_named(connection, 33, "мурка örn")
        assert found is not None
        assert [m.name for m in await models_of_person(connection, 33, matching="УРКА", limit=5)] == ["Мурка Örn"]


async def test_a_deleted_model_is_listed_no_more_but_old_pictures_still_know_it(database: Database) -> None:
    async with database.writing() as connection:
        await store_model(connection, 1, "Luna")
        await rename_model(connection, "1", "Selene")
        assert await count_models_with_weights(connection, "b" * 64) == 1
        await delete_model(connection, "1")
        assert await models_of_person(connection, 33, limit=5) == []
        assert await model_named(connection, 33, "Selene") is None
        assert await count_models_with_weights(connection, "b" * 64) == 0
        found = await find_model(connection, "1")
        assert await find_model(connection, "2") is None
    assert found is not None
    assert found.name == "Selene"
    assert found.deleted_ms is not None


async def test_pictures_are_kept_once_each_with_the_message_that_shows_them(database: Database) -> None:
    async with database.writing() as connection:
        await store_model(connection, 1001, "Luna")
        await add_job(connection, generate_job())
        for position in (1, 0, 1):
            await add_picture(
                connection,
                Picture(
                    job_id="2002",
                    position=position,
                    place=PLACE,
                    model_id="1001",
                    file=str(position) * 64,
                    prompt="a fox",
                    seed=2**32 - 1,
                ),
            )
        await pictures_posted_in(connection, "2002", (0, 1), 5)
        stored = await pictures_of_job(connection, "2002")
    assert [(picture.position, picture.seed, picture.message_id) for picture in stored] == [
        (0, 2**32 - 1, 5),
        (1, 2**32 - 1, 5),
    ]
