"""/finetune: hand over pictures, look at the review card, start."""

from pathlib import PurePath
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Atelier
from bot.datasets.captions.trigger_words import rarer
from bot.errors import NotFound, TooLate
from bot.messages.buttons import Act
from bot.messages.offers import trainer_choice
from bot.providers.card import Mode
from bot.providers.registry import choice_of
from bot.workflows.requests import DEFAULT_TRIGGER_WORD, LOOSE_UPLOADS, FinetuneRequest, settings_of
from bot.workflows.review import TOO_LATE
from cogs.advanced import AdvancedDialog
from cogs.answers import (
    CardButton,
    Dialog,
    Interaction,
    asker_of,
    choices,
    matching,
    own_datasets,
    place_of,
    upload_of,
)
from cogs.finetune_dialogs import MODES, FinetuneDialog, request_finetune
from storage.jobs import Job, find_job
from storage.statuses import JobStatus


class FinetuneCog(commands.Cog):
    def __init__(self, bot: Atelier) -> None:
        self._bot = bot

    async def cog_load(self) -> None:
        self._bot.add_dynamic_items(StartButton, AdvancedButton, CancelButton, WordButton)

    @app_commands.command(description="Train a model on your own pictures: a zip, or up to 10 files")
    @app_commands.describe(
        zip="A zip of pictures, with .txt captions beside them if you have some",
        name="What to call the model",
        trigger_word=f"The word that will call your subject in a prompt (default {DEFAULT_TRIGGER_WORD})",
        mode="What the pictures show",
        trainer="Who trains it, and which base model",
        dataset="A dataset of yours, made with /dataset add",
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
        dataset: str = "",
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
        if not files and not dataset:
            await interaction.response.send_modal(
                FinetuneDialog(self._bot, name=name, trigger_word=trigger_word, mode=mode, trainer=trainer)
            )
            return
        request = FinetuneRequest(
            name=name or "",
            suggested=await self._suggested(interaction, dataset, zip) or trigger_word or "My model",
            trigger_word=trigger_word or "",
            mode=mode,
            uploads=tuple(map(upload_of, files)),
            trainer=trainer,
            dataset=dataset,
        )
        await request_finetune(self._bot, interaction, request)

    async def _suggested(
        self, interaction: Interaction, dataset: str, archive: discord.Attachment | None
    ) -> str | None:
        """As its dataset or its zip is called."""
        if dataset:
            return (await self._bot.workflows.datasets.meant(dataset, interaction.user.id)).name
        return PurePath(archive.filename).stem if archive else None

    @finetune.autocomplete("dataset")
    async def datasets(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await own_datasets(interaction, typed)

    @finetune.autocomplete("trainer")
    async def trainers(self, _interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        offered = self._bot.resources.providers.trainers()
        return choices(matching(typed, [(trainer_choice(*one), choice_of(*one)) for one in offered]))


class StartButton(CardButton, act=Act.START):
    async def press(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        await interaction.client.workflows.review.start(self.subject, interaction.user.id)


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


class WordButton(CardButton, act=Act.WORD):
    async def press(self, interaction: Interaction) -> None:
        job = await _job(interaction, self.subject)
        await interaction.response.send_modal(WordDialog(interaction.client, job))


class WordDialog(Dialog, title="Trigger word"):
    def __init__(self, bot: Atelier, job: Job) -> None:
        super().__init__(bot)
        self._job_id = job.id
        self._word: discord.ui.TextInput[Any] = discord.ui.TextInput(
            default=rarer(settings_of(job).trigger_word), min_length=2, max_length=30, custom_id="trigger_word"
        )
        description = "A rare word that will call your subject in a prompt"
        self.add_item(discord.ui.Label(text="Trigger word", description=description, component=self._word))

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer()
        await interaction.client.workflows.review.change_word(self._job_id, interaction.user.id, self._word.value)


async def setup(bot: Atelier) -> None:
    await bot.add_cog(FinetuneCog(bot))


async def _job(interaction: Interaction, job_id: str) -> Job:
    async with interaction.client.resources.database.reading() as connection:
        job = await find_job(connection, job_id)
    if job is None:
        raise NotFound("That job is not known any more.")
    return job
