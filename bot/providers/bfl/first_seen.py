"""How long ago a task was first heard of: a new one may be unknown to Black Forest Labs for a moment."""

from collections import OrderedDict
from collections.abc import Callable

MOST_REMEMBERED = 10_000


class FirstSeen:
    """When each task was first heard of in this process, the latest 10,000 of them."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._moments: OrderedDict[str, float] = OrderedDict()

    def seconds_ago(self, task_id: str) -> float:
        """Zero for a task that is new here."""
        moment = self._moments.setdefault(task_id, self._now())
        if len(self._moments) > MOST_REMEMBERED:
            self._moments.popitem(last=False)
        return self._now() - moment
