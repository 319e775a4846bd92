"""Datasets by themselves: the draft, the list, the pages of captions, the question before deleting."""

import re
from dataclasses import replace
from typing import Any

import pytest

from bot.advice import CaptionOffer
from bot.datasets.appraising.appraisal import Appraisal, Finding, Flaw, Light, Remark
from bot.messages.buttons import Card
from bot.messages.cards import job_card
from bot.messages.dataset_cards import (
    caption_page_with,
    captions_page,
    dataset_card,
    datasets_page,
    delete_dataset_question,
    last_caption_page,
    on_caption_page,
    replaced,
)
from bot.messages.view import DatasetView, JobView
from bot.outlook import Spread
from storage.datasets import DatasetImage, DatasetLine
from storage.statuses import DatasetAct, JobStatus
from tests.builders import CARD, PLACE, TRAINER, TRAINING_SETTINGS, dataset, dataset_image, dataset_view, finetune_job
from tests.messages.reading import assert_discord_takes, buttons_of, labels_of, text_of, walk
from tests.messages.test_cards import NASTY

ME = PLACE.person_id
LONGEST_ID = "9" * 20
MANY_SIGNS = "*" * 200  # each is written with an escape before it, so that no text becomes longer than this


def images(number: int, **changes: Any) -> tuple[DatasetImage, ...]:
    return tuple(dataset_image(one, **changes) for one in range(1, number + 1))


def offered(view: DatasetView, price_usd: float | None, pictures: int = 4) -> DatasetView:
    return replace(view, offer=CaptionOffer(provider=CARD, pictures=pictures, price_usd=price_usd))


def overflowing(**changes: Any) -> DatasetView:
    """400 pictures with every flaw there is, 500 files left out, and all of it named at length."""
    flaws = tuple(Flaw)
    findings = {
        number: (Finding(flaw=flaws[number % len(flaws)], is_grave=True, twin_of=400),) for number in range(1, 401)
    }
    appraisal = Appraisal(
        light=Light.RED,
        findings=findings,
        remarks=tuple(Remark),
        flagged=tuple(range(5, 401)),
        missing=0,
        missing_good=0,
        left_aside=frozenset(),
    )
    view = dataset_view(
        id=LONGEST_ID,
        name=MANY_SIGNS[:50],
        images=images(400, name=MANY_SIGNS),
        left_out=tuple((MANY_SIGNS, MANY_SIGNS) for _ in range(500)),
        last_act=DatasetAct.ADD,
        last_step=3,
        steps=2,
        **changes,
    )
    return replace(view, appraisal=appraisal)


def line(number: int, **changes: Any) -> DatasetLine:
    value = DatasetLine(
        id=str(1000 + number), name=f"Set {number}", pictures=number, cover="a" * 64, updated_ms=1_700_000_000_000
    )
    return replace(value, **changes)


def galleries(card: Card) -> list[dict[str, Any]]:
    return [one for one in walk(card.to_components()) if one["type"] == 12]


# A draft.


def test_a_draft_shows_its_report_its_captions_and_what_a_training_would_cost() -> None:
    card = dataset_card(dataset_view(), has_sheet=True)
    assert_discord_takes(card)
    assert text_of(card).splitlines() == [
        "### Luna",
        "🟢 **4 pictures** · sharp, varied and enough of them.",
        "No picture has a caption: the trainer describes those itself.",
        "**Files left out: 1**",
        "- notes.pdf is not a picture",
        "-# At Fake trainer at Fake provider: **$1.50** · about 10 min",
    ]
    assert labels_of(card) == ["Edit captions", "Add more", "Edit", "Train", "Delete"]
    (gallery,) = galleries(card)
    assert gallery["items"][0]["media"]["url"] == "attachment://pictures.jpg"


def test_a_draft_without_its_sheet_is_still_a_card() -> None:
    card = dataset_card(dataset_view(), has_sheet=False)
    assert_discord_takes(card)
    assert galleries(card) == []


@pytest.mark.parametrize("number", [0, 3])
def test_a_draft_with_too_few_pictures_cannot_be_trained(number: int) -> None:
    card = dataset_card(dataset_view(images=images(number), left_out=()), has_sheet=False)
    assert_discord_takes(card)
    assert f"add {TRAINER.image_count.lowest - number:g} more picture" in text_of(card)
    assert "Train" not in labels_of(card)
    assert "Delete" in labels_of(card)


