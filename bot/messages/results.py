"""The message that tells a person their model or pictures are ready. Sent once, mentions only them."""

import re
from collections.abc import Sequence

import discord

from bot.messages.buttons import Act, button
from bot.messages.cards import Card, finished_card
from bot.messages.words import COLOURS, plain
from bot.providers.contract import ProviderCard
from storage.jobs import Job
from storage.statuses import JobStatus

ALT_CHARACTERS = 1024


def model_result(job: Job, provider: ProviderCard) -> Card:
    name, word = plain(job.details["name"], 60), plain(job.details["settings"]["trigger_word"])
    container: discord.ui.Container[Card] = discord.ui.Container(
        discord.ui.TextDisplay(
            f"<@{job.place.person_id}> your model **{name}** is ready.\n"
            f"Use **/generate**, choose *{name}* and write a prompt with the word **{word}**."
        ),
        accent_colour=COLOURS[JobStatus.DONE],
    )
    _add_notice(container, provider)
    return finished_card(container)


def pictures_result(job: Job, provider: ProviderCard, file_names: Sequence[str]) -> Card:
    """`file_names` are the attachments of the same message, in order."""
    details = job.details
    container: discord.ui.Container[Card] = discord.ui.Container(accent_colour=COLOURS[JobStatus.DONE])
    container.add_item(
        discord.ui.TextDisplay(
            f"<@{job.place.person_id}> **{plain(details['name'], 60)}**\n> {plain(details['prompt'], 300)}"
        )
    )
    container.add_item(
        discord.ui.MediaGallery(
            *(
                discord.MediaGalleryItem(f"attachment://{name}", description=alt_text(job, number))
                for number, name in enumerate(file_names, start=1)
            )
        )
    )
    container.add_item(
        discord.ui.TextDisplay(
            f"-# {details['aspect_ratio']} · strength {details['strength']:g} · seed {details['seed']}"
        )
    )
    _add_notice(container, provider)
    again = button(Act.AGAIN, "Again, new seed", subject=job.id, person_id=job.place.person_id)
    container.add_item(discord.ui.ActionRow(again))
    return finished_card(container)


def picture_file_name(job: Job, number: int) -> str:
    """What a saved picture is called: its model's name, in letters that every disk takes."""
    slug = re.sub(r"[^a-z0-9]+", "-", job.details["name"].lower()).strip("-")
    return f"{slug or 'picture'}-{job.details['seed']}-{number}.png"


def alt_text(job: Job, number: int) -> str:
    details = job.details
    text = f"Picture {number} of {details['count']}, generated with {details['name']}: {details['prompt']}"
    return text if len(text) <= ALT_CHARACTERS else text[: ALT_CHARACTERS - 1] + "…"


def failure_result(job: Job) -> Card:
    """A long training that failed deserves a message of its own: an edited card rings nobody's bell."""
    return finished_card(
        discord.ui.Container(
            discord.ui.TextDisplay(
                f"<@{job.place.person_id}> **{plain(job.details['name'], 60)}** did not work out.\n"
                f"{plain(job.error_sentence or '', 1000)}"
            ),
            accent_colour=COLOURS[JobStatus.FAILED],
        )
    )


def _add_notice(container: discord.ui.Container[Card], provider: ProviderCard) -> None:
    if provider.notice:
        container.add_item(discord.ui.TextDisplay(f"-# {provider.notice}"))
