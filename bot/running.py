"""Keeps the bot running: a client that died is opened anew, and a signal ends everything in order."""

import asyncio
import logging
import os
import signal
import threading
import time

from bot.client import Atelier, open_bot
from bot.settings import Settings

log = logging.getLogger(__name__)

SHORTEST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
HEALTHY_SECONDS = 600.0
LONGEST_STOP_SECONDS = 18.0
SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def keep_running(settings: Settings) -> None:
    """Until a signal. What a first start meets is raised; once the bot has started, it is started again for ever.

    Everything is closed and opened anew, so that the jobs go on as after any other start.
    """
    told_to_leave = _hear_signals()
    has_started = False
    pause = SHORTEST_PAUSE_SECONDS
    while not told_to_leave.is_set():
        began = time.monotonic()
        try:
            async with open_bot(settings) as bot:
                try:
                    await _run(bot, settings.discord_token.reveal(), told_to_leave)
                finally:
                    has_started = has_started or bot.has_started
        except Exception:
            if not has_started and not told_to_leave.is_set():
                raise
            log.exception("The bot's connection broke")
        if time.monotonic() - began >= HEALTHY_SECONDS:
            pause = SHORTEST_PAUSE_SECONDS
        if not told_to_leave.is_set():
            log.warning("Everything is opened anew in %.0f s", pause)
        await _either(told_to_leave, pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


async def _run(bot: Atelier, token: str, told_to_leave: asyncio.Event) -> None:
    """Until the client dies, or a signal has been obeyed."""
    running = asyncio.create_task(bot.start_or_refuse(token))
    leaving = asyncio.create_task(told_to_leave.wait())
    await asyncio.wait((running, leaving), return_when=asyncio.FIRST_COMPLETED)
    leaving.cancel()
    if not running.done():
        await bot.leave()
        running.cancel()
        await asyncio.wait((running,))
    if not running.cancelled():
        running.result()


async def _either(told_to_leave: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(told_to_leave.wait(), seconds)
    except TimeoutError:
        return


def _hear_signals() -> asyncio.Event:
    """Set by the first signal. The second ends the process at once, and so does a stop that takes too long."""
    told_to_leave = asyncio.Event()
    loop = asyncio.get_running_loop()

    def obey() -> None:
        told_to_leave.set()
        for number in SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, lambda *_: os._exit(0))
        clock = threading.Timer(LONGEST_STOP_SECONDS, os._exit, (0,))
        clock.daemon = True
        clock.start()

    for number in SIGNALS:
        loop.add_signal_handler(number, obey)
    return told_to_leave
