"""Says in Discord what concerns no single job: an outage in the channels that wait for it, an alarm to operators."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import discord

from bot.delivery.refusals import PlaceRefused, TooLarge, read_by_meaning
from bot.errors import DiscordUnreachable
from bot.messages.lists import sentence
from bot.messages.outages import notice_back, notice_out
from storage.outages import Outage

log = logging.getLogger(__name__)

LONGEST_SECONDS = 30.0
LONGEST_TEXT = 2000
NOBODY = discord.AllowedMentions.none()

Answer = TypeVar("Answer")


class Broadcasts:
    """`Announcer` for outages, `Sender` for operators. Nothing raises: what Discord does not take is logged."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def say_out(self, channel_id: int, title: str, outage: Outage) -> int | None:
        """The nonce is the outage's and the channel's: a crash between posting and remembering does not post twice."""
        posting = self._client.get_partial_messageable(channel_id).send(
            view=sentence(notice_out(title, outage)), nonce=f"o{outage.id:x}-{channel_id:x}", allowed_mentions=NOBODY
        )
        message = await _tried(posting, otherwise=f"Channel {channel_id} was not told that {title} is out")
        return message.id if message is not None else None

    async def say_back(self, channel_id: int, message_id: int, title: str, outage: Outage, jobs: int) -> None:
        message = self._client.get_partial_messageable(channel_id).get_partial_message(message_id)
        editing = message.edit(view=sentence(notice_back(title, outage, jobs)), allowed_mentions=NOBODY)
        await _tried(editing, otherwise=f"Channel {channel_id} was not told that {title} is back")

    async def write_to_person(self, person_id: int, text: str) -> bool:
        otherwise = f"The operator was not reached at {person_id}"
        direct = await _tried(self._client.create_dm(discord.Object(person_id)), otherwise=otherwise)
        return direct is not None and await self._is_written(direct, text, otherwise)

    async def write_in_channel(self, channel_id: int, text: str) -> bool:
        channel = self._client.get_partial_messageable(channel_id)
        return await self._is_written(channel, text, f"The operator was not reached in channel {channel_id}")

    async def _is_written(self, where: discord.abc.Messageable, text: str, otherwise: str) -> bool:
        posting = where.send(text[:LONGEST_TEXT], allowed_mentions=NOBODY)
        return await _tried(posting, otherwise=otherwise) is not None

    async def owners(self) -> Sequence[int]:
        """The application's owner, or everybody in the team it belongs to."""
        application = await _tried(self._client.application_info(), otherwise="Nobody knows who operates this bot")
        if application is None:
            return ()
        members = application.team.members if application.team else []
        return [member.id for member in members] or [application.owner.id]


async def _tried(asking: Coroutine[Any, Any, Answer], *, otherwise: str) -> Answer | None:
    """None when Discord refuses it or does not answer in time; the log says so."""
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            with read_by_meaning():
                return await asking
    except (PlaceRefused, TooLarge, DiscordUnreachable, TimeoutError) as problem:
        log.warning("%s: %s", otherwise, problem)
        return None
