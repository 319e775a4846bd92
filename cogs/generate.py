"""/generate: pictures from a prompt, with one of your own models."""

from dataclasses import replace

from discord import app_commands
from discord.ext import commands

from bot.client import Atelier
from bot.errors import NotFound
from bot.messages.buttons import Act
from bot.workflows.requests import GenerateRequest
from cogs.answers import CHOICES, CardButton, Interaction, place_of, take_in
from storage.jobs import find_job
from storage.models import models_of_person


class GenerateCog(commands.Cog):
    def __init__(self, bot: Atelier) -> None:
        self._bot = bot

    async def cog_load(self) -> None:
        self._bot.add_dynamic_items(AgainButton)

    @app_commands.command(description="Make pictures with one of your models")
    @app_commands.describe(
        model="One of your models: type a part of its name",
        prompt="What the picture should show; use the model's trigger word",
        strength="How strongly the model shows, 0 to 2 (default 1)",
        aspect_ratio="Width to height (default 1:1)",
        count="How many pictures, 1 to 4 (default 1)",
        seed="The same seed makes the same picture again",
    )
    async def generate(
        self,
        interaction: Interaction,
        model: str,
        prompt: str,
        strength: app_commands.Range[float, 0, 2] = 1.0,
        aspect_ratio: str = "1:1",
        count: app_commands.Range[int, 1, 4] = 1,
        seed: app_commands.Range[int, 0, 2**32 - 1] | None = None,
    ) -> None:
        request = GenerateRequest(
            model=model, prompt=prompt, strength=strength, aspect_ratio=aspect_ratio, count=count, seed=seed
        )
        place = place_of(interaction)
        await take_in(interaction, lambda: self._bot.workflows.generate.request(str(interaction.id), place, request))

    @generate.autocomplete("model")
    async def models(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        async with self._bot.resources.database.reading() as connection:
            found = await models_of_person(connection, interaction.user.id, matching=typed, limit=CHOICES)
        return [
            app_commands.Choice(name=f"{model.name} · {model.trigger_word}"[:100], value=model.id) for model in found
        ]

    @generate.autocomplete("aspect_ratio")
    async def aspect_ratios(self, _interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        cards = [provider.card for provider in self._bot.resources.providers.values()]
        known = dict.fromkeys(ratio for card in cards for ratio in card.aspect_ratios)
        return [app_commands.Choice(name=ratio, value=ratio) for ratio in known if typed in ratio][:CHOICES]


class AgainButton(CardButton, act=Act.AGAIN):
    """The same request with a new seed."""

    async def press(self, interaction: Interaction) -> None:
        async with interaction.client.resources.database.reading() as connection:
            job = await find_job(connection, self.subject)
        if job is None:
            raise NotFound("That job is not known any more.")
        details = {key: job.details[key] for key in ("model", "prompt", "strength", "aspect_ratio", "count", "seed")}
        request = replace(GenerateRequest(**details), seed=None)
        place, generate = place_of(interaction), interaction.client.workflows.generate
        await take_in(interaction, lambda: generate.request(str(interaction.id), place, request))


async def setup(bot: Atelier) -> None:
    await bot.add_cog(GenerateCog(bot))
