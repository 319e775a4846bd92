"""Trainings and predictions on Replicate as tasks of ours: accepted ones, where to ask after them, what they say."""

import re
from urllib.parse import quote

from bot.errors import OutcomeUnknown, ProviderBroken
from bot.providers.replicate.replies import Record, record
from bot.providers.replicate.requests import model_path
from bot.providers.replies import Reply
from bot.providers.tasks import Task
from bot.providers.wire import Wire


class Tasks:
    """`api_url`, without a slash at its end, is where addresses that Replicate names lead: the key goes along."""

    def __init__(self, wire: Wire, *, api_url: str) -> None:
        self._wire = wire
        self._api_url = api_url

    async def read(self, task: Task) -> Record:
        return record((await self._wire.read(self._address(task, "get"))).json())

    async def cancel(self, task: Task) -> bool:
        reply = await self._wire.act("POST", self._address(task, "cancel"), accepted=(400, 404, 409, 422))
        return reply.status < 300 and record(reply.json()).status not in ("succeeded", "failed")

    def accepted(self, reply: Reply, kind: str, *, destination: str = "") -> Task:
        """`kind` is "trainings" or "predictions". An answer to a paid request that cannot be read is no refusal."""
        try:
            return self.task_of(record(reply.json()), kind, destination=destination)
        except ProviderBroken:
            raise OutcomeUnknown(
                "Replicate's answer makes no sense to me, so this was not sent again.", advice=f"HTTP {reply.status}"
            ) from None

    def task_of(self, described: Record, kind: str, *, destination: str = "") -> Task:
        """With the addresses that Replicate named, as far as they are its own, and that of a training's destination."""
        here = f"{self._api_url}/{kind}/{quote(described.id, safe='')}"
        links = {"get": here, "cancel": f"{here}/cancel"}
        named = {name: link for name, link in described.links.items() if link.startswith(f"{self._api_url}/")}
        kept = {name: named.get(name, link) for name, link in links.items()}
        trained = {"model": f"{self._api_url}/{model_path(destination)}"} if destination else {}
        return Task(id=described.id, links={**kept, **trained})

    def _address(self, task: Task, name: str) -> str:
        """As it was named; without that as a prediction, which every training is as well."""
        path = f"predictions/{quote(task.id, safe='')}" + ("/cancel" if name == "cancel" else "")
        return task.links.get(name) or path


def file_name(task: Task) -> str:
    """For a file of its results: what a provider calls a task is no path."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", task.id)[:100]
