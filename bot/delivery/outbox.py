"""Posts a message once, by the first route that is open. Its intent is stored before it is posted, its id after.

Whoever finds an intent without an id looks for the message first: Discord forgets the nonce after a few minutes.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import discord

from bot.delivery.marks import mark_of, nonce_of
from bot.delivery.refusals import PlaceRefused, ThreadExists, TooLarge, read_by_meaning
from bot.messages.buttons import Card
from bot.messages.whereabouts import sent_directly
from bot.messages.words import plain
from storage.database import Database
from storage.deliveries import (
    Delivery,
    Slot,
    find_delivery,
    intend_delivery,
    remember_posted,
    withdraw_delivery,
)
from storage.jobs import Job
from storage.places import DIRECT_MESSAGE
from storage.statuses import Message, Route

log = logging.getLogger(__name__)

LOOK_THROUGH = 500  # messages since the intent: five pages
CLOCKS_DIFFER = timedelta(minutes=2)  # Discord's and ours
THREAD_NAME_CHARACTERS = 100


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What is posted. `card` and `files` are made anew for each attempt; `pictures` are positions it speaks of."""

    card: Callable[[], Card]
    files: Callable[[], list[discord.File]] = list
    pictures: Sequence[int] = ()
    mentions: bool = True


class Outbox:
    def __init__(self, *, client: discord.Client, database: Database) -> None:
        self._client = client
        self._database = database

    async def found(self, slot: Slot) -> Delivery | None:
        """What became of an earlier attempt; settled when its message is there, though its id was never stored.

        Raises `DiscordUnreachable`.
        """
        async with self._database.reading() as connection:
            delivery = await find_delivery(connection, slot)
        if delivery is None or delivery.is_settled or delivery.posted_in is None:
            return delivery
        message_id = await self._look_for(delivery, delivery.posted_in)
        if message_id is None:
            return delivery
        log.info("A message of job %s was posted before a crash: %d", slot.job_id, message_id)
        return await self._remember(slot, message_id)

    async def send(self, job: Job, slot: Slot, letter: Letter, *, begin: Route = Route.CHANNEL) -> Delivery:
        """Post by the first open route from `begin` on, or from where an earlier attempt stopped; else it is kept.

        Raises `TooLarge` or `DiscordUnreachable`; then it is certainly not posted, or found by the next attempt.
        """
        async with self._database.reading() as connection:
            earlier = await find_delivery(connection, slot)
        for route in _routes_from(begin if earlier is None else earlier.route):
            try:
                return await self._send_by(route, job, slot, letter)
            except PlaceRefused as refusal:
                log.warning("The %s of job %s was refused by %s: %s", slot.message, job.id, route, refusal)
        return await self.keep(job, slot, letter.pictures)

    async def keep(self, job: Job, slot: Slot, pictures: Sequence[int]) -> Delivery:
        """There is nowhere to post it: what it would have said is had with /jobs show."""
        async with self._database.writing() as connection:
            await intend_delivery(connection, job, slot, route=Route.KEPT, posted_in=None, pictures=pictures)
            kept = await find_delivery(connection, slot)
        assert kept is not None, "stored a moment ago"
        return kept

    async def send_in_channel(self, job: Job, slot: Slot, letter: Letter) -> Delivery:
        """By no other route. Raises `PlaceRefused` as well, and then it is as if nobody had tried."""
        try:
            return await self._send_by(Route.CHANNEL, job, slot, letter)
        except (PlaceRefused, TooLarge):
            async with self._database.writing() as connection:
                await withdraw_delivery(connection, slot)
            raise

    async def _send_by(self, route: Route, job: Job, slot: Slot, letter: Letter) -> Delivery:
        with read_by_meaning():
            place = await self._open(route, job)
        async with self._database.writing() as connection:
            await intend_delivery(connection, job, slot, route=route, posted_in=place, pictures=letter.pictures)
        card = letter.card()
        if route is Route.DIRECT and job.place.server_id != DIRECT_MESSAGE:
            card = sent_directly(card, job)
        person = [discord.Object(job.place.person_id)] if letter.mentions else []
        with read_by_meaning():
            posted = await self._client.get_partial_messageable(place).send(
                view=marked(card, slot),
                files=letter.files(),
                nonce=nonce_of(slot),
                allowed_mentions=discord.AllowedMentions(everyone=False, roles=False, users=person, replied_user=False),
            )
        return await self._remember(slot, posted.id)

    async def _open(self, route: Route, job: Job) -> int:
        """The channel to post in. Raises `PlaceRefused` when this route is closed."""
        if route is Route.THREAD:
            return await self._open_thread(job)
        if route is Route.DIRECT:
            return (await self._client.create_dm(discord.Object(job.place.person_id))).id
        return job.place.channel_id

    async def _open_thread(self, job: Job) -> int:
        """The thread of the job's card, which has the card's own id."""
        async with self._database.reading() as connection:
            card = await find_delivery(connection, card_slot(job.id))
        if card is None or card.message_id is None or card.posted_in is None:
            raise PlaceRefused("There is no card to begin a thread at.")
        if self._client.get_guild(job.place.server_id) is None:
            raise PlaceRefused("The bot is in no such server.")
        channel = self._client.get_partial_messageable(card.posted_in, guild_id=job.place.server_id)
        name = plain(job.details["name"], THREAD_NAME_CHARACTERS)[:THREAD_NAME_CHARACTERS]
        try:
            with read_by_meaning():
                return (await channel.get_partial_message(card.message_id).create_thread(name=name)).id
        except ThreadExists:
            return card.message_id

    async def _look_for(self, delivery: Delivery, channel_id: int) -> int | None:
        """Where the bot may not read back there is only the nonce."""
        since = datetime.fromtimestamp(delivery.intended_ms / 1000, UTC) - CLOCKS_DIFFER
        channel, mark, own = self._client.get_partial_messageable(channel_id), mark_of(delivery.slot), self._client.user
        try:
            with read_by_meaning():
                async for message in channel.history(after=since, limit=LOOK_THROUGH, oldest_first=True):
                    is_own = own is not None and message.author.id == own.id
                    if is_own and any(getattr(component, "id", None) == mark for component in message.components):
                        return message.id
        except PlaceRefused as refusal:
            log.info("Channel %d cannot be looked through: %s", channel_id, refusal)
        return None

    async def _remember(self, slot: Slot, message_id: int) -> Delivery:
        async with self._database.writing() as connection:
            await remember_posted(connection, slot, message_id)
            delivery = await find_delivery(connection, slot)
        assert delivery is not None, "its intent was stored before it was posted"
        return delivery


def _routes_from(first: Route) -> tuple[Route, ...]:
    return tuple(Route)[tuple(Route).index(first) : -1]


def card_slot(job_id: str) -> Slot:
    """A job has one card, whatever round it is in."""
    return Slot(job_id=job_id, message=Message.CARD)


def marked(card: Card, slot: Slot) -> Card:
    """Every card of ours is one container; an edit must carry the mark as well."""
    card.children[0].id = mark_of(slot)
    return card
