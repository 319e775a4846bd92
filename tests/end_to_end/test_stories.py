"""Whole stories, as people live them: what is typed and pressed on one side, what is read on the other."""

import asyncio
import io
import statistics
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from bot.playground.person import Person
from bot.playground.reading import labels_of, text_of
from storage.jobs import count_jobs_of_person
from storage.statuses import JobStatus
from tests.dataset_files import Palette, photo_files, photo_zip
from tests.end_to_end.live_bot import LiveBot, Message, job_id_on, said_privately, start_of
from tests.end_to_end.stored import acceptances

pytestmark = pytest.mark.asyncio(loop_scope="module")


# Finetune.


async def test_a_zip_becomes_a_model_and_only_its_person_is_called(live: LiveBot, ann: Person, photos: Path) -> None:
    card = await live.hand_over(ann, photos, "Luna")
    assert "**4 pictures** · this can work" in text_of(card)
    assert labels_of(card) == [
        "Edit captions",
        "Add more",
        "Edit",
        "Train anyway",
        "Advanced",
        "Change trigger word",
        "Cancel",
    ]
    await ann.press(card, start_of(card))
    ready = await live.sees_text("your model **Luna** is ready")
    assert [person["id"] for person in ready["mentions"]] == [ann.id]
    assert not ready["mention_everyone"]
    assert "It is not FLUX" in text_of(ready)
    done = await live.sees_text("Luna is trained")
    assert done["id"] == card["id"]
    assert done["mentions"] == []


async def test_advanced_options_change_what_is_trained(live: LiveBot, ann: Person, photos: Path) -> None:
    card = await live.hand_over(ann, photos, "Patient")
    dialog = await ann.press(card, "Advanced")
    await ann.submit(dialog, {"Iterations": "500", "Priority": "Speed", "Type": "LoRA, rank 16"})
    changed = await live.sees_text("Ready to train Patient?", "500 iterations", "rank 16", "speed")
    assert changed["id"] == card["id"]
    await ann.press(card, start_of(card))
    await live.sees_text("Patient is trained")
    answer = await ann.command("models show", model="Patient")
    assert "500 iterations" in said_privately(answer)


@pytest.mark.parametrize(
    ("field", "wrong", "sentence"),
    [
        ("Iterations", "99", "Choose iterations from 100 to 1000."),
        ("Iterations", "many", "Choose iterations from 100 to 1000."),
        ("Learning rate", "1", "Choose a learning rate from 1e-06 to 0.005."),
    ],
)
async def test_a_wrong_advanced_option_is_a_private_sentence(
    live: LiveBot, ann: Person, photos: Path, field: str, wrong: str, sentence: str
) -> None:
    card = await live.hand_over(ann, photos, f"Wrong {wrong}")
    before = await live.job(job_id_on(card))
    answer = await ann.submit(await ann.press(card, "Advanced"), {field: wrong})
    said = await answer.final()
    assert text_of(said) == sentence
    assert [text_of(one) for one in live.newcomer("Stranger").sees("training")].count(sentence) == 0
    assert replace(await live.job(job_id_on(card)), shown_ms=before.shown_ms) == before


async def test_the_dialog_takes_loose_pictures(live: LiveBot, ann: Person, loose: list[Path]) -> None:
    dialog = await ann.command("finetune", channel="training")
    await ann.submit(dialog, {"Name": "Loose", "Trigger word": "ohwx", "Pictures": loose})
    card = await live.review_card("Loose")
    assert "**5 pictures** · " in text_of(card)
    assert "trigger word ohwx" in text_of(card)
    await ann.press(card, start_of(card))
    await live.sees_text("Loose is trained")


async def test_the_command_takes_loose_pictures(live: LiveBot, ann: Person, loose: list[Path]) -> None:
    files = {f"picture_{number}": path for number, path in enumerate(loose, start=1)}
    await ann.command("finetune", channel="training", name="Handful", **files)
    card = await live.review_card("Handful")
    assert "**5 pictures** · " in text_of(card)


async def test_a_cancelled_review_trains_nothing(live: LiveBot, ann: Person, photos: Path) -> None:
    card = await live.hand_over(ann, photos, "Regret")
    await ann.press(card, "Cancel")
    cancelled = await live.sees_text("Training of Regret cancelled")
    assert labels_of(cancelled) == []
    assert (await live.job(job_id_on(card))).status is JobStatus.CANCELLED
    assert acceptances(live.data_dir, job_id_on(card)) == 0


async def test_somebody_elses_button_does_nothing(live: LiveBot, ann: Person, ben: Person, photos: Path) -> None:
    card = await live.hand_over(ann, photos, "Mine")
    before = await live.job(job_id_on(card))
    for label in labels_of(card):
        answer = await ben.press(card, label)
        assert "belongs to somebody else" in said_privately(answer)
    assert replace(await live.job(job_id_on(card)), shown_ms=before.shown_ms) == before
    assert await live.review_card("Mine") == card


