"""Which generator makes the pictures: the one that was named, or the first that can use the model.

Without a word from its person, a provider that is out is the last choice.
"""

from bot.errors import BadInput, NotFound, NotYours
from bot.providers.card import GeneratorCard, ProviderCard
from bot.providers.registry import first_not_out, is_meant
from bot.workflows.models import model_meant, reachable_by
from bot.workflows.requests import GenerateRequest
from bot.workflows.workbench import Workbench
from storage.database import Connection
from storage.models import Model
from storage.outages import providers_out


class GeneratorChoice:
    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._database = bench.database
        self._providers = bench.providers

    async def meant(
        self, connection: Connection, person_id: int, request: GenerateRequest
    ) -> tuple[Model | None, tuple[ProviderCard, GeneratorCard]]:
        """The model and the generator, or no model and the generator that was named in its place."""
        for offer in self._providers.generators_without_model():
            if is_meant(offer, request.model):
                return None, offer
        model = await model_meant(connection, person_id, request.model)
        return model, self._generator_meant(model, request.generator, out=await providers_out(connection))

    def _generator_meant(self, model: Model, choice: str, *, out: frozenset[str]) -> tuple[ProviderCard, GeneratorCard]:
        """Raises `BadInput`."""
        offered = self._offered(model)
        if not offered:
            raise BadInput(self._providers.why_no_generator(model.base_model, has_file=model.weights_file is not None))
        if not choice.strip():
            return first_not_out(offered, out)
        named = next((one for one in self._providers.generators() if is_meant(one, choice)), None)
        if named is None:
            raise BadInput("There is no such generator here: pick one from the list.")
        if named[1].retired:
            raise BadInput(named[1].retired)
        if named not in offered and model.base_model in named[1].base_models:
            raise BadInput(
                f"{named[1].title} cannot get hold of {model.name}: leave the generator out, and one that can is taken."
            )
        return named

    def _offered(self, model: Model) -> list[tuple[ProviderCard, GeneratorCard]]:
        return reachable_by(self._providers, model, has_object_storage=self._bench.objects is not None)

    async def offered_for(self, person_id: int, model: str) -> list[tuple[ProviderCard, GeneratorCard]]:
        """For autocomplete: what fits the model that was named so far; none for one that means nothing yet."""
        async with self._database.reading() as connection:
            try:
                return self._offered(await model_meant(connection, person_id, model))
            except (NotFound, NotYours):
                return []
