"""/models: list, show, rename and delete one's own models."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Atelier
from bot.messages.buttons import Act
from bot.messages.cards import Card
from bot.messages.lists import PER_PAGE, delete_question, model_details, models_page, sentence
from bot.messages.words import plain
from bot.workflows.models import model_meant
from cogs.answers import CHOICES, CardButton, Interaction
from storage.datasets import find_dataset
from storage.models import Model, count_models_of_person, models_of_person


@app_commands.guild_only()
class ModelsCog(commands.GroupCog, name="models", description="Your trained models"):
    def __init__(self, bot: Atelier) -> None:
        self._bot = bot

    async def cog_load(self) -> None:
        self._bot.add_dynamic_items(ModelsPageButton, DeleteModelButton)

    @app_commands.command(name="list", description="All your models")
    async def list_models(self, interaction: Interaction) -> None:
        await interaction.response.send_message(view=await _page(interaction, 0), ephemeral=True)

    @app_commands.command(description="What a model was trained on")
    @app_commands.describe(model="One of your models")
    async def show(self, interaction: Interaction, model: str) -> None:
        found = await self._model_meant(interaction, model)
        async with self._bot.resources.database.reading() as connection:
            dataset = await find_dataset(connection, found.dataset_id)
        provider = self._bot.resources.providers.get(found.provider)
        card = model_details(found, dataset, provider.card if provider else None)
        await interaction.response.send_message(view=card, ephemeral=True)

    @app_commands.command(description="Give a model another name")
    @app_commands.describe(model="One of your models", name="Its new name")
    async def rename(self, interaction: Interaction, model: str, name: app_commands.Range[str, 1, 50]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        found = await self._model_meant(interaction, model)
        renamed = await self._bot.workflows.models.rename(found.id, interaction.user.id, name)
        await interaction.edit_original_response(
            view=sentence(f"**{plain(found.name)}** is called **{plain(renamed.name)}** now.")
        )

    @app_commands.command(description="Delete a model and its weights")
    @app_commands.describe(model="One of your models")
    async def delete(self, interaction: Interaction, model: str) -> None:
        found = await self._model_meant(interaction, model)
        await interaction.response.send_message(view=delete_question(found, interaction.user.id), ephemeral=True)

    @show.autocomplete("model")
    @rename.autocomplete("model")
    @delete.autocomplete("model")
    async def models(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        async with self._bot.resources.database.reading() as connection:
            found = await models_of_person(connection, interaction.user.id, matching=typed, limit=CHOICES)
        return [app_commands.Choice(name=model.name, value=model.id) for model in found]

    async def _model_meant(self, interaction: Interaction, text: str) -> Model:
        async with self._bot.resources.database.reading() as connection:
            return await model_meant(connection, interaction.user.id, text)


class ModelsPageButton(CardButton, act=Act.MODELS_PAGE):
    async def press(self, interaction: Interaction) -> None:
        await interaction.response.edit_message(view=await _page(interaction, int(self.subject)))


class DeleteModelButton(CardButton, act=Act.DELETE_MODEL):
    async def press(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        model = await interaction.client.workflows.models.delete(self.subject, interaction.user.id)
        await interaction.edit_original_response(view=sentence(f"**{plain(model.name)}** is deleted."))


async def setup(bot: Atelier) -> None:
    await bot.add_cog(ModelsCog(bot))


async def _page(interaction: discord.Interaction[Atelier], page: int) -> Card:
    person_id = interaction.user.id
    async with interaction.client.resources.database.reading() as connection:
        total = await count_models_of_person(connection, person_id)
        page = min(page, max(total - 1, 0) // PER_PAGE)
        models = await models_of_person(connection, person_id, limit=PER_PAGE, offset=page * PER_PAGE)
    return models_page(models, page=page, total=total, person_id=person_id)
