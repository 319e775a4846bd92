"""Together AI as PROVIDERS.md section 3 and together.openapi.json describe it: one blocking call, and a CDN beside it.

Nothing is queued there, so there is nothing to advance: a request is done when it is answered.
"""

import base64
import binascii
import io
from collections.abc import Callable
from typing import Any, Self
from uuid import uuid4

import aiohttp
from aiohttp import web
from PIL import Image, ImageDraw, UnidentifiedImageError
from safetensors import SafetensorError
from safetensors.numpy import load

from tests.simulators.service import Json, Received, Service

KEY = "tgp_v1_simulated-together-key-0123456789"
VENDOR = "black-forest-labs/"
SCHNELL = f"{VENDOR}FLUX.1-schnell"
DEV_LORA = f"{VENDOR}FLUX.1-dev-lora"
FLUX = [
    f"{VENDOR}{name}"
    for name in (
        "FLUX.1-schnell",
        "FLUX.1.1-pro",
        "FLUX.1-kontext-pro",
        "FLUX.1-kontext-max",
        "FLUX.2-dev",
        "FLUX.2-pro",
        "FLUX.2-flex",
        "FLUX.2-max",
        "FLUX.1-dev-lora",
    )
]
GENERATIONS = "POST /v1/images/generations"
MODELS = "GET /v1/models"
FIELDS: dict[str, type | tuple[type, ...]] = {
    "model": str,
    "prompt": str,
    "steps": int,
    "n": int,
    "width": int,
    "height": int,
    "seed": int,
    "negative_prompt": str,
    "guidance_scale": (int, float),
    "image_url": str,
    "reference_images": list,
    "image_loras": list,
    "response_format": str,
    "output_format": str,
    "disable_safety_checker": bool,
}


