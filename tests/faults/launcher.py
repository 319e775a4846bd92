"""Reads the bot's code once and becomes the bot whenever it is asked to: `python -m tests.faults.launcher TIMES`.

A line on its input forks a process that runs `python -m bot run` in a group of its own; its id is answered. So a bot is
there in half the time, and whoever kills it kills everything it started. Providers are looked at every few seconds and
list what they accepted after half a minute: here the bot's own modules pause TIMES as short. Nobody else does: engine,
libraries, Discord, every timeout and every deadline keep real time.
"""

import asyncio
import contextlib
import importlib
import os
import signal
import sys
from collections.abc import Coroutine
from typing import Any

HURRIED = ("bot.", "cogs.")
READ_BEFORE_FORKING = ("bot.__main__", "cogs.finetune", "cogs.generate", "cogs.models", "cogs.jobs", "cogs.providers")


def hurry(times: float) -> None:
    """Call it before the bot is imported: its default arguments keep what they were given then."""
    real_sleep = asyncio.sleep

    def sleep(delay: float, result: Any = None) -> Coroutine[Any, Any, Any]:
        return real_sleep(delay / times if _is_asked_by_the_bot() else delay, result)

    asyncio.sleep = sleep  # type: ignore[assignment]


def _is_asked_by_the_bot() -> bool:
    return str(sys._getframe(2).f_globals.get("__name__", "")).startswith(HURRIED)


def settle_sooner(times: float) -> None:
    """The simulator lists at once what it accepted; the card is the one that every other is copied from."""
    card = importlib.import_module("bot.providers.replicate.cards").CARD
    object.__setattr__(card, "settles_in_seconds", card.settles_in_seconds / times)


def become_the_bot() -> None:
    """Never returns. What it prints goes to the log that the launcher was given as its stderr."""
    os.setpgid(0, 0)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    status = 1
    try:
        status = importlib.import_module("bot.__main__").main(["run"])
    except BaseException:  # noqa: BLE001 - the child must never return into the launcher
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def main(times: float) -> None:
    hurry(times)
    for name in READ_BEFORE_FORKING:
        importlib.import_module(name)
    settle_sooner(times)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead leave nothing behind
    for number in (signal.SIGINT, signal.SIGTERM):  # it ends with its input, and takes the last bot with it
        signal.signal(number, signal.SIG_IGN)
    child = 0
    for _line in sys.stdin:
        child = os.fork()
        if child == 0:
            become_the_bot()
        with contextlib.suppress(OSError):  # whichever of the two is first
            os.setpgid(child, child)
        print(child, flush=True)
    if child:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)


if __name__ == "__main__":
    main(float(sys.argv[1]))
