"""Takes up again what storage trouble interrupted. Runs beside the engine for as long as the bot is open."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.operators import Operators
from bot.workflows.engine import Engine
from storage.errors import StorageTrouble

log = logging.getLogger(__name__)

SUBJECT = "the storage"
SHORTEST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 15.0


async def keep_resuming(
    engine: Engine, operators: Operators, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Looks every second; less often while the same stories come back, because the trouble lasts."""
    pause = SHORTEST_PAUSE_SECONDS
    while True:
        await sleep(pause)
        try:
            trouble = await engine.resume_put_down()
        except StorageTrouble as lasting:
            trouble = lasting
        except Exception:
            log.exception("Nothing was resumed; it is tried again in a moment")
            continue
        if trouble is None:
            pause = SHORTEST_PAUSE_SECONDS
            continue
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        await operators.tell(SUBJECT, trouble.advice)
