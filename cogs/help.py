"""/help: how to begin."""

from discord import app_commands
from discord.ext import commands

from bot.client import Atelier
from bot.messages.lists import help_card
from cogs.answers import Interaction


class HelpCog(commands.Cog):
    def __init__(self, bot: Atelier) -> None:
        self._bot = bot

    @app_commands.command(description="How to train a model and make pictures")
    async def help(self, interaction: Interaction) -> None:
        providers = self._bot.resources.providers
        first = next((trainer for _, trainer in providers.trainers()), None)
        card = help_card([provider.card for provider in providers], first)
        await interaction.response.send_message(view=card, ephemeral=True)


async def setup(bot: Atelier) -> None:
    await bot.add_cog(HelpCog(bot))
