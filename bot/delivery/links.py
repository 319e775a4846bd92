"""Links to pictures that are too large for Discord, when there is object storage."""

import logging
from pathlib import Path

from storage.objects import Objects, ObjectsRefused, ObjectsUnreachable

log = logging.getLogger(__name__)

LINK_SECONDS = 7 * 24 * 3600  # the longest an object store signs for


class Links:
    """`objects` is None without object storage."""

    def __init__(self, objects: Objects | None) -> None:
        self._objects = objects

    async def __call__(self, file: Path, key: str) -> str | None:
        """A fresh link; None when there is none to be had: the picture is kept, and nothing else hangs on it."""
        if self._objects is None:
            return None
        try:
            if not await self._objects.has(key, size_bytes=file.stat().st_size):
                await self._objects.put(file, key)
            return await self._objects.link(key, seconds=LINK_SECONDS)
        except (ObjectsRefused, ObjectsUnreachable) as problem:
            log.warning("%s cannot be linked: %s", key, problem)
            return None
