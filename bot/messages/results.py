"""The message that tells a person their model or pictures are ready. Sent once, mentions only them."""

import re
from collections.abc import Sequence

import discord

from bot.messages.buttons import Act, button
from bot.messages.cards import Card, finished_card, generation_facts
from bot.messages.words import COLOURS, count, plain
from bot.pictures.checking import kind_of_bytes
from bot.providers.card import ProviderCard
from storage.jobs import Job
from storage.statuses import JobStatus

ALT_CHARACTERS = 1024


def model_result(job: Job, provider: ProviderCard) -> Card:
    """Of a finetune or an import."""
    name, word = plain(job.details["name"], 60), plain(trigger_word_of(job))
    container: discord.ui.Container[Card] = discord.ui.Container(
        discord.ui.TextDisplay(
            f"<@{job.place.person_id}> your model **{name}** is ready.\n"
            f"Use **/generate**, choose *{name}* and write a prompt with the word **{word}**."
        ),
        accent_colour=COLOURS[JobStatus.DONE],
    )
    _add_notice(container, provider)
    return finished_card(container)


def trigger_word_of(job: Job) -> str:
    return str(job.details.get("settings", job.details)["trigger_word"])


def publish_result(job: Job, url: str) -> Card:
    """The repository is private unless it was asked to be public, so the link alone gives nothing away."""
    who = "everybody" if not job.details["private"] else "only who may read it there"
    return finished_card(
        discord.ui.Container(
            discord.ui.TextDisplay(
                f"<@{job.place.person_id}> **{plain(job.details['name'], 60)}** is on the Hugging Face Hub; "
                f"{who} can see it."
            ),
            discord.ui.ActionRow(discord.ui.Button(label="Open on the Hub", url=url)),
            accent_colour=COLOURS[JobStatus.DONE],
        )
    )


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
    container.add_item(discord.ui.TextDisplay(f"-# {' · '.join([*generation_facts(job), *_maker(provider)])}"))
    if missing := details["count"] - len(file_names):
        words = count(missing, "picture is", "pictures are")
        container.add_item(
            discord.ui.TextDisplay(
                f"🚫 {words} missing: {provider.title} held back or could not make what you asked for."
            )
        )
    _add_notice(container, provider)
    again = button(Act.AGAIN, "Again, new seed", subject=job.id, person_id=job.place.person_id)
    container.add_item(discord.ui.ActionRow(again))
    return finished_card(container)


def _maker(provider: ProviderCard) -> list[str]:
    return [] if provider.notice else [provider.title]


def picture_file_name(job: Job, number: int, content: bytes) -> str:
    """What a saved picture is called: its model's name, in letters that every disk takes, and what it really is."""
    slug = re.sub(r"[^a-z0-9]+", "-", job.details["name"].lower()).strip("-")
    return f"{slug or 'picture'}-{job.details['seed']}-{number}.{kind_of_bytes(content)}"


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
