"""The simulator of fal.ai is as strict as fal, with or without SPECS_DIR."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.errors import ProviderRefused
from bot.providers.card import CaptionRule
from bot.providers.fal.provider import FalProvider, cards
from bot.providers.tasks import Finished, ModelInUse, Stopped, TrainingRequest
from tests.dataset_files import photo_files, zip_of
from tests.providers.benches.fal import GENERATION, LINK, with_a_model
from tests.providers.fal.watching import last, stopped
from tests.simulators.fal import ENDPOINTS, TRAINERS, Fal

GOOD = {"prompt": "a cat"}


@pytest.mark.parametrize(
    ("endpoint", "body", "query", "status"),
    [
        ("fal-ai/flux/dev", GOOD, "", 200),
        ("fal-ai/no-such-app", GOOD, "", 404),
        ("fal-ai/flux/dev", {}, "", 422),
        ("fal-ai/flux/dev", None, "", 422),
        ("fal-ai/flux/dev", {**GOOD, "steps": 4}, "", 422),
        ("fal-ai/flux/dev", {**GOOD, "seed": "7"}, "", 422),
        ("fal-ai/flux/dev", {**GOOD, "num_images": 5}, "", 422),
        ("fal-ai/flux/dev", {**GOOD, "num_images": True}, "", 422),
        ("fal-ai/flux/dev", {**GOOD, "image_size": "huge"}, "", 422),
        ("fal-ai/flux/dev", {**GOOD, "image_size": {"width": 64, "height": 1024}}, "", 422),
        ("fal-ai/flux/dev", {**GOOD, "output_format": "webp"}, "", 422),
        ("fal-ai/flux/dev", {**GOOD, "loras": []}, "", 422),
        ("fal-ai/flux/dev", GOOD, "?webhook=https://a.example.org", 422),
        ("fal-ai/flux/dev", GOOD, "?fal_webhook=ftp://a.example.org", 422),
        ("fal-ai/flux-2-pro", {**GOOD, "num_images": 1}, "", 422),
        ("fal-ai/flux-pro/v1.1-ultra", {**GOOD, "enable_safety_checker": True}, "", 422),
        ("fal-ai/flux-2/lora", {**GOOD, "loras": [{"path": LINK, "scale": 4.5}]}, "", 422),
        ("fal-ai/flux-2/lora", {**GOOD, "loras": [{"path": LINK}] * 4}, "", 422),
        ("fal-ai/flux-2/lora", {**GOOD, "loras": [{"path": "/etc/passwd"}]}, "", 422),
        ("fal-ai/flux-2-trainer", {"image_data_url": LINK, "trigger_word": "TOK"}, "", 422),
        ("fal-ai/flux-2-trainer", {"images_data_url": LINK}, "", 422),
        ("fal-ai/flux-2-trainer", {"image_data_url": LINK, "output_lora_format": "kohya"}, "", 422),
        ("fal-ai/flux-lora-fast-training", {"image_data_url": LINK}, "", 422),
        ("fal-ai/flux-lora-fast-training", {"images_data_url": LINK, "learning_rate": 1e-4}, "", 422),
        ("fal-ai/flux-lora-fast-training", {"images_data_url": LINK, "steps": 0}, "", 422),
        ("fal-ai/turbo-flux-trainer", {"images_data_url": LINK, "training_style": "person"}, "", 422),
    ],
)
async def test_the_simulator_refuses_what_fal_would(
    service: Fal, client: httpx.AsyncClient, endpoint: str, body: Any, query: str, status: int
) -> None:
    answer = await client.post(
        f"{service.url}/{endpoint}{query}", json=body, headers={"Authorization": f"Key {service.key}"}
    )
    assert answer.status_code == status
    assert len(service.ledger) == (status == 200)
    service.broken_promises.clear()


async def test_the_simulator_wants_its_key_and_keeps_only_two_steps_of_a_name(
    fal: FalProvider, service: Fal, client: httpx.AsyncClient
) -> None:
    task = await fal.submit_generation(with_a_model(cards.KLEIN_9B_BASE_LORA))
    status_url = task.links["status_url"]
    assert "/fal-ai/flux-2/requests/" in status_url
    assert (await client.get(status_url)).status_code == 401
    assert (await client.get(status_url, headers={"Authorization": f"Bearer {service.key}"})).status_code == 401
    elsewhere = status_url.replace("/flux-2/", "/flux/")
    assert (await client.get(elsewhere, headers={"Authorization": f"Key {service.key}"})).status_code == 404


async def test_the_simulator_remembers_a_key_sent_to_its_cdn(service: Fal, client: httpx.AsyncClient) -> None:
    await client.get(f"{service.url}/files/a.png", headers={"Authorization": f"Key {service.key}"})
    assert service.broken_promises == ["the key was sent to /files/a.png"]
    service.broken_promises.clear()


@pytest.mark.parametrize("endpoint", list(ENDPOINTS))
def test_every_endpoint_of_the_simulator_is_one_that_the_card_names(endpoint: str) -> None:
    assert cards.CARD.trainer(endpoint) or cards.CARD.generator(endpoint)


async def test_a_dataset_that_is_no_zip_is_refused_by_the_training_itself(
    fal: FalProvider, service: Fal, training: TrainingRequest, tmp_path: Path
) -> None:
    for dataset in (
        zip_of({"folder/a.jpg": b"x"}, tmp_path / "folder.zip"),
        zip_of({"a.jpg": b"no picture"}, tmp_path / "broken.zip"),
        zip_of({"a.txt": b"no picture"}, tmp_path / "empty.zip"),
    ):
        task = await fal.submit_training(replace(training, dataset=dataset, dataset_link=None))
        await service.finish_all()
        assert type(await stopped(fal, task)) is ProviderRefused


@pytest.mark.parametrize("trainer", list(TRAINERS))
@pytest.mark.parametrize("has_default", [True, False])
async def test_a_picture_without_caption_fails_a_trainer_that_has_no_default_for_it(
    fal: FalProvider, service: Fal, training: TrainingRequest, tmp_path: Path, trainer: str, has_default: bool
) -> None:
    """What the card says of captions is what the simulator finds in the zip."""
    files = dict(photo_files(4))
    every = {**files, **{name.replace(".jpg", ".txt"): b"TOK on a wall" for name in files}}
    first = next(name for name in every if name.endswith(".txt"))
    missing = {name: content for name, content in every.items() if name != first}
    for number, (contents, is_complete) in enumerate(
        [(every, True), (missing, False), ({**every, first: b" "}, False)]
    ):
        dataset = zip_of(contents, tmp_path / f"{number}.zip")
        wanted = replace(training, job_id=f"job-{number}", trainer=trainer, dataset=dataset, dataset_link=None)
        task = await fal.submit_training(wanted)
        if not has_default:
            last(service).body.pop("default_caption", None)
        await service.finish_all()
        card = cards.CARD.trainer(trainer)
        assert card is not None
        fails = card.captions is CaptionRule.DEFAULTED and not is_complete and not has_default
        assert isinstance(await fal.check(task), Stopped) == fails


async def test_links_into_storage_on_this_machine_are_really_read(
    fal: FalProvider, service: Fal, training: TrainingRequest
) -> None:
    async with Fal(polls=None) as storage:
        storage.files["dataset.zip"] = ("application/zip", training.dataset.read_bytes())
        good, gone = (f"{storage.url}/files/{name}" for name in ("dataset.zip", "gone.zip"))
        closed = "http://127.0.0.1:1/dataset.zip"
        tasks = [await fal.submit_training(replace(training, dataset_link=link)) for link in (good, gone, closed)]
        await service.finish_all()
        states = [await fal.check(task) for task in tasks]
        assert isinstance(states[0], Finished)
        assert all(isinstance(state, Stopped) for state in states[1:])
        assert storage.count("GET", "dataset.zip") == 1


async def test_weights_that_are_no_lora_are_refused_by_the_generation_itself(fal: FalProvider, service: Fal) -> None:
    service.files["cats.safetensors"] = ("application/octet-stream", b"no weights")
    model = ModelInUse(base_model="flux.1-dev", weights=None, weights_link=f"{service.url}/files/cats.safetensors")
    task = await fal.submit_generation(with_a_model(cards.FLUX_LORA, model=model))
    await service.finish_all()
    assert isinstance(await fal.check(task), Stopped)


async def test_the_same_prompt_and_seed_make_the_same_picture(fal: FalProvider, service: Fal) -> None:
    for seed in (7, 7, 8):
        await fal.submit_generation(replace(GENERATION, seed=seed))
    await service.finish_all()
    first, again, other = (content for _, content in service.files.values())
    assert first == again != other
