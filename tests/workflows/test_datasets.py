"""A dataset is worked on over days: each step is saved at once, can be undone, and concerns nobody else."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.datasets.captions.captions import MAX_CAPTION_CHARACTERS
from bot.datasets.limits import DatasetLimits
from bot.errors import BadInput, NotFound, NotYours
from bot.providers.card import Mode
from bot.workflows.datasets import Datasets
from storage.statuses import DatasetAct
from tests.builders import TRAINER
from tests.workflows.drafts import (
    DRAFT,
    ME,
    SOMEBODY,
    captions_of,
    draft,
    draft_or_none,
    kept,
    store_draft,
    training,
)
from tests.workflows.workshop import Workshop

Step = Callable[[Datasets], Awaitable[Any]]


def numbers_in(value: Any) -> list[int]:
    return [image.number for image in value.chosen]


# Leave out and take back.


async def test_pictures_are_left_out_and_taken_back(workshop: Workshop) -> None:
    await store_draft(workshop, [None] * 4)
    changed = await workshop.do.datasets.edit(DRAFT, ME, leave_out=[2, 4])
    assert numbers_in(changed) == [1, 3]
    assert changed == await draft(workshop)
    changed = await workshop.do.datasets.edit(DRAFT, ME, name="Luna", leave_out=[1], take_back=[2])
    assert numbers_in(changed) == [2, 3]
    undone = [numbers_in(await workshop.undo(DRAFT, ME)) for _ in range(3)]
    assert undone == [[3], [1, 3], [1, 2, 3, 4]]


async def test_taking_back_never_makes_more_than_a_dataset_holds(workshop: Workshop) -> None:
    await store_draft(workshop, [None] * 4)
    await workshop.do.datasets.edit(DRAFT, ME, leave_out=[1, 2])
    await workshop.crash()
    workshop.limits = DatasetLimits(max_images=3)
    await workshop.start()
    with pytest.raises(BadInput, match="A dataset holds 3 pictures at most: leave out others first"):
        await workshop.do.datasets.edit(DRAFT, ME, take_back=[1, 2])
    with pytest.raises(BadInput, match="holds 3 pictures at most"):
        await workshop.undo(DRAFT, ME)
    assert numbers_in(await draft(workshop)) == [3, 4]
    assert numbers_in(await workshop.do.datasets.edit(DRAFT, ME, leave_out=[3], take_back=[1, 2])) == [1, 2, 4]


async def test_what_is_removed_is_gone_from_the_disk_unless_another_dataset_has_it(workshop: Workshop) -> None:
    await store_draft(workshop, [None] * 4)
    await store_draft(workshop, [None], dataset_id="6006", name="Moon")
    with pytest.raises(BadInput, match="There is no picture 9 in Luna"):
        await workshop.do.datasets.edit(DRAFT, ME, leave_out=[2], remove=[3, 9])
    before = await draft(workshop)
    assert numbers_in(before) == [1, 2, 3, 4]
    changed = await workshop.do.datasets.edit(DRAFT, ME, leave_out=[2], remove=[1, 3])
    assert [image.number for image in changed.images] == [2, 4]
    gone = {image.file for image in before.images} - kept(workshop)
    assert gone == {before.images[2].file}, "the first picture is in Moon too"


async def test_a_span_may_go_over_what_was_deleted_for_good(workshop: Workshop) -> None:
    await store_draft(workshop, [None] * 5)
    await workshop.do.datasets.edit(DRAFT, ME, remove=[3])
    assert numbers_in(await workshop.do.datasets.edit(DRAFT, ME, leave_out=[2, 3, 4])) == [1, 5]
    with pytest.raises(BadInput, match="There is no picture 6 in Luna"):
        await workshop.do.datasets.edit(DRAFT, ME, take_back=[2, 6])


async def test_what_is_left_out_already_is_no_step(workshop: Workshop) -> None:
    await store_draft(workshop, [None] * 3)
    for _ in range(2):
        await workshop.do.datasets.edit(DRAFT, ME, leave_out=[2])
    assert numbers_in(await workshop.undo(DRAFT, ME)) == [1, 2, 3]
    assert (await draft(workshop)).last_act is DatasetAct.ADD


async def test_a_number_that_is_not_on_the_sheet_changes_nothing_at_all(workshop: Workshop) -> None:
    before = await store_draft(workshop, [None] * 3)
    with pytest.raises(BadInput, match="There is no picture 9 in Luna"):
        await workshop.do.datasets.edit(DRAFT, ME, leave_out=[1, 9])
    with pytest.raises(BadInput, match="There is no picture 8 in Luna"):
        await workshop.do.datasets.edit(DRAFT, ME, name="Moon", leave_out=[1], take_back=[8])
    assert await draft(workshop) == before


async def test_what_the_trainer_is_better_without_is_left_out_at_once(workshop: Workshop) -> None:
    """More than it takes: the surplus is flagged."""
    await store_draft(workshop, [None] * 3)
    assert numbers_in(await workshop.do.datasets.leave_out_flagged(DRAFT, ME, TRAINER, Mode.STYLE)) == [1, 2, 3]
    assert (await draft(workshop)).last_act is DatasetAct.ADD
    small = replace(TRAINER, image_count=replace(TRAINER.image_count, lowest=1, highest=2, default=1))
    flagged = await workshop.do.datasets.leave_out_flagged(DRAFT, ME, small, Mode.STYLE)
    assert len(flagged.chosen) == 2
    assert flagged.last_act is DatasetAct.LEAVE_OUT
    assert numbers_in(await workshop.undo(DRAFT, ME)) == [1, 2, 3]


# Names.


async def test_a_rename_is_a_step(workshop: Workshop) -> None:
    await store_draft(workshop, [None])
    renamed = await workshop.do.datasets.edit(DRAFT, ME, name="  Moon\nlight ", leave_out=[], take_back=[])
    assert (renamed.name, renamed.last_act) == ("Moon light", DatasetAct.RENAME)
    assert (await workshop.do.datasets.meant("moon LIGHT", ME)).id == DRAFT
    assert (await workshop.undo(DRAFT, ME)).name == "Luna"


async def test_a_name_of_another_dataset_of_theirs_is_refused_in_any_case(workshop: Workshop) -> None:
    await store_draft(workshop, [None])
    await store_draft(workshop, [None], dataset_id="6006", name="Moon")
    await store_draft(workshop, [None], dataset_id="7007", name="Sun", place=SOMEBODY)
    with pytest.raises(BadInput, match="already have a dataset called MOON"):
        await workshop.do.datasets.edit(DRAFT, ME, name="MOON", leave_out=[], take_back=[])
    with pytest.raises(BadInput, match="1 to 50 characters"):
        await workshop.do.datasets.edit(DRAFT, ME, name=" ", leave_out=[], take_back=[])
    assert (await draft(workshop)).name == "Luna"
    assert (await workshop.do.datasets.edit(DRAFT, ME, name="LUNA", leave_out=[], take_back=[])).name == "LUNA"
    assert (await workshop.do.datasets.edit(DRAFT, ME, name="Sun", leave_out=[], take_back=[])).name == "Sun"


# Captions.


async def test_captions_are_written_removed_and_undone(workshop: Workshop) -> None:
    await store_draft(workshop, ["a cat", None, None])
    written = await workshop.do.datasets.write_captions(DRAFT, ME, {1: " ", 2: " a  dog\n", 3: ""})
    assert captions_of(written) == [None, "a dog", None]
    assert captions_of(await workshop.undo(DRAFT, ME)) == ["a cat", None, None]


async def test_a_caption_that_is_too_long_changes_none_of_them(workshop: Workshop) -> None:
    before = await store_draft(workshop, ["a cat", None])
    with pytest.raises(BadInput, match="Caption 2 is longer than"):
        await workshop.do.datasets.write_captions(DRAFT, ME, {1: "a dog", 2: "x" * (MAX_CAPTION_CHARACTERS + 1)})
    assert await draft(workshop) == before


async def test_a_text_is_replaced_in_the_captions_of_what_is_in(workshop: Workshop) -> None:
    await store_draft(workshop, ["a Cat", "two cats", None, "a cat"])
    await workshop.do.datasets.edit(DRAFT, ME, leave_out=[4])
    assert await workshop.do.datasets.replace_in_captions(DRAFT, ME, find="cat", put="dog") == 2
    assert captions_of(await draft(workshop)) == ["a dog", "two dogs", None, "a cat"]
    assert await workshop.do.datasets.replace_in_captions(DRAFT, ME, find="two", put="2") == 1
    assert captions_of(await workshop.undo(DRAFT, ME)) == ["a dog", "two dogs", None, "a cat"]
    assert await workshop.do.datasets.replace_in_captions(DRAFT, ME, find="", put="a photo of") == 2
    assert captions_of(await draft(workshop)) == ["a photo of a dog", "a photo of two dogs", None, "a cat"]
    assert captions_of(await workshop.undo(DRAFT, ME)) == ["a dog", "two dogs", None, "a cat"]
    assert captions_of(await workshop.undo(DRAFT, ME)) == ["a Cat", "two cats", None, "a cat"]


async def test_a_replacement_that_finds_nothing_is_no_step(workshop: Workshop) -> None:
    await store_draft(workshop, ["a cat"])
    assert await workshop.do.datasets.replace_in_captions(DRAFT, ME, find="whale", put="dog") == 0
    assert (await draft(workshop)).last_act is DatasetAct.ADD


async def test_when_nothing_is_left_to_undo_it_is_said(workshop: Workshop) -> None:
    await store_draft(workshop, [None, None])
    assert numbers_in(await workshop.undo(DRAFT, ME)) == []
    with pytest.raises(BadInput, match="nothing left to undo"):
        await workshop.undo(DRAFT, ME)


# Whose it is.

STEPS: Mapping[str, Step] = {
    "leave out": lambda do: do.edit(DRAFT, SOMEBODY.person_id, leave_out=[1]),
    "flagged": lambda do: do.leave_out_flagged(DRAFT, SOMEBODY.person_id, TRAINER, Mode.STYLE),
    "edit": lambda do: do.edit(DRAFT, SOMEBODY.person_id, name="Mine", leave_out=[1], take_back=[]),
    "write": lambda do: do.write_captions(DRAFT, SOMEBODY.person_id, {1: "mine"}),
    "replace": lambda do: do.replace_in_captions(DRAFT, SOMEBODY.person_id, find="cat", put="dog"),
    "undo": lambda do: do.undo(DRAFT, SOMEBODY.person_id, 1),
    "delete": lambda do: do.delete(DRAFT, SOMEBODY.person_id),
}


@pytest.mark.parametrize("what", STEPS)
async def test_nobody_else_sees_or_changes_it(workshop: Workshop, what: str) -> None:
    before = await store_draft(workshop, ["a cat"])
    files = kept(workshop)
    with pytest.raises(NotYours):
        await STEPS[what](workshop.do.datasets)
    assert await draft(workshop) == before
    assert kept(workshop) == files


async def test_nobody_else_finds_it_or_trains_on_it(workshop: Workshop) -> None:
    await store_draft(workshop, [None] * 4)
    for text in (DRAFT, "Luna"):
        with pytest.raises(NotFound):
            await workshop.do.datasets.meant(text, SOMEBODY.person_id)
        with pytest.raises(NotFound):
            await workshop.do.finetune.request("1001", SOMEBODY, training(text))
    assert workshop.cards.refreshed == []


@pytest.mark.parametrize("what", [what for what in STEPS if what != "edit"])
async def test_a_dataset_that_is_gone_is_a_sentence(workshop: Workshop, what: str) -> None:
    with pytest.raises(NotFound, match="gone"):
        await STEPS[what](workshop.do.datasets)


# Delete.


async def test_a_deleted_dataset_leaves_no_file(workshop: Workshop) -> None:
    await store_draft(workshop, [None] * 3)
    await workshop.do.datasets.delete(DRAFT, ME)
    assert await draft_or_none(workshop) is None
    assert kept(workshop) == set()


async def test_a_picture_that_another_dataset_has_too_stays(workshop: Workshop) -> None:
    await store_draft(workshop, [None] * 3)
    other = await store_draft(workshop, [None] * 2, dataset_id="6006", name="Moon", place=SOMEBODY)
    await workshop.do.datasets.delete(DRAFT, ME)
    assert kept(workshop) == {image.file for image in other.images}
    await workshop.do.datasets.delete("6006", SOMEBODY.person_id)
    assert kept(workshop) == set()
