"""What trouble with our own disk means while a result is being written: nobody's fault at the provider."""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.errors import ProviderBroken
from storage.trouble import trouble_of


@contextmanager
def results_written() -> Iterator[None]:
    """Raises `StorageTrouble` when our own disk is full or shut, `ProviderBroken` for what else it says."""
    try:
        yield
    except OSError as problem:
        if (trouble := trouble_of(problem)) is not None:
            raise trouble from None
        raise ProviderBroken(
            "The bot cannot write to its own disk: its operator has to look at it.",
            advice=problem.strerror or "OSError",
        ) from None
