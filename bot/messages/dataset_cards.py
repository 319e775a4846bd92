"""Datasets by themselves: the draft its person works on, the list of them, the page of captions. Seen by them only."""

from collections.abc import Sequence

import discord

from bot.messages.buttons import Act, Card, button
from bot.messages.cards import finished_card, sheet_gallery
from bot.messages.left_out import LEFT_OUT_FILE, LEFT_OUT_LINES, LeftOut, left_out_by_name, left_out_lines
from bot.messages.lists import BLURPLE, pager
from bot.messages.offers import dollars, quote, trainer_title
from bot.messages.report_cards import LIGHT_COLOURS, captions_line, report, start_button, studio_buttons
from bot.messages.sheet_pages import SHEET_NAME, last_page, page_line
from bot.messages.view import DatasetView
from bot.messages.words import count, flat, moment, plain
from storage.datasets import Dataset, DatasetImage, DatasetLine

CAPTIONS_PER_PAGE = 5  # a dialog has room for so many
CAPTION_SHOWN = 300
COVERS = f"attachment://{SHEET_NAME}"


def dataset_card(view: DatasetView, *, has_sheet: bool) -> Card:
    """`has_sheet` for a message that carries its sheet."""
    dataset, person_id = view.dataset, view.dataset.place.person_id
    container: discord.ui.Container[Card] = discord.ui.Container(accent_colour=LIGHT_COLOURS[view.appraisal.light])
    container.add_item(discord.ui.TextDisplay(f"### {plain(dataset.name, 60)}\n{report(view)}"))
    if has_sheet:
        container.add_item(sheet_gallery(view))
    if last_page(view):
        container.add_item(discord.ui.TextDisplay(page_line(view)))
        container.add_item(discord.ui.ActionRow(*_turning_the_sheet(view)))
    container.add_item(discord.ui.TextDisplay(_below_the_sheet(view)))
    decide = [
        button(Act.DELETE_DATASET, "Delete", subject=dataset.id, person_id=person_id, style=discord.ButtonStyle.danger)
    ]
    if len(dataset.left_out) > LEFT_OUT_LINES:
        decide.insert(0, button(Act.LEFT_OUT, "All files left out", subject=view.subject, person_id=person_id))
    if (start := start_button(view, Act.TRAIN_DATASET, "Train")) is not None:
        decide.insert(0, start)
    container.add_item(discord.ui.ActionRow(*studio_buttons(view)))
    container.add_item(discord.ui.ActionRow(*decide))
    return finished_card(container)


def _turning_the_sheet(view: DatasetView) -> list[discord.ui.Button[Card]]:
    """Round and round: what was left out is on the last page, one press before the first. Of two pages that would be
    the same press twice, which Discord does not take."""
    last, person_id = last_page(view), view.dataset.place.person_id
    page = min(view.page, last)
    before, after = ((page - 1) % (last + 1), (page + 1) % (last + 1)) if last > 1 else (0, 1)
    return [
        button(Act.SHEET_PAGE, sign, subject=f"{view.subject}-{there}", person_id=person_id, disabled=there == page)
        for sign, there in (("◀", before), ("▶", after))
    ]


def _below_the_sheet(view: DatasetView) -> str:
    lines = [line for line in (captions_line(view),) if line]
    lines += left_out_lines(view.dataset.left_out)
    if view.provider is None:
        lines.append("-# Nobody here trains models at the moment. What you collect is kept.")
    else:
        where = trainer_title(view.provider, view.trainer)
        lines.append(f"-# At {where}: {quote(view.trainer, int(view.trainer.iterations.default))}")
    return "\n".join(lines)


def datasets_page(
    lines: Sequence[DatasetLine], *, page: int, total: int, person_id: int, has_covers: bool = False
) -> Card:
    """`has_covers` for a message that carries a picture of each."""
    container: discord.ui.Container[Card] = discord.ui.Container(accent_colour=BLURPLE)
    if not total:
        text = (
            "### Your datasets\nNone yet. **/dataset add** takes a zip or up to 10 pictures; or open the menu of a "
            "message of yours and choose *Apps*, *Add my pictures to a dataset*."
        )
        container.add_item(discord.ui.TextDisplay(text))
        return finished_card(container)
    container.add_item(discord.ui.TextDisplay(f"### Your datasets · {total:,}"))
    if has_covers:
        names = ", ".join(flat(line.name, 60) for line in lines)
        container.add_item(discord.ui.MediaGallery(discord.MediaGalleryItem(COVERS, description=names[:1024])))
    for place, line in enumerate(lines, start=1):
        pictures = count(line.pictures, "picture", "pictures")
        text = f"**{place} · {plain(line.name, 60)}**\n-# {pictures} · {moment(line.updated_ms)}"
        opening = button(Act.OPEN_DATASET, "Open", subject=line.id, person_id=person_id)
        container.add_item(discord.ui.Section(text, accessory=opening))
    buttons = pager(Act.DATASETS_PAGE, page=page, total=total, person_id=person_id)
    if buttons:
        container.add_item(discord.ui.ActionRow(*buttons))
    return finished_card(container)


def on_caption_page(dataset: Dataset, page: int) -> tuple[DatasetImage, ...]:
    """The pictures of one page; the last page when there are fewer."""
    page = min(page, last_caption_page(dataset))
    return dataset.chosen[page * CAPTIONS_PER_PAGE : (page + 1) * CAPTIONS_PER_PAGE]


