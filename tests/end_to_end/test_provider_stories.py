"""Whole stories at the real services' simulators: what a person does in Discord, and what each service was asked."""

import asyncio
import base64
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from bot.playground.person import Person
from bot.playground.reading import labels_of, text_of
from storage.models import Model, find_model
from storage.statuses import JobStatus
from tests.end_to_end.live_bot import LiveBot, Message, job_id_on, said_privately, start_of
from tests.end_to_end.provider_town import Town, open_town
from tests.simulators.fal import small_lora
from tests.simulators.hub import LFS_WARNING
from tests.simulators.replicate import TRAIN
from tests.simulators.service import BAD_GATEWAY_AFTER_EFFECT

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.filterwarnings(LFS_WARNING)]

OSTRIS = "replicate:ostris/flux-dev-lora-trainer"
KLEIN = "fal:fal-ai/flux-2-klein-9b-base-trainer"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with open_town(tmp_path_factory.mktemp("town")) as town:
        yield town


@pytest.fixture(scope="module")
def live(town: Town) -> LiveBot:
    return town.live


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "here.jpg"
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    Image.effect_mandelbrot((640, 480), (-2, -1, 1, 1), 60).convert("RGB").save(path, exif=exif)
    return path


@pytest.fixture
def ann(live: LiveBot) -> Person:
    return live.playground.person("Ann")


async def trained(live: LiveBot, person: Person, pictures: Path, name: str, trainer: str) -> Model:
    """/finetune at this trainer, up to the message that the model is ready."""
    await person.command(
        "finetune", channel="training", zip=pictures, name=name, trainer=trainer, trigger_word="ohwx", mode="character"
    )
    card = await live.review_card(name)
    await person.press(card, start_of(card))
    await live.sees_text(f"your model **{name}** is ready")
    return await model_of(live, card)


async def model_of(live: LiveBot, card: Message) -> Model:
    async with live.resources.database.reading() as connection:
        model = await find_model(connection, job_id_on(card))
    assert model is not None
    return model


def pictures_of(live: LiveBot, message: Message) -> list[Image.Image]:
    files = live.playground.world.files
    return [Image.open(io.BytesIO(files.read(one["id"]))) for one in message["attachments"]]


async def test_train_at_replicate_publish_on_the_hub_and_generate_at_replicate(
    town: Town, live: LiveBot, ann: Person, photos: Path
) -> None:
    paid = len(town.replicate.ledger)
    model = await trained(live, ann, photos, "Luna", OSTRIS)
    # The weights are archived with us, here and in object storage; the dataset is nowhere any more.
    assert model.weights_file is not None
    assert live.resources.files.has(model.weights_file)
    assert (model.provider, model.base_model) == ("replicate", "flux.1-dev")
    assert model.remote["replicate"]["version"].startswith("atelier-bot/atelier-")
    assert f"weights/{model.weights_file}.safetensors" in town.s3.keys()  # noqa: SIM118 - a method of its own
    assert not town.datasets_left()
    assert len(town.replicate.ledger) == paid + 1

    await ann.command("models publish", channel="training", model=model.id)
    published = await live.sees_text("is on the Hugging Face Hub", "only who may read it there")
    (repository,) = (repo for name, repo in town.hub.repos.items() if name.startswith(f"{town.hub.username}/luna-"))
    assert repository.private
    assert set(repository.files) == {".gitattributes", "README.md", "lora.safetensors"}
    assert repository.files["lora.safetensors"] == await live.resources.files.read(model.weights_file)
    assert labels_of(published) == ["Open on the Hub"]

    result = await live.generate(ann, model.id, "a photo of ohwx on a beach", count=2, strength=0.8)
    assert [picture.format for picture in pictures_of(live, result)] == ["PNG", "PNG"]
    assert "Replicate" in text_of(result)
    assert len(town.replicate.ledger) == paid + 2
    sent = town.replicate.jobs[town.replicate.ledger[-1]].input
    assert (sent["prompt"], sent["num_outputs"], sent["lora_scale"]) == ("a photo of ohwx on a beach", 2, 0.8)

    await ann.command("models publish", channel="training", model=model.id)
    await live.sees(
        lambda message: message["id"] > published["id"] and "is on the Hugging Face Hub" in text_of(message)
    )
    assert "images/sample_1.png" in repository.files, "what was made since goes with it"


