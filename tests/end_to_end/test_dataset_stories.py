"""Datasets as people live them: pictures collected over days, looked at, mended, described, and trained on."""

from pathlib import Path

import pytest
from PIL import ImageFilter

from bot.playground import reading
from bot.playground.person import Answer, Person
from bot.playground.reading import labels_of, text_of
from storage.datasets import Dataset, datasets_of_person, find_dataset
from storage.statuses import JobStatus
from tests.dataset_files import jpeg_bytes, photo, photo_files, photo_zip, zip_of
from tests.end_to_end.live_bot import JOB_SECONDS, LiveBot, Message, job_id_on, said_privately, start_of
from tests.end_to_end.stored import count, kept_files, unfinished_work

pytestmark = pytest.mark.asyncio(loop_scope="module")

MENU = "Add my pictures to a dataset"


@pytest.fixture
def loose(tmp_path: Path) -> list[Path]:
    """Three good pictures, each in a file of its own, and one that nobody can make out."""
    paths = [tmp_path / f"loose-{number}.jpg" for number in range(1, 5)]
    for number, path in enumerate(paths[:3], start=41):
        path.write_bytes(jpeg_bytes(photo(number, palette="cool")))
    paths[3].write_bytes(jpeg_bytes(photo(44, palette="cool").filter(ImageFilter.GaussianBlur(14))))
    return paths


async def reads(live: LiveBot, person: Person, *texts: str) -> Message:
    """The newest message that this person sees and that says all of this, private ones included."""

    def look() -> Message | None:
        found = [one for one in person.sees("training") if all(text in text_of(one) for text in texts)]
        return found[-1] if found else None

    return await reading.until(live.playground.world, look, timeout=JOB_SECONDS)


async def begin(live: LiveBot, person: Person, pictures: Path, name: str) -> Message:
    """/dataset add to the card that says that it is done."""
    await person.command("dataset add", channel="training", zip=pictures, dataset=name)
    return await live.sees_text(f"Pictures added to {name}")


async def draft(live: LiveBot, person: Person) -> Dataset:
    """The only dataset of this person."""
    async with live.resources.database.reading() as connection:
        (line,) = await datasets_of_person(connection, int(person.id), limit=9)
        found = await find_dataset(connection, line.id)
    assert found is not None
    return found


def captions_of(dataset: Dataset) -> list[str | None]:
    return [image.caption for image in dataset.chosen]


async def undo(live: LiveBot, person: Person, card: Message) -> None:
    """Until the card shows what it undid: its next Undo is of another step, and this one would be too late by then."""

    def undoing() -> str | None:
        (now,) = (one for one in person.sees("training") if one["id"] == card["id"])
        return next((one["custom_id"] for one in reading.buttons_of(now) if one["label"] == "Undo"), None)

    pressed = undoing()
    await person.press(card, "Undo")
    await reading.until(live.playground.world, lambda: undoing() != pressed or None, timeout=JOB_SECONDS)


def labels_in(dialog: Answer) -> list[str]:
    assert dialog.modal is not None
    return [str(one["label"]) for one in dialog.modal["components"]]


async def restart(live: LiveBot) -> None:
    await live.stop()
    await live.start()


async def test_pictures_of_four_messages_become_a_model_and_a_restart_between_any_two_loses_nothing(
    live: LiveBot, tmp_path: Path, loose: list[Path]
) -> None:
    person, name = live.newcomer("Hana"), "Harbour"
    first = await begin(live, person, photo_zip(tmp_path / "first.zip", 3), name)
    assert "3 pictures added" in text_of(first)
    await restart(live)

    dialog = await person.command("dataset add", channel="training")
    await person.submit(dialog, {"Pictures": loose[:1]})
    await live.sees_text("1 picture added", "4 in it now.")
    await person.command("dataset add", channel="training", dataset="harbour", picture_1=loose[1], picture_2=loose[3])
    await live.sees_text("2 pictures added", "6 in it now.")
    await restart(live)

    said = await person.say("from the pier", channel="training", files=[loose[0], loose[2]])
    dialog = await person.use_menu(said, MENU)
    await person.submit(dialog, {"Dataset": (await draft(live, person)).id})
    more = await live.sees_text("1 picture added", "7 in it now.", "-# in the dataset already (1)")
    assert "loose" not in text_of(more), "the channel reads no names"
    names = await (await person.press(more, "All files left out")).final()
    assert "loose-1.jpg is in the dataset already, as number 4" in text_of(names)
    await restart(live)

    await person.press(first, "Open")
    card = await reads(live, person, f"### {name}", "**7 pictures**", "blurry: 6")
    await person.press(card, "Leave out flagged (1)")
    card = await reads(live, person, f"### {name}", "**6 pictures**")
    assert [image.number for image in (await draft(live, person)).chosen] == [1, 2, 3, 4, 5, 7]
    await restart(live)

    dialog = await person.press(card, "Train anyway")
    await person.submit(dialog, {"Name": "Harbour model", "Trigger word": "ohwx"})
    review = await live.review_card("Harbour model")
    assert "**6 pictures**" in text_of(review)
    await restart(live)
    await person.press(review, start_of(review))
    await live.sees_text("Harbour model is trained")
    assert count(live.data_dir, "training_images", training_set_id=job_id_on(review)) == 6
    assert len((await draft(live, person)).images) == 7
    again = await live.sees_text(f"Pictures added to {name}", "7 in it now.")
    assert labels_of(again) == ["Open", "All files left out"] == labels_of(more)
    assert unfinished_work(live.data_dir) == []


