"""What providers offer, in words: every price as people write prices, every line as long as Discord takes it."""

from dataclasses import replace
from typing import Any

import pytest

from bot.messages import lists
from bot.messages.offers import dollars, generator_choice, offer, quote, trainer_choice, trainer_title
from bot.providers.card import GeneratorCard, Price
from bot.providers.contract import Ability
from bot.settings import KNOWN_PROVIDERS
from tests.builders import CARD, GENERATOR, TRAINER
from tests.messages.reading import assert_discord_takes, text_of
from tests.messages.test_cards import NASTY

LONG = "n" * 300


@pytest.mark.parametrize(
    ("amount", "words"),
    [(0.003, "$0.003"), (0.025, "$0.025"), (0.1, "$0.10"), (1.5, "$1.50"), (2, "$2.00"), (12.345, "$12.35")],
)
def test_an_amount_is_written_as_a_price(amount: float, words: str) -> None:
    assert dollars(amount) == words


def test_nothing_is_not_a_price_of_many_zeros() -> None:
    assert "0.000" not in dollars(0)


def test_a_trainer_is_called_by_both_names_unless_one_says_it_all() -> None:
    assert trainer_title(CARD, TRAINER) == "Fake trainer at Fake provider"
    assert trainer_title(CARD, replace(TRAINER, title="Fake provider")) == "Fake provider"


def test_a_choice_names_its_price_where_there_is_one() -> None:
    assert trainer_choice(CARD, TRAINER) == "Fake trainer at Fake provider · $1.50"
    by_step = replace(TRAINER, price=Price(once=0.5, per_iteration=0.01))
    assert trainer_choice(CARD, by_step) == "Fake trainer at Fake provider · $3.50"
    assert trainer_choice(CARD, replace(TRAINER, price=None)) == "Fake trainer at Fake provider"
    assert generator_choice(CARD, replace(GENERATOR, usd_per_picture=0.025)) == (
        "Fake generator at Fake provider · $0.025 a picture"
    )
    assert generator_choice(CARD, replace(GENERATOR, usd_per_picture=None)) == "Fake generator at Fake provider"
    assert generator_choice(CARD, replace(GENERATOR, title="Fake provider", usd_per_picture=None)) == "Fake provider"


def test_a_choice_is_never_longer_than_discord_takes() -> None:
    assert len(trainer_choice(CARD, replace(TRAINER, title=LONG))) == 100
    assert len(generator_choice(CARD, replace(GENERATOR, title=LONG))) == 100


@pytest.mark.parametrize(
    ("price", "iterations", "words"),
    [
        (Price(once=1.5), 300, "**$1.50** · about 10 min"),
        (Price(once=0.5, per_iteration=0.002), 1000, "**$2.50** · about 10 min"),
        (Price(per_iteration=0.001, is_certain=False), 1500, "**about $1.50** · about 10 min"),
        (Price(), 300, "Costs nothing · about 10 min"),
        (None, 300, "The provider does not say what it costs · about 10 min"),
    ],
)
def test_a_quote_says_the_price_and_the_time(price: Price | None, iterations: int, words: str) -> None:
    assert quote(replace(TRAINER, price=price), iterations) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(20, "about half a minute"), (60, "about 1 min"), (3600, "about 60 min"), (5400, "about 1.5 h")],
)
def test_a_time_is_as_rough_as_it_is_known(seconds: float, words: str) -> None:
    assert quote(replace(TRAINER, usual_seconds=seconds), 300).endswith(words)


# A provider as a paragraph.


def paragraph(
    *generators: GeneratorCard, able: tuple[Ability, ...] = tuple(Ability), account: str = "", **card: Any
) -> str:
    return offer(replace(CARD, **{"generators": generators, **card}), able, account=account)


def test_a_paragraph_names_the_provider_its_trainers_and_their_prices() -> None:
    text = offer(CARD, [Ability.TRAIN, Ability.GENERATE_WITH_MODEL])
    assert text.startswith("### Fake provider\n")
    assert "Fake trainer" in text
    assert "**$1.50** · about 10 min" in text
    assert "1 generator" in text
    assert "$0.02" in text


def test_abilities_are_told_in_words_and_only_those_that_are_there() -> None:
    everything, nothing = paragraph(GENERATOR), paragraph(GENERATOR, able=(Ability.CANCEL, Ability.LIST))
    only_train = paragraph(GENERATOR, able=(Ability.TRAIN,))
    assert "train" in only_train
    assert "without a model" in everything
    assert "import" in everything
    for absent in ("without a model", "import"):
        assert absent not in nothing
        assert absent not in only_train


@pytest.mark.parametrize(
    ("prices", "words"),
    [
        ((0.02,), "$0.02 a picture"),
        ((0.02, 0.02), "$0.02 a picture"),
        ((0.003, 0.04, 0.02), "$0.003 to $0.04 a picture"),
        ((None, None), "prices are not published"),
        ((0.02, None), "$0.02 a picture"),
    ],
)
def test_the_prices_of_generators_are_a_span(prices: tuple[float | None, ...], words: str) -> None:
    generators = (replace(GENERATOR, id=str(number), usd_per_picture=price) for number, price in enumerate(prices))
    assert words in paragraph(*generators)


def test_what_is_retired_is_not_counted_and_says_why_once() -> None:
    gone = "It was switched off in May."
    text = paragraph(
        GENERATOR, *(replace(GENERATOR, id=str(number), retired=gone, usd_per_picture=9.0) for number in range(3))
    )
    assert "1 generator" in text
    assert "$9" not in text
    assert text.count(gone) == 1


def test_a_provider_that_offers_nothing_says_why() -> None:
    text = paragraph(
        trainers=(), no_training="It trains nothing: use fal.", notice="A preview.", account="Account: ann"
    )
    assert text.splitlines()[-3:] == ["-# It trains nothing: use fal.", "-# A preview.", "-# Account: ann"]
    assert "generator" not in text.splitlines()[-1]


def test_an_account_is_shown_only_where_it_was_asked_for() -> None:
    assert "Account" not in paragraph(GENERATOR)
    assert paragraph(GENERATOR, account="Account: ann, $3.00 left").endswith("-# Account: ann, $3.00 left")


def test_names_are_shown_and_not_obeyed() -> None:
    text = offer(replace(CARD, title=NASTY, trainers=(replace(TRAINER, title=NASTY),)), Ability)
    assert "@everyone" not in text
    assert "**x**" not in text


# All of them on one card.


def test_every_provider_is_a_paragraph_of_one_card() -> None:
    card = lists.offers([offer(replace(CARD, title=name), Ability) for name in KNOWN_PROVIDERS])
    assert_discord_takes(card)
    assert [line for line in text_of(card).splitlines() if line.startswith("### ")] == [
        f"### {name}" for name in KNOWN_PROVIDERS
    ]
    assert "…" not in text_of(card)


def test_more_than_a_card_holds_ends_after_a_whole_paragraph() -> None:
    trainers = tuple(replace(TRAINER, id=str(number), title="t" * 80) for number in range(8))
    many = [offer(replace(CARD, title=f"Provider {number}", trainers=trainers), Ability) for number in range(9)]
    card = lists.offers(many)
    assert_discord_takes(card)
    *whole, mark = text_of(card).splitlines()
    assert mark == "…"
    shown = sum(line.startswith("### ") for line in whole)
    assert 1 <= shown < 9
    assert "\n".join(whole) == "\n".join(many[:shown])


def test_nobody_switched_on_is_still_a_card() -> None:
    assert_discord_takes(lists.help_card([], None))
