"""fal.ai: what is sent to each of its trainers and generators, and what comes of sending it."""

import base64
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.datasets.captions.captions import with_trigger_word
from bot.errors import (
    OutcomeUnknown,
    ProviderBusy,
    ProviderDenied,
    ProviderError,
    ProviderGone,
    ProviderModerated,
    ProviderRefused,
    ProviderUnpaid,
)
from bot.providers.card import CaptionRule, Mode, TrainerCard
from bot.providers.fal.provider import FalProvider, cards
from bot.providers.tasks import ModelInUse, TrainingRequest, Webhook
from tests.providers.benches.fal import (
    GENERATION,
    LINK,
    WEIGHTS_LINK,
    with_a_model,
    with_settings,
)
from tests.providers.fal.watching import last
from tests.simulators.fal import SUBMIT, TRAINERS, Fal
from tests.simulators.service import (
    BAD_GATEWAY,
    BAD_GATEWAY_AFTER_EFFECT,
    RESET,
    RESET_AFTER_EFFECT,
    TOO_MANY,
    TRUNCATED,
    Fault,
    answers,
)

WEBHOOK = Webhook(url="https://bot.example.org/hooks/fal?job=1&part=0", secret="never used")
FLUX_2_TRAINERS = [name for name in TRAINERS if "flux-2" in name]


# Trainings: what is sent.


@pytest.mark.parametrize("trainer", FLUX_2_TRAINERS)
async def test_the_flux_2_trainers_get_a_default_caption_and_no_trigger(
    fal: FalProvider, service: Fal, training: TrainingRequest, trainer: str
) -> None:
    await fal.submit_training(replace(training, trainer=trainer))
    assert last(service).endpoint == trainer
    assert last(service).body == {
        "image_data_url": LINK,
        "default_caption": "a photo of TOK",
        "steps": 500,
        "output_lora_format": "fal",
    }


@pytest.mark.parametrize("trainer", cards.TRAINERS, ids=lambda trainer: trainer.id)
@pytest.mark.parametrize("word", ["TOK", "ohwx-luna"])
async def test_a_trainer_that_needs_captions_is_sent_a_default_one_with_the_trigger_word_and_no_other_is(
    fal: FalProvider, service: Fal, training: TrainingRequest, trainer: TrainerCard, word: str
) -> None:
    for mode in trainer.modes or (Mode.GENERAL,):
        await fal.submit_training(with_settings(training, trainer.id, mode=mode, trigger_word=word))
        default = last(service).body.get("default_caption")
        assert (default is not None) == (trainer.captions is CaptionRule.DEFAULTED)
        assert default is None or with_trigger_word(default, word) == default


@pytest.mark.parametrize(
    ("mode", "caption"),
    [(Mode.STYLE, "in the style of TOK"), *((mode, "a photo of TOK") for mode in Mode if mode is not Mode.STYLE)],
)
async def test_the_default_caption_follows_the_mode(
    fal: FalProvider, service: Fal, training: TrainingRequest, mode: Mode, caption: str
) -> None:
    await fal.submit_training(with_settings(training, cards.FLUX_2_TRAINER, mode=mode))
    assert last(service).body["default_caption"] == caption


@pytest.mark.parametrize("trainer", [cards.FAST_TRAINER, cards.KREA_TRAINER])
@pytest.mark.parametrize("mode", list(Mode))
async def test_the_fast_trainers_get_a_trigger_word_and_whether_it_is_a_style(
    fal: FalProvider, service: Fal, training: TrainingRequest, trainer: str, mode: Mode
) -> None:
    await fal.submit_training(with_settings(training, trainer, mode=mode, learning_rate=1e-4))
    assert last(service).body == {
        "images_data_url": LINK,
        "data_archive_format": "zip",
        "trigger_word": "TOK",
        "is_style": mode is Mode.STYLE,
        "steps": 500,
    }


