"""What the Hub answers, checked before anybody reads it: it tells what strangers put into their repositories. Pure."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.errors import BadInput, ProviderDenied
from bot.hub import names
from bot.hub.meanings import unreachable

LARGEST_LORA_BYTES = 5 * 2**30
SHOWN_CHOICES = 8
SHA256 = re.compile(r"[0-9a-f]{64}")
CANNOT_PUBLISH = "The bot's Hugging Face token cannot publish: its operator has to look at it."


@dataclass(frozen=True, kw_only=True)
class HubFile:
    """`url` names one commit. `private`: only the bot's token can fetch it. `base_model` is what the card claims."""

    url: str
    file_name: str
    size_bytes: int
    sha256: str | None
    base_model: str | None
    private: bool


def account_of(answer: Any, *, namespace: str) -> str:
    """The account that `whoami` names. Raises `ProviderDenied` when it cannot publish below `namespace`."""
    name = answer.get("name") if isinstance(answer, dict) else None
    if not isinstance(name, str) or not names.REPO_NAME.fullmatch(name):
        raise unreachable("whoami named no account")
    if namespace.lower() not in {name.lower(), *_organisations(answer)}:
        raise ProviderDenied(
            CANNOT_PUBLISH, advice=f"HUGGINGFACE_API_TOKEN belongs to {name}, who is not part of {namespace}"
        )
    if _role(answer) == "read":
        raise ProviderDenied(CANNOT_PUBLISH, advice="HUGGINGFACE_API_TOKEN may only read: make one that may write")
    return name


def commit_of(text: Any) -> str:
    """A whole commit id. Raises `ProviderUnreachable`."""
    if isinstance(text, str) and names.COMMIT.fullmatch(text):
        return text
    raise unreachable("the Hub named no commit")


def only_lora(about: Any, *, endpoint: str, repo_id: str) -> HubFile:
    """The one `.safetensors` at the top of a repository (a `ModelInfo` with its files). Raises `BadInput`."""
    at_the_top = [one for one in about.siblings or [] if _is_at_the_top(one.rfilename)]
    if len(at_the_top) != 1 or not names.FILE_NAME.fullmatch(at_the_top[0].rfilename):
        raise BadInput(_no_single_file([one.rfilename for one in at_the_top]))
    file = at_the_top[0]
    sha256 = file.lfs.sha256 if file.lfs else None
    return HubFile(
        url=f"{endpoint}/{repo_id}/resolve/{commit_of(about.sha)}/{quote(file.rfilename)}",
        file_name=file.rfilename,
        size_bytes=_size(file),
        sha256=sha256 if isinstance(sha256, str) and SHA256.fullmatch(sha256) else None,
        base_model=_base_model(about.card_data),
        private=about.private is not False or about.gated not in (False, None),
    )


def size_of(file: Any) -> Any:
    """How large a file is said to be: of a large one, the pointer's word, not the pointer."""
    return file.lfs.size if file.lfs else file.size


def _size(file: Any) -> int:
    size = size_of(file)
    if isinstance(size, int) and not isinstance(size, bool) and 0 < size <= LARGEST_LORA_BYTES:
        return size
    raise BadInput("That repository's file has no size that a LoRA can have.")


def _is_at_the_top(file_name: Any) -> bool:
    return isinstance(file_name, str) and "/" not in file_name and file_name.lower().endswith(".safetensors")


def _no_single_file(found: list[str]) -> str:
    if not found:
        return "That repository has no .safetensors file at its top: there is nothing that I can import."
    if len(found) == 1:
        return "The .safetensors file of that repository has a name that I cannot use."
    shown = [name for name in found if names.FILE_NAME.fullmatch(name)][:SHOWN_CHOICES]
    more = f" and {len(found) - len(shown)} more" if len(found) > len(shown) else ""
    return (
        f"That repository has {len(found)} .safetensors files at its top ({', '.join(shown)}{more}):"
        " I can only import from one that has exactly one."
    )


def _base_model(card: Any) -> str | None:
    claimed = getattr(card, "base_model", None)
    first = claimed[0] if isinstance(claimed, list) and claimed else claimed
    return first if isinstance(first, str) and names.is_repo_id(first) else None


def _organisations(answer: dict[str, Any]) -> set[str]:
    listed = answer.get("orgs")
    found = [one.get("name") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return {name.lower() for name in found if isinstance(name, str)}


def _role(answer: dict[str, Any]) -> Any:
    auth = answer.get("auth")
    token = auth.get("accessToken") if isinstance(auth, dict) else None
    return token.get("role") if isinstance(token, dict) else None