async def test_train_at_fal_and_generate_at_fal(town: Town, live: LiveBot, ann: Person, photos: Path) -> None:
    model = await trained(live, ann, photos, "Mira", KLEIN)
    assert (model.provider, model.base_model) == ("fal", "flux.2-klein-base-9b")
    training = town.fal.ledger[-1]
    assert training.endpoint == "fal-ai/flux-2-klein-9b-base-trainer"
    assert "ohwx" in training.body["default_caption"]
    assert "X-Amz-Signature" in training.body["image_data_url"], "a presigned link to our own storage"
    assert not town.datasets_left(), "gone when the training ended"

    result = await live.generate(ann, model.id, "ohwx in snow", count=3, aspect_ratio="16:9")
    assert len(pictures_of(live, result)) == 3
    generation = town.fal.ledger[-1]
    assert generation.endpoint == "fal-ai/flux-2/klein/9b/lora"
    assert generation.body["loras"][0]["scale"] == 1
    assert "X-Amz-Signature" in generation.body["loras"][0]["path"]


async def test_a_picture_that_is_held_back_is_said_and_the_others_come(
    town: Town, live: LiveBot, ann: Person, photos: Path
) -> None:
    model = await trained(live, ann, photos, "Nora", KLEIN)
    town.fal.flags_next = frozenset({1})
    result = await live.generate(ann, model.id, "ohwx at night", count=3)
    assert len(result["attachments"]) == 2
    assert "1 picture is missing: fal.ai held back" in text_of(result)
    for picture in pictures_of(live, result):
        assert picture.convert("L").getextrema()[1] > 0, "no black picture is shown"


async def test_import_a_klein_lora_of_the_bfl_dashboard_and_generate(town: Town, live: LiveBot, ann: Person) -> None:
    town.bfl.add_lora("selene", "flux.2-klein-9b")
    await ann.command(
        "models import",
        channel="training",
        source="bfl:selene",
        base_model="flux.2-klein-9b",
        trigger_word="sks",
        name="Selene",
    )
    await live.sees_text("your model **Selene** is ready")
    result = await live.generate(ann, "Selene", "sks reading a book", count=2, seed=7)
    assert len(pictures_of(live, result)) == 2
    paid = town.bfl.ledger[-2:]
    assert [endpoint for endpoint, _ in paid] == ["flux-2-klein-9b-finetuned"] * 2
    assert [(body["finetune_id"], body["seed"]) for _, body in paid] == [("selene", 7), ("selene", 8)]


async def test_a_finetune_that_does_not_exist_is_not_saved(town: Town, live: LiveBot) -> None:
    zoe = live.newcomer("Zoe")
    await zoe.command(
        "models import",
        channel="training",
        source="bfl:nobody-has-it",
        base_model="flux.2-klein-9b",
        trigger_word="sks",
        name="Ghost",
    )
    await live.sees_text("Ghost was not imported")
    assert "None yet" in said_privately(await zoe.command("models list"))


async def test_import_a_lora_of_the_hub_and_generate_at_fal(town: Town, live: LiveBot, ann: Person) -> None:
    town.hub.add_repo("someone/aurora-lora", {"aurora.safetensors": small_lora()}, private=False)
    await ann.command(
        "models import",
        channel="training",
        source="someone/aurora-lora",
        base_model="flux.1-dev",
        trigger_word="aur0ra",
        name="Aurora",
    )
    await live.sees_text("your model **Aurora** is ready")
    result = await live.generate(ann, "Aurora", "aur0ra over the sea")
    assert len(pictures_of(live, result)) == 1
    assert town.fal.ledger[-1].endpoint == "fal-ai/flux-lora"


async def test_a_whole_model_is_no_lora(town: Town, live: LiveBot) -> None:
    town.hub.add_repo("someone/words", {"model.safetensors": b"no weights at all"}, private=False)
    yan = live.newcomer("Yan")
    await yan.command(
        "models import",
        channel="training",
        source="https://huggingface.co/someone/words",
        base_model="flux.1-dev",
        trigger_word="aur0ra",
        name="Words",
    )
    card = await live.sees_text("Words was not imported")
    assert "These weights cannot be used: they are no safetensors file" in text_of(card)


async def test_generate_at_together_without_a_model(town: Town, live: LiveBot, ann: Person) -> None:
    before = len(town.together.ledger)
    choices = await ann.autocomplete("generate", option="model", typed="schnell", channel="training")
    together = next(choice for choice in choices if choice["value"].startswith("together:"))
    assert together["name"].startswith("No model: FLUX.1 [schnell] at Together")
    await ann.command("generate", channel="training", prompt="a lighthouse at dawn", model=together["value"], count=2)
    result = await live.sees(lambda message: bool(message["attachments"]) and "lighthouse at dawn" in text_of(message))
    assert len(pictures_of(live, result)) == 2
    assert len(town.together.ledger) == before + 1
    assert town.together.ledger[-1]["n"] == 2
    await ann.press(result, "Again, new seed")
    await live.sees(
        lambda message: (
            message["id"] > result["id"] and bool(message["attachments"]) and "lighthouse at dawn" in text_of(message)
        )
    )
    first, second = town.together.ledger[-2:]
    assert first["seed"] != second["seed"]
    assert {**first, "seed": 0} == {**second, "seed": 0}


