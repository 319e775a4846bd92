"""The sheet of a dataset: what it shows on which page, under which mark, and what it says to who cannot see it."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.datasets.appraising.appraisal import Finding, Flaw
from bot.messages.sheet_pages import captioned, covers, hides_some, last_page, page_line, sheet_alt_text, tiles
from bot.messages.view import DatasetView
from bot.pictures.sheets import Mark, Tile
from storage.datasets import DatasetLine
from tests.builders import dataset_image
from tests.messages.test_cards import NASTY
from tests.messages.test_report_cards import finding, images, judged


def in_public(view: DatasetView) -> DatasetView:
    return replace(view, is_public=True)


def on_sheet(view: DatasetView) -> tuple[list[Tile], int]:
    return tiles(view, {image.file: Path(image.file) for image in view.dataset.images})


def test_a_sheet_marks_what_is_bad_what_is_doubtful_and_what_is_out() -> None:
    some = (*images(3), dataset_image(4, is_in=False))
    view = judged(
        findings={2: [finding(Flaw.DARK, is_grave=False)], 3: [finding(Flaw.BLURRED)]}, flagged=(3,), images=some
    )
    shown, beyond = on_sheet(view)
    assert [(tile.number, tile.mark, tile.label) for tile in shown] == [
        (1, Mark.GOOD, ""),
        (2, Mark.DOUBT, "too dark"),
        (3, Mark.BAD, "blurry"),
        (4, Mark.OUT, "left out"),
    ]
    assert beyond == 0


@pytest.mark.parametrize("flaw", Flaw)
def test_every_flaw_is_a_word_or_two_on_its_tile(flaw: Flaw) -> None:
    (first, *_), _ = on_sheet(judged(findings={1: [finding(flaw)]}))
    assert 1 <= len(first.label) <= 12
    assert first.is_whole is (flaw in (Flaw.BORDERED, Flaw.NARROW)), "cropped, these flaws would not be seen"


def test_a_twin_names_the_other_one() -> None:
    view = judged(findings={4: [Finding(flaw=Flaw.TWIN, is_grave=True, twin_of=2)]})
    assert on_sheet(view)[0][3].label == "twin of 2"


def test_left_out_pictures_stand_at_the_end_of_the_sheet() -> None:
    some = tuple(replace(image, is_in=image.number > 2) for image in images(5))
    assert [tile.number for tile in on_sheet(judged(images=some))[0]] == [3, 4, 5, 1, 2]


def test_forty_pictures_are_all_shown_and_what_was_left_out_takes_no_room_from_them() -> None:
    some = (dataset_image(1, is_in=False), *images(41)[1:])
    shown, beyond = on_sheet(in_public(judged(images=some)))
    assert [tile.number for tile in shown] == list(range(2, 42))
    assert beyond == 0


def test_of_too_many_pictures_every_flawed_one_is_shown_and_the_others_are_counted() -> None:
    """The last of forty tiles is the count, so that it must not cost the last flawed picture its place."""
    flawed = {number: [finding(Flaw.BLURRED)] for number in range(362, 401)}
    shown, beyond = on_sheet(in_public(judged(findings=flawed, images=images(400))))
    assert [tile.number for tile in shown] == list(flawed)
    assert beyond == 361


def test_of_too_many_pictures_the_shown_ones_stay_in_order() -> None:
    some = (*images(60), dataset_image(61, is_in=False))
    shown, beyond = on_sheet(in_public(judged(findings={50: [finding(Flaw.BLURRED)]}, images=some)))
    assert [tile.number for tile in shown] == [*range(1, 39), 50]
    assert beyond == 21


def test_every_picture_is_on_one_page_and_what_was_left_out_on_the_last_ones() -> None:
    """Of 60, the flawed ones begin; who leaves out more than half of them still sees each."""
    some = tuple(replace(image, is_in=image.number > 33) for image in images(93))
    view = judged(findings={number: [finding(Flaw.DARK)] for number in (50, 93)}, images=some)
    pages = [[tile.number for tile in on_sheet(replace(view, page=page))[0]] for page in range(3)]
    assert pages == [[*range(34, 73), 93], [*range(73, 93), *range(1, 21)], [*range(21, 34)]]
    last = on_sheet(replace(view, page=2))[0]
    assert {(tile.mark, tile.label) for tile in last} == {(Mark.OUT, "left out")}
    assert [on_sheet(replace(view, page=page))[1] for page in range(3)] == [0, 0, 0], "no tile is spent on counting"


def test_behind_the_last_page_is_the_last() -> None:
    view = judged(images=images(41))
    assert [tile.number for tile in on_sheet(replace(view, page=999_999))[0]] == [41]
    assert last_page(view) == 1
    assert [last_page(judged(images=images(number))) for number in (0, 1, 40, 80, 81)] == [0, 0, 0, 1, 2]


def test_a_page_says_whose_numbers_are_on_it() -> None:
    some = (dataset_image(1, is_in=False), *images(62)[1:])
    view = judged(findings={50: [finding(Flaw.BLURRED)]}, images=some)
    assert page_line(view) == "-# Page 1 of 2 · pictures 2-40, 50"
    assert page_line(replace(view, page=7)) == "-# Page 2 of 2 · pictures 41-49, 51-62 · left out 1"
    scattered = judged(images=tuple(dataset_image(3 * number) for number in range(1, 81)))
    assert len(page_line(scattered)) < 100


@pytest.mark.parametrize(
    ("number", "out", "hides"), [(40, 0, False), (41, 0, True), (5, 1, True), (0, 1, True), (0, 0, False)]
)
def test_a_public_sheet_that_hides_pictures_is_known(number: int, out: int, hides: bool) -> None:
    left_out = tuple(dataset_image(900 + one, is_in=False) for one in range(out))
    assert hides_some(in_public(judged(images=(*images(number), *left_out)))) is hides


def test_what_the_sheet_shows_is_told_to_who_cannot_see_it() -> None:
    some = (*images(3), dataset_image(4, is_in=False))
    view = judged(findings={2: [finding(Flaw.TWIN)]}, images=some)
    assert sheet_alt_text(view) == "The pictures of Luna: 1 1.jpg, 2 2.jpg (twin of 1), 3 3.jpg, 4 4.jpg (left out)"


def test_the_told_pictures_of_too_many_are_those_on_the_sheet() -> None:
    view = judged(findings={400: [finding(Flaw.DARK)]}, images=images(400))
    told = sheet_alt_text(in_public(view))
    assert told.endswith("38, 400 (too dark) and 361 more")
    assert " 39" not in told
    page = sheet_alt_text(view)
    assert page.endswith("39 39.jpg, 400 400.jpg (too dark)")
    assert "40 40.jpg" not in page


def test_a_told_sheet_is_within_discords_limit() -> None:
    long = judged(name=NASTY[:50], images=images(400, name="n" * 200))
    assert len(sheet_alt_text(long)) <= 1024
    assert sheet_alt_text(in_public(long)).endswith(" and 361 more")
    assert len(sheet_alt_text(in_public(long))) <= 1024


def test_a_name_is_told_as_it_is_written_where_no_mark_up_is_read() -> None:
    view = judged(name="my_cat*s", images=(dataset_image(1, name="IMG_0001.jpg"),))
    assert sheet_alt_text(view) == "The pictures of my_cat*s: 1 IMG_0001.jpg"


def test_covers_have_the_place_of_their_dataset_in_the_list() -> None:
    lines = [
        DatasetLine(id=str(number), name=f"Set {number}", pictures=1, cover=cover, updated_ms=0)
        for number, cover in enumerate(("a", None, "c"))
    ]
    shown = covers(lines, {"a": Path("a"), "c": Path("c")})
    assert [(tile.number, tile.label) for tile in shown] == [(1, ""), (3, "")]


@pytest.mark.parametrize("name", ["Моя кошка", "猫", "Zoë", "🐈"])
def test_no_name_is_drawn_for_the_font_knows_few_letters(name: str) -> None:
    """Neither a dataset's nor a picture's."""
    some = (dataset_image(1, name=name, caption=name), dataset_image(2, name=name, is_in=False))
    view = judged(name=name, images=some, findings={1: [finding(Flaw.TWIN)]})
    line = DatasetLine(id="1", name=name, pictures=1, cover="a", updated_ms=0)
    paths = {image.file: Path(image.file) for image in some}
    drawn = [*on_sheet(view)[0], *captioned(some, paths), *covers([line], {"a": Path("a")})]
    assert [tile.label for tile in drawn] == ["twin of 1", "left out", "", "", ""]


def test_a_captioned_picture_is_marked_in_the_strip_above_its_caption() -> None:
    some = (dataset_image(1, caption="a cat"), dataset_image(2))
    shown = captioned(some, {image.file: Path(image.file) for image in some})
    assert [(tile.number, tile.mark) for tile in shown] == [(1, Mark.GOOD), (2, Mark.PLAIN)]


def test_hostile_names_are_told_on_one_line() -> None:
    assert "\n" not in sheet_alt_text(judged(name=NASTY, images=images(4, name=NASTY)))
