"""Every request an adapter can make, and every answer its simulator gives, held against the service's OpenAPI file."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from bot.errors import ProviderGone
from bot.providers.bfl.provider import BflProvider
from bot.providers.card import GeneratorCard, ProviderCard, TrainerCard
from bot.providers.contract import Attaches, Generates, Trains
from bot.providers.fal.provider import FalProvider
from bot.providers.tasks import GenerationRequest, Stopped, Task, TrainingRequest, Webhook
from bot.providers.together.provider import TogetherProvider
from tests.conformance.conftest import named_by
from tests.dataset_files import photo_zip
from tests.providers.benches import bfl, fal, replicate
from tests.simulators.bfl import BflSimulator
from tests.simulators.fal import Fal
from tests.simulators.openapi import ProviderContract
from tests.simulators.replicate import CAPTION_MODEL, ReplicateSimulator
from tests.simulators.service import Service, contract_of
from tests.simulators.together import Together

WEBHOOK = Webhook(url=f"https://atelier.example/webhooks/any/31/{'a' * 64}", secret="b" * 64)
DATASET_LINK = "https://storage.example/dataset.zip?X-Amz-Expires=60"
WEIGHTS_LINK = "https://storage.example/weights.safetensors?X-Amz-Expires=60"
LOOPBACK = frozenset({"127.0.0.1"})
NOBODYS_ID = "00000000-0000-4000-8000-000000000000"
ADVICE = "name the folder that holds the providers' OpenAPI files."


@pytest.fixture(scope="module", autouse=True)
def specs() -> Path:
    return named_by("SPECS_DIR", ADVICE)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return photo_zip(tmp_path / "dataset.zip", count=4)


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[Path, ...]:
    """As many as any generator takes, all of them small."""
    paths = tuple(tmp_path / f"reference-{number}.png" for number in range(8))
    for path in paths:
        Image.new("RGB", (64, 48), (9, 8, 7)).save(path)
    return paths


async def at_once(_seconds: float) -> None:
    await asyncio.sleep(0)


def everything_fits(service: Service, *, at_least: int, answers: int) -> None:
    """The floors were measured: a tour that quietly asks for less is noticed."""
    assert service._contract is not None
    assert service.broken_promises == []
    assert service.wrong_answers == []
    assert len(service.held) >= at_least
    assert service.held_answers >= answers


# Requests of every kind.


def trainings(trainer: TrainerCard, base: TrainingRequest) -> Iterator[TrainingRequest]:
    """Every value of every choice at least once: by link and without, with and without what may be left out."""
    choices: list[dict[str, Any]] = [
        {},
        {"captioning": not base.settings.captioning},
        {"iterations": max(10, int(trainer.iterations.lowest))},  # Replicate's fast trainer takes no fewer than 10
        {"iterations": min(4000, int(trainer.iterations.highest))},
        *({"learning_rate": rate} for rate in _ends(trainer)),
        *({"lora_rank": rank} for rank in trainer.lora_ranks),
        *({"mode": mode} for mode in trainer.modes),
        *({"priority": priority} for priority in trainer.priorities),
        *({"finetune_type": kind} for kind in trainer.finetune_types),
    ]
    for number, chosen in enumerate(choices):
        yield replace(
            base,
            job_id=f"{base.job_id}{number}",
            trainer=trainer.id,
            settings=replace(base.settings, **chosen),
            webhook=WEBHOOK if number % 2 else None,
            dataset_link=DATASET_LINK if number % 3 else None,
        )


def _ends(trainer: TrainerCard) -> tuple[float, ...]:
    rate = trainer.learning_rate
    return () if rate is None else (rate.lowest, rate.default, rate.highest)


def generations(
    generator: GeneratorCard, base: GenerationRequest, pictures: tuple[Path, ...]
) -> Iterator[GenerationRequest]:
    """Each aspect ratio once; both ends of what has two; each number of reference pictures."""
    strength = generator.strength
    choices: list[dict[str, Any]] = [
        *({"aspect_ratio": ratio} for ratio in generator.aspect_ratios),
        *({"count": int(count)} for count in (generator.pictures.lowest, generator.pictures.highest)),
        *({"strength": value} for value in ((strength.lowest, strength.highest) if strength else ())),
        *({"seed": seed} for seed in (0, 2**32 - 1)),
        *({"images": pictures[:count]} for count in range(1, generator.reference_images + 1)),
    ]
    for number, chosen in enumerate(choices):
        wanted = {"job_id": f"{base.job_id}{number}", "webhook": WEBHOOK if number % 2 else None, **chosen}
        yield replace(base, generator=generator.id, **wanted)


async def train_all(provider: Trains, card: ProviderCard, base: TrainingRequest) -> list[Task]:
    """Tasks of every trainer, submitted and looked at once."""
    tasks = []
    for trainer in card.trainers:
        for request in trainings(trainer, base):
            prepared = await provider.prepare_training(request)
            tasks.append(await provider.submit_training(replace(request, prepared=prepared)))
            await provider.check(tasks[-1])
            await provider.tidy_training(prepared)
    return tasks


async def generate_all(
    provider: Generates,
    card: ProviderCard,
    base: GenerationRequest,
    pictures: tuple[Path, ...],
    models: Mapping[str, Any],
) -> list[Task]:
    tasks = []
    for generator in card.generators:
        if generator.retired:
            continue
        model = models[generator.base_models[0]] if generator.needs_model else None
        for request in generations(generator, replace(base, model=model), pictures):
            tasks.append(await provider.submit_generation(request))
            await provider.check(tasks[-1])
    return tasks


# One tour of each service.


async def test_every_request_to_replicate_fits_its_openapi_file(
    tmp_path: Path, dataset: Path, pictures: tuple[Path, ...], client: httpx.AsyncClient
) -> None:
    async with replicate.open_bench(tmp_path) as bench:
        service = bench.simulator
        provider = replicate.provider_for(service, client, sleep=at_once)
        started = time.time()
        await provider.refresh()
        await provider.balance()
        base = bench.training("train")
        assert base is not None
        trained = await train_all(provider, provider.card, replace(base, dataset=dataset))
        prepared = await provider.prepare_training(base)
        assert (await provider.prepare_training(base))["destination"] == prepared["destination"], "there already"
        lost = replace(base, prepared=prepared)
        task = await provider.submit_training(lost)
        assert task.id in {found.id for found in await provider.find(lost, since=started)}
        assert await provider.attach(lost, task.id) == task
        assert await provider.cancel(task)
        await provider.check(task)
        service.finish_all()
        for one in trained:
            await provider.check(one)
        weights = await provider.fetch_weights(trained[1], tmp_path / "weights")  # by link: nothing was tidied away

        wanted = bench.generation("generate", with_model=False)
        assert wanted is not None
        models = {"flux.1-dev": replace(replicate.trained_model(), remote=weights.remote)}
        tasks = await generate_all(provider, provider.card, wanted, pictures, models)
        await provider.find(replace(wanted, job_id="lost"), since=started)
        picture = await provider.submit_generation(wanted)
        assert await provider.attach(wanted, picture.id) == picture
        await gone(provider, lost, wanted, nobodys_id="a" * 26)
        await provider.cancel(tasks.pop())
        service.finish_all()
        for one in tasks[:4]:
            await provider.check(one)
            await provider.fetch_pictures(one, tmp_path / "pictures")
        await caption(provider, service, tmp_path, pictures[0])
        await provider.delete_model(weights.remote)
        await provider.check_webhook(*_delivered(service), secret="", now=time.time())
        await end_in_every_way(provider, service, wanted)
        everything_fits(service, at_least=250, answers=240)
        known = service._contract
        assert known is not None
        asked = {f"{one.partition(' ')[0]} {known.template_of(*one.split(' ', 1))}" for one in service.held}
        assert asked == REPLICATE


REPLICATE = {
    "GET /account",
    "GET /hardware",
    "GET /webhooks/default/secret",
    "POST /models",
    "GET /models/{model_owner}/{model_name}",
    "DELETE /models/{model_owner}/{model_name}",
    "GET /models/{model_owner}/{model_name}/versions/{version_id}",
    "DELETE /models/{model_owner}/{model_name}/versions/{version_id}",
    "POST /models/{model_owner}/{model_name}/versions/{version_id}/trainings",
    "POST /models/{model_owner}/{model_name}/predictions",
    "POST /predictions",
    "GET /predictions",
    "GET /predictions/{prediction_id}",
    "POST /predictions/{prediction_id}/cancel",
    "GET /trainings",
    "GET /trainings/{training_id}",
    "POST /trainings/{training_id}/cancel",
    "POST /files",
    "DELETE /files/{file_id}",
}


def _delivered(service: ReplicateSimulator) -> tuple[dict[str, str], bytes]:
    return service.delivery_for(service.ledger[0])


async def caption(provider: Any, service: ReplicateSimulator, folder: Path, small: Path) -> None:
    """Inside the request and, when it is large, uploaded."""
    large = folder / "large.png"
    Image.effect_noise((640, 640), 90).save(large)
    assert large.stat().st_size > 256_000
    service.finishes_after_polls = 2
    for picture in (small, large):
        assert await provider.caption(picture) == "a red bicycle against a wall"
    assert {service.jobs[one].model for one in service.ledger[-2:]} == {CAPTION_MODEL}
    service.finishes_after_polls = None


async def gone(provider: Attaches, *requests: TrainingRequest | GenerationRequest, nobodys_id: str) -> None:
    for request in requests:
        with pytest.raises(ProviderGone):
            await provider.attach(request, nobodys_id)


async def end_in_every_way(provider: Any, service: ReplicateSimulator, wanted: GenerationRequest) -> None:
    for end in (service.fail_all, service.moderate_all, service.abort_all):
        task = await provider.submit_generation(wanted)
        end()
        assert isinstance(await provider.check(task), Stopped)


async def test_every_request_to_fal_fits_its_openapi_file(
    tmp_path: Path, dataset: Path, pictures: tuple[Path, ...], client: httpx.AsyncClient
) -> None:
    async with Fal(polls=None) as service:
        provider = fal.provider_for(service, client)
        await provider.refresh()
        trained = await train_all(provider, provider.card, fal.a_training(dataset))
        models = {base: fal.with_a_model(one.id).model for one in provider.card.generators for base in one.base_models}
        generated = await generate_all(provider, provider.card, fal.GENERATION, pictures, models)
        await provider.cancel(await provider.submit_generation(fal.GENERATION))
        for one in (*trained, *generated):
            await provider.check(one)  # on its way
        assert await provider.cancel(trained.pop())
        await service.finish_all()
        for one in (*trained, *generated):
            await provider.check(one)
        assert not await provider.cancel(generated[0])
        await attach_all(provider, service, fal.a_training(dataset), models)
        await provider.fetch_weights(trained[0], tmp_path)
        for one in generated[:3]:
            await provider.fetch_pictures(one, tmp_path)
        await provider.check_webhook(*service.delivery(service.ledger[0], now=time.time()), secret="", now=time.time())
        for end in (service.fail_all, service.moderate_all, service.refuse_all):
            task = await provider.submit_generation(fal.GENERATION)
            end()
            assert isinstance(await provider.check(task), Stopped)
        everything_fits(service, at_least=1000, answers=1000)
        submitted = {one.removeprefix("POST /") for one in service.held if one.startswith("POST ")}
        assert submitted == {one.id for one in (*provider.card.trainers, *provider.card.generators)}
        assert results_of(service) == []


async def attach_all(provider: FalProvider, service: Fal, training: TrainingRequest, models: Mapping[str, Any]) -> None:
    """Of every endpoint, while it waits and when it is done."""
    trainings = [replace(training, trainer=one.id) for one in provider.card.trainers]
    pictures = [
        replace(fal.GENERATION, generator=one.id, model=models[one.base_models[0]] if one.needs_model else None)
        for one in provider.card.generators
    ]
    tasks = [await provider.submit_training(one) for one in trainings]
    tasks += [await provider.submit_generation(one) for one in pictures]
    for _ in range(2):
        for request, task in zip([*trainings, *pictures], tasks, strict=True):
            assert await provider.attach(request, task.id) == task
        await service.finish_all()
    await gone(provider, *trainings, *pictures, nobodys_id=NOBODYS_ID)


def results_of(service: Fal) -> list[str]:
    """What lies at the response URL is described beside the submission."""
    contract = service._contract
    assert contract is not None
    done = [task for task in service.ledger if task.answer is not None and task.answer.status == 200]
    assert done
    problems = itertools.chain.from_iterable(
        contract.result_problems(f"/{task.endpoint}", task.answer.body) for task in done if task.answer
    )
    return sorted(set(problems))


async def test_every_request_to_black_forest_labs_fits_its_openapi_file(
    tmp_path: Path, pictures: tuple[Path, ...], client: httpx.AsyncClient
) -> None:
    async with BflSimulator(polls_to_finish=1) as service:
        provider = BflProvider(client=client, key=service.key, api_url=service.url, extra_hosts=LOOPBACK)
        await tour_of_bfl(provider, service, tmp_path, pictures)
        everything_fits(service, at_least=950, answers=950)
        assert {path for path in service.held if path.startswith("POST")} == {
            "POST /v1/delete_finetune",
            *(f"POST /v1/{one.id}" for one in provider.card.generators if not one.retired),
        }


async def test_every_request_of_the_finetuning_of_2025_fits_both_of_its_openapi_files(
    tmp_path: Path, dataset: Path, pictures: tuple[Path, ...], client: httpx.AsyncClient
) -> None:
    async with BflSimulator(polls_to_finish=1, has_legacy_finetune=True) as service:
        provider = BflProvider(
            client=client, key=service.key, api_url=service.url, extra_hosts=LOOPBACK, legacy_finetune=True
        )
        base = bfl.a_training(dataset, job_id="train")
        started = time.time()
        tasks = await train_all(provider, provider.card, base)
        service.finish_all()
        for task in tasks:
            await provider.check(task)
            await provider.fetch_weights(task, tmp_path)
        assert await provider.find(replace(base, job_id="train0"), since=started)
        assert await provider.attach(replace(base, job_id="train0"), tasks[0].id) == tasks[0]
        await gone(provider, base, nobodys_id=NOBODYS_ID)
        await tour_of_bfl(provider, service, tmp_path, pictures, finetune=tasks[0].id)
        everything_fits(service, at_least=1150, answers=1150)
        held = {path for path in service.held if path.startswith("POST")}
        assert held >= {f"POST /v1/{name}" for name in LEGACY}
        assert problems_of_2025(service) == []


LEGACY = ("finetune", "flux-pro-finetuned", "flux-pro-1.1-ultra-finetuned")


def problems_of_2025(service: BflSimulator) -> list[str]:
    """`flux-dev` and others have changed since; what was switched off then has not."""
    contract = contract_of("bfl-legacy-2025.openapi.json")
    assert contract is not None
    sent = [one for one in service.requests if one.path.removeprefix("/v1/") in LEGACY]
    assert len(sent) >= 40
    return [problem for one in sent for problem in contract.problems(one.method, one.path, one.query, one.json)]


async def tour_of_bfl(
    provider: BflProvider, service: BflSimulator, folder: Path, pictures: tuple[Path, ...], finetune: str = ""
) -> None:
    await provider.refresh()
    await provider.balance()
    models = {"flux-pro": bfl.a_model("flux-pro", finetune)}
    for base in {base for one in provider.card.generators for base in one.base_models if not one.retired} - {
        "flux-pro"
    }:
        service.add_lora(base.replace(".", "-"), base)
        remote = await provider.look_up(base.replace(".", "-"), base)
        models[base] = bfl.a_model(base, remote["finetune_id"])
    for task in await generate_all(provider, provider.card, bfl.a_generation(), pictures, models):
        await provider.check(task)
    await provider.fetch_pictures(task, folder)
    knocking = replace(bfl.a_generation(), webhook=WEBHOOK)
    task = await provider.submit_generation(knocking)
    assert await provider.attach(knocking, task.id) == task
    await gone(provider, knocking, nobodys_id=NOBODYS_ID)
    for end in (service.fail_all, service.moderate_all):
        task = await provider.submit_generation(bfl.a_generation())
        end()
        assert isinstance(await provider.check(task), Stopped)
    with suppress(ProviderGone):
        await provider.check(replace(task, id="nobody", links={}))
    for model in models.values():
        if model.remote["finetune_id"]:
            await provider.delete_model(model.remote)
    assert service.loras.keys().isdisjoint(model.remote["finetune_id"] for model in models.values())


async def test_every_request_to_together_fits_its_openapi_file(
    tmp_path: Path, pictures: tuple[Path, ...], client: httpx.AsyncClient
) -> None:
    async with Together() as service:
        provider = TogetherProvider(
            client=client, key=service.key, home=tmp_path / "home", api_url=service.api_url, extra_hosts=LOOPBACK
        )
        await provider.refresh()
        models = {"flux.1-dev": replace(bfl.a_model("flux.1-dev"), weights_link=WEIGHTS_LINK)}
        base = bfl.a_generation(prompt="a cat")
        tasks = await generate_all(provider, provider.card, base, pictures, models)
        service.answers_with_links = True
        tasks.append(await provider.submit_generation(replace(base, generator=provider.card.generators[0].id)))
        for task in (tasks[0], tasks[-1]):
            await provider.fetch_pictures(task, tmp_path / task.id)
        everything_fits(service, at_least=110, answers=110)
        assert {one.json["model"] for one in service.requests if one.json} == {
            one.id for one in provider.card.generators
        }


# The check itself.

GOOD: dict[str, tuple[str, dict[str, Any]]] = {
    "replicate": (
        "/predictions",
        {"version": "a/b:0123", "input": {"prompt": "a cat"}, "webhook": "https://a.example"},
    ),
    "fal": ("/fal-ai/flux-lora", {"prompt": "a cat", "num_images": 2, "loras": [{"path": "https://a", "scale": 1.0}]}),
    "bfl": ("/v1/flux-2-pro", {"prompt": "a cat", "seed": 7, "output_format": "png"}),
    "bfl-legacy-2025": ("/v1/finetune", {"file_data": "UEs=", "finetune_comment": "cats", "mode": "style"}),
    "together": ("/images/generations", {"model": "black-forest-labs/FLUX.1-schnell", "prompt": "a cat", "n": 2}),
}


@pytest.fixture(params=GOOD)
def case(request: pytest.FixtureRequest, specs: Path) -> tuple[ProviderContract, str, dict[str, Any]]:
    return ProviderContract(specs / f"{request.param}.openapi.json"), *GOOD[request.param]


def test_a_good_request_has_no_problem(case: tuple[ProviderContract, str, dict[str, Any]]) -> None:
    contract, path, body = case
    assert list(contract.problems("POST", path, {}, body)) == []


def test_a_field_that_the_file_does_not_name_is_a_problem(case: tuple[ProviderContract, str, dict[str, Any]]) -> None:
    contract, path, body = case
    problems = list(contract.problems("POST", path, {}, {**body, "turbo_mode": True}))
    assert any("turbo_mode" in problem for problem in problems)


def test_a_value_of_a_wrong_type_is_a_problem(case: tuple[ProviderContract, str, dict[str, Any]]) -> None:
    contract, path, body = case
    for name in body:
        (problem,) = contract.problems("POST", path, {}, {**body, name: ["no", {"such": "thing"}]})
        assert f"POST {path}: $.{name}" in problem


def test_a_field_that_is_needed_and_missing_is_a_problem(case: tuple[ProviderContract, str, dict[str, Any]]) -> None:
    contract, path, body = case
    needed = [name for name in body if name in ("prompt", "input", "file_data")]
    assert needed
    for name in needed:
        rest = {key: value for key, value in body.items() if key != name}
        (problem,) = contract.problems("POST", path, {}, rest)
        assert f"'{name}' is a required property" in problem
    assert list(contract.problems("POST", path, {}, None)) == [f"POST {path} has no JSON body"]


def test_a_path_and_a_method_that_the_file_does_not_know_are_problems(
    case: tuple[ProviderContract, str, dict[str, Any]],
) -> None:
    contract, path, body = case
    assert list(contract.problems("POST", f"{path}s/x", {}, body)) == [f"POST {path}s/x is not in the contract"]
    assert list(contract.problems("DELETE", path, {}, None)) == [f"DELETE {path} is not in the contract"]


def test_a_name_in_the_query_that_the_file_does_not_know_is_a_problem(
    case: tuple[ProviderContract, str, dict[str, Any]],
) -> None:
    contract, path, body = case
    (problem,) = contract.problems("POST", path, {"turbo": "1"}, body)
    assert problem == f"POST {path}: the query names turbo"


def test_a_body_where_none_is_taken_is_a_problem(specs: Path) -> None:
    contract = ProviderContract(specs / "replicate.openapi.json")
    assert list(contract.problems("GET", "/account", {}, {"a": 1})) == ["GET /account takes no JSON body"]


PREDICTION = {
    "id": "p",
    "model": "black-forest-labs/flux-dev",
    "version": "hidden",
    "input": {},
    "output": None,
    "data_removed": False,
    "error": None,
    "status": "starting",
    "created_at": "2026-11-21T10:00:00.000000000Z",
    "urls": {"get": "https://a", "cancel": "https://a", "web": "https://a"},
}
TOGETHER = {"id": "o", "model": "m", "object": "list", "data": [{"index": 0, "type": "b64_json", "b64_json": "aa"}]}
ANSWERS: list[tuple[str, str, str, int, Any, dict[str, Any]]] = [
    ("replicate", "GET", "/predictions/p", 200, PREDICTION, {"status": "queued"}),
    ("replicate", "GET", "/predictions/p", 200, PREDICTION, {"error": 7}),
    ("replicate", "GET", "/predictions", 200, {"next": None, "results": [PREDICTION]}, {"results": [{}]}),
    ("replicate", "GET", "/trainings/t", 200, {"status": "starting"}, {"output": None}),
    ("fal", "GET", "/fal-ai/flux/requests/r/status", 202, {"status": "IN_QUEUE", "request_id": "r"}, {"status": "OK"}),
    ("fal", "GET", "/fal-ai/flux/requests/r", 500, {"detail": "Runner died"}, {"detail": 7}),
    ("bfl", "POST", "/v1/flux-2-pro", 200, {"id": "a", "polling_url": "https://a"}, {"polling_url": None}),
    ("bfl", "GET", "/v1/get_result", 200, {"id": "a", "status": "Ready"}, {"status": "Queued"}),
    ("together", "POST", "/images/generations", 200, TOGETHER, {"object": "image"}),
    ("together", "POST", "/images/generations", 200, TOGETHER, {"data": [{"index": 0, "type": "url"}]}),
    ("together", "POST", "/images/generations", 400, {"error": {"message": "no", "type": "t"}}, {"error": "no"}),
]


@pytest.mark.parametrize(("spec", "method", "path", "status", "body", "wrong"), ANSWERS)
def test_an_answer_that_the_file_does_not_allow_is_a_problem(
    specs: Path, spec: str, method: str, path: str, status: int, body: Any, wrong: dict[str, Any]
) -> None:
    contract = ProviderContract(specs / f"{spec}.openapi.json")
    assert list(contract.answer_problems(method, path, status, body)) == []
    (problem,) = contract.answer_problems(method, path, status, {**body, **wrong})
    assert problem.startswith(f"{method} {path}, {status}: $")


def test_a_status_that_the_file_does_not_know_is_a_problem_unless_it_is_an_error(specs: Path) -> None:
    contract = ProviderContract(specs / "replicate.openapi.json")
    assert list(contract.answer_problems("POST", "/predictions", 200, PREDICTION)) == [
        "POST /predictions is never answered with 200"
    ]
    assert list(contract.answer_problems("POST", "/predictions", 429, {"detail": "later"})) == []
    assert list(contract.answer_problems("POST", "/nowhere", 200, {})) == ["POST /nowhere is not in the contract"]


def test_a_result_that_the_file_does_not_allow_is_a_problem(specs: Path) -> None:
    contract = ProviderContract(specs / "fal.openapi.json")
    (problem,) = contract.result_problems("/fal-ai/flux-2-trainer", {"config_file": {"url": "https://a"}})
    assert "'diffusers_lora_file' is a required property" in problem
