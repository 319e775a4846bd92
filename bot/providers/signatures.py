"""Tells a provider's genuine webhook from a stranger's: pure checks, called before anything in one is read.

Headers are given with lower-case names; every value is a stranger's until its signature is checked. The body is
given raw, as it arrived: parsed and written again, it no longer matches its signature. `now` is Unix time in seconds.
"""

import base64
import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

WINDOW_SECONDS = 300
REMEMBERED_SECONDS = 15 * 60  # a delivery is fresh for ten minutes at most: five early, five late
MAX_REMEMBERED = 10_000
MAX_HEADER_LENGTH = 4096
MAX_KEYS = 20

UNIX_SECONDS = re.compile(r"[1-9][0-9]{0,9}")
ED25519_SIGNATURE = re.compile(r"[0-9a-fA-F]{128}")
SHA256_SIGNATURE = re.compile(r"sha256=[0-9a-fA-F]{64}")
ED25519_KEY = re.compile(r"[A-Za-z0-9_-]{43}")


class NotGenuine(Exception):
    """The reason, for the log: it never holds a secret, a header's value or the body."""


def check_replicate(headers: Mapping[str, str], body: bytes, *, secret: str, now: float) -> str:
    """Answer the delivery's id, the same each time Replicate sends it again. Raises `NotGenuine`.

    `webhook-signature` lists `v1,<base64>` separated by spaces, each an HMAC-SHA256 of `id.timestamp.body`; any one
    that matches suffices (replicate.com/docs/topics/webhooks/verify-webhook). An id with a full stop could move the
    borders between the three, so it is refused (standardwebhooks.com, "Signature scheme").
    """
    delivery_id = _header(headers, "webhook-id")
    if "." in delivery_id:
        raise NotGenuine("webhook-id holds a full stop")
    timestamp = _recent(headers, "webhook-timestamp", now)
    offered = _header(headers, "webhook-signature").split(" ")
    expected = _standard_signature(delivery_id, timestamp, body, secret)
    if not any(hmac.compare_digest(signature, expected) for signature in offered):
        raise NotGenuine("no signature in webhook-signature matches")
    return delivery_id


def check_fal(headers: Mapping[str, str], body: bytes, *, keys: Sequence[bytes], now: float) -> str:
    """Answer fal's request id, the same each time fal sends it again. Raises `NotGenuine`.

    `x-fal-webhook-signature` is hexadecimal Ed25519, by any of the keys, of four lines: request id, user id,
    timestamp, hexadecimal SHA-256 of the body (fal.ai/docs/model-apis/webhooks). fal signs for all its customers with
    the same keys, so a stranger can have fal send us theirs: the request id must be one we know.
    """
    request_id = _header(headers, "x-fal-webhook-request-id")
    user_id = _header(headers, "x-fal-webhook-user-id")
    timestamp = _recent(headers, "x-fal-webhook-timestamp", now)
    signature = _header(headers, "x-fal-webhook-signature")
    if not ED25519_SIGNATURE.fullmatch(signature):
        raise NotGenuine("x-fal-webhook-signature is not 64 bytes in hexadecimal")
    message = f"{request_id}\n{user_id}\n{timestamp}\n{hashlib.sha256(body).hexdigest()}".encode("ascii")
    if not any(_is_signed_by(key, bytes.fromhex(signature), message) for key in keys):
        raise NotGenuine("x-fal-webhook-signature is by none of fal's keys")
    return request_id


def fal_keys(jwks: Any) -> tuple[bytes, ...]:
    """The raw Ed25519 keys of the document at rest.fal.ai/.well-known/jwks.json, parsed. Raises `ValueError`.

    fal says to try each and to keep them for a day at most (fal.ai/docs/model-apis/webhooks). Keys of another kind
    are passed over, as RFC 7517 section 5 asks.
    """
    listed = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(listed, list) or not 1 <= len(listed) <= MAX_KEYS:
        raise ValueError(f"fal's key document does not list 1 to {MAX_KEYS} keys.")
    if not all(isinstance(key, dict) for key in listed):
        raise ValueError("fal's key document lists something that is not a key.")
    keys = tuple(_raw_key(key.get("x")) for key in listed if (key.get("kty"), key.get("crv")) == ("OKP", "Ed25519"))
    if not keys:
        raise ValueError("fal's key document lists no Ed25519 key.")
    return keys


