"""The message that tells a person their model or pictures are ready. Sent once, mentions only them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import discord

from bot.messages.buttons import Act, Card, button
from bot.messages.cards import finished_card, generation_facts
from bot.messages.words import COLOURS, count, plain
from bot.providers.card import ProviderCard
from storage.jobs import Job
from storage.statuses import JobStatus

ALT_CHARACTERS = 1024
KEPT = "could not be posted: it is kept. Try **/jobs show**, or ask whoever runs this bot."


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


@dataclass(frozen=True, kw_only=True)
class Share:
    """What one message shows of a job's pictures, each by its number from 1: attached, by link, or only mentioned.

    `attached` names the message's files; `made` is how many pictures the job has in all.
    """

    attached: Mapping[int, str]
    links: Mapping[int, str] = field(default_factory=dict)
    kept: Sequence[int] = ()
    made: int
    is_first: bool = True
    is_last: bool = True


def pictures_result(job: Job, provider: ProviderCard, share: Share) -> Card:
    details = job.details
    head = f"**{plain(details['name'], 60)}**\n> {plain(details['prompt'], 300)}"
    if share.is_first:
        head = f"<@{job.place.person_id}> {head}"
    container = _pictures(job, share, head)
    if not share.is_last:
        return finished_card(container)
    container.add_item(discord.ui.TextDisplay(f"-# {' · '.join([*generation_facts(job), *_maker(provider)])}"))
    if missing := details["count"] - share.made:
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


def pictures_again(job: Job, share: Share) -> Card:
    """For a person who asks /jobs show."""
    return finished_card(_pictures(job, share, f"**{plain(job.details['name'], 60)}**"))


def _pictures(job: Job, share: Share, head: str) -> discord.ui.Container[Card]:
    container: discord.ui.Container[Card] = discord.ui.Container(
        discord.ui.TextDisplay(head), accent_colour=COLOURS[JobStatus.DONE]
    )
    if share.attached:
        container.add_item(
            discord.ui.MediaGallery(
                *(
                    discord.MediaGalleryItem(f"attachment://{name}", description=alt_text(job, number))
                    for number, name in share.attached.items()
                )
            )
        )
    for number, link in share.links.items():
        container.add_item(
            discord.ui.TextDisplay(f"Picture {number} is too large for Discord: [download it]({link}) within a week.")
        )
    for number in share.kept:
        container.add_item(discord.ui.TextDisplay(f"Picture {number} {KEPT}"))
    return container


def _maker(provider: ProviderCard) -> list[str]:
    return [] if provider.notice else [provider.title]


def picture_file_name(job: Job, number: int, kind: str) -> str:
    """What a saved picture is called: its model's name, in letters that every disk takes, and what it really is."""
    slug = re.sub(r"[^a-z0-9]+", "-", job.details["name"].lower()).strip("-")
    return f"{slug or 'picture'}-{job.details['seed']}-{number}.{kind}"


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


def question_result(job: Job) -> Card:
    """Nobody can say whether a paid request was accepted: its person decides."""
    return finished_card(
        discord.ui.Container(
            discord.ui.TextDisplay(
                f"<@{job.place.person_id}> **{plain(job.details['name'], 60)}** needs your decision.\n"
                f"{plain(job.error_sentence or '', 1000)}"
            ),
            accent_colour=COLOURS[JobStatus.REVIEW],
        )
    )


def _add_notice(container: discord.ui.Container[Card], provider: ProviderCard) -> None:
    if provider.notice:
        container.add_item(discord.ui.TextDisplay(f"-# {provider.notice}"))
