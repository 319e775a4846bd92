"""Replicate: trains FLUX.1 [dev] LoRAs into private models of the account, and generates with them.

What is sent and what it means is in `replicate_requests.py` and `replicate_replies.py`; this class only sends.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from bot.addresses import AllowedHosts, origin_of
from bot.errors import ProviderDenied, ProviderError, ProviderGone, ProviderRefused
from bot.providers.caching import Cache
from bot.providers.card import ProviderCard
from bot.providers.checks import check_generation, check_training
from bot.providers.pace import Pace
from bot.providers.replicate.attaching import id_in, kind_of, read_task
from bot.providers.replicate.captions import Captioner
from bot.providers.replicate.cards import (
    API_URL,
    CALLS_PER_MINUTE,
    CAPTION_MODEL,
    CARD,
    HOSTS,
    SITE_URL,
    TITLE,
    card_without,
)
from bot.providers.replicate.catalogue import Catalogue
from bot.providers.replicate.generations import Generations
from bot.providers.replicate.history import find_tasks
from bot.providers.replicate.replies import explain, state_of, training_state_of
from bot.providers.replicate.requests import Prepared, Version, model_path
from bot.providers.replicate.tasks import Tasks
from bot.providers.replicate.trainings import Trainings, sought_training
from bot.providers.replicate.uploads import remove_upload
from bot.providers.signatures import check_replicate
from bot.providers.tasks import (
    Balance,
    FetchedPictures,
    GenerationRequest,
    Task,
    TaskState,
    TrainedWeights,
    TrainingRequest,
)
from bot.providers.wire import Wire


class ReplicateProvider:
    """Implements `Trains`, `Generates`, `Lists`, `Attaches`, `Cancels`, `Balances`, `Deletes`, `Captions` and
    `Knocks`.

    `owner` is the user or organization that gets the models; by default the key's own. `caption_model` is "owner/name".
    """

    def __init__(
        self,
        *,
        client: httpx.AsyncClient,
        key: str,
        api_url: str = API_URL,
        site_url: str = SITE_URL,
        extra_hosts: frozenset[str] = frozenset(),
        owner: str | None = None,
        caption_model: str = CAPTION_MODEL,
        cache: Cache | None = None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        api_url, site_url = api_url.rstrip("/"), site_url.rstrip("/")
        self._api_url = api_url
        self._owner = owner
        self._card = CARD
        self._gone: dict[str, str] = {}
        self._wire = Wire(
            client,
            title=TITLE,
            base_url=api_url,
            key_headers={"Authorization": f"Bearer {key}"},
            key_origins=frozenset({origin_of(site_url)}),
            hosts=AllowedHosts(HOSTS, extra_hosts=extra_hosts),
            explain=explain,
            pace=Pace(CALLS_PER_MINUTE),
        )
        self._catalogue = Catalogue(self._wire, cache or Cache())
        self._tasks = Tasks(self._wire, api_url=api_url)
        self._generations = Generations(self._wire, self._catalogue, self._tasks)
        self._trainings = Trainings(
            self._wire, self._catalogue, self._tasks, api_url=api_url, site_url=site_url, now=now
        )
        self._captioner = Captioner(self._wire, self._catalogue, self._tasks, model=caption_model, sleep=sleep)

    @property
    def card(self) -> ProviderCard:
        return self._card

    async def refresh(self) -> None:
        """The key is tried for real; a trainer or model that is gone is not offered until it is back."""
        self._catalogue.forget_account()
        await self._catalogue.account()
        for trainer in CARD.trainers:
            await self._look_for(trainer.id, "TrainingInput")
        for generator in CARD.generators:
            if not generator.needs_model:
                await self._look_for(generator.id, "Input")
        self._card = card_without(self._gone)

    async def check(self, task: Task) -> TaskState:
        described = await self._tasks.read(task)
        return training_state_of(described) if "model" in task.links else state_of(described)

    async def close(self) -> None:
        """The client belongs to whoever made it."""

    async def prepare_training(self, request: TrainingRequest) -> Mapping[str, Any]:
        check_training(self._card, request)
        return await self._trainings.prepare(request, owner=await self._owner_name())

    async def submit_training(self, request: TrainingRequest) -> Task:
        return await self._trainings.submit(request)

    async def fetch_weights(self, task: Task, into: Path) -> TrainedWeights:
        return await self._trainings.fetch_weights(task, into)

    async def tidy_training(self, prepared: Mapping[str, Any]) -> None:
        if isinstance(file_id := prepared.get("file_id"), str) and file_id:
            await remove_upload(self._wire, file_id)

    async def submit_generation(self, request: GenerationRequest) -> Task:
        check_generation(self._card, request)
        return await self._generations.submit(request)

    async def fetch_pictures(self, task: Task, into: Path) -> FetchedPictures:
        return await self._generations.fetch_pictures(task, into)

    async def find(self, request: TrainingRequest | GenerationRequest, *, since: float) -> Sequence[Task]:
        """A training by `prepared`, `settings` and `dataset_link`, or else the `job_id` that its dataset is named for.

        A generation by `generator`, `model.remote` and what was chosen (prompt, seed, aspect ratio, strength, count):
        Replicate keeps nothing of our job with it. Raises `ProviderGone` when its version is not described any more.
        """
        if isinstance(request, TrainingRequest):
            sought = sought_training(request)
        else:
            sought = await self._generations.sought(request)
        if sought is None:
            return []
        found = await find_tasks(self._wire, sought, api_url=self._api_url, since=since)
        return [self._tasks.task_of(one, sought.kind, destination=sought.destination) for one in found]

    async def attach(self, request: TrainingRequest | GenerationRequest, task_id: str) -> Task:
        found = await read_task(self._wire, request, id_in(task_id))
        destination = Prepared.of(request.prepared).destination if isinstance(request, TrainingRequest) else ""
        return self._tasks.task_of(found, kind_of(request), destination=destination)

    async def cancel(self, task: Task) -> bool:
        return await self._tasks.cancel(task)

    async def balance(self) -> Balance:
        """Replicate says whose account it is, and not what is left on it."""
        return Balance(account=await self._catalogue.account())

    async def delete_model(self, remote: Mapping[str, str]) -> None:
        """The version goes within minutes; its model goes only when it is empty by then, and is harmless otherwise."""
        version = Version.of(remote)
        if version.owner != await self._owner_name():
            raise ProviderRefused("This model belongs to another account at Replicate: it is not deleted.")
        model = f"{version.owner}/{version.name}"
        await self._wire.act("DELETE", model_path(model, "versions", version.id), accepted=(404, 410))
        await self._wire.act("DELETE", model_path(model), accepted=(400, 403, 404, 409, 410, 422))

    async def caption(self, picture: Path) -> str:
        return await self._captioner.caption(picture)

    async def check_webhook(
        self,
        headers: Mapping[str, str],
        body: bytes,
        *,
        secret: str,  # noqa: ARG002 - Replicate signs with a secret of its own for the whole account
        now: float,
    ) -> str:
        return check_replicate(headers, body, secret=await self._catalogue.webhook_secret(), now=now)

    async def _owner_name(self) -> str:
        return self._owner or await self._catalogue.account()

    async def _look_for(self, model: str, schema_name: str) -> None:
        """Only what is certainly gone is not offered; trouble in passing changes nothing."""
        try:
            await self._catalogue.latest(model, schema_name)
        except ProviderDenied:
            raise
        except ProviderGone:
            self._gone[model] = f"Replicate does not offer {model} any more: please choose another one."
        except ProviderError:
            return
        else:
            self._gone.pop(model, None)
