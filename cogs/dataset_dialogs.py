"""The dialogs of datasets: which pictures go where, another name, which numbers are in."""

from typing import Any, Self

import discord

from bot.client import Atelier
from bot.downloads import Upload
from bot.messages.words import count, spans
from bot.workflows.requests import LOOSE_UPLOADS, AddRequest, Which, numbers_meant
from cogs.answers import CHOICES, Dialog, Interaction, place_of, take_in, upload_of, weight_of
from cogs.dataset_showing import show_changed
from storage.datasets import Dataset, DatasetLine, datasets_of_person
from storage.models import NAME_CHARACTERS

A_NEW_ONE = "new"
NUMBERS_CHARACTERS = 60  # of the 100 that a field's description may have
NEW_NAME = "My pictures"
NAME_MEANS = "Or the name of one you have, if the list does not show it: they go there"
Label = discord.ui.Label[Any]


class AddDialog(Dialog, title="Add pictures to a dataset"):
    """Asks for what is not known yet: which dataset, and which files."""

    def __init__(
        self,
        bot: Atelier,
        *,
        dataset: str | None,
        which: Which,
        uploads: tuple[Upload, ...],
        own: list[DatasetLine],
    ) -> None:
        super().__init__(bot)
        self._dataset = dataset
        self._which = which
        self._uploads = uploads
        self._choice = _choice(own)
        self._name: discord.ui.TextInput[Any] = discord.ui.TextInput(
            required=False, max_length=NAME_CHARACTERS, placeholder=NEW_NAME, custom_id="name"
        )
        self._files: discord.ui.FileUpload[Any] = discord.ui.FileUpload(
            min_values=1, max_values=LOOSE_UPLOADS, custom_id="files"
        )
        if dataset is None and own:
            self.add_item(Label(text="Dataset", component=self._choice))
        if dataset is None:
            description = NAME_MEANS if own else None
            self.add_item(Label(text="Name of a new dataset", description=description, component=self._name))
        if not uploads:
            description = f"Up to {LOOSE_UPLOADS} files: pictures, or a zip of them"
            self.add_item(Label(text="Pictures", description=description, component=self._files))

    @classmethod
    async def ask(
        cls,
        interaction: Interaction,
        *,
        dataset: str | None = None,
        which: Which = Which.EITHER,
        uploads: tuple[Upload, ...] = (),
    ) -> Self:
        async with interaction.client.resources.database.reading() as connection:
            own = await datasets_of_person(connection, interaction.user.id, limit=CHOICES - 1)
        return cls(interaction.client, dataset=dataset, which=which, uploads=uploads, own=own)

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        uploads = self._uploads or tuple(map(upload_of, self._files.values))
        dataset, which = self._meant()
        await request_addition(interaction, AddRequest(dataset=dataset, uploads=uploads, which=which))

    def _meant(self) -> tuple[str, Which]:
        """A name that is written comes before the list, which ends at the latest: it may be one that is not shown."""
        if self._dataset is not None:
            return self._dataset, self._which
        chosen = self._choice.values[0] if self._choice.values else A_NEW_ONE
        name = self._name.value.strip()
        if name:
            return name, Which.EITHER
        return (NEW_NAME, Which.NEW) if chosen == A_NEW_ONE else (chosen, Which.KNOWN)


class EditDialog(Dialog, title="Edit the dataset"):
    def __init__(self, bot: Atelier, subject: str, dataset: Dataset) -> None:
        super().__init__(bot)
        self._subject = subject
        self._dataset_id = dataset.id
        self._name: discord.ui.TextInput[Any] = discord.ui.TextInput(
            default=dataset.name, max_length=NAME_CHARACTERS, custom_id="name"
        )
        self._leave_out = _numbers("leave_out")
        self._take_back = _numbers("take_back")
        self._remove = _numbers("remove")
        self.add_item(Label(text="Name", component=self._name))
        description = "The numbers on the pictures that shall not be learnt, for example 3, 7-9"
        self.add_item(Label(text="Leave out", description=description, component=self._leave_out))
        if len(dataset.chosen) < len(dataset.images):
            out = [image.number for image in dataset.images if not image.is_in]
            description = f"To be learnt after all; left out now: {spans(out, NUMBERS_CHARACTERS)}"
            self.add_item(Label(text="Take back", description=description, component=self._take_back))
        description = "Numbers of pictures to remove with their files: no Undo brings them back"
        self.add_item(Label(text="Delete for good", description=description, component=self._remove))

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=interaction.message is None)
        await interaction.client.workflows.datasets.edit(
            self._dataset_id,
            interaction.user.id,
            name=self._name.value,
            leave_out=numbers_meant(self._leave_out.value),
            take_back=numbers_meant(self._take_back.value),
            remove=numbers_meant(self._remove.value),
        )
        await show_changed(interaction, self._subject)


async def request_addition(interaction: Interaction, request: AddRequest) -> None:
    job_id, place, weight = str(interaction.id), place_of(interaction), weight_of(interaction)
    datasets = interaction.client.workflows.datasets
    await take_in(interaction, lambda: datasets.add(job_id, place, request, weight=weight))


def _choice(own: list[DatasetLine]) -> discord.ui.Select[Any]:
    """The one worked on last is chosen."""
    options = [
        discord.SelectOption(
            label=line.name[:100],
            description=count(line.pictures, "picture", "pictures"),
            value=line.id,
            default=at == 0,
        )
        for at, line in enumerate(own)
    ]
    options.append(discord.SelectOption(label="A new dataset", value=A_NEW_ONE, default=not own))
    return discord.ui.Select(options=options, custom_id="dataset")


def _numbers(custom_id: str) -> discord.ui.TextInput[Any]:
    return discord.ui.TextInput(required=False, max_length=200, placeholder="3, 7-9", custom_id=custom_id)
