"""What the engine's library may log: our handler formats it, and what is no trouble is left out."""

import logging
import time

SECONDS_BETWEEN_COMPLAINTS = 60.0
COMPLAINTS = (
    "Exception encountered in queue",
    "Exception finding work",
    "Exception in background job",
    "Database connection",
)


class _NoOrderlyEnds(logging.Filter):
    """A story that its person cancelled, or that a stop put down, is no trouble, though the engine logs it as such.

    Its queues look ten times a second, and would say as often that the storage does not work.
    """

    def __init__(self) -> None:
        super().__init__()
        self._complain_from = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if message.startswith("Asyncio task cancelled"):
            return False
        if message.startswith(COMPLAINTS):
            return self._is_due()
        error = record.exc_info[1] if record.exc_info else None
        return type(error).__name__ != "DBOSAwaitedWorkflowCancelledError"

    def _is_due(self) -> bool:
        now = time.monotonic()
        if now < self._complain_from:
            return False
        self._complain_from = now + SECONDS_BETWEEN_COMPLAINTS
        return True


def log_as_we_do() -> None:
    """The engine brings its own handler; ours formats, and replaces secrets."""
    logger = logging.getLogger("dbos")
    logger.setLevel(logging.WARNING)
    logger.propagate = True
    logger.handlers.clear()
    logger.filters = [_NoOrderlyEnds()]