def test_a_draft_without_a_picture_says_nothing_of_captions() -> None:
    card = dataset_card(dataset_view(images=()), has_sheet=False)
    assert "caption" not in text_of(card)
    assert "Edit captions" not in labels_of(card)


def test_a_long_list_of_left_out_files_has_a_button_of_its_own() -> None:
    card = dataset_card(dataset_view(left_out=(("a.pdf", "is not a picture"),) * 6), has_sheet=False)
    assert_discord_takes(card)
    assert "- … and 1 more" in text_of(card)
    assert "All files left out" in labels_of(card)


@pytest.mark.parametrize(
    ("pictures", "page", "before", "after"),
    [
        (60, 0, (0, True), (1, False)),
        (60, 1, (0, False), (1, True)),
        (100, 0, (2, False), (1, False)),
        (100, 1, (0, False), (2, False)),
        (100, 2, (1, False), (0, False)),
        (100, 999_999, (1, False), (0, False)),
    ],
)
def test_the_sheet_of_a_draft_has_pages_that_are_turned(
    pictures: int, page: int, before: tuple[int, bool], after: tuple[int, bool]
) -> None:
    card = dataset_card(replace(dataset_view(images=images(pictures)), page=page), has_sheet=True)
    assert_discord_takes(card)
    assert f"-# Page {min(page, (pictures - 1) // 40) + 1} of {(pictures - 1) // 40 + 1} · pictures" in text_of(card)
    turning = [one for one in buttons_of(card) if one["label"] in ("◀", "▶")]
    for one, (meant, is_disabled) in zip(turning, (before, after), strict=True):
        assert one["custom_id"] == f"atelier:sheet-page:1001-{meant}:{ME}"
        assert one["disabled"] is is_disabled


def test_forty_pictures_need_no_pages() -> None:
    card = dataset_card(dataset_view(images=images(40)), has_sheet=True)
    assert "◀" not in labels_of(card)
    assert "Page" not in text_of(card)


def test_the_most_there_can_be_wrong_with_a_draft_fits_into_one_card() -> None:
    card = dataset_card(overflowing(), has_sheet=True)
    assert_discord_takes(card)
    assert "Leave out flagged (396)" in labels_of(card)
    assert text_of(card).count("\n- ") == len(Flaw) + 6


def test_the_most_there_can_be_wrong_under_review_fits_into_one_card() -> None:
    settings = {**TRAINING_SETTINGS, "trigger_word": "the-" * 7, "learning_rate": 0.00012345}
    job = finetune_job(
        id=LONGEST_ID,
        status=JobStatus.REVIEW,
        details={
            "name": MANY_SIGNS[:50],
            "trainer": "trainer",
            "settings": settings,
            "changed": {"aspect_ratio": ["21:9", "16:9"], "strength": [0.123456789, 1.23456789]},
        },
    )
    view = JobView(
        job=job,
        events=(),
        provider=replace(CARD, notice="This is an offline preview, and not FLUX: " * 4),
        trainer=TRAINER,
        dataset=overflowing(),
        usual=Spread(shortest_ms=600_000, longest_ms=36_000_000),
    )
    card = job_card(view, has_sheet=True)
    assert_discord_takes(card)
    assert labels_of(card) == [
        "Leave out flagged (396)",
        "Edit captions",
        "Add more",
        "Edit",
        "Undo",
        "All pictures",
        "All files left out",
        "Train anyway",
        "Advanced",
        "Change trigger word",
        "Cancel",
    ]


# The list.


def test_a_person_without_datasets_is_told_how_to_begin() -> None:
    card = datasets_page([], page=0, total=0, person_id=ME)
    assert_discord_takes(card)
    assert "None yet" in text_of(card)
    assert "/dataset add" in text_of(card)
    assert labels_of(card) == []


def test_one_dataset_is_a_line_that_opens_it() -> None:
    card = datasets_page([line(1)], page=0, total=1, person_id=ME, has_covers=True)
    assert_discord_takes(card)
    assert text_of(card).splitlines() == [
        "### Your datasets · 1",
        "**1 · Set 1**",
        "-# 1 picture · <t:1700000000:R>",
    ]
    (opening,) = buttons_of(card)
    assert (opening["label"], opening["custom_id"]) == ("Open", f"atelier:open-dataset:1001:{ME}")
    (gallery,) = galleries(card)
    assert gallery["items"][0]["description"] == "Set 1"


