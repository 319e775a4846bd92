"""The whole way from what is handed over to pictures on disk, and what is left when it does not get there."""

import asyncio
import hashlib
import stat
import zipfile
from concurrent.futures import Executor
from pathlib import Path

import pytest
from PIL import Image

from bot.datasets.images import prepare_image
from bot.datasets.limits import DatasetLimits
from bot.datasets.preparation import SourceFile, prepare
from bot.datasets.report import LeftOut, Prepared
from bot.datasets.sources import gather
from bot.errors import DatasetRejected
from tests.dataset_files import photo_files, photo_zip, real_photo_zip, real_photos
from tests.datasets.conftest import HandOver
from tests.datasets.hostile_files import a_picture, one_picture_zip, png_claiming, zip_bytes

LIMITS = DatasetLimits()


def file_names(prepared: Prepared) -> set[str]:
    return {f"{image.sha256}.jpg" for image in prepared.images}


async def test_each_picture_is_left_under_its_hash_and_nothing_else(hand_over: HandOver, prepared_into: Path) -> None:
    prepared = await hand_over({"cats.zip": zip_bytes(photo_files(3))})

    assert {path.name for path in prepared_into.iterdir()} == file_names(prepared)
    assert len(prepared.images) == 3
    for image in prepared.images:
        content = (prepared_into / f"{image.sha256}.jpg").read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (image.sha256, image.size_bytes)


async def test_what_is_left_is_for_the_bot_alone(hand_over: HandOver, prepared_into: Path) -> None:
    await hand_over({"cats.zip": zip_bytes(photo_files(2))})

    assert stat.S_IMODE(prepared_into.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in prepared_into.iterdir()} == {0o600}


async def test_a_picture_says_what_it_was(hand_over: HandOver) -> None:
    prepared = await hand_over({"cat.jpg": a_picture()})

    [image] = prepared.images
    assert (image.width, image.height, image.original_width, image.original_height) == (640, 480, 640, 480)
    assert len(image.measures.fingerprint) == 16


async def test_one_picture_is_enough(hand_over: HandOver) -> None:
    """A dataset may grow: how many a training needs is asked when it begins."""
    prepared = await hand_over({"cats.zip": one_picture_zip()})

    assert len(prepared.images) == 1


async def test_without_one_usable_picture_the_commonest_reasons_are_named(
    hand_over: HandOver, prepared_into: Path
) -> None:
    files = {
        "a.docx": b"PK\x03\x04",
        "b.mp4": b"\0\0\0\x18ftypmp42",
        "c.mp4": b"\0\0\0\x18ftypmp42",
        "cut.jpg": a_picture()[:5000],
    }

    with pytest.raises(DatasetRejected) as refusal:
        await hand_over({"cats.zip": zip_bytes(files)})

    assert refusal.value.sentence == (
        "No picture can be used: one is a video: take a still from it (and 1 more like it); "
        "one is a document: save its pictures as JPEG or PNG; one is cut off: save it again."
    )
    assert list(prepared_into.iterdir()) == []


async def test_more_pictures_than_a_dataset_holds_are_mentioned_and_not_kept(
    hand_over: HandOver, prepared_into: Path
) -> None:
    prepared = await hand_over({"cats.zip": zip_bytes(photo_files(9))}, most=3)

    assert [image.name for image in prepared.images] == ["warm-01.jpg", "warm-02.jpg", "warm-03.jpg"]
    assert prepared.left_out == tuple(
        LeftOut(name=f"warm-{number:02}.jpg", reason="is beyond the 3 pictures a dataset holds")
        for number in range(4, 10)
    )
    assert {path.name for path in prepared_into.iterdir()} == file_names(prepared)


async def test_no_dataset_holds_more_than_the_limits_say(hand_over: HandOver) -> None:
    prepared = await hand_over({"cats.zip": zip_bytes(photo_files(3))}, limits=DatasetLimits(max_images=2), most=99)

    assert [left_out.reason for left_out in prepared.left_out] == ["is beyond the 2 pictures a dataset holds"]


async def test_equal_pictures_do_not_count_twice(hand_over: HandOver) -> None:
    twins = {"1.jpg": a_picture(1), "2.jpg": a_picture(1), "3.jpg": a_picture(1), "4.jpg": a_picture(2)}

    prepared = await hand_over({"cats.zip": zip_bytes(twins)}, most=2)

    assert [image.name for image in prepared.images] == ["1.jpg", "4.jpg"]
    assert {each.reason for each in prepared.left_out} == {"is the same picture as “1.jpg”"}


