"""A real disk of 24 MiB, which a test can fill; where this process may mount one."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def _though_full() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        if problem.errno != errno.ENOSPC:
            raise


@contextmanager
def small_disk_at(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this process may not mount a disk; the limit on the size of files stands for it")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, *, leaving: int = 0) -> None:
    """Whoever else writes there meanwhile fills it too."""
    free = os.statvfs(disk)
    with _though_full(), (disk / "filling").open("wb", buffering=0) as file:
        file.write(bytes(max(free.f_bavail * free.f_frsize - leaving, 0)))


def free(disk: Path) -> None:
    (disk / "filling").unlink()