def test_a_list_without_covers_shows_none() -> None:
    assert galleries(datasets_page([line(1)], page=0, total=1, person_id=ME)) == []


@pytest.mark.parametrize(
    ("page", "total", "is_first", "is_last"), [(0, 9, True, False), (1, 9, False, True), (1, 17, False, False)]
)
def test_a_longer_list_of_datasets_has_pages(page: int, total: int, is_first: bool, is_last: bool) -> None:
    lines = [line(number) for number in range(8)]
    card = datasets_page(lines, page=page, total=total, person_id=ME, has_covers=True)
    assert_discord_takes(card)
    newer, older = buttons_of(card)[-2:]
    assert (newer["label"], newer["disabled"]) == ("Newer", is_first)
    assert (older["label"], older["disabled"]) == ("Older", is_last)
    assert older["custom_id"] == f"atelier:datasets-page:{page + 1}:{ME}"


def test_eight_datasets_need_no_pages() -> None:
    card = datasets_page([line(number) for number in range(8)], page=0, total=8, person_id=ME)
    assert labels_of(card) == ["Open"] * 8


def test_eight_datasets_with_the_longest_names_fit_on_a_page() -> None:
    lines = [line(number, id=f"{number}{LONGEST_ID[1:]}", name=MANY_SIGNS, pictures=1200) for number in range(8)]
    card = datasets_page(lines, page=3, total=12345, person_id=2**63 - 1, has_covers=True)
    assert_discord_takes(card)


# Captions.


@pytest.mark.parametrize(
    ("number", "page", "on_it", "last"),
    [
        (0, 0, [], 0),
        (5, 0, [1, 2, 3, 4, 5], 0),
        (6, 0, [1, 2, 3, 4, 5], 1),
        (6, 1, [6], 1),
        (10, 1, [6, 7, 8, 9, 10], 1),
        (11, 2, [11], 2),
        (6, 7, [6], 1),
    ],
)
def test_five_pictures_are_on_a_page_and_behind_the_last_page_is_the_last(
    number: int, page: int, on_it: list[int], last: int
) -> None:
    value = dataset(images=images(number))
    assert [image.number for image in on_caption_page(value, page)] == on_it
    assert last_caption_page(value) == last
    assert_discord_takes(captions_page(dataset_view(images=images(number)), page, has_strip=bool(number)))


def test_left_out_pictures_are_not_captioned() -> None:
    some = (dataset_image(1, is_in=False), *images(7)[1:])
    assert [image.number for image in on_caption_page(dataset(images=some), 0)] == [2, 3, 4, 5, 6]


def test_a_page_of_captions_says_what_is_written_and_what_is_not() -> None:
    some = (dataset_image(1, caption="a *black* cat"), dataset_image(2, name="IMG_2.jpg"))
    card = captions_page(dataset_view(images=some), 0, has_strip=True)
    assert_discord_takes(card)
    assert text_of(card).splitlines() == [
        "### Captions of Luna",
        "-# 1 of 2 written",
        "**1** 1.jpg",
        "> a \\*black\\* cat",
        "**2** IMG\\_2.jpg",
        "> *none*",
    ]
    assert labels_of(card) == ["Write these", "Find and replace"]
    assert galleries(card)[0]["items"][0]["description"] == "1 1.jpg, 2 IMG_2.jpg"


def test_a_page_of_captions_says_what_was_just_done_to_all() -> None:
    card = captions_page(dataset_view(images=images(1, caption="a cat")), 0, has_strip=False, done="Done.")
    assert text_of(card).splitlines()[:3] == ["### Captions of Luna", "-# 1 of 1 written", "Done."]


@pytest.mark.parametrize(
    ("changed", "find", "put", "said"),
    [
        (12, "cat", "dog", "✅ 12 captions changed."),
        (1, "", "a photo of", "✅ 1 caption changed."),
        (0, "*cat*", "dog", "No caption changed: none holds “\\*cat\\*”."),
        (0, "cat", "cat", "No caption changed: both texts are the same."),
        (0, "", "a photo of", "No caption changed: all begin with “a photo of”."),
    ],
)
def test_it_is_said_how_many_captions_changed(changed: int, find: str, put: str, said: str) -> None:
    assert replaced(changed, find=find, put=put) == said


