"""What is said while a provider is out: on cards, in channels, in /providers."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.messages.offers import generator_choice, quote, trainer_title
from bot.messages.words import count, moment, plain, rough
from bot.providers.card import GeneratorCard, ProviderCard, TrainerCard
from storage.outages import Outage

PARAMETERS = {"aspect_ratio": "aspect ratio", "strength": "strength"}

Elsewhere = tuple[ProviderCard, GeneratorCard | TrainerCard]


def trouble(title: str, outage: Outage) -> str:
    """Whose money is missing is nobody's business but the operator's."""
    if outage.is_unpaid:
        return f"{plain(title)} takes no jobs at the moment: the bot's operator has been told."
    return f"{plain(title)} is not answering since {moment(outage.began_ms)}."


def waiting(title: str, outage: Outage, elsewhere: Elsewhere | None) -> str:
    """Instead of the progress on a card."""
    line = f"⏳ {trouble(title, outage)} This waits and goes on by itself."
    if elsewhere is None:
        return line
    provider, does = elsewhere
    if isinstance(does, GeneratorCard):
        return f"{line}\n-# Instead: {plain(generator_choice(provider, does))}"
    terms = quote(does, int(does.iterations.default))
    return f"{line}\n-# Instead: {plain(trainer_title(provider, does))} · {terms}"


def elsewhere_label(title: str) -> str:
    return f"Use {title} instead"[:80]


def elsewhere_meant(label: str) -> str:
    """The title on such a button."""
    return label.removeprefix("Use ").removesuffix(" instead")


def put_right(changed: Mapping[str, Sequence[Any]]) -> str:
    """What a job that moved had to change."""
    parts = [f"{PARAMETERS[name]} {now} instead of {before}" for name, (before, now) in changed.items()]
    return f"-# Put right for this provider: {plain(', '.join(parts))}"


def notice_out(title: str, outage: Outage) -> str:
    return f"⏳ {trouble(title, outage)} Jobs for it wait and go on by themselves."


def notice_back(title: str, outage: Outage, jobs: int) -> str:
    """`outage` has ended."""
    lasted = (outage.ended_ms or outage.began_ms) - outage.began_ms
    go_on = f"; {count(jobs, 'job goes', 'jobs go')} on" if jobs else ""
    return f"✅ {plain(title)} is back after {rough(lasted / 1000)}{go_on}."
