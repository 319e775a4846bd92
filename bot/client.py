"""Atelier: the Discord client. Loads cogs by name, starts and stops what runs beside it, answers command errors."""

import asyncio
import hashlib
import json
import logging
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from bot.delivery.broadcasts import Broadcasts
from bot.delivery.links import Links
from bot.delivery.notifier import Notifier
from bot.delivery.studio import Studio
from bot.intake import Intake, answer_privately, tell_failure, turn_away
from bot.positions import Positions
from bot.providers.refreshing import keep_fresh
from bot.settings import Settings
from bot.startup import Resources, open_resources
from bot.wiring import build_workflows, detours_of
from bot.workflows.engine import Engine
from bot.workflows.resuming import keep_resuming

log = logging.getLogger(__name__)

COGS = ("cogs.finetune", "cogs.datasets", "cogs.generate", "cogs.models", "cogs.jobs", "cogs.providers", "cogs.help")
SETTLING_SECONDS = 8.0
CONNECTIONS = 100  # without a limit a burst opens one connection per call and answers come too late


class DiscordRefused(Exception):
    """The bot cannot come online; the message says what to do."""


class Atelier(commands.AutoShardedBot):
    """One object for a whole process: `async with` it, or let `start` and `close` do it."""

    def __init__(self, resources: Resources, *, guild_ready_timeout: float = 2.0) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=Intake,
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False),
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            guild_ready_timeout=guild_ready_timeout,
        )
        self.resources = resources
        self._beside: list[asyncio.Task[None]] = []
        self._is_leaving = False
        self.has_started = False
        self._process = secrets.token_hex(4)
        broadcasts = Broadcasts(self)
        resources.operators.speak_through(broadcasts)
        self.studio = Studio(
            database=resources.database,
            files=resources.files,
            providers=resources.providers,
            pool=resources.drawing,
            has_object_storage=resources.objects is not None,
        )
        self.notifier = Notifier(
            client=self,
            database=resources.database,
            files=resources.files,
            providers=resources.providers,
            pool=resources.pool,
            link_to=Links(resources.objects),
            studio=self.studio,
            edit_interval_seconds=resources.settings.card_edit_interval,
            held_up=detours_of(resources).held_up,
        )
        self.engine = Engine(resources.database)
        self.workflows = build_workflows(resources, self.engine, self.notifier, broadcasts)
        self.tree.error(self.on_command_failed)

    async def start_or_refuse(self, token: str) -> None:
        """`start`, with a sentence for the two ways in which a first start commonly ends. Raises `DiscordRefused`."""
        try:
            await self.start(token)
        except discord.LoginFailure as problem:
            raise DiscordRefused(
                "Discord does not know this DISCORD_TOKEN: copy it again from the portal."
            ) from problem
        except aiohttp.ClientConnectionError as problem:
            raise DiscordRefused(
                f"{self.resources.settings.discord_api_url} was not reached: check the network and try again."
            ) from problem

    async def setup_hook(self) -> None:
        """Logged in, not yet connected: the interrupted jobs go on from here."""
        for name in COGS:
            if name not in self.extensions:
                await self.load_extension(name)
        await self._tell_discord_the_commands()
        await self.workflows.vigil.catch_up()
        await self.engine.start()
        self._beside = [
            asyncio.create_task(keep_fresh(self.resources.providers)),
            asyncio.create_task(self.workflows.watchdog.keep_watch()),
            asyncio.create_task(Positions(database=self.resources.database, cards=self.notifier).keep_moving()),
            asyncio.create_task(keep_resuming(self.engine, self.resources.operators)),
        ]
        self.has_started = True

    async def leave(self) -> None:
        """Before `close`, and still connected: nothing is taken in any more, short work ends, waiting is cut."""
        self._is_leaving = True
        self.resources.wakeups.end()
        await self.engine.settle(SETTLING_SECONDS)

    async def admits(self, interaction: discord.Interaction[Any]) -> bool:
        """False once the bot is leaving; its person has read so then."""
        if not self._is_leaving:
            return True
        await turn_away(interaction)
        return False

    async def close(self) -> None:
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        await self.engine.stop()
        await super().close()

    async def on_ready(self) -> None:
        if not self.is_closed():  # it comes two seconds late, when this client may be gone already
            log.info("Connected as %s, in %d servers", self.user, len(self.guilds))

    def new_dialog_id(self) -> str:
        """A dialog lives in this process only; its id says in which."""
        return f"dialog:{self._process}:{secrets.token_hex(8)}"

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """A dialog that was open while the bot restarted would otherwise end in silence."""
        data: Mapping[str, Any] = {**interaction.data} if interaction.data else {}
        custom_id = str(data.get("custom_id", ""))
        is_dialog = interaction.type is discord.InteractionType.modal_submit and custom_id.startswith("dialog:")
        if is_dialog and not custom_id.startswith(f"dialog:{self._process}:"):
            await answer_privately(interaction, "I was restarted while that dialog was open: please open it again.")

    async def on_command_failed(self, interaction: discord.Interaction, error: Exception) -> None:
        """One of two exits for failures: a sentence for the person, the rest for the log or the operator."""
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        await tell_failure(interaction, cause, self.resources.operators)

    async def _tell_discord_the_commands(self) -> None:
        """Only when they changed since Discord last took them from here: it allows few new commands a day."""
        payload = [command.to_dict(self.tree) for command in self.tree.get_commands()]
        place = f"{self.resources.settings.discord_api_url} {self.application_id}"
        digest = hashlib.sha256(json.dumps([place, payload], sort_keys=True).encode()).hexdigest()
        stamp: Path = self.resources.settings.data_dir / "commands.sha256"
        if stamp.is_file() and stamp.read_text() == digest and await self.tree.fetch_commands():
            return
        await self.tree.sync()
        try:
            stamp.write_text(digest)
        except OSError as problem:
            log.warning("The next start tells Discord the commands again: %s", problem)


@asynccontextmanager
async def open_bot(settings: Settings) -> AsyncIterator[Atelier]:
    """The one call from settings to a bot with everything behind it; `start` it, or drive it in a test."""
    async with open_resources(settings) as resources, Atelier(resources) as bot:
        yield bot