async def test_a_picture_to_start_from_goes_with_the_prompt_and_tells_nothing_of_its_place(
    town: Town, live: LiveBot, ann: Person, photo: Path
) -> None:
    await ann.command(
        "generate", channel="training", prompt="the same in winter", model="bfl:flux-kontext-pro", image=photo
    )
    await live.sees(lambda message: bool(message["attachments"]) and "the same in winter" in text_of(message))
    endpoint, body = town.bfl.ledger[-1]
    assert endpoint == "flux-kontext-pro"
    sent = Image.open(io.BytesIO(base64.b64decode(body["input_image"])))
    assert not sent.getexif(), "where it was taken is nobody's business"


async def test_a_model_of_another_base_is_refused_before_anything_is_paid(
    town: Town, live: LiveBot, ann: Person, photos: Path
) -> None:
    model = await trained(live, ann, photos, "Vega", KLEIN)
    paid = len(town.fal.ledger)
    answer = await ann.command(
        "generate", channel="training", model=model.id, prompt="ohwx", generator="fal:fal-ai/flux-lora"
    )
    assert "cannot use that model: it belongs to FLUX.2 [klein] base 9B" in text_of(await answer.final())
    assert len(town.fal.ledger) == paid


async def test_an_accepted_training_whose_answer_was_lost_is_found_and_paid_once(
    town: Town, live: LiveBot, ann: Person, photos: Path
) -> None:
    paid = len(town.replicate.ledger)
    town.replicate.order(TRAIN, BAD_GATEWAY_AFTER_EFFECT)
    model = await trained(live, ann, photos, "Lost", OSTRIS)
    assert model.remote["replicate"]["version"]
    assert len(town.replicate.ledger) == paid + 1


async def test_a_cancelled_training_is_cancelled_at_replicate_and_leaves_no_dataset(
    town: Town, live: LiveBot, ann: Person, photos: Path
) -> None:
    paid = len(town.replicate.ledger)
    town.replicate.finishes_after_polls = None
    try:
        await ann.command("finetune", channel="training", zip=photos, name="Regret", trainer=OSTRIS)
        card = await live.review_card("Regret")
        await ann.press(card, start_of(card))
        async with asyncio.timeout(20):
            while len(town.replicate.ledger) == paid:
                await asyncio.sleep(0.02)
        running = await live.sees(lambda message: message["id"] == card["id"] and "▶️ **Training**" in text_of(message))
        await asyncio.sleep(0.2)  # the answer is stored by then; without it there is nothing to cancel by
        await ann.press(running, "Cancel")
        await live.sees_text("Training of Regret cancelled")
    finally:
        town.replicate.finishes_after_polls = 2
    assert town.replicate.jobs[town.replicate.ledger[paid]].status == "canceled"
    await live.job_in(job_id_on(card), JobStatus.CANCELLED)
    assert not town.datasets_left()


async def test_what_is_offered_follows_from_the_cards(live: LiveBot, ann: Person) -> None:
    trainers = await ann.autocomplete("finetune", option="trainer", typed="klein", channel="training")
    assert {choice["value"] for choice in trainers} == {
        "fal:fal-ai/flux-2-klein-4b-base-trainer",
        "fal:fal-ai/flux-2-klein-9b-base-trainer",
    }
    bases = await ann.autocomplete("models import", option="base_model", typed="kv", channel="training")
    assert {choice["value"] for choice in bases} == {"flux.2-klein-9b-kv", "flux.2-klein-9b-kv-bf16"}


async def test_what_is_left_on_the_accounts_is_for_those_who_run_the_server(live: LiveBot, ann: Person) -> None:
    world = live.playground.world
    owner = Person(world, world.people[world.server.owner_id])
    seen = {}
    for who, person in (("member", ann), ("owner", owner)):
        answer = await person.command("providers", channel="training")
        seen[who] = text_of(await answer.final()).replace("\\", "")
        for words in ("Replicate", "fal.ai", "Black Forest Labs", "31 October 2025", "Together AI", "It is not FLUX"):
            assert words in seen[who]
    assert "Account" not in seen["member"]
    assert "Account: atelier-bot" in seen["owner"]
    assert " left" in seen["owner"]
