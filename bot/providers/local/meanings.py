"""What goes wrong on this machine, said as a remote service would say it. Used by the local provider."""

import contextlib
from collections.abc import Iterator

from bot.errors import ProviderError, ProviderRefused
from bot.pictures.learnt import WeightsUnreadable
from storage.trouble import trouble_of


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """Bad input, found while looking at it, is the request's fault."""
    try:
        yield
    except WeightsUnreadable as error:
        raise ProviderRefused(f"The weights cannot be used: {error}.") from error
    except ValueError as error:
        raise ProviderRefused(str(error)) from error


@contextlib.contextmanager
def disk_trouble_is(meaning: type[ProviderError]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if (trouble := trouble_of(error)) is not None:
            raise trouble from error
        raise meaning("The local preview cannot use its own disk right now.", advice=str(error)) from error
