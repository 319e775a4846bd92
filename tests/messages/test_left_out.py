"""Files left out: no name of one where everybody reads, and every name where its person asks."""

from typing import Any

import discord
import pytest

from bot.messages.cards import job_card
from bot.messages.dataset_cards import left_out_card
from bot.messages.left_out import LEFT_OUT_FILE, LINES_IN_FILE, left_out_files, left_out_in_short
from bot.messages.view import JobView
from storage.dataset_steps import Addition
from storage.statuses import JobStatus
from tests.builders import CARD, PLACE, TRAINER, add_job, dataset, dataset_view, finetune_job
from tests.messages.reading import assert_discord_takes, buttons_of, labels_of, text_of, walk
from tests.messages.test_cards import NASTY

PRIVATE = (
    ("divorce papers.pdf", "is a PDF: save its pictures as JPEG or PNG"),
    ("me at the clinic.jpg", "is the same picture as “me in bed.jpg”"),
    ("me again.jpg", "is the same picture as “my ”new” flat.jpg”"),
    ("metadata.jsonl, line 3", "names “secret: party.jpg”, which is not here"),
    ("me once more.jpg", "is in the dataset already, as number 17"),
    ("and again.jpg", "is in the dataset already, as number 4"),
)
NAMES = ("divorce", "clinic", "bed", "again", "flat", "secret", "party", "once", "metadata")


def list_of(left_out: tuple[tuple[str, str], ...]) -> list[str]:
    (file,) = left_out_files(left_out)
    assert file.filename == LEFT_OUT_FILE
    return file.fp.read().decode().splitlines()


def files_of(value: Any) -> list[Any]:
    return [one for one in walk(left_out_card(value.name, value.left_out).to_components()) if one["type"] == 13]


# Where everybody reads.


def public_cards() -> list[Any]:
    review = JobView(
        job=finetune_job(status=JobStatus.REVIEW),
        events=(),
        provider=CARD,
        trainer=TRAINER,
        dataset=dataset_view(left_out=PRIVATE),
    )
    done = JobView(
        job=add_job(status=JobStatus.DONE),
        events=(),
        provider=CARD,
        kept_as="Luna",
        addition=Addition(pictures=1, left_out=PRIVATE),
    )
    return [job_card(review), job_card(done)]


@pytest.mark.parametrize("at", [0, 1], ids=["review", "addition"])
def test_a_card_in_the_channel_names_no_file_and_has_a_button_for_its_person(at: int) -> None:
    card = public_cards()[at]
    assert_discord_takes(card)
    assert "**Files left out: 6**" in text_of(card)
    assert [name for name in NAMES if name in text_of(card)] == []
    (names,) = [one for one in buttons_of(card) if one["label"] == "All files left out"]
    assert names["custom_id"] == f"atelier:left-out:1001:{PLACE.person_id}"


def test_where_nothing_was_left_out_there_is_no_button() -> None:
    done = JobView(
        job=add_job(status=JobStatus.DONE),
        events=(),
        provider=CARD,
        kept_as="Luna",
        addition=Addition(pictures=1, left_out=()),
    )
    assert labels_of(job_card(done)) == ["Open"]


def test_the_commonest_reasons_are_said_without_what_tells_files_apart() -> None:
    assert left_out_in_short(PRIVATE) == [
        "**Files left out: 6**",
        "-# the same picture as another (2) · in the dataset already (2) · a PDF (1) · other reasons",
    ]
    assert left_out_in_short(()) == []


@pytest.mark.parametrize(
    ("reason", "short"),
    [
        ("is 120 × 90 pixels; both sides need at least 256", "… pixels; both sides need at least 256"),
        ("is too long and narrow at 4,000 × 100 pixels: crop it", "too long and narrow at … pixels"),
        ("names “a.jpg” a second time", "names another a second time"),
        ("is the same picture as “never closed.jpg", "the same picture as another"),
        ("is the same picture as “two\nlines”", "the same picture as another"),
        ("is in the dataset already, as number 1,234", "in the dataset already"),
        ("breaks the reader: save it again as JPEG or PNG", "breaks the reader"),
    ],
)
def test_a_reason_in_short_quotes_nothing(reason: str, short: str) -> None:
    assert left_out_in_short((("a.jpg", reason),))[1] == f"-# {short} (1)"


def test_hostile_reasons_are_shown_in_short_and_not_obeyed() -> None:
    (_, line) = left_out_in_short(tuple((NASTY, f"{number}{NASTY}") for number in range(9)))
    assert "\n" not in line
    assert "\\*\\*x" in line


# Where its person asks.


def test_every_file_left_out_is_named() -> None:
    value = dataset(left_out=(("notes.pdf", "is not a picture"), ("small.jpg", "is too small")))
    assert text_of(left_out_card(value.name, value.left_out)).splitlines() == [
        "### Left out of Luna",
        "- notes.pdf is not a picture",
        "- small.jpg is too small",
    ]
    assert left_out_files(value.left_out) == []
    assert files_of(value) == []


def test_what_was_undone_meanwhile_leaves_an_empty_list() -> None:
    assert text_of(left_out_card("Luna", ())).splitlines() == ["### Left out of Luna", "No file."]


@pytest.mark.parametrize("name", ["n" * 200, NASTY[:200], "猫" * 200, "*" * 200])
def test_of_four_hundred_files_with_the_longest_names_all_are_in_a_list_beside_the_card(name: str) -> None:
    value = dataset(name=name[:100], left_out=tuple((f"{n}{name}"[:200], name) for n in range(400)))
    card = left_out_card(value.name, value.left_out)
    assert_discord_takes(card)
    named = sum(line.startswith("- ") for line in text_of(card).splitlines())
    assert 5 < named <= 10
    assert text_of(card).splitlines()[-1] == f"… and {400 - named} more: all of them are in the list."
    (shown,) = files_of(value)
    assert shown["file"]["url"] == f"attachment://{LEFT_OUT_FILE}"
    assert len(list_of(value.left_out)) == 400


def test_the_list_is_plain_text_with_whole_names() -> None:
    left_out = tuple((f"my_*cat* {number} {'x' * 60}.pdf", "is not a picture") for number in range(200))
    lines = list_of(left_out)
    assert lines[199] == f"my_*cat* 199 {'x' * 60}.pdf is not a picture"


def test_no_list_is_larger_than_discord_takes() -> None:
    left_out = (("🐈" * 300, "🐈" * 300),) * (LINES_IN_FILE + 7)
    (file,) = left_out_files(left_out)
    assert isinstance(file, discord.File)
    content = file.fp.read()
    assert len(content) < 10_000_000
    assert content.decode().splitlines()[-1] == "… and 7 more"
