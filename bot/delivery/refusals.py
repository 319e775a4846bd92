"""What Discord's refusals mean to somebody who posts. The only place that reads its error numbers."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import discord

from bot.errors import DiscordUnreachable

TOO_LARGE = 40005
THREAD_EXISTS = 160004
WORTH_ANOTHER_TRY = (401, 408, 429)  # a token may be put right, and a limit passes


class PlaceRefused(Exception):
    """Discord takes no message of ours there; the text is for the log."""


class TooLarge(Exception):
    """The files are more than Discord takes in one message there."""


class ThreadExists(Exception):
    """The message has its thread already."""


@contextmanager
def read_by_meaning() -> Iterator[None]:
    """Raises `PlaceRefused`, `TooLarge`, `ThreadExists` or `DiscordUnreachable` for what goes wrong inside."""
    try:
        yield
    except (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError) as problem:
        raise _meaning(problem) from problem


def _meaning(problem: Exception) -> Exception:
    if isinstance(problem, discord.HTTPException):
        if problem.status == 413 or problem.code == TOO_LARGE:
            return TooLarge(str(problem))
        if problem.code == THREAD_EXISTS:
            return ThreadExists(str(problem))
        if 400 <= problem.status < 500 and problem.status not in WORTH_ANOTHER_TRY:
            return PlaceRefused(str(problem))
    return DiscordUnreachable("Discord did not answer; trying again.")
