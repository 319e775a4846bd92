"""The files that the Black Forest Labs provider reads and writes. Blocking."""

import json
import re
from pathlib import Path

from bot.errors import ProviderRefused

NOTE = "This finetune lives at Black Forest Labs, which hands out no weights: keep its name."


def content_of(path: Path, most_bytes: int) -> bytes:
    """A byte more than allowed, if there is one: the request's own check refuses it. Raises `ProviderRefused`."""
    try:
        with path.open("rb") as file:
            return file.read(most_bytes + 1)
    except OSError:
        raise ProviderRefused("A file of this request cannot be read any more: start again.") from None


def download_path(task_id: str, into: Path) -> Path:
    """Where a picture goes until its bytes say what it is: one name per task."""
    into.mkdir(mode=0o700, parents=True, exist_ok=True)
    return into / f"bfl-{re.sub(r'[^A-Za-z0-9_-]', '-', task_id)[:80]}.download"


def write_finetune(finetune_id: str, into: Path) -> Path:
    into.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = into / "bfl-finetune.json"
    path.write_text(json.dumps({"finetune_id": finetune_id, "note": NOTE}, indent=2) + "\n", encoding="utf-8")
    return path
