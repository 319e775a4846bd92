"""What providers offer, in words: titles, prices, times. Everything comes from their cards."""

from collections.abc import Iterable, Sequence

from bot.messages.words import count, plain, rough
from bot.outlook import Spread
from bot.providers.card import GeneratorCard, ProviderCard, TrainerCard
from bot.providers.contract import Ability

ABILITY_WORDS = {
    Ability.TRAIN: "trains",
    Ability.GENERATE_WITH_MODEL: "pictures with your models",
    Ability.GENERATE: "pictures without a model",
    Ability.IMPORT: "imports",
}


def trainer_title(provider: ProviderCard, trainer: TrainerCard) -> str:
    """Both names, unless one says it all."""
    return trainer.title if trainer.title == provider.title else f"{trainer.title} at {provider.title}"


def trainer_choice(provider: ProviderCard, trainer: TrainerCard) -> str:
    """A line of an autocomplete list, at most 100 characters."""
    price = "" if trainer.price is None else f" · {dollars(trainer.price.of(int(trainer.iterations.default)))}"
    return f"{trainer_title(provider, trainer)}{price}"[:100]


def generator_choice(provider: ProviderCard, generator: GeneratorCard) -> str:
    price = "" if generator.usd_per_picture is None else f" · {dollars(generator.usd_per_picture)} a picture"
    same = generator.title == provider.title
    return f"{generator.title}{'' if same else f' at {provider.title}'}{price}"[:100]


def quote(trainer: TrainerCard, iterations: int, usual: Spread | None = None) -> str:
    """Price and time of a training before anything is spent; `usual` is how long such trainings took here."""
    time = f"about {rough(trainer.usual_seconds)}" if usual is None else _learnt(usual)
    if trainer.price is None:
        return f"The provider does not say what it costs · {time}"
    amount = trainer.price.of(iterations)
    if amount == 0:
        return f"Costs nothing · {time}"
    return f"**{'' if trainer.price.is_certain else 'about '}{dollars(amount)}** · {time}"


def _learnt(usual: Spread) -> str:
    short, long = rough(usual.shortest_ms / 1000), rough(usual.longest_ms / 1000)
    return f"{short} here lately" if short == long else f"{short} to {long} here lately"


def dollars(amount: float) -> str:
    if amount == 0:
        return "$0"
    return f"${amount:.2f}" if amount >= 0.1 or round(amount, 2) == round(amount, 3) else f"${amount:.3f}"


def offer(card: ProviderCard, abilities: Iterable[Ability], *, account: str = "", outage: str = "") -> str:
    """One provider as a paragraph of /providers."""
    able = set(abilities)
    lines = [f"### {plain(card.title)}", *([outage] if outage else [])]
    if words := [words for ability, words in ABILITY_WORDS.items() if ability in able]:
        lines.append(f"-# {' · '.join(words)}")
    lines += [f"- {_trainer(trainer)}" for trainer in card.trainers if not trainer.retired]
    if generators := [generator for generator in card.generators if not generator.retired]:
        lines.append(f"- {count(len(generators), 'generator', 'generators')}: {_prices(generators)}")
    lines += [f"-# {why}" for why in dict.fromkeys(generator.retired for generator in card.generators) if why]
    lines += [f"-# {text}" for text in (card.no_training, card.notice, account) if text]
    return "\n".join(lines)


def _trainer(trainer: TrainerCard) -> str:
    return f"{plain(trainer.title)}: {quote(trainer, int(trainer.iterations.default))}"


def _prices(generators: Sequence[GeneratorCard]) -> str:
    known = [generator.usd_per_picture for generator in generators if generator.usd_per_picture is not None]
    if not known:
        return "prices are not published"
    low, high = dollars(min(known)), dollars(max(known))
    span = f"{low} a picture" if low == high else f"{low} to {high} a picture"
    return span if len(known) == len(generators) else f"{span}, where the price is published"
