"""Announces what became of a job: its result once, its failures and questions to its person once in a round."""

from collections.abc import Awaitable, Callable

import discord

from bot.delivery.outbox import Letter, Outbox
from bot.delivery.refusals import PlaceRefused, read_by_meaning
from bot.delivery.sharing import DEFAULT_FILE_BYTES, PicturesMessage, Sharing
from bot.messages.buttons import Card
from bot.messages.results import (
    failure_result,
    model_result,
    pictures_again,
    pictures_result,
    publish_result,
    question_result,
)
from bot.providers.registry import Providers
from storage.database import Database
from storage.deliveries import Delivery, Slot
from storage.jobs import Job
from storage.models import find_model
from storage.pictures import Picture, pictures_of_job, pictures_posted_in
from storage.statuses import JobKind, Message, Route

Post = Callable[[Card, list[discord.File]], Awaitable[object]]


class Announcer:
    def __init__(
        self,
        *,
        client: discord.Client,
        database: Database,
        providers: Providers,
        outbox: Outbox,
        sharing: Sharing,
    ) -> None:
        self._client = client
        self._database = database
        self._providers = providers
        self._outbox = outbox
        self._sharing = sharing

    async def announce(self, job: Job, message: Message) -> None:
        """Raises `DiscordUnreachable` to try again; everything else ends somewhere, be it kept."""
        if message is Message.RESULT and job.kind is JobKind.GENERATE:
            await self._announce_pictures(job)
            return
        slot = _part(job, 0) if message is Message.RESULT else Slot(job_id=job.id, message=message, round=job.round)
        delivery = await self._outbox.found(slot)
        if delivery is None or not delivery.is_settled:
            await self._outbox.send(job, slot, Letter(card=await self._card_of(job, message)))

    async def show_pictures(self, job: Job, post: Post, *, bytes_per_file: int) -> None:
        """Once more, as answers to a person who asks. Raises `DiscordUnreachable`."""

        async def send(message: PicturesMessage) -> None:
            with read_by_meaning():
                await post(pictures_again(job, message.share), message.files())

        await self._sharing.send_all(job, await self._pictures(job), send, bytes_per_file=bytes_per_file)

    async def _card_of(self, job: Job, message: Message) -> Callable[[], Card]:
        if message is Message.FAILURE:
            return lambda: failure_result(job)
        if message is Message.QUESTION:
            return lambda: question_result(job)
        if job.kind is JobKind.PUBLISH:
            address = await self._address_of(job)
            return lambda: publish_result(job, address)
        return lambda: model_result(job, self._providers.card_of(job.provider))

    async def _address_of(self, job: Job) -> str:
        async with self._database.reading() as connection:
            model = await find_model(connection, job.details["model"])
        assert model is not None and model.published is not None, "stored before it is announced"  # noqa: PT018
        return model.published

    async def _announce_pictures(self, job: Job) -> None:
        pictures = await self._pictures(job)
        settled = await self._settled_parts(job, most=len(pictures))
        told = {position for one in settled for position in one.pictures}

        async def send(message: PicturesMessage) -> None:
            begin = settled[-1].route if settled else Route.CHANNEL  # what was parted stays together
            delivery = await self._outbox.send(job, _part(job, len(settled)), self._letter(message), begin=begin)
            await self._remember(job, delivery)
            settled.append(delivery)

        limit = self._bytes_per_file(job, settled)
        try:
            await self._sharing.send_all(job, pictures, send, bytes_per_file=limit, told=told)
        except PlaceRefused:
            rest = sorted({one.position for one in pictures} - {one for part in settled for one in part.pictures})
            await self._outbox.keep(job, _part(job, len(settled)), rest)

    def _letter(self, message: PicturesMessage) -> Letter:
        provider = self._providers.card_of(message.job.provider)
        return Letter(
            card=lambda: pictures_result(message.job, provider, message.share),
            files=message.files,
            pictures=message.positions,
            mentions=message.share.is_first,
        )

    async def _settled_parts(self, job: Job, *, most: int) -> list[Delivery]:
        """The messages of this result that need no more posting, found again after a crash."""
        settled: list[Delivery] = []
        while len(settled) < most:
            delivery = await self._outbox.found(_part(job, len(settled)))
            if delivery is None or not delivery.is_settled:
                break
            await self._remember(job, delivery)
            settled.append(delivery)
        return settled

    async def _remember(self, job: Job, delivery: Delivery) -> None:
        if delivery.message_id is not None:
            async with self._database.writing() as connection:
                await pictures_posted_in(connection, job.id, delivery.pictures, delivery.message_id)

    async def _pictures(self, job: Job) -> list[Picture]:
        async with self._database.reading() as connection:
            return await pictures_of_job(connection, job.id)

    def _bytes_per_file(self, job: Job, settled: list[Delivery]) -> int:
        server = self._client.get_guild(job.place.server_id)
        is_direct = bool(settled) and settled[-1].route is Route.DIRECT
        return DEFAULT_FILE_BYTES if server is None or is_direct else server.filesize_limit


def _part(job: Job, number: int) -> Slot:
    """A result is told once, in whatever round of the job."""
    return Slot(job_id=job.id, message=Message.RESULT, part=number)
