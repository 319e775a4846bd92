"""What became of a request to fal.ai."""

from bot.errors import ProviderError
from bot.providers.fal.provider import FalProvider
from bot.providers.tasks import Stopped, Task
from tests.simulators.fal import Fal, FalTask


def last(service: Fal) -> FalTask:
    """What fal made of the latest request that it accepted."""
    return service.ledger[-1]


async def stopped(fal: FalProvider, task: Task) -> ProviderError:
    """Why the task stopped."""
    state = await fal.check(task)
    assert isinstance(state, Stopped)
    return state.error
