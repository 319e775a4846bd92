"""What cannot work ends in one clear sentence to its person, and leaves nothing half stored."""

import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from bot.playground.person import Person
from bot.playground.reading import labels_of, text_of
from bot.playground.server import Playground
from storage.statuses import JobStatus
from tests.dataset_files import photo_files, photo_zip
from tests.datasets.hostile_files import (
    a_picture,
    locked_zip,
    png_claiming,
    zip_bytes,
    zip_naming,
)
from tests.end_to_end.live_bot import Clock, LiveBot, Message, can_be_started, job_id_on, said_privately
from tests.end_to_end.stored import count, kept_files, unfinished_work

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LiveBot]:
    """The bot as elsewhere, but it takes one mebibyte at most."""
    clock = Clock()
    async with Playground(now=clock, message_limit=None) as playground:
        bot = LiveBot(playground, clock, tmp_path_factory.mktemp("data"), MAX_UPLOAD_SIZE="1MiB")
        await bot.start()
        yield bot
        await bot.stop()


NO_ROWS = ("datasets", "dataset_images", "dataset_steps", "training_sets", "training_images", "models", "pictures")


def cut_off(content: bytes) -> bytes:
    return content[: len(content) // 2]


UPLOADS: dict[str, tuple[Callable[[], bytes], str]] = {
    "not a zip": (lambda: b"Dear bot, please draw.", "“cats.zip” is not a zip. Zip the pictures again"),
    "an empty file": (lambda: b"", "“cats.zip” is empty"),
    "an empty zip": (lambda: zip_bytes({}), "“cats.zip” holds no files"),
    "a zip cut off": (lambda: cut_off(zip_bytes(photo_files(5))), "“cats.zip” is damaged or did not arrive whole"),
    "a bomb": (lambda: zip_bytes({"a.jpg": bytes(40 * 2**20)}), "which unpacks to far more than a picture would"),
    "a path outside": (lambda: zip_naming("../../../home/ann/.bashrc"), "holds a file with an unsafe path"),
    "a locked zip": (locked_zip, "“cats.zip” is locked. Remove the password"),
    "no picture": (lambda: zip_bytes({"a.txt": b"a", "b.pdf": b"%PDF-1.7"}), "No picture can be used: "),
    "60 megapixels": (lambda: zip_bytes({"huge.png": png_claiming(10_000, 6_000)}), "No picture can be used: "),
    "pictures cut off": (
        lambda: zip_bytes({f"{n}.jpg": cut_off(a_picture(n)) for n in range(5)}),
        "No picture can be used: ",
    ),
}
TOO_FEW: dict[str, tuple[Callable[[], bytes], int]] = {
    "three pictures": (lambda: zip_bytes(photo_files(3)), 3),
    "the same picture five times": (lambda: zip_bytes({f"{n}.jpg": a_picture() for n in range(5)}), 1),
}
NOT_ADDED = "Nothing was added to {}"


@pytest.mark.parametrize("what", UPLOADS)
async def test_an_unusable_upload_is_refused_on_its_card(live: LiveBot, tmp_path: Path, what: str) -> None:
    content, sentence = UPLOADS[what]
    path = tmp_path / "cats.zip"
    path.write_bytes(content())
    person = live.newcomer("Kim")
    files_before = kept_files(live.data_dir)
    name = f"Made of {what}"
    await person.command("finetune", channel="training", zip=path, name=name)
    card = await live.sees_text(f"{name} was not trained")
    await assert_refused(live, card, sentence)
    assert len(live.messages_about(name)) == 1
    assert_nothing_is_stored(live, person, files_before)


@pytest.mark.parametrize("what", UPLOADS)
async def test_an_unusable_addition_begins_no_dataset(live: LiveBot, tmp_path: Path, what: str) -> None:
    content, sentence = UPLOADS[what]
    path = tmp_path / "cats.zip"
    path.write_bytes(content())
    person = live.newcomer("Kay")
    files_before = kept_files(live.data_dir)
    name = f"Drawn from {what}"
    await person.command("dataset add", channel="training", zip=path, dataset=name)
    card = await live.sees_text(NOT_ADDED.format(name))
    await assert_refused(live, card, sentence)
    assert_nothing_is_stored(live, person, files_before)


@pytest.mark.parametrize("what", TOO_FEW)
async def test_too_few_pictures_wait_on_a_card_that_cannot_be_started(live: LiveBot, tmp_path: Path, what: str) -> None:
    content, pictures = TOO_FEW[what]
    path = tmp_path / "cats.zip"
    path.write_bytes(content())
    person = live.newcomer("Kit")
    name = f"Made of {what}"
    await person.command("finetune", channel="training", zip=path, name=name)
    card = await live.sees_text(f"Ready to train {name}?")
    assert f"add {4 - pictures} more picture" in text_of(card)
    assert not can_be_started(card)
    assert "Add more" in labels_of(card)
    assert count(live.data_dir, "dataset_images", person_id=int(person.id)) == pictures
    assert count(live.data_dir, "training_sets", person_id=int(person.id)) == 0
    assert unfinished_work(live.data_dir) == []
    await person.press(card, "Cancel")
    await live.sees_text(f"Training of {name} cancelled")


async def assert_refused(live: LiveBot, card: Message, sentence: str) -> None:
    said = [line for line in text_of(card).splitlines() if line.startswith("❌") and "Received" not in line]
    assert sentence in said[0]
    assert said[0].endswith(".")
    assert "went wrong" not in text_of(card)
    assert "on our side" not in text_of(card)
    lists = ["All files left out"] if sentence.startswith("No picture can be used") else []
    assert labels_of(card) == [*lists, "What happened"]
    assert (await live.job(job_id_on(card))).status is JobStatus.FAILED


async def test_an_upload_above_the_limit_is_refused_at_once(live: LiveBot, tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    path.write_bytes(random.Random(1).randbytes(2**20 + 1))
    person = live.newcomer("Lee")
    files_before = kept_files(live.data_dir)
    answer = await person.command("finetune", channel="training", zip=path, name="Large")
    said = text_of(await answer.final())
    assert said == "That is more than 1 MiB: send fewer or smaller pictures."
    assert answer.is_ephemeral
    assert live.messages_about("Large") == []
    assert count(live.data_dir, "jobs", person_id=int(person.id)) == 0
    assert_nothing_is_stored(live, person, files_before)


async def test_a_picture_of_60_megapixels_is_left_out_beside_good_ones(live: LiveBot, tmp_path: Path) -> None:
    path = tmp_path / "mixed.zip"
    path.write_bytes(zip_bytes({**photo_files(4), "huge.png": png_claiming(10_000, 6_000)}))
    person = live.newcomer("Max")
    card = await live.hand_over(person, path, "Mixed")
    text = text_of(card)
    assert "**4 pictures** · " in text
    assert "Files left out: 1**\n-# has 60 megapixels; at most 50 fit (1)" in text
    assert "huge" not in text, "the channel reads no names"
    told = await (await person.press(card, "All files left out")).final()
    assert "huge.png has 60 megapixels; at most 50 fit" in text_of(told)


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ("   ", "Write what the picture should show: the prompt is empty."),
        ("TOK " * 1250, "The prompt has 4,999 characters; Local preview takes 2,000: shorten it."),
    ],
    ids=["empty", "5000 characters"],
)
async def test_an_unusable_prompt_is_refused_privately(live: LiveBot, prompt: str, sentence: str) -> None:
    person = live.newcomer("Nia")
    model_id = await live.give_model(person, "Nice")
    await _refused(live, person, model_id, prompt, sentence)


