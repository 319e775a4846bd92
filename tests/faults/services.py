"""The strict simulators of every provider, with trouble, and what each of them accepted and wants to be paid for."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.end_to_end.provider_town import variables_of
from tests.faults.rough_playground import Witness
from tests.faults.trouble import Trouble
from tests.secrets_heard import SECRETS
from tests.simulators import bfl, fal, replicate, together
from tests.simulators.hub import HubSimulator
from tests.simulators.s3 import Asked, Refused, S3Server
from tests.simulators.service import Fault, Service

SCENE, MODEL = re.compile(r"(?i)\bscene[0-9]{4}\b"), re.compile(r"(?i)\bmodel[0-9]{4}\b")
PAID = {
    "replicate": frozenset(replicate.PAID),
    "fal": frozenset({fal.SUBMIT}),
    "bfl": frozenset({bfl.SUBMIT, bfl.FINETUNING}),
    "together": frozenset({together.GENERATIONS}),
}


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """One paid task. `mark` is of the job it was meant for, `seed` tells its parts apart; `id` is the provider's."""

    provider: str
    id: str
    mark: str
    seed: Any


class RoughS3(S3Server):
    """Who reads by a signed link is a provider, and meets no trouble."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__()
        self._trouble = trouble

    def _check_kind(self, asked: Asked) -> None:
        if "X-Amz-Signature" not in asked.query and self._trouble.for_storage():
            raise Refused(503, "SlowDown")
        super()._check_kind(asked)


@dataclass(frozen=True, kw_only=True)
class Services:
    replicate: replicate.ReplicateSimulator
    fal: fal.Fal
    bfl: bfl.BflSimulator
    together: together.Together
    hub: HubSimulator
    s3: S3Server

    def variables(self) -> dict[str, str]:
        return {
            **variables_of(self),  # type: ignore[arg-type]  # it reads the services only
            "BFL_LEGACY_FINETUNE": "true",
            "LOCAL_TRAINING_TIME": "300ms",
            "LOCAL_GENERATION_TIME": "300ms",
        }

    def accepted(self, data_dir: Path) -> list[Accepted]:
        """Everything that was accepted anywhere, the local provider's tasks included."""
        found = [_accepted("replicate", job_id, self.replicate.jobs[job_id].input) for job_id in self.replicate.ledger]
        found += [_accepted("fal", task.id, task.body) for task in self.fal.ledger]
        found += [_accepted("bfl", task.id, task.body) for task in self.bfl.tasks.values()]
        found += [_accepted("together", "", body) for body in self.together.ledger]
        for written in (data_dir / "local" / "tasks").glob("*/task.json"):
            task = json.loads(written.read_text())
            found.append(_accepted("local", task["task_id"], task["request"]))
        return found


def _accepted(provider: str, task_id: str, body: Any) -> Accepted:
    said = json.dumps({name: value for name, value in body.items() if len(str(value)) < 5000})
    found = SCENE.search(said) or MODEL.search(said)
    return Accepted(provider=provider, id=task_id, mark=found[0].lower() if found else "", seed=body.get("seed"))


@asynccontextmanager
async def open_services(trouble: Trouble, witness: Witness) -> AsyncIterator[Services]:
    async with AsyncExitStack() as stack:
        services = Services(
            replicate=await stack.enter_async_context(replicate.ReplicateSimulator()),
            fal=await stack.enter_async_context(fal.Fal()),
            bfl=await stack.enter_async_context(bfl.BflSimulator(has_legacy_finetune=True)),
            together=await stack.enter_async_context(together.Together()),
            hub=await stack.enter_async_context(HubSimulator()),
            s3=stack.enter_context(RoughS3(trouble)),
        )
        SECRETS.know("the object storage's key", services.s3.secret_access_key)
        for side in PAID:
            _make_rough(getattr(services, side), side, trouble, witness)
        _make_rough(services.together.cdn, "together", trouble, witness)
        yield services


def _make_rough(service: Service, side: str, trouble: Trouble, witness: Witness) -> None:
    def draw(route: str) -> Fault | None:
        return trouble.for_provider(side, is_paid=route in PAID[side])

    service.trouble = draw
    service.witness = lambda moment, route: witness(moment, f"{side} {route}")
