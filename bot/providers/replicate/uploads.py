"""Files that Replicate keeps for a while, so that a model can read them: POST and DELETE /files.

Facts: replicate.com/docs/reference/http and its OpenAPI file. Its sample lives for an hour; some clients assume a day.
"""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from bot.errors import ProviderBroken, ProviderRefused
from bot.providers.replicate.cards import LARGEST_UPLOAD
from bot.providers.replicate.replies import mapping, moment, text
from bot.providers.wire import Wire


@dataclass(frozen=True, kw_only=True)
class Uploaded:
    """`url` is read by Replicate itself and needs the key; `expires_at` in epoch seconds, None when it does not say."""

    id: str
    url: str
    expires_at: float | None


async def upload(wire: Wire, path: Path, *, name: str, media_type: str, metadata: dict[str, str]) -> Uploaded:
    """Send a file, in pieces. Repeating it is harmless: what nobody removes expires. Raises `ProviderRefused`."""
    try:
        size = (await asyncio.to_thread(path.stat)).st_size
        file = await asyncio.to_thread(path.open, "rb")
    except OSError:
        raise ProviderRefused("What should be uploaded to Replicate is not there any more: start again.") from None
    with file:
        _check_size(size)
        parts = {
            "content": (name, file, media_type),
            "metadata": (None, json.dumps(metadata), "application/json"),
        }
        reply = await wire.act("POST", "files", files=parts)
    return uploaded_of(reply.json())


def _check_size(size: int) -> None:
    if size > LARGEST_UPLOAD:
        raise ProviderRefused(
            f"The dataset has {size / 1e6:.0f} MB, and Replicate takes less than 100 MB: use fewer pictures.",
            advice="with object storage (CLOUDFLARE_R2_* settings) larger datasets go there by a link",
        )


async def remove_upload(wire: Wire, file_id: str) -> None:
    """What is gone already is just as well."""
    await wire.act("DELETE", f"files/{quote(file_id, safe='')}", accepted=(404, 410))


def uploaded_of(body: Any) -> Uploaded:
    """Pure. The address is kept without its query: a signature would be a secret, and Replicate needs none."""
    fields = mapping(body)
    url = text(mapping(fields.get("urls")), "get")
    try:
        bare = urlsplit(url)._replace(query="", fragment="")
    except ValueError:
        bare = urlsplit("")
    if bare.scheme not in ("https", "http") or not bare.hostname:
        raise ProviderBroken("Replicate's answer makes no sense to me; trying again.", advice="a file has no address")
    return Uploaded(id=text(fields, "id", longest=200), url=bare.geturl(), expires_at=moment(fields.get("expires_at")))
