"""How long a large dataset takes to prepare, how much memory it needs, and how far that is from the least possible.

    .venv/bin/python -m benchmarks.datasets --images 400 --rounds 3

The floor is a bare loop over the same files, unpacked beforehand: decode at the same fraction, resize, encode, on all
cores; it checks, hashes, measures, reports and writes nothing. Each round runs both, one after the other. `ratio` is
the floor's time over ours; `cpu ratio` the same for the seconds that processors were busy, which other programs on
the machine disturb less. `stall` is how late the event loop was at worst while it prepared; `own` how long it was at
work itself at most between two ticks, and `idle` how late a loop was that only waited for the floor: on a busy
machine most of a stall is waiting for a processor.
"""

import argparse
import asyncio
import io
import multiprocessing
import os
import tempfile
import time
import zipfile
from collections.abc import Awaitable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from bot.datasets.limits import MEBIBYTE, DatasetLimits
from bot.datasets.pool import open_pool
from bot.datasets.preparation import SourceFile, prepare

PACKINGS = {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED}
LIMITS = DatasetLimits()
_TICK_SECONDS = 0.002
_TICKS_PER_SAMPLE = 25


@dataclass(frozen=True, kw_only=True)
class Run:
    seconds: float
    processor_seconds: float
    peak_bytes: int
    longest_stall_seconds: float
    longest_own_seconds: float
    images: int


class Watch:
    """Ticks in the loop that prepares: how late each tick is, and now and then what all processes hold together."""

    def __init__(self) -> None:
        self.longest_stall_seconds = 0.0
        self.longest_own_seconds = 0.0
        self.peak_bytes = 0

    async def look(self) -> None:
        ticks = 0
        while True:
            before, own = time.perf_counter(), time.thread_time()
            await asyncio.sleep(_TICK_SECONDS)
            late = time.perf_counter() - before - _TICK_SECONDS
            self.longest_stall_seconds = max(self.longest_stall_seconds, late)
            self.longest_own_seconds = max(self.longest_own_seconds, time.thread_time() - own)
            ticks += 1
            if ticks % _TICKS_PER_SAMPLE == 0:
                self.peak_bytes = max(self.peak_bytes, sum(map(_resident_bytes, _family(os.getpid()))))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--packing", choices=PACKINGS, default="stored")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "atelier-benchmark")
    chosen = parser.parse_args()
    archive, files = _camera_roll(chosen.folder, chosen.images, chosen.packing)
    size = archive.stat().st_size
    cores = os.cpu_count() or 1
    print(
        f"{len(files)} JPEGs of 12 megapixels in a zip of {size / 1e6:,.0f} MB ({chosen.packing}), {cores} cores.\n\n"
        f"{'':<10}{'seconds':>9}{'images/s':>10}{'MB/s':>8}{'floor s':>9}{'ratio':>7}{'cpu ratio':>11}"
        f"{'peak MiB':>10}{'stall ms':>10}{'own ms':>8}{'idle ms':>9}"
    )
    best = 0.0
    for number in range(1, chosen.rounds + 1):
        floor = _floor(files, cores)
        run = _product(archive)
        cpu_ratio = floor.processor_seconds / run.processor_seconds
        assert run.images == len(files), f"{run.images} of {len(files)} pictures were kept"
        best = max(best, floor.seconds / run.seconds)
        print(
            f"round {number:<4}{run.seconds:>9.1f}{run.images / run.seconds:>10.1f}{size / 1e6 / run.seconds:>8.0f}"
            f"{floor.seconds:>9.1f}{floor.seconds / run.seconds:>7.2f}{cpu_ratio:>11.2f}"
            f"{run.peak_bytes / MEBIBYTE:>10.0f}"
            f"{run.longest_stall_seconds * 1000:>10.1f}{run.longest_own_seconds * 1000:>8.1f}"
            f"{floor.longest_stall_seconds * 1000:>9.1f}"
        )
    print(f"\nAt best {best:.2f} of the floor's speed.")


def _product(archive: Path) -> Run:
    with open_pool() as pool, tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        return asyncio.run(_watched(_prepared(archive, Path(folder) / "prepared", pool)))


async def _prepared(archive: Path, into: Path, pool: Executor) -> int:
    source = SourceFile(path=archive, name=archive.name)
    return len((await prepare([source], into=into, pool=pool, limits=LIMITS, most=LIMITS.max_images)).images)


def _floor(files: list[Path], cores: int) -> Run:
    with multiprocessing.get_context("forkserver").Pool(cores, initializer=_give_way) as pool:
        pool.map(abs, range(cores))  # every process is up before the clock starts
        return asyncio.run(_watched(asyncio.to_thread(lambda: len(list(pool.imap_unordered(_bare, files))))))


async def _watched(work: Awaitable[int]) -> Run:
    watch = Watch()
    looking = asyncio.ensure_future(watch.look())
    busy, began = _processor_seconds(), time.perf_counter()
    images = await work
    seconds, busy = time.perf_counter() - began, _processor_seconds() - busy
    looking.cancel()
    return Run(
        seconds=seconds,
        processor_seconds=busy,
        peak_bytes=watch.peak_bytes,
        longest_stall_seconds=watch.longest_stall_seconds,
        longest_own_seconds=watch.longest_own_seconds,
        images=images,
    )


def _give_way() -> None:
    """As the product's processes do."""
    os.nice(10)


def _bare(path: Path) -> int:
    with Image.open(path) as image:
        scale = LIMITS.long_side / max(image.size)
        size = round(image.width * scale), round(image.height * scale)
        image.draft(None, size)
        buffer = io.BytesIO()
        image.resize(size, Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=95, subsampling=0)
        return buffer.tell()


def _camera_roll(folder: Path, images: int, packing: str) -> tuple[Path, list[Path]]:
    """Made by a process of its own, whose memory is not counted; once for each number."""
    archive = folder / f"{images}-{packing}.zip"
    unpacked = folder / f"{images}-unpacked"
    folder.mkdir(parents=True, exist_ok=True)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.apply(_make, (archive, unpacked, images, PACKINGS[packing]))
    return archive, sorted(unpacked.rglob("*.JPG"))


def _make(archive: Path, unpacked: Path, images: int, packing: int) -> None:
    from benchmarks.camera_roll import make_camera_roll  # noqa: PLC0415  # numpy, in this process only

    if not archive.exists():
        make_camera_roll(archive, images, packing)
    if len(list(unpacked.rglob("*.JPG"))) != images:
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(unpacked)


def _family(process: int) -> Iterator[int]:
    """A process and everything it started: the pool's server, its workers and whoever tidies up after them."""
    yield process
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    except OSError:
        return
    for child in children:
        yield from _family(int(child))


def _processor_seconds() -> float:
    """Of this process and of all it started that are still there."""
    ticks = 0
    for process in _family(os.getpid()):
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _resident_bytes(process: int) -> int:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    except OSError:  # ended in the meantime
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
