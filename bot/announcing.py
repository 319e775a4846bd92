"""Says in Discord what concerns no single job: an outage in the channels that wait for it, an alarm to operators."""

import asyncio
import logging
from collections.abc import Sequence

import aiohttp
import discord

from bot.errors import AtelierError, DiscordUnreachable, NotDelivered
from bot.messages.lists import sentence
from bot.messages.outages import notice_back, notice_out
from storage.outages import Outage

log = logging.getLogger(__name__)

LONGEST_SECONDS = 30.0
LONGEST_TEXT = 2000
NOBODY = discord.AllowedMentions.none()
TROUBLE = (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError)


class Announcing:
    """`Announcer` for outages, `Sender` for operators."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def say_out(self, channel_id: int, title: str, outage: Outage) -> int | None:
        """The nonce is the outage's own: a crash between posting and remembering does not post twice."""
        channel = self._client.get_partial_messageable(channel_id)
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                message = await channel.send(
                    view=sentence(notice_out(title, outage)), nonce=f"outage-{outage.id}", allowed_mentions=NOBODY
                )
        except TROUBLE as problem:
            log.warning("Channel %d was not told that %s is out: %s", channel_id, title, problem)
            return None
        return message.id

    async def say_back(self, channel_id: int, message_id: int, title: str, outage: Outage, jobs: int) -> None:
        message = self._client.get_partial_messageable(channel_id).get_partial_message(message_id)
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                await message.edit(view=sentence(notice_back(title, outage, jobs)), allowed_mentions=NOBODY)
        except TROUBLE as problem:
            log.warning("Channel %d was not told that %s is back: %s", channel_id, title, problem)

    async def write_to_person(self, person_id: int, text: str) -> None:
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                direct = await self._client.create_dm(discord.Object(person_id))
                await direct.send(text[:LONGEST_TEXT], allowed_mentions=NOBODY)
        except TROUBLE as problem:
            raise _meaning(problem) from problem

    async def write_in_channel(self, channel_id: int, text: str) -> None:
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                channel = self._client.get_partial_messageable(channel_id)
                await channel.send(text[:LONGEST_TEXT], allowed_mentions=NOBODY)
        except TROUBLE as problem:
            raise _meaning(problem) from problem

    async def owners(self) -> Sequence[int]:
        """The application's owner, or everybody in the team it belongs to."""
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                application = await self._client.application_info()
        except TROUBLE as problem:
            raise _meaning(problem) from problem
        members = application.team.members if application.team else []
        return [member.id for member in members] or [application.owner.id]


def _meaning(problem: Exception) -> AtelierError:
    if isinstance(problem, discord.HTTPException) and 400 <= problem.status < 500 and problem.status != 429:
        return NotDelivered("Discord did not take that message.", advice=str(problem))
    return DiscordUnreachable("Discord did not answer.", advice=str(problem))
