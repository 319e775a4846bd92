"""/dataset and its cards: pictures are collected, looked at, mended, described, trained on and deleted."""

from pathlib import Path
from typing import Any

import pytest

from bot.datasets.captions.captions import MAX_CAPTION_CHARACTERS
from bot.errors import TooLate
from bot.playground.person import Answer, Person
from bot.playground.reading import labels_of, media_of, text_of
from storage.datasets import find_dataset
from storage.jobs import jobs_of_person
from storage.statuses import JobStatus
from tests.builders import dataset_image, finetune_job, measures_of
from tests.cogs.stage import CHANNEL, Stage, job_of, private_words
from tests.dataset_files import jpeg_bytes, photo, photo_zip

pytestmark = pytest.mark.asyncio(loop_scope="module")

MENU = "Add my pictures to a dataset"


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"loose-{number}.jpg" for number in range(1, 4)]
    for number, path in enumerate(paths):
        path.write_bytes(jpeg_bytes(photo(700 + number)))
    return paths


@pytest.fixture
def zipped(tmp_path: Path) -> Path:
    return photo_zip(tmp_path / "cats.zip", 5, seed=8)


async def draft_of(person: Person, name: str = "Luna") -> Answer:
    """The private card of one's dataset."""
    answer = await person.command("dataset show", channel=CHANNEL, dataset=name)
    await private_words(answer)
    return answer


async def captions_of(stage: Stage, person: Person) -> Answer:
    pages = await person.press(await draft_of(person), "Edit captions")
    await stage.shows(pages, "Captions of Luna")
    return pages


async def is_deleted(stage: Stage, dataset_id: str) -> bool:
    async with stage.bot.resources.database.reading() as connection:
        return await find_dataset(connection, dataset_id) is None


def chosen(value: Any) -> list[int]:
    return [image.number for image in value.chosen]


# The list.


async def test_who_has_no_dataset_is_told_how_to_begin(stage: Stage) -> None:
    answer = await stage.newcomer().command("dataset list", channel=CHANNEL)
    assert "None yet. **/dataset add** takes a zip" in await private_words(answer)


async def test_the_list_shows_ones_own_datasets_the_last_first_and_opens_them(stage: Stage) -> None:
    ann = stage.newcomer()
    await stage.give_dataset(stage.newcomer(), name="Somebody else's")
    await stage.give_dataset(ann, name="Luna")
    await stage.give_dataset(ann, dataset_image(1), name="Moss")
    answer = await ann.command("dataset list", channel=CHANNEL)
    words = await private_words(answer)
    assert "Your datasets · 2" in words
    assert words.index("**1 · Moss**") < words.index("**2 · Luna**")
    assert "1 picture ·" in words
    assert "5 pictures ·" in words
    assert "Somebody" not in words
    assert len(media_of(answer.message or {})) == 1, "their covers, on one sheet"
    opened = await ann.press(answer, "Open")
    assert "### Moss" in await private_words(opened)
    assert "Your datasets" in answer.text, "the list stays"


async def test_a_longer_list_is_turned(stage: Stage) -> None:
    ann = stage.newcomer()
    for number in range(9):
        await stage.give_dataset(ann, dataset_image(1), name=f"Set {number}")
    answer = await ann.command("dataset list", channel=CHANNEL)
    assert "Set 0" not in await private_words(answer)
    await ann.press(answer, "Older")
    older = await stage.shows(answer, "Set 0")
    assert labels_of(older) == ["Open", "Newer", "Older"]
    await ann.press(answer, "Newer")
    await stage.shows(answer, "Set 8")


# Adding.


async def test_a_zip_begins_a_dataset_and_its_card_opens_it(stage: Stage, zipped: Path) -> None:
    ann = stage.newcomer()
    await ann.command("dataset add", channel=CHANNEL, options={"dataset": "Cats", "zip": zipped})
    card = await stage.sees("Pictures added to Cats", f"<@{ann.id}>", "5 pictures added", "5 in it now.")
    (line,) = await stage.datasets_of(ann)
    assert (line.name, line.pictures) == ("Cats", 5)
    opened = await ann.press(card, "Open")
    assert "### Cats" in await private_words(opened)
    assert len(media_of(await opened.final())) == 1


