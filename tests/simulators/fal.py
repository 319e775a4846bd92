"""fal.ai as PROVIDERS.md section 4 and fal.openapi.json describe it: a queue, its CDN and its webhook keys.

The real ones are three hosts; here they are three corners of one. A task waits, runs and is done after some polls, or
when a test says so. What it cannot read, it refuses; what it accepted is in the ledger, for good.
"""

import base64
import binascii
import hashlib
import io
import json
import math
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import numpy as np
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image, ImageDraw, UnidentifiedImageError
from safetensors import SafetensorError
from safetensors.numpy import load, save

from tests.simulators.service import Json, Received, Service

KEY = "5d8f2f0e-0c1d-4b7a-9a51-3a9a7c6f1e20:9f8e7d6c5b4a39281706f5e4d3c2b1a0"
SUBMIT = "POST /{endpoint:.+}"
STATUS = "GET /{owner}/{alias}/requests/{id}/status"
RESULT = "GET /{owner}/{alias}/requests/{id}"
CANCEL = "PUT /{owner}/{alias}/requests/{id}/cancel"
FILES = "GET /files/{name}"
KEYS = "GET /.well-known/jwks.json"
LOCKED = "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing."
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
RUNNING_AT_ONCE = 2

Check = Callable[[Any], str | None]


def text(value: Any) -> str | None:
    return None if isinstance(value, str) else "Input should be a valid string"


def filled(value: Any) -> str | None:
    return None if isinstance(value, str) and value.strip() else "Input should be a non-empty string"


def flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "Input should be a valid boolean"


def whole(lowest: int, highest: int) -> Check:
    def check(value: Any) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int):
            return "Input should be a valid integer"
        return None if lowest <= value <= highest else f"Input should be from {lowest} to {highest}"

    return check


def number(lowest: float, highest: float) -> Check:
    def check(value: Any) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return "Input should be a valid number"
        return None if lowest <= value <= highest else f"Input should be from {lowest} to {highest}"

    return check


def one_of(*words: str) -> Check:
    return lambda value: None if value in words else f"Input should be one of {', '.join(words)}"


def address(value: Any) -> str | None:
    """https, a data URI, or this machine (where a test's own storage lives)."""
    if not isinstance(value, str):
        return "Input should be a valid string"
    if value.startswith(("https://", "data:", "http://127.0.0.1:")):
        return None
    return "Input should be a URL that can be read"


def size(value: Any) -> str | None:
    presets = ("square_hd", "square", "portrait_4_3", "portrait_16_9", "landscape_4_3", "landscape_16_9")
    if isinstance(value, str):
        return one_of(*presets)(value)
    if not isinstance(value, dict) or set(value) != {"width", "height"}:
        return "Input should be a preset or a width and a height"
    return whole(512, 2048)(value["width"]) or whole(512, 2048)(value["height"])


def loras(most: int) -> Check:
    def check(value: Any) -> str | None:
        if not isinstance(value, list) or len(value) > most:
            return f"Input should be a list of at most {most}"
        for one in value:
            if not isinstance(one, dict) or not {"path"} <= set(one) <= {"path", "scale"}:
                return "Input should have a path and a scale"
            if problem := address(one["path"]) or number(0, 4)(one.get("scale", 1)):
                return problem
        return None

    return check