@pytest.mark.parametrize("model", ["Nobody", "123456789012345678", "9" * 90, "²", "' OR 1=1 --"])
async def test_an_unknown_model_is_refused_privately(live: LiveBot, model: str) -> None:
    person = live.newcomer("Oli")
    await _refused(live, person, model, "TOK", "You have no model of that name: pick one from the list, or train one")


async def test_somebody_elses_model_is_refused_privately(live: LiveBot, ann: Person) -> None:
    model_id = await live.give_model(ann, "Private")
    person = live.newcomer("Pat")
    await _refused(live, person, model_id, "TOK", "Only the person it belongs to may use this model.")
    await _refused(live, person, "Private", "TOK", "You have no model of that name")
    for command in ("models show", "models delete"):
        assert "Only the person it belongs to" in said_privately(await person.command(command, model=model_id))


async def test_a_name_that_is_taken_is_refused_privately(live: LiveBot, tmp_path: Path) -> None:
    person = live.newcomer("Quinn")
    await live.give_model(person, "Taken")
    answer = await person.command("finetune", channel="training", zip=photo_zip(tmp_path / "a.zip", 4), name="taken")
    assert text_of(await answer.final()) == "You already have a model called taken: choose another name."
    assert count(live.data_dir, "jobs", person_id=int(person.id)) == 1


async def _refused(live: LiveBot, person: Person, model: str, prompt: str, sentence: str) -> None:
    jobs_before = count(live.data_dir, "jobs", person_id=int(person.id))
    answer = await person.command("generate", channel="training", model=model, prompt=prompt)
    said = text_of(await answer.final())
    assert said.startswith(sentence)
    assert answer.is_ephemeral
    assert count(live.data_dir, "jobs", person_id=int(person.id)) == jobs_before
    public = [one for one in live.playground.messages("training") if f"<@{person.id}>" in text_of(one)]
    assert public == [], "the answer is private, and there is no other; what other people wait for may still come"
    assert unfinished_work(live.data_dir) == []


def assert_nothing_is_stored(live: LiveBot, person: Person, files_before: set[str]) -> None:
    for table in NO_ROWS:
        assert count(live.data_dir, table, person_id=int(person.id)) == 0
    assert kept_files(live.data_dir) == files_before
    assert unfinished_work(live.data_dir) == []