async def test_loose_files_come_to_the_dataset_whose_name_was_typed(stage: Stage, pictures: list[Path]) -> None:
    ann = stage.newcomer()
    await stage.give_dataset(ann, name="Luna")
    files = {f"picture_{number}": path for number, path in enumerate(pictures, start=1)}
    await ann.command("dataset add", channel=CHANNEL, options={"dataset": "  lUNA ", **files})
    await stage.sees("Pictures added to Luna", f"<@{ann.id}>", "3 pictures added", "8 in it now.")
    (line,) = await stage.datasets_of(ann)
    assert line.pictures == 8


async def test_files_without_a_name_begin_one_that_is_named_for_them(stage: Stage, pictures: list[Path]) -> None:
    ann = stage.newcomer()
    await ann.command("dataset add", channel=CHANNEL, options={"picture_1": pictures[0]})
    await stage.sees("Pictures added to My pictures", f"<@{ann.id}>", "1 picture added")
    await ann.command("dataset add", channel=CHANNEL, options={"picture_1": pictures[1]})
    await stage.sees("Pictures added to My pictures 2", f"<@{ann.id}>", "1 picture added")
    assert [line.pictures for line in await stage.datasets_of(ann)] == [1, 1], "they have nothing to do with each other"


async def test_the_same_pictures_are_not_added_twice(stage: Stage, pictures: list[Path]) -> None:
    ann = stage.newcomer()
    options = {"dataset": "Moss", "picture_1": pictures[0]}
    await ann.command("dataset add", channel=CHANNEL, options=options)
    await stage.sees("Pictures added to Moss", f"<@{ann.id}>")
    await ann.command("dataset add", channel=CHANNEL, options=options)
    card = await stage.sees("Nothing was added to Moss", f"<@{ann.id}>", "one is in the dataset already.")
    told = await private_words(await ann.press(card, "All files left out"))
    assert f"{pictures[0].name} is in the dataset already, as number 1" in told.replace("\\", "")


async def test_a_file_that_is_no_picture_begins_no_dataset(stage: Stage, textfile: Path) -> None:
    ann = stage.newcomer()
    await ann.command("dataset add", channel=CHANNEL, options={"dataset": "Notes", "picture_1": textfile})
    card = await stage.sees("Nothing was added to Notes", f"<@{ann.id}>")
    assert await stage.datasets_of(ann) == []
    told = await private_words(await ann.press(card, "All files left out"))
    assert "### Left out of Notes" in told
    assert textfile.name in told.replace("\\", "")
    assert "belongs to somebody else" in await private_words(await stage.newcomer().press(card, "All files left out"))


async def test_without_files_a_dialog_asks_for_a_name_and_files(stage: Stage, pictures: list[Path]) -> None:
    ann = stage.newcomer()
    dialog = await ann.command("dataset add", channel=CHANNEL)
    assert dialog.modal is not None
    assert [one["label"] for one in dialog.modal["components"]] == ["Name of a new dataset", "Pictures"]
    await ann.submit(dialog, {"Name of a new dataset": "Fern", "Pictures": pictures})
    await stage.sees("Pictures added to Fern", f"<@{ann.id}>", "3 pictures added")


async def test_the_dialog_offers_ones_own_datasets_the_last_one_chosen(stage: Stage, pictures: list[Path]) -> None:
    ann = stage.newcomer()
    await stage.give_dataset(ann, name="Luna")
    moss = await stage.give_dataset(ann, dataset_image(1), name="Moss")
    dialog = await ann.command("dataset add", channel=CHANNEL)
    assert dialog.modal is not None
    select = dialog.modal["components"][0]["component"]
    assert [one["label"] for one in select["options"]] == ["Moss", "Luna", "A new dataset"]
    assert [one["label"] for one in select["options"] if one.get("default")] == ["Moss"]
    assert [one.get("description") for one in select["options"]] == ["1 picture", "5 pictures", None]
    await ann.submit(dialog, {"Dataset": [moss], "Pictures": pictures[:1]})
    await stage.sees("Pictures added to Moss", f"<@{ann.id}>", "2 in it now.")