STEPS = whole(1, 10_000)
FLUX_2_TRAINER: dict[str, Check] = {
    "image_data_url": address,
    "default_caption": text,
    "learning_rate": number(1e-7, 1),
    "output_lora_format": one_of("fal", "comfy"),
    "steps": STEPS,
}
FAST_TRAINER: dict[str, Check] = {
    "images_data_url": address,
    "create_masks": flag,
    "data_archive_format": one_of("zip", "tar"),
    "is_input_format_already_preprocessed": flag,
    "is_style": flag,
    "steps": STEPS,
    "trigger_word": text,
}
TRAINERS: dict[str, dict[str, Check]] = {
    "fal-ai/flux-2-klein-4b-base-trainer": FLUX_2_TRAINER,
    "fal-ai/flux-2-klein-9b-base-trainer": FLUX_2_TRAINER,
    "fal-ai/flux-2-trainer": FLUX_2_TRAINER,
    "fal-ai/flux-2-trainer-v2": FLUX_2_TRAINER,
    "fal-ai/flux-lora-fast-training": FAST_TRAINER,
    "fal-ai/flux-krea-trainer": FAST_TRAINER,
    "fal-ai/turbo-flux-trainer": {
        "images_data_url": address,
        "face_crop": flag,
        "learning_rate": number(1e-7, 1),
        "steps": STEPS,
        "training_style": one_of("subject", "style"),
        "trigger_phrase": text,
    },
    "fal-ai/flux-lora-portrait-trainer": {
        "images_data_url": address,
        "create_masks": flag,
        "data_archive_format": one_of("zip", "tar"),
        "learning_rate": number(1e-7, 1),
        "multiresolution_training": flag,
        "resume_from_checkpoint": text,
        "steps": STEPS,
        "subject_crop": flag,
        "trigger_phrase": text,
    },
}
PICTURE: dict[str, Check] = {
    "prompt": filled,
    "seed": whole(0, 2**32 - 1),
    "output_format": one_of("jpeg", "png"),
    "sync_mode": flag,
}
SIZED: dict[str, Check] = {**PICTURE, "image_size": size, "enable_safety_checker": flag}
SEVERAL: dict[str, Check] = {**SIZED, "num_images": whole(1, 4), "num_inference_steps": whole(1, 50)}
GUIDED: dict[str, Check] = {**SEVERAL, "guidance_scale": number(0, 35), "acceleration": one_of("none", "regular")}
KLEIN: dict[str, Check] = {**SEVERAL, "output_format": one_of("jpeg", "png", "webp"), "loras": loras(3)}
GENERATORS: dict[str, dict[str, Check]] = {
    "fal-ai/flux-lora": {**GUIDED, "loras": loras(20)},
    "fal-ai/flux-krea-lora": {**GUIDED, "loras": loras(20)},
    "fal-ai/flux-2/lora": {**KLEIN, "guidance_scale": number(0, 20), "enable_prompt_expansion": flag},
    "fal-ai/flux-2/klein/4b/lora": KLEIN,
    "fal-ai/flux-2/klein/9b/lora": KLEIN,
    "fal-ai/flux-2/klein/9b/base/lora": {**KLEIN, "guidance_scale": number(0, 20), "negative_prompt": text},
    "fal-ai/flux/dev": GUIDED,
    "fal-ai/flux-2-pro": {**SIZED, "safety_tolerance": one_of("1", "2", "3", "4", "5")},
    "fal-ai/flux-pro/v1.1-ultra": {
        **PICTURE,
        "aspect_ratio": one_of("21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21"),
        "num_images": whole(1, 4),
        "enhance_prompt": flag,
        "raw": flag,
        "safety_tolerance": one_of("1", "2", "3", "4", "5", "6"),
    },
}
ENDPOINTS = {**TRAINERS, **GENERATORS}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What lies at the response URL of a task that has ended."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class FalTask:
    """`state` is one of fal's three words. `flagged` are the pictures that the safety checker paints black."""

    id: str
    endpoint: str
    body: Json
    webhook: str | None
    may_run_again: bool  # by the platform itself: the request did not forbid it
    flagged: frozenset[int] = frozenset()
    state: str = "IN_QUEUE"
    polls: int = 0
    error: str | None = None
    error_type: str | None = None
    answer: Answer | None = None

    @property
    def app(self) -> str:
        """Only the first two steps of the endpoint's name are in the addresses of a task (section 4.1)."""
        return "/".join(self.endpoint.split("/")[:2])

    @property
    def is_training(self) -> bool:
        return self.endpoint in TRAINERS


class Refusal(Exception):
    """A 422 in pydantic's shape, with the offending input echoed, as fal does it."""

    def __init__(self, loc: tuple[str, ...], message: str, kind: str, given: Any) -> None:
        super().__init__(message)
        self.body = {"detail": [{"loc": list(loc), "msg": message, "type": kind, "url": "", "input": given}]}


