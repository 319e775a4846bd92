"""What trouble with our own disk means while a result is being written: nobody's fault at the provider."""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.errors import ProviderBroken


@contextmanager
def results_written() -> Iterator[None]:
    """Raises `ProviderBroken` when our own disk is full or shut."""
    try:
        yield
    except OSError as problem:
        raise ProviderBroken(
            "The bot cannot write to its own disk: its operator has to look at it.",
            advice=problem.strerror or "OSError",
        ) from None
