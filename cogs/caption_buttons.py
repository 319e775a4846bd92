"""The pages of captions: five pictures at a time, to write, to find and replace in, to have described."""

from collections.abc import Sequence
from typing import Any

import discord

from bot.client import Atelier
from bot.datasets.captions.captions import MAX_CAPTION_CHARACTERS
from bot.errors import BadInput
from bot.messages.buttons import Act
from bot.messages.dataset_cards import caption_page_with, captions_page, on_caption_page, replaced
from bot.messages.view import DatasetView
from bot.messages.words import flat
from cogs.answers import CardButton, Dialog, Interaction, place_of, take_in, weight_of
from storage.datasets import DatasetImage

Label = discord.ui.Label[Any]


class CaptionsButton(CardButton, act=Act.CAPTIONS):
    """On a card it opens the pages, on a page it turns them."""

    async def press(self, interaction: Interaction) -> None:
        subject, hyphen, _ = self.subject.partition("-")
        if hyphen:
            await interaction.response.defer()
        else:
            await interaction.response.defer(ephemeral=True, thinking=True)
        await _show_page(interaction, subject, _number(self.subject))


class GoToCaptionButton(CardButton, act=Act.GO_TO_CAPTION):
    async def press(self, interaction: Interaction) -> None:
        view = await _view(interaction, self.subject)
        await interaction.response.send_modal(GoToDialog(interaction.client, view))


class WriteCaptionsButton(CardButton, act=Act.WRITE_CAPTIONS):
    async def press(self, interaction: Interaction) -> None:
        view = await _view(interaction, self.subject)
        page = _number(self.subject)
        images = on_caption_page(view.dataset, page)
        if not images:
            raise BadInput("No picture is in it any more: add some first.")
        await interaction.response.send_modal(CaptionsDialog(interaction.client, view, page, images))


class ReplaceInCaptionsButton(CardButton, act=Act.REPLACE_IN_CAPTIONS):
    async def press(self, interaction: Interaction) -> None:
        view = await _view(interaction, self.subject)
        await interaction.response.send_modal(ReplaceDialog(interaction.client, view, _number(self.subject)))


class DescribeButton(CardButton, act=Act.DESCRIBE):
    async def press(self, interaction: Interaction) -> None:
        view = await _view(interaction, self.subject)
        job_id, place, weight = str(interaction.id), place_of(interaction), weight_of(interaction)
        captioning = interaction.client.workflows.captioning
        shown = _number(self.subject)  # as many as the button said, for so much
        await take_in(
            interaction, lambda: captioning.request(job_id, place, view.dataset.id, pictures=shown, weight=weight)
        )


class CaptionsDialog(Dialog, title="Captions"):
    def __init__(self, bot: Atelier, view: DatasetView, page: int, images: Sequence[DatasetImage]) -> None:
        super().__init__(bot)
        self._subject, self._page = view.subject, page
        self._dataset_id = view.dataset.id
        self._fields = {image.number: _caption_field(image) for image in images}
        for image in images:
            text = f"{image.number} · {flat(image.name, 30)}"[:45]
            self.add_item(Label(text=text, component=self._fields[image.number]))

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer()
        captions = {
            number: field.value for number, field in self._fields.items() if field.value != (field.default or "")
        }
        await interaction.client.workflows.datasets.write_captions(self._dataset_id, interaction.user.id, captions)
        await _show_page(interaction, self._subject, self._page)


class ReplaceDialog(Dialog, title="Find and replace"):
    def __init__(self, bot: Atelier, view: DatasetView, page: int) -> None:
        super().__init__(bot)
        self._subject, self._page = view.subject, page
        self._dataset_id = view.dataset.id
        self._find: discord.ui.TextInput[Any] = discord.ui.TextInput(required=False, max_length=200, custom_id="find")
        self._put: discord.ui.TextInput[Any] = discord.ui.TextInput(required=False, max_length=200, custom_id="put")
        description = "In any case, wherever it stands; empty to put a text before every caption"
        self.add_item(Label(text="Find", description=description, component=self._find))
        self.add_item(Label(text="Replace with", description="Empty to remove it", component=self._put))

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer()
        find, put = self._find.value, self._put.value
        changed = await interaction.client.workflows.datasets.replace_in_captions(
            self._dataset_id, interaction.user.id, find=find, put=put
        )
        await _show_page(interaction, self._subject, self._page, done=replaced(changed, find=find, put=put))


class GoToDialog(Dialog, title="Go to a caption"):
    def __init__(self, bot: Atelier, view: DatasetView) -> None:
        super().__init__(bot)
        self._subject = view.subject
        self._number: discord.ui.TextInput[Any] = discord.ui.TextInput(max_length=6, custom_id="number")
        description = "The number on the picture"
        self.add_item(Label(text="Number", description=description, component=self._number))

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer()
        view = await _view(interaction, self._subject)
        typed = self._number.value.strip()
        page = caption_page_with(view.dataset, int(typed)) if typed.isdecimal() else None
        if page is None:
            raise BadInput("No picture of that number is in it: write a number from the sheet, for example 7.")
        await _show_page(interaction, self._subject, page)


def _caption_field(image: DatasetImage) -> discord.ui.TextInput[Any]:
    return discord.ui.TextInput(
        default=image.caption,
        required=False,
        style=discord.TextStyle.paragraph,
        max_length=MAX_CAPTION_CHARACTERS,
        placeholder="What is to be seen, in a sentence",
        custom_id=f"caption-{image.number}",
    )


async def _show_page(interaction: Interaction, subject: str, page: int, *, done: str = "") -> None:
    view = await interaction.client.studio.view_of(subject, interaction.user.id)
    files = await interaction.client.studio.captioned(on_caption_page(view.dataset, page))
    card = captions_page(view, page, has_strip=bool(files), done=done)
    await interaction.edit_original_response(view=card, attachments=files)


async def _view(interaction: Interaction, subject: str) -> DatasetView:
    return await interaction.client.studio.view_of(subject.partition("-")[0], interaction.user.id)


def _number(subject: str) -> int:
    """The number behind the id, 0 when there is none."""
    return int(subject.partition("-")[2] or 0)


CAPTION_BUTTONS = (CaptionsButton, GoToCaptionButton, WriteCaptionsButton, ReplaceInCaptionsButton, DescribeButton)
