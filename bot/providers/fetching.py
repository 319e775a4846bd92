"""Streams an answer's body to disk: whole under its name, or not there at all."""

import os
from pathlib import Path

import httpx

CHUNK_BYTES = 1 << 16


class TooLarge(Exception):
    """There is more than was allowed."""


class Incomplete(Exception):
    """There is less than was announced."""


async def write_whole(response: httpx.Response, into: Path, *, max_bytes: int) -> None:
    """Readable by this bot's user only. Raises `TooLarge`, `Incomplete`, `OSError`, and whatever the wire raises."""
    part = into.with_name(f"{into.name}.part")
    try:
        await _write(response, part, max_bytes)
        part.replace(into)
    finally:
        part.unlink(missing_ok=True)


async def _write(response: httpx.Response, part: Path, max_bytes: int) -> None:
    announced = response.headers.get("content-length", "")
    size = 0
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        async for chunk in response.aiter_bytes(CHUNK_BYTES):
            size += len(chunk)
            if size > max_bytes:
                raise TooLarge
            file.write(chunk)
    if announced.isdecimal() and "content-encoding" not in response.headers and size < int(announced):
        raise Incomplete
