"""Names on the Hub: of repositories, of files, and of the commit that belongs to a job. Pure."""

import re
import unicodedata

from bot.errors import BadInput

LONGEST_SLUG = 60
SUFFIX_LENGTH = 8
WEIGHTS = "lora.safetensors"
PART = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?"
REPO_NAME = re.compile(PART)
REPO_ID = re.compile(f"{PART}/{PART}")
COMMIT = re.compile(r"[0-9a-f]{40}")
FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ .()+=,-]{0,180}\.safetensors")
PROMISED_SIZE = re.compile(rf"{re.escape(WEIGHTS)}: (\d{{1,15}}) bytes")


def repo_name_for(name: str, job_id: str) -> str:
    """Lower-case ASCII made from a model's name, and the end of its job's id so that no two jobs share one."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")[:LONGEST_SLUG].strip("-") or "lora"
    suffix = re.sub(r"[^a-z0-9]", "", job_id.lower())[-SUFFIX_LENGTH:]
    return f"{slug}-{suffix}" if suffix else slug


def checked_repo_id(repo_id: str) -> str:
    """The same `owner/name`, when it can be one. Raises `BadInput`."""
    if is_repo_id(repo_id):
        return repo_id
    raise BadInput("A Hugging Face repository is written owner/name, with letters, digits, dots, - and _ only.")


def checked_repo_name(name: str) -> str:
    if REPO_NAME.fullmatch(name) and _has_no_forbidden_part(name):
        return name
    raise BadInput("That cannot be the name of a Hugging Face repository.")


def is_repo_id(text: object) -> bool:
    return isinstance(text, str) and bool(REPO_ID.fullmatch(text)) and _has_no_forbidden_part(text)


def _has_no_forbidden_part(name: str) -> bool:
    return "--" not in name and ".." not in name and not name.lower().endswith((".git", ".ipynb"))


def commit_title(job_id: str) -> str:
    """What the commit of a job is called: how a publication is found again after a crash."""
    return f"Atelier job {job_id}"


def commit_description(weights_bytes: int) -> str:
    return f"{WEIGHTS}: {weights_bytes} bytes"


def promised_bytes(description: object) -> int | None:
    """How large the weights of a commit are, as its description says."""
    found = PROMISED_SIZE.search(description[:1000]) if isinstance(description, str) else None
    return int(found[1]) if found else None
