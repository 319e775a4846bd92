"""A discord.py bot with one of everything the playground must carry."""

import asyncio
import contextlib
import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import discord
import yarl
from discord import app_commands, ui

from bot.playground.server import Playground
from tests.playground.bare_wire import PNG


class Dialog(ui.Modal, title="Your pictures"):
    trigger = ui.Label(text="Trigger word", component=ui.TextInput(min_length=2, max_length=10))
    pictures = ui.Label(text="Pictures", component=ui.FileUpload(min_values=1, max_values=3))
    style = ui.Label(
        text="Style",
        component=ui.RadioGroup(
            options=[discord.RadioGroupOption(label=word, value=word.lower()) for word in ("Photo", "Drawing")]
        ),
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.pictures.component, ui.FileUpload)
        assert isinstance(self.trigger.component, ui.TextInput)
        assert isinstance(self.style.component, ui.RadioGroup)
        await interaction.response.defer(thinking=True)
        sizes = [len(await file.read()) for file in self.pictures.component.values]
        words = f"{self.trigger.component.value} {self.style.component.value} {sizes}"
        await interaction.edit_original_response(content=words)


class Buttons(ui.View):
    def __init__(self) -> None:
        super().__init__(timeout=None)

    @ui.button(label="Start", custom_id="start", style=discord.ButtonStyle.success)
    async def start(self, interaction: discord.Interaction, button: ui.Button[Any]) -> None:
        button.disabled = True
        await interaction.response.edit_message(content="started", view=self)

    @ui.button(label="Fill in", custom_id="fill")
    async def fill(self, interaction: discord.Interaction, _: ui.Button[Any]) -> None:
        await interaction.response.send_modal(Dialog())

    @ui.button(label="Slowly", custom_id="slowly")
    async def slowly(self, interaction: discord.Interaction, _: ui.Button[Any]) -> None:
        await interaction.response.defer()
        await asyncio.sleep(0.05)
        await interaction.edit_original_response(content="slowly done")

    @ui.select(
        placeholder="Colour",
        custom_id="colour",
        options=[discord.SelectOption(label=word, value=word.lower()) for word in ("Red", "Green")],
    )
    async def colour(self, interaction: discord.Interaction, select: ui.Select[Any]) -> None:
        await interaction.response.send_message(f"chose {select.values[0]}", ephemeral=True)


def card(words: str, *, picture: str | None = None) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    box: ui.Container[Any] = ui.Container(accent_colour=0x336699)
    box.add_item(ui.TextDisplay(words))
    if picture:
        box.add_item(ui.MediaGallery(discord.MediaGalleryItem(f"attachment://{picture}", description="a picture")))
    box.add_item(ui.ActionRow(ui.Button(label="Stop", custom_id="stop", style=discord.ButtonStyle.danger)))
    view.add_item(box)
    return view


class ExampleBot(discord.AutoShardedClient):
    """One of everything the playground must carry."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents.default(), guild_ready_timeout=0.1)
        self.tree = app_commands.CommandTree(self)
        self.resumed = asyncio.Event()
        self.heard: list[str] = []
        self._define()

    async def setup_hook(self) -> None:
        self.add_view(Buttons())
        await self.tree.sync()

    async def on_resumed(self) -> None:
        self.resumed.set()

    async def on_shard_resumed(self, _: int) -> None:
        self.resumed.set()

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message.content)

    def _define(self) -> None:
        @self.tree.command(name="buttons", description="Shows buttons.")
        async def buttons(interaction: discord.Interaction) -> None:
            await interaction.response.send_message("press one", view=Buttons())

        @self.tree.command(name="secret", description="Only for you.")
        async def secret(interaction: discord.Interaction) -> None:
            await interaction.response.send_message("for you alone", ephemeral=True)

        @self.tree.command(name="silent", description="Never answers.")
        async def silent(interaction: discord.Interaction) -> None:
            return

        @self.tree.command(name="card", description="A card.")
        async def show_card(interaction: discord.Interaction) -> None:
            await interaction.response.defer()
            file = discord.File(io.BytesIO(PNG), "first.png")
            message = await interaction.edit_original_response(
                view=card("training", picture="first.png"), attachments=[file]
            )
            assert interaction.channel is not None
            again = discord.File(io.BytesIO(PNG), "second.png")
            await interaction.channel.get_partial_message(message.id).edit(
                view=card("trained", picture="second.png"), attachments=[again]
            )

        @self.tree.command(name="count", description="Counts the files of a zip.")
        @app_commands.describe(dataset="a zip", times="how often")
        async def count(
            interaction: discord.Interaction, dataset: discord.Attachment, times: app_commands.Range[int, 1, 3] = 1
        ) -> None:
            await interaction.response.defer(thinking=True)
            with zipfile.ZipFile(io.BytesIO(await dataset.read())) as archive:
                names = archive.namelist()
            await interaction.followup.send(f"{len(names) * times} files")

        @self.tree.command(name="paint", description="Paints.")
        async def paint(interaction: discord.Interaction, model: str, prompt: str = "") -> None:
            await interaction.response.send_message(f"{model}: {prompt}")

        @paint.autocomplete("model")
        async def complete(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
            names = ["cats", "castles", "dogs"]
            return [app_commands.Choice(name=name, value=name) for name in names if name.startswith(typed)]

        models = app_commands.Group(name="models", description="Models.")

        @models.command(name="list", description="Lists them.")
        async def listing(interaction: discord.Interaction, page: int = 1) -> None:
            await interaction.response.send_message(f"page {page}")

        self.tree.add_command(models)
        self._define_menus()

    def _define_menus(self) -> None:
        @self.tree.context_menu(name="Weigh the Files")
        async def weigh(interaction: discord.Interaction, message: discord.Message) -> None:
            await interaction.response.defer(ephemeral=True, thinking=True)
            sizes = [f"{file.filename} {file.size} {len(await file.read())}" for file in message.attachments]
            await interaction.followup.send(f"{message.author.name}: {message.content}: {', '.join(sizes)}")

        @self.tree.context_menu(name="repeat")
        async def repeat(interaction: discord.Interaction, message: discord.Message) -> None:
            await interaction.response.send_message(message.content)

        @self.tree.context_menu(name="Fill in")
        async def fill(interaction: discord.Interaction, _: discord.Message) -> None:
            await interaction.response.send_modal(Dialog())

        @self.tree.context_menu(name="Ignore")
        async def ignore(interaction: discord.Interaction, _: discord.Message) -> None:
            return


@contextlib.asynccontextmanager
async def living_in(playground: Playground) -> AsyncIterator[ExampleBot]:
    """The bot, started and ready; afterwards discord.py's addresses, which it keeps on classes, are what they were."""
    route, gateway = discord.http.Route, discord.gateway.DiscordWebSocket
    before = route.BASE, gateway.DEFAULT_GATEWAY
    route.BASE, gateway.DEFAULT_GATEWAY = playground.api_url, yarl.URL(playground.gateway_url)
    client = ExampleBot()
    running = asyncio.create_task(client.start(playground.token))
    try:
        await playground.bot_ready()
        yield client
    finally:
        await client.close()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        route.BASE, gateway.DEFAULT_GATEWAY = before
