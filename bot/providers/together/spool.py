"""Keeps what a blocking call answered until it is fetched: complete or not there at all, also after a power cut.

Blocking; every method may raise `OSError`.
"""

import contextlib
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

INCOMING = "incoming-"
NOTE = "note.json"
ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """`missing` pictures were asked for and did not come. `problem` says in a sentence why there is none at all."""

    pictures: tuple[Path, ...]
    missing: int
    problem: str


class Spool:
    """One folder per task below `home`, readable by its owner only."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def open(self) -> Path:
        """An empty folder to fill, before anything is paid: a full disk is noticed while it is free."""
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = self._home / f"{INCOMING}{uuid4().hex}"
        folder.mkdir(mode=0o700)
        self.write(folder / NOTE, b"{}")
        return folder

    def write(self, path: Path, content: bytes) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)

    def keep(self, folder: Path, *, missing: int, problem: str) -> str:
        """From here on it is a task; answers its id."""
        self.write(folder / NOTE, json.dumps({"missing": missing, "problem": problem}).encode())
        for path in (*folder.iterdir(), folder):
            _sync(path)
        task_id = folder.name.removeprefix(INCOMING)
        folder.rename(self._home / task_id)
        _sync(self._home)
        return task_id

    def find(self, task_id: str) -> Kept | None:
        folder = self._home / task_id
        if not ID.fullmatch(task_id) or not folder.is_dir():
            return None
        note = json.loads((folder / NOTE).read_bytes())
        pictures = tuple(sorted(path for path in folder.iterdir() if path.name != NOTE))
        return Kept(pictures=pictures, missing=note["missing"], problem=note["problem"])

    def copy(self, kept: Kept, into: Path, prefix: str) -> list[Path]:
        """The pictures as files of their own in `into`, in order."""
        into.mkdir(mode=0o700, parents=True, exist_ok=True)
        copies = []
        for picture in kept.pictures:
            target = into / f"{prefix}-{picture.name}"
            half = target.with_name(f".{target.name}")
            self.write(half, picture.read_bytes())
            copies.append(half.replace(target))
        return copies

    def clear(self, folder: Path) -> None:
        """Of a folder that did not become a task; one that did has another name by now."""
        shutil.rmtree(folder, ignore_errors=True)

    def sweep(self, before: float) -> None:
        """Forget what was last touched before that moment (epoch seconds); another process may be doing the same."""
        for folder in self._home.iterdir() if self._home.is_dir() else ():
            with contextlib.suppress(FileNotFoundError):
                if folder.stat().st_mtime < before:
                    shutil.rmtree(folder, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
