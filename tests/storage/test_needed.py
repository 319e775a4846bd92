"""Files that some row needs stay; what nothing needs goes, but not what was put there a moment ago."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.database import Database, now_ms
from storage.files import SWEPT_AFTER_SECONDS, Files
from storage.jobs import RETRY_MS, add_job, change_job
from storage.models import add_model, delete_model
from storage.needed import needed_files
from storage.pictures import Picture, add_picture
from storage.statuses import ErrorCategory, JobStatus
from storage.submissions import intend, remember_fetched
from storage.training_sets import add_training_set
from tests.builders import PLACE, dataset, finetune_job, finetune_submission, generate_job, model, store_dataset
from tests.builders import training_set as a_training_set

WEIGHTS, PICTURE, FETCHED, PACKED = "b" * 64, "c" * 64, "d" * 64, "a" * 64


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    files = Files(tmp_path / "files")
    yield files
    files.close()


async def kept(files: Files, tmp_path: Path, content: bytes, *, is_old: bool) -> str:
    (tmp_path / "source").write_bytes(content)
    name = await files.keep(tmp_path / "source")
    if is_old:
        then = files.path_of(name).stat().st_mtime - SWEPT_AFTER_SECONDS - 1
        os.utime(files.path_of(name), (then, then))
    return name


async def test_a_sweep_takes_what_is_old_and_needed_by_nothing(files: Files, tmp_path: Path) -> None:
    needed = await kept(files, tmp_path, b"needed", is_old=True)
    new = await kept(files, tmp_path, b"new", is_old=False)
    old = await kept(files, tmp_path, b"old", is_old=True)
    beside = files.path_of(old).parent / "notes.txt"
    beside.write_text("not ours")
    os.utime(beside, (0, 0))
    assert await files.sweep({needed}) == 1
    assert [files.has(name) for name in (needed, new, old)] == [True, True, False]
    assert beside.exists()


async def test_adopted_files_move_and_one_that_is_there_stays(files: Files, tmp_path: Path) -> None:
    folder = files.work_folder("w")
    name = await kept(files, tmp_path, b"there", is_old=False)
    paths = {name: folder / "again", "f" * 64: folder / "fresh"}
    for path in paths.values():
        path.write_bytes(b"there")
    await files.adopt(paths)
    assert [path.exists() for path in paths.values()] == [True, False]
    assert await files.read("f" * 64) == await files.read(name) == b"there"


async def test_pictures_models_and_datasets_need_their_files(database: Database) -> None:
    async with database.writing() as connection:
        await add_job(connection, finetune_job(status=JobStatus.DONE))
        await change_job(connection, "1001", status=JobStatus.DONE)
        await add_training_set(connection, a_training_set())
        await add_model(connection, model(weights_file=WEIGHTS))
        await add_job(connection, generate_job())
        picture = Picture(job_id="2002", position=0, place=PLACE, model_id="1001", file=PICTURE, prompt="a fox", seed=7)
        await add_picture(connection, picture)
        value = dataset()
        await store_dataset(connection, value)
        in_dataset = {image.file for image in value.images}
        assert await needed_files(connection) == {WEIGHTS, PICTURE, *in_dataset}
        assert await needed_files(connection, [WEIGHTS, "9" * 64]) == {WEIGHTS}
        await delete_model(connection, "1001")
        assert await needed_files(connection) == {PICTURE, *in_dataset}


async def test_what_a_paid_request_brought_home_is_needed_until_its_job_ends(database: Database) -> None:
    async with database.writing() as connection:
        await add_job(connection, finetune_job())
        submission = finetune_submission()
        await intend(connection, finetune_job(), part=0)
        await remember_fetched(connection, submission, {"files": [FETCHED], "withheld": 0})
        assert await needed_files(connection) == {FETCHED}
        await change_job(connection, "1001", status=JobStatus.CANCELLED)
        assert await needed_files(connection) == set()


@pytest.mark.parametrize(("ago_ms", "is_needed"), [(0, True), (RETRY_MS + 1, False)])
async def test_a_failed_training_keeps_its_zip_as_long_as_it_may_be_retried(
    database: Database, ago_ms: int, is_needed: bool
) -> None:
    async with database.writing() as connection:
        await add_job(connection, finetune_job())
        await add_training_set(connection, a_training_set(prepared_file=PACKED))
        assert await needed_files(connection) == {PACKED}
        await change_job(connection, "1001", status=JobStatus.FAILED, error_category=ErrorCategory.NETWORK)
        await change_job(connection, "1001", finished_ms=now_ms() - ago_ms)
        assert await needed_files(connection) == ({PACKED} if is_needed else set())
