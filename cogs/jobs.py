"""/jobs: one's own trainings and generations, their timelines, and stopping them."""

import io
from datetime import UTC, datetime

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Atelier
from bot.errors import NotFound
from bot.messages.buttons import Act, Card
from bot.messages.export import debug_export, export_name
from bot.messages.lists import PER_PAGE, jobs_page, sentence, server_jobs_page, timeline
from bot.messages.outages import elsewhere_meant
from bot.messages.view import JobView
from bot.messages.words import KIND_WORDS, STATUS_WORDS
from bot.permissions import Asker, require_sight
from cogs.answers import CHOICES, CardButton, Interaction, asker_of
from cogs.decisions import AttachButton, RetryButton, SubmitAgainButton
from storage.jobs import (
    Job,
    count_jobs_of_person,
    count_jobs_of_server,
    find_job,
    jobs_of_person,
    jobs_of_server,
)
from storage.places import DIRECT_MESSAGE, Place
from storage.statuses import JobKind
from storage.turns import positions_of

NOBODY = 0  # of the jobs of a whole server


@app_commands.guild_only()
class JobsCog(commands.GroupCog, name="jobs", description="Your trainings and generations"):
    def __init__(self, bot: Atelier) -> None:
        self._bot = bot

    async def cog_load(self) -> None:
        self._bot.add_dynamic_items(
            JobsPageButton,
            ServerJobsPageButton,
            TimelineButton,
            ExportButton,
            RetryButton,
            AttachButton,
            SubmitAgainButton,
        )
        self._bot.add_dynamic_items(JobsPageButton, TimelineButton, ElsewhereButton)

    @app_commands.command(description="All your jobs, newest first")
    async def mine(self, interaction: Interaction) -> None:
        await interaction.response.send_message(view=await _page(interaction, 0), ephemeral=True)

    @app_commands.command(description="All jobs of this server, for those who manage it")
    async def server(self, interaction: Interaction) -> None:
        await interaction.response.send_message(view=await _server_page(interaction, 0), ephemeral=True)

    @app_commands.command(description="What happened in a job, stage by stage")
    @app_commands.describe(job="One of your jobs")
    async def show(self, interaction: Interaction, job: str) -> None:
        await _show(interaction, job)

    @app_commands.command(description="Stop a job")
    @app_commands.describe(job="One of your jobs that is not finished")
    async def cancel(self, interaction: Interaction, job: str) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._bot.workflows.cancel.request(job, asker_of(interaction))
        await interaction.edit_original_response(view=sentence("Stopping it. Its card will say when it has stopped."))

    @app_commands.command(description="Try a failed job again from where it failed")
    @app_commands.describe(job="One of your jobs that failed")
    async def retry(self, interaction: Interaction, job: str) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._bot.workflows.retry.retry(job, interaction.user.id)
        await interaction.edit_original_response(view=sentence("It goes on from where it failed; see its card."))

    @show.autocomplete("job")
    async def all_jobs(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [_choice(job) for job in await self._recent(interaction, typed)][:CHOICES]

    @cancel.autocomplete("job")
    async def open_jobs(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [_choice(job) for job in await self._recent(interaction, typed) if not job.status.is_final][:CHOICES]

    @retry.autocomplete("job")
    async def failed_jobs(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [_choice(job) for job in await self._recent(interaction, typed) if job.may_be_retried][:CHOICES]

    async def _recent(self, interaction: Interaction, typed: str) -> list[Job]:
        async with self._bot.resources.database.reading() as connection:
            jobs = await jobs_of_person(connection, interaction.user.id, limit=200)
        return [job for job in jobs if typed.lower() in job.details["name"].lower()]


class JobsPageButton(CardButton, act=Act.JOBS_PAGE):
    async def press(self, interaction: Interaction) -> None:
        await interaction.response.edit_message(view=await _page(interaction, int(self.subject)))


class ServerJobsPageButton(CardButton, act=Act.SERVER_JOBS_PAGE):
    async def press(self, interaction: Interaction) -> None:
        await interaction.response.edit_message(view=await _server_page(interaction, int(self.subject)))


class ExportButton(CardButton, act=Act.EXPORT):
    async def press(self, interaction: Interaction) -> None:
        view, _ = await _seen(interaction, self.subject)
        file = discord.File(io.BytesIO(debug_export(view)), filename=export_name(view.job.id))
        await interaction.response.send_message(file=file, ephemeral=True)


class TimelineButton(CardButton, act=Act.TIMELINE):
    async def press(self, interaction: Interaction) -> None:
        await _show(interaction, self.subject)


class ElsewhereButton(CardButton, act=Act.ELSEWHERE):
    """The button names the provider: where the job goes is what its person read."""

    async def press(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        to = elsewhere_meant(self.item.label or "")
        await interaction.client.workflows.moving.move(self.subject, interaction.user.id, to=to)


async def setup(bot: Atelier) -> None:
    await bot.add_cog(JobsCog(bot))


def _choice(job: Job) -> app_commands.Choice[str]:
    """Choices cannot show a time that ticks, so they say the day and the minute (UTC)."""
    asked = datetime.fromtimestamp(job.created_ms / 1000, UTC)
    name = f"{KIND_WORDS[job.kind]} {job.details['name']} · {STATUS_WORDS[job.status]} · {asked:%d %b %H:%M}"
    return app_commands.Choice(name=name[:100], value=job.id)


async def _page(interaction: Interaction, page: int) -> Card:
    person_id = interaction.user.id
    async with interaction.client.resources.database.reading() as connection:
        total = await count_jobs_of_person(connection, person_id)
        page = min(page, max(total - 1, 0) // PER_PAGE)
        jobs = await jobs_of_person(connection, person_id, limit=PER_PAGE, offset=page * PER_PAGE)
        positions = await positions_of(connection, jobs)
    return jobs_page(jobs, page=page, total=total, person_id=person_id, positions=positions)


async def _show(interaction: Interaction, job_id: str) -> None:
    """The timeline, and what the job made: its result may be nowhere else."""
    view, asker = await _seen(interaction, job_id)
    await interaction.response.send_message(view=timeline(view, asker), ephemeral=True)
    if view.job.kind is not JobKind.GENERATE or not view.job.status.is_final:
        return

    async def post(card: Card, files: list[discord.File]) -> None:
        await interaction.followup.send(view=card, files=files, ephemeral=True)

    await interaction.client.notifier.show_pictures(job_id, post, bytes_per_file=interaction.filesize_limit)


async def _seen(interaction: Interaction, job_id: str) -> tuple[JobView, Asker]:
    asker = asker_of(interaction)
    async with interaction.client.resources.database.reading() as connection:
        job = await find_job(connection, job_id)
    if job is None:
        raise NotFound("There is no such job: pick one from the list.")
    require_sight(asker, job.place)
    return await interaction.client.notifier.view_of(job_id), asker


async def _server_page(interaction: Interaction, page: int) -> Card:
    asker, server_id = asker_of(interaction), interaction.guild_id or DIRECT_MESSAGE
    require_sight(asker, Place(server_id=server_id, channel_id=0, person_id=NOBODY))
    async with interaction.client.resources.database.reading() as connection:
        total = await count_jobs_of_server(connection, server_id)
        page = min(page, max(total - 1, 0) // PER_PAGE)
        jobs = await jobs_of_server(connection, server_id, limit=PER_PAGE, offset=page * PER_PAGE)
    return server_jobs_page(jobs, page=page, total=total, person_id=asker.person_id)
