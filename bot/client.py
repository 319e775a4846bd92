"""Atelier: the Discord client. Wires notifier and workflows, loads cogs by name, answers command errors."""

import asyncio
import hashlib
import json
import logging
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from bot.announcing import Announcing
from bot.errors import AtelierError
from bot.guarding import detours_of, outages_of, vigil_of
from bot.messages.lists import sentence
from bot.notifier import Notifier
from bot.providers.refreshing import keep_fresh
from bot.providers.registry import Providers
from bot.settings import Settings
from bot.startup import Resources, open_resources
from bot.workflows.cancel import CANCEL, Cancel
from bot.workflows.choosing import GeneratorChoice
from bot.workflows.engine import Engine, Lane
from bot.workflows.finetune import Finetune
from bot.workflows.generate import Generate
from bot.workflows.handover import Handovers
from bot.workflows.imports import IMPORT, Import
from bot.workflows.models import FORGET, Models
from bot.workflows.moving import LEAVE, Moving
from bot.workflows.preparation import LANE as PREPARATION_LANE
from bot.workflows.preparation import Preparation
from bot.workflows.publish import PUBLISH, Publish
from bot.workflows.references import References
from bot.workflows.stages import BUG_SENTENCE, Cards, Stages
from bot.workflows.submission import Submissions
from bot.workflows.vigil import Announcer, Vigil
from bot.workflows.workbench import Workbench, lane_of

log = logging.getLogger(__name__)

COGS = ("cogs.finetune", "cogs.generate", "cogs.models", "cogs.jobs", "cogs.providers", "cogs.help")
CONNECTIONS = 100  # without a limit a burst opens one connection per call and answers come too late


class DiscordRefused(Exception):
    """The bot cannot come online; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Workflows:
    choice: GeneratorChoice
    finetune: Finetune
    generate: Generate
    cancel: Cancel
    models: Models
    imports: Import
    publish: Publish
    moving: Moving
    vigil: Vigil


class Atelier(commands.AutoShardedBot):
    """One object for a whole process: `async with` it, or let `start` and `close` do it."""

    def __init__(self, resources: Resources, *, guild_ready_timeout: float = 2.0) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False),
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            guild_ready_timeout=guild_ready_timeout,
        )
        self.resources = resources
        announcing = Announcing(self)
        resources.operators.speak_through(announcing)
        self._refreshing: asyncio.Task[None] | None = None
        self._process = secrets.token_hex(4)
        self.notifier = Notifier(
            client=self,
            database=resources.database,
            files=resources.files,
            providers=resources.providers,
            edit_interval_seconds=resources.settings.card_edit_interval,
            held_up=detours_of(resources).held_up,
        )
        self.engine = Engine(resources.database)
        self.workflows = build_workflows(resources, self.engine, self.notifier, announcing)
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
        self._refreshing = asyncio.create_task(keep_fresh(self.resources.providers))

    async def close(self) -> None:
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.gather(self._refreshing, return_exceptions=True)
        await self.engine.stop()
        await super().close()

    async def on_ready(self) -> None:
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
        """One of two exits for failures: a sentence for the person, the rest for the log."""
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        if not isinstance(cause, AtelierError):
            log.error("A command or button broke", exc_info=cause)
        await answer_privately(interaction, cause.sentence if isinstance(cause, AtelierError) else BUG_SENTENCE)

    async def _tell_discord_the_commands(self) -> None:
        """Only when they changed since Discord last took them from here: it allows few new commands a day."""
        payload = [command.to_dict(self.tree) for command in self.tree.get_commands()]
        place = f"{self.resources.settings.discord_api_url} {self.application_id}"
        digest = hashlib.sha256(json.dumps([place, payload], sort_keys=True).encode()).hexdigest()
        stamp: Path = self.resources.settings.data_dir / "commands.sha256"
        if stamp.is_file() and stamp.read_text() == digest and await self.tree.fetch_commands():
            return
        await self.tree.sync()
        stamp.write_text(digest)


@asynccontextmanager
async def open_bot(settings: Settings) -> AsyncIterator[Atelier]:
    """The one call from settings to a bot with everything behind it; `start` it, or drive it in a test."""
    async with open_resources(settings) as resources, Atelier(resources) as bot:
        yield bot


def build_workflows(resources: Resources, engine: Engine, cards: Cards, announcer: Announcer) -> Workflows:
    database, files = resources.database, resources.files
    vigil = vigil_of(resources, cards, announcer)
    outages = outages_of(resources, vigil)
    bench = Workbench(
        database=database,
        engine=engine,
        files=files,
        cards=cards,
        providers=resources.providers,
        stages=Stages(database=database, engine=engine, cards=cards, files=files, sleep=resources.sleep),
        submissions=Submissions(database=database, cards=cards, wakeups=resources.wakeups, outages=outages),
        outages=outages,
        objects=resources.objects,
        webhook_for=resources.hooks.webhook_for,
        operators=resources.operators,
    )
    _open_lanes(engine, resources.providers)
    downloads, pool, limits = resources.downloads, resources.pool, resources.limits
    Preparation(bench, downloads=downloads, pool=pool, limits=limits)
    references = References(files=files, downloads=downloads, pool=pool, limits=limits)
    handovers, choice = Handovers(bench), GeneratorChoice(bench)
    weights = resources.weights
    return Workflows(
        choice=choice,
        finetune=Finetune(bench, handovers, pool=pool, max_upload_bytes=limits.max_upload_bytes),
        generate=Generate(bench, choice, references, pool=pool),
        cancel=Cancel(bench, handovers),
        models=Models(bench),
        imports=Import(bench, hub=resources.hub, wire=weights.wire, hosts=weights.hosts),
        publish=Publish(bench, resources.hub),
        moving=Moving(bench, detours_of(resources)),
        vigil=vigil,
    )


def _open_lanes(engine: Engine, providers: Providers) -> None:
    """What waits for a provider waits in that provider's queue; what is our own work has queues of its own."""
    for provider in providers:
        card = provider.card
        engine.open_lane(
            Lane(
                name=lane_of(card.name),
                at_once=card.concurrent_jobs,
                at_once_per_person=2,
                per_minute=card.submissions_per_minute,
            )
        )
    for name, at_once in ((PREPARATION_LANE, 4), (IMPORT, 4), (PUBLISH, 4), (FORGET, 4)):
        engine.open_lane(Lane(name=name, at_once=at_once, at_once_per_person=2))
    for name in (CANCEL, LEAVE):
        engine.open_lane(Lane(name=name, at_once=50, at_once_per_person=50))


async def answer_privately(interaction: discord.Interaction, text: str) -> None:
    """Tell only this person, whatever has been answered so far; an interaction that has died is let go."""
    try:
        if not interaction.response.is_done():
            await interaction.response.send_message(view=sentence(text), ephemeral=True)
        elif interaction.response.type is discord.InteractionResponseType.deferred_channel_message:
            await interaction.edit_original_response(view=sentence(text))
        else:
            await interaction.followup.send(view=sentence(text), ephemeral=True)
    except discord.HTTPException as problem:
        log.warning("A person could not be told (%s): %s", problem, text)