@pytest.mark.parametrize("mode", list(Mode))
async def test_the_turbo_trainer_crops_to_faces_only_for_characters(
    fal: FalProvider, service: Fal, training: TrainingRequest, mode: Mode
) -> None:
    await fal.submit_training(with_settings(training, cards.TURBO_TRAINER, mode=mode))
    assert last(service).body == {
        "images_data_url": LINK,
        "trigger_phrase": "TOK",
        "training_style": "style" if mode is Mode.STYLE else "subject",
        "face_crop": mode is Mode.CHARACTER,
        "steps": 500,
    }


async def test_the_portrait_trainer_gets_a_trigger_phrase(
    fal: FalProvider, service: Fal, training: TrainingRequest
) -> None:
    await fal.submit_training(with_settings(training, cards.PORTRAIT_TRAINER, learning_rate=9e-5))
    assert last(service).body == {
        "images_data_url": LINK,
        "data_archive_format": "zip",
        "trigger_phrase": "TOK",
        "steps": 500,
        "learning_rate": 9e-5,
    }


@pytest.mark.parametrize("trainer", cards.TRAINERS, ids=lambda trainer: trainer.id)
async def test_a_learning_rate_is_sent_only_where_it_is_known_and_only_when_chosen(
    fal: FalProvider, service: Fal, training: TrainingRequest, trainer: Any
) -> None:
    await fal.submit_training(with_settings(training, trainer.id, learning_rate=2e-4))
    assert last(service).body.get("learning_rate") == (2e-4 if trainer.learning_rate else None)
    await fal.submit_training(with_settings(training, trainer.id, learning_rate=None))
    assert "learning_rate" not in last(service).body


async def test_a_training_must_not_be_run_twice_by_the_platform(
    fal: FalProvider, service: Fal, training: TrainingRequest
) -> None:
    await fal.submit_training(training)
    assert not last(service).may_run_again
    await fal.submit_generation(GENERATION)
    assert last(service).may_run_again


async def test_a_webhook_address_arrives_as_it_is(fal: FalProvider, service: Fal, training: TrainingRequest) -> None:
    await fal.submit_training(replace(training, webhook=WEBHOOK))
    assert last(service).webhook == WEBHOOK.url
    await fal.submit_generation(replace(GENERATION, webhook=WEBHOOK))
    assert last(service).webhook == WEBHOOK.url
    await fal.submit_generation(GENERATION)
    assert last(service).webhook is None


async def test_a_dataset_without_a_link_travels_inside_the_request(
    fal: FalProvider, service: Fal, training: TrainingRequest
) -> None:
    await fal.submit_training(replace(training, dataset_link=None))
    head, _, encoded = last(service).body["image_data_url"].partition(",")
    assert head == "data:application/zip;base64"
    assert base64.b64decode(encoded) == training.dataset.read_bytes()


async def test_a_dataset_too_large_for_that_needs_object_storage(
    fal: FalProvider, service: Fal, training: TrainingRequest, tmp_path: Path
) -> None:
    large = tmp_path / "large.zip"
    with large.open("wb") as file:
        file.truncate(cards.LARGEST_INLINE + 1)
    with pytest.raises(ProviderRefused, match="object storage"):
        await fal.submit_training(replace(training, dataset=large, dataset_link=None))
    assert service.ledger == []
    await fal.submit_training(replace(training, dataset=large))
    assert len(service.ledger) == 1


