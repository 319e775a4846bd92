"""A task that a person found at Black Forest Labs, held against what its job asked for.

A task is known at its own host only, and polling needs no key: whose account it is in, nobody says.
"""

import re
from collections.abc import Mapping
from typing import Any

from bot.errors import ProviderBroken, ProviderBusy, ProviderError, ProviderRefused, ProviderUnreachable
from bot.providers.attaching import UUID, another, difference, id_within, refuse_older, unknown
from bot.providers.bfl import replies
from bot.providers.bfl.cards import NO_TRAINING
from bot.providers.bfl.endpoints import TITLE, in_use_today
from bot.providers.bfl.finetunes import comment_in, made_at
from bot.providers.bfl.models import KeptModels
from bot.providers.bfl.requests import comment_of
from bot.providers.tasks import GenerationRequest, Task, TrainingRequest
from bot.providers.wire import Wire

# The hosts of polling links: one per region (PROVIDERS.md section 1).
POLLING_LINK = re.compile(r"(https://api(?:\.[a-z0-9]{1,10})?\.bfl\.(?:ai|ml))/v1/get_result\b", re.IGNORECASE)


def id_in(pasted: str) -> str:
    """Finetunes of 2025 have UUIDs as well. Raises `ProviderRefused`."""
    return id_within(pasted, UUID, title=TITLE)


def host_in(pasted: str) -> str:
    """The vendor's host that a pasted polling link names; "" without one."""
    link = POLLING_LINK.search(pasted)
    return link[1].lower() if link else ""


class Attaching:
    """`region_urls` are the other hosts of the API; `legacy_finetune`: whether trainings of 2025 may be there."""

    def __init__(
        self, wire: Wire, models: KeptModels, *, api_url: str, region_urls: tuple[str, ...], legacy_finetune: bool
    ) -> None:
        self._wire = wire
        self._models = models
        self._api_url = api_url
        self._region_urls = region_urls
        self._legacy_finetune = legacy_finetune

    async def task(self, request: TrainingRequest | GenerationRequest, pasted: str) -> Task:
        """Raises `ProviderGone` when no host knows it, `ProviderRefused` when it is another request's."""
        task_id = id_in(pasted)
        if isinstance(request, GenerationRequest):
            return await self._generation(request, task_id, self._hosts_for(request, host_in(pasted)))
        if not self._legacy_finetune:
            raise ProviderRefused(NO_TRAINING)
        return await self._training(request, task_id)

    def _hosts_for(self, request: GenerationRequest, named: str) -> tuple[str, ...]:
        """The one that was pasted first. A model is used where it lives; whatever else was sent to the first host may
        be at work in any region."""
        home = request.model.remote.get("api_url", "") if request.model else ""
        hosts = (home,) if home in self._region_urls else (self._api_url, *in_use_today(self._region_urls))
        return tuple(dict.fromkeys((named, *hosts) if named else hosts))

    async def _generation(self, request: GenerationRequest, task_id: str, hosts: tuple[str, ...]) -> Task:
        """A result may say its seed; a prompt in it may be rewritten and proves nothing."""
        host, poll = await self._poll(task_id, hosts)
        result = _object(poll.result)
        if (poll.status == replies.READY and "sample" not in result) or await self._is_training(task_id):
            raise another(TITLE, "it has no picture")
        if difference({"seed": request.seed}, result):
            raise another(TITLE, "its seed is not what was asked for")
        if host in (self._api_url, *self._region_urls):
            return Task(id=task_id, links={"api_url": host})
        return Task(id=task_id, links={"api_url": self._api_url, "polling_url": f"{host}/v1/get_result?id={task_id}"})

    async def _training(self, request: TrainingRequest, task_id: str) -> Task:
        """By our comment in its details; while it is not listed yet, a task that has no picture will do."""
        details = await self._models.details(self._api_url, task_id)
        refuse_older(made_at(details), request.job_id, title=TITLE)
        if (comment := comment_in(details)) and not comment.startswith(comment_of(request.job_id)):
            raise another(TITLE, "its comment names another job")
        if not details and task_id not in await self._models.listed(self._api_url):
            _host, poll = await self._poll(task_id, (self._api_url,))
            if "sample" in _object(poll.result):
                raise another(TITLE, "it made a picture and trained nothing")
        return replies.training_task(task_id, self._api_url)

    async def _is_training(self, task_id: str) -> bool:
        return self._legacy_finetune and bool(await self._models.details(self._api_url, task_id))

    async def _poll(self, task_id: str, hosts: tuple[str, ...]) -> tuple[str, replies.Poll]:
        """Raises `ProviderGone` when every host says that it does not know it."""
        trouble: ProviderError | None = None
        for host in hosts:
            try:
                reply = await self._wire.read(
                    f"{host}/v1/get_result", params={"id": task_id}, key=False, accepted=replies.STATUS_BODIES
                )
                poll = replies.poll_of(reply)
            except (ProviderUnreachable, ProviderBusy, ProviderBroken) as problem:
                trouble = problem
                continue
            if not poll.is_not_found:
                return host, poll
        raise trouble or unknown(TITLE, "task")


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