async def test_who_writes_a_name_into_the_dialog_wants_a_new_dataset(stage: Stage, pictures: list[Path]) -> None:
    ann = stage.newcomer()
    luna = await stage.give_dataset(ann)
    dialog = await ann.command("dataset add", channel=CHANNEL)
    await ann.submit(dialog, {"Dataset": [luna], "Name of a new dataset": "Fern", "Pictures": pictures})
    await stage.sees("Pictures added to Fern", f"<@{ann.id}>")
    assert {line.name for line in await stage.datasets_of(ann)} == {"Luna", "Fern"}


async def test_a_name_in_the_dialog_that_exists_means_that_dataset(stage: Stage, pictures: list[Path]) -> None:
    """The list ends at the latest: an older one is meant by its name, and is not begun a second time."""
    ann = stage.newcomer()
    await stage.give_dataset(ann)
    moss = await stage.give_dataset(ann, dataset_image(1), name="Moss")
    dialog = await ann.use_menu(await ann.say("Luna", channel=CHANNEL, files=pictures), MENU)
    assert dialog.modal is not None
    assert "the name of one you have" in dialog.modal["components"][1]["description"]
    await ann.submit(dialog, {"Dataset": [moss], "Name of a new dataset": " luna"})
    await stage.sees("Pictures added to Luna", f"<@{ann.id}>", "3 pictures added", "8 in it now.")
    assert {line.name: line.pictures for line in await stage.datasets_of(ann)} == {"Luna": 8, "Moss": 1}


async def test_a_new_dataset_chosen_without_a_name_is_a_new_one(stage: Stage, pictures: list[Path]) -> None:
    ann = stage.newcomer()
    await stage.give_dataset(ann, name="My pictures")
    dialog = await ann.command("dataset add", channel=CHANNEL)
    await ann.submit(dialog, {"Dataset": ["new"], "Pictures": pictures})
    await stage.sees("Pictures added to My pictures 2", f"<@{ann.id}>")


async def test_a_card_takes_more_pictures_and_asks_for_nothing_but_files(stage: Stage, pictures: list[Path]) -> None:
    ann = stage.newcomer()
    await stage.give_dataset(ann)
    dialog = await ann.press(await draft_of(ann), "Add more")
    assert dialog.modal is not None
    assert [one["label"] for one in dialog.modal["components"]] == ["Pictures"]
    await ann.submit(dialog, {"Pictures": pictures})
    await stage.sees("Pictures added to Luna", f"<@{ann.id}>", "8 in it now.")


async def test_where_the_bot_may_not_post_nothing_is_added(stage: Stage, pictures: list[Path]) -> None:
    ann = stage.newcomer()
    said = await ann.say("look", channel=CHANNEL, files=pictures)
    stage.playground.forbid(CHANNEL)
    try:
        for answer in (
            await ann.command("dataset add", channel=CHANNEL),
            await ann.command("dataset add", channel=CHANNEL, options={"picture_1": pictures[0]}),
            await ann.use_menu(said, MENU),
        ):
            assert "I may not post here" in await private_words(answer)
    finally:
        stage.playground.allow(CHANNEL)
    assert await stage.datasets_of(ann) == []


# From the menu of a message.


async def test_the_pictures_of_ones_own_message_are_added(stage: Stage, pictures: list[Path]) -> None:
    ann = stage.newcomer()
    await stage.give_dataset(ann)
    said = await ann.say("Luna today", channel=CHANNEL, files=pictures)
    dialog = await ann.use_menu(said, MENU)
    assert dialog.modal is not None
    assert [one["label"] for one in dialog.modal["components"]] == ["Dataset", "Name of a new dataset"]
    await ann.submit(dialog, {})
    await stage.sees("Pictures added to Luna", f"<@{ann.id}>", "3 pictures added", "8 in it now.")


async def test_nobody_collects_what_somebody_else_posted(stage: Stage, pictures: list[Path]) -> None:
    said = await stage.newcomer().say("mine", channel=CHANNEL, files=pictures)
    answer = await stage.newcomer().use_menu(said, MENU)
    assert "only messages of your own can be added" in await private_words(answer)


async def test_a_message_without_files_is_answered_with_a_sentence(stage: Stage) -> None:
    ann = stage.newcomer()
    answer = await ann.use_menu(await ann.say("no pictures", channel=CHANNEL), MENU)
    assert "That message carries no file" in await private_words(answer)


