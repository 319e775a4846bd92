"""fal.ai: trains and generates through its queue. What is asked and answered is in the `fal_*` modules beside this."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from bot.addresses import AllowedHosts
from bot.errors import ProviderBroken, ProviderError, ProviderGone, ProviderModerated, ProviderRefused
from bot.providers.caching import Cache
from bot.providers.card import ProviderCard
from bot.providers.checks import check_generation, check_training
from bot.providers.disk import results_written
from bot.providers.fal import attaching, cards, failures, replies, requests
from bot.providers.pictures import LARGEST_PICTURE, PICTURE_TYPES, named_by_content
from bot.providers.signatures import NotGenuine, check_fal, fal_keys
from bot.providers.tasks import (
    FetchedPictures,
    Finished,
    GenerationRequest,
    Stopped,
    Task,
    TaskState,
    TrainedWeights,
    TrainingRequest,
    Webhook,
)
from bot.providers.weights import LARGEST_WEIGHTS, WeightsRefused, check_lora
from bot.providers.wire import Wire

QUEUE_URL = "https://queue.fal.run"
JWKS_URL = "https://rest.fal.ai/.well-known/jwks.json"
HOSTS = frozenset({"queue.fal.run", "queue.falrun.com", "rest.fal.ai", "fal.media", ".fal.media"})
# fal's own client turns to the second when the first does not answer (PROVIDERS.md section 4.6).
KEY_ORIGINS = frozenset({("https", "queue.fal.run", 443), ("https", "queue.falrun.com", 443)})
WEIGHT_TYPES = ("application/", "binary/")

# A request that nobody ever made: asking after it costs nothing and tells a wrong key (401) from a right one (404).
NOBODYS_REQUEST = "fal-ai/flux/requests/00000000-0000-0000-0000-000000000000/status"
NO_SUCH_REQUEST = (400, 404, 405, 410, 422)

KEYS_SECONDS = 24 * 3600.0  # section 4.2: at most a day
KEYS_AGAIN_SECONDS = 60.0


class FalProvider:
    """Implements `Trains`, `Generates` (with a model and without), `Attaches`, `Cancels` and `Knocks`."""

    def __init__(
        self,
        *,
        client: httpx.AsyncClient,
        key: str,
        api_url: str = QUEUE_URL,
        extra_hosts: frozenset[str] = frozenset(),
        cache: Cache | None = None,
        now: Callable[[], float] = time.time,
        jwks_url: str = JWKS_URL,
    ) -> None:
        def wire(explain: Callable[[Any], ProviderError | None]) -> Wire:
            return Wire(
                client,
                title=cards.CARD.title,
                base_url=api_url,
                key_headers={"Authorization": f"Key {key}"},
                hosts=AllowedHosts(HOSTS, extra_hosts=extra_hosts),
                key_origins=KEY_ORIGINS,
                explain=explain,
            )

        self._api_url = api_url
        self._queue = wire(failures.explain)
        self._results = wire(failures.explain_result)
        self._cache = cache or Cache(now=now)
        self._jwks_url = jwks_url

    @property
    def card(self) -> ProviderCard:
        return cards.CARD

    async def refresh(self) -> None:
        """Whether the key is still right. Raises `ProviderDenied`."""
        await self._queue.read(NOBODYS_REQUEST, accepted=NO_SUCH_REQUEST)

    async def prepare_training(self, request: TrainingRequest) -> Mapping[str, Any]:
        """Nothing: the dataset travels as a link or inside the request."""
        check_training(self.card, request)
        return {}

    async def tidy_training(self, prepared: Mapping[str, Any]) -> None:
        """Nothing was uploaded."""

    async def submit_training(self, request: TrainingRequest) -> Task:
        check_training(self.card, request)
        dataset_url = request.dataset_link or await _inline(request.dataset)
        body = requests.training_body(request, dataset_url)
        return await self._submit(request.trainer, body, request.webhook, headers=requests.NO_SECOND_RUN)

    async def submit_generation(self, request: GenerationRequest) -> Task:
        check_generation(self.card, request)
        return await self._submit(request.generator, requests.generation_body(request), request.webhook)

    async def check(self, task: Task) -> TaskState:
        reply = await self._queue.read(requests.with_logs(_link(task, "status_url")))
        state = replies.state_of(reply.json())
        match state:
            case Finished():
                return await self._judged(task, None)
            case Stopped(error=ProviderBroken() as error):
                return await self._judged(task, error)
        return state

    async def fetch_weights(self, task: Task, into: Path) -> TrainedWeights:
        url = replies.weights_url(await self._output(task))
        with results_written():
            await asyncio.to_thread(into.mkdir, parents=True, exist_ok=True)
            part = into / f"{task.id}.part"
            await self._queue.download(url, part, max_bytes=LARGEST_WEIGHTS, types=WEIGHT_TYPES)
            try:
                await asyncio.to_thread(check_lora, part)
            except WeightsRefused as reason:
                raise ProviderBroken(f"The weights that fal.ai made cannot be used: {reason}.") from None
            return TrainedWeights(path=part.rename(part.with_suffix(".safetensors")), remote={"lora_url": url})

    async def fetch_pictures(self, task: Task, into: Path) -> FetchedPictures:
        pictures = replies.pictures_of(await self._output(task))
        if all(picture.is_withheld for picture in pictures):
            raise failures.all_withheld()
        with results_written():
            await asyncio.to_thread(into.mkdir, parents=True, exist_ok=True)
            paths = [
                await self._fetch(picture.url, into / f"{task.id}-{index}.part")
                for index, picture in enumerate(pictures)
                if not picture.is_withheld
            ]
        return FetchedPictures(paths=paths, withheld=len(pictures) - len(paths))

    async def attach(self, request: TrainingRequest | GenerationRequest, task_id: str) -> Task:
        request_id = attaching.id_in(task_id)
        return await attaching.found(
            self._queue, self._results, api_url=self._api_url, request=request, request_id=request_id
        )

    async def cancel(self, task: Task) -> bool:
        """True for a running training too, though it only stops where its trainer listens (section 4.1)."""
        reply = await self._queue.act("PUT", _link(task, "cancel_url"), accepted=(400, 404))
        return replies.was_stopped(reply)

    async def check_webhook(
        self,
        headers: Mapping[str, str],
        body: bytes,
        *,
        secret: str,  # noqa: ARG002 - other providers sign with it
        now: float,
    ) -> str:
        """fal signs for everybody with its own keys, so `secret` proves nothing here: whether the request id is that
        of a task of ours is for the caller to know. Raises `NotGenuine`."""
        keys = await self._cache.get(("fal", "keys"), self._load_keys, seconds=KEYS_SECONDS)
        try:
            return check_fal(headers, body, keys=keys, now=now)
        except NotGenuine:
            newer = await self._cache.get(("fal", "keys again"), self._load_newer_keys, seconds=KEYS_AGAIN_SECONDS)
            request_id = check_fal(headers, body, keys=newer, now=now)
        self._cache.forget(("fal", "keys"))
        return request_id

    async def close(self) -> None:
        """The client belongs to whoever made it."""

    async def _submit(
        self, endpoint: str, body: Mapping[str, Any], webhook: Webhook | None, headers: Mapping[str, str] | None = None
    ) -> Task:
        query = requests.webhook_query(webhook)
        return replies.task_of(await self._queue.submit(endpoint, body=body, params=query, headers=headers))

    async def _judged(self, task: Task, failure: ProviderBroken | None) -> TaskState:
        """A completed request may still hold a refusal where its result should be; that one says why."""
        try:
            await self._results.read(_link(task, "response_url"))
        except (ProviderModerated, ProviderRefused) as refusal:
            return Stopped(error=refusal)
        except (ProviderBroken, ProviderGone) as error:
            return Stopped(error=failure or error)
        except ProviderError:
            if failure is None:
                raise
        return Stopped(error=failure) if failure else Finished()

    async def _output(self, task: Task) -> Any:
        return (await self._results.read(_link(task, "response_url"))).json()

    async def _fetch(self, url: str, part: Path) -> Path:
        if replies.is_inline(url):
            await asyncio.to_thread(part.write_bytes, replies.inline_bytes(url))
        else:
            await self._queue.download(url, part, max_bytes=LARGEST_PICTURE, types=PICTURE_TYPES)
        return named_by_content(part)

    async def _load_keys(self) -> tuple[bytes, ...]:
        reply = await self._queue.read(self._jwks_url, key=False)
        try:
            return fal_keys(reply.json())
        except ValueError as problem:
            raise ProviderBroken("fal.ai's keys for webhooks make no sense to me.", advice=str(problem)) from None

    async def _load_newer_keys(self) -> tuple[bytes, ...]:
        """None when they cannot be had: remembered as well, so that a stranger cannot make me ask all the time."""
        try:
            return await self._load_keys()
        except ProviderError:
            return ()


def _link(task: Task, name: str) -> str:
    link = task.links.get(name)
    if not link:
        raise ProviderGone("fal.ai never said where to ask after this.", advice=f"the stored task has no {name}")
    return link


async def _inline(dataset: Path) -> str:
    """The dataset as a data URI. Raises `ProviderRefused` when it is too large for that, or gone."""
    try:
        requests.check_inline((await asyncio.to_thread(dataset.stat)).st_size)
        return requests.as_data_uri(await asyncio.to_thread(dataset.read_bytes))
    except OSError:
        raise ProviderRefused("The dataset cannot be read any more: send the pictures again.") from None
