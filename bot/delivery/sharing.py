"""A job's pictures as messages that Discord takes: made smaller where they must be, else linked or kept."""

import asyncio
import io
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import dataclass
from pathlib import Path

import discord

from bot.delivery.planning import BYTES_PER_MESSAGE, Sized, plan
from bot.delivery.refusals import PlaceRefused, TooLarge
from bot.messages.results import Share, alt_text, picture_file_name
from bot.pictures.checking import kind_of, kind_of_bytes
from bot.pictures.fitting import fit_picture
from storage.files import Files
from storage.jobs import Job
from storage.pictures import Picture

log = logging.getLogger(__name__)

DEFAULT_FILE_BYTES: int = discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES  # in a direct message, and where nobody knows

LinkTo = Callable[[Path, str], Awaitable[str | None]]  # a kept file, and the key to share it by


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A picture that can be attached: as it lies in the file store, or made smaller."""

    content: Path | bytes
    name: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class PicturesMessage:
    """One message: the positions it speaks of, what its card shows, and what it carries, by number."""

    job: Job
    positions: tuple[int, ...]
    share: Share
    carried: dict[int, Ready]

    def files(self) -> list[discord.File]:
        """Opened anew for every attempt: sending closes them."""
        return [
            discord.File(
                io.BytesIO(ready.content) if isinstance(ready.content, bytes) else ready.content,
                filename=ready.name,
                description=alt_text(self.job, number),
            )
            for number, ready in self.carried.items()
        ]


Send = Callable[[PicturesMessage], Awaitable[None]]


class Sharing:
    """`link_to` answers None when a file cannot be had by link."""

    def __init__(self, *, files: Files, pool: Executor, link_to: LinkTo) -> None:
        self._files = files
        self._pool = pool
        self._link_to = link_to

    async def send_all(
        self, job: Job, pictures: Sequence[Picture], send: Send, *, bytes_per_file: int, told: Collection[int] = ()
    ) -> None:
        """Hand every picture that was not `told` of to `send`; where that raises `TooLarge`, in smaller files.

        Raises `PlaceRefused` when not even a message without files was small enough, and whatever `send` raises.
        """
        done = set(told)
        for limit in _falling(bytes_per_file):
            try:
                for message in await self._messages(job, pictures, done, bytes_per_file=limit):
                    await send(message)
                    done.update(message.positions)
            except TooLarge as refusal:
                log.info("Pictures of job %s were too large with %d bytes each: %s", job.id, limit, refusal)
            else:
                return
        raise PlaceRefused("A message without any file was too large.")

    async def _messages(
        self, job: Job, pictures: Sequence[Picture], told: Collection[int], *, bytes_per_file: int
    ) -> list[PicturesMessage]:
        waiting = {picture.position: picture for picture in pictures if picture.position not in told}
        ready = {position: await self._ready(job, one, bytes_per_file) for position, one in waiting.items()}
        sizes = [
            Sized(position=position, size_bytes=one.size_bytes if one else None) for position, one in ready.items()
        ]
        planned = plan(sizes, bytes_per_file=bytes_per_file)
        messages = []
        for index, one in enumerate(planned):
            carried = {position + 1: found for position in one.attached if (found := ready[position])}
            links = await self._links([waiting[position] for position in one.left])
            share = Share(
                attached={number: found.name for number, found in carried.items()},
                links=links,
                kept=tuple(position + 1 for position in one.left if position + 1 not in links),
                made=len(pictures),
                is_first=not told and index == 0,
                is_last=index == len(planned) - 1,
            )
            messages.append(PicturesMessage(job=job, positions=one.positions, share=share, carried=carried))
        return messages

    async def _ready(self, job: Job, picture: Picture, bytes_per_file: int) -> Ready | None:
        """None when the picture cannot be attached, whatever is done to it."""
        path, number = self._files.path_of(picture.file), picture.position + 1
        limit = min(bytes_per_file, BYTES_PER_MESSAGE)
        try:
            size = path.stat().st_size
            if size <= limit:
                return Ready(content=path, name=picture_file_name(job, number, kind_of(path)), size_bytes=size)
        except OSError as problem:
            log.warning("Picture %d of job %s cannot be read: %s", number, job.id, problem)
            return None
        smaller = await self._smaller(path, limit) if limit else None
        if smaller is None:
            return None
        name = picture_file_name(job, number, kind_of_bytes(smaller))
        return Ready(content=smaller, name=name, size_bytes=len(smaller))

    async def _smaller(self, path: Path, max_bytes: int) -> bytes | None:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, fit_picture, path, max_bytes)
        except BrokenExecutor:  # perhaps somebody else's picture broke the worker: this one is kept
            return None

    async def _links(self, pictures: Sequence[Picture]) -> dict[int, str]:
        """By number; what has none is kept."""
        links: dict[int, str] = {}
        for picture in pictures:
            path = self._files.path_of(picture.file)
            if not path.is_file():
                continue
            if link := await self._link_to(path, f"pictures/{picture.file}.{kind_of(path)}"):
                links[picture.position + 1] = link
        return links


def _falling(bytes_per_file: int) -> tuple[int, ...]:
    """What is tried one after the other: as much as the place should take, half of that twice, no file at all."""
    half = min(bytes_per_file // 2, DEFAULT_FILE_BYTES)
    return bytes_per_file, half, half // 2, 0
