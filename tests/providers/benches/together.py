"""Together AI for the promise suite: generates, with and without a model, in one blocking call."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from bot.providers.contract import Provider
from bot.providers.tasks import GenerationRequest, ModelInUse, TrainingRequest
from bot.providers.together.provider import TogetherProvider
from tests.providers.benches.bench import LOOPBACK, ClosedPort, Mishap
from tests.simulators.service import BAD_GATEWAY_AFTER_EFFECT, RESET_AFTER_EFFECT, TOO_MANY, answers
from tests.simulators.together import DEV_LORA, GENERATIONS, SCHNELL, Together

SIGNATURE = "X-Amz-Signature=5ec4e75166a4"
LINK = f"https://weights.example.org/cats.safetensors?{SIGNATURE}"
MODEL = ModelInUse(base_model="flux.1-dev", weights=None, weights_link=LINK)
GENERATION = GenerationRequest(
    job_id="job-1",
    part=0,
    generator=SCHNELL,
    model=None,
    prompt="a cat on a sofa",
    strength=1.0,
    aspect_ratio="1:1",
    count=1,
    seed=7,
)


def _error(message: str, kind: str) -> dict[str, object]:
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


FAULTS = {
    Mishap.BUSY: TOO_MANY,
    Mishap.UNPAID: answers(402, _error("Credit limit exceeded", "credit_limit")),
    Mishap.DENIED: answers(401, _error("Invalid API key provided", "authentication_error")),
    Mishap.REFUSED: answers(
        422, _error(f"cannot use image_url data:image/png;base64,{'A' * 4000}", "invalid_request_error")
    ),
    Mishap.LOST: RESET_AFTER_EFFECT,
    Mishap.BROKEN: BAD_GATEWAY_AFTER_EFFECT,
}


@dataclass(frozen=True, kw_only=True)
class TogetherBench:
    provider: Provider
    service: Together
    transport: ClosedPort
    logs_must_not_hold: Sequence[str]

    def training(self, job_id: str) -> TrainingRequest | None:
        return None

    def generation(self, job_id: str, *, with_model: bool, count: int = 1) -> GenerationRequest | None:
        request = replace(GENERATION, job_id=job_id, count=count)
        return replace(request, generator=DEV_LORA, model=MODEL) if with_model else request

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
            self.service.order(GENERATIONS, FAULTS[mishap])
        return True

    def stop_answering_once(self) -> bool:
        """What was made is here already: nothing is asked of the service again."""
        return False

    async def finish(self) -> None:
        """A request that was answered is finished."""

    def fail_everything(self) -> bool:
        return False

    def moderate_everything(self) -> bool:
        return False

    def withhold_one_picture(self) -> bool:
        """What does not come, does not come: nothing says why."""
        return False


@asynccontextmanager
async def open_bench(folder: Path) -> AsyncIterator[TogetherBench]:
    transport = ClosedPort()
    async with Together() as service, httpx.AsyncClient(transport=transport) as client:
        provider = TogetherProvider(
            client=client,
            key=service.key,
            home=folder / "together",
            api_url=service.api_url,
            extra_hosts=LOOPBACK,
        )
        yield TogetherBench(
            provider=provider, service=service, transport=transport, logs_must_not_hold=(service.key, SIGNATURE)
        )
        await provider.close()