async def test_a_slow_picture_keeps_its_place(hand_over: HandOver) -> None:
    slow = png_claiming(7000, 7000)
    prepared = await hand_over({"a.png": slow, **{f"{n}.jpg": a_picture(n) for n in range(20)}})

    assert [image.name for image in prepared.images] == ["a.png", *(f"{n}.jpg" for n in range(20))]


async def test_the_same_upload_gives_the_same_pictures(tmp_path: Path, pool: Executor) -> None:
    sources = [SourceFile(path=photo_zip(tmp_path / "cats.zip", 6), name="cats.zip")]
    one, two = [
        await prepare(sources, into=tmp_path / folder, pool=pool, limits=LIMITS, most=9) for folder in ("one", "two")
    ]

    assert one == two
    assert {path.name for path in (tmp_path / "one").iterdir()} == {path.name for path in (tmp_path / "two").iterdir()}


async def test_real_photographs_become_a_dataset(tmp_path: Path, pool: Executor) -> None:
    sources = [SourceFile(path=real_photo_zip(tmp_path / "real.zip"), name="real.zip")]

    prepared = await prepare(sources, into=tmp_path / "into", pool=pool, limits=LIMITS, most=20)

    assert len(prepared.images) == len(real_photos()) > 0
    assert prepared.left_out == ()


async def test_progress_counts_every_picture(tmp_path: Path, pool: Executor) -> None:
    sources = [SourceFile(path=photo_zip(tmp_path / "cats.zip", 4), name="cats.zip")]
    heard: list[tuple[int, int]] = []

    await prepare(
        sources,
        into=tmp_path / "into",
        pool=pool,
        limits=LIMITS,
        most=9,
        on_progress=lambda done, total: heard.append((done, total)),
    )

    assert heard == [(done, 4) for done in range(5)]


@pytest.mark.parametrize("stop_after", [0, 1, 5, 20])
async def test_a_cancelled_preparation_leaves_nothing(stop_after: int, tmp_path: Path, pool: Executor) -> None:
    sources = [SourceFile(path=photo_zip(tmp_path / "cats.zip", 20), name="cats.zip")]
    into = tmp_path / "into"

    def stop(done: int, total: int) -> None:
        if done == stop_after:
            preparing.cancel()

    preparing = asyncio.ensure_future(prepare(sources, into=into, pool=pool, limits=LIMITS, most=99, on_progress=stop))

    with pytest.raises(asyncio.CancelledError):
        await preparing
    assert list(into.iterdir()) == []


async def test_another_preparation_starts_over(hand_over: HandOver, prepared_into: Path) -> None:
    """Also after a bot that was killed; what is not a preparation's own stays."""
    (prepared_into / "preparing-abc").mkdir(parents=True)
    (prepared_into / "preparing-abc" / f"{'0' * 64}.jpg").write_bytes(b"half a picture")
    (prepared_into / f"{'0' * 64}.jpg").write_bytes(b"an earlier picture")
    (prepared_into / "notes").write_bytes(b"not ours")

    prepared = await hand_over({"cat.jpg": a_picture()})

    assert {path.name for path in prepared_into.iterdir()} == file_names(prepared) | {"notes"}


async def test_the_bots_own_process_opens_neither_zip_nor_picture(
    tmp_path: Path, pool: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [SourceFile(path=photo_zip(tmp_path / "cats.zip", 3), name="cats.zip")]

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("blocking work in the process of the event loop")

    monkeypatch.setattr(Image, "open", refuse)
    monkeypatch.setattr(Image.Image, "save", refuse)
    monkeypatch.setattr(zipfile.ZipFile, "__init__", refuse)

    prepared = await prepare(sources, into=tmp_path / "into", pool=pool, limits=LIMITS, most=9)

    assert len(prepared.images) == 3


def test_a_fault_of_the_disk_is_not_blamed_on_the_picture(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(a_picture())

    with pytest.raises(FileNotFoundError):
        prepare_image(tmp_path / "a.jpg", "a.jpg", tmp_path / "missing", LIMITS)


def test_a_zip_that_went_missing_is_not_blamed_on_anybody(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        gather([SourceFile(path=tmp_path / "gone.zip", name="gone.zip")], LIMITS)
