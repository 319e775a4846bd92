"""What a simulated Hub holds, repositories made of commits, and the JSON shapes in which it tells of them."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

Json = dict[str, Any]
FRONT_MATTER = re.compile(r"\A(\s*---(?:\r\n|\r|\n))([\S\s]*?)((?:\r\n|\r|\n)---[ \t]*(\r\n|\n|$))")
LARGEST_REGULAR_FILE = 10 * 2**20


class Refused(Exception):
    def __init__(self, status: int, sentence: str, *, code: str = "", **body: Any) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.code, self.body = status, sentence, code, body


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    data: bytes
    is_lfs: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def blob_id(self) -> str:
        return hashlib.sha1(b"blob %d\0" % len(self.data) + self.data).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Commit:
    """`files` is all that is in the repository after it."""

    oid: str
    title: str
    message: str
    files: Mapping[str, StoredFile]


@dataclass(kw_only=True)
class Repo:
    """`commits` oldest first; `ours` is those made through the API."""

    repo_id: str
    private: bool
    gated: bool = False
    commits: list[Commit] = field(default_factory=list)

    @property
    def head(self) -> Commit:
        return self.commits[-1]

    @property
    def ours(self) -> list[Commit]:
        return [one for one in self.commits if one.title != "initial commit"]

    @property
    def files(self) -> dict[str, bytes]:
        return {path: file.data for path, file in self.head.files.items()}

    @property
    def card(self) -> Any:
        """The front matter of the README, as the Hub reads it."""
        found = FRONT_MATTER.search(self.files.get("README.md", b"").decode())
        return yaml.safe_load(found[2]) if found else None

    def add_commit(self, title: str, message: str, files: Mapping[str, StoredFile]) -> Commit:
        text = f"{self.repo_id} {len(self.commits)} {title} {message}"
        commit = Commit(oid=hashlib.sha1(text.encode()).hexdigest(), title=title, message=message, files=dict(files))
        self.commits.append(commit)
        return commit

    def at(self, revision: str) -> Commit:
        for commit in self.commits:
            if revision in (commit.oid, "main" if commit is self.head else commit.oid):
                return commit
        raise Refused(404, "Invalid rev id", code="RevisionNotFound")


def goes_to_lfs(path: str, sample: bytes, size: int) -> bool:
    return size > 0 and (path.endswith(".safetensors") or size > LARGEST_REGULAR_FILE or b"\0" in sample[:512])


def problem_with_card(readme: str) -> str | None:
    """The Hub refuses front matter that is no YAML mapping, or whose known fields are of the wrong kind."""
    found = FRONT_MATTER.search(readme)
    if found is None:
        return None
    try:
        card = yaml.safe_load(found[2])
    except yaml.YAMLError as problem:
        return f"YAML Metadata Error: {problem}"
    if not isinstance(card, dict):
        return "YAML Metadata Error: it must be an object"
    text = ("license", "license_name", "license_link", "pipeline_tag", "library_name", "instance_prompt")
    wrong = [name for name in text if not isinstance(card.get(name, ""), str)]
    wrong += [name for name in ("tags", "widget") if not isinstance(card.get(name, []), list)]
    return f'YAML Metadata Error: "{wrong[0]}" is of the wrong kind' if wrong else None


def sibling(path: str, file: StoredFile, with_sizes: bool) -> Json:
    if not with_sizes:
        return {"rfilename": path}
    lfs = {"lfs": {"sha256": file.sha256, "size": len(file.data), "pointerSize": 134}} if file.is_lfs else {}
    return {"rfilename": path, "blobId": file.blob_id, "size": len(file.data), **lfs}


def entry(path: str, file: StoredFile) -> Json:
    lfs = {"lfs": {"oid": file.sha256, "size": len(file.data), "pointerSize": 134}} if file.is_lfs else {}
    return {"type": "file", "oid": file.blob_id, "size": len(file.data), "path": path, **lfs}


def listed(commit: Commit, username: str) -> Json:
    return {
        "id": commit.oid,
        "title": commit.title,
        "message": commit.message,
        "authors": [{"user": username, "avatar": ""}],
        "date": "2026-11-21T10:00:00.000Z",
    }