# Which dataset is meant.


async def test_a_dataset_is_shown_with_all_that_can_be_done(stage: Stage) -> None:
    ann = stage.newcomer()
    await stage.give_dataset(ann)
    answer = await draft_of(ann, "luna")
    assert "🟢 **5 pictures** · sharp, varied and enough of them." in answer.text
    assert answer.labels == ["Edit captions", "Add more", "Edit", "Train", "Delete"]
    assert len(media_of(answer.message or {})) == 1


@pytest.mark.parametrize("command", ["dataset show", "dataset edit", "dataset delete"])
async def test_a_dataset_that_is_not_ones_own_is_not_found(stage: Stage, command: str) -> None:
    bens = await stage.give_dataset(stage.newcomer(), name="Bens")
    ann = stage.newcomer()
    for text in (bens, "Bens", "nobody's"):
        answer = await ann.command(command, channel=CHANNEL, dataset=text)
        assert "You have no dataset of that name" in await private_words(answer)


@pytest.mark.parametrize("command", ["dataset show", "dataset add", "dataset edit", "dataset delete", "finetune"])
async def test_only_ones_own_datasets_are_offered_while_typing(stage: Stage, command: str) -> None:
    ann = stage.newcomer()
    luna = await stage.give_dataset(ann, name="Luna")
    moss = await stage.give_dataset(ann, dataset_image(1), name="Moss")
    offered = await ann.autocomplete(command, option="dataset", typed="", channel=CHANNEL)
    assert offered == [{"name": "Moss · 1 picture", "value": moss}, {"name": "Luna · 5 pictures", "value": luna}]
    typed = await ann.autocomplete(command, option="dataset", typed="LUN", channel=CHANNEL)
    assert [one["value"] for one in typed] == [luna]
    assert await stage.newcomer().autocomplete(command, option="dataset", typed="", channel=CHANNEL) == []


# Mending.


async def test_what_is_flagged_is_left_out_at_a_press_and_comes_back_with_undo(stage: Stage) -> None:
    ann = stage.newcomer()
    copy = dataset_image(6, measures=measures_of(1))
    dataset_id = await stage.give_dataset(ann, *(dataset_image(number) for number in range(1, 6)), copy)
    card = await draft_of(ann)
    assert "better without 6." in card.text
    assert "Train anyway" in card.labels
    await ann.press(card, "Leave out flagged (1)")
    without = await stage.shows(card, "**5 pictures** · sharp, varied and enough of them.")
    assert "Train" in labels_of(without)
    assert chosen(await stage.dataset(dataset_id)) == [1, 2, 3, 4, 5]
    await ann.press(card, "Undo")
    await stage.shows(card, "**6 pictures** · better without 6.")
    assert chosen(await stage.dataset(dataset_id)) == [1, 2, 3, 4, 5, 6]


async def test_a_dataset_without_a_picture_asks_for_some(stage: Stage) -> None:
    ann = stage.newcomer()
    dataset_id = await stage.give_dataset(ann)
    await stage.bot.workflows.datasets.edit(dataset_id, int(ann.id), leave_out=range(1, 6))
    card = await draft_of(ann)
    assert "🔴 **0 pictures** · add 4 more pictures" in card.text
    assert card.labels == ["Add more", "Edit", "Undo", "Delete"]


async def test_undo_pressed_twice_undoes_once(stage: Stage) -> None:
    ann = stage.newcomer()
    dataset_id = await stage.give_dataset(ann)
    for number in (1, 2):
        await stage.bot.workflows.datasets.edit(dataset_id, int(ann.id), leave_out=[number])
    card = await draft_of(ann)
    undo = stage.bot.workflows.datasets.undo
    step = (await stage.dataset(dataset_id)).last_step
    await ann.press(card, "Undo")
    await stage.shows(card, "**4 pictures**")
    with pytest.raises(TooLate, match="undone already"):
        await undo(dataset_id, int(ann.id), step)
    assert chosen(await stage.dataset(dataset_id)) == [2, 3, 4, 5]


