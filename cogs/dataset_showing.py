"""How a dataset is shown to its person: a private card, drawn anew after every change."""

from dataclasses import replace

from bot.messages.dataset_cards import dataset_card
from cogs.answers import Interaction


async def show_dataset(interaction: Interaction, subject: str, *, page: int = 0) -> None:
    """Fill or replace the private message that this interaction has answered with, or came from."""
    studio = interaction.client.studio
    view = replace(await studio.view_of(subject, interaction.user.id), page=page)
    files = await studio.sheet(view)
    await interaction.edit_original_response(view=dataset_card(view, has_sheet=bool(files)), attachments=files)


async def show_changed(interaction: Interaction, subject: str) -> None:
    """After a change. A training's card in the channel is the notifier's, which has shown it already."""
    message = interaction.message
    if message is None or message.flags.ephemeral:
        await show_dataset(interaction, subject)
