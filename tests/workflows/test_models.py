"""Deleting a model: its bytes go here, in object storage and at its provider, and nobody else's do."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dbos import DBOS

from bot.errors import NotFound, NotYours, ProviderUnreachable
from storage.database import Database
from storage.jobs import add_job
from storage.models import add_model, find_model, models_of_person
from storage.objects import ObjectsUnreachable
from storage.statuses import JobStatus
from storage.training_sets import add_training_set
from tests.builders import CARD, PLACE, finetune_job, import_job, model, training_set
from tests.fakes import FakeProvider
from tests.workflows.test_handover import FakeObjects
from tests.workflows.workshop import Workshop

ME = PLACE.person_id


class Forgetful(FakeProvider):
    """Deletes models there, and can hang on it."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.deleted: list[dict[str, str]] = []
        self.hangs = ""
        self.reached = asyncio.Event()

    async def delete_model(self, remote: Mapping[str, str]) -> None:
        await self._hang("before")
        self._fail("delete")
        self.deleted.append(dict(remote))
        await self._hang("after")

    async def _hang(self, when: str) -> None:
        if self.hangs == when:
            self.reached.set()
            await asyncio.Event().wait()


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The stories are the same on PostgreSQL; `test_finetune` runs there too."""
    return sqlite_url


@pytest.fixture
async def attic(database: Database, tmp_path: Path, pool: Executor) -> AsyncIterator[Workshop]:
    workshop = Workshop(database, tmp_path, pool)
    workshop.provider = Forgetful(tmp_path / "forgetful")
    workshop.objects = FakeObjects()  # type: ignore[assignment]
    await workshop.start()
    yield workshop
    await workshop.close()


def provider_of(attic: Workshop) -> Forgetful:
    assert isinstance(attic.provider, Forgetful)
    return attic.provider


def objects_of(attic: Workshop) -> FakeObjects:
    assert isinstance(attic.objects, FakeObjects)
    return attic.objects


async def give(attic: Workshop, model_id: str, content: bytes | None, **changes: Any) -> str | None:
    """A model with these bytes here and in object storage; answers their name."""
    weights = None
    if content is not None:
        path = attic.files.work_folder("w") / "weights"
        path.write_bytes(content)
        weights = await attic.files.keep(path)
        await objects_of(attic).put(attic.files.path_of(weights), f"weights/{weights}.safetensors")
    known = {"name": f"Model {model_id}", "remote": {"fake": {"version": model_id}}, "training_set_id": model_id}
    made = model(id=model_id, job_id=model_id, weights_file=weights, **{**known, **changes})
    job = finetune_job if made.training_set_id else import_job
    async with attic.database.writing() as connection:
        await add_job(connection, job(id=model_id, place=made.place, status=JobStatus.DONE))
        if made.training_set_id:
            await add_training_set(connection, training_set(id=model_id, place=made.place))
        await add_model(connection, made)
    return weights


async def forgotten(attic: Workshop, *model_ids: str) -> None:
    """Until the engine has told these stories to their end."""
    async with asyncio.timeout(20):
        for model_id in model_ids:
            while (await DBOS.get_workflow_status_async(f"{model_id}:forget")).status != "SUCCESS":  # type: ignore[union-attr]
                await asyncio.sleep(0.02)


async def delete(attic: Workshop, model_id: str) -> None:
    await attic.do.models.delete(model_id, ME)
    await forgotten(attic, model_id)


async def test_a_trained_model_goes_everywhere_and_its_provider_is_told_once(attic: Workshop) -> None:
    weights = await give(attic, "1001", b"weights")
    await delete(attic, "1001")
    assert weights is not None
    assert not attic.files.has(weights)
    assert objects_of(attic).kept == {}
    assert provider_of(attic).deleted == [{"version": "1001"}]
    async with attic.database.reading() as connection:
        assert await models_of_person(connection, ME, limit=5) == []
        kept = await find_model(connection, "1001")
    assert kept is not None, "an old picture still names its model"


async def test_an_imported_model_stays_where_it_came_from(attic: Workshop) -> None:
    weights = await give(attic, "3003", b"weights", training_set_id=None)
    await give(attic, "3004", None, training_set_id=None)
    await delete(attic, "3003")
    await delete(attic, "3004")
    assert weights is not None
    assert not attic.files.has(weights)
    assert objects_of(attic).kept == {}
    assert provider_of(attic).deleted == []


@pytest.mark.parametrize("remote", [{}, {"elsewhere": {"version": "1"}}, {"fake": {}}])
async def test_a_model_that_its_provider_does_not_know_is_not_asked_for(
    attic: Workshop, remote: dict[str, Any]
) -> None:
    await give(attic, "1001", b"weights", remote=remote)
    await delete(attic, "1001")
    assert provider_of(attic).deleted == []


async def test_bytes_that_another_model_shares_stay_until_the_last_is_gone(attic: Workshop) -> None:
    """Two people imported the same file."""
    weights = await give(attic, "3003", b"weights", training_set_id=None)
    assert weights == await give(attic, "3004", b"weights", training_set_id=None, place=replace(PLACE, person_id=44))
    assert weights is not None
    await delete(attic, "3003")
    assert attic.files.has(weights)
    assert list(objects_of(attic).kept) == [f"weights/{weights}.safetensors"]
    await attic.do.models.delete("3004", 44)
    await forgotten(attic, "3004")
    assert not attic.files.has(weights)
    assert objects_of(attic).kept == {}


async def test_a_provider_that_is_down_keeps_nothing_here(attic: Workshop, caplog: pytest.LogCaptureFixture) -> None:
    weights = await give(attic, "1001", b"weights")
    provider_of(attic).fail_next("delete", *[ProviderUnreachable("Fake provider did not answer.")] * 10)
    with caplog.at_level(logging.WARNING):
        await delete(attic, "1001")
    assert weights is not None
    assert not attic.files.has(weights)
    assert "Model 1001 remains at fake: Fake provider did not answer." in caplog.text
    async with attic.database.reading() as connection:
        assert await models_of_person(connection, ME, limit=5) == []


async def test_a_store_that_is_down_is_told_to_the_operator_and_the_provider_still_is(
    attic: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    weights = await give(attic, "1001", b"weights")
    objects_of(attic).troubles["remove"] = [ObjectsUnreachable("The object store did not answer.")]
    with caplog.at_level(logging.WARNING):
        await delete(attic, "1001")
    assert weights is not None
    assert not attic.files.has(weights)
    assert "The weights of model 1001 remain in object storage" in caplog.text
    assert provider_of(attic).deleted == [{"version": "1001"}]


@pytest.mark.parametrize("provider", ["one that deletes nothing", "one that was switched off"])
async def test_where_nobody_can_be_told_the_model_still_goes(
    attic: Workshop, tmp_path: Path, provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    weights = await give(attic, "1001", b"weights")
    await attic.crash()
    name = "fake" if provider == "one that deletes nothing" else "another"
    attic.provider = FakeProvider(tmp_path / "plain", card=replace(CARD, name=name))
    await attic.start()
    with caplog.at_level(logging.WARNING):
        await delete(attic, "1001")
    assert weights is not None
    assert not attic.files.has(weights)
    assert "remain" not in caplog.text


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_in_between_is_finished_after_the_restart(attic: Workshop, when: str) -> None:
    weights = await give(attic, "1001", b"weights")
    provider_of(attic).hangs = when
    await attic.do.models.delete("1001", ME)
    await asyncio.wait_for(provider_of(attic).reached.wait(), 20)
    await attic.crash()
    provider_of(attic).hangs = ""
    await attic.start()
    await forgotten(attic, "1001")
    assert weights is not None
    assert not attic.files.has(weights)
    assert objects_of(attic).kept == {}
    assert {remote["version"] for remote in provider_of(attic).deleted} == {"1001"}


async def test_deleting_twice_is_deleting_once_and_nobody_deletes_anothers(attic: Workshop) -> None:
    await give(attic, "1001", b"weights")
    with pytest.raises(NotYours):
        await attic.do.models.delete("1001", 44)
    results = await asyncio.gather(*(attic.do.models.delete("1001", ME) for _ in range(3)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Model", "NotFound", "NotFound"]
    await forgotten(attic, "1001")
    assert provider_of(attic).deleted == [{"version": "1001"}]
    with pytest.raises(NotFound):
        await attic.do.models.rename("1001", ME, "Selene")
