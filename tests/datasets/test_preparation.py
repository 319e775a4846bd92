"""The whole way from an upload to a zip, and what is left on disk when it does not get there."""

import asyncio
import hashlib
import json
import os
import signal
import zipfile
from concurrent.futures import BrokenExecutor, Executor
from pathlib import Path

import pytest
from PIL import Image

from bot.datasets.images import prepare_image
from bot.datasets.limits import DatasetLimits
from bot.datasets.pool import open_pool
from bot.datasets.preparation import SourceFile, prepare
from bot.datasets.report import LeftOut, Report
from bot.datasets.sources import gather
from tests.dataset_files import photo_files, photo_zip, real_photo_zip, real_photos
from tests.datasets.conftest import HandOver
from tests.datasets.hostile_files import a_picture, zip_bytes


async def test_a_zip_becomes_a_flat_numbered_one(hand_over: HandOver, prepared_into: Path) -> None:
    dataset = await hand_over({"cats.zip": zip_bytes(photo_files(3))})

    assert list(prepared_into.iterdir()) == [dataset.zip_path]
    with zipfile.ZipFile(dataset.zip_path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["0001.jpg", "0002.jpg", "0003.jpg"]
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        for image in dataset.report.images:
            content = archive.read(image.file_name)
            assert (image.sha256, image.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))


async def test_loose_pictures_keep_their_order(hand_over: HandOver) -> None:
    dataset = await hand_over({"z.png": a_picture(1), "a.png": a_picture(2), "m.png": a_picture(3)})

    assert [image.name for image in dataset.report.images] == ["z.png", "a.png", "m.png"]


async def test_pictures_of_one_name_are_all_kept(tmp_path: Path, pool: Executor) -> None:
    sources = []
    for number in range(3):
        path = tmp_path / f"received-{number}"
        path.write_bytes(a_picture(number))
        sources.append(SourceFile(path=path, name="image.png"))

    dataset = await prepare(
        sources, into=tmp_path / "into", pool=pool, limits=DatasetLimits(), min_images=3, max_images=9
    )

    assert len(dataset.report.images) == 3


async def test_the_same_upload_gives_the_same_bytes(tmp_path: Path, pool: Executor) -> None:
    photo_zip(tmp_path / "cats.zip", 6)

    async def prepared(folder: str) -> bytes:
        sources = [SourceFile(path=tmp_path / "cats.zip", name="cats.zip")]
        dataset = await prepare(
            sources, into=tmp_path / folder, pool=pool, limits=DatasetLimits(), min_images=1, max_images=9
        )
        return dataset.zip_path.read_bytes()

    assert await prepared("one") == await prepared("two")


async def test_real_photographs_become_a_dataset(tmp_path: Path, pool: Executor) -> None:
    sources = [SourceFile(path=real_photo_zip(tmp_path / "real.zip"), name="real.zip")]

    dataset = await prepare(
        sources, into=tmp_path / "into", pool=pool, limits=DatasetLimits(), min_images=5, max_images=20
    )

    assert len(dataset.report.images) == len(real_photos())
    assert dataset.report.left_out == ()


async def test_a_report_survives_being_stored(hand_over: HandOver) -> None:
    dataset = await hand_over({"cats.zip": zip_bytes({**photo_files(2), "warm-01.txt": b"a cat", "b.pdf": b"%PDF"})})

    assert Report.from_json(json.loads(json.dumps(dataset.report.to_json()))) == dataset.report


async def test_progress_counts_every_picture(tmp_path: Path, pool: Executor) -> None:
    sources = [SourceFile(path=photo_zip(tmp_path / "cats.zip", 4), name="cats.zip")]
    heard: list[tuple[int, int]] = []

    await prepare(
        sources,
        into=tmp_path / "into",
        pool=pool,
        limits=DatasetLimits(),
        min_images=1,
        max_images=9,
        on_progress=lambda done, total: heard.append((done, total)),
    )

    assert heard == [(done, 4) for done in range(5)]


@pytest.mark.parametrize("stop_after", [0, 1, 5])
async def test_a_cancelled_preparation_leaves_nothing(stop_after: int, tmp_path: Path, pool: Executor) -> None:
    sources = [SourceFile(path=photo_zip(tmp_path / "cats.zip", 20), name="cats.zip")]
    into = tmp_path / "into"

    def stop(done: int, total: int) -> None:
        if done == stop_after:
            preparing.cancel()

    preparing = asyncio.ensure_future(
        prepare(
            sources,
            into=into,
            pool=pool,
            limits=DatasetLimits(),
            min_images=1,
            max_images=99,
            on_progress=stop,
        )
    )

    with pytest.raises(asyncio.CancelledError):
        await preparing
    assert list(into.iterdir()) == []


async def test_what_a_killed_bot_left_behind_is_cleared(hand_over: HandOver, prepared_into: Path) -> None:
    (prepared_into / "preparing-abc" / "unpacked").mkdir(parents=True)
    (prepared_into / "preparing-abc" / "unpacked" / "00001").write_bytes(b"half a picture")

    dataset = await hand_over({"cat.jpg": a_picture()})

    assert list(prepared_into.iterdir()) == [dataset.zip_path]


async def test_the_bots_own_process_opens_neither_zip_nor_picture(
    tmp_path: Path, pool: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [SourceFile(path=photo_zip(tmp_path / "cats.zip", 3), name="cats.zip")]

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("blocking work in the process of the event loop")

    monkeypatch.setattr(Image, "open", refuse)
    monkeypatch.setattr(Image.Image, "save", refuse)
    monkeypatch.setattr(zipfile.ZipFile, "__init__", refuse)

    dataset = await prepare(
        sources, into=tmp_path / "into", pool=pool, limits=DatasetLimits(), min_images=3, max_images=9
    )

    assert len(dataset.report.images) == 3


def test_a_fault_of_the_disk_is_not_blamed_on_the_picture(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(a_picture())

    with pytest.raises(FileNotFoundError):
        prepare_image(tmp_path / "a.jpg", "a.jpg", tmp_path / "missing", DatasetLimits())


def test_a_fault_of_the_disk_is_not_blamed_on_the_zip(tmp_path: Path) -> None:
    source = SourceFile(path=photo_zip(tmp_path / "cats.zip", 1), name="cats.zip")

    with pytest.raises(FileNotFoundError):
        gather([source], tmp_path / "missing", DatasetLimits())


def test_a_stored_reason_reads_after_the_name() -> None:
    report = Report(images=(), left_out=(LeftOut(name="a.pdf", reason="is not a picture"),))

    assert report.to_json() == {"images": [], "left_out": [{"name": "a.pdf", "reason": "is not a picture"}]}


def test_the_pool_outlives_a_process_that_died() -> None:
    with open_pool(1) as pool:
        with pytest.raises(BrokenExecutor):
            pool.submit(os.kill, pool.submit(os.getpid).result(), signal.SIGKILL).result()

        assert pool.submit(abs, -1).result() == 1


def test_a_process_of_the_pool_leaves_an_interrupt_to_the_bot() -> None:
    with open_pool(1) as pool:
        process_id = pool.submit(os.getpid).result()

        os.kill(process_id, signal.SIGINT)

        assert pool.submit(os.getpid).result() == process_id
