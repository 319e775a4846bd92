"""/dataset: collect pictures over days, look at their report card, edit, delete; also from the menu of a message."""

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Atelier
from bot.errors import BadInput, NotYours
from bot.messages.buttons import Act
from bot.messages.dataset_cards import datasets_page, delete_dataset_question
from bot.messages.lists import PER_PAGE
from bot.workflows.requests import LOOSE_UPLOADS, AddRequest, Which
from cogs.answers import CardButton, Interaction, own_datasets, place_of, upload_of
from cogs.caption_buttons import CAPTION_BUTTONS
from cogs.dataset_buttons import DATASET_BUTTONS
from cogs.dataset_dialogs import NEW_NAME, AddDialog, EditDialog, request_addition
from cogs.dataset_showing import show_dataset
from storage.datasets import count_datasets_of_person, datasets_of_person


class DatasetsCog(commands.GroupCog, name="dataset", description="Pictures you collect for a training"):
    def __init__(self, bot: Atelier) -> None:
        self._bot = bot
        self._menu = app_commands.ContextMenu(name="Add my pictures to a dataset", callback=self.add_from_message)

    async def cog_load(self) -> None:
        self._bot.add_dynamic_items(*DATASET_BUTTONS, *CAPTION_BUTTONS, DatasetsPageButton)
        self._bot.tree.add_command(self._menu)

    async def cog_unload(self) -> None:
        self._bot.tree.remove_command(self._menu.name, type=self._menu.type)

    @app_commands.command(name="list", description="All your datasets")
    async def list_datasets(self, interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await show_page(interaction, 0)

    @app_commands.command(description="The report card of a dataset: look at it, mend it, train on it")
    @app_commands.describe(dataset="One of your datasets")
    async def show(self, interaction: Interaction, dataset: str) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        found = await self._bot.workflows.datasets.meant(dataset, interaction.user.id)
        await show_dataset(interaction, found.id)

    @app_commands.command(description="Add pictures to a dataset, or begin one: a zip, or up to 10 files")
    @app_commands.describe(
        dataset="One of your datasets, or a name for a new one; without it a new one is begun",
        zip="A zip of pictures, with .txt captions beside them if you have some",
        **{f"picture_{number}": "A picture" for number in range(1, LOOSE_UPLOADS + 1)},
    )
    async def add(
        self,
        interaction: Interaction,
        dataset: app_commands.Range[str, 1, 50] | None = None,
        zip: discord.Attachment | None = None,  # noqa: A002 - the option's name is what people read
        picture_1: discord.Attachment | None = None,
        picture_2: discord.Attachment | None = None,
        picture_3: discord.Attachment | None = None,
        picture_4: discord.Attachment | None = None,
        picture_5: discord.Attachment | None = None,
        picture_6: discord.Attachment | None = None,
        picture_7: discord.Attachment | None = None,
        picture_8: discord.Attachment | None = None,
        picture_9: discord.Attachment | None = None,
        picture_10: discord.Attachment | None = None,
    ) -> None:
        first_five = (picture_1, picture_2, picture_3, picture_4, picture_5)
        last_five = (picture_6, picture_7, picture_8, picture_9, picture_10)
        files = [file for file in (zip, *first_five, *last_five) if file is not None]
        place_of(interaction)
        if not files:
            await interaction.response.send_modal(await AddDialog.ask(interaction, dataset=dataset))
            return
        which = Which.NEW if dataset is None else Which.EITHER  # unnamed ones have nothing to do with each other
        request = AddRequest(dataset=dataset or NEW_NAME, uploads=tuple(map(upload_of, files)), which=which)
        await request_addition(interaction, request)

    @app_commands.command(description="Rename a dataset, leave pictures out, take them back")
    @app_commands.describe(dataset="One of your datasets")
    async def edit(self, interaction: Interaction, dataset: str) -> None:
        found = await self._bot.workflows.datasets.meant(dataset, interaction.user.id)
        await interaction.response.send_modal(EditDialog(self._bot, found.id, found))

    @app_commands.command(description="Delete a dataset and its pictures")
    @app_commands.describe(dataset="One of your datasets")
    async def delete(self, interaction: Interaction, dataset: str) -> None:
        found = await self._bot.workflows.datasets.meant(dataset, interaction.user.id)
        card = delete_dataset_question(found, interaction.user.id)
        await interaction.response.send_message(view=card, ephemeral=True)

    @show.autocomplete("dataset")
    @add.autocomplete("dataset")
    @edit.autocomplete("dataset")
    @delete.autocomplete("dataset")
    async def datasets(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await own_datasets(interaction, typed)

    async def add_from_message(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        """Only the pictures of whoever asks: nobody trains on what somebody else posted."""
        if message.author.id != interaction.user.id:
            raise NotYours("Those are somebody else's pictures: only messages of your own can be added.")
        if not message.attachments:
            raise BadInput("That message carries no file: choose one of yours with pictures or a zip.")
        place_of(interaction)
        uploads = tuple(map(upload_of, message.attachments))
        await interaction.response.send_modal(await AddDialog.ask(interaction, uploads=uploads))


async def show_page(interaction: Interaction, page: int) -> None:
    person_id = interaction.user.id
    async with interaction.client.resources.database.reading() as connection:
        total = await count_datasets_of_person(connection, person_id)
        page = min(page, max(total - 1, 0) // PER_PAGE)
        lines = await datasets_of_person(connection, person_id, limit=PER_PAGE, offset=page * PER_PAGE)
    files = await interaction.client.studio.covers(lines)
    card = datasets_page(lines, page=page, total=total, person_id=person_id, has_covers=bool(files))
    await interaction.edit_original_response(view=card, attachments=files)


class DatasetsPageButton(CardButton, act=Act.DATASETS_PAGE):
    async def press(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        await show_page(interaction, int(self.subject))


async def setup(bot: Atelier) -> None:
    await bot.add_cog(DatasetsCog(bot))
