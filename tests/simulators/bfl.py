"""Black Forest Labs on loopback: strict about every field, with tasks that live, links that expire and a ledger.

A task is polled at the address that its reply named and nowhere else; polls and deliveries must come without the key.
"""

import base64
import binascii
import hashlib
import hmac
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aiohttp import web
from PIL import Image, UnidentifiedImageError

from tests.simulators.bfl_fields import (
    DELETE,
    ENDPOINTS,
    FINETUNE,
    LEGACY,
    LEGACY_BASES,
    LORA_BASES,
    Schema,
    problems,
)
from tests.simulators.service import Received, Service

KEY = "bfl_simulated-key-0123456789"
SIGNED = "c2lnbmVkLWRlbGl2ZXJ5"  # what every delivery link's signature begins with
SUBMIT = "POST /v1/{endpoint}"
FINETUNING = "POST /v1/finetune"
POLL = "GET /cell-7/v1/get_result"  # only the returned address leads here
REBUILT_POLL = "GET /v1/get_result"
DELIVERY = "GET /delivery/{name}"
CREDITS = "GET /v1/credits"
LISTED = "GET /v1/my_finetunes"
DETAILS = "GET /v1/finetune_details"
DELETION = "POST /v1/delete_finetune"
FINETUNE_ID = re.compile(r"(?:[A-Za-z0-9_-]+/)?[a-z0-9_-]+")
ACTIVE_TASKS = 24
ACTIVE_TASKS_OF = {"flux-kontext-max": 6}
LARGEST_IMAGE = 20_000_000
CENTS = 1.4


@dataclass(kw_only=True)
class SimulatedTask:
    """`ending` is the status that it ends with after `polls_left` polls; until then it is `Pending`."""

    id: str
    endpoint: str
    body: Mapping[str, Any]
    polls_left: int
    unknown_for: int
    is_rebuildable: bool  # also found at the plain address
    ending: str = "Ready"
    details: Mapping[str, Any] | None = None
    delivered_as: list[str] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return self.polls_left <= 0


