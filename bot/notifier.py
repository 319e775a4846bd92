"""Posts and edits a job's message in its channel, with the bot's own token: a job outlives every interaction."""

import asyncio
import io
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

import aiohttp
import discord

from bot.errors import AtelierError, DiscordUnreachable, NotDelivered
from bot.messages.cards import SHEET_NAME, Card, JobView, job_card, sheet_alt_text, shows_sheet
from bot.messages.outages import Elsewhere
from bot.messages.results import (
    alt_text,
    failure_result,
    model_result,
    picture_file_name,
    pictures_result,
    publish_result,
)
from bot.providers.registry import Providers
from storage.database import Database
from storage.datasets import find_dataset
from storage.files import Files
from storage.history import history_of
from storage.jobs import Job, change_job, find_job
from storage.models import find_model
from storage.outages import Outage
from storage.pictures import pictures_of_job, pictures_posted_in
from storage.statuses import JobKind, JobStatus

log = logging.getLogger(__name__)


FORGET_SECONDS = 600.0


HeldUp = Callable[[Job], Awaitable[tuple[Outage | None, Elsewhere | None]]]


async def _by_nothing(_job: Job) -> tuple[None, None]:
    return None, None


class Notifier:
    """A card is refreshed from storage each time, so refreshing twice, late or out of order is harmless."""

    def __init__(
        self,
        *,
        client: discord.Client,
        database: Database,
        files: Files,
        providers: Providers,
        edit_interval_seconds: float,
        held_up: HeldUp = _by_nothing,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._database = database
        self._files = files
        self._providers = providers
        self._edit_interval_seconds = edit_interval_seconds
        self._held_up = held_up
        self._now = now
        self._edited_at: dict[str, float] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def refresh(self, job_id: str) -> None:
        """Show the job as it stands. A card that cannot be shown never stops the job."""
        lock = self._locks.setdefault(job_id, asyncio.Lock())
        async with lock:
            self._edited_at[job_id] = self._now()
            try:
                await self._show(job_id)
            except AtelierError as problem:
                log.warning("The card of job %s could not be shown: %s", job_id, problem)
            finally:
                self._forget_old_jobs()

    def _forget_old_jobs(self) -> None:
        """What was not shown for a while needs no throttle, and no lock unless somebody holds it."""
        old = self._now() - FORGET_SECONDS
        for job_id in [job_id for job_id, edited_at in self._edited_at.items() if edited_at < old]:
            if not self._locks[job_id].locked():
                del self._edited_at[job_id], self._locks[job_id]

    async def refresh_soon(self, job_id: str) -> None:
        """Show progress, unless the card was edited a moment ago."""
        if self._now() - self._edited_at.get(job_id, float("-inf")) >= self._edit_interval_seconds:
            await self.refresh(job_id)

    async def deliver(self, job_id: str) -> None:
        """Post the result once. Raises `NotDelivered`, or `DiscordUnreachable` to try again."""
        job = (await self.view_of(job_id)).job
        provider = self._providers.card_of(job.provider)
        if job.status is JobStatus.FAILED:
            await self._post(job, failure_result(job), nonce=f"{job.id}-f")
        elif job.kind is JobKind.GENERATE:
            await self._deliver_pictures(job)
        elif job.kind is JobKind.PUBLISH:
            await self._post(job, publish_result(job, await self._address_of(job)), nonce=f"{job.id}-r")
        else:
            await self._post(job, model_result(job, provider), nonce=f"{job.id}-r")

    async def _address_of(self, job: Job) -> str:
        async with self._database.reading() as connection:
            model = await find_model(connection, job.details["model"])
        assert model is not None and model.published is not None, "stored before it is announced"  # noqa: PT018
        return model.published

    async def view_of(self, job_id: str) -> JobView:
        async with self._database.reading() as connection:
            job = await find_job(connection, job_id)
            assert job is not None, "a job is never removed while it is at work"
            events = await history_of(connection, job_id)
            dataset = await find_dataset(connection, job_id)
        provider = self._providers.card_of(job.provider)
        trainer = provider.trainer(job.details.get("trainer", ""))
        outage, elsewhere = await self._held_up(job)
        return JobView(
            job=job,
            events=events,
            dataset=dataset,
            provider=provider,
            trainer=trainer,
            outage=outage,
            elsewhere=elsewhere,
        )

    async def _show(self, job_id: str) -> None:
        view = await self.view_of(job_id)
        if view.job.message_id is None:
            files = await self._sheet(view)
            message_id = await self._post(view.job, job_card(view), nonce=f"{job_id}-c", files=files, mentions=False)
            async with self._database.writing() as connection:
                await change_job(connection, job_id, message_id=message_id)
        else:
            await self._edit(view.job, view.job.message_id, job_card(view), await self._sheet(view))

    async def _sheet(self, view: JobView) -> list[discord.File]:
        if not shows_sheet(view) or view.dataset is None or view.dataset.sheet_file is None:
            return []
        content = await self._files.read(view.dataset.sheet_file)
        return [discord.File(io.BytesIO(content), filename=SHEET_NAME, description=sheet_alt_text(view))]

    async def _deliver_pictures(self, job: Job) -> None:
        async with self._database.reading() as connection:
            pictures = await pictures_of_job(connection, job.id)
        contents = [await self._files.read(picture.file) for picture in pictures]
        names = [
            picture_file_name(job, picture.position + 1, content)
            for picture, content in zip(pictures, contents, strict=True)
        ]
        files = [
            discord.File(io.BytesIO(content), filename=name, description=alt_text(job, number))
            for number, (content, name) in enumerate(zip(contents, names, strict=True), start=1)
        ]
        card = pictures_result(job, self._providers.card_of(job.provider), names)
        message_id = await self._post(job, card, nonce=f"{job.id}-r", files=files)
        async with self._database.writing() as connection:
            await pictures_posted_in(connection, job.id, message_id)

    async def _post(
        self,
        job: Job,
        card: Card,
        *,
        nonce: str,
        files: Sequence[discord.File] = (),
        mentions: bool = True,
    ) -> int:
        """The nonce is the job's own, so that Discord answers a repeat after a crash with the first message."""
        channel = self._client.get_partial_messageable(job.place.channel_id)
        person = [discord.Object(job.place.person_id)] if mentions else []
        allowed = discord.AllowedMentions(everyone=False, roles=False, users=person, replied_user=False)
        try:
            message = await channel.send(view=card, files=list(files), nonce=nonce, allowed_mentions=allowed)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as problem:
            raise _meaning(problem) from problem
        return message.id

    async def _edit(self, job: Job, message_id: int, card: Card, files: Sequence[discord.File]) -> None:
        """`files` is all that the message carries from now on."""
        channel = self._client.get_partial_messageable(job.place.channel_id)
        try:
            await channel.get_partial_message(message_id).edit(
                view=card, attachments=list(files), allowed_mentions=discord.AllowedMentions.none()
            )
        except discord.NotFound:
            log.info("The card of job %s was removed from its channel", job.id)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as problem:
            raise _meaning(problem) from problem


def _meaning(problem: Exception) -> AtelierError:
    if isinstance(problem, discord.Forbidden | discord.NotFound):
        return NotDelivered(
            "I may not write in that channel any more: your result is kept, see /jobs show.",
            advice="Give the bot View Channel, Send Messages and Attach Files there.",
        )
    if isinstance(problem, discord.HTTPException) and 400 <= problem.status < 500 and problem.status != 429:
        return NotDelivered("Discord refused that message: your result is kept, see /jobs show.", advice=str(problem))
    return DiscordUnreachable("Discord did not answer; trying again.")
