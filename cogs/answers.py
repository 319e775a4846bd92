"""How every cog answers: at once, privately, and with buttons that only their own person may press."""

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, ClassVar, Self

import discord
from discord import app_commands

from bot.client import Atelier
from bot.downloads import Upload
from bot.errors import BadInput, NotYours
from bot.messages.buttons import Act, pattern
from bot.messages.words import count
from bot.permissions import Asker
from storage.datasets import datasets_of_person
from storage.places import DIRECT_MESSAGE, Place

Interaction = discord.Interaction[Atelier]


def place_of(interaction: Interaction) -> Place:
    """Where a command was used. Raises `BadInput` when the bot could not post its card there."""
    permissions = interaction.app_permissions
    missing = [
        words
        for words, is_there in (
            ("View Channel", permissions.view_channel),
            ("Send Messages", permissions.send_messages),
            ("Attach Files", permissions.attach_files),
        )
        if not is_there
    ]
    if missing:
        raise BadInput(f"I may not post here: ask an admin to give me {' and '.join(missing)} in this channel.")
    return Place(
        server_id=interaction.guild_id or DIRECT_MESSAGE,
        channel_id=interaction.channel_id or 0,
        person_id=interaction.user.id,
    )


def weight_of(interaction: Interaction) -> int:
    """This person's share of the queue: the largest that `ROLE_WEIGHTS` gives to one of their roles, by name or id."""
    weights = interaction.client.resources.settings.role_weights
    roles = interaction.user.roles if isinstance(interaction.user, discord.Member) else []
    return max((weights.get(key, 1) for role in roles for key in (str(role.id), role.name.strip().lower())), default=1)


async def take_in(interaction: Interaction, request: Callable[[], Awaitable[None]]) -> None:
    """Acknowledge, then store the request; from there on the job's card in the channel speaks."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    await request()
    await interaction.delete_original_response()


def upload_of(file: discord.Attachment) -> Upload:
    return Upload(url=file.url, name=file.filename, size_bytes=file.size)


def asker_of(interaction: Interaction) -> Asker:
    """Who asks, and what they may see beyond their own."""
    return Asker(
        person_id=interaction.user.id,
        manages_server=interaction.guild_id if interaction.permissions.manage_guild else None,
        operates=interaction.client.resources.operators.is_one(interaction.user.id),
    )


OPEN_SECONDS = 3600.0
CHOICES = 25  # the most that Discord's autocomplete shows


def matching(typed: str, lines: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of (what is shown, what is meant) that show what was typed, in any case."""
    return [(line, value) for line, value in lines if typed.lower() in line.lower()]


def choices(lines: Iterable[tuple[str, str]]) -> list[app_commands.Choice[str]]:
    """At most as many as Discord shows, each at most as long as it takes."""
    return [app_commands.Choice(name=line[:100], value=value) for line, value in lines][:CHOICES]


async def own_datasets(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """An autocomplete list of this person's datasets, the one worked on last first."""
    async with interaction.client.resources.database.reading() as connection:
        lines = await datasets_of_person(connection, interaction.user.id, limit=4 * CHOICES)
    return choices(
        matching(typed, [(f"{line.name} · {count(line.pictures, 'picture', 'pictures')}", line.id) for line in lines])
    )


class CardButton(discord.ui.DynamicItem[discord.ui.Button[discord.ui.LayoutView]], template=r"atelier:never"):
    """A button that survives a restart. Subclasses name an act and say what pressing does."""

    act: ClassVar[Act]
    operators_too: ClassVar[bool] = False  # who operates the bot may press it as well

    def __init_subclass__(cls, *, act: Act, **_options: Any) -> None:
        cls.act = act
        super().__init_subclass__(template=pattern(act))

    def __init__(self, item: discord.ui.Button[discord.ui.LayoutView], subject: str, person_id: int) -> None:
        super().__init__(item)
        self.subject = subject
        self.person_id = person_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        assert isinstance(item, discord.ui.Button)
        return cls(item, match["subject"], int(match["person"]))

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        return bool(await interaction.client.admits(interaction))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        try:
            if not self.may_press(interaction):
                raise NotYours(
                    "That button belongs to somebody else. Start your own with /finetune, /dataset add or /generate."
                )
            await self.press(interaction)
        except Exception as error:  # noqa: BLE001 - a button's exit is the same as a command's
            await interaction.client.on_command_failed(interaction, error)

    def may_press(self, interaction: Interaction) -> bool:
        is_own = interaction.user.id == self.person_id
        return is_own or (self.operators_too and asker_of(interaction).operates)

    async def press(self, interaction: Interaction) -> None:
        raise NotImplementedError


class Dialog(discord.ui.Modal):
    """A modal whose failures take the same exit as a command's."""

    def __init__(self, bot: Atelier) -> None:
        super().__init__(timeout=OPEN_SECONDS, custom_id=bot.new_dialog_id())

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        return bool(await interaction.client.admits(interaction))

    async def on_error(  # type: ignore[override]  # a modal's handler is called without an item
        self, interaction: discord.Interaction[Any], error: Exception, /
    ) -> None:
        await interaction.client.on_command_failed(interaction, error)
