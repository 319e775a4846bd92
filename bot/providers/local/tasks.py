"""The local provider's memory: one folder per accepted task, in which nothing is ever half written.

home/accepted.log               one line per acceptance: job id, task id
home/incoming/<task id>/        being filled; not accepted, thrown away after an hour
home/tasks/<task id>/           accepted, from the moment it has this name
    task.json                   what was asked for
    dataset.zip or weights.zip  a copy of what the work needs
    progress.json               how far it is
    ended.json                  how it ended; whoever links this name first decides, and it never changes
    result/                     weights.zip, or picture-0.png …
"""

import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

INCOMING_LIFETIME_SECONDS = 3600
TASK_ID = r"local-[0-9a-f]{16}-[0-9a-f]{12}"
TRAINING = "training"
GENERATION = "generation"


@dataclass(frozen=True, kw_only=True)
class LocalTask:
    """`request` holds the settings of a training or the fields of a generation."""

    task_id: str
    job_id: str
    kind: str
    accepted_at: float
    request: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Ending:
    """`meaning` is empty when there is a result, and otherwise one of the failures' words."""

    meaning: str = ""
    sentence: str = ""


class TaskFolders:
    """Every method blocks for a moment; the provider calls them in a thread."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._tasks = home / "tasks"
        self._incoming = home / "incoming"

    def accept(self, *, job_id: str, kind: str, request: dict[str, Any], needs: Path, now: float) -> LocalTask:
        """Fill a folder, then give it its name. Raises OSError only while the task is certainly not accepted."""
        self._make_home(now)
        task_id = f"{_prefix(job_id)}{secrets.token_hex(6)}"
        task = LocalTask(task_id=task_id, job_id=job_id, kind=kind, accepted_at=now, request=request)
        folder = self._incoming / task_id
        folder.mkdir(mode=0o700)
        copy_durably(needs, folder / needed_name(kind))
        write_durably(folder / "task.json", _to_json(asdict(task)))
        folder.rename(self._tasks / task_id)
        return task

    def note_acceptance(self, task: LocalTask) -> None:
        """Make sure that the acceptance is on disk, and add its line to the log."""
        _sync_folder(self._tasks)
        line = f"{json.dumps(task.job_id)[1:-1]} {task.task_id}\n".encode()
        descriptor = os.open(self._home / "accepted.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "ab") as log:
            log.write(line)
            log.flush()
            os.fsync(log.fileno())

    def folder(self, task_id: str) -> Path:
        return self._tasks / task_id

    def needed_file(self, task: LocalTask) -> Path:
        return self.folder(task.task_id) / needed_name(task.kind)

    def result_file(self, task_id: str, name: str) -> Path:
        folder = self.folder(task_id) / "result"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / name

    def load(self, task_id: str) -> LocalTask | None:
        """The accepted task of this id. An id that could not be ours is never made into a path."""
        if not re.fullmatch(TASK_ID, task_id):
            return None
        raw = _read_json(self.folder(task_id) / "task.json")
        return LocalTask(**raw) if raw else None

    def find(self, job_id: str, *, since: float) -> list[LocalTask]:
        """What was accepted for this job since that moment, newest first."""
        if not self._tasks.is_dir():
            return []
        loaded = (self.load(folder.name) for folder in self._tasks.glob(f"{_prefix(job_id)}*"))
        own = [task for task in loaded if task and task.job_id == job_id and task.accepted_at >= since]
        return sorted(own, key=lambda task: (task.accepted_at, task.task_id), reverse=True)

    def progress(self, task_id: str) -> float:
        raw = _read_json(self.folder(task_id) / "progress.json")
        return float(raw["progress"]) if raw else 0.0

    def write_progress(self, task_id: str, progress: float) -> None:
        write_durably(self.folder(task_id) / "progress.json", _to_json({"progress": progress}))

    def ending(self, task_id: str) -> Ending | None:
        raw = _read_json(self.folder(task_id) / "ended.json")
        return Ending(**raw) if raw else None

    def end(self, task_id: str, ending: Ending) -> bool:
        """False when the task had already ended; its first ending stays."""
        folder = self.folder(task_id)
        written = folder / f"ended-{secrets.token_hex(6)}.json"
        write_durably(written, _to_json(asdict(ending)))
        try:
            os.link(written, folder / "ended.json")
        except FileExistsError:
            return False
        finally:
            written.unlink()
        _sync_folder(folder)
        return True

    def _make_home(self, now: float) -> None:
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._tasks.mkdir(mode=0o700, exist_ok=True)
        self._incoming.mkdir(mode=0o700, exist_ok=True)
        for left in self._incoming.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if left.stat().st_mtime < now - INCOMING_LIFETIME_SECONDS:
                    shutil.rmtree(left)


def needed_name(kind: str) -> str:
    return "dataset.zip" if kind == TRAINING else "weights.zip"


def write_durably(target: Path, content: bytes) -> None:
    """Readers see the old file or the new one, also after a power cut; only its owner may read it."""
    temporary = target.with_name(f".{target.name}-{secrets.token_hex(6)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(target)
    _sync_folder(target.parent)


def copy_durably(source: Path, target: Path) -> None:
    """A copy and not a link: a link would share its permissions, and later changes, with the original."""
    temporary = target.with_name(f".{target.name}-{secrets.token_hex(6)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as original, os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(original, file, 1024 * 1024)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(target)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _prefix(job_id: str) -> str:
    digest = hashlib.sha256(job_id.encode("utf-8", "surrogatepass")).hexdigest()
    return f"local-{digest[:16]}-"


def _to_json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, indent=1).encode()


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        raw = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    return raw if isinstance(raw, dict) else None