async def test_a_dataset_is_renamed_and_pictures_are_left_out_and_taken_back(stage: Stage) -> None:
    ann = stage.newcomer()
    dataset_id = await stage.give_dataset(ann, *(dataset_image(number) for number in range(1, 10)))
    card = await draft_of(ann)
    dialog = await ann.press(card, "Edit")
    assert dialog.modal is not None
    assert [one["label"] for one in dialog.modal["components"]] == ["Name", "Leave out", "Delete for good"], (
        "there is nothing to take back"
    )
    await ann.submit(dialog, {"Name": " Selene ", "Leave out": "3, 7-9"})
    await stage.shows(card, "### Selene", "**5 pictures**")
    assert chosen(await stage.dataset(dataset_id)) == [1, 2, 4, 5, 6]
    again = await ann.press(card, "Edit")
    await ann.submit(again, {"Take back": "9 – 8", "Leave out": "1"})
    await stage.shows(card, "### Selene", "**6 pictures**")
    assert chosen(await stage.dataset(dataset_id)) == [2, 4, 5, 6, 8, 9]


async def test_pictures_are_deleted_for_good_and_no_undo_brings_them_back(stage: Stage) -> None:
    ann = stage.newcomer()
    dataset_id = await stage.give_dataset(ann)
    card = await draft_of(ann)
    await ann.submit(await ann.press(card, "Edit"), {"Leave out": "2-4"})
    await stage.shows(card, "**2 pictures**")
    await ann.submit(await ann.press(card, "Edit"), {"Delete for good": "3, 5"})
    await stage.shows(card, "**1 picture**")
    await ann.press(card, "Undo")
    await stage.shows(card, "**3 pictures**")
    assert [image.number for image in (await stage.dataset(dataset_id)).images] == [1, 2, 4]


async def test_the_command_edits_too_and_shows_what_came_of_it(stage: Stage) -> None:
    ann = stage.newcomer()
    await stage.give_dataset(ann)
    dialog = await ann.command("dataset edit", channel=CHANNEL, dataset="Luna")
    answer = await ann.submit(dialog, {"Name": "Selene"})
    assert "### Selene" in await private_words(answer)


@pytest.mark.parametrize(
    ("entered", "sentence"),
    [
        ({"Leave out": "the dark ones"}, "Write the numbers on the pictures, for example 3, 7-9."),
        ({"Leave out": "3-"}, "Write the numbers on the pictures, for example 3, 7-9."),
        ({"Leave out": "4-6"}, "There is no picture 6 in Luna: use the numbers on the sheet."),
        ({"Leave out": "2", "Delete for good": "6"}, "There is no picture 6 in Luna"),
        ({"Leave out": "0"}, "There is no picture 0 in Luna"),
        ({"Name": "MOSS"}, "You already have a dataset called MOSS"),
        ({"Name": "\u200b"}, "Give the dataset a name"),
    ],
)
async def test_what_cannot_be_edited_is_a_private_sentence_and_nothing_changes(
    stage: Stage, entered: dict[str, str], sentence: str
) -> None:
    ann = stage.newcomer()
    dataset_id = await stage.give_dataset(ann)
    await stage.give_dataset(ann, dataset_image(1), name="Moss")
    before = await stage.dataset(dataset_id)
    answer = await ann.submit(await ann.press(await draft_of(ann), "Edit"), entered)
    assert sentence in text_of(await answer.final())
    assert await stage.dataset(dataset_id) == before


async def test_a_training_under_review_is_mended_on_its_card_in_the_channel(stage: Stage) -> None:
    ann = stage.newcomer()
    copy = dataset_image(5, measures=measures_of(1))
    card = await stage.give_job(
        ann,
        finetune_job(status=JobStatus.REVIEW),
        images=(*(dataset_image(number) for number in range(1, 5)), copy),
    )
    await ann.press(card, "Leave out flagged (1)")
    await stage.sees(f"<@{ann.id}>", "**4 pictures** · sharp, varied and enough of them.")
    await ann.press(card, "Undo")
    await stage.sees(f"<@{ann.id}>", "**5 pictures** · better without 5.")
    await ann.submit(await ann.press(card, "Edit"), {"Leave out": "2, 3"})
    missing = await stage.sees(f"<@{ann.id}>", "**3 pictures** · add 1 more picture")
    assert labels_of(missing)[-3:] == ["Advanced", "Change trigger word", "Cancel"]
    assert missing["id"] == card["id"]


