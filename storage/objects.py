"""The object store: files a provider fetches by a link that expires. The only file that knows obstore.

Cloudflare R2, or whatever else speaks S3; what R2 promises: developers.cloudflare.com/r2/api/s3.

    ObjectsRefused        asking again changes nothing: bucket, keys, endpoint or file are wrong
     └─ ObjectGone        there is no such object
    ObjectsUnreachable    no answer, or too busy: try again
"""

import os
import re
from collections.abc import Awaitable
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Credential

KEY = re.compile(r"[a-z0-9][a-z0-9/._-]{0,500}")
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
PART_BYTES = 8 << 20  # R2 wants equal parts of 5 MiB to 5 GiB, at most 10,000 of them: files of up to 78 GiB
PARTS_AT_ONCE = 4  # with the size of a part, the memory one upload takes
CHUNK_BYTES = 1 << 20
LONGEST_LINK_SECONDS = 604_800  # seven days, R2's limit
NO_OBJECT = "no-object-is-below-this"
RETRIES: "RetryConfig" = {"max_retries": 4, "retry_timeout": timedelta(seconds=60)}
CONNECT_TIMEOUT = timedelta(seconds=10)
SILENCE_TIMEOUT = timedelta(seconds=60)  # also the time one part has to go up
REQUEST_TIMEOUT = timedelta(minutes=15)  # a whole download

REFUSALS = {
    "AccessDenied": "these keys may not do that in the bucket {bucket}: let their token read and write objects there.",
    "EntityTooLarge": "the file is larger than it takes.",
    "InvalidAccessKeyId": "it does not know the access key id: copy both keys again, or make a new API token.",
    "NoSuchBucket": "it has no bucket {bucket}: create it, or correct its name or the account in the endpoint.",
    "RequestTimeTooSkewed": "this computer's clock is wrong: set it.",
    "SignatureDoesNotMatch": "the secret access key does not belong to the access key id: copy both keys again.",
    "Unauthorized": "it does not accept the keys: copy both again, or make a new API token.",
}
CODE_OF_STATUS = {401: "Unauthorized", 403: "AccessDenied", 404: "NoSuchKey", 413: "EntityTooLarge"}
WORTH_ANOTHER_TRY = {408, 409, 425, 429}  # and every 5xx but 501
STATUS = re.compile(r"status code: (\d{3})")
CODE = re.compile(r"<Code>([A-Za-z]{1,40})</Code>")
Answer = TypeVar("Answer")


class ObjectsRefused(Exception):
    """The object store says no, and will again; the message says what to put right."""


class ObjectGone(ObjectsRefused):
    """The object store has nothing under that key."""


class ObjectsUnreachable(Exception):
    """The object store did not answer, or is too busy; try again later."""


class Objects:
    """One bucket. Keys are `[a-z0-9][a-z0-9/._-]{0,500}`, made by us and never from what a person typed.

    `endpoint` is `https://ACCOUNT.r2.cloudflarestorage.com`; plain http is spoken only where it says so. `public_url`
    is that same store as others reach it, if by another address: links are signed for it. An R2 custom domain takes
    no signed links, so it is none. Raises `ObjectsRefused` for an endpoint, a bucket or keys that cannot be right.

    Every call is tried up to five times and raises `ObjectsRefused` or `ObjectsUnreachable`, which quote no key of the
    bucket's, no link and nothing the store said but its error's name. Source: developers.cloudflare.com/r2/api/s3.
    """

    def __init__(
        self, *, bucket: str, endpoint: str, access_key_id: str, secret_access_key: str, public_url: str | None = None
    ) -> None:
        if not BUCKET.fullmatch(bucket):
            raise ObjectsRefused("A bucket's name is 3 to 63 small letters, digits, dots and hyphens: correct it.")
        if not all(re.fullmatch(r"[!-~]+", key) for key in (access_key_id, secret_access_key)):
            raise ObjectsRefused("The object store's access key id or secret is empty or holds a space: copy it again.")
        self._bucket = bucket
        credential: S3Credential = {
            "access_key_id": access_key_id,
            "secret_access_key": secret_access_key,
            "token": None,
            "expires_at": None,
        }
        self._store = _store(bucket, endpoint, credential)
        self._signer = _store(bucket, public_url, credential) if public_url else self._store

    def __repr__(self) -> str:
        return f"Objects(bucket={self._bucket!r})"

    async def check(self) -> None:
        """Ask for a list of nothing: bucket, keys, endpoint and clock are right if this does not raise."""
        await self._answer(obstore.list(self._store, NO_OBJECT, chunk_size=1).collect_async())

    async def put(self, source: Path, key: str) -> None:
        """Upload a file, replacing what was there: whole, or not at all. Raises `OSError` for a file it cannot read.

        Above 8 MiB in equal parts, 32 MiB of them in memory. One that crashes or is cancelled leaves parts behind
        that R2 removes after a week.
        """
        _check_readable(source)
        upload = obstore.put_async(
            self._store, _checked(key), source, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
        )
        await self._answer(upload)

    async def has(self, key: str, *, size_bytes: int) -> bool:
        """Whether an object of just that size is there; false too if the bucket is not, which `check` tells apart."""
        try:
            found = await self._answer(obstore.head_async(self._store, _checked(key)))
        except ObjectGone:
            return False
        return found["size"] == size_bytes

    async def link(self, key: str, *, seconds: int) -> str:
        """A link with which anyone may GET the object for so long (1 to 604,800 seconds, else `ValueError`).

        It is a secret: not for a channel, not for a log. Made without asking the store, so also for what is not there.
        """
        if not 1 <= seconds <= LONGEST_LINK_SECONDS:
            raise ValueError(f"A link lasts 1 to {LONGEST_LINK_SECONDS} seconds.")
        signing = obstore.sign_async(self._signer, "GET", _checked(key), timedelta(seconds=seconds))
        return await self._answer(signing)

    async def fetch(self, key: str, into: Path, *, max_bytes: int) -> int:
        """Stream an object to `into`, for this user's eyes only; answers its size in bytes.

        Raises `ObjectGone`, and `ObjectsRefused` before the first byte if it is larger than `max_bytes`. A download
        that breaks off leaves no file.
        """
        result = await self._answer(obstore.get_async(self._store, _checked(key)))
        if result.meta["size"] > max_bytes:
            raise ObjectsRefused(f"That object is larger than {max_bytes:,} bytes.")
        stream = result.stream(min_chunk_size=CHUNK_BYTES)
        size = 0
        with ExitStack() as undo:
            undo.callback(into.unlink, missing_ok=True)
            with _create_private(into) as file:
                while chunk := await self._answer(anext(stream, b"")):
                    size += file.write(chunk)
            undo.pop_all()
        return size

    async def remove(self, key: str) -> None:
        """Removing what is gone is harmless."""
        with suppress(ObjectGone):
            await self._answer(obstore.delete_async(self._store, _checked(key)))

    async def _answer(self, request: Awaitable[Answer]) -> Answer:
        try:
            return await request
        except (BaseError, FileNotFoundError) as problem:
            meaning = _meaning(str(problem), self._bucket)
        # Raised out here, so that obstore's own text, which quotes addresses and answers, does not hang on it.
        raise meaning


