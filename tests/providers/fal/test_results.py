"""fal.ai: the weights and pictures that are fetched from it."""

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from safetensors.numpy import load_file

from bot.errors import (
    ProviderBroken,
    ProviderBusy,
    ProviderGone,
    ProviderModerated,
    ProviderRefused,
    ProviderUnreachable,
)
from bot.providers.fal.provider import FalProvider, cards
from bot.providers.tasks import Finished, ModelInUse, Task, TrainingRequest
from tests.providers.benches.fal import GENERATION, with_a_model
from tests.providers.fal.watching import last, stopped
from tests.simulators.fal import FILES, RESULT, TRAINERS, Fal
from tests.simulators.service import RESET, SLOW_BODY, TRUNCATED, UNAVAILABLE, Fault, answers

# Weights.


async def trained(fal: FalProvider, service: Fal, training: TrainingRequest) -> Task:
    task = await fal.submit_training(training)
    await service.finish_all()
    assert await fal.check(task) == Finished()
    return task


@pytest.mark.parametrize("trainer", list(TRAINERS))
async def test_trained_weights_are_fetched_and_can_be_generated_with(
    fal: FalProvider, service: Fal, training: TrainingRequest, tmp_path: Path, trainer: str
) -> None:
    task = await trained(fal, service, replace(training, trainer=trainer, dataset_link=None))
    weights = await fal.fetch_weights(task, tmp_path / "new" / "folder")
    assert weights.path.suffix == ".safetensors"
    assert any("lora" in name for name in load_file(weights.path))
    assert [path.name for path in weights.path.parent.iterdir()] == [weights.path.name]
    card = cards.CARD.trainer(trainer)
    assert card is not None
    model = ModelInUse(base_model=card.base_model, weights=None, remote=weights.remote)
    generator = cards.CARD.generators_for(card.base_model)[0].id
    picture = await fal.submit_generation(with_a_model(generator, model=model))
    await service.finish_all()
    assert await fal.check(picture) == Finished()


async def test_weights_are_fetched_again_without_harm(
    fal: FalProvider, service: Fal, training: TrainingRequest, tmp_path: Path
) -> None:
    task = await trained(fal, service, training)
    assert await fal.fetch_weights(task, tmp_path) == await fal.fetch_weights(task, tmp_path)


async def test_the_newest_trainers_name_for_the_weights_is_understood(
    fal: FalProvider, service: Fal, training: TrainingRequest, tmp_path: Path
) -> None:
    task = await trained(fal, service, training)
    answer = last(service).answer
    assert answer is not None
    service.order(RESULT, answers(200, {"lora_file": answer.body["diffusers_lora_file"]}))
    assert (await fal.fetch_weights(task, tmp_path)).path.is_file()


async def test_a_training_without_captions_succeeds_because_of_the_default_caption(
    fal: FalProvider, service: Fal, training: TrainingRequest
) -> None:
    task = await fal.submit_training(replace(training, dataset_link=None))
    last(service).body.pop("default_caption")
    await service.finish_all()
    assert type(await stopped(fal, task)) is ProviderRefused
    await trained(fal, service, replace(training, dataset_link=None))


@pytest.mark.parametrize("fault", [TRUNCATED, RESET, UNAVAILABLE, SLOW_BODY])
async def test_a_download_that_breaks_off_is_started_again(
    fal: FalProvider, service: Fal, training: TrainingRequest, tmp_path: Path, fault: Fault
) -> None:
    task = await trained(fal, service, training)
    service.order(FILES, fault)
    assert load_file((await fal.fetch_weights(task, tmp_path)).path)


async def test_a_download_that_always_breaks_off_is_unreachable(
    fal: FalProvider, service: Fal, training: TrainingRequest, tmp_path: Path
) -> None:
    task = await trained(fal, service, training)
    service.order(FILES, *[TRUNCATED] * 4)
    with pytest.raises(ProviderUnreachable):
        await fal.fetch_weights(task, tmp_path)
    assert list(tmp_path.glob("*.safetensors")) == []