# Its sheet.


async def test_every_picture_of_a_large_dataset_is_on_a_page_of_its_sheet(stage: Stage) -> None:
    ann = stage.newcomer()
    some = (*(dataset_image(number) for number in range(1, 46)), dataset_image(46, is_in=False))
    await stage.give_dataset(ann, *some)
    card = await draft_of(ann)
    assert "Page 1 of 2 · pictures 1-40" in card.text
    first = media_of(card.message or {})
    await ann.press(card, "▶")
    turned = await stage.shows(card, "Page 2 of 2 · pictures 41-45 · left out 46")
    assert len(media_of(turned)) == 1
    assert media_of(turned)[0]["url"] != first[0]["url"]
    dialog = await ann.press(card, "Edit")
    assert dialog.modal is not None
    assert dialog.modal["components"][2]["description"].endswith("left out now: 46")
    await ann.press(card, "◀")
    await stage.shows(card, "Page 1 of 2")


async def test_what_the_channel_is_not_shown_its_person_opens_also_after_the_training_ended(stage: Stage) -> None:
    ann, ben = stage.newcomer(), stage.newcomer()
    some = (*(dataset_image(number) for number in range(1, 6)), dataset_image(6, is_in=False))
    card = await stage.give_job(ann, finetune_job(status=JobStatus.REVIEW), images=some)
    assert "belongs to somebody else" in await private_words(await ben.press(card, "All pictures"))
    opened = await ann.press(card, "All pictures")
    assert "**5 pictures**" in await private_words(opened)
    await ann.press(card, "Cancel")
    await stage.sees("cancelled", f"<@{ann.id}>")
    dialog = await ann.press(opened, "Edit")
    assert dialog.modal is not None
    await ann.submit(dialog, {"Take back": "6"})
    await stage.shows(opened, "**6 pictures**")


# Captions.


async def test_captions_are_written_five_at_a_time_and_pages_are_turned(stage: Stage) -> None:
    ann = stage.newcomer()
    dataset_id = await stage.give_dataset(ann, *(dataset_image(number) for number in range(1, 8)))
    pages = await captions_of(stage, ann)
    assert "0 of 7 written" in pages.text
    assert len(media_of(pages.message or {})) == 1
    dialog = await ann.press(pages, "Write these")
    assert dialog.modal is not None
    assert [one["label"] for one in dialog.modal["components"]] == [f"{n} · {n}.jpg" for n in range(1, 6)]
    await ann.submit(dialog, {"1 · 1.jpg": "a cat\non a sofa", "caption-2": "  "})
    await stage.shows(pages, "1 of 7 written", "> a cat on a sofa")
    await ann.press(pages, "Next")
    second = await stage.shows(pages, "**7** 7.jpg")
    assert "**1** 1.jpg" not in text_of(second)
    await ann.submit(await ann.press(pages, "Write these"), {"caption-6": "a cat asleep"})
    await stage.shows(pages, "2 of 7 written", "> a cat asleep")
    await ann.press(pages, "Previous")
    await stage.shows(pages, "**1** 1.jpg", "> a cat on a sofa")
    captions = {image.number: image.caption for image in (await stage.dataset(dataset_id)).images if image.caption}
    assert captions == {1: "a cat on a sofa", 6: "a cat asleep"}


async def test_a_caption_is_found_by_its_number(stage: Stage) -> None:
    ann = stage.newcomer()
    await stage.give_dataset(ann, *(dataset_image(number) for number in range(1, 13)))
    pages = await captions_of(stage, ann)
    for typed in ("13", "0", "two", "-7", "²"):
        answer = await ann.submit(await ann.press(pages, "Go to number"), {"Number": typed})
        assert "No picture of that number is in it" in text_of(await answer.final())
    await ann.submit(await ann.press(pages, "Go to number"), {"Number": " 12 "})
    await stage.shows(pages, "**12** 12.jpg")


async def test_a_caption_is_removed_by_writing_nothing(stage: Stage) -> None:
    ann = stage.newcomer()
    dataset_id = await stage.give_dataset(ann, dataset_image(1, caption="a dog"))
    pages = await captions_of(stage, ann)
    dialog = await ann.press(pages, "Write these")
    assert dialog.modal is not None
    assert dialog.modal["components"][0]["component"]["value"] == "a dog"
    await ann.submit(dialog, {"caption-1": ""})
    await stage.shows(pages, "0 of 1 written")
    assert (await stage.dataset(dataset_id)).images[0].caption is None


