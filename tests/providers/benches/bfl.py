"""Black Forest Labs for the promise suite: generates, with a LoRA of its dashboard and without. It trains nothing."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bot.providers.bfl.provider import BflProvider
from bot.providers.card import FinetuneType, Mode, Priority
from bot.providers.tasks import GenerationRequest, ModelInUse, TrainingRequest, TrainingSettings
from tests.providers.benches.bench import LOOPBACK, ClosedPort, Mishap
from tests.simulators.bfl import POLL, SIGNED, SUBMIT, BflSimulator
from tests.simulators.service import (
    BAD_GATEWAY_AFTER_EFFECT,
    RESET_AFTER_EFFECT,
    TOO_MANY_WITH_RETRY_AFTER,
    UNAVAILABLE,
    answers,
)

LORA = "cats-of-rome"
LORA_BASE = "flux.2-klein-9b"


def provider_for(service: BflSimulator, client: httpx.AsyncClient, **changed: Any) -> BflProvider:
    options: dict[str, Any] = {"key": service.key, "api_url": service.url, "extra_hosts": LOOPBACK}
    return BflProvider(client=client, **options | changed)


def a_generation(job_id: str = "job-1", **changes: Any) -> GenerationRequest:
    values: dict[str, Any] = {
        "job_id": job_id,
        "part": 0,
        "generator": "flux-2-klein-9b",
        "model": None,
        "prompt": "a cat on a wall",
        "strength": 1.0,
        "aspect_ratio": "1:1",
        "count": 1,
        "seed": 42,
    }
    return GenerationRequest(**{**values, **changes})


def a_model(base_model: str = LORA_BASE, finetune_id: str = LORA, **remote: str) -> ModelInUse:
    return ModelInUse(base_model=base_model, weights=None, remote={"finetune_id": finetune_id, **remote})


def a_training(dataset: Path, job_id: str = "job-1", **changes: Any) -> TrainingRequest:
    """Names of `TrainingSettings` among the changes go into the settings."""
    settings: dict[str, Any] = {
        "trigger_word": "TOK",
        "mode": Mode.STYLE,
        "iterations": 300,
        "learning_rate": None,
        "captioning": True,
        "priority": Priority.QUALITY,
        "finetune_type": FinetuneType.FULL,
        "lora_rank": 32,
    }
    settings |= {name: changes.pop(name) for name in tuple(changes) if name in settings}
    values: dict[str, Any] = {
        "job_id": job_id,
        "trainer": "finetune",
        "name": "Roman cats",
        "dataset": dataset,
        "image_count": 4,
    }
    return TrainingRequest(**{**values, **changes}, settings=TrainingSettings(**settings))


@dataclass(frozen=True, kw_only=True)
class BflBench:
    provider: BflProvider
    service: BflSimulator
    way: ClosedPort
    logs_must_not_hold: Sequence[str]

    def training(self, job_id: str) -> TrainingRequest | None:
        return None

    def generation(self, job_id: str, *, with_model: bool, count: int = 1) -> GenerationRequest | None:
        if count > 1:
            return None  # each request makes one picture
        if with_model:
            return a_generation(job_id, generator="flux-2-klein-9b-finetuned", model=a_model())
        return a_generation(job_id)

    def paid(self) -> int:
        return len(self.service.ledger)

    def heard(self) -> int:
        return len(self.service.requests)

    @property
    def nobodys_id(self) -> str:
        return "00000000-0000-4000-8000-000000000000"

    def cause(self, mishap: Mishap) -> bool:
        match mishap:
            case Mishap.NEVER_SENT:
                self.way.misses = 1
            case Mishap.BUSY:
                self.service.order(SUBMIT, TOO_MANY_WITH_RETRY_AFTER)
            case Mishap.UNPAID:
                self.service.refuse_unpaid()
            case Mishap.DENIED:
                self.service.order(SUBMIT, answers(403, {"detail": "Not authenticated - Invalid Authentication"}))
            case Mishap.REFUSED:
                self.service.refuse_with_echo()
            case Mishap.LOST:
                self.service.order(SUBMIT, RESET_AFTER_EFFECT)
            case Mishap.BROKEN:
                self.service.order(SUBMIT, BAD_GATEWAY_AFTER_EFFECT)
        return True

    def stop_answering_once(self) -> bool:
        self.service.order(POLL, UNAVAILABLE)
        return True

    async def finish(self) -> None:
        self.service.finish_all()

    def fail_everything(self) -> bool:
        self.service.fail_all()
        return True

    def moderate_everything(self) -> bool:
        self.service.moderate_all("Content Moderated", "Derivative Works")
        return True

    def withhold_one_picture(self) -> bool:
        return False


@asynccontextmanager
async def open_bench(folder: Path) -> AsyncIterator[BflBench]:
    way = ClosedPort()
    async with BflSimulator() as service, httpx.AsyncClient(transport=way) as client:
        service.add_lora(LORA, LORA_BASE)
        provider = provider_for(service, client)
        secrets = (service.key, SIGNED)
        yield BflBench(provider=provider, service=service, way=way, logs_must_not_hold=secrets)