def check_bfl(headers: Mapping[str, str], body: bytes, *, secret: str) -> None:
    """Either of two proofs suffices, because BFL documents both. Raises `NotGenuine`.

    `x-webhook-secret` is the secret itself (docs.bfl.ml/kontext/kontext_image_editing); `x-bfl-signature` is
    `sha256=<hexadecimal HMAC-SHA256 of the body>` (github.com/black-forest-labs/skills). Neither tells when it was
    sent, so an old one can be sent again: only ever take it as a hint to ask BFL.
    """
    if not secret:
        raise NotGenuine("there is no secret to check with")
    if not (_tells_the_secret(headers, secret) or _is_signed_with(headers, body, secret)):
        raise NotGenuine("neither x-webhook-secret nor x-bfl-signature is right")


class SeenDeliveries:
    """Remembers deliveries for fifteen minutes after they last came, the latest 10,000 of them.

    Give it only ids a check has answered, else strangers push out what it knows. One for each provider.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[str, float] = OrderedDict()  # longest ago first

    def is_new(self, delivery_id: str, now: float) -> bool:
        """Whether it has not come lately; from now on, it has."""
        self._forget(now)
        is_new = delivery_id not in self._seen
        self._seen[delivery_id] = now
        self._seen.move_to_end(delivery_id)
        if len(self._seen) > MAX_REMEMBERED:
            self._seen.popitem(last=False)
        return is_new

    def _forget(self, now: float) -> None:
        while self._seen and now - next(iter(self._seen.values())) > REMEMBERED_SECONDS:
            self._seen.popitem(last=False)


def _header(headers: Mapping[str, str], name: str) -> str:
    """A value of printable ASCII: a line break inside could move the borders of what is signed."""
    value = headers.get(name, "")
    if not value:
        raise NotGenuine(f"{name} is missing")
    if len(value) > MAX_HEADER_LENGTH:
        raise NotGenuine(f"{name} is longer than {MAX_HEADER_LENGTH} characters")
    if not (value.isascii() and value.isprintable()):
        raise NotGenuine(f"{name} is not printable ASCII")
    return value


def _recent(headers: Mapping[str, str], name: str, now: float) -> int:
    value = _header(headers, name)
    if not UNIX_SECONDS.fullmatch(value):
        raise NotGenuine(f"{name} is not a time in Unix seconds")
    if not abs(now - int(value)) <= WINDOW_SECONDS:  # said this way round, a clock that is not a number refuses
        raise NotGenuine(f"{name} is more than {WINDOW_SECONDS} seconds from now")
    return int(value)


def _standard_signature(delivery_id: str, timestamp: int, body: bytes, secret: str) -> str:
    """The library's `verify` reads its own clock and lets other exceptions through, so only its signing is used."""
    try:
        signer = Webhook(secret)
    except (ValueError, EmptyWebhookSecretError):
        raise NotGenuine("the secret to check with is empty or not base64") from None
    try:
        return signer.sign(delivery_id, datetime.fromtimestamp(timestamp, tz=UTC), body.decode("utf-8"))
    except UnicodeDecodeError:
        raise NotGenuine("the body is not UTF-8") from None


def _is_signed_by(key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _raw_key(encoded: Any) -> bytes:
    if not isinstance(encoded, str) or not ED25519_KEY.fullmatch(encoded):
        raise ValueError("An Ed25519 key in fal's key document is not 32 bytes in base64url without padding.")
    return base64.urlsafe_b64decode(encoded + "=")


def _tells_the_secret(headers: Mapping[str, str], secret: str) -> bool:
    told = headers.get("x-webhook-secret", "")
    if len(told) > MAX_HEADER_LENGTH or not told.isascii():
        return False
    return hmac.compare_digest(told.encode("ascii"), secret.encode("utf-8"))


def _is_signed_with(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    signature = headers.get("x-bfl-signature", "")
    if not SHA256_SIGNATURE.fullmatch(signature):
        return False
    expected = hmac.new(secret.encode("utf-8"), body, hashlib.sha256).digest()
    return hmac.compare_digest(bytes.fromhex(signature.removeprefix("sha256=")), expected)