async def test_five_of_the_longest_captions_fit_into_the_dialog(stage: Stage) -> None:
    ann = stage.newcomer()
    longest = "x" * MAX_CAPTION_CHARACTERS
    await stage.give_dataset(ann, *(dataset_image(number, caption=longest) for number in range(1, 6)))
    dialog = await ann.press(await captions_of(stage, ann), "Write these")
    assert dialog.modal is not None
    assert [one["component"]["value"] for one in dialog.modal["components"]] == [longest] * 5


async def test_a_text_is_found_and_replaced_in_every_caption(stage: Stage) -> None:
    ann = stage.newcomer()
    dataset_id = await stage.give_dataset(
        ann, dataset_image(1, caption="Luna sleeps"), dataset_image(2), dataset_image(3, caption="a cat, LUNA")
    )
    pages = await captions_of(stage, ann)
    await ann.submit(await ann.press(pages, "Find and replace"), {"Find": "luna", "Replace with": "ohwx"})
    await stage.shows(pages, "> ohwx sleeps", "> a cat, ohwx", "2 captions changed.")
    await ann.submit(await ann.press(pages, "Find and replace"), {"Replace with": "a photo of"})
    await stage.shows(pages, "> a photo of ohwx sleeps", "> a photo of a cat, ohwx", "2 captions changed.")
    await ann.submit(await ann.press(pages, "Find and replace"), {"Find": "wall", "Replace with": "hill"})
    await stage.shows(pages, "> a photo of a cat, ohwx", "No caption changed: none holds “wall”.")
    captions = [image.caption for image in (await stage.dataset(dataset_id)).images]
    assert captions == ["a photo of ohwx sleeps", None, "a photo of a cat, ohwx"]


async def test_nothing_to_find_and_nothing_to_put_is_a_private_sentence(stage: Stage) -> None:
    ann = stage.newcomer()
    await stage.give_dataset(ann, dataset_image(1, caption="a cat"))
    dialog = await ann.press(await captions_of(stage, ann), "Find and replace")
    answer = await ann.submit(dialog, {})
    assert "Write the text to put before the captions." in text_of(await answer.final())


async def test_an_old_page_of_captions_whose_pictures_are_out_says_so(stage: Stage) -> None:
    ann = stage.newcomer()
    dataset_id = await stage.give_dataset(ann)
    pages = await captions_of(stage, ann)
    await stage.bot.workflows.datasets.edit(dataset_id, int(ann.id), leave_out=range(1, 6))
    assert "No picture is in it any more" in await private_words(await ann.press(pages, "Write these"))


# Training.


async def test_a_dataset_becomes_a_training_under_review(stage: Stage) -> None:
    ann = stage.newcomer()
    dataset_id = await stage.give_dataset(ann)
    dialog = await ann.press(await draft_of(ann), "Train")
    assert dialog.modal is not None
    assert [one["label"] for one in dialog.modal["components"]] == [
        "Name",
        "Trigger word",
        "What do the pictures show?",
        "Trainer",
    ]
    await ann.submit(dialog, {"Name": "Luna", "Trigger word": "ohwx", "What do the pictures show?": "character"})
    card = await stage.sees("Ready to train Luna?", f"<@{ann.id}>", "character", "**$1.50**")
    assert labels_of(card)[-4:] == ["Start", "Advanced", "Change trigger word", "Cancel"]
    assert len(media_of(card)) == 1
    assert (await stage.job(job_of(card))).details["dataset"] == dataset_id


@pytest.mark.parametrize("name", ["猫" * 50, "the best of all my cats in the garden of my aunt x", "***", "42"])
async def test_the_dialog_suggests_a_trigger_word_for_any_name(stage: Stage, name: str) -> None:
    ann = stage.newcomer()
    await stage.give_dataset(ann, name=name)
    dialog = await ann.press(await draft_of(ann, name), "Train")
    assert dialog.modal is not None
    named, word = (one["component"] for one in dialog.modal["components"][:2])
    assert named["value"] == name
    assert 2 <= len(word["value"]) <= word["max_length"]
    await ann.submit(dialog, {})
    await stage.sees("Ready to train", f"<@{ann.id}>", f"trigger word {word['value']}")


