"""The report card of a dataset: its light, its advice, what is marked on the sheet, when it may be started."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.datasets.appraising.appraisal import Appraisal, Finding, Flaw, Light, Remark
from bot.messages.buttons import Act
from bot.messages.report_cards import (
    FLAW_WORDS,
    LIGHT_COLOURS,
    LIGHTS,
    advice,
    captions_line,
    numbered,
    report,
    start_button,
    studio_buttons,
)
from bot.messages.view import DatasetView
from bot.providers.card import CaptionRule
from storage.datasets import DatasetImage
from storage.statuses import DatasetAct
from tests.builders import PLACE, TRAINER, dataset_image, dataset_view

ADVISING = replace(TRAINER, advised_images=(10, 30), advised_side=512)


def judged(
    *remarks: Remark,
    light: Light = Light.GREEN,
    findings: Mapping[int, Sequence[Finding]] | None = None,
    flagged: tuple[int, ...] = (),
    missing: int = 0,
    missing_good: int = 0,
    left_aside: frozenset[int] = frozenset(),
    **of_dataset: Any,
) -> DatasetView:
    """A dataset of which this was found."""
    appraisal = Appraisal(
        light=light,
        findings={number: tuple(some) for number, some in (findings or {}).items()},
        remarks=remarks,
        flagged=flagged,
        missing=missing,
        missing_good=missing_good,
        left_aside=left_aside,
    )
    return replace(dataset_view(trainer=ADVISING, **of_dataset), appraisal=appraisal)


def finding(flaw: Flaw, *, is_grave: bool = True) -> Finding:
    return Finding(flaw=flaw, is_grave=is_grave, twin_of=1 if flaw is Flaw.TWIN else None)


def images(number: int, **changes: Any) -> tuple[DatasetImage, ...]:
    return tuple(dataset_image(one, **changes) for one in range(1, number + 1))


# The light and its sentence.


def test_every_light_has_a_sign_and_a_colour_of_its_own() -> None:
    assert set(LIGHTS) == set(LIGHT_COLOURS) == set(Light)
    assert len(set(LIGHTS.values())) == len({colour.value for colour in LIGHT_COLOURS.values()}) == 3


@pytest.mark.parametrize(("light", "sign"), [(Light.GREEN, "🟢"), (Light.YELLOW, "🟡"), (Light.RED, "🔴")])
def test_a_report_begins_with_its_light_and_how_many_pictures_are_in(light: Light, sign: str) -> None:
    some = (*images(2), dataset_image(3, is_in=False))
    assert report(judged(light=light, images=some)).startswith(f"{sign} **2 pictures** · ")
    assert report(judged(light=light, images=images(1))).startswith(f"{sign} **1 picture** · ")


ADVICE = {
    Remark.TOO_FEW: "add 3 more pictures: Fake trainer takes 4 at least.",
    Remark.TOO_FEW_GOOD: "add 3 good pictures: without the marked ones Fake trainer has too few.",
    Remark.TOO_LARGE: "too large together: 3 of them fit in what Fake trainer takes here, the others are left aside.",
    Remark.TOO_MANY: "Fake trainer takes 50 at most: the others are left aside.",
    Remark.FEW: "this can work; 10 or more usually work better.",
    Remark.MANY: "30 good ones are enough here, and more may only take longer.",
    Remark.ALIKE: "they look much alike: add other angles, light and backgrounds.",
    Remark.MANY_FLAWED: "many of these would teach the model mistakes: leave out the marked ones, add better ones.",
    Remark.LOW_RESOLUTION: "most are below 512 pixels: larger ones train sharper.",
    Remark.PARTLY_CAPTIONED: "some have captions and some have none: write them for all, or for none.",
}


@pytest.mark.parametrize("remark", Remark)
def test_every_remark_is_one_sentence_of_advice(remark: Remark) -> None:
    assert (
        advice(judged(remark, missing=3 * (remark is Remark.TOO_FEW), missing_good=3, left_aside=frozenset({4})))
        == ADVICE[remark]
    )


def test_one_missing_picture_is_one_picture() -> None:
    assert advice(judged(Remark.TOO_FEW, missing=1)).startswith("add 1 more picture:")


@pytest.mark.parametrize(
    ("remarks", "said"),
    [
        (tuple(Remark), Remark.TOO_FEW),
        ((Remark.TOO_MANY, Remark.MANY_FLAWED, Remark.ALIKE), Remark.MANY_FLAWED),
        ((Remark.PARTLY_CAPTIONED, Remark.LOW_RESOLUTION, Remark.FEW, Remark.ALIKE), Remark.ALIKE),
        ((Remark.MANY, Remark.PARTLY_CAPTIONED), Remark.PARTLY_CAPTIONED),
    ],
)
def test_of_several_remarks_the_most_pressing_is_said(remarks: tuple[Remark, ...], said: Remark) -> None:
    assert advice(judged(*remarks, missing=3)) == ADVICE[said]


@pytest.mark.parametrize("urgent", [Remark.TOO_FEW, Remark.TOO_MANY, Remark.MANY_FLAWED])
def test_what_stops_a_training_comes_before_single_pictures(urgent: Remark) -> None:
    assert advice(judged(urgent, flagged=(2,), missing=3)) == ADVICE[urgent]


def test_pictures_better_left_out_come_before_mild_remarks() -> None:
    assert advice(judged(Remark.ALIKE, flagged=(4, 2))) == "better without 2, 4."


def test_pictures_that_are_only_doubtful_are_worth_a_look() -> None:
    doubtful = {1: [finding(Flaw.SMALL, is_grave=False)]}
    assert advice(judged(findings=doubtful)) == "good to train; look once at the marked ones."


def test_a_dataset_without_anything_to_say_is_praised() -> None:
    assert report(judged()) == "🟢 **4 pictures** · sharp, varied and enough of them."


# What is wrong with single pictures.


@pytest.mark.parametrize("flaw", Flaw)
def test_every_flaw_is_named_with_the_numbers_of_its_pictures(flaw: Flaw) -> None:
    view = judged(findings={3: [finding(flaw)], 1: [finding(flaw)]})
    (line,) = report(view).splitlines()[1:]
    assert line == f"- {FLAW_WORDS[flaw]}: 1, 3"
    assert FLAW_WORDS[flaw].strip()


def test_a_picture_stands_under_its_gravest_flaw_alone_and_the_gravest_come_first() -> None:
    view = judged(findings={1: [finding(Flaw.BORDERED)], 2: [finding(Flaw.BLURRED), finding(Flaw.BORDERED)]})
    assert report(view).splitlines()[1:] == ["- blurry: 2", "- bars around it: 1"]


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([7], "7"),
        ([9, 3, 7], "3, 7, 9"),
        (range(1, 13), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12"),
        (range(1, 14), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 1 more"),
        (range(1, 401), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 388 more"),
    ],
)
def test_many_numbers_are_shortened(numbers: Sequence[int], told: str) -> None:
    assert numbered(numbers) == told


# Captions.


@pytest.mark.parametrize(
    ("rule", "others"),
    [
        (CaptionRule.OPTIONAL, "that is fine here"),
        (CaptionRule.DESCRIBED, "the trainer describes those itself"),
        (CaptionRule.DEFAULTED, "those learn as “ohwx” alone"),
    ],
)
def test_what_becomes_of_pictures_without_a_caption_is_the_trainers_rule(rule: CaptionRule, others: str) -> None:
    trainer = replace(TRAINER, captions=rule)
    none = dataset_view(trainer=trainer)
    assert captions_line(none, trigger_word="ohwx") == f"No picture has a caption: {others}."
    some = dataset_view(trainer=trainer, images=(dataset_image(1, caption="a cat"), *images(3)[1:]))
    assert captions_line(some, trigger_word="ohwx") == f"2 pictures have no caption: {others}."
    one = dataset_view(trainer=trainer, images=(dataset_image(1, caption="a cat"), dataset_image(2)))
    assert captions_line(one, trigger_word="ohwx") == f"1 picture has no caption: {others}."


def test_where_no_trigger_word_is_chosen_yet_it_is_spoken_of() -> None:
    view = dataset_view(trainer=replace(TRAINER, captions=CaptionRule.DEFAULTED))
    assert captions_line(view) == "No picture has a caption: those learn as the trigger word alone."


def test_captions_of_pictures_that_are_left_out_do_not_count() -> None:
    all_written = (dataset_image(1, caption="a cat"), dataset_image(2, is_in=False))
    assert captions_line(dataset_view(images=all_written)) == "Every picture has a caption."
    assert captions_line(dataset_view(images=(dataset_image(1, is_in=False),))) == ""


def test_hostile_names_write_no_line_of_their_own_and_no_mark_up() -> None:
    trainer = replace(TRAINER, captions=CaptionRule.DEFAULTED)
    said = captions_line(dataset_view(trainer=trainer), trigger_word="**x**\n# y")
    assert "\n" not in said
    assert not re.search(r"(?<!\\)\*\*x", said)


# What can be done about it.


@pytest.mark.parametrize(
    ("light", "label", "style"),
    [(Light.GREEN, "Start", 3), (Light.YELLOW, "Train anyway", 2), (Light.RED, "Train anyway", 2)],
)
def test_only_a_green_light_invites_to_start(light: Light, label: str, style: int) -> None:
    start = start_button(judged(light=light), Act.START, "Start")
    assert start is not None
    assert (start.label, start.style.value) == (label, style)
    assert start.custom_id == f"atelier:start:1001:{PLACE.person_id}"


def test_what_the_trainer_accepts_can_be_trained_even_if_too_little_of_it_is_good() -> None:
    view = judged(Remark.TOO_FEW_GOOD, light=Light.RED, missing_good=1)
    start = start_button(view, Act.START, "Start")
    assert start is not None
    assert start.label == "Train anyway"


def test_too_large_a_dataset_of_which_too_little_fits_says_how_many_it_needs() -> None:
    view = judged(Remark.TOO_LARGE, light=Light.RED, missing=1, left_aside=frozenset({4}))
    assert advice(view) == "too large together: 3 of them fit in what Fake trainer takes here, and it needs 4."
    assert start_button(view, Act.START, "Start") is None


@pytest.mark.parametrize("light", Light)
def test_nothing_can_be_started_while_pictures_are_missing(light: Light) -> None:
    assert start_button(judged(light=light, missing=1), Act.START, "Start") is None


@pytest.mark.parametrize(
    ("view", "labels"),
    [
        (judged(), ["Edit captions", "Add more", "Edit"]),
        (judged(flagged=(1, 4)), ["Leave out flagged (2)", "Edit captions", "Add more", "Edit"]),
        (judged(last_act=DatasetAct.RENAME, last_step=2, steps=2), ["Edit captions", "Add more", "Edit", "Undo"]),
        (judged(images=(dataset_image(1, is_in=False),)), ["Add more", "Edit"]),
    ],
)
def test_only_what_can_be_done_is_offered(view: DatasetView, labels: list[str]) -> None:
    assert [one.label for one in studio_buttons(view)] == labels


def test_where_pictures_are_missing_adding_some_stands_out() -> None:
    def style_of_adding(view: DatasetView) -> int:
        return next(one.style.value for one in studio_buttons(view) if one.label == "Add more")

    assert style_of_adding(judged(Remark.TOO_FEW, missing=1)) == 1
    assert style_of_adding(judged()) == 2
