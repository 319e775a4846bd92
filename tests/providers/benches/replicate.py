"""Replicate for the promise suite: the real provider before a strict simulator on loopback."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from bot.providers.card import FinetuneType, Mode, Priority
from bot.providers.replicate.provider import ReplicateProvider
from bot.providers.tasks import GenerationRequest, ModelInUse, TrainingRequest, TrainingSettings, Webhook
from tests.dataset_files import photo_zip
from tests.providers.benches.bench import LOOPBACK, ClosedPort, Mishap
from tests.simulators.replicate import (
    INVALID_INPUT,
    KEY,
    OWNER,
    RATE_LIMITED,
    UNAUTHENTICATED,
    UNPAID,
    Model,
    ReplicateSimulator,
    generation_schema,
)
from tests.simulators.service import BAD_GATEWAY_AFTER_EFFECT, RESET_AFTER_EFFECT, UNAVAILABLE

TRAINED = "0123456789abcdef" * 4
FAULTS = {
    Mishap.BUSY: RATE_LIMITED,
    Mishap.UNPAID: UNPAID,
    Mishap.DENIED: UNAUTHENTICATED,
    Mishap.REFUSED: INVALID_INPUT,
    Mishap.LOST: RESET_AFTER_EFFECT,
    Mishap.BROKEN: BAD_GATEWAY_AFTER_EFFECT,
}
SETTINGS = TrainingSettings(
    trigger_word="TOK",
    mode=Mode.GENERAL,
    iterations=500,
    learning_rate=None,
    captioning=True,
    priority=Priority.QUALITY,
    finetune_type=FinetuneType.LORA,
    lora_rank=16,
)


class ReplicateBench:
    """Implements `Bench`."""

    def __init__(
        self, *, folder: Path, provider: ReplicateProvider, simulator: ReplicateSimulator, wire: ClosedPort
    ) -> None:
        self.provider = provider
        self.simulator = simulator
        self.logs_must_not_hold: Sequence[str] = (KEY, "SignatureOfALink")
        self._wire = wire
        self._dataset = photo_zip(folder / "dataset.zip", 10)

    def training(self, job_id: str) -> TrainingRequest | None:
        return TrainingRequest(
            job_id=job_id,
            trainer="ostris/flux-dev-lora-trainer",
            name="Bicycles",
            settings=SETTINGS,
            dataset=self._dataset,
            image_count=10,
            dataset_link=f"https://storage.example/{job_id}.zip?X-Amz-Signature=SignatureOfALink",
            webhook=Webhook(url="https://atelier.example/webhooks/replicate", secret="unused"),
        )

    def generation(self, job_id: str, *, with_model: bool, count: int = 1) -> GenerationRequest | None:
        return GenerationRequest(
            job_id=job_id,
            part=0,
            generator="replicate/trained-version" if with_model else "black-forest-labs/flux-dev",
            model=trained_model() if with_model else None,
            prompt=f"TOK on a bridge, {job_id}",
            strength=1.0,
            aspect_ratio="1:1",
            count=count,
            seed=7,
        )

    def paid(self) -> int:
        return len(self.simulator.ledger)

    def heard(self) -> int:
        return len(self.simulator.requests)

    @property
    def nobodys_id(self) -> str:
        return "a" * 26

    def cause(self, mishap: Mishap) -> bool:
        if mishap is Mishap.NEVER_SENT:
            self._wire.misses = 1
        else:
            self.simulator.order_for_next_paid(FAULTS[mishap])
        return True

    def stop_answering_once(self) -> bool:
        self.simulator.order_for_next_look(UNAVAILABLE)
        return True

    async def finish(self) -> None:
        self.simulator.finish_all()

    def fail_everything(self) -> bool:
        self.simulator.fail_all()
        return True

    def moderate_everything(self) -> bool:
        self.simulator.moderate_all()
        return True

    def withhold_one_picture(self) -> bool:
        """Replicate leaves a flagged picture out."""
        self.simulator.withholds = 1
        return True


@asynccontextmanager
async def open_bench(folder: Path) -> AsyncIterator[ReplicateBench]:
    wire = ClosedPort(_is_paid)
    async with ReplicateSimulator(finishes_after_polls=None) as simulator, httpx.AsyncClient(transport=wire) as client:
        simulator.models[f"{OWNER}/trained-before"] = Model(
            owner=OWNER,
            name="trained-before",
            visibility="private",
            versions={TRAINED: generation_schema(has_lora=True)},
        )
        provider = provider_for(simulator, client, sleep=_a_moment)
        yield ReplicateBench(folder=folder, provider=provider, simulator=simulator, wire=wire)
        await provider.close()


def trained_model() -> ModelInUse:
    remote = {"version": f"{OWNER}/trained-before:{TRAINED}"}
    return ModelInUse(base_model="flux.1-dev", weights=None, remote=remote)


def provider_for(simulator: ReplicateSimulator, client: httpx.AsyncClient, **options: Any) -> ReplicateProvider:
    return ReplicateProvider(
        client=client,
        **{
            "key": simulator.key,
            "api_url": simulator.api_url,
            "site_url": simulator.site_url,
            "extra_hosts": LOOPBACK,
            **options,
        },
    )


async def _a_moment(_seconds: float) -> None:
    await asyncio.sleep(0.02)


def _is_paid(request: httpx.Request) -> bool:
    return request.method == "POST" and request.url.path.endswith(("/trainings", "/predictions"))
