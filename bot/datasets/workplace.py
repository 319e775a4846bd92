"""The folder one preparation works in, below the one it leaves its pictures in.

Pictures are written there and only the chosen ones are moved up, so that what was cut off leaves nothing behind.
"""

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

_PREFIX = "preparing-"
_ABANDONED = ".abandoned"
_PICTURE = re.compile(r"[0-9a-f]{64}\.jpg")


def opened(into: Path) -> Path:
    """`into` and below it are for the bot alone."""
    into.mkdir(mode=0o700, parents=True, exist_ok=True)
    into.chmod(0o700)
    return Path(tempfile.mkdtemp(prefix=_PREFIX, dir=into))


def hand_out(names: Sequence[str], folder: Path, into: Path) -> None:
    """Lasting once it returns: a rename survives a power cut only when its folder is written too."""
    for name in names:
        if not (into / name).exists():  # moved by a process that died at it
            (folder / name).rename(into / name)
    shutil.rmtree(folder, ignore_errors=True)
    descriptor = os.open(into, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def clear(into: Path) -> None:
    """Also what an earlier preparation left here when the bot was killed; anything else in the folder is not ours."""
    if not into.is_dir():
        return
    for folder in list(into.glob(f"{_PREFIX}*")):
        # Renamed first: a process still at work in it then finds no place for another file.
        with contextlib.suppress(FileNotFoundError):
            abandoned = folder if folder.name.endswith(_ABANDONED) else folder.rename(f"{folder}{_ABANDONED}")
            shutil.rmtree(abandoned, ignore_errors=True)
    for picture in into.glob("*.jpg"):
        if _PICTURE.fullmatch(picture.name):
            picture.unlink(missing_ok=True)