async def test_captions_are_written_described_replaced_and_undone(live: LiveBot, tmp_path: Path) -> None:
    person = live.newcomer("Ida")
    files = {**photo_files(7), "warm-02.txt": b"ohwx, a red shore"}
    added = await begin(live, person, zip_of(files, tmp_path / "shore.zip"), "Shore")
    await person.press(added, "Open")
    card = await reads(live, person, "### Shore", "**7 pictures**")
    await person.press(card, "Edit captions")
    page = await reads(live, person, "### Captions of Shore", "1 of 7 written", "ohwx, a red shore")

    dialog = await person.press(page, "Write these")
    assert len(labels_in(dialog)) == 5
    await person.submit(dialog, {"caption-1": "ohwx, a pier", "caption-2": "ohwx, a red shore", "caption-3": " "})
    page = await reads(live, person, "2 of 7 written", "ohwx, a pier")
    await person.press(page, "Next")
    page = await reads(live, person, "### Captions of Shore", "**6** warm-06.jpg")
    await person.press(page, "Describe 5 for me (free)")
    done = await live.sees_text("The pictures of Shore are described")
    assert labels_of(done) == ["Open"]
    described = captions_of(await draft(live, person))
    assert described[:2] == ["ohwx, a pier", "ohwx, a red shore"]
    assert all(described)

    dialog = await person.press(page, "Find and replace")
    await person.submit(dialog, {"Find": "OHWX", "Replace with": "zxqj"})
    await reads(live, person, "7 of 7 written")
    assert captions_of(await draft(live, person))[:3] == ["zxqj, a pier", "zxqj, a red shore", described[2]]
    await person.press(done, "Open")
    card = await reads(live, person, "### Shore", "Every picture has a caption.")
    written_by_hand = ["ohwx, a pier", "ohwx, a red shore", *[None] * 5]
    for captions in (described, written_by_hand, [None, *written_by_hand[1:]]):
        await undo(live, person, card)
        assert captions_of(await draft(live, person)) == captions


async def test_another_trigger_word_changes_the_captions_that_name_it(live: LiveBot, tmp_path: Path) -> None:
    person = live.newcomer("Jon")
    files = {**photo_files(4), "warm-01.txt": b"a photo of harbour at dusk"}
    await person.command(
        "finetune", channel="training", zip=zip_of(files, tmp_path / "h.zip"), name="Dusk", trigger_word="harbour"
    )
    review = await live.review_card("Dusk")
    assert "already means something" in text_of(review)
    dialog = await person.press(review, "Change trigger word")
    await person.submit(dialog, {"Trigger word": "zxqj"})
    changed = await live.sees_text("Ready to train Dusk?", "trigger word zxqj")
    assert changed["id"] == review["id"]
    assert "already means something" not in text_of(changed)
    assert captions_of(await draft(live, person)) == ["a photo of zxqj at dusk", None, None, None]
    await person.press(changed, start_of(changed))
    await live.sees_text("Dusk is trained")


async def test_too_few_pictures_get_more_from_the_card_itself(live: LiveBot, tmp_path: Path, loose: list[Path]) -> None:
    person = live.newcomer("Kaj")
    await person.command("finetune", channel="training", zip=photo_zip(tmp_path / "few.zip", 2), name="Few")
    card = await live.sees_text("Ready to train Few?", "add 2 more pictures")
    dialog = await person.press(card, "Add more")
    await person.submit(dialog, {"Pictures": loose[:2]})
    await live.sees_text("Pictures added to Few", "4 in it now.")
    ready = await live.review_card("Few")
    assert ready["id"] == card["id"]
    await person.press(ready, start_of(ready))
    await live.sees_text("Few is trained")


