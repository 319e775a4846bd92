"""Streams an answer's body to disk, capped while it arrives: for Discord's files and for providers' results."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import httpx

CHUNK_BYTES = 1 << 16


class TooLarge(Exception):
    """There is more than was allowed."""


class Incomplete(Exception):
    """There is less than was announced."""


async def write_whole(response: httpx.Response, into: Path, *, max_bytes: int) -> None:
    """`write_capped`, and the file is whole under its name or not there at all."""
    part = into.with_name(f"{into.name}.part")
    try:
        await write_capped(response, part, max_bytes=max_bytes)
        part.replace(into)
    finally:
        part.unlink(missing_ok=True)


@dataclass(frozen=True, kw_only=True)
class Written:
    size_bytes: int
    sha256: str


async def write_capped(response: httpx.Response, into: Path, *, max_bytes: int) -> Written:
    """What came, hashed on its way into a file that only this bot's user may read.

    Raises `TooLarge`, `Incomplete`, `OSError`, and whatever the wire raises.
    """
    announced = response.headers.get("content-length", "")
    size, digest = 0, hashlib.sha256()
    descriptor = os.open(into, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        async for chunk in response.aiter_bytes(CHUNK_BYTES):
            size += len(chunk)
            if size > max_bytes:
                raise TooLarge
            digest.update(chunk)
            file.write(chunk)
    if announced.isdecimal() and "content-encoding" not in response.headers and size < int(announced):
        raise Incomplete
    return Written(size_bytes=size, sha256=digest.hexdigest())
