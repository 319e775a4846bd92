"""A server with a channel and two people, and what they read in it."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import simcord

from bot.client import Atelier
from storage.jobs import Job, add_job, change_job
from storage.places import Place
from storage.statuses import JobStatus
from tests.builders import dataset, finetune_job, store_dataset

NUMBERS = itertools.count(1001)


class Town:
    def __init__(self, env: simcord.Env) -> None:
        self.env = env
        server = env.create_guild()
        self.training = server.create_text_channel("training")
        self.ann = server.add_member(env.create_user("ann"))
        self.ben = server.add_member(env.create_user("ben"))
        self.place = Place(server_id=server.id, channel_id=self.training.id, person_id=self.ann.id)

    @property
    def bot(self) -> Atelier:
        assert isinstance(self.env.bot, Atelier)
        return self.env.bot

    async def ann_has(self, job: Job) -> tuple[str, Any]:
        """A job of Ann's as it stands in storage: its id, and its card in the channel."""
        job_id = str(next(NUMBERS))
        details = {**job.details, "trainer": "preview", "generator": "preview", "dataset": job_id}
        job = replace(job, id=job_id, place=self.place, provider="local", details=details)
        async with self.bot.resources.database.writing() as connection:
            await add_job(connection, job)
            await change_job(connection, job.id, status=job.status)
            await store_dataset(connection, dataset(id=job.id, place=self.place))
        await self.bot.notifier.refresh(job.id)
        return job.id, self.training.last_message

    async def ann_has_a_review(self) -> tuple[str, Any]:
        return await self.ann_has(finetune_job(status=JobStatus.REVIEW))


def text_of(components: list[dict[str, Any]]) -> str:
    return "\n".join(one["content"] for one in walk(components) if one["type"] == 10)


def walk(components: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in components:
        yield one
        yield from walk(one.get("components", []))


def words(result: simcord.InteractionResult) -> str:
    """What the one who acted reads: the answer and whatever followed it."""
    answers = [result.response, *result.followups]
    return "\n".join(text_of(answer.components) for answer in answers if answer is not None)
