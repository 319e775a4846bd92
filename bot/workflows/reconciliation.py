"""What became of a paid request that was never answered: the provider's own list is asked, and nothing is guessed."""

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.errors import OutcomeUnknown, ProviderBusy, ProviderError, ProviderUnreachable
from bot.providers.contract import Lists, Provider
from bot.providers.tasks import GenerationRequest, Task, TrainingRequest
from bot.workflows.wakeups import Wakeups
from storage.database import Database
from storage.jobs import Job
from storage.statuses import ErrorCategory
from storage.submissions import Submission, belongs_to_another

LOOKS = 5
SECONDS_BETWEEN_LOOKS = 1.0

Submit = Callable[[], Awaitable[Task]]


@dataclass(frozen=True, kw_only=True)
class Paid:
    """One paid request of a job: the `part`-th of `parts`. `can_be_found` says whether finding nothing proves that
    nothing was accepted."""

    job: Job
    provider: Provider
    request: TrainingRequest | GenerationRequest
    submit: Submit
    can_be_found: bool
    poll_seconds: float
    deadline_seconds: float
    part: int = 0
    parts: int = 1


class Reconciliation:
    def __init__(self, *, database: Database, wakeups: Wakeups, now: Callable[[], float]) -> None:
        self._database = database
        self._wakeups = wakeups
        self._now = now

    async def look_for(self, paid: Paid, intent: Submission) -> Task | None:
        """None only when the provider's own list proves that nothing was accepted."""
        settles_at = self._now() + paid.provider.card.settles_in_seconds
        looks_left = LOOKS if isinstance(paid.provider, Lists) else 0
        while looks_left:
            with contextlib.suppress(ProviderUnreachable, ProviderBusy):
                found = await self._find(paid, intent)
                if found is not None:
                    return found
                if paid.can_be_found and self._now() >= settles_at:
                    return None
            if self._now() >= settles_at:
                looks_left -= 1
            await self._wakeups.pause(paid.job.id, SECONDS_BETWEEN_LOOKS)
        raise OutcomeUnknown(
            f"{paid.provider.card.title} did not say whether it accepted this job, so it was not sent again.",
            advice=f"Look for job {paid.job.id} in the provider's dashboard.",
        )

    async def look_once(self, paid: Paid, doubted: Submission) -> Task | None:
        """When its person had it submitted again in doubt, it may have turned up since."""
        if doubted.verdict is not ErrorCategory.UNCERTAIN or not isinstance(paid.provider, Lists):
            return None
        with contextlib.suppress(ProviderError):
            return await self._find(paid, doubted)
        return None

    async def _find(self, paid: Paid, intent: Submission) -> Task | None:
        assert isinstance(paid.provider, Lists)
        return await find_task(self._database, paid.provider, paid.request, intent)


async def find_task(
    database: Database, provider: Lists, request: TrainingRequest | GenerationRequest, intent: Submission
) -> Task | None:
    """What the provider's own list shows for this intent and for no other. Raises `ProviderError`."""
    candidates = await provider.find(request, since=intent.intended_ms / 1000)
    async with database.reading() as connection:
        for task in candidates:
            if not await belongs_to_another(connection, task.id, intent):
                return task
    return None