class BflSimulator(Service):
    """`ledger` holds what was paid for: endpoint and body. Settings below may be changed at any time."""

    spec_file = "bfl.openapi.json"

    def __init__(self, *, key: str = KEY, polls_to_finish: int = 2, has_legacy_finetune: bool = False) -> None:
        super().__init__()
        self.key = key
        self.polls_to_finish = polls_to_finish
        self.has_legacy_finetune = has_legacy_finetune
        self.credits = 1000.0
        self.ledger: list[tuple[str, Mapping[str, Any]]] = []
        self.tasks: dict[str, SimulatedTask] = {}
        self.loras: dict[str, dict[str, Any]] = {}
        self.unlisted: set[str] = set()  # known in detail, and absent from the list
        self.undetailed: set[str] = set()  # in the list, and unknown in detail
        self.new_tasks_unknown_for = 0  # polls right after submit
        self.names_polling_url_beside_webhook = False
        self.says_id_only = False  # the untyped reply of the finetuning of 2025
        self.forgets_finished_trainings = False
        self.lists_running_trainings = True
        self.polls_fail_with_422 = False  # an end that is no success comes with HTTP 422
        self.polls_say: dict[str, Any] = {}  # laid over every answer to a poll
        self.sample: str | None = None  # instead of the real delivery link
        self.picture: tuple[bytes, str] | None = None  # instead of a real one: bytes and media type
        self._refusals_with_echo = 0
        self._generation_of_links = 0
        self._unpaid = 0
        self.route("GET", "/v1/credits", self._credits)
        self.route("GET", "/v1/my_finetunes", self._my_finetunes)
        self.route("GET", "/v1/finetune_details", self._finetune_details)
        self.route("POST", "/v1/delete_finetune", self._delete_finetune)
        self.route("POST", "/v1/finetune", self._finetune)
        self.route("POST", "/v1/{endpoint}", self._generate)
        self.route("GET", "/v1/get_result", self._poll_rebuilt, is_public=True)
        self.route("GET", "/cell-7/v1/get_result", self._poll_named, is_public=True)
        self.route("GET", "/delivery/{name}", self._deliver, is_public=True)

    def is_authorised(self, received: Received) -> bool:
        return hmac.compare_digest(received.headers.get("x-key", "").encode(), self.key.encode())

    def refusal(self, status: int, sentence: str) -> web.Response:
        """A missing or wrong key is a 403 here."""
        if status == 401:
            return web.json_response({"detail": "Not authenticated - Invalid Authentication"}, status=403)
        return super().refusal(status, sentence)

    def path_in_contract(self, received: Received) -> str | None:
        """The contract knows neither deliveries nor the cell that a task is polled at: there it is as anywhere."""
        return None if received.path.startswith("/delivery/") else received.path.removeprefix("/cell-7")

    def _hold_against_contract(self, received: Received) -> None:
        if received.path.startswith("/delivery/") or received.path.endswith("/v1/get_result"):
            self._must_have_no_key(received)
        super()._hold_against_contract(received)

    def _must_have_no_key(self, received: Received) -> None:
        if "x-key" in received.headers or self.key in f"{received.headers}{received.query}":
            self.broken_promises.append(f"the key was sent to {received.path}")

    # What tests say.

    def add_lora(self, name: str, base_model: str = "flux.2-klein-9b", **details: Any) -> None:
        """As if somebody had uploaded it in the dashboard."""
        self.loras[name] = {"base_model": base_model, **details}

    def refuse_with_echo(self, times: int = 1) -> None:
        """The next submissions are invalid for a reason of the service's own."""
        self._refusals_with_echo += times

    def refuse_unpaid(self, times: int = 1) -> None:
        self._unpaid += times

    def finish_all(self) -> None:
        self._end_all("Ready")

    def fail_all(self, word: str = "Error", details: Mapping[str, Any] | None = None) -> None:
        self._end_all(word, details)

    def moderate_all(self, word: str = "Content Moderated", *reasons: str) -> None:
        self._end_all(word, {"Moderation Reasons": list(reasons)} if reasons else None)

    def expire_links(self) -> None:
        """Every link that was named so far; the next poll names a fresh one."""
        self._generation_of_links += 1

    def knock(self, task_id: str, *, status: str = "Ready", signs: bool) -> tuple[dict[str, str], bytes]:
        """Headers and body of the webhook, with one of the two documented proofs."""
        task = self.tasks[task_id]
        body = json.dumps({"id": task.id, "status": status, "result": None, "progress": None}).encode()
        secret = str(task.body["webhook_secret"])
        signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return ({"x-bfl-signature": signature} if signs else {"x-webhook-secret": secret}), body

    def _end_all(self, word: str, details: Mapping[str, Any] | None = None) -> None:
        for task in self.tasks.values():
            if not task.is_over:
                task.polls_left, task.unknown_for, task.ending, task.details = 0, 0, word, details

    # Submitting.

    async def _generate(self, received: Received) -> web.Response:
        endpoint = received.match["endpoint"]
        known = ENDPOINTS | (LEGACY if self.has_legacy_finetune else {})
        if endpoint not in known:
            return self.refusal(404, "Not Found")
        refused = self._refused(known[endpoint], received) or self._model_refused(endpoint, received.json)
        refused = refused or self._looks_refused(received.json) or self._too_many(endpoint)
        return refused or self._accept(endpoint, received.json, str(uuid4()))

    async def _finetune(self, received: Received) -> web.Response:
        if not self.has_legacy_finetune:
            return self.refusal(404, "Not Found")
        refused = self._refused(FINETUNE, received) or self._archive_refused(received.json)
        if refused:
            return refused
        finetune_id = str(uuid4())
        self._accept("finetune", received.json, finetune_id)
        if self.lists_running_trainings:
            self._keep(self.tasks[finetune_id])
        return web.json_response({"id" if self.says_id_only else "finetune_id": finetune_id})

    def _refused(self, schema: Schema, received: Received) -> web.Response | None:
        if self._unpaid or self.credits < CENTS:
            self._unpaid = max(0, self._unpaid - 1)
            return self.refusal(402, "Insufficient credits. Please add credits to your account.")
        found = problems(schema, received.json)
        if not found and self._refusals_with_echo:
            self._refusals_with_echo -= 1
            found = [_problem("body", "Value error, this does not suit me", received.json)]
        return web.json_response({"detail": found}, status=422) if found else None

    def _model_refused(self, endpoint: str, body: Mapping[str, Any]) -> web.Response | None:
        base = (LORA_BASES | LEGACY_BASES).get(endpoint)
        if base is None:
            return None
        name = body["finetune_id"]
        if not FINETUNE_ID.fullmatch(name):
            return _unprocessable("finetune_id", "String should match pattern", name)
        if name not in self.loras:
            return self.refusal(404, f"Finetune {name} not found")
        if self.loras[name]["base_model"] != base:
            return _unprocessable("finetune_id", "The base model of this LoRA is another one", name)
        return None

    def _looks_refused(self, body: Mapping[str, Any]) -> web.Response | None:
        if not 9 / 21 <= _ratio(body.get("aspect_ratio", "1:1")) <= 21 / 9:
            return _unprocessable("aspect_ratio", "Value error, must be between 21:9 and 9:21", body["aspect_ratio"])
        for name, value in body.items():
            if name.startswith(("input_image", "image_prompt")) and isinstance(value, str) and not _is_image(value):
                return _unprocessable(name, "Value error, not a valid base64 image of at most 20 MB", value)
        return None

    def _archive_refused(self, body: Mapping[str, Any]) -> web.Response | None:
        try:
            with zipfile.ZipFile(io.BytesIO(base64.b64decode(body["file_data"], validate=True))) as archive:
                names = [name.lower() for name in archive.namelist()]
        except (binascii.Error, zipfile.BadZipFile):
            return _unprocessable("file_data", "Value error, not a base64 ZIP file", body)
        pictures = sum(name.endswith((".jpg", ".jpeg", ".png", ".webp")) for name in names)
        if any(name.endswith(".zip") for name in names) or not 1 <= pictures <= 20:
            return _unprocessable("file_data", "Value error, needs 1 to 20 images and no other archive", body)
        return None

    def _too_many(self, endpoint: str) -> web.Response | None:
        active = Counter(task.endpoint for task in self.tasks.values() if not task.is_over)
        if active.total() < ACTIVE_TASKS and active[endpoint] < ACTIVE_TASKS_OF.get(endpoint, ACTIVE_TASKS):
            return None
        return self.refusal(429, "Too many active tasks. Wait for the others to end.")

    def _accept(self, endpoint: str, body: Mapping[str, Any], task_id: str) -> web.Response:
        self.ledger.append((endpoint, body))
        self.credits -= CENTS
        has_webhook = "webhook_url" in body
        names_link = not has_webhook or self.names_polling_url_beside_webhook
        self.tasks[task_id] = SimulatedTask(
            id=task_id,
            endpoint=endpoint,
            body=body,
            polls_left=self.polls_to_finish,
            unknown_for=self.new_tasks_unknown_for,
            is_rebuildable=endpoint == "finetune" or not names_link,
        )
        link = {"polling_url": f"{self.url}/cell-7/v1/get_result?id={task_id}"} if names_link else {}
        knock = {"status": "Pending", "webhook_url": body["webhook_url"]} if has_webhook else {}
        return web.json_response({"id": task_id, **link, **knock, "cost": CENTS})

    # Polling and delivering.

    async def _poll_rebuilt(self, received: Received) -> web.Response:
        task = self.tasks.get(received.query.get("id", ""))
        return self._answer_to_poll(task if task and task.is_rebuildable else None, received)

    async def _poll_named(self, received: Received) -> web.Response:
        return self._answer_to_poll(self.tasks.get(received.query.get("id", "")), received)

    def _answer_to_poll(self, task: SimulatedTask | None, received: Received) -> web.Response:
        if set(received.query) != {"id"}:
            return _unprocessable("id", "Field required", dict(received.query))
        moment = self._moment(task) if task else None
        if moment is None:
            moment = {"id": received.query["id"], "status": "Task not found", "result": None, "progress": None}
        failed = moment["status"] not in ("Pending", "Reasoning", "Generating", "Ready", "Task not found")
        body = {"details": None, "preview": None, **moment, **self.polls_say}
        return web.json_response(body, status=422 if failed and self.polls_fail_with_422 else 200)

    def _moment(self, task: SimulatedTask) -> dict[str, Any] | None:
        """One poll further in its life; None while, or when, the task is not known."""
        if task.unknown_for > 0:
            task.unknown_for -= 1
            return None
        if not task.is_over:
            task.polls_left -= 1
            progress = round(1 - task.polls_left / (self.polls_to_finish or 1), 2)
            return {"id": task.id, "status": "Pending", "result": None, "progress": progress}
        if task.endpoint == "finetune":
            return self._ended_training(task)
        result = {"sample": self._link(task), "seed": task.body.get("seed")} if task.ending == "Ready" else None
        return {"id": task.id, "status": task.ending, "result": result, "progress": None, "details": task.details}

    def _ended_training(self, task: SimulatedTask) -> dict[str, Any] | None:
        if task.ending == "Ready":
            self._keep(task)
        else:
            self.loras.pop(task.id, None)
        if self.forgets_finished_trainings:
            return None
        return {"id": task.id, "status": task.ending, "result": None, "progress": None, "details": task.details}

    def _keep(self, task: SimulatedTask) -> None:
        known = {name: value for name, value in task.body.items() if name not in ("file_data", "webhook_secret")}
        self.loras.setdefault(task.id, {"base_model": "flux-pro", **known})

    def _link(self, task: SimulatedTask) -> str:
        if self.sample is not None:
            return self.sample
        token = f"{self._generation_of_links}-{_signature(self._generation_of_links, task.id)}"
        return f"{self.url}/delivery/{task.id}.png?sig={token}&se=2026-11-21T12%3A10%3A00Z"

    async def _deliver(self, received: Received) -> web.Response:
        task = self.tasks.get(received.match["name"].removesuffix(".png"))
        generation = self._generation_of_links
        if task is None or received.query.get("sig") != f"{generation}-{_signature(generation, task.id)}":
            return web.Response(status=403, text="<Error>AuthenticationFailed</Error>", content_type="application/xml")
        body, media_type = self.picture or (_picture(task), f"image/{task.body.get('output_format', 'jpeg')}")
        return web.Response(body=body, content_type=media_type)

    # Account and models.

    async def _credits(self, _received: Received) -> web.Response:
        return web.json_response({"credits": self.credits})

    async def _my_finetunes(self, _received: Received) -> web.Response:
        return web.json_response({"finetunes": [name for name in self.loras if name not in self.unlisted]})

    async def _finetune_details(self, received: Received) -> web.Response:
        name = received.query.get("finetune_id", "")
        if set(received.query) != {"finetune_id"}:
            return _unprocessable("finetune_id", "Field required", dict(received.query))
        if name not in self.loras or name in self.undetailed:
            return self.refusal(404, f"Finetune {name} not found")
        return web.json_response({"finetune_details": self.loras[name]})

    async def _delete_finetune(self, received: Received) -> web.Response:
        found = problems(DELETE, received.json)
        if found:
            return web.json_response({"detail": found}, status=422)
        name = received.json["finetune_id"]
        if self.loras.pop(name, None) is None:
            return self.refusal(404, f"Finetune {name} not found")
        answer = {"status": "success", "message": "deleted", "deleted_finetune_id": name, "timestamp": "2026-11-21"}
        return web.json_response(answer)


