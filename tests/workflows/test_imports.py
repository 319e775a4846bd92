"""Import: what somebody names is looked at before it becomes a model, and what is refused leaves nothing behind."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from bot.errors import BadInput, ProviderGone, ProviderUnreachable
from bot.hub.hub import Hub
from bot.permissions import Asker
from bot.providers.card import ModelBy
from bot.workflows.imports import ImportRequest, source_meant
from storage.database import Database
from storage.jobs import Job
from storage.models import Model, count_models_of_person, models_of_person
from storage.objects import ObjectsUnreachable
from storage.statuses import ErrorCategory, JobStatus, Stage, StageOutcome
from tests.builders import CARD, GENERATOR, PLACE
from tests.fakes import FakeProvider
from tests.hub.stage import a_hub
from tests.simulators.hub import HubSimulator
from tests.simulators.service import answers
from tests.workflows.test_handover import FakeObjects
from tests.workflows.workshop import Workshop

ME = PLACE.person_id
LORA = save({"blocks.0.lora_A.weight": np.ones((4, 8), np.float32)})
WHOLE_MODEL = save({"blocks.0.weight": np.ones((4, 8), np.float32)})
TAKES_FILES = replace(GENERATOR, base_models=("flux.1-dev",), model_by=(ModelBy.FILE,))
TAKES_NAMES = replace(GENERATOR, id="named", base_models=("flux.2-dev",), model_by=(ModelBy.REMOTE,))
TAKES_LINKS = replace(GENERATOR, id="linked", base_models=("flux.1-krea-dev",), model_by=(ModelBy.LINK,))
AUTH_CHECK = "GET /api/models/{owner:[^/]+}/{name:[^/]+}/auth-check"
STORED = "GET /lfs-store/{oid}"


class Importer(FakeProvider):
    """Knows two finetunes by name."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, card=replace(CARD, generators=(TAKES_FILES, TAKES_NAMES, TAKES_LINKS)))
        self.looked_up = 0

    async def look_up(self, reference: str, base_model: str) -> Mapping[str, str]:
        self._fail("look_up")
        self.looked_up += 1
        if reference not in ("luna-1", "ann/luna.v2"):
            raise ProviderGone("Fake provider knows no model of that name.")
        return {"finetune_id": reference, "base": base_model}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The stories are the same on PostgreSQL; `test_finetune` runs there too."""
    return sqlite_url


@pytest.fixture
async def simulator() -> AsyncIterator[HubSimulator]:
    async with HubSimulator() as simulator:
        simulator.add_repo("ann/luna", {"lora.safetensors": LORA})
        yield simulator


@pytest.fixture
async def hub(simulator: HubSimulator) -> AsyncIterator[Hub]:
    hub = a_hub(simulator)
    yield hub
    await hub.close()


@pytest.fixture
def objects(request: pytest.FixtureRequest) -> FakeObjects | None:
    """Object storage, for a test that asks for some."""
    return FakeObjects() if getattr(request, "param", "") == "with object storage" else None


WITH_OBJECTS = pytest.mark.parametrize("objects", ["with object storage"], indirect=True)


@pytest.fixture
async def customs(
    database: Database,
    tmp_path: Path,
    pool: Executor,
    hub: Hub,
    objects: FakeObjects | None,
) -> AsyncIterator[Workshop]:
    """A bot that may fetch from the loopback."""
    workshop = Workshop(database, tmp_path, pool, variables={"ALLOWED_DOWNLOAD_HOSTS": "127.0.0.1"})
    workshop.provider, workshop.hub = Importer(tmp_path / "importer"), hub
    workshop.objects = objects  # type: ignore[assignment]
    await workshop.start()
    yield workshop
    await workshop.close()


def request(**changes: Any) -> ImportRequest:
    known = {"source": "ann/luna", "base_model": "flux.1-dev", "trigger_word": "ohwx", "name": "Luna"}
    return ImportRequest(**{**known, **changes})


async def ended(customs: Workshop, *, job_id: str = "3003", **changes: Any) -> Job:
    await customs.do.imports.request(job_id, PLACE, request(**changes))
    return await customs.until(job_id, JobStatus.DONE, JobStatus.FAILED)


async def models(customs: Workshop) -> list[Model]:
    async with customs.database.reading() as connection:
        return await models_of_person(connection, ME, limit=5)


def files_left(folder: Path) -> list[Path]:
    """In the store and in work folders."""
    return [path for path in (folder / "files").rglob("*") if path.is_file()]


async def assert_refused(customs: Workshop, folder: Path, sentence: str, **changes: Any) -> Job:
    job = await ended(customs, **changes)
    assert job.status is JobStatus.FAILED
    assert sentence in (job.error_sentence or "")
    assert await models(customs) == []
    assert files_left(folder) == []
    return job


# Where it is.


@pytest.mark.parametrize(
    ("text", "kind", "reference"),
    [
        ("ann/luna", "repository", "ann/luna"),
        (" ann/luna_v1.0 ", "repository", "ann/luna_v1.0"),
        ("https://huggingface.co/ann/luna", "repository", "ann/luna"),
        ("https://huggingface.co/ann/luna/", "repository", "ann/luna"),
        ("https://huggingface.co/ann/luna/tree/main", "repository", "ann/luna"),
        ("https://files.example/luna.safetensors", "link", "https://files.example/luna.safetensors"),
        ("http://files.example/a", "link", "http://files.example/a"),
        ("bfl:luna-1", "provider", "luna-1"),
        ("bfl:ann/luna", "provider", "ann/luna"),
    ],
)
def test_a_source_is_understood_by_its_form(text: str, kind: str, reference: str) -> None:
    source = source_meant(text)
    assert (source.kind, source.reference) == (kind, reference)


@pytest.mark.parametrize("text", ["", "luna", "a/b/c", "bfl:", "bfl: luna", "a b/c", "javascript:alert(1)"])
def test_what_can_be_named_is_said_when_nothing_was(text: str) -> None:
    with pytest.raises(BadInput, match="owner/name"):
        source_meant(text)


@pytest.mark.parametrize(
    "source", ["ann/luna", "https://huggingface.co/ann/luna", "https://huggingface.co/ann/luna/tree/main"]
)
async def test_a_repository_becomes_a_model_with_its_weights_and_a_link(
    customs: Workshop, simulator: HubSimulator, source: str
) -> None:
    job = await ended(customs, source=source)
    assert job.error_sentence is None
    assert [(event.stage, event.outcome) for event in await customs.history("3003")] == [
        (stage, StageOutcome.DONE) for stage in (Stage.RECEIVED, Stage.VERIFIED, Stage.ANNOUNCED)
    ]
    (model,) = await models(customs)
    assert (model.name, model.base_model, model.trigger_word) == ("Luna", "flux.1-dev", "ohwx")
    assert (model.training_set_id, model.provider, model.remote) == (None, "huggingface", {})
    assert model.settings["source"] == source
    commit = simulator.repos["ann/luna"].head.oid
    assert model.settings["public_link"] == f"{simulator.endpoint}/ann/luna/resolve/{commit}/lora.safetensors"
    assert model.weights_file is not None
    assert await customs.files.read(model.weights_file) == LORA
    assert customs.cards.delivered == ["3003"]
    assert list(customs.files.work_folder("3003").iterdir()) == []


async def test_a_link_becomes_a_model(customs: Workshop, simulator: HubSimulator) -> None:
    link = f"{simulator.endpoint}/ann/luna/resolve/main/lora.safetensors"
    assert (await ended(customs, source=link)).error_sentence is None
    (model,) = await models(customs)
    assert model.settings == {"source": link, "public_link": link}
    assert model.weights_file is not None
    assert customs.files.has(model.weights_file)


@pytest.mark.parametrize("name", ["luna-1", "ann/luna.v2"])
async def test_what_a_provider_calls_it_becomes_a_model_without_weights(
    customs: Workshop, tmp_path: Path, name: str
) -> None:
    job = await ended(customs, source=f"fake:{name}", base_model="flux.2-dev")
    assert (job.error_sentence, job.provider) == (None, "fake")
    (model,) = await models(customs)
    assert (model.weights_file, model.provider) == (None, "fake")
    assert model.remote == {"fake": {"finetune_id": name, "base": "flux.2-dev"}}
    assert "public_link" not in model.settings
    assert files_left(tmp_path) == []


async def test_a_public_link_is_enough_for_a_generator_that_reads_links(customs: Workshop) -> None:
    assert (await ended(customs, base_model="flux.1-krea-dev")).error_sentence is None


async def test_no_key_of_ours_travels_with_a_download(customs: Workshop, simulator: HubSimulator) -> None:
    await ended(customs)
    fetched = [one for one in simulator.requests if "/resolve/" in one.path or "/lfs-store/" in one.path]
    assert fetched
    assert not any("authorization" in one.headers for one in fetched)


@WITH_OBJECTS
async def test_weights_are_put_into_object_storage_too(customs: Workshop, objects: FakeObjects) -> None:
    assert (await ended(customs)).error_sentence is None
    (model,) = await models(customs)
    assert objects.kept == {f"weights/{model.weights_file}.safetensors": LORA}


@WITH_OBJECTS
async def test_an_object_store_that_is_away_costs_no_model(customs: Workshop, objects: FakeObjects) -> None:
    objects.troubles["put"] = [ObjectsUnreachable("The object store did not answer.")]
    assert (await ended(customs)).error_sentence is None
    assert len(await models(customs)) == 1
    assert objects.kept == {}, "put there when it is used"


async def test_the_first_empty_trigger_word_is_tok(customs: Workshop) -> None:
    await ended(customs, trigger_word=" ")
    assert [model.trigger_word for model in await models(customs)] == ["TOK"]


# What is refused at once.


REFUSED_AT_ONCE: list[tuple[dict[str, Any], str]] = [
    ({"source": "luna"}, "Name a Hugging Face repository"),
    ({"source": "https://evil.example/x.safetensors"}, "I do not fetch from there"),
    ({"source": "http://huggingface.co/x.safetensors"}, "I do not fetch from there"),
    ({"source": "https://me:pass@huggingface.co/x"}, "I do not fetch from there"),
    ({"source": "https://169.254.169.254/latest"}, "I do not fetch from there"),
    ({"source": "nobody:luna"}, "Nothing can be imported from nobody here"),
    ({"source": "ftp://x/y"}, "Nothing can be imported from ftp here"),
    ({"base_model": "flux-9"}, "Choose the base model"),
    ({"base_model": ""}, "Choose the base model"),
    ({"name": " "}, "name of 1 to 50 characters"),
    ({"name": "n" * 51}, "name of 1 to 50 characters"),
    ({"trigger_word": "two words"}, "Choose a trigger word"),
    ({"trigger_word": "x"}, "Choose a trigger word"),
    ({"trigger_word": "<@1>"}, "Choose a trigger word"),
]


async def test_what_cannot_work_is_refused_before_anything_is_fetched(
    customs: Workshop, simulator: HubSimulator
) -> None:
    for changes, sentence in REFUSED_AT_ONCE:
        with pytest.raises(BadInput, match=sentence):
            await customs.do.imports.request("3003", PLACE, request(**changes))
    assert simulator.requests == []
    with pytest.raises(AssertionError):
        await customs.job("3003")


async def test_a_provider_that_imports_nothing_is_refused(customs: Workshop, tmp_path: Path) -> None:
    await customs.crash()
    customs.other_providers = [FakeProvider(tmp_path / "other", card=replace(CARD, name="other"))]
    await customs.start()
    with pytest.raises(BadInput, match="Nothing can be imported from other here"):
        await customs.do.imports.request("3003", PLACE, request(source="other:luna"))


async def test_a_name_that_is_taken_is_refused_in_any_case(customs: Workshop) -> None:
    await ended(customs)
    with pytest.raises(BadInput, match="already have a model called LUNA"):
        await customs.do.imports.request("3004", PLACE, request(name="LUNA"))


async def test_somebody_else_may_use_the_same_name(customs: Workshop) -> None:
    await ended(customs)
    stranger = replace(PLACE, person_id=44)
    await customs.do.imports.request("3004", stranger, request())
    assert (await customs.until("3004", JobStatus.DONE, JobStatus.FAILED)).error_sentence is None
    async with customs.database.reading() as connection:
        assert await count_models_of_person(connection, 44) == 1


# What is refused when it has been looked at.


async def test_a_repository_that_is_not_there_is_refused(customs: Workshop, tmp_path: Path) -> None:
    await assert_refused(customs, tmp_path, "no such repository", source="ann/nothing")


async def test_a_private_repository_of_the_bot_itself_is_nobodys_to_import(
    customs: Workshop, simulator: HubSimulator, tmp_path: Path
) -> None:
    simulator.add_repo("atelier-bot/secret", {"lora.safetensors": LORA}, private=True)
    await assert_refused(customs, tmp_path, "is private or gated", source="atelier-bot/secret")
    assert simulator.called("resolve") == 0


@pytest.mark.parametrize("is_let_in", [True, False])
async def test_a_gated_repository_is_refused_even_where_the_bot_is_let_in(
    customs: Workshop, simulator: HubSimulator, tmp_path: Path, is_let_in: bool
) -> None:
    simulator.add_repo("ann/gated", {"lora.safetensors": LORA}, gated=True)
    if is_let_in:
        simulator.order(AUTH_CHECK, answers(200, {}))
    await assert_refused(customs, tmp_path, "gated", source="ann/gated")
    assert simulator.called("resolve") == 0


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"lora.safetensors": WHOLE_MODEL}, "These weights cannot be used: the file holds no LoRA"),
        ({"lora.safetensors": b"<html>no weights</html>"}, "they are no safetensors file, or a broken one"),
        ({"lora.safetensors": LORA[:-8]}, "they are no safetensors file, or a broken one"),
        ({"README.md": b"hello"}, "no .safetensors file at its top"),
        ({"a.safetensors": LORA, "b.safetensors": LORA}, "exactly one"),
    ],
)
async def test_a_file_that_is_no_lora_is_refused(
    customs: Workshop, simulator: HubSimulator, tmp_path: Path, files: dict[str, bytes], sentence: str
) -> None:
    simulator.add_repo("ann/other", files)
    await assert_refused(customs, tmp_path, sentence, source="ann/other")


async def test_a_page_where_weights_should_be_is_refused(
    customs: Workshop, simulator: HubSimulator, tmp_path: Path
) -> None:
    simulator.order(STORED, *[answers(200, "<html>please log in</html>")] * 10)
    await assert_refused(customs, tmp_path, "sent text/html where a result should be")


async def test_a_file_that_is_too_large_is_refused(
    customs: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.workflows.imports.LARGEST_WEIGHTS", 100)
    await assert_refused(customs, tmp_path, "I stopped reading")


async def test_a_file_that_is_too_large_is_not_fetched_again(
    customs: Workshop, simulator: HubSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.workflows.imports.LARGEST_WEIGHTS", 100)
    await ended(customs)
    assert simulator.called("stored") == 1


async def test_a_name_that_the_provider_does_not_know_is_refused(customs: Workshop, tmp_path: Path) -> None:
    job = await assert_refused(
        customs, tmp_path, "knows no model of that name", source="fake:mars", base_model="flux.2-dev"
    )
    assert job.error_category is ErrorCategory.GONE


@pytest.mark.parametrize("source", ["ann/luna", "fake:luna-1"])
async def test_a_base_model_that_nobody_here_generates_with_is_refused_before_anything_is_fetched(
    customs: Workshop, simulator: HubSimulator, tmp_path: Path, source: str
) -> None:
    asked = len(simulator.requests)
    with pytest.raises(BadInput, match=r"generates with models of FLUX\.2 \[klein\] 9B"):
        await ended(customs, source=source, base_model="flux.2-klein-9b")
    assert await models(customs) == []
    assert files_left(tmp_path) == []
    assert len(simulator.requests) == asked


async def test_a_hub_that_is_away_for_a_moment_is_asked_again(customs: Workshop, simulator: HubSimulator) -> None:
    simulator.fail_next("about", "500", "500")
    simulator.order(STORED, answers(503, {"error": "busy"}))
    assert (await ended(customs)).error_sentence is None
    assert len(await models(customs)) == 1


async def test_a_hub_that_stays_away_ends_in_a_sentence(
    customs: Workshop, simulator: HubSimulator, tmp_path: Path
) -> None:
    simulator.fail_next("about", *["500"] * 30)
    job = await assert_refused(customs, tmp_path, "The Hugging Face Hub did not answer")
    assert job.error_category is ErrorCategory.NETWORK


async def test_a_provider_that_is_away_for_a_moment_is_asked_again(customs: Workshop) -> None:
    assert isinstance(customs.provider, Importer)
    customs.provider.fail_next("look_up", ProviderUnreachable("away"), ProviderUnreachable("away"))
    assert (await ended(customs, source="fake:luna-1", base_model="flux.2-dev")).error_sentence is None


# Crashes.

STORIES = [
    (Stage.RECEIVED, "cards", "refresh_soon", "ann/luna"),
    (Stage.RECEIVED, "hub", "lora_file", "ann/luna"),
    (Stage.RECEIVED, "wire", "download", "ann/luna"),
    (Stage.RECEIVED, "provider", "look_up", "fake:luna-1"),
    (Stage.VERIFIED, "cards", "refresh_soon", "ann/luna"),
    (Stage.VERIFIED, "files", "keep", "ann/luna"),
    (Stage.VERIFIED, "objects", "put", "ann/luna"),
    (Stage.ANNOUNCED, "cards", "deliver", "ann/luna"),
]


@WITH_OBJECTS
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("stage", "owner", "call", "source"), STORIES)
async def test_a_crash_in_any_stage_ends_in_one_model(
    customs: Workshop, tmp_path: Path, stage: Stage, owner: str, call: str, source: str, moment: str
) -> None:
    customs.wire = customs.do.imports._wire  # type: ignore[attr-defined]
    hanging = customs.hang(job_id="3003", stage=stage, owner=owner, call=call, moment=moment)
    base_model = "flux.2-dev" if source.startswith("fake:") else "flux.1-dev"
    await customs.do.imports.request("3003", PLACE, request(source=source, base_model=base_model))
    await asyncio.wait_for(hanging.reached.wait(), 20)
    await customs.crash()
    hanging.let_go()
    await customs.start()
    job = await customs.until("3003", JobStatus.DONE, JobStatus.FAILED)

    assert job.error_sentence is None
    assert len(await models(customs)) == 1
    assert set(customs.cards.delivered) == {"3003"}
    assert len(files_left(tmp_path)) == (0 if source.startswith("fake:") else 1)


async def test_a_crash_after_the_model_was_stored_finds_it_again(
    customs: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = asyncio.Event()
    real = customs.files.clear_work

    async def clear(name: str) -> None:
        await real(name)
        if any(path.stem for path in (customs.files._root).glob("??/*")):
            reached.set()
            raise asyncio.CancelledError

    monkeypatch.setattr(customs.files, "clear_work", clear)
    await customs.do.imports.request("3003", PLACE, request())
    await asyncio.wait_for(reached.wait(), 20)
    monkeypatch.setattr(customs.files, "clear_work", real)
    await customs.crash()
    await customs.start()
    job = await customs.until("3003", JobStatus.DONE, JobStatus.FAILED)
    assert len(await models(customs)) == 1
    assert job.error_sentence is None


async def test_an_import_can_be_cancelled_and_leaves_nothing(customs: Workshop, tmp_path: Path) -> None:
    customs.wire = customs.do.imports._wire  # type: ignore[attr-defined]
    hanging = customs.hang(job_id="3003", stage=Stage.RECEIVED, owner="wire", call="download", moment="after")
    await customs.do.imports.request("3003", PLACE, request())
    await asyncio.wait_for(hanging.reached.wait(), 20)
    await customs.do.cancel.request("3003", Asker(person_id=ME))
    await customs.until("3003", JobStatus.CANCELLED)
    assert await models(customs) == []
    assert files_left(tmp_path) == []
