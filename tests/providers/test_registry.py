"""The providers that are switched on: which one is meant, who can use which model, and why nobody can."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import BadInput, ProviderGone
from bot.providers.card import GeneratorCard, ModelBy, TrainerCard
from bot.providers.contract import Ability, Balances, Generates, Imports, Trains, abilities_of
from bot.providers.registry import Providers, choice_of, is_meant
from bot.providers.tasks import Balance
from tests.builders import CARD, GENERATOR, TRAINER
from tests.fakes import FakeProvider

RETIRED = replace(GENERATOR, id="old", title="Old", retired="Old was switched off in May: choose another.")
BASE = replace(GENERATOR, id="base", title="Base", base_models=(), needs_model=False, model_by=())


class Watcher(FakeProvider):
    """Generates and nothing else; it has a balance."""

    prepare_training = submit_training = fetch_weights = tidy_training = None  # type: ignore[assignment]
    find = cancel = None  # type: ignore[assignment]

    async def balance(self) -> Balance:
        return Balance(account="ann")

    async def look_up(self, reference: str, base_model: str) -> Mapping[str, str]:
        return {}


@pytest.fixture
def one(tmp_path: Path) -> Any:
    """A provider of that name with these trainers and generators."""

    def make(
        name: str = "fake",
        *,
        trainers: tuple[TrainerCard, ...] = (TRAINER,),
        generators: tuple[GeneratorCard, ...] = (GENERATOR,),
        kind: type[FakeProvider] = FakeProvider,
        **changes: Any,
    ) -> FakeProvider:
        title = changes.pop("title", f"Provider {name}")
        card = replace(CARD, name=name, title=title, trainers=trainers, generators=generators, **changes)
        return kind(tmp_path / name, card=card)

    return make


def named(offers: list[Any]) -> list[str]:
    return [choice_of(*offer) for offer in offers]


def for_model(providers: Providers, base_model: str = "flux-fake", **changes: Any) -> list[str]:
    known: dict[str, Any] = {"home": "fake", "remote": {}, "has_file": True, "has_link": False}
    return named(providers.generators_for(base_model, **{**known, **changes}))


# Which provider.


def test_providers_are_found_by_name_in_the_order_they_were_switched_on(one: Any) -> None:
    second, first = one("second"), one("first")
    providers = Providers([second, first])
    assert [provider.card.name for provider in providers] == ["second", "first"]
    assert providers.find("first") is first
    assert providers.find("third") is None


def test_a_provider_that_was_switched_off_is_still_shown_and_offers_nothing(one: Any) -> None:
    card = Providers([one()]).card_of("fal")
    assert (card.title, card.trainers, card.generators) == ("fal", (), ())


def test_asking_for_an_ability_answers_the_provider_that_has_it(one: Any) -> None:
    provider = one()
    assert Providers([provider]).that("fake", Trains) is provider


@pytest.mark.parametrize(
    ("name", "ability", "sentence"),
    [
        ("fal", Generates, "fal is switched off here: ask the bot's operator."),
        ("fake", Balances, "Provider fake cannot do that."),
        ("fake", Imports, "Provider fake cannot do that."),
    ],
)
def test_an_ability_that_is_not_there_is_a_sentence(one: Any, name: str, ability: type[Any], sentence: str) -> None:
    with pytest.raises(ProviderGone) as gone:
        Providers([one()]).that(name, ability)
    assert gone.value.sentence == sentence


def test_abilities_are_read_off_the_class_and_the_card(one: Any) -> None:
    always = {Ability.CANCEL, Ability.LIST, Ability.ATTACH}
    assert abilities_of(one()) == {Ability.TRAIN, Ability.GENERATE_WITH_MODEL, *always}
    assert abilities_of(one(trainers=(), generators=(BASE,))) == {Ability.GENERATE, *always}
    watcher = one("watcher", kind=Watcher)
    assert abilities_of(watcher) == {Ability.GENERATE_WITH_MODEL, Ability.BALANCE, Ability.IMPORT, Ability.ATTACH}


# Training.


def test_the_first_trainer_is_meant_when_nothing_was_named(one: Any) -> None:
    providers = Providers([one("first"), one("second")])
    for nothing in ("", "  "):
        assert choice_of(*providers.trainer_meant(nothing)) == "first:trainer"


@pytest.mark.parametrize("text", ["second:fast", "SECOND:FAST", " Fast trainer "])
def test_a_trainer_is_meant_by_its_choice_or_its_title(one: Any, text: str) -> None:
    fast = replace(TRAINER, id="fast", title="Fast trainer")
    providers = Providers([one("first"), one("second", trainers=(TRAINER, fast))])
    provider, trainer = providers.trainer_meant(text)
    assert (provider.name, trainer) == ("second", fast)


@pytest.mark.parametrize("text", ["nobody:trainer", "first", "trainer", "first:trainer:more"])
def test_a_trainer_that_is_not_there_is_refused(one: Any, text: str) -> None:
    with pytest.raises(BadInput, match="no such trainer here"):
        Providers([one("first")]).trainer_meant(text)


def test_a_provider_that_only_generates_offers_no_trainer(one: Any) -> None:
    providers = Providers([one("watcher", kind=Watcher), one("second")])
    assert named(providers.trainers()) == ["second:trainer"]


@pytest.mark.parametrize("reason", ["", "It was switched off on 2025-10-31: train elsewhere."])
def test_where_nobody_trains_the_provider_says_why(one: Any, reason: str) -> None:
    providers = Providers([one("first", trainers=()), one("second", trainers=(), no_training=reason)])
    with pytest.raises(BadInput) as refused:
        providers.trainer_meant("")
    assert refused.value.sentence == (reason or "None of the providers that are switched on here trains models.")


def test_a_stored_job_finds_its_trainer_and_its_generator_or_a_sentence(one: Any) -> None:
    providers = Providers([one()])
    assert providers.trainer_of("fake", "trainer") is TRAINER
    assert providers.generator_of("fake", "generator") is GENERATOR
    for ask in (providers.trainer_of, providers.generator_of):
        for provider in ("fake", "fal"):
            with pytest.raises(ProviderGone, match="not offered here any more"):
                ask(provider, "gone")


# Generating.


def test_without_a_model_only_those_that_need_none_are_offered(one: Any) -> None:
    providers = Providers([one("first", generators=(GENERATOR, BASE, replace(BASE, id="gone", retired="Gone.")))])
    assert named(providers.generators_without_model()) == ["first:base"]


def test_the_models_own_provider_comes_first_and_the_others_keep_their_order(one: Any) -> None:
    providers = Providers([one("first"), one("second"), one("third")])
    assert for_model(providers, home="third") == ["third:generator", "first:generator", "second:generator"]
    assert for_model(providers, home="huggingface") == ["first:generator", "second:generator", "third:generator"]


def test_only_generators_of_its_base_model_that_are_still_in_use_are_offered(one: Any) -> None:
    foreign = replace(GENERATOR, id="foreign", base_models=("flux.2-dev",))
    both = replace(GENERATOR, id="both", base_models=("flux.2-dev", "flux-fake"))
    providers = Providers([one(generators=(RETIRED, BASE, foreign, both))])
    assert for_model(providers) == ["fake:both"]
    assert for_model(providers, "flux.2-dev") == ["fake:foreign", "fake:both"]
    assert for_model(providers, "flux-9") == []


@pytest.mark.parametrize(
    ("ways", "reach", "is_offered"),
    [
        ((ModelBy.FILE,), {"has_file": True}, True),
        ((ModelBy.FILE,), {"has_file": False, "has_link": True, "remote": {"fake": {"v": "1"}}}, False),
        ((ModelBy.LINK,), {"has_file": True}, False),
        ((ModelBy.LINK,), {"has_file": False, "has_link": True}, True),
        ((ModelBy.REMOTE,), {"has_link": True, "remote": {"other": {"v": "1"}}}, False),
        ((ModelBy.REMOTE,), {"has_file": False, "remote": {"fake": {"v": "1"}}}, True),
        ((ModelBy.REMOTE, ModelBy.LINK), {"has_file": False, "has_link": True}, True),
        ((ModelBy.REMOTE, ModelBy.LINK), {"has_file": True}, False),
        ((), {"has_link": True, "remote": {"fake": {"v": "1"}}}, False),
    ],
)
def test_a_generator_is_offered_only_when_it_can_get_hold_of_the_model(
    one: Any, ways: tuple[ModelBy, ...], reach: dict[str, Any], is_offered: bool
) -> None:
    providers = Providers([one(generators=(replace(GENERATOR, model_by=ways),))])
    assert bool(for_model(providers, **reach)) is is_offered


@pytest.mark.parametrize(
    ("generators", "sentence"),
    [
        ((RETIRED, replace(GENERATOR, model_by=(ModelBy.LINK,))), "Old was switched off in May: choose another."),
        (
            (replace(GENERATOR, model_by=(ModelBy.LINK,)),),
            (
                "Provider fake takes such models only through a link that it can read: ask the bot's operator to set "
                "up object storage."
            ),
        ),
        ((BASE,), "No provider that is switched on here generates with models of flux-fake."),
        ((), "No provider that is switched on here generates with models of flux-fake."),
    ],
)
def test_why_nothing_can_use_a_model_is_one_sentence(
    one: Any, generators: tuple[GeneratorCard, ...], sentence: str
) -> None:
    assert Providers([one(generators=generators)]).why_no_generator("flux-fake") == sentence


def test_a_base_model_is_called_by_its_title(one: Any) -> None:
    assert Providers([one()]).why_no_generator("flux.2-dev").endswith("generates with models of FLUX.2 [dev].")


@pytest.mark.parametrize(
    ("text", "is_the_one"),
    [("fake:generator", True), ("Fake Generator", True), (" fake:GENERATOR ", True), ("generator", False), ("", False)],
)
def test_what_is_typed_means_a_choice_or_a_title(text: str, is_the_one: bool) -> None:
    assert is_meant((CARD, GENERATOR), text) is is_the_one
