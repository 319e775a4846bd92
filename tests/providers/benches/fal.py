"""fal.ai for the promise suite: trains and generates through a queue."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from bot.providers.card import FinetuneType, Mode, Priority
from bot.providers.contract import Provider
from bot.providers.fal.cards import CARD, FLUX_DEV, KLEIN_4B_TRAINER, KLEIN_9B_LORA, KLEIN_9B_TRAINER
from bot.providers.fal.provider import FalProvider
from bot.providers.tasks import GenerationRequest, ModelInUse, TrainingRequest, TrainingSettings, Webhook
from tests.dataset_files import photo_zip
from tests.providers.benches.bench import LOOPBACK, ClosedPort, Mishap
from tests.simulators.fal import LOCKED, STATUS, SUBMIT, Fal
from tests.simulators.service import BAD_GATEWAY_AFTER_EFFECT, RESET_AFTER_EFFECT, TOO_MANY, UNAVAILABLE, answers

SIGNATURE = "X-Amz-Signature=5ec4e75166a4f0e1"
LINK = f"https://bucket.example.org/dataset.zip?X-Amz-Credential=ann&{SIGNATURE}"
WEIGHTS_LINK = f"https://bucket.example.org/cats.safetensors?X-Amz-Credential=ann&{SIGNATURE}"
SETTINGS = TrainingSettings(
    trigger_word="TOK",
    mode=Mode.GENERAL,
    iterations=500,
    learning_rate=None,
    captioning=False,
    priority=Priority.SPEED,
    finetune_type=FinetuneType.LORA,
    lora_rank=16,
)
GENERATION = GenerationRequest(
    job_id="job-2",
    part=0,
    generator=FLUX_DEV,
    model=None,
    prompt="TOK on a sofa",
    strength=1.0,
    aspect_ratio="1:1",
    count=1,
    seed=7,
)
ECHO = {"image_data_url": f"data:application/zip;base64,{'UEsDBBQA' * 4000}", "default_caption": LINK}

FAULTS = {
    Mishap.BUSY: TOO_MANY,
    Mishap.UNPAID: answers(403, {"detail": LOCKED}),
    Mishap.DENIED: answers(401, {"detail": "Cannot access application. Authentication is required."}),
    Mishap.REFUSED: answers(
        422,
        {
            "detail": [
                {"loc": ["body", "steps"], "msg": "Input should be a number", "type": "int_parsing", "input": ECHO}
            ]
        },
    ),
    Mishap.LOST: RESET_AFTER_EFFECT,
    Mishap.BROKEN: BAD_GATEWAY_AFTER_EFFECT,
}


def provider_for(service: Fal, client: httpx.AsyncClient, **changed: Any) -> FalProvider:
    options: dict[str, Any] = {"key": service.key, "api_url": service.url, "extra_hosts": LOOPBACK}
    return FalProvider(client=client, **options | {"jwks_url": service.jwks_url} | changed)


def a_training(dataset: Path) -> TrainingRequest:
    """Of a dataset of four pictures."""
    return TrainingRequest(
        job_id="job-1",
        trainer=KLEIN_4B_TRAINER,
        name="Cats",
        settings=SETTINGS,
        dataset=dataset,
        image_count=4,
        dataset_link=LINK,
    )


def with_settings(training: TrainingRequest, trainer: str, **changed: Any) -> TrainingRequest:
    return replace(training, trainer=trainer, settings=replace(SETTINGS, **changed))


def with_a_model(generator: str, **changed: Any) -> GenerationRequest:
    """For a generator that takes one, with a model of its base."""
    card = CARD.generator(generator)
    assert card is not None
    model = ModelInUse(base_model=card.base_models[0], weights=None, weights_link=WEIGHTS_LINK)
    return replace(GENERATION, generator=generator, **{"model": model} | changed)


@dataclass(frozen=True, kw_only=True)
class FalBench:
    provider: Provider
    service: Fal
    transport: ClosedPort
    dataset: Path
    logs_must_not_hold: Sequence[str]

    def training(self, job_id: str) -> TrainingRequest | None:
        webhook = Webhook(url="https://bot.example.org/webhooks/fal", secret="whsec_c2VjcmV0c2VjcmV0")
        return replace(a_training(self.dataset), job_id=job_id, trainer=KLEIN_9B_TRAINER, webhook=webhook)

    def generation(self, job_id: str, *, with_model: bool, count: int = 1) -> GenerationRequest | None:
        request = with_a_model(KLEIN_9B_LORA) if with_model else GENERATION
        return replace(request, job_id=job_id, count=count)

    def paid(self) -> int:
        return len(self.service.ledger)

    def heard(self) -> int:
        return len(self.service.requests)

    @property
    def nobodys_id(self) -> str:
        return "00000000-0000-4000-8000-000000000000"

    def cause(self, mishap: Mishap) -> bool:
        if mishap is Mishap.NEVER_SENT:
            self.transport.misses = 1
        else:
            self.service.order(SUBMIT, FAULTS[mishap])
        return True

    def stop_answering_once(self) -> bool:
        self.service.order(STATUS, UNAVAILABLE)
        return True

    async def finish(self) -> None:
        await self.service.finish_all()

    def fail_everything(self) -> bool:
        self.service.fail_all()
        return True

    def moderate_everything(self) -> bool:
        self.service.moderate_all()
        return True

    def withhold_one_picture(self) -> bool:
        self.service.flags_next = frozenset({0})
        return True


@asynccontextmanager
async def open_bench(folder: Path) -> AsyncIterator[FalBench]:
    folder.mkdir(parents=True, exist_ok=True)
    transport = ClosedPort()
    async with Fal(polls=None) as service, httpx.AsyncClient(transport=transport) as client:
        provider = provider_for(service, client)
        yield FalBench(
            provider=provider,
            service=service,
            transport=transport,
            dataset=photo_zip(folder / "dataset.zip", 4),
            logs_must_not_hold=(service.key, SIGNATURE, "c2VjcmV0"),
        )
        await provider.close()
