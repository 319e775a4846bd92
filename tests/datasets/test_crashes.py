"""A decoder may end its process, or the system may: that costs one picture at most, and never somebody else's."""

import asyncio
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path

import pytest

from bot.datasets import preparation
from bot.datasets.archives.stored import StoredFile
from bot.datasets.images import prepare_stored
from bot.datasets.limits import DatasetLimits
from bot.datasets.pool import open_pool
from bot.datasets.preparation import SourceFile, prepare
from bot.datasets.report import LeftOut, Prepared, PreparedImage
from tests.dataset_files import photo_files, photo_zip, zip_of
from tests.datasets.hostile_files import a_picture

LIMITS = DatasetLimits()


def deadly(stored: StoredFile, into: Path, limits: DatasetLimits) -> PreparedImage | LeftOut:
    """Stands for a decoder with a flaw that one picture finds, or, with `once`, for a system short of memory."""
    if "once" in stored.name and not (died := stored.path.with_suffix(".died")).exists():
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if "deadly" in stored.name:
        os.kill(os.getpid(), signal.SIGKILL)
    return prepare_stored(stored, into, limits)


@pytest.fixture
def own_pool() -> Iterator[Executor]:
    with open_pool(2) as processes:
        yield processes


@pytest.fixture(autouse=True)
def a_flaw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation, "prepare_stored", deadly)


async def prepared_from(archive: Path, pool: Executor) -> Prepared:
    source = SourceFile(path=archive, name=archive.name)
    return await prepare([source], into=archive.with_suffix(""), pool=pool, limits=LIMITS, most=99)


async def test_a_picture_that_ends_its_process_is_left_out_and_the_rest_is_kept(
    tmp_path: Path, own_pool: Executor
) -> None:
    archive = zip_of({**photo_files(9), "deadly.jpg": a_picture(50)}, tmp_path / "cats.zip")

    prepared = await prepared_from(archive, own_pool)

    assert [image.name for image in prepared.images] == list(photo_files(9))
    assert prepared.left_out == (LeftOut(name="deadly.jpg", reason="breaks the reader: save it again as JPEG or PNG"),)
    assert {path.name for path in (tmp_path / "cats").iterdir()} == {f"{i.sha256}.jpg" for i in prepared.images}


async def test_a_process_that_died_by_chance_costs_no_picture(tmp_path: Path, own_pool: Executor) -> None:
    prepared = await prepared_from(zip_of({**photo_files(5), "once.jpg": a_picture(50)}, tmp_path / "a.zip"), own_pool)

    assert len(prepared.images) == 6


async def test_one_persons_deadly_picture_costs_another_nothing(tmp_path: Path, own_pool: Executor) -> None:
    deadly_ones = {f"deadly-{n}.jpg": a_picture(50 + n) for n in range(3)}
    hers = zip_of({**photo_files(6), **deadly_ones}, tmp_path / "hers.zip")
    his = photo_zip(tmp_path / "his.zip", 20, "cool")

    of_hers, of_his = await asyncio.gather(prepared_from(hers, own_pool), prepared_from(his, own_pool))

    assert (len(of_hers.images), len(of_hers.left_out)) == (6, 3)
    assert (len(of_his.images), len(of_his.left_out)) == (20, 0)