def _store(bucket: str, endpoint: str, credential: "S3Credential") -> S3Store:
    """obstore would fill every gap from AWS_… variables, which mean another store: so nothing is left open.

    Keys come through a provider because a stray AWS_SESSION_TOKEN would be sent along with given ones. Objects are
    removed one by one: its bulk removal adds a checksum header of the kind that R2 has refused before.
    """
    plain_http = _is_plain_http(endpoint)
    client: ClientConfig = {
        "allow_http": plain_http,
        "connect_timeout": CONNECT_TIMEOUT,
        "read_timeout": SILENCE_TIMEOUT,
        "timeout": REQUEST_TIMEOUT,
    }
    return S3Store(
        bucket,
        endpoint=endpoint,
        aws_endpoint_url_s3=endpoint,
        region="auto",
        virtual_hosted_style_request=False,
        skip_signature=False,
        unsigned_payload=False,
        request_payer=False,
        s3_express=False,
        disable_bulk_delete=True,
        credential_provider=lambda: credential,
        client_options=client,
        retry_config=RETRIES,
    )


def _is_plain_http(endpoint: str) -> bool:
    with suppress(ValueError):  # what `urlsplit` says to an impossible port or address
        parts = urlsplit(endpoint)
        extras = (parts.username, parts.password, parts.path.strip("/"), parts.query, parts.fragment)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and not any(extras):
            return parts.scheme == "http"
    raise ObjectsRefused(
        "The object store's endpoint is an address like https://ACCOUNT.r2.cloudflarestorage.com: leave the bucket out."
    )


def _checked(key: str) -> str:
    if not KEY.fullmatch(key) or not all(part.strip(".") for part in key.split("/")) or ".." in key:
        raise ValueError("An object's key is up to 501 of a-z 0-9 / . _ - and starts with a letter or digit.")
    return key


def _meaning(told: str, bucket: str) -> ObjectsRefused | ObjectsUnreachable:
    """What obstore's text comes to: it gives a type to some failures only, and one type to several."""
    found = STATUS.search(told)
    status = int(found[1]) if found else None
    if status is None:
        return ObjectsUnreachable(
            "The object store did not answer: check the network and its endpoint, then try again."
        )
    if status in WORTH_ANOTHER_TRY or (status >= 500 and status != 501):
        return ObjectsUnreachable("The object store is busy or in trouble: try again later.")
    given = CODE.search(told)
    code = given[1] if given else CODE_OF_STATUS.get(status, f"HTTP {status}")
    if code == "NoSuchKey":
        return ObjectGone("The object store no longer has that object: upload it again.")
    advice = REFUSALS.get(code, f"{code}: check the bucket {{bucket}}, the endpoint and the keys.")
    return ObjectsRefused("The object store refused: " + advice.format(bucket=bucket))


def _check_readable(path: Path) -> None:
    with path.open("rb"):
        pass


def _create_private(path: Path) -> BinaryIO:
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
