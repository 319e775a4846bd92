"""What a person does about a job that failed or is in doubt: retry, attach its id, submit again."""

from typing import Any

import discord

from bot.client import Atelier
from bot.messages.buttons import Act
from bot.messages.lists import sentence
from cogs.answers import CardButton, Dialog, Interaction, asker_of

ID_CHARACTERS = 400  # a link that holds the id may be pasted too


class RetryButton(CardButton, act=Act.RETRY):
    async def press(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        await interaction.client.workflows.retry.retry(self.subject, interaction.user.id)


class SubmitAgainButton(CardButton, act=Act.SUBMIT_AGAIN):
    operators_too = True

    async def press(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        await interaction.client.workflows.retry.submit_again(self.subject, asker_of(interaction))


class AttachButton(CardButton, act=Act.ATTACH):
    operators_too = True

    async def press(self, interaction: Interaction) -> None:
        await interaction.response.send_modal(AttachDialog(interaction.client, self.subject))


class AttachDialog(Dialog, title="It ran"):
    def __init__(self, bot: Atelier, job_id: str) -> None:
        super().__init__(bot)
        self._job_id = job_id
        self._id: discord.ui.TextInput[Any] = discord.ui.TextInput(max_length=ID_CHARACTERS, custom_id="id")
        self.add_item(
            discord.ui.Label(
                text="What the provider calls it",
                description="The id in the provider's dashboard, or the link to it there",
                component=self._id,
            )
        )

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.client.workflows.retry.attach(self._job_id, asker_of(interaction), self._id.value)
        await interaction.edit_original_response(view=sentence("Found it. The job goes on from there."))
