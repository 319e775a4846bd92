"""The providers that are switched on, first choice first, and what each question to them all comes to."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from bot.errors import BadInput, ProviderGone
from bot.providers.base_models import title_of
from bot.providers.card import CaptionerCard, GeneratorCard, ModelBy, ProviderCard, TrainerCard
from bot.providers.contract import Captions, Generates, Provider, Trains

Ability = TypeVar("Ability")
Offered = TypeVar("Offered", TrainerCard, GeneratorCard)


class Providers:
    """`choice_of(provider, card)` is what people pick from a list: `provider:id`."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        self._by_name = {provider.card.name: provider for provider in providers}

    def __iter__(self) -> Iterator[Provider]:
        return iter(self._by_name.values())

    def find(self, name: str) -> Provider | None:
        return self._by_name.get(name)

    def card_of(self, name: str) -> ProviderCard:
        """Also of one that was switched off since: its jobs and models are still shown."""
        provider = self._by_name.get(name)
        return provider.card if provider else _switched_off(name)

    def that(self, name: str, ability: type[Ability]) -> Ability:
        """The provider, when it is on and can do this. Raises `ProviderGone`."""
        provider = self._by_name.get(name)
        if provider is None:
            raise ProviderGone(f"{name} is switched off here: ask the bot's operator.")
        if not isinstance(provider, ability):
            raise ProviderGone(f"{provider.card.title} cannot do that.")
        return provider

    # Training.

    def trainers(self) -> list[tuple[ProviderCard, TrainerCard]]:
        return [
            (provider.card, trainer)
            for provider in self
            if isinstance(provider, Trains)
            for trainer in provider.card.trainers
            if not trainer.retired
        ]

    def trainer_meant(self, choice: str, *, out: frozenset[str] = frozenset()) -> tuple[ProviderCard, TrainerCard]:
        """What was picked or typed; when nothing was, the first of a provider that is not out. Raises `BadInput`."""
        offered = self.trainers()
        if not offered:
            raise BadInput(self._why_no_training())
        if not choice.strip():
            return first_not_out(offered, out)
        for offer in offered:
            if is_meant(offer, choice):
                return offer
        raise BadInput("There is no such trainer here: pick one from the list.")

    def trainer_of(self, provider: str, trainer: str) -> TrainerCard:
        """The trainer of a stored job. Raises `ProviderGone`."""
        card = self.card_of(provider).trainer(trainer)
        if card is None:
            raise ProviderGone("That trainer is not offered here any more: start again with /finetune.")
        return card

    def captioners(self) -> list[tuple[ProviderCard, CaptionerCard]]:
        """Who describes pictures, first choice first; `that(card.name, Captions)` is the one to ask."""
        return [
            (provider.card, provider.card.captioner)
            for provider in self
            if isinstance(provider, Captions) and provider.card.captioner is not None
        ]

    def _why_no_training(self) -> str:
        reasons = [provider.card.no_training for provider in self if provider.card.no_training]
        return reasons[0] if reasons else "None of the providers that are switched on here trains models."

    # Generating.

    def generators(self) -> list[tuple[ProviderCard, GeneratorCard]]:
        return [
            (provider.card, generator)
            for provider in self
            if isinstance(provider, Generates)
            for generator in provider.card.generators
        ]

    def generators_without_model(self) -> list[tuple[ProviderCard, GeneratorCard]]:
        return [
            (provider, generator)
            for provider, generator in self.generators()
            if not generator.retired and not generator.needs_model
        ]

    def generators_for(
        self, base_model: str, *, home: str, remote: Mapping[str, object], has_file: bool, has_link: bool
    ) -> list[tuple[ProviderCard, GeneratorCard]]:
        """Those that take a LoRA of this base model and can get hold of this one; the model's own provider first."""
        fitting = [
            (provider, generator)
            for provider, generator in self.generators()
            if not generator.retired
            and base_model in generator.base_models
            and _can_reach(generator, knows=provider.name in remote, has_file=has_file, has_link=has_link)
        ]
        return sorted(fitting, key=lambda pair: pair[0].name != home)

    def why_no_generator(self, base_model: str, *, has_file: bool = True) -> str:
        """A sentence for a model that nothing here can use."""
        takes = [(p, g) for p, g in self.generators() if base_model in g.base_models]
        retired = next((g.retired for _, g in takes if g.retired), "")
        if retired:
            return retired
        by_link = next((p for p, g in takes if ModelBy.LINK in g.model_by), None)
        if by_link is not None and has_file:
            return (
                f"{by_link.title} takes such models only through a link that it can read: "
                "ask the bot's operator to set up object storage."
            )
        if takes:
            return (
                f"{takes[0][0].title} generates with such models only when it has them itself, and this one it has not."
            )
        return f"No provider that is switched on here generates with models of {title_of(base_model)}."

    def generator_of(self, provider: str, generator: str) -> GeneratorCard:
        """The generator of a stored job. Raises `ProviderGone`."""
        card = self.card_of(provider).generator(generator)
        if card is None:
            raise ProviderGone("That generator is not offered here any more: choose another with /generate.")
        return card


def first_not_out(offered: Sequence[tuple[ProviderCard, Offered]], out: frozenset[str]) -> tuple[ProviderCard, Offered]:
    """The first choice when all of them are out: it waits there."""
    return next((offer for offer in offered if offer[0].name not in out), offered[0])


def choice_of(provider: ProviderCard, card: TrainerCard | GeneratorCard) -> str:
    return f"{provider.name}:{card.id}"


def is_meant(offer: tuple[ProviderCard, TrainerCard | GeneratorCard], text: str) -> bool:
    """Picked from a list, or its title typed."""
    return text.strip().lower() in (choice_of(*offer).lower(), offer[1].title.lower())


def _can_reach(generator: GeneratorCard, *, knows: bool, has_file: bool, has_link: bool) -> bool:
    ways = {ModelBy.FILE: has_file, ModelBy.REMOTE: knows, ModelBy.LINK: has_link}
    return any(ways[way] for way in generator.model_by)


def _switched_off(name: str) -> ProviderCard:
    return ProviderCard(
        name=name,
        title=name,
        notice="",
        trainers=(),
        generators=(),
        concurrent_jobs=1,
        submissions_per_minute=None,
        training_poll_seconds=60.0,
        generation_poll_seconds=60.0,
    )
