"""/providers: who trains and generates here, what it costs, and for operators what is left on the accounts."""

import asyncio

from discord import app_commands
from discord.ext import commands

from bot.client import Atelier
from bot.errors import ProviderError
from bot.messages.lists import offers
from bot.messages.offers import dollars, offer
from bot.messages.outages import notice_out
from bot.providers.contract import Balances, Provider, abilities_of
from cogs.answers import Interaction
from storage.outages import Outage, open_outages

ASKING_SECONDS = 20.0


class ProvidersCog(commands.Cog):
    def __init__(self, bot: Atelier) -> None:
        self._bot = bot

    @app_commands.command(description="Who trains and generates here, and what it costs")
    async def providers(self, interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        shows_accounts = interaction.permissions.manage_guild
        async with self._bot.resources.database.reading() as connection:
            out = {outage.provider: outage for outage in await open_outages(connection)}
        paragraphs = await asyncio.gather(
            *(
                _paragraph(provider, out.get(provider.card.name), shows_account=shows_accounts)
                for provider in self._bot.resources.providers
            )
        )
        await interaction.edit_original_response(view=offers(paragraphs))


async def setup(bot: Atelier) -> None:
    await bot.add_cog(ProvidersCog(bot))


async def _paragraph(provider: Provider, outage: Outage | None, *, shows_account: bool) -> str:
    account = await _account(provider) if shows_account and isinstance(provider, Balances) else ""
    notice = "" if outage is None else notice_out(provider.card.title, outage)
    return offer(provider.card, abilities_of(provider), account=account, outage=notice)


async def _account(provider: Balances) -> str:
    """What is left on the account, or why nobody knows: an operator's business either way."""
    try:
        async with asyncio.timeout(ASKING_SECONDS):
            balance = await provider.balance()
    except ProviderError as problem:
        return f"Account: {problem.sentence}"
    except TimeoutError:
        return "Account: no answer in time"
    left = "" if balance.amount_usd is None else f", {dollars(balance.amount_usd)} left"
    return f"Account: {balance.account}{left}"
