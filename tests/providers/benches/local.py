"""The local preview for the promise suite. It has no wire: what goes wrong is ordered from a process that comes after.

A process that dies here is put down in the middle of its work, as by a power cut, and never goes on.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bot.pictures.learning import learn
from bot.pictures.painting import paint
from bot.providers.card import FinetuneType, Mode, Priority
from bot.providers.local import work
from bot.providers.local.failures import Failures
from bot.providers.local.provider import LocalProvider
from bot.providers.tasks import GenerationRequest, ModelInUse, TrainingRequest, TrainingSettings
from tests.dataset_files import jpeg_bytes, photo, zip_of
from tests.providers.benches.bench import Mishap

PICTURES = 4
WORK_SECONDS = 600.0
SETTINGS = TrainingSettings(
    trigger_word="TOK",
    mode=Mode.STYLE,
    iterations=100,
    learning_rate=None,
    captioning=False,
    priority=Priority.SPEED,
    finetune_type=FinetuneType.LORA,
    lora_rank=16,
)
ORDERS = {
    Mishap.BUSY: "submit:busy, caption:busy",
    Mishap.DENIED: "submit:denied, caption:denied",
    Mishap.REFUSED: "submit:refused, caption:refused",
    Mishap.LOST: "submit:outcome_unknown, caption:outcome_unknown",
}


@dataclass(kw_only=True)
class Clock:
    """Of one process. Its work waits for `skip`; once it is stopped, the process never learns of any time passing."""

    ahead: float = 0.0
    stopped_at: float | None = None

    def now(self) -> float:
        return time.time() + self.ahead if self.stopped_at is None else self.stopped_at

    def stop(self) -> None:
        self.stopped_at = self.now()

    def skip(self) -> None:
        self.ahead += 2 * WORK_SECONDS

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0.002)


def a_training(dataset: Path, job_id: str = "job-1", **changes: Any) -> TrainingRequest:
    """Of a dataset of four pictures; the changes are those of its settings."""
    return TrainingRequest(
        job_id=job_id,
        trainer="preview",
        name="Hills",
        settings=replace(SETTINGS, **changes),
        dataset=dataset,
        image_count=PICTURES,
    )


def a_generation(weights: Path | None, job_id: str = "job-2", **changes: Any) -> GenerationRequest:
    values: dict[str, Any] = {
        "job_id": job_id,
        "part": 0,
        "generator": "preview",
        "model": ModelInUse(base_model="local-quilting", weights=weights),
        "prompt": "TOK hills",
        "strength": 1.0,
        "aspect_ratio": "1:1",
        "count": 1,
        "seed": 7,
    }
    return GenerationRequest(**values | changes)


class LocalBench:
    """Implements `Bench`."""

    def __init__(self, *, folder: Path, pool: Executor) -> None:
        self.logs_must_not_hold: Sequence[str] = ()
        self._home = folder / "home"
        self._pool = pool
        self._dataset = zip_of(_pictures(), folder / "dataset.zip")
        self._weights = folder / "weights.zip"
        self._weights.write_bytes(_learnt())
        self._clock = Clock()
        self._opened: list[LocalProvider] = []
        self.provider = self._open("")

    def training(self, job_id: str) -> TrainingRequest | None:
        return a_training(self._dataset, job_id)

    def generation(self, job_id: str, *, with_model: bool, count: int = 1) -> GenerationRequest | None:
        if not with_model:
            return None
        return a_generation(self._weights, job_id, count=count)

    def paid(self) -> int:
        log = self._home / "accepted.log"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def heard(self) -> int:
        return 0  # there is no wire

    @property
    def nobodys_id(self) -> str:
        return f"local-{'0' * 16}-{'0' * 12}"

    def cause(self, mishap: Mishap) -> bool:
        if mishap not in ORDERS:
            return False
        self._die_and_come_back(ORDERS[mishap])
        return True

    def stop_answering_once(self) -> bool:
        self._die_and_come_back("check:unreachable")
        return True

    async def finish(self) -> None:
        self._clock.skip()

    def fail_everything(self) -> bool:
        return self._end_everything("broken")

    def moderate_everything(self) -> bool:
        return self._end_everything("moderated")

    def withhold_one_picture(self) -> bool:
        return False

    async def close(self) -> None:
        for provider in self._opened:
            await provider.close()

    def _end_everything(self, meaning: str) -> bool:
        """Failures strike halfway through the work, so the work has to go on."""
        self._die_and_come_back(f"training:{meaning}:1000, generation:{meaning}:1000")
        self._clock.skip()
        return True

    def _die_and_come_back(self, failures: str) -> None:
        self._clock.stop()
        self._clock = Clock(ahead=self._clock.ahead)
        self.provider = self._open(failures)

    def _open(self, failures: str) -> LocalProvider:
        provider = LocalProvider(
            home=self._home,
            pool=self._pool,
            training_seconds=WORK_SECONDS,
            generation_seconds=WORK_SECONDS,
            failures=Failures.parse(failures),
            sleep=self._clock.sleep,
            now=self._clock.now,
            steady=self._clock.now,
        )
        self._opened.append(provider)
        return provider


@asynccontextmanager
async def open_bench(folder: Path) -> AsyncIterator[LocalBench]:
    folder.mkdir(parents=True, exist_ok=True)
    with smaller_pictures(0.25), ThreadPoolExecutor(2) as pool:
        bench = LocalBench(folder=folder, pool=pool)
        try:
            yield bench
        finally:
            await bench.close()


@contextmanager
def smaller_pictures(scale: float) -> Iterator[None]:
    """For those who want a picture, whichever: a whole one takes more than a second."""
    with patch.object(work, "paint", partial(paint, scale=scale)):
        yield


@cache
def _pictures() -> dict[str, bytes]:
    """Small ones, so that they are learnt in a moment."""
    return {f"{number}.jpg": jpeg_bytes(photo(number, size=(96, 80))) for number in range(PICTURES)}


@cache
def _learnt() -> bytes:
    pictures = list(_pictures().values())
    return learn(pictures, [""] * PICTURES, mode="style", trigger_word="TOK", iterations=100)