class Refusal(Exception):
    def __init__(self, status: int, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code


class Cdn(Service):
    """Serves pictures by short links that lead on to long ones. Refuses a blank User-Agent, and is never told a key."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}
        self.route("GET", "/shrt/{name}", self._short, is_public=True)
        self.route("GET", "/imgproxy/{name}", self._picture, is_public=True)

    def link_to(self, content: bytes) -> str:
        name = uuid4().hex
        self.files[name] = content
        return f"{self.url}/shrt/{name}"

    async def _short(self, received: Received) -> web.Response:
        self._check(received)
        return web.Response(status=302, headers={"Location": f"/imgproxy/{received.match['name']}?signature=s3cr3t"})

    async def _picture(self, received: Received) -> web.Response:
        self._check(received)
        if not received.headers.get("user-agent", "").strip():
            return web.Response(status=403, text="error code: 1010")
        content = self.files.get(received.match["name"])
        if content is None or received.query.get("signature") != "s3cr3t":
            return web.Response(status=404)
        kind = "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
        return web.Response(body=content, content_type=kind)

    def _check(self, received: Received) -> None:
        if "authorization" in received.headers:
            self.broken_promises.append("the CDN was told the key")


class Together(Service):
    """`ledger` holds the body of every paid acceptance."""

    spec_file = "together.openapi.json"
    spec_prefix = "/v1"

    def __init__(self, *, key: str = KEY) -> None:
        super().__init__()
        self.key = key
        self.cdn = Cdn()
        self.ledger: list[Json] = []
        self.offered = list(FLUX)
        self.deprecated: set[str] = set()
        self.flagged_words = {"forbidden"}
        self.closed_paths: set[str] = set()  # weights that only somebody with a key can read
        self.answers_with_links = False  # whatever was asked
        self.broken_pictures = 0  # of the next answers: base64 that is none
        self.missing_pictures = 0
        self.route("POST", "/v1/images/generations", self._generate)
        self.route("GET", "/v1/models", self._models)

    @property
    def api_url(self) -> str:
        return f"{self.url}/v1"

    def retire(self, model: str) -> None:
        self.offered.remove(model)

    def is_authorised(self, received: Received) -> bool:
        return received.headers.get("authorization") == f"Bearer {self.key}"

    def refusal(self, status: int, sentence: str) -> web.Response:
        return _error(Refusal(status, sentence))

    async def __aenter__(self) -> Self:
        await self.cdn.__aenter__()
        return await super().__aenter__()

    async def __aexit__(self, *problem: object) -> None:
        await self.cdn.__aexit__(*problem)
        await super().__aexit__(*problem)

    async def _models(self, received: Received) -> web.Response:
        if unknown := set(received.query) - {"dedicated"}:
            return _error(Refusal(400, f"unknown query parameter {unknown}"))
        chat = {"id": "moonshotai/Kimi-K2", "object": "model", "created": 1, "type": "chat", "context_length": 131072}
        return web.json_response([chat, *map(self._entry, self.offered)])

    def _entry(self, model: str) -> Json:
        prices = {"hourly": 0, "input": 0, "output": 0, "base": 0, "finetune": 0}
        entry = {"id": model, "object": "model", "created": 1692896905, "type": "image", "pricing": prices}
        return {**entry, "deprecated": True} if model in self.deprecated else entry

    async def _generate(self, received: Received) -> web.Response:
        try:
            body = _checked(received.json)
            self._check_model(body)
            await self._check_loras(body)
            if any(word in body["prompt"].lower() for word in self.flagged_words):
                raise Refusal(422, "Your prompt was flagged as NSFW content.", code="content_policy_violation")
        except Refusal as refusal:
            return _error(refusal)
        self.ledger.append(body)
        count = body.get("n", 1) - self.missing_pictures
        data = [self._entry_of(body, index) for index in range(count)]
        return web.json_response({"id": f"o-{uuid4().hex}", "model": body["model"], "object": "list", "data": data})

    def _check_model(self, body: Json) -> None:
        if body["model"] not in self.offered:
            raise Refusal(404, f"Unable to access model {body['model']}.", code="model_not_available")

    async def _check_loras(self, body: Json) -> None:
        for lora in body.get("image_loras", []):
            if not await self._is_readable(lora["path"]):
                raise Refusal(400, f"Failed to load LoRA from path {lora['path']}", param="image_loras")

    async def _is_readable(self, path: str) -> bool:
        """What lies on loopback is really fetched; the rest of the world is taken to be open."""
        if path in self.closed_paths:
            return False
        if not path.startswith("http://127.0.0.1"):
            return path.startswith("https://")
        async with aiohttp.ClientSession() as session, session.get(path) as response:
            if response.status != 200:
                return False
            try:
                return any("lora" in name for name in load(await response.read()))
            except SafetensorError:
                return False

    def _entry_of(self, body: Json, index: int) -> Json:
        kind = "PNG" if body.get("output_format") == "png" else "JPEG"
        picture = picture_bytes(body.get("width", 1024), body.get("height", 1024), body.get("seed", 0) + index, kind)
        if self.answers_with_links or body.get("response_format", "url") == "url":
            return {"index": index, "type": "url", "url": self.cdn.link_to(picture)}
        text = base64.b64encode(picture).decode()
        if index < self.broken_pictures:
            text = f"{text[:1000]}\n!{text[1000:]}"
        return {"index": index, "type": "b64_json", "b64_json": text}


def picture_bytes(width: int, height: int, seed: int, kind: str = "PNG") -> bytes:
    colour = (seed * 37 % 256, seed * 101 % 256, seed * 17 % 256)
    image = Image.new("RGB", (width, height), colour)
    ImageDraw.Draw(image).ellipse((width // 4, height // 4, width // 2, height // 2), fill=(250, 200, 80))
    buffer = io.BytesIO()
    image.save(buffer, kind, **({"compress_level": 1} if kind == "PNG" else {}))
    return buffer.getvalue()


def _error(refusal: Refusal) -> web.Response:
    kind = "authentication_error" if refusal.status == 401 else "invalid_request_error"
    error = {"message": refusal.message, "type": kind, "param": refusal.param, "code": refusal.code}
    return web.json_response({"error": error}, status=refusal.status)


def _checked(body: Any) -> Json:
    """The body, when the service would take it: no unknown field, no wrong type, nothing out of range."""
    if not isinstance(body, dict):
        raise Refusal(400, "The body must be a JSON object.")
    for name in ("model", "prompt"):
        if not body.get(name):
            raise Refusal(400, f"{name} is required", param=name)
    for name, value in body.items():
        _check_type(name, value)
    for name, (rule, message) in RULES.items():
        if name in body and not rule(body[name], body["model"].removeprefix(VENDOR)):
            raise Refusal(400, message, param=name)
    return body


def _check_type(name: str, value: Any) -> None:
    if name not in FIELDS:
        raise Refusal(400, f"Unknown field {name}", param=name)
    if not isinstance(value, FIELDS[name]) or (isinstance(value, bool) and FIELDS[name] is not bool):
        raise Refusal(422, f"{name} has the wrong type", param=name)


def _is_lora(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"path", "scale"}
        and isinstance(value["path"], str)
        and isinstance(value["scale"], int | float)
        and not isinstance(value["scale"], bool)
    )


def _is_picture(value: Any) -> bool:
    """An address, or a data URI that holds the picture it says it holds."""
    if not isinstance(value, str) or not value.startswith("data:"):
        return isinstance(value, str) and value.startswith(("https://", "http://"))
    head, _, text = value.partition(";base64,")
    try:
        with Image.open(io.BytesIO(base64.b64decode(text, validate=True))) as image:
            return head == f"data:image/{str(image.format).lower()}"
    except (binascii.Error, UnidentifiedImageError):
        return False


def _side(value: int, _model: str) -> bool:
    return 64 <= value <= 1792 and value % 16 == 0


RULES: dict[str, tuple[Callable[[Any, str], bool], str]] = {
    "prompt": (lambda value, _: value.strip() != "" and len(value) <= 10_000, "prompt is empty or too long"),
    "n": (lambda value, _: 1 <= value <= 4, "n must be between 1 and 4"),
    "width": (_side, "width must be a multiple of 16 between 64 and 1792"),
    "height": (_side, "height must be a multiple of 16 between 64 and 1792"),
    "seed": (lambda value, _: 0 <= value < 2**32, "seed is out of range"),
    "steps": (
        lambda value, model: 1 <= value <= (4 if "schnell" in model else 50) and not model.endswith(("pro", "flex")),
        "steps is out of range, or not known to this model",
    ),
    "guidance_scale": (lambda value, _: 0 <= value <= 20, "guidance_scale is out of range"),
    "response_format": (lambda value, _: value in ("base64", "url"), "response_format must be base64 or url"),
    "output_format": (lambda value, _: value in ("jpeg", "png"), "output_format must be jpeg or png"),
    "disable_safety_checker": (lambda _, model: "pro" not in model, "the safety checker cannot be disabled"),
    "image_url": (
        lambda value, model: (
            model.removeprefix("FLUX.").startswith(("1-kontext", "2-pro", "2-flex")) and _is_picture(value)
        ),
        "image_url is no picture, or not known to this model",
    ),
    "reference_images": (
        lambda value, model: model in ("FLUX.2-pro", "FLUX.2-dev", "FLUX.2-flex") and all(map(_is_picture, value)),
        "reference_images are no pictures, or not known to this model",
    ),
    "image_loras": (
        lambda value, model: model == "FLUX.1-dev-lora" and 1 <= len(value) <= 2 and all(map(_is_lora, value)),
        "image_loras must be one or two of {path, scale}, for FLUX.1-dev-lora",
    ),
}
