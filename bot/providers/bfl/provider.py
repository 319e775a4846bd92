"""Black Forest Labs: FLUX by its makers, with LoRAs that somebody uploaded in their dashboard. Called by workflows."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from bot.addresses import AllowedHosts, origin_of
from bot.errors import ProviderError, ProviderGone, ProviderRefused
from bot.providers.bfl import cards, endpoints, replies, requests
from bot.providers.bfl.attaching import Attaching
from bot.providers.bfl.endpoints import TITLE
from bot.providers.bfl.files import content_of, download_path, write_finetune
from bot.providers.bfl.first_seen import FirstSeen
from bot.providers.bfl.models import KeptModels
from bot.providers.caching import Cache
from bot.providers.card import ProviderCard
from bot.providers.disk import results_written
from bot.providers.pictures import LARGEST_PICTURE, PICTURE_TYPES, named_by_content
from bot.providers.signatures import check_bfl
from bot.providers.tasks import (
    Balance,
    FetchedPictures,
    Finished,
    GenerationRequest,
    Stopped,
    Task,
    TaskState,
    TrainedWeights,
    TrainingRequest,
    Working,
)
from bot.providers.wire import Wire

ACCOUNT_SECONDS = 3000.0  # `refresh` comes every hour
GRACE_SECONDS = 30.0  # a new task may be unknown for a moment: docs.bfl.ai/api_integration/errors


class BflProvider:
    """Implements `Generates`, `Attaches`, `Imports`, `Balances`, `Deletes` and `Knocks`.

    `Trains` and `Lists` are of use with `legacy_finetune` only: for an account that can still use the finetuning of
    2025. `region_urls` are further addresses of the same API that a finetune may live on; None means the vendor's own.
    The key goes to these and to `api_url` only; polls and deliveries go without it.
    """

    def __init__(
        self,
        *,
        client: httpx.AsyncClient,
        key: str,
        api_url: str = endpoints.API_URL,
        extra_hosts: frozenset[str] = frozenset(),
        cache: Cache | None = None,
        now: Callable[[], float] = time.time,
        legacy_finetune: bool = False,
        region_urls: tuple[str, ...] | None = None,
    ) -> None:
        self._api_url = api_url.rstrip("/")
        self._region_urls = endpoints.regions_of(self._api_url) if region_urls is None else region_urls
        self._card = cards.card_of(legacy_finetune=legacy_finetune)
        self._cache = cache or Cache()
        self._first_seen = FirstSeen(now)
        self._wire = Wire(
            client,
            title=TITLE,
            base_url=self._api_url,
            key_headers={"x-key": key},
            hosts=AllowedHosts(endpoints.HOSTS, extra_hosts=extra_hosts),
            key_origins=frozenset(origin_of(url) for url in self._region_urls),
            explain=replies.explain,
        )
        self._models = KeptModels(self._wire, self._cache)
        self._attaching = Attaching(
            self._wire,
            self._models,
            api_url=self._api_url,
            region_urls=self._region_urls,
            legacy_finetune=legacy_finetune,
        )

    @property
    def card(self) -> ProviderCard:
        return self._card

    async def refresh(self) -> None:
        with suppress(ProviderGone):  # the balance is a courtesy
            await self._cache.get((cards.NAME, "account"), self.balance, seconds=ACCOUNT_SECONDS)

    async def balance(self) -> Balance:
        return replies.balance_of(await self._wire.read("/v1/credits"))

    async def close(self) -> None:
        """The client belongs to whoever made it."""

    # Generating.

    async def submit_generation(self, request: GenerationRequest) -> Task:
        """A model is used at the host where it lives: elsewhere it is not known."""
        endpoint = requests.check_generation(request, self._card)
        images = [await asyncio.to_thread(content_of, path, endpoints.LARGEST_IMAGE) for path in request.images]
        body = await asyncio.to_thread(requests.generation_body, request, endpoint, images)
        api_url = self._api_url_in(request.model.remote if request.model else {})
        task = replies.task_of(await self._wire.submit(f"{api_url}/v1/{endpoint.id}", body=body), api_url)
        self._first_seen.seconds_ago(task.id)
        return task

    async def check(self, task: Task) -> TaskState:
        """Raises `ProviderGone` when the service does not know the task, and has had its moment to learn of it."""
        poll = await self._poll(task)
        if not poll.is_not_found:
            return replies.state_of(poll)
        if self._first_seen.seconds_ago(task.id) < GRACE_SECONDS:
            return Working(progress=None)
        if "my_finetunes" in task.links and task.id in await self._models.listed(self._api_url_in(task.links)):
            return Finished()  # a finished training may be forgotten as a task
        raise ProviderGone(f"{TITLE} does not know this task (any more): start it again.")

    async def fetch_pictures(self, task: Task, into: Path) -> FetchedPictures:
        """One picture. A link is valid for ten minutes, so one that has expired is asked for again, once."""
        try:
            path = await self._fetch_picture(task, into)
        except ProviderGone:
            path = await self._fetch_picture(task, into)
        return FetchedPictures(paths=[path])

    async def _fetch_picture(self, task: Task, into: Path) -> Path:
        poll = await self._poll(task)
        if poll.is_not_found:
            raise ProviderGone(f"{TITLE} no longer has this picture: make it again.")
        match replies.state_of(poll):
            case Stopped(error=error):
                raise error
            case Working():
                raise ProviderRefused(f"{TITLE} has not finished this picture yet.")
        link = replies.picture_link(poll)
        with results_written():
            path = await asyncio.to_thread(download_path, task.id, into)
            await self._wire.download(link, path, max_bytes=LARGEST_PICTURE, types=PICTURE_TYPES)
            return await asyncio.to_thread(named_by_content, path)

    async def _poll(self, task: Task) -> replies.Poll:
        """At the address that was named: the task is unknown elsewhere. Polling needs no key, so it gets none."""
        link = task.links.get("polling_url")
        url = link or f"{self._api_url_in(task.links)}/v1/get_result"
        params = None if link else {"id": task.id}
        accepted = replies.STATUS_BODIES
        return replies.poll_of(await self._wire.read(url, params=params, key=False, accepted=accepted))

    # Models that live there.

    async def look_up(self, reference: str, base_model: str) -> Mapping[str, str]:
        """`{"finetune_id", "api_url"}` of a LoRA: its name in the dashboard, or `owner/name` of a shared one.

        Whether the list shows what was uploaded by hand is not documented, so either answer will do.
        """
        finetune_id = requests.checked_finetune_id(reference.strip())
        requests.check_base_model(base_model, self._card)
        if await self._models.knows(self._api_url, finetune_id):
            return {"finetune_id": finetune_id, "api_url": self._api_url}
        for api_url in endpoints.in_use_today(self._region_urls):
            with suppress(ProviderError):  # a region that is down or shut is one that does not have it
                if await self._models.knows(api_url, finetune_id):
                    return {"finetune_id": finetune_id, "api_url": api_url}
        raise ProviderGone(
            f"{TITLE} knows no model of that name: upload it at dashboard.bfl.ai under Customization, Finetunes, "
            "and check how its name is spelt."
        )

    async def delete_model(self, remote: Mapping[str, str]) -> None:
        finetune_id = requests.checked_finetune_id(remote.get("finetune_id"))
        if "/" in finetune_id:
            raise ProviderRefused("This model is another organisation's: only its owner can delete it.")
        api_url = self._api_url_in(remote)
        try:
            await self._wire.act("POST", f"{api_url}/v1/delete_finetune", body={"finetune_id": finetune_id})
        except ProviderGone:
            return
        except ProviderRefused:
            if await self._models.knows(api_url, finetune_id):
                raise

    def _api_url_in(self, known: Mapping[str, str]) -> str:
        """Where the key may go: an address out of storage counts only when it is one of ours."""
        api_url = known.get("api_url", "")
        return api_url if api_url in self._region_urls else self._api_url

    # Training, as it was in 2025.

    async def prepare_training(self, request: TrainingRequest) -> Mapping[str, Any]:
        requests.check_training(request, self._card)
        return {}

    async def submit_training(self, request: TrainingRequest) -> Task:
        """Without the legacy flag it raises `ProviderRefused` with what to do instead, and nothing is sent."""
        requests.check_training(request, self._card)
        archive = await asyncio.to_thread(content_of, request.dataset, endpoints.LARGEST_DATASET)
        body = await asyncio.to_thread(requests.finetune_body, request, archive)
        task = replies.training_of(await self._wire.submit("/v1/finetune", body=body), self._api_url)
        self._first_seen.seconds_ago(task.id)
        return task

    async def fetch_weights(self, task: Task, into: Path) -> TrainedWeights:
        """Black Forest Labs never hands weights out, so `path` is a small JSON document that names the finetune."""
        api_url = self._api_url_in(task.links)
        if not await self._models.knows(api_url, task.id):
            raise ProviderGone(f"{TITLE} does not have this model (any more).")
        with results_written():
            path = await asyncio.to_thread(write_finetune, task.id, into)
        return TrainedWeights(path=path, remote={"finetune_id": task.id, "api_url": api_url})

    async def tidy_training(self, prepared: Mapping[str, Any]) -> None:
        """Nothing was uploaded beforehand."""

    async def find(self, request: TrainingRequest | GenerationRequest, *, since: float) -> Sequence[Task]:
        """Trainings by the `job_id` in their comment, the last listed first; of generations there is no list."""
        if not isinstance(request, TrainingRequest):
            return []
        found = await self._models.of_job(self._api_url, request.job_id, since=since)
        return [replies.training_task(finetune_id, self._api_url) for finetune_id in found]

    async def attach(self, request: TrainingRequest | GenerationRequest, task_id: str) -> Task:
        return await self._attaching.task(request, task_id)

    # Webhooks.

    async def check_webhook(self, headers: Mapping[str, str], body: bytes, *, secret: str, now: float) -> str:  # noqa: ARG002 - the proof tells no time
        check_bfl(headers, body, secret=secret)
        return hashlib.sha256(body).hexdigest()
