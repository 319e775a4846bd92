"""/models: list, show, rename, import, publish and delete one's own models."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Atelier
from bot.messages.buttons import Act, Card
from bot.messages.lists import PER_PAGE, delete_question, model_details, models_page, sentence
from bot.messages.words import plain
from bot.providers.base_models import title_of
from bot.workflows.imports import ImportRequest
from bot.workflows.models import model_meant
from cogs.answers import CHOICES, CardButton, Interaction, choices, matching, place_of, take_in
from storage.models import Model, count_models_of_person, models_of_person
from storage.training_sets import find_training_set


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
            learnt_from = await find_training_set(connection, found.training_set_id or "")
        card = model_details(found, learnt_from, self._bot.resources.providers.card_of(found.provider))
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

    @app_commands.command(name="import", description="Bring a LoRA that exists: on the Hub, at a link, or at BFL")
    @app_commands.describe(
        source="A Hub repository (owner/name), a link to a .safetensors, or bfl:finetune-id",
        base_model="The base model that it was trained on",
        trigger_word="The word that calls it in a prompt",
        name="What to call it here",
    )
    async def import_model(
        self,
        interaction: Interaction,
        source: app_commands.Range[str, 1, 500],
        base_model: str,
        trigger_word: app_commands.Range[str, 2, 30],
        name: app_commands.Range[str, 1, 50],
    ) -> None:
        request = ImportRequest(source=source, base_model=base_model, trigger_word=trigger_word, name=name)
        place, imports = place_of(interaction), self._bot.workflows.imports
        await take_in(interaction, lambda: imports.request(str(interaction.id), place, request))

    @app_commands.command(description="Publish a model with its card on the Hugging Face Hub")
    @app_commands.describe(model="One of your models", public="Let everybody see and download it (default: private)")
    async def publish(self, interaction: Interaction, model: str, public: bool = False) -> None:
        place, publish = place_of(interaction), self._bot.workflows.publish
        await take_in(interaction, lambda: publish.request(str(interaction.id), place, model, private=not public))

    @import_model.autocomplete("base_model")
    async def base_models(self, _interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Those that somebody here generates with."""
        offered = self._bot.resources.providers.generators()
        known = dict.fromkeys(base for _, generator in offered for base in generator.base_models)
        return choices(matching(typed, [(title_of(base), base) for base in known]))

    @publish.autocomplete("model")
    @show.autocomplete("model")
    @rename.autocomplete("model")
    @delete.autocomplete("model")
    async def models(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        async with self._bot.resources.database.reading() as connection:
            found = await models_of_person(connection, interaction.user.id, matching=typed, limit=CHOICES)
        return choices((model.name, model.id) for model in found)

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
