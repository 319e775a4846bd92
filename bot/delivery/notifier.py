"""Shows and announces a job with the bot's own token, for a job outlives every interaction. For workflows and cogs."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor

import discord

from bot.delivery.announcing import Announcer, Post
from bot.delivery.outbox import Letter, Outbox, card_slot, marked
from bot.delivery.refusals import PlaceRefused, TooLarge, read_by_meaning
from bot.delivery.sharing import LinkTo, Sharing
from bot.delivery.studio import Studio
from bot.errors import AtelierError
from bot.forecast import outlook_of, usual_of
from bot.messages.cards import job_card
from bot.messages.outages import Elsewhere
from bot.messages.view import JobView
from bot.providers.contract import Attaches
from bot.providers.registry import Providers
from storage.database import Database
from storage.dataset_steps import addition_of
from storage.datasets import find_dataset, name_of_dataset
from storage.deliveries import Delivery, deliveries_of
from storage.files import Files
from storage.history import history_of
from storage.jobs import Job, find_job, remember_shown
from storage.outages import Outage
from storage.statuses import JobKind, JobStatus, Message
from storage.submissions import submissions_of
from storage.training_sets import find_training_set

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
        pool: Executor,
        link_to: LinkTo,
        studio: Studio,
        edit_interval_seconds: float,
        held_up: HeldUp = _by_nothing,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._database = database
        self._files = files
        self._providers = providers
        self._studio = studio
        self._edit_interval_seconds = edit_interval_seconds
        self._held_up = held_up
        self._now = now
        self._edited_at: dict[str, float] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._outbox = Outbox(client=client, database=database)
        self._announcer = Announcer(
            client=client,
            database=database,
            providers=providers,
            outbox=self._outbox,
            sharing=Sharing(files=files, pool=pool, link_to=link_to),
        )

    async def refresh(self, job_id: str) -> None:
        """Show the job as it stands. A card that cannot be shown never stops the job; its `shown_ms` stays behind."""
        lock = self._locks.setdefault(job_id, asyncio.Lock())
        async with lock:
            self._edited_at[job_id] = self._now()
            try:
                await self._show(job_id)
            except (AtelierError, PlaceRefused, TooLarge) as problem:
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

    async def deliver(self, job_id: str, message: Message) -> None:
        """Announce once. Ends somewhere, be it kept; raises `DiscordUnreachable` to try again."""
        if message is Message.CARD:
            await self.refresh(job_id)
        else:
            await self._announcer.announce((await self.view_of(job_id)).job, message)

    async def show_pictures(self, job_id: str, post: Post, *, bytes_per_file: int) -> None:
        """Hand a job's pictures to `post`, as many messages as they need. Raises `DiscordUnreachable`."""
        job = (await self.view_of(job_id)).job
        try:
            await self._announcer.show_pictures(job, post, bytes_per_file=bytes_per_file)
        except PlaceRefused as refusal:
            log.warning("The pictures of job %s could not be shown: %s", job_id, refusal)

    async def view_of(self, job_id: str) -> JobView:
        async with self._database.reading() as connection:
            job = await find_job(connection, job_id)
            assert job is not None, "a job is never removed while it is at work"
            events = await history_of(connection, job_id)
            kept_as = await name_of_dataset(connection, job.dataset_id)
            addition = await addition_of(connection, job_id) if job.kind is JobKind.ADD else None
            is_open = job.status is JobStatus.REVIEW
            usual = await usual_of(connection, job) if is_open else None
            frozen = await find_training_set(connection, job_id) if is_open else None
            dataset = await find_dataset(connection, job.dataset_id) if is_open and frozen is None else None
            deliveries = await deliveries_of(connection, job_id)
            submissions = await submissions_of(connection, job_id)
            outlook = await outlook_of(connection, job, self._providers.card_of(job.provider))
        provider = self._providers.card_of(job.provider)
        outage, elsewhere = await self._held_up(job)
        return JobView(
            job=job,
            events=events,
            dataset=self._studio.view_for(job, dataset) if dataset else None,
            addition=addition,
            frozen=frozen,
            kept_as=kept_as,
            usual=usual,
            provider=provider,
            trainer=provider.trainer(job.details.get("trainer", "")),
            deliveries=deliveries,
            submissions=submissions,
            outlook=outlook,
            outage=outage,
            elsewhere=elsewhere,
            can_attach=isinstance(self._providers.find(job.provider), Attaches),
        )

    async def _show(self, job_id: str) -> None:
        card = await self._outbox.found(card_slot(job_id))
        view = await self.view_of(job_id)
        files = await self._studio.sheet(view.dataset) if view.dataset else []
        if card is None or card.message_id is None:
            letter = Letter(card=lambda: job_card(view, has_sheet=bool(files)), files=lambda: files, mentions=False)
            await self._outbox.send_in_channel(view.job, card_slot(job_id), letter)
        else:
            await self._edit(card, view, files)
        if view.job.shown_ms < view.job.updated_ms:
            async with self._database.writing() as connection:
                await remember_shown(connection, view.job)

    async def _edit(self, card: Delivery, view: JobView, files: Sequence[discord.File]) -> None:
        """`files` is all that the message carries from now on. A card that was deleted stays so."""
        assert card.posted_in is not None and card.message_id is not None, "a card is posted before it is edited"  # noqa: PT018
        message = self._client.get_partial_messageable(card.posted_in).get_partial_message(card.message_id)
        try:
            with read_by_meaning():
                await message.edit(
                    view=marked(job_card(view, has_sheet=bool(files)), card.slot),
                    attachments=list(files),
                    allowed_mentions=discord.AllowedMentions.none(),
                )
        except PlaceRefused as refusal:
            if not isinstance(refusal.__cause__, discord.NotFound):
                raise
            log.info("The card of job %s was removed from its channel", view.job.id)
