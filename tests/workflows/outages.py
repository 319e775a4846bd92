"""The gate on its own, for tests that need no engine."""

from collections.abc import Awaitable, Callable

from bot.operators import Operators
from bot.providers.registry import Providers
from bot.workflows.outages import Outages
from bot.workflows.vigil import Vigil
from bot.workflows.wakeups import Wakeups
from storage.database import Database
from tests.fakes import FakeAnnouncer, FakeCards, FakeProvider, Minutes


def outages_at(
    database: Database,
    provider: FakeProvider,
    *,
    sleep: Callable[[float], Awaitable[None]],
    cards: FakeCards | None = None,
    announcer: FakeAnnouncer | None = None,
    operators: Operators | None = None,
    now_ms: Callable[[], int] | None = None,
    ticks: Callable[[], float] | None = None,
) -> Outages:
    """One process's gate; several over one database are several processes."""
    clock = now_ms or Minutes()
    providers = Providers([provider])
    operators = operators or Operators(frozenset())
    watch = {} if ticks is None else {"ticks": ticks}
    vigil = Vigil(
        database=database,
        providers=providers,
        cards=cards or FakeCards(),
        operators=operators,
        announcer=announcer or FakeAnnouncer(),
        now_ms=clock,
        **watch,
    )
    return Outages(
        database=database,
        providers=providers,
        wakeups=Wakeups(sleep),
        operators=operators,
        vigil=vigil,
        now_ms=clock,
        **watch,
    )