async def test_pressing_start_twice_trains_once(live: LiveBot, ann: Person, photos: Path) -> None:
    card = await live.hand_over(ann, photos, "Twice")
    pressed = await asyncio.gather(ann.press(card, start_of(card)), ann.press(card, start_of(card)))
    await live.sees_text("Twice is trained")
    told = [text_of(message) for answer in pressed for message in answer.follow_ups]
    assert told == ["That training is no longer waiting for you: its card shows where it stands."]
    assert acceptances(live.data_dir, job_id_on(card)) == 1
    assert len(live.messages_about("your model **Twice** is ready")) == 1


async def test_a_channel_closed_to_the_bot_stores_nothing(live: LiveBot, photos: Path) -> None:
    dora = live.newcomer("Dora")
    model_id = await live.give_model(dora, "Hidden")
    live.playground.forbid("help")
    try:
        told = [
            await dora.command("finetune", channel="help", zip=photos, name="Nowhere"),
            await dora.command("finetune", channel="help"),
            await dora.command("generate", channel="help", model=model_id, prompt="TOK"),
        ]
    finally:
        live.playground.allow("help")
    for answer in told:
        assert said_privately(answer).startswith("I may not post here: ask an admin to give me View Channel")
    async with live.resources.database.reading() as connection:
        assert await count_jobs_of_person(connection, int(dora.id)) == 1  # the training behind her model


# Generate.


async def test_pictures_arrive_described_and_call_only_their_person(
    live: LiveBot, ann: Person, anns_model: str
) -> None:
    choices = await ann.autocomplete("generate", option="model", typed="shar", channel="training")
    assert choices == [{"name": "Shared · TOK · Local preview", "value": anns_model}]
    result = await live.generate(ann, choices[0]["value"], "TOK on a quiet lake", count=2, seed=7)
    assert [person["id"] for person in result["mentions"]] == [ann.id]
    assert not result["mention_everyone"]
    expected = [f"Picture {n} of 2, generated with Shared: TOK on a quiet lake" for n in (1, 2)]
    assert [attachment["description"] for attachment in result["attachments"]] == expected
    assert [item["description"] for item in _gallery(result)] == expected
    for attachment in result["attachments"]:
        written = _opened(live, attachment).info
        assert written["Atelier-Method"] == "offline preview by image quilting, not FLUX"
        assert (written["Atelier-Prompt"], written["Atelier-Seed"]) == ("TOK on a quiet lake", "7")
    assert len({_bytes(live, attachment) for attachment in result["attachments"]}) == 2


async def test_the_same_seed_makes_the_same_picture(live: LiveBot, ann: Person, anns_model: str) -> None:
    first = await live.generate(ann, anns_model, "TOK in the rain", seed=11)
    second = await live.generate(ann, anns_model, "TOK in the rain", seed=11)
    assert _bytes(live, first["attachments"][0]) == _bytes(live, second["attachments"][0])


async def test_again_makes_other_pictures(live: LiveBot, ann: Person, ben: Person, anns_model: str) -> None:
    first = await live.generate(ann, anns_model, "TOK once more", seed=3, aspect_ratio="16:9")
    assert "belongs to somebody else" in said_privately(await ben.press(first, "Again, new seed"))
    await ann.press(first, "Again, new seed")
    second = await live.sees(
        lambda one: "TOK once more" in text_of(one) and bool(one["attachments"]) and one["id"] != first["id"]
    )
    assert "seed 3\n" not in text_of(second)
    assert _bytes(live, first["attachments"][0]) != _bytes(live, second["attachments"][0])
    assert _opened(live, second["attachments"][0]).size == _opened(live, first["attachments"][0]).size


async def test_a_model_can_be_named_by_hand(live: LiveBot, ann: Person, anns_model: str) -> None:
    result = await live.generate(ann, "  shared ", "TOK by name")
    assert len(result["attachments"]) == 1


async def test_pictures_have_the_colours_of_their_own_dataset(live: LiveBot, ann: Person, tmp_path: Path) -> None:
    palettes: tuple[Palette, Palette] = ("warm", "cool")
    datasets = {palette: _mean_colour(map(_decoded, photo_files(4, palette).values())) for palette in palettes}
    for palette in palettes:
        model_id = await live.train(ann, photo_zip(tmp_path / f"{palette}.zip", 4, palette), f"All {palette}")
        result = await live.generate(ann, model_id, f"TOK {palette} landscape", count=2, seed=5)
        painted = _mean_colour(_opened(live, attachment) for attachment in result["attachments"])
        other = next(one for one in palettes if one != palette)
        assert _distance(painted, datasets[palette]) < _distance(painted, datasets[other])


@pytest.fixture(scope="module")
def loose(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("loose")
    for name, content in photo_files(5, seed=2).items():
        (folder / name).write_bytes(content)
    return sorted(folder.iterdir())


def _gallery(message: Message) -> list[Message]:
    parts = message["components"][0]["components"]
    return [item for part in parts for item in part.get("items", [])]


def _bytes(live: LiveBot, attachment: Message) -> bytes:
    return live.playground.world.files.read(attachment["id"])


def _opened(live: LiveBot, attachment: Message) -> Image.Image:
    return _decoded(_bytes(live, attachment))


def _decoded(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def _mean_colour(images: Iterable[Image.Image]) -> tuple[float, ...]:
    small = [image.convert("RGB").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0)) for image in images]
    return tuple(statistics.fmean(channel) for channel in zip(*small, strict=True))


def _distance(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5
