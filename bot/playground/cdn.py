"""Files on the playground's CDN: kept in memory, reached only through signed addresses that expire."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from urllib.parse import quote

from aiohttp import web

from bot.playground import limits, media
from bot.playground.snowflakes import Snowflakes
from bot.playground.values import Attachment, Upload


class Files:
    """Stores uploads and signs their addresses. `base_url` is known once the server listens."""

    def __init__(self, *, now: Callable[[], datetime], snowflakes: Snowflakes) -> None:
        self.base_url = ""
        self._now = now
        self._snowflakes = snowflakes
        self._secret = secrets.token_bytes(32)
        self._stored: dict[str, Attachment] = {}
        self._bytes: dict[str, bytes] = {}

    def store(self, upload: Upload, *, folder: str, ephemeral: bool = False) -> Attachment:
        filename = media.safe_filename(upload.filename)
        size = media.picture_size(upload.data)
        width, height = size or (None, None)
        # Discord looks at the name, not at what the sender claims: clients send application/octet-stream for all.
        attachment = Attachment(
            id=self._snowflakes.take(),
            filename=filename,
            content_type=media.content_type_of(filename),
            size=len(upload.data),
            folder=folder,
            width=width,
            height=height,
            is_ephemeral=ephemeral,
        )
        self._stored[attachment.id] = attachment
        self._bytes[attachment.id] = upload.data
        return attachment

    def describe(self, attachment: Attachment, *, description: str | None, is_spoiler: bool) -> Attachment:
        described = replace(attachment, description=description, is_spoiler=is_spoiler)
        self._stored[attachment.id] = described
        return described

    def find(self, attachment_id: str) -> Attachment | None:
        return self._stored.get(attachment_id)

    def read(self, attachment_id: str) -> bytes:
        return self._bytes[attachment_id]

    def forget(self, attachment_id: str) -> None:
        self._stored.pop(attachment_id, None)
        self._bytes.pop(attachment_id, None)

    def copy(self, attachment: Attachment, *, folder: str) -> Attachment:
        upload = Upload(filename=attachment.filename, data=self._bytes[attachment.id])
        return self.store(upload, folder=folder)

    def named_by(self, url: str) -> Attachment | None:
        """The stored file an address of this CDN leads to, signed or not."""
        if not self.base_url or not url.startswith(f"{self.base_url}/"):
            return None
        steps = url.removeprefix(f"{self.base_url}/").partition("?")[0].split("/")
        return self._stored.get(steps[2]) if len(steps) == 4 else None

    def url(self, attachment: Attachment) -> str:
        lifetime = limits.EPHEMERAL_FILE_SECONDS if attachment.is_ephemeral else limits.SIGNED_URL_SECONDS
        issued = int(self._now().timestamp())
        issued_hex, expires_hex = f"{issued:x}", f"{issued + int(lifetime):x}"
        path = f"/{attachment.folder}/{attachment.id}/{attachment.filename}"
        signature = self._signature(path, expires_hex, issued_hex)
        return f"{self.base_url}{quote(path)}?ex={expires_hex}&is={issued_hex}&hm={signature}&"

    def _signature(self, path: str, expires_hex: str, issued_hex: str) -> str:
        text = f"{path}\n{expires_hex}\n{issued_hex}".encode()
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()

    async def serve(self, request: web.Request) -> web.Response:
        """Answers a GET: the bytes, or 404 for an address that is unsigned, forged, expired or gone."""
        attachment = self._stored.get(request.match_info["attachment_id"])
        query = request.query
        expires_hex, issued_hex = query.get("ex", ""), query.get("is", "")
        expected = self._signature(request.path, expires_hex, issued_hex)
        genuine = hmac.compare_digest(expected.encode(), query.get("hm", "").encode())
        if attachment is None or not genuine or int(expires_hex, 16) <= self._now().timestamp():
            return web.Response(status=404, text="This content is no longer available.")
        headers = {
            # A file shares its address with the page: never let one run as a document of that page.
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, max-age=3600",
        }
        return web.Response(body=self._bytes[attachment.id], content_type=attachment.content_type, headers=headers)
