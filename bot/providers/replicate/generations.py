"""Generates on Replicate, with a version trained there or with an official model. Called by `replicate.py`."""

import asyncio
from pathlib import Path

from bot.providers.disk import results_written
from bot.providers.pictures import LARGEST_PICTURE, PICTURE_TYPES, named_by_content
from bot.providers.replicate.catalogue import Catalogue
from bot.providers.replicate.history import Sought
from bot.providers.replicate.replies import pictures_of, withheld
from bot.providers.replicate.requests import Version, generation_input, model_path, webhook_fields
from bot.providers.replicate.schemas import Schema
from bot.providers.replicate.tasks import Tasks, file_name
from bot.providers.tasks import FetchedPictures, GenerationRequest, Task
from bot.providers.wire import Wire


class Generations:
    def __init__(self, wire: Wire, catalogue: Catalogue, tasks: Tasks) -> None:
        self._wire = wire
        self._catalogue = catalogue
        self._tasks = tasks

    async def submit(self, request: GenerationRequest) -> Task:
        """The input is held against the version's own schema before it is sent."""
        fields = {"input": generation_input(await self._schema_for(request), request)}
        fields |= webhook_fields(request.webhook)
        if request.model is None:
            reply = await self._wire.submit(model_path(request.generator, "predictions"), body=fields)
        else:
            version = Version.of(request.model.remote)
            reply = await self._wire.submit("predictions", body={"version": version.id, **fields})
        return self._tasks.accepted(reply, "predictions")

    async def fetch_pictures(self, task: Task, into: Path) -> FetchedPictures:
        """From replicate.delivery and without the key, which it does not want."""
        done = await self._tasks.read(task)
        links = pictures_of(done)
        with results_written():
            into.mkdir(mode=0o700, parents=True, exist_ok=True)
            paths = [await self._fetch(link, into / f"{file_name(task)}-{index}") for index, link in enumerate(links)]
        return FetchedPictures(paths=paths, withheld=withheld(done, len(paths)))

    async def _fetch(self, link: str, into: Path) -> Path:
        await self._wire.download(link, into, max_bytes=LARGEST_PICTURE, types=PICTURE_TYPES, key=False)
        return await asyncio.to_thread(named_by_content, into)

    async def sought(self, request: GenerationRequest) -> Sought:
        """How a prediction of this request is recognised."""
        fields = generation_input(await self._schema_for(request), request)
        if request.model is None:
            return Sought(kind="predictions", input=fields, model=request.generator)
        return Sought(kind="predictions", input=fields, version=Version.of(request.model.remote).id)

    async def _schema_for(self, request: GenerationRequest) -> Schema:
        if request.model is None:
            return (await self._catalogue.latest(request.generator, "Input")).schema
        return await self._catalogue.schema_of(Version.of(request.model.remote))
