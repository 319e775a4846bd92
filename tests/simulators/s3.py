"""A bucket like Cloudflare R2's on loopback: moto keeps the objects, a gate before it checks what moto does not.

What moto 5.2 does and does not check (tried): by default nothing, any signature is as good as none. With
`INITIAL_NO_AUTH_ACTION_COUNT` (or `set_initial_no_auth_action_count`) it does verify `Authorization` headers, of keys
made through its IAM; but every signed link is then answered with 500, because it looks for that header in vain, and
no setting makes it read the expiry of a link. So moto runs open here, and this gate recomputes both kinds of signature
with botocore, which shares no code with obstore, holds them against a clock a test can move, and refuses what R2
refuses and moto takes: unequal parts, chunked bodies with trailing checksums, access lists and tags.
"""

import hashlib
import threading
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from secrets import token_hex
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import httpx
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.moto_server.werkzeug_app import MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server
from werkzeug.test import Client
from werkzeug.wrappers import Response

SKEW = timedelta(minutes=15)
R2_HAS_NO = ("x-amz-acl", "x-amz-tagging", "x-amz-trailer")
REGION = "us-east-1"  # an alias of "auto" on R2, and the only one in which moto makes a bucket of no place
ENDS_WITHIN_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as it came over the wire; header names are small, `target` is its path and query as sent."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))


class Refused(Exception):
    """The answer is this status with this S3 error code."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


class S3Server:
    """`with S3Server() as server:` is a bucket at `server.endpoint`, with the keys it wants and what it was asked."""

    def __init__(self) -> None:
        self.bucket = f"atelier-{token_hex(4)}"
        self.access_key_id = token_hex(16)
        self.secret_access_key = token_hex(32)
        self.asked: list[Asked] = []
        self._failures: list[Refused] = []
        self._parts: dict[str, dict[int, int]] = defaultdict(dict)
        self._ahead = timedelta()
        self._moto = create_backend_app("s3")
        self._server = make_server("127.0.0.1", 0, self._gate, threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="s3", daemon=True)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self.signed("PUT", f"/{self.bucket}").status_code == 200
        self.asked.clear()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, at: TracebackType | None
    ) -> None:
        for key in self.keys():
            Client(self._moto).delete(f"/{self.bucket}/{key}", base_url=self.endpoint)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(ENDS_WITHIN_SECONDS)

    def keys(self) -> list[str]:
        """What the bucket holds, the first thousand; asked of moto behind the gate."""
        listing = Client(self._moto).get(f"/{self.bucket}?list-type=2", base_url=self.endpoint)
        return [key.text or "" for key in ET.fromstring(listing.get_data()).findall(".//{*}Key")]

    def fail_next(self, status: int, code: str, *, times: int = 1) -> None:
        """The next requests are answered with an S3 error, whoever asks."""
        self._failures += [Refused(status, code)] * times

    def move_clock(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)

    def signed(self, method: str, target: str, body: bytes = b"", **headers: str) -> httpx.Response:
        """A request by botocore's signature, for what a test wants to say past `Objects`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = AWSRequest(method, self.endpoint + target, data=body, headers=named)
        request.headers["X-Amz-Content-SHA256"] = hashlib.sha256(body).hexdigest()
        S3SigV4Auth(self._credentials, "s3", REGION).add_auth(request)
        return httpx.request(method, self.endpoint + target, content=body, headers=dict(request.headers.items()))

    @property
    def _credentials(self) -> Credentials:
        return Credentials(self.access_key_id, self.secret_access_key)

    def _gate(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        asked = _read(environ)
        self.asked.append(asked)
        try:
            if self._failures:
                raise self._failures.pop(0)
            self._check_kind(asked)
            self._check_signature(asked)
            self._check_parts(asked)
        except Refused as refused:
            xml = f"<Error><Code>{refused.code}</Code><Message>{asked.target}</Message></Error>"
            return Response(xml, refused.status, content_type="application/xml")(environ, start_response)
        return self._moto(environ, start_response)

    def _check_kind(self, asked: Asked) -> None:
        encoded = asked.headers.get("content-encoding", "") + asked.headers.get("x-amz-content-sha256", "")
        if "aws-chunked" in encoded or "STREAMING-" in encoded or any(name in asked.headers for name in R2_HAS_NO):
            raise Refused(501, "NotImplemented")

    def _check_signature(self, asked: Asked) -> None:
        if "X-Amz-Signature" in asked.query:
            self._check_link(asked)
        elif "authorization" in asked.headers:
            self._check_header(asked)
        else:
            raise Refused(400, "InvalidArgument")  # R2's word for a request without credentials

    def _check_link(self, asked: Asked) -> None:
        query = asked.query
        named, _, signature = asked.target.rpartition("&X-Amz-Signature=")
        scope = query["X-Amz-Credential"].split("/")
        signer = S3SigV4QueryAuth(self._credentials, "s3", scope[2], expires=int(query["X-Amz-Expires"]))
        self._compare(asked, signer, named, scope, query["X-Amz-SignedHeaders"], query["X-Amz-Date"], signature)
        age = self._now() - _moment(query["X-Amz-Date"])
        if age > timedelta(seconds=int(query["X-Amz-Expires"])):
            raise Refused(403, "ExpiredRequest")

    def _check_header(self, asked: Asked) -> None:
        said = dict(part.strip().split("=", 1) for part in asked.headers["authorization"].partition(" ")[2].split(","))
        scope = said["Credential"].split("/")
        when = asked.headers["x-amz-date"]
        signer = S3SigV4Auth(self._credentials, "s3", scope[2])
        self._compare(asked, signer, asked.target, scope, said["SignedHeaders"], when, said["Signature"])
        if abs(self._now() - _moment(when)) > SKEW:
            raise Refused(403, "RequestTimeTooSkewed")
        if asked.headers["x-amz-content-sha256"] not in ("UNSIGNED-PAYLOAD", hashlib.sha256(asked.body).hexdigest()):
            raise Refused(400, "XAmzContentSHA256Mismatch")

    def _compare(
        self, asked: Asked, signer: SigV4Auth, target: str, scope: list[str], names: str, when: str, signature: str
    ) -> None:
        if scope[0] != self.access_key_id:
            raise Refused(403, "InvalidAccessKeyId")
        headers = {name: asked.headers[name] for name in names.split(";")}
        request = AWSRequest(asked.method, self.endpoint + target, headers=headers)
        request.context["timestamp"] = when
        text = signer.string_to_sign(request, signer.canonical_request(request))
        if signer.signature(text, request) != signature:
            raise Refused(403, "SignatureDoesNotMatch")

    def _check_parts(self, asked: Asked) -> None:
        parts = self._parts[asked.query.get("uploadId", "")]
        if "partNumber" in asked.query:
            parts[int(asked.query["partNumber"])] = len(asked.body)
        elif asked.method == "POST" and parts:
            *before, last = [size for _, size in sorted(parts.items())]
            if len(set(before)) > 1 or last > max(before, default=last):
                raise Refused(400, "InvalidPart")

    def _now(self) -> datetime:
        return datetime.now(UTC) + self._ahead


class _Quiet(MotoRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  # werkzeug's name for it
        """Nothing: werkzeug would log every signed link."""


def _read(environ: dict[str, Any]) -> Asked:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = BytesIO(body)
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    for name in ("CONTENT_LENGTH", "CONTENT_TYPE"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    return Asked(method=environ["REQUEST_METHOD"], target=environ["RAW_URI"], headers=headers, body=body)


def _moment(stamp: str) -> datetime:
    return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
