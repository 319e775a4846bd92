"""/jobs: one's own trainings and generations, their timelines, and stopping them."""

from datetime import UTC, datetime

from discord import app_commands
from discord.ext import commands

from bot.client import Atelier
from bot.errors import NotFound
from bot.messages.buttons import Act
from bot.messages.cards import Card
from bot.messages.lists import PER_PAGE, jobs_page, sentence, timeline
from bot.messages.outages import elsewhere_meant
from bot.messages.words import KIND_WORDS, STATUS_WORDS
from bot.permissions import Action, require
from cogs.answers import CHOICES, CardButton, Interaction
from storage.jobs import Job, count_jobs_of_person, find_job, jobs_of_person


@app_commands.guild_only()
class JobsCog(commands.GroupCog, name="jobs", description="Your trainings and generations"):
    def __init__(self, bot: Atelier) -> None:
        self._bot = bot

    async def cog_load(self) -> None:
        self._bot.add_dynamic_items(JobsPageButton, TimelineButton, ElsewhereButton)

    @app_commands.command(description="All your jobs, newest first")
    async def mine(self, interaction: Interaction) -> None:
        await interaction.response.send_message(view=await _page(interaction, 0), ephemeral=True)

    @app_commands.command(description="What happened in a job, stage by stage")
    @app_commands.describe(job="One of your jobs")
    async def show(self, interaction: Interaction, job: str) -> None:
        await interaction.response.send_message(view=await _timeline(interaction, job), ephemeral=True)

    @app_commands.command(description="Stop a job")
    @app_commands.describe(job="One of your jobs that is not finished")
    async def cancel(self, interaction: Interaction, job: str) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._bot.workflows.cancel.request(job, interaction.user.id)
        await interaction.edit_original_response(view=sentence("Stopping it. Its card will say when it has stopped."))

    @show.autocomplete("job")
    async def all_jobs(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [_choice(job) for job in await self._recent(interaction, typed)]

    @cancel.autocomplete("job")
    async def open_jobs(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [_choice(job) for job in await self._recent(interaction, typed) if not job.status.is_final]

    async def _recent(self, interaction: Interaction, typed: str) -> list[Job]:
        async with self._bot.resources.database.reading() as connection:
            jobs = await jobs_of_person(connection, interaction.user.id, limit=200)
        return [job for job in jobs if typed.lower() in job.details["name"].lower()][:CHOICES]


class JobsPageButton(CardButton, act=Act.JOBS_PAGE):
    async def press(self, interaction: Interaction) -> None:
        await interaction.response.edit_message(view=await _page(interaction, int(self.subject)))


class TimelineButton(CardButton, act=Act.TIMELINE):
    async def press(self, interaction: Interaction) -> None:
        await interaction.response.send_message(view=await _timeline(interaction, self.subject), ephemeral=True)


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
    return jobs_page(jobs, page=page, total=total, person_id=person_id)


async def _timeline(interaction: Interaction, job_id: str) -> Card:
    async with interaction.client.resources.database.reading() as connection:
        job = await find_job(connection, job_id)
    if job is None:
        raise NotFound("There is no such job: pick one from the list.")
    require(interaction.user.id, Action.SEE_JOB, job.place)
    return timeline(await interaction.client.notifier.view_of(job_id))
