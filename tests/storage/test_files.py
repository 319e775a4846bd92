"""The file store keeps whole files, once, and privately."""

import asyncio
import shutil
import stat
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from storage.files import Files


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    files = Files(tmp_path / "files")
    yield files
    files.close()


def everything_below(path: Path) -> list[Path]:
    return [found for found in path.rglob("*") if found.is_file()]


async def test_the_same_bytes_are_kept_once_under_their_hash(files: Files, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"weights")
    (tmp_path / "b").write_bytes(b"weights")
    name = await files.keep(tmp_path / "a")
    assert await files.keep(tmp_path / "b") == name
    assert name == "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c"
    assert await files.read(name) == b"weights"
    assert len(everything_below(tmp_path / "files")) == 1


async def test_only_the_bots_user_may_read_it(files: Files, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"weights")
    path = files.path_of(await files.keep(tmp_path / "a"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(files.work_folder("x").stat().st_mode) == 0o700


async def test_a_file_that_cannot_be_read_leaves_nothing_half(files: Files, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await files.keep(tmp_path / "missing")
    assert everything_below(tmp_path / "files") == []


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "/x"])
def test_a_name_that_is_no_hash_is_refused(files: Files, name: str) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal"):
        files.path_of(name)


async def test_a_removed_file_is_gone_and_removing_twice_is_harmless(files: Files, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"weights")
    name = await files.keep(tmp_path / "a")
    files.remove(name)
    files.remove(name)
    assert not files.has(name)


async def test_work_folders_outlive_a_restart_and_half_written_files_do_not(files: Files, tmp_path: Path) -> None:
    (files.work_folder("job") / "upload").write_bytes(b"x")
    (tmp_path / "files" / "incoming" / "half").write_bytes(b"x")
    again = Files(tmp_path / "files")
    again.forget_unfinished()
    assert (again.work_folder("job") / "upload").exists()
    assert not (tmp_path / "files" / "incoming" / "half").exists()
    assert list((await again.empty_work_folder("job")).iterdir()) == []
    await again.clear_work("job")
    again.close()
    assert len(everything_below(tmp_path / "files")) == 0


SLOW_SECONDS = 1.0


async def longest_stall(work: Awaitable[object]) -> float:
    """How late the event loop was at most, in seconds, while this was done."""
    doing = asyncio.ensure_future(work)
    longest = 0.0
    while not doing.done():
        before = time.perf_counter()
        await asyncio.sleep(0.005)
        longest = max(longest, time.perf_counter() - before)
    await doing
    return longest


@pytest.mark.parametrize(
    "work",
    [
        lambda files: files.clear_work("job"),
        lambda files: files.empty_work_folder("job"),
        lambda files: files.empty_part_of_work("job", "part"),
    ],
)
async def test_nobody_waits_while_gigabytes_are_removed(
    files: Files, monkeypatch: pytest.MonkeyPatch, work: Callable[[Files], Awaitable[object]]
) -> None:
    (files.work_folder("job") / "upload").write_bytes(b"x")
    real = shutil.rmtree

    def slowly(path: Path, **options: bool) -> None:
        time.sleep(SLOW_SECONDS)
        real(path, **options)

    monkeypatch.setattr(shutil, "rmtree", slowly)
    assert await longest_stall(work(files)) < SLOW_SECONDS


async def test_whoever_is_stopped_while_removing_waits_for_its_end(files: Files, tmp_path: Path) -> None:
    """Else a thread would remove what somebody else puts there next."""
    names = []
    for number in range(3):
        (tmp_path / "a").write_bytes(b"picture %d" % number)
        names.append(await files.keep(tmp_path / "a"))
    real = files.remove

    def slowly(name: str) -> None:
        time.sleep(0.1)
        real(name)

    files.remove = slowly  # type: ignore[method-assign]
    removing = asyncio.create_task(files.remove_all(names))
    await asyncio.sleep(0.05)
    removing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await removing
    assert [name for name in names if files.has(name)] == []
