"""What several providers change in Discord: what is offered, what is refused, what operators alone are told."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import httpx
import pytest
import pytest_asyncio

from bot.errors import ProviderUnreachable
from bot.hub.hub import Hub
from bot.playground.person import Answer, Person
from bot.playground.reading import media_of, text_of
from bot.playground.server import Playground
from bot.providers.card import CaptionerCard, CaptionRule, ModelBy
from bot.providers.tasks import Balance
from storage.database import Database
from storage.files import Files
from storage.jobs import jobs_of_person
from storage.statuses import JobStatus
from tests.builders import CARD, GENERATOR, TRAINER, dataset_image, finetune_job
from tests.cogs.conftest import _bot_on_stage
from tests.cogs.stage import CHANNEL, Stage, job_of, private_words
from tests.fakes import FakeProvider
from tests.resources import resources_with
from tests.workflows.test_generate_parts import Painter

pytestmark = pytest.mark.asyncio(loop_scope="module")

BASE = replace(GENERATOR, id="base", title="Base", base_models=(), needs_model=False, strength=None, model_by=())
RETIRED = replace(BASE, id="old", title="Old", retired="Old was switched off in May.")
PLAIN_TRAINER = replace(
    TRAINER,
    id="plain",
    title="Plain trainer",
    base_model="flux.1-dev",
    learning_rate=None,
    lora_ranks=(),
    modes=(),
    priorities=(),
    finetune_types=(),
    captions=CaptionRule.OPTIONAL,
    price=None,
)
DEV = replace(
    GENERATOR,
    id="dev",
    title="Dev",
    base_models=("flux.1-dev",),
    model_by=(ModelBy.FILE,),
    aspect_ratios=("1:1", "21:9"),
)
CAPTIONER = CaptionerCard(title="Plain captioner", usd_per_caption=0.25)
BY_NAME = replace(GENERATOR, id="named", title="Named", base_models=("flux-fake",), model_by=(ModelBy.REMOTE,))


class Accountable(FakeProvider):
    """Has an account, and looks up models that live there."""

    def __init__(self, home: Path, **options: Any) -> None:
        super().__init__(home, **options)
        self.hangs = False

    async def balance(self) -> Balance:
        self._fail("balance")
        if self.hangs:
            await asyncio.Event().wait()
        return Balance(account="atelier@example.org", amount_usd=12.5)

    async def look_up(self, reference: str, base_model: str) -> Mapping[str, str]:
        return {"finetune_id": reference}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory, pool: Executor) -> AsyncIterator[Stage]:
    """A bot with two providers: one of many gifts, and one that asks for iterations only and has an account."""
    folder = tmp_path_factory.mktemp("stage")
    async with contextlib.AsyncExitStack() as stack:
        playground = await stack.enter_async_context(Playground(message_limit=None))
        addresses = stack.enter_context(pytest.MonkeyPatch.context())
        addresses.setattr(discord.http.Route, "BASE", playground.api_url)
        database = Database(f"sqlite:///{folder / 'atelier.sqlite3'}")
        await database.open()
        stack.push_async_callback(database.close)
        files = Files(folder / "files")
        stack.callback(files.close)
        client = await stack.enter_async_context(httpx.AsyncClient())
        gifted = Painter(folder / "fake", GENERATOR, BASE, RETIRED)
        plain_card = replace(
            CARD,
            name="plain",
            title="Plain provider",
            trainers=(PLAIN_TRAINER,),
            generators=(DEV, BY_NAME),
            captioner=CAPTIONER,
        )
        resources = resources_with(
            gifted,
            Accountable(folder / "plain", card=plain_card),
            folder=folder,
            database=database,
            files=files,
            pool=pool,
            client=client,
            variables={"DISCORD_API_URL": playground.api_url, "DISCORD_GATEWAY_URL": playground.gateway_url},
            hub=Hub(token="hf_x", username="atelier-bot", endpoint="http://127.0.0.1:9"),
        )
        stack.push_async_callback(resources.hub.close)
        yield await _bot_on_stage(stack, addresses, playground, resources, gifted)


def accountable(stage: Stage) -> Accountable:
    provider = stage.bot.resources.providers.find("plain")
    assert isinstance(provider, Accountable)
    return provider


def owner(stage: Stage) -> Person:
    world = stage.playground.world
    return Person(world, world.people[world.server.owner_id])


async def jobs_of(stage: Stage, person: Person) -> list[str]:
    async with stage.bot.resources.database.reading() as connection:
        return [job.id for job in await jobs_of_person(connection, int(person.id), limit=5)]


def names(choices: list[dict[str, Any]]) -> list[str]:
    return [choice["name"] for choice in choices]


def values(choices: list[dict[str, Any]]) -> list[str]:
    return [choice["value"] for choice in choices]


# /providers


async def test_everybody_reads_what_providers_offer_and_nobodys_account(stage: Stage) -> None:
    words = await private_words(await stage.newcomer().command("providers", channel=CHANNEL))
    for expected in (
        "### Fake provider",
        "### Plain provider",
        "Fake trainer",
        "$1.50",
        "Old was switched off in May.",
    ):
        assert expected in words
    assert "Account" not in words
    assert "atelier@example.org" not in words


async def test_who_runs_the_server_reads_what_is_left_on_the_account(stage: Stage) -> None:
    words = await private_words(await owner(stage).command("providers", channel=CHANNEL))
    assert "-# Account: atelier@example.org, $12.50 left" in words
    assert words.count("Account") == 1, "the other has none to ask for"


async def test_an_account_that_cannot_be_read_says_so_and_the_rest_is_there(stage: Stage) -> None:
    accountable(stage).fail_next("balance", ProviderUnreachable("Plain provider did not answer."))
    words = await private_words(await owner(stage).command("providers", channel=CHANNEL))
    assert "-# Account: Plain provider did not answer." in words
    assert "### Fake provider" in words


async def test_an_account_that_never_answers_is_not_waited_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["cogs.providers"], "ASKING_SECONDS", 0.05)
    monkeypatch.setattr(accountable(stage), "hangs", True)
    words = await private_words(await owner(stage).command("providers", channel=CHANNEL))
    assert "-# Account: no answer in time" in words


async def test_help_begins_with_the_first_trainer(stage: Stage) -> None:
    words = await private_words(await stage.newcomer().command("help", channel=CHANNEL))
    assert "4 to 50 pictures" in words
    assert "**/providers**" in words


# What is offered while typing.


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("", ["fake:trainer", "plain:plain"]), ("PLAIN", ["plain:plain"]), ("$1.5", ["fake:trainer"]), ("nobody", [])],
)
async def test_trainers_are_offered_with_their_price(stage: Stage, typed: str, offered: list[str]) -> None:
    found = await stage.newcomer().autocomplete("finetune", option="trainer", typed=typed, channel=CHANNEL)
    assert values(found) == offered
    assert all(
        line in ("Fake trainer at Fake provider · $1.50", "Plain trainer at Plain provider") for line in names(found)
    )


async def test_one_s_own_models_come_before_what_needs_none(stage: Stage) -> None:
    ann = stage.newcomer()
    model_id = await stage.give_model(ann, "Luna")
    found = await ann.autocomplete("generate", option="model", typed="", channel=CHANNEL, prompt="x")
    assert names(found) == ["Luna · ohwx · flux-fake", "No model: Base at Fake provider · $0.02 a picture"]
    assert values(found) == [model_id, "fake:base"]
    only_base = await ann.autocomplete("generate", option="model", typed="no MODEL", channel=CHANNEL, prompt="x")
    assert values(only_base) == ["fake:base"]
    only_luna = await ann.autocomplete("generate", option="model", typed="lun", channel=CHANNEL, prompt="x")
    assert values(only_luna) == [model_id]


async def test_generators_follow_the_model_that_was_chosen(stage: Stage) -> None:
    ann = stage.newcomer()
    model_id = await stage.give_model(ann, "Luna")

    async def offered(person: Person, **options: Any) -> list[str]:
        found = await person.autocomplete("generate", option="generator", typed="", channel=CHANNEL, **options)
        return values(found)

    assert await offered(ann, model=model_id) == ["fake:generator"], "the other knows no model of that name"
    assert await offered(ann, model="luna") == ["fake:generator"]
    assert await offered(ann, model="nobody") == []
    assert await offered(ann) == []
    assert await offered(stage.newcomer(), model=model_id) == []


async def test_base_models_are_those_that_somebody_generates_with(stage: Stage) -> None:
    ann = stage.newcomer()
    found = await ann.autocomplete("models import", option="base_model", typed="", channel=CHANNEL)
    assert found == [{"name": "flux-fake", "value": "flux-fake"}, {"name": "FLUX.1 [dev]", "value": "flux.1-dev"}]
    typed = await ann.autocomplete("models import", option="base_model", typed="[DEV]", channel=CHANNEL)
    assert values(typed) == ["flux.1-dev"]


async def test_shapes_of_all_generators_are_offered_once(stage: Stage) -> None:
    found = await stage.newcomer().autocomplete("generate", option="aspect_ratio", typed="", channel=CHANNEL)
    assert values(found) == ["1:1", "16:9", "21:9"]


async def test_models_to_publish_are_ones_own(stage: Stage) -> None:
    ann = stage.newcomer()
    model_id = await stage.give_model(ann, "Luna")
    assert values(await ann.autocomplete("models publish", option="model", typed="L", channel=CHANNEL)) == [model_id]
    assert await stage.newcomer().autocomplete("models publish", option="model", typed="", channel=CHANNEL) == []


# Generating.


async def test_a_prompt_alone_becomes_pictures(stage: Stage) -> None:
    ann = stage.newcomer()
    options = {"model": "fake:base", "prompt": "a fox", "count": 2, "seed": 7}
    await ann.command("generate", channel=CHANNEL, options=options)
    result = await stage.sees(f"<@{ann.id}> **Base**", "a fox")
    assert len(media_of(result)) == 2
    assert "1:1 · seed 7 · Fake provider" in text_of(result)
    assert "strength" not in text_of(result)
    await ann.press(result, "Again, new seed")
    again = await stage.playground.wait_for(
        lambda message: f"<@{ann.id}> **Base**" in text_of(message) and message["id"] != result["id"],
        channel=CHANNEL,
        timeout=60,
    )
    assert "seed 7 " not in text_of(again)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"generator": "plain:dev"}, "Dev cannot use that model: it belongs to flux-fake"),
        ({"generator": "fake:old"}, "Old was switched off in May."),
        ({"generator": "nobody"}, "There is no such generator here"),
        ({"aspect_ratio": "21:9"}, "Choose an aspect ratio: 1:1, 16:9"),
        ({"strength": 3.5}, "Choose a strength from 0 to 2"),
    ],
)
async def test_what_a_generator_cannot_do_is_a_private_sentence(
    stage: Stage, options: dict[str, Any], sentence: str
) -> None:
    ann = stage.newcomer()
    model_id = await stage.give_model(ann, "Luna")
    before = await jobs_of(stage, ann)
    answer = await ann.command("generate", channel=CHANNEL, options={"model": model_id, "prompt": "x", **options})
    assert sentence in await private_words(answer)
    assert await jobs_of(stage, ann) == before


async def test_a_picture_to_start_from_is_refused_where_nobody_takes_one(stage: Stage, textfile: Path) -> None:
    ann = stage.newcomer()
    answer = await ann.command("generate", channel=CHANNEL, options={"model": "Base", "prompt": "x", "image": textfile})
    assert "Base takes no reference picture" in await private_words(answer)


# Importing and publishing.


async def imported(stage: Stage, person: Person, **changes: Any) -> Answer:
    known = {"source": "plain:luna-1", "base_model": "flux-fake", "trigger_word": "ohwx", "name": "Luna"}
    return await person.command("models import", channel=CHANNEL, options={**known, **changes})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"source": "luna"}, "Name a Hugging Face repository"),
        ({"source": "https://evil.example/x.safetensors"}, "I do not fetch from there"),
        ({"source": "fake:luna"}, "Nothing can be imported from fake here"),
        ({"base_model": "FLUX 9"}, "Choose the base model"),
        ({"trigger_word": "two words"}, "Choose a trigger word"),
        ({"name": "   "}, "Give the model a name"),
    ],
)
async def test_an_import_that_cannot_work_is_a_private_sentence(
    stage: Stage, changes: dict[str, Any], sentence: str
) -> None:
    ann = stage.newcomer()
    answer = await imported(stage, ann, **{"base_model": "flux.1-dev", **changes})
    assert sentence in await private_words(answer)
    assert await jobs_of(stage, ann) == []


async def test_a_name_that_is_taken_is_not_imported_over(stage: Stage) -> None:
    ann = stage.newcomer()
    await stage.give_model(ann, "Luna")
    words = await private_words(await imported(stage, ann, base_model="flux.1-dev", name="LUNA"))
    assert "You already have a model called LUNA" in words


async def test_a_model_that_nobody_could_use_says_so_on_its_card(stage: Stage) -> None:
    ann = stage.newcomer()
    await imported(stage, ann, base_model="flux.1-dev")
    card = await stage.sees("Luna was not imported", f"<@{ann.id}>")
    assert "FLUX.1 [dev]" in text_of(card).replace("\\", "")


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("nobody", "You have no model of that name"),
        ("Luna", "Only FLUX LoRAs can be published, and Luna is of flux-fake"),
    ],
)
async def test_what_cannot_be_published_is_a_private_sentence(stage: Stage, model: str, sentence: str) -> None:
    ann = stage.newcomer()
    await stage.give_model(ann, "Luna")
    before = await jobs_of(stage, ann)
    answer = await ann.command("models publish", channel=CHANNEL, options={"model": model})
    assert sentence in await private_words(answer)
    assert await jobs_of(stage, ann) == before


async def test_somebody_elses_model_is_not_published(stage: Stage) -> None:
    model_id = await stage.give_model(stage.newcomer(), "Luna")
    answer = await stage.newcomer().command("models publish", channel=CHANNEL, options={"model": model_id})
    assert "Only the person it belongs to may use this model" in await private_words(answer)


async def test_where_publishing_is_switched_off_it_says_so(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage.bot.workflows.publish, "_hub", Hub(endpoint="http://127.0.0.1:9"))
    answer = await stage.newcomer().command("models publish", channel=CHANNEL, options={"model": "Luna"})
    assert "Publishing is switched off here" in await private_words(answer)


# A trainer that knows iterations only.


async def review_of_plain(stage: Stage, person: Person) -> dict[str, Any]:
    job = finetune_job(status=JobStatus.REVIEW, provider="plain")
    return await stage.give_job(person, replace(job, details={**job.details, "trainer": "plain"}))


async def test_the_dialog_asks_a_plain_trainer_for_iterations_and_nothing_else(stage: Stage) -> None:
    ann = stage.newcomer()
    card = await review_of_plain(stage, ann)
    assert "**Plain trainer at Plain provider**" in text_of(card)
    assert "does not say what it costs" in text_of(card)
    dialog = await ann.press(card, "Advanced")
    assert dialog.modal is not None
    assert [one["label"] for one in dialog.modal["components"]] == ["Iterations"]
    await ann.submit(dialog, {"Iterations": "150"})
    changed = await stage.sees("150 iterations", f"<@{ann.id}>")
    assert (await stage.job(job_of(changed))).details["settings"]["iterations"] == 150


async def test_a_number_it_does_not_take_is_a_private_sentence_and_nothing_changes(stage: Stage) -> None:
    ann = stage.newcomer()
    card = await review_of_plain(stage, ann)
    for wrong in ("99", "many", "1001"):
        refused = await ann.submit(await ann.press(card, "Advanced"), {"Iterations": wrong})
        assert "Choose iterations from 100 to 1000" in text_of(await refused.final())
    assert (await stage.job(job_of(card))).details["settings"]["iterations"] == 300


async def test_an_empty_number_is_the_trainers_own(stage: Stage) -> None:
    ann = stage.newcomer()
    card = await review_of_plain(stage, ann)
    await ann.submit(await ann.press(card, "Advanced"), {"Iterations": "150"})
    await stage.sees("150 iterations", f"<@{ann.id}>")
    await ann.submit(await ann.press(card, "Advanced"), {"Iterations": ""})
    await stage.sees("300 iterations", f"<@{ann.id}>")


@pytest.mark.parametrize("trainer", ["nobody:trainer", "plain:nothing"])
async def test_a_trainer_that_is_not_there_is_a_private_sentence(stage: Stage, textfile: Path, trainer: str) -> None:
    ann = stage.newcomer()
    options = {"picture_1": textfile, "name": "Notes", "trainer": trainer}
    answer = await ann.command("finetune", channel=CHANNEL, options=options)
    assert "There is no such trainer here" in await private_words(answer)
    assert await jobs_of(stage, ann) == []


async def test_the_trainer_that_was_named_is_the_one_that_will_train(stage: Stage, textfile: Path) -> None:
    ann = stage.newcomer()
    options = {"picture_1": textfile, "name": "Notes", "trainer": "Plain trainer"}
    await ann.command("finetune", channel=CHANNEL, options=options)
    await stage.sees("Notes was not trained", f"<@{ann.id}>")
    (job_id,) = await jobs_of(stage, ann)
    job = await stage.job(job_id)
    assert (job.provider, job.details["trainer"]) == ("plain", "plain")


# Describing pictures.


async def test_pictures_are_described_by_who_can_for_what_was_said(stage: Stage) -> None:
    ann = stage.newcomer()
    dataset_id = await stage.give_dataset(ann, dataset_image(1), dataset_image(2, caption="a dog"), dataset_image(3))
    shown = await ann.command("dataset show", channel=CHANNEL, dataset="Luna")
    await private_words(shown)
    pages = await ann.press(shown, "Edit captions")
    await stage.shows(pages, "1 of 3 written")
    await ann.press(pages, "Describe 2 for me (about $0.50)")
    card = await stage.sees("The pictures of Luna are described", f"<@{ann.id}> · 2 pictures · Plain provider")
    first, second, third = (await stage.dataset(dataset_id)).images
    assert accountable(stage).described[-2:] == [first.file, third.file]
    assert second.caption == "a dog"
    assert first.caption == f"picture {first.file[:8]}"
    assert "### Luna" in await private_words(await ann.press(card, "Open"))
    late = await ann.press(pages, "Describe 2 for me (about $0.50)")
    assert "Every picture has a caption" in await private_words(late)


async def test_nothing_was_asked_of_discord_that_it_does_not_know(stage: Stage) -> None:
    assert stage.playground.unknown_routes == []
