"""Where people come in: whom a leaving bot turns away, and what somebody reads whose command failed."""

import logging
from typing import Any, Protocol, cast

import discord
from discord import app_commands

from bot.errors import AtelierError
from bot.messages.lists import sentence
from bot.operators import Operators
from bot.workflows.endings import BUG_SENTENCE
from bot.workflows.resuming import SUBJECT as STORAGE
from storage.errors import StorageTrouble

log = logging.getLogger(__name__)

ALREADY_ANSWERED = 40060  # an earlier answer of ours arrived, and Discord's word of that did not
LEAVING = "I am restarting: please try that again in a minute."


class Admits(Protocol):
    async def admits(self, interaction: discord.Interaction[Any]) -> bool: ...


class Intake(app_commands.CommandTree[Any]):
    """The commands, which a bot that is leaving takes no more."""

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        return await cast(Admits, self.client).admits(interaction)


async def turn_away(interaction: discord.Interaction[Any]) -> None:
    if interaction.type is discord.InteractionType.autocomplete:
        await interaction.response.autocomplete([])
    else:
        await answer_privately(interaction, LEAVING)


async def tell_failure(interaction: discord.Interaction[Any], cause: Exception, operators: Operators) -> None:
    """A sentence for the person, the rest for the operator or the log."""
    match cause:
        case AtelierError():
            await answer_privately(interaction, cause.sentence)
        case StorageTrouble():
            await answer_privately(interaction, cause.sentence)
            await operators.tell(STORAGE, cause.advice)
        case _:
            log.error("A command or button broke", exc_info=cause)
            await answer_privately(interaction, BUG_SENTENCE)


async def answer_privately(interaction: discord.Interaction[Any], text: str) -> None:
    """Tell only this person, whatever has been answered so far; an interaction that has died is let go."""
    try:
        if not interaction.response.is_done():
            await _answer_first(interaction, text)
        elif interaction.response.type is discord.InteractionResponseType.deferred_channel_message:
            await interaction.edit_original_response(view=sentence(text))
        else:
            await interaction.followup.send(view=sentence(text), ephemeral=True)
    except discord.HTTPException as problem:
        log.warning("A person could not be told (%s): %s", problem, text)


async def _answer_first(interaction: discord.Interaction[Any], text: str) -> None:
    try:
        await interaction.response.send_message(view=sentence(text), ephemeral=True)
    except discord.HTTPException as problem:
        if problem.code != ALREADY_ANSWERED:
            raise
        await interaction.followup.send(view=sentence(text), ephemeral=True)