async def test_finetune_takes_a_dataset_and_its_name(stage: Stage) -> None:
    ann = stage.newcomer()
    await stage.give_dataset(ann)
    await ann.command("finetune", channel=CHANNEL, options={"dataset": "Luna", "trigger_word": "ohwx"})
    await stage.sees("Ready to train Luna?", f"<@{ann.id}>")
    answer = await ann.command("finetune", channel=CHANNEL, options={"dataset": "nobody's"})
    assert "You have no dataset of that name" in await private_words(answer)


async def test_a_training_that_cannot_be_asked_for_is_a_private_sentence(stage: Stage) -> None:
    ann = stage.newcomer()
    await stage.give_dataset(ann)
    dialog = await ann.press(await draft_of(ann), "Train")
    answer = await ann.submit(dialog, {"Trigger word": "two words"})
    assert "Choose a trigger word" in await private_words(answer)
    async with stage.bot.resources.database.reading() as connection:
        jobs = await jobs_of_person(connection, int(ann.id), limit=5)
    assert JobStatus.REVIEW not in {job.status for job in jobs}


# Deleting.


async def test_a_dataset_is_deleted_when_its_person_is_sure(stage: Stage) -> None:
    ann = stage.newcomer()
    dataset_id = await stage.give_dataset(ann)
    card = await draft_of(ann)
    question = await ann.press(card, "Delete")
    assert "Delete **Luna** and its 5 pictures for good?" in await private_words(question)
    assert not await is_deleted(stage, dataset_id)
    await ann.press(question, "Delete for good")
    await stage.shows(question, "**Luna** is deleted, with its pictures.")
    assert question.labels == []
    assert await is_deleted(stage, dataset_id)
    for label in ("Edit captions", "Add more", "Edit", "Train", "Delete"):
        assert "That dataset is gone" in await private_words(await ann.press(card, label)), label


async def test_the_command_asks_before_it_deletes(stage: Stage) -> None:
    ann = stage.newcomer()
    dataset_id = await stage.give_dataset(ann)
    question = await ann.command("dataset delete", channel=CHANNEL, dataset="Luna")
    assert "for good?" in await private_words(question)
    assert not await is_deleted(stage, dataset_id)


async def test_a_training_whose_dataset_is_deleted_can_only_be_cancelled(stage: Stage) -> None:
    ann = stage.newcomer()
    card = await stage.give_job(ann, finetune_job(status=JobStatus.REVIEW))
    await stage.bot.workflows.datasets.delete(job_of(card), int(ann.id))
    gone = await stage.sees(f"<@{ann.id}>", "The dataset of this training was deleted.")
    assert labels_of(gone) == ["Advanced", "Change trigger word", "Cancel"]


# Whose it is.


async def test_somebody_else_presses_nothing_on_a_training_under_review(stage: Stage) -> None:
    ann, ben = stage.newcomer(), stage.newcomer()
    copy = dataset_image(5, measures=measures_of(1))
    images = (*(dataset_image(number) for number in range(1, 5)), copy)
    card = await stage.give_job(ann, finetune_job(status=JobStatus.REVIEW), images=images)
    before = await stage.dataset(job_of(card))
    for label in ("Leave out flagged (1)", "Edit captions", "Add more", "Edit", "Train anyway"):
        assert "belongs to somebody else" in await private_words(await ben.press(card, label)), label
    assert await stage.dataset(job_of(card)) == before


async def test_somebody_else_does_not_open_a_dataset_from_the_card_of_an_addition(
    stage: Stage, pictures: list[Path]
) -> None:
    ann, ben = stage.newcomer(), stage.newcomer()
    await ann.command("dataset add", channel=CHANNEL, options={"dataset": "Mine", "picture_1": pictures[0]})
    card = await stage.sees("Pictures added to Mine", f"<@{ann.id}>")
    assert "belongs to somebody else" in await private_words(await ben.press(card, "Open"))


async def test_nothing_was_asked_of_discord_that_it_does_not_know(stage: Stage) -> None:
    assert stage.playground.unknown_routes == []
