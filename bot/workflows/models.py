"""One's own models: which one is meant, rename, delete."""

from bot.errors import BadInput, NotFound
from bot.permissions import Action, require
from bot.workflows.requests import checked_name
from storage.database import Connection, Database
from storage.files import Files
from storage.models import (
    Model,
    count_models_with_weights,
    delete_model,
    find_model,
    model_named,
    rename_model,
)


class Models:
    def __init__(self, *, database: Database, files: Files) -> None:
        self._database = database
        self._files = files

    async def rename(self, model_id: str, person_id: int, name: str) -> Model:
        """Raises `BadInput`, `NotFound`, `NotYours`."""
        name = checked_name(name)
        async with self._database.writing() as connection:
            await _own_model(connection, model_id, person_id)
            namesake = await model_named(connection, person_id, name)
            if namesake is not None and namesake.id != model_id:
                raise BadInput(f"You already have a model called {name}: choose another name.")
            await rename_model(connection, model_id, name)
            return await _own_model(connection, model_id, person_id)

    async def delete(self, model_id: str, person_id: int) -> Model:
        """Delete the model and its weights; pictures made with it stay. Raises `NotFound`, `NotYours`."""
        async with self._database.writing() as connection:
            model = await _own_model(connection, model_id, person_id)
            await delete_model(connection, model_id)
            is_last = await count_models_with_weights(connection, model.weights_file) == 0
        if is_last:
            self._files.remove(model.weights_file)
        return model


async def _own_model(connection: Connection, model_id: str, person_id: int) -> Model:
    model = await find_model(connection, model_id)
    if model is None or model.deleted_ms is not None:
        raise NotFound("That model is gone already.")
    require(person_id, Action.CHANGE_MODEL, model.place)
    return model


async def model_meant(connection: Connection, person_id: int, text: str) -> Model:
    """The own model that an autocomplete id or a typed name means. Raises `NotFound`, `NotYours`."""
    model = await find_model(connection, text[:32]) if text.isdecimal() else None
    model = model or await model_named(connection, person_id, text.strip())
    if model is None or model.deleted_ms is not None:
        raise NotFound("You have no model of that name: pick one from the list, or train one with /finetune.")
    require(person_id, Action.USE_MODEL, model.place)
    return model