def _problem(name: str, message: str, echoed: Any) -> dict[str, Any]:
    return {
        "loc": ["body", name],
        "msg": message,
        "type": "value_error",
        "input": echoed,
        "ctx": {},
        "url": "https://…",
    }


def _unprocessable(name: str, message: str, echoed: Any) -> web.Response:
    return web.json_response({"detail": [_problem(name, message, echoed)]}, status=422)


def _ratio(aspect_ratio: str) -> float:
    across, down = (int(part) for part in aspect_ratio.split(":"))
    return across / down


def _signature(generation: int, task_id: str) -> str:
    return SIGNED + hashlib.sha256(f"{generation} {task_id}".encode()).hexdigest()


def _is_image(encoded: str) -> bool:
    try:
        content = base64.b64decode(encoded, validate=True)
        with Image.open(io.BytesIO(content)) as image:
            image.verify()
    except (binascii.Error, UnidentifiedImageError, OSError, SyntaxError):
        return False
    return len(content) <= LARGEST_IMAGE


def _picture(task: SimulatedTask) -> bytes:
    """A small real picture in the shape that was asked for, in a colour of its own."""
    across, down = (int(part) for part in task.body.get("aspect_ratio", "1:1").split(":"))
    shape = (task.body.get("width", 64 * across), task.body.get("height", 64 * down))
    scale = 64 / max(shape)
    size = (max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale)))
    colour = tuple(hashlib.sha256(json.dumps(dict(task.body), sort_keys=True).encode()).digest()[:3])
    kept = io.BytesIO()
    Image.new("RGB", size, colour).save(kept, str(task.body.get("output_format", "jpeg")).upper())
    return kept.getvalue()
