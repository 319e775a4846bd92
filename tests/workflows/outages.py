"""The gate on its own, for tests that need no engine; several over one database are several processes."""

from collections.abc import Awaitable, Callable

from bot.operators import Operators
from bot.providers.registry import Providers
from bot.workflows.outages import Outages
from bot.workflows.vigil import Vigil
from bot.workflows.wakeups import Wakeups
from storage.database import Database
from tests.fakes import FakeAnnouncer, FakeCards, FakeProvider


def vigil_at(
    database: Database,
    provider: FakeProvider,
    *,
    cards: FakeCards,
    announcer: FakeAnnouncer,
    operators: Operators,
    now_ms: Callable[[], int],
) -> Vigil:
    return Vigil(
        database=database,
        providers=Providers([provider]),
        cards=cards,
        operators=operators,
        announcer=announcer,
        now_ms=now_ms,
        ticks=lambda: now_ms() / 1000,
    )


def outages_at(
    database: Database,
    provider: FakeProvider,
    *,
    sleep: Callable[[float], Awaitable[None]],
    vigil: Vigil,
    operators: Operators,
    now_ms: Callable[[], int],
) -> Outages:
    """One clock for all that is measured."""
    return Outages(
        database=database,
        providers=Providers([provider]),
        wakeups=Wakeups(sleep),
        operators=operators,
        vigil=vigil,
        now_ms=now_ms,
        ticks=lambda: now_ms() / 1000,
    )
