"""/finetune: hand over pictures, look at the review card, start."""

from pathlib import PurePath
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Atelier
from bot.errors import NotFound, TooLate
from bot.messages.buttons import Act
from bot.messages.lists import left_out
from bot.messages.offers import trainer_choice
from bot.providers.card import Mode
from bot.providers.registry import choice_of
from bot.workflows.finetune import TOO_LATE
from bot.workflows.requests import DEFAULT_TRIGGER_WORD, LOOSE_UPLOADS, FinetuneRequest, settings_of
from cogs.advanced import AdvancedDialog
from cogs.answers import (
    CardButton,
    Dialog,
    Interaction,
    asker_of,
    choices,
    matching,
    place_of,
    take_in,
    upload_of,
    weight_of,
)
from storage.datasets import find_dataset
from storage.jobs import Job, find_job
from storage.statuses import JobStatus

MODES = {
    Mode.CHARACTER: "a person, pet or figure",
    Mode.STYLE: "a way of drawing or painting",
    Mode.PRODUCT: "an object",
    Mode.GENERAL: "anything else",
}


class FinetuneCog(commands.Cog):
    def __init__(self, bot: Atelier) -> None:
        self._bot = bot

    async def cog_load(self) -> None:
        self._bot.add_dynamic_items(StartButton, AdvancedButton, CancelButton, LeftOutButton)

    @app_commands.command(description="Train a model on your own pictures: a zip, or up to 10 files")
    @app_commands.describe(
        zip="A zip of pictures, with .txt captions beside them if you have some",
        name="What to call the model",
        trigger_word=f"The word that will call your subject in a prompt (default {DEFAULT_TRIGGER_WORD})",
        mode="What the pictures show",
        trainer="Who trains it, and which base model",
        **{f"picture_{number}": "A picture, when you have no zip" for number in range(1, LOOSE_UPLOADS + 1)},
    )
    @app_commands.choices(
        mode=[app_commands.Choice(name=f"{mode}: {words}", value=str(mode)) for mode, words in MODES.items()]
    )
    async def finetune(
        self,
        interaction: Interaction,
        zip: discord.Attachment | None = None,  # noqa: A002 - the option's name is what people read
        name: app_commands.Range[str, 1, 50] | None = None,
        trigger_word: app_commands.Range[str, 2, 30] | None = None,
        mode: str = str(Mode.GENERAL),
        trainer: str = "",
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
            await interaction.response.send_modal(
                FinetuneDialog(self._bot, name=name, trigger_word=trigger_word, mode=mode, trainer=trainer)
            )
            return
        request = FinetuneRequest(
            name=name or (PurePath(zip.filename).stem if zip else trigger_word or "My model"),
            trigger_word=trigger_word or "",
            mode=mode,
            uploads=tuple(map(upload_of, files)),
            trainer=trainer,
        )
        await _take_in(self._bot, interaction, request)

    @finetune.autocomplete("trainer")
    async def trainers(self, _interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        offered = self._bot.resources.providers.trainers()
        return choices(matching(typed, [(trainer_choice(*one), choice_of(*one)) for one in offered]))


class FinetuneDialog(Dialog, title="Train a model"):
    """What /finetune asks when it was given no file."""

    def __init__(self, bot: Atelier, *, name: str | None, trigger_word: str | None, mode: str, trainer: str) -> None:
        super().__init__(bot)
        self._bot = bot
        self._trainer = trainer
        self._name: discord.ui.TextInput[Any] = discord.ui.TextInput(
            default=name, max_length=50, placeholder="Luna the cat", custom_id="name"
        )
        self._word: discord.ui.TextInput[Any] = discord.ui.TextInput(
            default=trigger_word,
            required=False,
            max_length=30,
            placeholder=DEFAULT_TRIGGER_WORD,
            custom_id="trigger_word",
        )
        self._mode: discord.ui.Select[Any] = discord.ui.Select(
            options=[
                discord.SelectOption(label=item.capitalize(), description=words, value=item, default=item == mode)
                for item, words in MODES.items()
            ],
            custom_id="mode",
        )
        self._files: discord.ui.FileUpload[Any] = discord.ui.FileUpload(
            min_values=1, max_values=LOOSE_UPLOADS, custom_id="files"
        )
        for text, description, field in (
            ("Name", "What to call the model", self._name),
            ("Trigger word", "A rare word that will call your subject in a prompt", self._word),
            ("What do the pictures show?", None, self._mode),
            ("Pictures", f"Up to {LOOSE_UPLOADS} pictures, or one zip", self._files),
        ):
            self.add_item(discord.ui.Label(text=text, description=description, component=field))

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        request = FinetuneRequest(
            name=self._name.value,
            trigger_word=self._word.value,
            mode=self._mode.values[0],
            uploads=tuple(map(upload_of, self._files.values)),
            trainer=self._trainer,
        )
        await _take_in(self._bot, interaction, request)


class StartButton(CardButton, act=Act.START):
    async def press(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        await interaction.client.workflows.finetune.start(self.subject, interaction.user.id)


class CancelButton(CardButton, act=Act.CANCEL):
    """Also *Give up*."""

    operators_too = True

    async def press(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        await interaction.client.workflows.cancel.request(self.subject, asker_of(interaction))


class AdvancedButton(CardButton, act=Act.ADVANCED):
    async def press(self, interaction: Interaction) -> None:
        job = await _job(interaction, self.subject)
        if job.status is not JobStatus.REVIEW:
            raise TooLate(TOO_LATE)
        trainer = interaction.client.resources.providers.trainer_of(job.provider, job.details["trainer"])
        await interaction.response.send_modal(AdvancedDialog(interaction.client, job.id, settings_of(job), trainer))


class LeftOutButton(CardButton, act=Act.LEFT_OUT):
    async def press(self, interaction: Interaction) -> None:
        async with interaction.client.resources.database.reading() as connection:
            dataset = await find_dataset(connection, self.subject)
        if dataset is None:
            raise NotFound("That dataset is gone.")
        await interaction.response.send_message(view=left_out(dataset), ephemeral=True)


async def setup(bot: Atelier) -> None:
    await bot.add_cog(FinetuneCog(bot))


async def _take_in(bot: Atelier, interaction: Interaction, request: FinetuneRequest) -> None:
    job_id, place, weight = str(interaction.id), place_of(interaction), weight_of(interaction)
    await take_in(interaction, lambda: bot.workflows.finetune.request(job_id, place, request, weight=weight))


async def _job(interaction: Interaction, job_id: str) -> Job:
    async with interaction.client.resources.database.reading() as connection:
        job = await find_job(connection, job_id)
    if job is None:
        raise NotFound("That job is not known any more.")
    return job
