"""One's own models: which one is meant, rename, delete."""

import logging

from bot.errors import AtelierError, BadInput, NotFound, ProviderGone
from bot.permissions import Action, require
from bot.providers.card import GeneratorCard, ProviderCard
from bot.providers.contract import Deletes
from bot.providers.registry import Providers
from bot.workflows.engine import Json
from bot.workflows.requests import checked_name
from bot.workflows.workbench import Workbench, weights_key
from storage.database import Connection
from storage.models import (
    Model,
    count_models_with_weights,
    delete_model,
    find_model,
    model_named,
    rename_model,
)

log = logging.getLogger(__name__)

FORGET = "forget"


class Models:
    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._database = bench.database
        self._files = bench.files
        bench.engine.tell(FORGET, self._forget)

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
        """Delete the model, its weights and what its provider keeps of it; pictures stay. Raises as `rename` does."""
        async with self._database.writing() as connection:
            model = await _own_model(connection, model_id, person_id)
            await delete_model(connection, model_id)
            await self._bench.engine.enqueue(
                connection, story=FORGET, job_id=model_id, lane=FORGET, person_id=person_id
            )
        return model

    async def _forget(self, model_id: str) -> None:
        await self._bench.engine.step("remove the weights", lambda: self._remove_weights(model_id))
        await self._bench.engine.step("tell the provider", lambda: self._tell_provider(model_id))

    async def _remove_weights(self, model_id: str) -> Json:
        """Unless another model shares these bytes."""
        async with self._database.reading() as connection:
            model = await find_model(connection, model_id)
            if model is None or model.weights_file is None:
                return {}
            if await count_models_with_weights(connection, model.weights_file):
                return {}
        self._files.remove(model.weights_file)
        try:
            await self._bench.unshare(weights_key(model.weights_file))
        except AtelierError as problem:
            log.warning("The weights of model %s remain in object storage: %s", model_id, problem)
        return {}

    async def _tell_provider(self, model_id: str) -> Json:
        """Only what we trained there: an imported model belongs to whoever put it there."""
        async with self._database.reading() as connection:
            model = await find_model(connection, model_id)
        remote = model.remote.get(model.provider) if model and model.training_set_id else None
        if model is None or not remote:
            return {}
        try:
            await self._bench.providers.that(model.provider, Deletes).delete_model(remote)
        except ProviderGone:
            return {}
        except AtelierError as problem:
            log.warning("Model %s remains at %s: %s", model_id, model.provider, problem)
        return {}


def reachable_by(
    providers: Providers, model: Model, *, has_object_storage: bool
) -> list[tuple[ProviderCard, GeneratorCard]]:
    """The generators that can use this model, the one of its own provider first."""
    has_file = model.weights_file is not None
    return providers.generators_for(
        model.base_model,
        home=model.provider,
        remote=model.remote,
        has_file=has_file,
        has_link=bool(model.settings.get("public_link")) or (has_file and has_object_storage),
    )


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
