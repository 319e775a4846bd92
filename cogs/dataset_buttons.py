"""The buttons on a dataset's card, alone or as a training under review."""

from bot.messages.buttons import Act
from bot.messages.dataset_cards import delete_dataset_question, left_out_card
from bot.messages.left_out import left_out_files
from bot.messages.lists import sentence
from bot.messages.words import plain
from bot.workflows.requests import Which
from cogs.answers import CardButton, Interaction
from cogs.dataset_dialogs import AddDialog, EditDialog
from cogs.dataset_showing import show_changed, show_dataset
from cogs.finetune_dialogs import TrainDialog
from storage.datasets import Dataset

SURE = "1"  # beside the id, on the button that asks nothing more


class OpenDatasetButton(CardButton, act=Act.OPEN_DATASET):
    async def press(self, interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await show_dataset(interaction, self.subject)


class SheetPageButton(CardButton, act=Act.SHEET_PAGE):
    async def press(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        subject, _, page = self.subject.partition("-")
        await show_dataset(interaction, subject, page=int(page or 0))


class LeaveOutFlaggedButton(CardButton, act=Act.LEAVE_OUT_FLAGGED):
    async def press(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        view = await interaction.client.studio.view_of(self.subject, interaction.user.id)
        await interaction.client.workflows.datasets.leave_out_flagged(
            view.dataset.id, interaction.user.id, view.trainer, view.mode
        )
        await show_changed(interaction, self.subject)


class UndoButton(CardButton, act=Act.UNDO):
    async def press(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        subject, _, step = self.subject.partition("-")
        dataset = await _dataset(interaction, subject)
        await interaction.client.workflows.datasets.undo(dataset.id, interaction.user.id, int(step or 0))
        await show_changed(interaction, subject)


class AddMoreButton(CardButton, act=Act.ADD_MORE):
    async def press(self, interaction: Interaction) -> None:
        dataset = await _dataset(interaction, self.subject)
        await interaction.response.send_modal(await AddDialog.ask(interaction, dataset=dataset.id, which=Which.KNOWN))


class EditDatasetButton(CardButton, act=Act.EDIT_DATASET):
    async def press(self, interaction: Interaction) -> None:
        dataset = await _dataset(interaction, self.subject)
        await interaction.response.send_modal(EditDialog(interaction.client, self.subject, dataset))


class TrainDatasetButton(CardButton, act=Act.TRAIN_DATASET):
    async def press(self, interaction: Interaction) -> None:
        dataset = await _dataset(interaction, self.subject)
        await interaction.response.send_modal(await TrainDialog.ask(interaction, dataset))


class LeftOutButton(CardButton, act=Act.LEFT_OUT):
    async def press(self, interaction: Interaction) -> None:
        name, left_out = await interaction.client.studio.left_out_of(self.subject, interaction.user.id)
        card, files = left_out_card(name, left_out), left_out_files(left_out)
        await interaction.response.send_message(view=card, files=files, ephemeral=True)


class DeleteDatasetButton(CardButton, act=Act.DELETE_DATASET):
    async def press(self, interaction: Interaction) -> None:
        dataset_id, _, sure = self.subject.partition("-")
        if sure != SURE:
            dataset = await _dataset(interaction, dataset_id)
            card = delete_dataset_question(dataset, interaction.user.id)
            await interaction.response.send_message(view=card, ephemeral=True)
            return
        await interaction.response.defer()
        deleted = await interaction.client.workflows.datasets.delete(dataset_id, interaction.user.id)
        gone = sentence(f"**{plain(deleted.name)}** is deleted, with its pictures.")
        await interaction.edit_original_response(view=gone, attachments=[])


async def _dataset(interaction: Interaction, subject: str) -> Dataset:
    view = await interaction.client.studio.view_of(subject, interaction.user.id)
    return view.dataset


DATASET_BUTTONS = (
    OpenDatasetButton,
    SheetPageButton,
    LeaveOutFlaggedButton,
    UndoButton,
    AddMoreButton,
    EditDatasetButton,
    TrainDatasetButton,
    LeftOutButton,
    DeleteDatasetButton,
)
