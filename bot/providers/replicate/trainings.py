"""Trains on Replicate: destination, dataset, the paid request, and the weights afterwards. Called by `replicate.py`."""

import asyncio
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bot.errors import ProviderBroken, ProviderGone, ProviderRefused
from bot.providers.disk import results_written
from bot.providers.replicate.catalogue import Catalogue
from bot.providers.replicate.history import Sought
from bot.providers.replicate.replies import version_of, weights_of
from bot.providers.replicate.requests import (
    VERSION,
    Prepared,
    Version,
    destination_name,
    hardware_of,
    images_of,
    model_path,
    recognised_input,
    training_body,
    training_input,
)
from bot.providers.replicate.tasks import Tasks, file_name
from bot.providers.replicate.uploads import upload
from bot.providers.replicate.weights import take_weights
from bot.providers.tasks import Task, TrainedWeights, TrainingRequest
from bot.providers.weights import LARGEST_WEIGHTS
from bot.providers.wire import Wire

WEIGHTS_TYPES = ("application/", "binary/octet-stream")


class Trainings:
    """`api_url` and `site_url` are where the key may go when weights are fetched; neither ends with a slash."""

    def __init__(
        self, wire: Wire, catalogue: Catalogue, tasks: Tasks, *, api_url: str, site_url: str, now: Callable[[], float]
    ) -> None:
        self._wire = wire
        self._catalogue = catalogue
        self._tasks = tasks
        self._api_url = api_url
        self._site_url = site_url
        self._now = now

    async def prepare(self, request: TrainingRequest, *, owner: str) -> Mapping[str, Any]:
        """The input is held against the trainer's own schema here, before anything costs money."""
        trainer = await self._catalogue.latest(request.trainer, "TrainingInput")
        if not trainer.version:
            raise ProviderBroken("Replicate does not say which version of this trainer is the latest.")
        images = request.dataset_link or f"{self._api_url}/files"
        training_input(request.trainer, trainer.schema, request.settings, images)
        name = destination_name(request.job_id)
        hardware = hardware_of(await self._catalogue.hardware())
        await self._catalogue.ensure_model(owner, name, hardware=hardware)
        prepared = Prepared(
            trainer=request.trainer, version=trainer.version, schema=trainer.schema, destination=f"{owner}/{name}"
        )
        return {**prepared.as_json(), **({} if request.dataset_link else await self._uploaded(request))}

    async def submit(self, request: TrainingRequest) -> Task:
        prepared = Prepared.of(request.prepared)
        if not images_of(prepared, request):
            raise ProviderRefused("The dataset of this training is nowhere to be found: please start it again.")
        if prepared.file_expires_at is not None and prepared.file_expires_at <= self._now():
            raise ProviderGone("Replicate no longer has the dataset of this training: please start it again.")
        path = model_path(prepared.trainer, "versions", prepared.version, "trainings")
        reply = await self._wire.submit(path, body=training_body(prepared, request))
        return self._tasks.accepted(reply, "trainings", destination=prepared.destination)

    async def fetch_weights(self, task: Task, into: Path) -> TrainedWeights:
        """Weights that are removed leave their version: Replicate itself can use it as before."""
        done = await self._tasks.read(task)
        if done.status != "succeeded":
            raise ProviderRefused("This has no weights: the training has not ended well.")
        version = VERSION.fullmatch(version_of(done)) or VERSION.fullmatch(await self._kept_version(task))
        remote = {"version": version[0]} if version else {}
        weights = into / f"{file_name(task)}.safetensors"
        with results_written():
            into.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                await self._fetch(weights_of(done), version, weights)
            except ProviderGone:
                if remote and await self._catalogue.has_version(Version.of(remote)):
                    return TrainedWeights(path=None, remote=remote)
                raise
        return TrainedWeights(path=weights, remote=remote)

    async def _fetch(self, named: str, version: re.Match[str] | None, into: Path) -> None:
        download = into.with_suffix(".download")
        try:
            await self._download(named, version, download)
            await asyncio.to_thread(take_weights, download, into)
        finally:
            download.unlink(missing_ok=True)

    async def _kept_version(self, task: Task) -> str:
        """The destination's only version: it is still there when nothing is kept of its training any more."""
        try:
            return await self._catalogue.version_at(task.links["model"]) if "model" in task.links else ""
        except (ProviderGone, ProviderBroken):
            return ""

    async def _uploaded(self, request: TrainingRequest) -> Mapping[str, Any]:
        name = f"{destination_name(request.job_id)}.zip"
        metadata = {"job_id": request.job_id}
        file = await upload(self._wire, request.dataset, name=name, media_type="application/zip", metadata=metadata)
        return {"file_id": file.id, "file_url": file.url, "file_expires_at": file.expires_at}

    async def _download(self, named: str, version: re.Match[str] | None, into: Path) -> None:
        """From the task's own link, or when that has expired from the trained model's page.

        Results on replicate.delivery are read without the key; Replicate's own addresses need it.
        """
        page = f"{self._site_url}/{version[1]}/{version[2]}/_weights" if version else ""
        for link in filter(None, (named, page)):
            key = link.startswith((f"{self._api_url}/", f"{self._site_url}/"))
            try:
                await self._wire.download(link, into, max_bytes=LARGEST_WEIGHTS, types=WEIGHTS_TYPES, key=key)
            except ProviderGone:
                continue
            return
        raise ProviderGone("Replicate no longer has what this training made: please train it again.")


def sought_training(request: TrainingRequest) -> Sought | None:
    """How a training of this request is recognised; None when nothing was prepared, so that nothing was sent. Pure."""
    if not request.prepared:
        return None
    prepared = Prepared.of(request.prepared)
    return Sought(
        kind="trainings",
        input=recognised_input(prepared, request),
        version=prepared.version,
        destination=prepared.destination,
        job_id=request.job_id,
    )