async def test_a_dataset_that_is_gone_is_refused_in_a_sentence(
    fal: FalProvider, training: TrainingRequest, tmp_path: Path
) -> None:
    with pytest.raises(ProviderRefused, match="send the pictures again"):
        await fal.submit_training(replace(training, dataset=tmp_path / "gone.zip", dataset_link=None))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"iterations": 99}, "iterations"),
        ({"iterations": 10_001}, "iterations"),
        ({"learning_rate": 0.5}, "learning rate"),
        ({"learning_rate": float("nan")}, "learning rate"),
        ({"trigger_word": " "}, "trigger word"),
        ({"trigger_word": "x" * 101}, "trigger word"),
        ({"trigger_word": "\ud800"}, "trigger word"),
    ],
)
async def test_settings_out_of_range_are_refused_before_anything_is_sent(
    fal: FalProvider, service: Fal, training: TrainingRequest, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(ProviderRefused, match=said):
        await fal.submit_training(with_settings(training, training.trainer, **changed))
    with pytest.raises(ProviderRefused, match=said):
        await fal.prepare_training(with_settings(training, training.trainer, **changed))
    assert service.requests == []


@pytest.mark.parametrize("count", [3, 401])
async def test_too_few_or_too_many_pictures_are_refused(
    fal: FalProvider, training: TrainingRequest, count: int
) -> None:
    with pytest.raises(ProviderRefused, match="number of pictures"):
        await fal.submit_training(replace(training, image_count=count))


async def test_an_unknown_trainer_is_refused(fal: FalProvider, training: TrainingRequest) -> None:
    with pytest.raises(ProviderRefused, match="trainer"):
        await fal.submit_training(replace(training, trainer="fal-ai/flux-kontext-trainer"))


async def test_nothing_is_prepared_and_so_nothing_is_left_to_tidy(
    fal: FalProvider, service: Fal, training: TrainingRequest
) -> None:
    prepared = await fal.prepare_training(training)
    await fal.tidy_training(prepared)
    assert prepared == {}
    assert service.requests == []


# Generations: what is sent.


@pytest.mark.parametrize("generator", [generator.id for generator in cards.GENERATORS if generator.needs_model])
async def test_a_lora_generator_gets_the_link_and_the_strength(fal: FalProvider, service: Fal, generator: str) -> None:
    await fal.submit_generation(with_a_model(generator, strength=1.5, count=4, aspect_ratio="16:9"))
    assert last(service).endpoint == generator
    assert last(service).body == {
        "prompt": "TOK on a sofa",
        "seed": 7,
        "output_format": "png",
        "num_images": 4,
        "image_size": {"width": 1360, "height": 768},
        "enable_safety_checker": True,
        "loras": [{"path": WEIGHTS_LINK, "scale": 1.5}],
    }


async def test_flux_dev_gets_no_lora(fal: FalProvider, service: Fal) -> None:
    await fal.submit_generation(replace(GENERATION, count=2))
    assert last(service).body == {
        "prompt": "TOK on a sofa",
        "seed": 7,
        "output_format": "png",
        "num_images": 2,
        "image_size": {"width": 1024, "height": 1024},
        "enable_safety_checker": True,
    }


async def test_flux_2_pro_makes_one_picture_and_is_not_told_how_many(fal: FalProvider, service: Fal) -> None:
    await fal.submit_generation(replace(GENERATION, generator=cards.FLUX_2_PRO, aspect_ratio="2:3"))
    assert last(service).body == {
        "prompt": "TOK on a sofa",
        "seed": 7,
        "output_format": "png",
        "image_size": {"width": 832, "height": 1248},
        "enable_safety_checker": True,
    }
    with pytest.raises(ProviderRefused, match="number of pictures"):
        await fal.submit_generation(replace(GENERATION, generator=cards.FLUX_2_PRO, count=2))


async def test_ultra_is_told_the_aspect_ratio_itself(fal: FalProvider, service: Fal) -> None:
    await fal.submit_generation(replace(GENERATION, generator=cards.ULTRA, aspect_ratio="9:21", count=3))
    assert last(service).body == {
        "prompt": "TOK on a sofa",
        "seed": 7,
        "output_format": "png",
        "num_images": 3,
        "aspect_ratio": "9:21",
    }


@pytest.mark.parametrize("generator", cards.GENERATORS, ids=lambda generator: generator.id)
async def test_every_aspect_ratio_on_the_card_is_taken(fal: FalProvider, service: Fal, generator: Any) -> None:
    for ratio in generator.aspect_ratios:
        request = with_a_model(generator.id) if generator.needs_model else replace(GENERATION, generator=generator.id)
        await fal.submit_generation(replace(request, aspect_ratio=ratio))
    assert len(service.ledger) == len(generator.aspect_ratios)


async def test_a_model_trained_here_is_called_by_what_fal_calls_it(fal: FalProvider, service: Fal) -> None:
    remote = {"lora_url": "https://v3.fal.media/files/cats.safetensors"}
    model = ModelInUse(base_model="flux.1-dev", weights=None, remote=remote)
    await fal.submit_generation(with_a_model(cards.FLUX_LORA, model=model))
    assert last(service).body["loras"] == [{"path": remote["lora_url"], "scale": 1.0}]
    await fal.submit_generation(with_a_model(cards.FLUX_LORA, model=replace(model, weights_link=WEIGHTS_LINK)))
    assert last(service).body["loras"] == [{"path": WEIGHTS_LINK, "scale": 1.0}]


async def test_a_model_that_fal_cannot_read_needs_object_storage(fal: FalProvider, tmp_path: Path) -> None:
    model = ModelInUse(base_model="flux.1-dev", weights=tmp_path / "cats.safetensors")
    with pytest.raises(ProviderRefused, match="object storage"):
        await fal.submit_generation(with_a_model(cards.FLUX_LORA, model=model))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"generator": "fal-ai/recraft"}, "generator"),
        ({"prompt": " "}, "prompt"),
        ({"prompt": "x" * 2001}, "prompt"),
        ({"prompt": "\udfff"}, "prompt"),
        ({"count": 0}, "number of pictures"),
        ({"count": 5}, "number of pictures"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**32}, "seed"),
        ({"aspect_ratio": "9:21"}, "aspect ratio"),
        ({"images": (Path("a.png"),)}, "reference pictures"),
        ({"generator": cards.FLUX_LORA}, "needs a model"),
        ({"model": ModelInUse(base_model="flux.1-dev", weights=None, weights_link=LINK)}, "takes no model"),
    ],
)
async def test_what_a_generator_cannot_do_is_refused_before_anything_is_sent(
    fal: FalProvider, service: Fal, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(ProviderRefused, match=said):
        await fal.submit_generation(replace(GENERATION, **changed))
    assert service.requests == []


@pytest.mark.parametrize("strength", [-0.1, 4.1, float("nan")])
async def test_a_strength_out_of_range_is_refused(fal: FalProvider, service: Fal, strength: float) -> None:
    with pytest.raises(ProviderRefused, match="strength"):
        await fal.submit_generation(with_a_model(cards.FLUX_2_LORA, strength=strength))
    assert service.requests == []


async def test_a_model_of_another_base_is_refused_before_it_costs_anything(fal: FalProvider, service: Fal) -> None:
    model = ModelInUse(base_model="flux.2-klein-base-4b", weights=None, weights_link=WEIGHTS_LINK)
    with pytest.raises(ProviderRefused, match="cannot use this model"):
        await fal.submit_generation(with_a_model(cards.KLEIN_9B_LORA, model=model))
    assert service.requests == []


# Submissions: what comes of them.


Submit = Callable[[FalProvider, TrainingRequest], Any]
SUBMISSIONS: list[Submit] = [
    lambda fal, training: fal.submit_training(training),
    lambda fal, _training: fal.submit_generation(GENERATION),
]


@pytest.mark.parametrize("submit", SUBMISSIONS, ids=["training", "generation"])
async def test_an_accepted_task_has_fals_id_and_fals_own_links(
    fal: FalProvider, service: Fal, training: TrainingRequest, submit: Submit
) -> None:
    task = await submit(fal, training)
    assert task.id == last(service).id
    here = f"{service.url}/{last(service).app}/requests/{task.id}"
    assert task.links == {"status_url": f"{here}/status", "response_url": here, "cancel_url": f"{here}/cancel"}
    assert here not in repr(task)


@pytest.mark.parametrize("submit", SUBMISSIONS, ids=["training", "generation"])
@pytest.mark.parametrize(
    ("fault", "meaning", "paid"),
    [
        (TOO_MANY, ProviderBusy, 0),
        (answers(401, {"detail": "No user found"}), ProviderDenied, 0),
        (answers(403, {"detail": "Access to this app is blocked"}), ProviderDenied, 0),
        (answers(403, {"detail": "User is locked. Reason: Exhausted balance."}), ProviderUnpaid, 0),
        (answers(402, {"detail": "Payment required"}), ProviderUnpaid, 0),
        (answers(404, {"detail": "Application not found"}), ProviderGone, 0),
        (answers(422, {"detail": [{"loc": ["body", "steps"], "msg": "too many", "type": "x"}]}), ProviderRefused, 0),
        (answers(422, {"detail": [{"type": "content_policy_violation", "msg": "no"}]}), ProviderModerated, 0),
        (BAD_GATEWAY, OutcomeUnknown, 0),
        (BAD_GATEWAY_AFTER_EFFECT, OutcomeUnknown, 1),
        (answers(500, {"detail": "oops"}, x_fal_error_type="internal_error"), OutcomeUnknown, 0),
        (RESET, OutcomeUnknown, 0),
        (RESET_AFTER_EFFECT, OutcomeUnknown, 1),
        (TRUNCATED, OutcomeUnknown, 1),
    ],
)
async def test_a_submission_is_sent_once_and_its_failure_has_a_meaning(
    fal: FalProvider,
    service: Fal,
    training: TrainingRequest,
    submit: Submit,
    fault: Fault,
    meaning: type[ProviderError],
    paid: int,
) -> None:
    service.order(SUBMIT, fault)
    with pytest.raises(meaning) as caught:
        await submit(fal, training)
    assert type(caught.value) is meaning
    assert len(service.ledger) == paid
    assert len(service.requests) == 1
    assert service.key not in str(caught.value) + caught.value.advice


async def test_a_429_is_busy_for_as_long_as_fal_says(fal: FalProvider, service: Fal) -> None:
    service.order(SUBMIT, answers(429, {"detail": "slow down"}, Retry_After="17"))
    with pytest.raises(ProviderBusy) as caught:
        await fal.submit_generation(GENERATION)
    assert caught.value.retry_after_seconds == 17


async def test_a_locked_account_is_unpaid_and_its_results_can_still_be_fetched(
    fal: FalProvider, service: Fal, tmp_path: Path
) -> None:
    task = await fal.submit_generation(GENERATION)
    await service.finish_all()
    service.is_locked = True
    with pytest.raises(ProviderUnpaid):
        await fal.submit_generation(GENERATION)
    assert len((await fal.fetch_pictures(task, tmp_path)).paths) == 1


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        [],
        {},
        {"request_id": 7},
        {"request_id": "../../etc"},
        {"request_id": "a"},
        {"request_id": "a", "status_url": "https://x", "response_url": None, "cancel_url": "https://x"},
        {"request_id": "a", "status_url": "https://x", "response_url": "https://x", "cancel_url": ["https://x"]},
        {"request_id": "a", "status_url": "ftp://x", "response_url": "https://x", "cancel_url": "https://x"},
        {"request_id": "a", "status_url": "nowhere", "response_url": "https://x", "cancel_url": "https://x"},
    ],
)
async def test_an_acceptance_that_makes_no_sense_leaves_the_outcome_open(
    fal: FalProvider, service: Fal, body: Any
) -> None:
    service.order(SUBMIT, answers(200, body))
    with pytest.raises(OutcomeUnknown):
        await fal.submit_generation(GENERATION)


async def test_an_echoed_payload_reaches_no_sentence_and_no_log(
    fal: FalProvider, service: Fal, training: TrainingRequest, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="bot")
    echo = {"image_data_url": "data:application/zip;base64," + "UEsDBBQA" * 3000, "link": LINK}
    detail = [{"loc": ["body", "steps"], "msg": "Input should be a valid integer", "type": "int", "input": echo}]
    service.order(SUBMIT, answers(422, {"detail": detail}))
    with pytest.raises(ProviderRefused, match="steps: Input should be a valid integer") as caught:
        await fal.submit_training(training)
    for place in (str(caught.value), caught.value.advice, caplog.text):
        assert "UEsDBBQA" not in place
        assert "5ec4e75166a4" not in place
        assert service.key not in place
