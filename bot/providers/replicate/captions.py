"""Describes a picture with a captioning model on Replicate: sends it, and waits for the sentence."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bot.errors import ProviderRefused, ProviderTimedOut
from bot.providers.replicate.cards import LARGEST_DATA_URL
from bot.providers.replicate.catalogue import Catalogue, Described
from bot.providers.replicate.replies import Record, caption_of, record, state_of
from bot.providers.replicate.requests import caption_input, model_path
from bot.providers.replicate.uploads import remove_upload, upload
from bot.providers.tasks import Finished, Stopped
from bot.providers.wire import Wire

MOST_LOOKS = 60
PAUSE_SECONDS = 2.0
LARGEST_PICTURE = 20 * 2**20  # bytes
MEDIA_TYPES = ((b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"RIFF", "image/webp"))


class Captioner:
    """`model` is "owner/name" with an input `image` and an output of text, such as salesforce/blip."""

    def __init__(
        self, wire: Wire, catalogue: Catalogue, *, model: str, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._wire = wire
        self._catalogue = catalogue
        self._model = model
        self._sleep = sleep

    async def caption(self, picture: Path) -> str:
        content = await asyncio.to_thread(_read, picture)
        described = await self._catalogue.latest(self._model, "Input")
        link = data_url(content)
        if len(link) <= LARGEST_DATA_URL:
            return await self._describe(described, link)
        uploaded = await upload(
            self._wire, picture, name=f"picture{picture.suffix[:8]}", media_type=media_type(content), metadata={}
        )
        try:
            return await self._describe(described, uploaded.url)
        finally:
            await remove_upload(self._wire, uploaded.id)

    async def _describe(self, described: Described, image: str) -> str:
        body: dict[str, Any] = {"input": caption_input(described.schema, image)}
        if described.version:
            reply = await self._wire.submit("predictions", body={"version": described.version, **body})
        else:
            reply = await self._wire.submit(model_path(self._model, "predictions"), body=body)
        return caption_of(await self._wait_for(record(reply.json())))

    async def _wait_for(self, task: Record) -> Record:
        path = f"predictions/{quote(task.id, safe='')}"
        for _look in range(MOST_LOOKS):
            state = state_of(task)
            if isinstance(state, Stopped):
                raise state.error
            if isinstance(state, Finished):
                return task
            await self._sleep(PAUSE_SECONDS)
            task = record((await self._wire.read(path)).json())
        await self._wire.act("POST", f"{path}/cancel", accepted=(404, 409, 422))
        raise ProviderTimedOut("Replicate takes too long to describe this picture.")


def media_type(content: bytes) -> str:
    """Raises `ProviderRefused` for what is no PNG, JPEG or WebP."""
    for head, name in MEDIA_TYPES:
        if content.startswith(head):
            return name
    raise ProviderRefused("Only PNG, JPEG and WebP pictures can be described.")


def data_url(content: bytes) -> str:
    return f"data:{media_type(content)};base64,{base64.b64encode(content).decode('ascii')}"


def _read(picture: Path) -> bytes:
    try:
        with picture.open("rb") as file:
            content = file.read(LARGEST_PICTURE + 1)
    except OSError:
        raise ProviderRefused("The picture that should be described is not there any more.") from None
    if len(content) > LARGEST_PICTURE:
        raise ProviderRefused("The picture is too large to be described.")
    return content
