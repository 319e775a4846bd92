"""Builds what guards jobs against a provider that is out. Called by `bot/client.py`."""

from bot.startup import Resources
from bot.workflows.detours import Detours
from bot.workflows.outages import Outages
from bot.workflows.stages import Cards
from bot.workflows.vigil import Announcer, Vigil


def detours_of(resources: Resources) -> Detours:
    return Detours(
        database=resources.database,
        providers=resources.providers,
        files=resources.files,
        has_object_storage=resources.objects is not None,
    )


def vigil_of(resources: Resources, cards: Cards, announcer: Announcer) -> Vigil:
    return Vigil(
        database=resources.database,
        providers=resources.providers,
        cards=cards,
        operators=resources.operators,
        announcer=announcer,
        now_ms=resources.now_ms,
    )


def outages_of(resources: Resources, vigil: Vigil) -> Outages:
    return Outages(
        database=resources.database,
        providers=resources.providers,
        wakeups=resources.wakeups,
        operators=resources.operators,
        vigil=vigil,
        now_ms=resources.now_ms,
    )