@pytest.mark.parametrize(
    "weights", [b"", b"PK\x03\x04 a zip", b"\xff" * 64, b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "]
)
async def test_weights_that_are_no_lora_are_broken(
    fal: FalProvider, service: Fal, training: TrainingRequest, tmp_path: Path, weights: bytes
) -> None:
    service.weights = weights
    task = await trained(fal, service, training)
    with pytest.raises(ProviderBroken):
        await fal.fetch_weights(task, tmp_path)
    assert list(tmp_path.glob("*.safetensors")) == []


async def test_an_expired_link_is_gone(
    fal: FalProvider, service: Fal, training: TrainingRequest, tmp_path: Path
) -> None:
    task = await trained(fal, service, training)
    service.files_have_expired = True
    with pytest.raises(ProviderGone):
        await fal.fetch_weights(task, tmp_path)


async def test_a_page_where_weights_should_be_is_broken(
    fal: FalProvider, service: Fal, training: TrainingRequest, tmp_path: Path
) -> None:
    task = await trained(fal, service, training)
    service.order(FILES, answers(200, "<html>captcha</html>"))
    with pytest.raises(ProviderBroken, match="text/html"):
        await fal.fetch_weights(task, tmp_path)


@pytest.mark.parametrize(
    "body",
    ["text", [], {}, {"diffusers_lora_file": None}, {"diffusers_lora_file": "x"}, {"diffusers_lora_file": {"url": 7}}],
)
async def test_a_training_result_that_makes_no_sense_is_broken(
    fal: FalProvider, service: Fal, training: TrainingRequest, tmp_path: Path, body: Any
) -> None:
    task = await fal.submit_training(training)
    service.answer_all(200, body)
    with pytest.raises(ProviderBroken):
        await fal.fetch_weights(task, tmp_path)


async def test_weights_on_a_foreign_host_are_not_fetched(
    fal: FalProvider, service: Fal, training: TrainingRequest, tmp_path: Path
) -> None:
    task = await fal.submit_training(training)
    service.answer_all(200, {"diffusers_lora_file": {"url": "https://fal.media.example.org/a.safetensors"}})
    with pytest.raises(ProviderBroken, match="do not visit") as caught:
        await fal.fetch_weights(task, tmp_path)
    assert "ALLOWED_DOWNLOAD_HOSTS" in caught.value.advice


async def test_results_of_a_task_still_running_are_not_there_yet(
    fal: FalProvider, service: Fal, training: TrainingRequest, tmp_path: Path
) -> None:
    task = await fal.submit_training(training)
    with pytest.raises(ProviderBusy):
        await fal.fetch_weights(task, tmp_path)


# Pictures.


async def made(fal: FalProvider, service: Fal, **changed: Any) -> Task:
    task = await fal.submit_generation(replace(GENERATION, **changed))
    await service.finish_all()
    return task


@pytest.mark.parametrize("generator", [card.id for card in cards.GENERATORS if not card.needs_model])
async def test_pictures_of_every_generator_without_a_model_are_fetched(
    fal: FalProvider, service: Fal, tmp_path: Path, generator: str
) -> None:
    task = await made(fal, service, generator=generator)
    fetched = await fal.fetch_pictures(task, tmp_path / "new")
    assert fetched.withheld == 0
    assert [path.suffix for path in fetched.paths] == [".png"]
    Image.open(fetched.paths[0]).verify()


async def test_pictures_come_in_order_and_again_without_harm(fal: FalProvider, service: Fal, tmp_path: Path) -> None:
    task = await made(fal, service, count=4)
    fetched = await fal.fetch_pictures(task, tmp_path)
    answer = last(service).answer
    assert answer is not None
    kept = [service.files[image["url"].rpartition("/")[2]][1] for image in answer.body["images"]]
    assert [path.read_bytes() for path in fetched.paths] == kept
    assert await fal.fetch_pictures(task, tmp_path) == fetched
    assert sorted(tmp_path.iterdir()) == sorted(fetched.paths)


async def test_a_black_picture_is_withheld_and_never_downloaded(fal: FalProvider, service: Fal, tmp_path: Path) -> None:
    service.flags_next = frozenset({1})
    task = await made(fal, service, count=3)
    assert await fal.check(task) == Finished()
    fetched = await fal.fetch_pictures(task, tmp_path)
    assert fetched.withheld == 1
    assert len(fetched.paths) == 2
    assert service.count("GET", "/files/") == 2
    assert all(Image.open(path).getextrema() != ((0, 0), (0, 0), (0, 0)) for path in fetched.paths)


async def test_nothing_but_black_pictures_is_a_moderation_verdict(
    fal: FalProvider, service: Fal, tmp_path: Path
) -> None:
    service.flags_next = frozenset({0, 1})
    task = await made(fal, service, count=2)
    with pytest.raises(ProviderModerated):
        await fal.fetch_pictures(task, tmp_path)
    assert list(tmp_path.iterdir()) == []


async def test_a_picture_is_named_by_its_bytes_whatever_its_type_says(
    fal: FalProvider, service: Fal, tmp_path: Path
) -> None:
    task = await made(fal, service, count=3)
    for name, kind in zip(service.files, ("JPEG", "WEBP", "PNG"), strict=True):
        path = tmp_path / "source"
        Image.new("RGB", (8, 8), "red").save(path, kind)
        service.files[name] = ("image/png", path.read_bytes())
    fetched = await fal.fetch_pictures(task, tmp_path / "pictures")
    assert [path.suffix for path in fetched.paths] == [".jpg", ".webp", ".png"]


async def test_pictures_inside_the_answer_are_taken_too(fal: FalProvider, service: Fal, tmp_path: Path) -> None:
    service.answers_inline = True
    task = await made(fal, service, count=2)
    fetched = await fal.fetch_pictures(task, tmp_path)
    assert [path.suffix for path in fetched.paths] == [".png", ".png"]
    assert service.count("GET", "/files/") == 0


@pytest.mark.parametrize(
    "url",
    [
        "data:image/png;base64,%%%",
        "data:text/html;base64,PGh0bWw+",
        "data:image/png,notbase64",
        "data:image/png;base64,",
        "data:image/png;base64," + base64.b64encode(b"no picture").decode(),
        "file:///etc/passwd",
        "https://elsewhere.example.org/a.png",
        "https://[::1",
    ],
)
async def test_an_address_of_a_picture_that_makes_no_sense_is_broken(
    fal: FalProvider, service: Fal, tmp_path: Path, url: str
) -> None:
    task = await fal.submit_generation(GENERATION)
    service.answer_all(200, {"images": [{"url": url}]})
    with pytest.raises(ProviderBroken):
        await fal.fetch_pictures(task, tmp_path)


@pytest.mark.parametrize(
    "body",
    [
        "text",
        [],
        {},
        {"images": []},
        {"images": {}},
        {"images": [None]},
        {"images": [{"url": 7}]},
        {"images": [{"url": ""}]},
        {"images": [{"url": "https://v3.fal.media/a.png"}] * 17},
        {"images": [{"url": "https://v3.fal.media/a.png"}], "has_nsfw_concepts": "no"},
        {"images": [{"url": "https://v3.fal.media/a.png"}], "has_nsfw_concepts": ["false"]},
    ],
)
async def test_a_generation_result_that_makes_no_sense_is_broken(
    fal: FalProvider, service: Fal, tmp_path: Path, body: Any
) -> None:
    task = await fal.submit_generation(GENERATION)
    service.answer_all(200, body)
    with pytest.raises(ProviderBroken):
        await fal.fetch_pictures(task, tmp_path)


async def test_a_page_where_a_picture_should_be_is_broken(fal: FalProvider, service: Fal, tmp_path: Path) -> None:
    task = await made(fal, service)
    service.order(FILES, answers(200, "<html>captcha</html>"))
    with pytest.raises(ProviderBroken, match="text/html"):
        await fal.fetch_pictures(task, tmp_path)


async def test_pictures_whose_links_have_expired_are_gone(fal: FalProvider, service: Fal, tmp_path: Path) -> None:
    task = await made(fal, service)
    service.files_have_expired = True
    with pytest.raises(ProviderGone):
        await fal.fetch_pictures(task, tmp_path)