class Fal(Service):
    """`polls` statuses are answered with a task at work before it is done; None waits for `finish_all` and its like."""

    spec_file = "fal.openapi.json"

    def __init__(self, *, polls: int | None = 2) -> None:
        super().__init__()
        self.key = KEY
        self.polls = polls
        self.ledger: list[FalTask] = []  # every request that was accepted, and will be paid for
        self.files: dict[str, tuple[str, bytes]] = {}
        self.is_locked = False
        self.files_have_expired = False
        self.trainers_can_be_stopped = True
        self.answers_inline = False  # pictures as data URIs
        self.flags_next: frozenset[int] = frozenset()  # pictures of the next generation that are painted black
        self.weights: bytes | None = None  # instead of a real LoRA
        self.links_lead_to: str | None = None  # another origin than its own
        self.cancel_answer: Answer | None = None
        self.logs: list[Any] = []  # beside what every running task says
        self._signs_with = [Ed25519PrivateKey.generate()]
        self.route("GET", FILES.removeprefix("GET "), self._file, is_public=True)
        self.route("GET", KEYS.removeprefix("GET "), self._keys, is_public=True)
        self.route("GET", STATUS.removeprefix("GET "), self._status)
        self.route("GET", RESULT.removeprefix("GET "), self._result)
        self.route("PUT", CANCEL.removeprefix("PUT "), self._cancel)
        self.route("POST", SUBMIT.removeprefix("POST "), self._submit)

    @property
    def jwks_url(self) -> str:
        return f"{self.url}/.well-known/jwks.json"

    # What tests say.

    def task(self, task_id: str) -> FalTask:
        return next(task for task in self.ledger if task.id == task_id)

    async def finish_all(self) -> None:
        for task in self._open():
            await self._finish(task)

    def fail_all(self, error: str = "Runner died", error_type: str | None = "runner_server_error") -> None:
        """Completed, with an error in the status and at the response URL."""
        for task in self._open():
            headers = {"x-fal-error-type": error_type} if error_type else {}
            self._end(task, Answer(status=500, body={"detail": error}, headers=headers), error, error_type)

    def answer_all(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        """Completed, without a word of the failure in the status: only the response URL tells."""
        for task in self._open():
            self._end(task, Answer(status=status, body=body, headers=headers or {}))

    def refuse_all(self) -> None:
        """A 422 that echoes everything that was sent."""
        for task in self._open():
            refusal = Refusal(("body", "image_data_url"), "Failed to read the archive", "value_error", task.body)
            self._end(task, Answer(status=422, body=refusal.body))

    def moderate_all(self) -> None:
        for task in self._open():
            message = "The content could not be processed because it contained material flagged by a content checker."
            refusal = Refusal(("body", "prompt"), message, "content_policy_violation", task.body)
            self._end(task, Answer(status=422, body=refusal.body))

    def rotate_keys(self) -> None:
        self._signs_with = [Ed25519PrivateKey.generate()]

    def delivery(self, task: FalTask, *, now: float) -> tuple[dict[str, str], bytes]:
        """A webhook as fal sends it: its headers with small names, and its body."""
        answer = task.answer or Answer(status=200, body={})
        status = "OK" if answer.status == 200 and not task.error else "ERROR"
        content: Json = {"request_id": task.id, "gateway_request_id": task.id, "status": status, "payload": answer.body}
        body = json.dumps(content | ({"error": task.error} if task.error else {})).encode()
        user, stamp = "google-oauth2|104", str(int(now))
        message = "\n".join((task.id, user, stamp, hashlib.sha256(body).hexdigest())).encode()
        prefix = "x-fal-webhook-"
        headers = {
            f"{prefix}request-id": task.id,
            f"{prefix}user-id": user,
            f"{prefix}timestamp": stamp,
            f"{prefix}signature": self._signs_with[0].sign(message).hex(),
            "content-type": "application/json",
        }
        return headers, body

    async def knock(self, task: FalTask, *, now: float) -> int:
        """Deliver the webhook of a task that asked for one; the status of whoever listens there."""
        assert task.webhook is not None, "this task asked for no webhook"
        headers, body = self.delivery(task, now=now)
        async with httpx.AsyncClient() as client:
            return (await client.post(task.webhook, content=body, headers=headers)).status_code

    # How it answers.

    def is_authorised(self, received: Received) -> bool:
        return received.headers.get("authorization") == f"Key {self.key}"

    def path_in_contract(self, received: Received) -> str | None:
        """The CDN and the keys are other hosts, of which the queue's OpenAPI file knows nothing."""
        return None if received.path.startswith(("/files/", "/.well-known/")) else received.path

    def _hold_against_contract(self, received: Received) -> None:
        if self.path_in_contract(received) is None and "authorization" in received.headers:
            self.broken_promises.append(f"the key was sent to {received.path}")
        super()._hold_against_contract(received)

    async def _submit(self, received: Received) -> web.Response:
        endpoint = received.match["endpoint"]
        if self.is_locked:
            return self.refusal(403, LOCKED)
        if endpoint not in ENDPOINTS:
            return self.refusal(404, f"Application '{endpoint}' not found")
        try:
            self._check(endpoint, received)
        except Refusal as refusal:
            return web.json_response(refusal.body, status=422)
        task = FalTask(
            id=str(uuid4()),
            endpoint=endpoint,
            body=received.json,
            webhook=received.query.get("fal_webhook"),
            may_run_again=received.headers.get("x-fal-no-retry") != "1",
        )
        if not task.is_training:
            task.flagged, self.flags_next = self.flags_next, frozenset()
        self.ledger.append(task)
        place = {"queue_position": self._position(task), "gateway_request_id": task.id}
        return web.json_response({"status": "IN_QUEUE", "request_id": task.id, **self._links(task), **place})

    def _check(self, endpoint: str, received: Received) -> None:
        body, fields = received.json, ENDPOINTS[endpoint]
        if not isinstance(body, dict):
            raise Refusal(("body",), "Input should be a valid dictionary", "dict_type", body)
        if set(received.query) - {"fal_webhook"}:
            raise Refusal(("query",), "Extra inputs are not permitted", "extra_forbidden", dict(received.query))
        webhook = received.query.get("fal_webhook", "https://")
        if not webhook.startswith(("https://", "http://127.0.0.1:")):
            raise Refusal(("query", "fal_webhook"), "Input should be a valid URL", "url_parsing", webhook)
        for name in ("image_data_url", "images_data_url", "prompt"):
            if name in fields and name not in body:
                raise Refusal(("body", name), "Field required", "missing", body)
        for name, value in body.items():
            if name not in fields:
                raise Refusal(("body", name), "Extra inputs are not permitted", "extra_forbidden", body)
            if problem := fields[name](value):
                raise Refusal(("body", name), problem, "value_error", body)

    async def _status(self, received: Received) -> web.Response:
        if set(received.query) - {"logs"}:
            return self.refusal(422, "unknown query parameter")
        task = self._asked_for(received)
        if task is None:
            return self.refusal(404, "Request not found")
        await self._advance(task)
        said: Json = {"status": task.state, "request_id": task.id, **self._links(task)}
        if task.state == "IN_QUEUE":
            said["queue_position"] = self._position(task)
        else:
            said["logs"] = self._lines(task) if received.query.get("logs") == "1" else None
        if task.state == "COMPLETED":
            said["metrics"] = {"inference_time": 1.5}
            said |= {"error": task.error, "error_type": task.error_type} if task.error else {}
        return web.json_response(said, status=200 if task.state == "COMPLETED" else 202)

    async def _result(self, received: Received) -> web.Response:
        task = self._asked_for(received)
        if task is None:
            return self.refusal(404, "Request not found")
        if task.answer is None:
            return self.refusal(400, "Request is still in progress")
        headers = {"x-fal-request-id": task.id, **task.answer.headers}
        return web.json_response(task.answer.body, status=task.answer.status, headers=headers)

    async def _cancel(self, received: Received) -> web.Response:
        if self.cancel_answer is not None:
            return web.json_response(self.cancel_answer.body, status=self.cancel_answer.status)
        task = self._asked_for(received)
        if task is None:
            return web.json_response({"status": "NOT_FOUND"}, status=404)
        if task.state == "COMPLETED":
            return web.json_response({"status": "ALREADY_COMPLETED"}, status=400)
        was_waiting = task.state == "IN_QUEUE"
        if was_waiting or self.trainers_can_be_stopped:
            gone = Answer(status=404, body={"detail": "Request was cancelled"})
            self._end(task, gone, "Request was cancelled by the client", "client_cancelled")
        word = "OK" if was_waiting else "CANCELLATION_REQUESTED"
        return web.json_response({"status": word}, status=202)

    async def _file(self, received: Received) -> web.Response:
        found = self.files.get(received.match["name"])
        if found is None or self.files_have_expired:
            return web.Response(status=404, text="<html>Not Found</html>", content_type="text/html")
        return web.Response(body=found[1], content_type=found[0])

    async def _keys(self, _received: Received) -> web.Response:
        public = [key.public_key().public_bytes_raw() for key in self._signs_with]
        encoded = [base64.urlsafe_b64encode(raw).rstrip(b"=").decode() for raw in public]
        return web.json_response({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": one} for one in encoded]})

    # How a task lives.

    def _open(self) -> list[FalTask]:
        return [task for task in self.ledger if task.state != "COMPLETED"]

    def _asked_for(self, received: Received) -> FalTask | None:
        app = f"{received.match['owner']}/{received.match['alias']}"
        return next((task for task in self.ledger if task.id == received.match["id"] and task.app == app), None)

    def _links(self, task: FalTask) -> dict[str, str]:
        here = f"{self.links_lead_to or self.url}/{task.app}/requests/{task.id}"
        return {"response_url": here, "status_url": f"{here}/status", "cancel_url": f"{here}/cancel"}

    def _position(self, task: FalTask) -> int:
        """How many wait before it; two run at once on a new account."""
        before = self._open().index(task)
        return max(0, before - RUNNING_AT_ONCE)

    def _lines(self, task: FalTask) -> list[Any]:
        share = min(1.0, task.polls / (self.polls + 1)) if self.polls else 0.5
        if task.state == "COMPLETED":
            share = 1.0
        total = int(task.body.get("steps", 28))
        bar = f"{share:4.0%}|{'█' * round(share * 10):10}| {round(share * total)}/{total} [00:10<00:30,  2.85it/s]"
        said = ["Fetching 7 files: 100%|██████████| 7/7 [00:01<00:00]", bar]
        stamp = {"level": "INFO", "source": "USER", "timestamp": "2026-11-21T10:00:00Z"}
        return [*({"message": one, **stamp} for one in said), *self.logs]

    async def _advance(self, task: FalTask) -> None:
        if task.state == "COMPLETED":
            return
        task.polls += 1
        if self.polls is not None and task.polls > self.polls:
            await self._finish(task)
        elif task.polls > 1:
            task.state = "IN_PROGRESS"

    def _end(self, task: FalTask, answer: Answer, error: str | None = None, error_type: str | None = None) -> None:
        task.state, task.answer, task.error, task.error_type = "COMPLETED", answer, error, error_type

    async def _finish(self, task: FalTask) -> None:
        try:
            body = await (self._train(task) if task.is_training else self._generate(task))
        except Refusal as refusal:
            self._end(task, Answer(status=422, body=refusal.body))
        else:
            self._end(task, Answer(status=200, body=body))

    async def _train(self, task: FalTask) -> Json:
        name = next(name for name in ("image_data_url", "images_data_url") if name in task.body)
        archive = await self._read(task.body[name], name)
        if archive is not None:
            captionless = pictures_without_caption(archive, name)
            if captionless and "image_data_url" in task.body and not task.body.get("default_caption"):
                raise Refusal(("body", name), f"{captionless[0]} has no caption", "value_error", task.body)
        weights = self.weights if self.weights is not None else small_lora()
        config = json.dumps({"steps": task.body.get("steps", 1000)}).encode()
        return {
            "diffusers_lora_file": self._keep("pytorch_lora_weights.safetensors", "application/octet-stream", weights),
            "config_file": self._keep("config.json", "application/json", config),
        }

    async def _generate(self, task: FalTask) -> Json:
        for lora in task.body.get("loras", []):
            weights = await self._read(lora["path"], "loras")
            if weights is not None:
                check_weights(weights)
        count = task.body.get("num_images", 1)
        images = [self._picture(task, index) for index in range(count)]
        flags = (
            {}
            if task.endpoint == "fal-ai/flux-2-pro"
            else {"has_nsfw_concepts": [i in task.flagged for i in range(count)]}
        )
        return {
            "images": images,
            "timings": {},
            "seed": task.body.get("seed", 0),
            "prompt": task.body["prompt"],
            **flags,
        }

    def _picture(self, task: FalTask, index: int) -> Json:
        wanted = task.body.get("image_size")
        width, height = (wanted["width"], wanted["height"]) if isinstance(wanted, dict) else (1024, 768)
        kind = task.body.get("output_format", "jpeg")
        content = painted(
            f"{task.body['prompt']} {task.body.get('seed')} {index}", (width, height), kind, black=index in task.flagged
        )
        file = self._keep(f"picture.{kind}", f"image/{kind}", content)
        if self.answers_inline:
            file = {
                "url": f"data:image/{kind};base64,{base64.b64encode(content).decode()}",
                "content_type": f"image/{kind}",
            }
        return {**file, "width": width, "height": height}

    def _keep(self, file_name: str, media_type: str, content: bytes) -> Json:
        name = f"{uuid4().hex}_{file_name}"
        self.files[name] = (media_type, content)
        url = f"{self.url}/files/{name}"
        return {"url": url, "content_type": media_type, "file_name": file_name, "file_size": len(content)}

    async def _read(self, url: str, name: str) -> bytes | None:
        """What lies there. None for the outer world, which a simulator does not visit."""
        unreadable = Refusal(("body", name), "Failed to download the file.", "file_download_error", url)
        if url.startswith("data:"):
            try:
                return base64.b64decode(url.partition(";base64,")[2], validate=True)
            except binascii.Error:
                raise unreadable from None
        if urlsplit(url).hostname != "127.0.0.1":
            return None
        if url.startswith(f"{self.url}/files/"):
            found = self.files.get(url.rpartition("/")[2])
            if found is None or self.files_have_expired:
                raise unreadable
            return found[1]
        try:
            async with httpx.AsyncClient() as client:
                answer = await client.get(url)
        except httpx.HTTPError:
            raise unreadable from None
        if answer.status_code != 200:
            raise unreadable
        return answer.content


def pictures_without_caption(archive: bytes, name: str) -> list[str]:
    """An empty caption is none. Raises `Refusal` for what no trainer can read: no zip, folders, no pictures."""
    problem: Callable[[str], Refusal] = lambda message: Refusal(("body", name), message, "value_error", "")  # noqa: E731
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            contents = {one: opened.read(one) for one in opened.namelist()}
    except zipfile.BadZipFile:
        raise problem("Failed to read the archive") from None
    pictures = [one for one in contents if one.lower().endswith(PICTURE_SUFFIXES)]
    if not pictures or any("/" in one for one in contents):
        raise problem("The archive has no images, or folders")
    for one in pictures:
        try:
            Image.open(io.BytesIO(contents[one])).verify()
        except (UnidentifiedImageError, OSError):
            raise problem(f"{one} is no image") from None
    return [one for one in pictures if not contents.get(f"{one.rpartition('.')[0]}.txt", b"").strip()]


def check_weights(weights: bytes) -> None:
    try:
        names = list(load(weights))
    except SafetensorError:
        names = []
    if not any("lora" in name for name in names):
        raise Refusal(("body", "loras"), "Failed to load the LoRA weights", "value_error", "")


def small_lora(rank: int = 4) -> bytes:
    layer = "transformer.transformer_blocks.0.attn.to_q"
    return save(
        {
            f"{layer}.lora_A.weight": np.zeros((rank, 16), np.float32),
            f"{layer}.lora_B.weight": np.ones((16, rank), np.float32),
        }
    )


def painted(what: str, size: tuple[int, int], kind: str, *, black: bool) -> bytes:
    """A sixteenth of the size asked for: nobody looks at it."""
    digest = hashlib.sha256(what.encode("utf-8", "replace")).digest()
    small = (size[0] // 16, size[1] // 16)
    image = Image.new("RGB", small, (0, 0, 0) if black else (digest[0], digest[1], digest[2]))
    if not black:
        ImageDraw.Draw(image).ellipse((4, 4, small[0] // 2, small[1] - 4), fill=(digest[3], digest[4], 255 - digest[0]))
    buffer = io.BytesIO()
    image.save(buffer, {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP"}[kind])
    return buffer.getvalue()