async def test_a_review_follows_its_dataset_and_outlives_it_with_a_sentence(live: LiveBot, tmp_path: Path) -> None:
    person = live.newcomer("Lin")
    card = await live.hand_over(person, photo_zip(tmp_path / "five.zip", 5, seed=77), "Fleeting")
    dialog = await person.press(card, "Edit")
    await person.submit(dialog, {"Name": "Short", "Leave out": "2"})
    await live.sees_text("Ready to train Fleeting?", "**4 pictures**")
    assert (await draft(live, person)).name == "Short"
    question = await person.command("dataset delete", channel="training", dataset="short")
    assert "Delete **Short** and its 5 pictures for good?" in said_privately(question)
    files = kept_files(live.data_dir)
    await person.press(question, "Delete for good")
    gone = await live.sees_text("Ready to train Fleeting?", "The dataset of this training was deleted.")
    assert labels_of(gone)[-1] == "Cancel"
    assert len(kept_files(live.data_dir)) == len(files) - 5
    assert count(live.data_dir, "dataset_images", person_id=int(person.id)) == 0
    await person.press(gone, "Cancel")
    await live.sees_text("Training of Fleeting cancelled")
    assert (await live.job(job_id_on(card))).status is JobStatus.CANCELLED


async def test_buttons_on_a_private_card_answer_after_a_restart(live: LiveBot, tmp_path: Path) -> None:
    person = live.newcomer("Mia")
    added = await begin(live, person, photo_zip(tmp_path / "kept.zip", 5), "Kept")
    await person.press(added, "Open")
    card = await reads(live, person, "### Kept", "**5 pictures**")
    before_the_restart = await person.press(card, "Edit")
    await restart(live)
    answer = await person.submit(before_the_restart, {"Leave out": "1"})
    assert said_privately(answer) == "I was restarted while that dialog was open: please open it again."
    assert len((await draft(live, person)).chosen) == 5
    await person.submit(await person.press(card, "Edit"), {"Leave out": "1, 2"})
    await reads(live, person, "### Kept", "**3 pictures**")
    await restart(live)
    await person.press(card, "Undo")
    await reads(live, person, "### Kept", "**5 pictures**")
    await person.press(card, "Delete")
    question = await reads(live, person, "Delete **Kept** and its 5 pictures for good?")
    await restart(live)
    await person.press(question, "Delete for good")
    await reads(live, person, "**Kept** is deleted, with its pictures.")
    answer = await person.press(card, "Edit captions")
    assert "That dataset is gone" in text_of(await answer.final())


async def test_the_list_shows_every_dataset_and_opens_it(live: LiveBot, tmp_path: Path) -> None:
    person = live.newcomer("Noa")
    answer = await person.command("dataset list", channel="training")
    assert "None yet" in text_of(await answer.final())
    for name in ("Amber", "Blue"):
        await begin(live, person, photo_zip(tmp_path / f"{name}.zip", 2), name)
    answer = await person.command("dataset list", channel="training")
    page = await answer.final()
    assert labels_of(page) == ["Open", "Open"]
    assert text_of(page).index("Blue") < text_of(page).index("Amber")
    assert len(page["attachments"]) == 1
    await person.press(page, "Open")
    await reads(live, person, "### Blue", "**2 pictures**")
    choices = await person.autocomplete("finetune", option="dataset", typed="amb", channel="training")
    assert [choice["name"] for choice in choices] == ["Amber · 2 pictures"]


async def test_a_newcomer_names_a_dataset_in_the_dialog(live: LiveBot, loose: list[Path]) -> None:
    person = live.newcomer("Oda")
    dialog = await person.command("dataset add", channel="training")
    assert labels_in(dialog) == ["Name of a new dataset", "Pictures"]
    await person.submit(dialog, {"Name of a new dataset": "Brook", "Pictures": loose[:2]})
    await live.sees_text("Pictures added to Brook", "2 in it now.")
    dialog = await person.command("dataset add", channel="training")
    assert labels_in(dialog) == ["Dataset", "Name of a new dataset", "Pictures"]


# What is somebody else's.


async def test_nobody_opens_changes_or_feeds_somebody_elses(live: LiveBot, tmp_path: Path, loose: list[Path]) -> None:
    owner, other = live.newcomer("Pia"), live.newcomer("Quy")
    added = await begin(live, owner, photo_zip(tmp_path / "own.zip", 4), "Own")
    before = await draft(live, owner)
    assert "belongs to somebody else" in said_privately(await other.press(added, "Open"))
    for command in ("dataset show", "dataset edit", "dataset delete"):
        for named in (before.id, "Own"):
            answer = await other.command(command, channel="training", dataset=named)
            assert "You have no dataset of that name" in text_of(await answer.final())
    assert await other.autocomplete("dataset show", option="dataset", typed="", channel="training") == []
    said = await owner.say("mine", channel="training", files=loose[:1])
    answer = await other.use_menu(said, MENU)
    assert "Those are somebody else's pictures" in said_privately(answer)
    answer = await other.use_menu(await other.say("no file", channel="training"), MENU)
    assert "That message carries no file" in said_privately(answer)
    assert await draft(live, owner) == before
    assert count(live.data_dir, "datasets", person_id=int(other.id)) == 0