def test_an_empty_page_of_captions_says_so_and_offers_nothing_to_write() -> None:
    card = captions_page(dataset_view(images=()), 0, has_strip=False)
    assert "No picture is in it." in text_of(card)
    assert all(one["disabled"] for one in buttons_of(card))
    assert galleries(card) == []


def test_nothing_is_found_and_replaced_where_nothing_is_written() -> None:
    write, replacing = buttons_of(captions_page(dataset_view(), 0, has_strip=False))
    assert (write["disabled"], replacing["disabled"]) == (False, True)


@pytest.mark.parametrize(
    ("page", "before", "after"), [(0, (0, True), (1, False)), (1, (0, False), (2, False)), (2, (1, False), (2, True))]
)
def test_pages_of_captions_are_turned(page: int, before: tuple[int, bool], after: tuple[int, bool]) -> None:
    card = captions_page(dataset_view(images=images(11)), page, has_strip=False)
    previous, following = (one for one in buttons_of(card) if one["label"] in ("Previous", "Next"))
    for one, (meant, is_disabled) in ((previous, before), (following, after)):
        assert one["custom_id"] == f"atelier:captions:1001-{meant}:{ME}"
        assert one["disabled"] is is_disabled


@pytest.mark.parametrize(("number", "page"), [(2, 0), (6, 0), (7, 1), (11, 1), (12, 2), (1, None), (13, None)])
def test_the_page_of_a_number_is_known_if_it_is_in(number: int, page: int | None) -> None:
    some = (dataset_image(1, is_in=False), *images(12)[1:])
    assert caption_page_with(dataset(images=some), number) == page


def test_the_buttons_of_a_page_know_their_page() -> None:
    card = captions_page(dataset_view(images=images(11, caption="a cat")), 1, has_strip=False)
    assert [one["custom_id"] for one in buttons_of(card)][:2] == [
        f"atelier:write-captions:1001-1:{ME}",
        f"atelier:replace-in-captions:1001-1:{ME}",
    ]


@pytest.mark.parametrize(
    ("price", "label"),
    [
        (None, "Describe 4 for me (price unknown)"),
        (0.0, "Describe 4 for me (free)"),
        (0.0004, "Describe 4 for me (about $0.01)"),
        (1.2, "Describe 4 for me (about $1.20)"),
    ],
)
def test_who_offers_to_describe_pictures_says_for_how_much(price: float | None, label: str) -> None:
    card = captions_page(offered(dataset_view(), price), 0, has_strip=False)
    assert_discord_takes(card)
    assert labels_of(card)[-1] == label


@pytest.mark.parametrize("text", [MANY_SIGNS * 5, "@" * 1000, "猫" * 1000, (NASTY * 30)[:1000]])
def test_five_of_the_longest_captions_fit_on_a_page(text: str) -> None:
    some = tuple(dataset_image(395 + number, name=text, caption=text) for number in range(1, 12))
    view = offered(dataset_view(id=LONGEST_ID, name=text[:50], images=some), 123456.789, pictures=12345)
    for page in range(3):
        assert_discord_takes(captions_page(view, page, has_strip=True))


# Deleting.


def test_deleting_a_dataset_asks_first() -> None:
    card = delete_dataset_question(dataset(images=images(1)), ME)
    assert_discord_takes(card)
    assert text_of(card) == (
        "Delete **Luna** and its 1 picture for good? Models trained with it stay, and trainings under way go on."
    )
    (button,) = buttons_of(card)
    assert (button["label"], button["style"]) == ("Delete for good", 4)
    assert button["custom_id"] == f"atelier:delete-dataset:1001-1:{ME}"


# A person's words.


def test_hostile_names_are_shown_and_not_obeyed() -> None:
    hostile = images(6, name=NASTY, caption=NASTY)
    view = dataset_view(name=NASTY, images=hostile, left_out=((NASTY, NASTY),) * 9)
    for card in (
        dataset_card(view, has_sheet=True),
        captions_page(view, 0, has_strip=True),
        datasets_page([line(1, name=NASTY)], page=0, total=1, person_id=ME, has_covers=True),
        delete_dataset_question(dataset(name=NASTY), ME),
    ):
        assert_discord_takes(card)
        assert "\\*\\*x" in text_of(card)
        assert not re.search(r"(?<!\\)(\*\*x|`z|\|\|t)", text_of(card))
        assert not re.search(r"^\s*(# h|> q)", text_of(card), re.MULTILINE)