def caption_page_with(dataset: Dataset, number: int) -> int | None:
    """The page on which the picture of that number is; None when it is not in."""
    places = {image.number: place for place, image in enumerate(dataset.chosen)}
    return places[number] // CAPTIONS_PER_PAGE if number in places else None


def last_caption_page(dataset: Dataset) -> int:
    return max(0, len(dataset.chosen) - 1) // CAPTIONS_PER_PAGE


def captions_page(view: DatasetView, page: int, *, has_strip: bool, done: str = "") -> Card:
    """Five pictures with what is said about them; `has_strip` for a message that carries these five, `done` says what
    was just done to all of them."""
    dataset, person_id = view.dataset, view.dataset.place.person_id
    last = last_caption_page(dataset)
    page = min(page, last)
    container: discord.ui.Container[Card] = discord.ui.Container(accent_colour=BLURPLE)
    written = sum(image.caption is not None for image in dataset.chosen)
    head = f"### Captions of {plain(dataset.name, 60)}\n-# {written} of {len(dataset.chosen)} written"
    container.add_item(discord.ui.TextDisplay(f"{head}\n{done}" if done else head))
    images = on_caption_page(dataset, page)
    if has_strip:
        names = ", ".join(f"{image.number} {flat(image.name, 40)}" for image in images)
        strip = discord.MediaGalleryItem(COVERS, description=names[:1024])
        container.add_item(discord.ui.MediaGallery(strip))
    container.add_item(discord.ui.TextDisplay("\n".join(map(_caption, images)) or "No picture is in it."))
    here = f"{view.subject}-{page}"
    buttons = [
        button(
            Act.WRITE_CAPTIONS,
            "Write these",
            subject=here,
            person_id=person_id,
            style=discord.ButtonStyle.primary,
            disabled=not images,
        ),
        button(Act.REPLACE_IN_CAPTIONS, "Find and replace", subject=here, person_id=person_id, disabled=not written),
    ]
    if view.offer is not None:
        wanted = f"{view.subject}-{view.offer.pictures}"
        buttons.append(button(Act.DESCRIBE, _describe_label(view), subject=wanted, person_id=person_id))
    container.add_item(discord.ui.ActionRow(*buttons))
    if last:
        container.add_item(discord.ui.ActionRow(*_turning(view.subject, page, last, person_id)))
    return finished_card(container)


def replaced(changed: int, *, find: str, put: str) -> str:
    """What became of *Find and replace*; without a text to find it put one before each."""
    if changed:
        return f"✅ {count(changed, 'caption', 'captions')} changed."
    if find == put:
        return "No caption changed: both texts are the same."
    text = plain(find or put, 60)
    return f"No caption changed: none holds “{text}”." if find else f"No caption changed: all begin with “{text}”."


def _turning(subject: str, page: int, last: int, person_id: int) -> list[discord.ui.Button[Card]]:
    before, after = f"{subject}-{max(page - 1, 0)}", f"{subject}-{min(page + 1, last)}"
    return [
        button(Act.CAPTIONS, "Previous", subject=before, person_id=person_id, disabled=page == 0),
        button(Act.GO_TO_CAPTION, "Go to number", subject=subject, person_id=person_id),
        button(Act.CAPTIONS, "Next", subject=after, person_id=person_id, disabled=page == last),
    ]


def _caption(image: DatasetImage) -> str:
    said = plain(image.caption, CAPTION_SHOWN) if image.caption else "*none*"
    return f"**{image.number}** {plain(image.name, 40)}\n> {said}"


def _describe_label(view: DatasetView) -> str:
    assert view.offer is not None, "asked only when there is an offer"
    price = view.offer.price_usd
    cost = "price unknown" if price is None else "free" if price == 0 else f"about {dollars(max(price, 0.01))}"
    return f"Describe {view.offer.pictures} for me ({cost})"


def left_out_card(name: str, left_out: LeftOut) -> Card:
    """Every file by name; what has no room comes with the list, which its message carries then."""
    container: discord.ui.Container[Card] = discord.ui.Container(accent_colour=BLURPLE)
    lines, more = left_out_by_name(left_out)
    head = f"### Left out of {plain(name, 60)}"
    rest = [f"… and {more:,} more: all of them are in the list." if lines else "No file."] if more or not lines else []
    container.add_item(discord.ui.TextDisplay("\n".join([head, *lines, *rest])))
    if more:
        container.add_item(discord.ui.File(f"attachment://{LEFT_OUT_FILE}"))
    return finished_card(container)


def delete_dataset_question(dataset: Dataset, person_id: int) -> Card:
    pictures = count(len(dataset.images), "picture", "pictures")
    container: discord.ui.Container[Card] = discord.ui.Container(accent_colour=discord.Colour(0xDA373C))
    container.add_item(
        discord.ui.TextDisplay(
            f"Delete **{plain(dataset.name, 60)}** and its {pictures} for good? "
            "Models trained with it stay, and trainings under way go on."
        )
    )
    container.add_item(
        discord.ui.ActionRow(
            button(
                Act.DELETE_DATASET,
                "Delete for good",
                subject=f"{dataset.id}-1",
                person_id=person_id,
                style=discord.ButtonStyle.danger,
            )
        )
    )
    return finished_card(container)
