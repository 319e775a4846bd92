"""Describes a picture with a captioning model on Replicate: sends it once, and waits for the sentence."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from bot.errors import (
    OutcomeUnknown,
    ProviderBroken,
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderTimedOut,
    ProviderUnreachable,
    TaskEnded,
)
from bot.providers.replicate.cards import LARGEST_DATA_URL
from bot.providers.replicate.catalogue import Catalogue, Described
from bot.providers.replicate.replies import Record, caption_of, state_of
from bot.providers.replicate.requests import caption_input, model_path
from bot.providers.replicate.tasks import Tasks
from bot.providers.replicate.uploads import remove_upload, upload
from bot.providers.tasks import Finished, Stopped, Task
from bot.providers.wire import Wire

MOST_LOOKS = 60
PAUSE_SECONDS = 2.0
READY_SECONDS = 180.0  # for what comes before the paid request
WAIT_SECONDS = 300.0  # for the sentence
TIDY_SECONDS = 30.0
LARGEST_PICTURE = 20 * 2**20  # bytes
IN_PASSING = (ProviderBusy, ProviderUnreachable, ProviderBroken)  # a look that failed, not the task


class Captioner:
    """`model` is "owner/name" with an input `image` and an output of text, such as salesforce/blip."""

    def __init__(
        self,
        wire: Wire,
        catalogue: Catalogue,
        tasks: Tasks,
        *,
        model: str,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._wire = wire
        self._catalogue = catalogue
        self._tasks = tasks
        self._model = model
        self._sleep = sleep

    async def caption(self, picture: Path) -> str:
        content = await asyncio.to_thread(_read, picture)
        kind = media_type(content)
        async with self._within_reach(picture, content, kind) as (described, link):
            task = await self._submit(described, link)
            try:
                return caption_of(await self._result(task))
            except OutcomeUnknown:
                raise
            except ProviderError as verdict:  # on this picture: it says nothing about the provider
                raise TaskEnded(verdict.sentence, category=verdict.category, advice=verdict.advice) from None

    @contextlib.asynccontextmanager
    async def _within_reach(self, picture: Path, content: bytes, kind: str) -> AsyncIterator[tuple[Described, str]]:
        """The model, and the picture where it can be read: in a data URL, or uploaded for as long as it takes."""
        uploaded = None
        try:
            async with asyncio.timeout(READY_SECONDS):
                described = await self._catalogue.latest(self._model, "Input")
                link = data_url(content, kind)
                if len(link) > LARGEST_DATA_URL:
                    name = f"picture{picture.suffix[:8]}"
                    uploaded = await upload(self._wire, picture, name=name, media_type=kind, metadata={})
                    link = uploaded.url
        except TimeoutError:
            raise ProviderUnreachable("Replicate takes too long to get ready for this picture.") from None
        try:
            yield described, link
        finally:
            if uploaded is not None:
                await _tried(remove_upload(self._wire, uploaded.id))

    async def _submit(self, described: Described, image: str) -> Task:
        body: dict[str, Any] = {"input": caption_input(described.schema, image)}
        if described.version:
            reply = await self._wire.submit("predictions", body={"version": described.version, **body})
        else:
            reply = await self._wire.submit(model_path(self._model, "predictions"), body=body)
        return self._tasks.accepted(reply, "predictions")

    async def _result(self, task: Task) -> Record:
        """It is paid for by now: no trouble in asking may look as if nothing had been accepted."""
        seen: Record | None = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WAIT_SECONDS):
                for _look in range(MOST_LOOKS):
                    await self._sleep(PAUSE_SECONDS)
                    seen = await self._look_at(task)
                    if seen is not None and isinstance(state_of(seen), Finished):
                        return seen
        await _tried(self._tasks.cancel(task))
        if seen is None:
            raise _unknown("no answer came at the end")
        raise ProviderTimedOut("Replicate takes too long to describe this picture.")

    async def _look_at(self, task: Task) -> Record | None:
        """None when this look failed in passing. Raises the verdict on a task that ended without a sentence."""
        try:
            seen = await self._tasks.read(task)
        except IN_PASSING:
            return None
        except ProviderError as error:
            raise _unknown(error.advice or error.sentence) from None
        state = state_of(seen)
        if isinstance(state, Stopped):
            raise state.error
        return seen


def media_type(content: bytes) -> str:
    """Raises `ProviderRefused` for what is no PNG, JPEG or WebP."""
    if content.startswith(b"\x89PNG"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    raise ProviderRefused("Only PNG, JPEG and WebP pictures can be described.")


def data_url(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _unknown(why: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        "Replicate accepted this picture and does not say what became of it, so it was not sent again.", advice=why
    )


async def _tried(call: Awaitable[object]) -> None:
    """What is done to leave nothing behind: when it fails, what was found out before still counts."""
    with contextlib.suppress(ProviderError, TimeoutError):
        async with asyncio.timeout(TIDY_SECONDS):
            await call


def _read(picture: Path) -> bytes:
    try:
        with picture.open("rb") as file:
            content = file.read(LARGEST_PICTURE + 1)
    except OSError:
        raise ProviderRefused("The picture that should be described is not there any more.") from None
    if len(content) > LARGEST_PICTURE:
        raise ProviderRefused("The picture is too large to be described.")
    return content
