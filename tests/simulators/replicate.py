"""Replicate on loopback: its API below /v1, its results below /delivery, its site's weights below /site.

Strict where the real one is (keys, models, versions, inputs against each version's own schema), and where it is not
known to be: a field that nobody documents is refused. Facts: PROVIDERS.md section 2 and replicate.openapi.json.
"""

import base64
import gzip
import hashlib
import hmac
import io
import json
import re
import tarfile
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np
from aiohttp import web
from jsonschema import Draft202012Validator
from PIL import Image
from safetensors.numpy import save

from tests.simulators.service import Fault, Json, Received, Service, answers

KEY = "r8_SimulatedKeyOfAtelier0123456789abcdef"
OWNER = "atelier-bot"
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"replicate signs with this secret").decode()
DEV_TRAINER = "ostris/flux-dev-lora-trainer"
FAST_TRAINER = "replicate/fast-flux-trainer"
CAPTION_MODEL = "salesforce/blip"
OFFICIAL = ("black-forest-labs/flux-dev", "black-forest-labs/flux-schnell", "black-forest-labs/flux-1.1-pro")
DEV_VERSION = "26dce37af90b9d997eeb970d92e47de3064d46c300504ae376c75bef6a9022d2"
FAST_VERSION = "f463fbfc97389e10a2f443a8a84b6953b1058eafbf0c9af4d84457ff07cb04db"
BLIP_VERSION = "2e1dddc8621f72155f24cf2e0adbde548458d3cab9f00c0139eea840d0ac4746"
LARGEST_FILE = 100_000_000
FILE_SECONDS = 3600.0
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
ENDED = ("succeeded", "failed", "canceled", "aborted")
EVENTS = ("start", "output", "logs", "completed")
RATIOS = ("1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3", "9:16", "9:21", "custom")

TRAIN = "POST /v1/models/{owner}/{name}/versions/{version}/trainings"
PREDICT = "POST /v1/predictions"
PREDICT_OFFICIAL = "POST /v1/models/{owner}/{name}/predictions"
PAID = (TRAIN, PREDICT, PREDICT_OFFICIAL)
LOOKS = ("GET /v1/trainings/{id}", "GET /v1/predictions/{id}")

# Replicate's own ways of saying no, for `order`.
RATE_LIMITED = answers(429, {"detail": "Request was throttled. Your rate limit resets in ~30s.", "status": 429})
UNPAID = answers(
    402,
    {"title": "Insufficient credit", "detail": "You have insufficient credit to run this model.", "status": 402},
)
UNAUTHENTICATED = answers(
    401, {"title": "Unauthenticated", "detail": "You did not pass a valid authentication token", "status": 401}
)
INVALID_INPUT = answers(
    422,
    {
        "title": "Input validation failed",
        "detail": "- input.steps: Must be less than or equal to 6000\n",
        "status": 422,
        "invalid_fields": [{"type": "number_lte", "field": "input.steps", "description": "Must be at most 6000"}],
    },
)
DESTINATION_MISSING = answers(404, {"detail": "The specified training destination does not exist", "status": 404})


def openapi_of(
    name: str, properties: Json, *, required: list[str], choices: Mapping[str, list[Any]] | None = None
) -> Json:
    """As Cog writes it: a choice is a schema of its own, referred to through `allOf`."""
    lists = {key: {"title": key, "enum": values, "type": "string"} for key, values in (choices or {}).items()}
    refer = {
        key: {"allOf": [{"$ref": f"#/components/schemas/{key}"}], "default": values[0]}
        for key, values in (choices or {}).items()
    }
    schema = {"type": "object", "title": name, "required": required, "properties": {**properties, **refer}}
    return {
        "openapi": "3.0.2",
        "info": {"title": "Cog", "version": "0.1.0"},
        "components": {"schemas": {name: schema, **lists}},
    }


def dev_trainer_schema() -> Json:
    return openapi_of(
        "TrainingInput",
        {
            "input_images": {"type": "string", "format": "uri", "x-order": 0},
            "trigger_word": {"type": "string", "default": "TOK"},
            "autocaption": {"type": "boolean", "default": True},
            "autocaption_prefix": {"type": "string", "nullable": True},
            "steps": {"type": "integer", "default": 1000, "minimum": 3, "maximum": 6000},
            "learning_rate": {"type": "number", "default": 4e-4},
            "batch_size": {"type": "integer", "default": 1},
            "resolution": {"type": "string", "default": "512,768,1024"},
            "lora_rank": {"type": "integer", "default": 16, "minimum": 1, "maximum": 128},
            "hf_token": {"type": "string", "format": "password"},
        },
        required=["input_images"],
    )


def fast_trainer_schema(steps: str = "training_steps") -> Json:
    return openapi_of(
        "TrainingInput",
        {
            "input_images": {"type": "string", "format": "uri"},
            "trigger_word": {"type": "string", "default": "TOK"},
            steps: {"anyOf": [{"type": "integer", "minimum": 10, "maximum": 4000}, {"type": "null"}], "default": 1000},
        },
        required=["input_images"],
        choices={"lora_type": ["subject", "style"]},
    )


def generation_schema(*, has_lora: bool) -> Json:
    lora = {"lora_scale": {"type": "number", "default": 1, "minimum": -1, "maximum": 2}} if has_lora else {}
    return openapi_of(
        "Input",
        {
            "prompt": {"type": "string"},
            "num_outputs": {"type": "integer", "default": 1, "minimum": 1, "maximum": 4},
            "seed": {"type": "integer"},
            "go_fast": {"type": "boolean", "default": False},
            "disable_safety_checker": {"type": "boolean", "default": False},
            **lora,
        },
        required=["prompt"],
        choices={"aspect_ratio": list(RATIOS), "output_format": ["webp", "jpg", "png"]},
    )


def pro_schema() -> Json:
    """One picture at a time."""
    ratios = [ratio for ratio in RATIOS if ratio not in ("21:9", "9:21")]
    return openapi_of(
        "Input",
        {"prompt": {"type": "string"}, "seed": {"type": "integer"}, "safety_tolerance": {"type": "integer"}},
        required=["prompt"],
        choices={"aspect_ratio": ratios, "output_format": ["webp", "jpg", "png"]},
    )


def caption_schema() -> Json:
    tasks = ["image_captioning", "visual_question_answering", "image_text_matching"]
    image = {"image": {"type": "string", "format": "uri"}}
    return openapi_of("Input", image, required=["image"], choices={"task": tasks})


@dataclass(kw_only=True)
class Model:
    owner: str
    name: str
    visibility: str
    hardware: str = "gpu-t4"
    versions: dict[str, Json | None] = field(default_factory=dict)  # id to openapi_schema, oldest first
    is_official: bool = False


@dataclass(kw_only=True)
class Job:
    """A training or a prediction. `polls` count the looks at it."""

    id: str
    kind: str
    model: str
    version: str
    input: Json
    created_at: float
    status: str = "starting"
    destination: str = ""
    webhook: str = ""
    output: Any = None
    error: str | None = None
    logs: str = ""
    data_removed: bool = False
    polls: int = 0


class ReplicateSimulator(Service):
    """A task finishes when it has been looked at `finishes_after_polls` times, or with None only when told."""

    spec_file = "replicate.openapi.json"
    spec_prefix = "/v1"

    def __init__(
        self, *, finishes_after_polls: int | None = 2, key: str = KEY, now: Callable[[], float] = time.time
    ) -> None:
        super().__init__()
        self.key = key
        self.now = now
        self.finishes_after_polls = finishes_after_polls
        self.models: dict[str, Model] = {}
        self.files: dict[str, Json] = {}
        self.jobs: dict[str, Job] = {}
        self.ledger: list[str] = []  # ids of everything that was accepted and costs money
        self.delivery: dict[str, tuple[str, bytes]] = {}
        self.deleted_versions: list[str] = []
        self.page_size = 100
        self.largest_file = LARGEST_FILE
        self.caption = "Caption: a red bicycle against a wall"
        self.next_weights: Callable[[bytes], bytes] = tar_of_weights
        self.withholds = 0
        self.names_next_page_at = ""  # a list's `next` leads here instead
        self.names_trainings_as_predictions = False  # as one sample in the documents does
        self.repeats_creation_with = 409
        self.hides_input = False  # after an hour, or for whatever reason
        self._counter = 0
        self._add_models()
        self._add_routes()
        self._share_faults(PAID)
        self._share_faults(LOOKS)

    @property
    def api_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def site_url(self) -> str:
        return f"{self.url}/site"

    # What tests say.

    def finish_all(self) -> None:
        for job in list(self.jobs.values()):
            self._finish(job)

    def fail_all(self, error: str = "CUDA out of memory") -> None:
        for job in self._open():
            job.status, job.error = "failed", error

    def moderate_all(self) -> None:
        self.fail_all("NSFW content detected. Try running it again, or try a different prompt.")

    def abort_all(self) -> None:
        for job in self._open():
            job.status = "aborted"

    def purge(self) -> None:
        """What happens an hour later."""
        for job in self.jobs.values():
            job.data_removed, job.output, job.input, job.logs = True, None, {}, ""
        self.delivery.clear()

    def expire_links(self) -> None:
        """The links to results are dead; what is known of the tasks stays."""
        self.delivery.clear()

    def expire_files(self) -> None:
        """Uploaded files are gone: a training that has not begun finds nothing to begin with."""
        self.files.clear()

    def order_for_next_paid(self, *faults: Fault) -> None:
        self.order(PREDICT, *faults)

    def order_for_next_look(self, *faults: Fault) -> None:
        self.order(LOOKS[0], *faults)

    def rename_trainer_field(self, old: str, new: str) -> None:
        """A new version of the trainer calls something differently."""
        schema = json.loads(json.dumps(dev_trainer_schema()).replace(f'"{old}"', f'"{new}"'))
        self.models[DEV_TRAINER].versions["e" * 64] = schema

    def delivery_for(
        self, job_id: str, *, delivery_id: str = "msg_1", at: float | None = None
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of a webhook about a task, signed as Replicate signs."""
        body = json.dumps(self._as_json(self.jobs[job_id])).encode()
        stamp = str(int(self.now() if at is None else at))
        secret = base64.b64decode(WEBHOOK_SECRET.removeprefix("whsec_"))
        digest = hmac.new(secret, f"{delivery_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
        signature = f"v1,{base64.b64encode(digest).decode()}"
        return {"webhook-id": delivery_id, "webhook-timestamp": stamp, "webhook-signature": signature}, body

    # How it is built.

    def _add_models(self) -> None:
        for name, version, schema in (
            (DEV_TRAINER, DEV_VERSION, dev_trainer_schema()),
            (FAST_TRAINER, FAST_VERSION, fast_trainer_schema()),
            (CAPTION_MODEL, BLIP_VERSION, caption_schema()),
            *((name, hashlib.sha256(name.encode()).hexdigest(), _official_schema(name)) for name in OFFICIAL),
        ):
            owner, _, short = name.partition("/")
            self.models[name] = Model(
                owner=owner, name=short, visibility="public", versions={version: schema}, is_official=name in OFFICIAL
            )

    def _add_routes(self) -> None:
        self.route("GET", "/v1/account", self._account)
        self.route("GET", "/v1/hardware", self._hardware)
        self.route("GET", "/v1/webhooks/default/secret", self._secret)
        self.route("POST", "/v1/models", self._create_model)
        self.route("GET", "/v1/models/{owner}/{name}", self._get_model)
        self.route("DELETE", "/v1/models/{owner}/{name}", self._delete_model)
        self.route("GET", "/v1/models/{owner}/{name}/versions/{version}", self._get_version)
        self.route("DELETE", "/v1/models/{owner}/{name}/versions/{version}", self._delete_version)
        self.route("POST", "/v1/models/{owner}/{name}/versions/{version}/trainings", self._train)
        self.route("POST", "/v1/models/{owner}/{name}/predictions", self._predict_official)
        self.route("POST", "/v1/predictions", self._predict)
        for kind in ("trainings", "predictions"):
            self.route("GET", f"/v1/{kind}", self._list)
            self.route("GET", f"/v1/{kind}/{{id}}", self._look)
            self.route("POST", f"/v1/{kind}/{{id}}/cancel", self._cancel)
        self.route("POST", "/v1/files", self._create_file)
        self.route("DELETE", "/v1/files/{id}", self._delete_file)
        self.route("GET", "/delivery/{rest:.+}", self._deliver, is_public=True)
        self.route("GET", "/site/{owner}/{name}/_weights", self._site_weights)

    def _share_faults(self, routes: tuple[str, ...]) -> None:
        """What is ordered for one of these routes befalls the next request to any."""
        shared: list[Fault] = []
        for route in routes:
            self._faults[route] = shared

    def is_authorised(self, received: Received) -> bool:
        return received.headers.get("authorization") == f"Bearer {self.key}"

    def refusal(self, status: int, sentence: str) -> web.Response:
        title = {401: "Unauthenticated", 404: "Not found", 422: "Input validation failed"}.get(status)
        body = {"detail": sentence, "status": status, **({"title": title} if title else {})}
        return web.Response(status=status, text=json.dumps(body), content_type="application/problem+json")

    def path_in_contract(self, received: Received) -> str | None:
        """Results and the site are not in the file. An id with a slash came as one step, and is one again."""
        if not received.path.startswith("/v1/"):
            return None
        identity = received.match.get("id", "")
        path = received.path.replace(identity, quote(identity, safe="")) if identity else received.path
        return path.removeprefix("/v1")

    def _hold_against_contract(self, received: Received) -> None:
        """Nor does it know the `cursor` that its own `next` links carry."""
        query = {name: value for name, value in received.query.items() if name != "cursor"}
        super()._hold_against_contract(replace(received, query=query))

    # The account and its models.

    async def _account(self, _received: Received) -> web.Response:
        return web.json_response({"type": "organization", "username": OWNER, "name": "Atelier"})

    async def _hardware(self, _received: Received) -> web.Response:
        return web.json_response([{"name": "CPU", "sku": "cpu"}, {"name": "Nvidia T4 GPU", "sku": "gpu-t4"}])

    async def _secret(self, _received: Received) -> web.Response:
        return web.json_response({"key": WEBHOOK_SECRET})

    async def _create_model(self, received: Received) -> web.Response:
        body = received.json
        needed = {"owner", "name", "visibility", "hardware"}
        if problem := _fields_problem(body, needed=needed, known=needed | {"description"}):
            return self._invalid("", problem)
        if body["owner"] != OWNER:
            return self.refusal(403, "You do not have permission to create a model for this owner.")
        if body["visibility"] not in ("public", "private") or not NAME.fullmatch(body["name"]):
            return self._invalid("name", "is no name of a model")
        if body["hardware"] not in ("cpu", "gpu-t4"):
            return self._invalid("hardware", "is none of those on offer")
        full = f"{OWNER}/{body['name']}"
        if full in self.models:
            return self.refusal(self.repeats_creation_with, "A model with that name and owner already exists.")
        self.models[full] = Model(**{name: body[name] for name in needed})
        return web.json_response(self._model_json(self.models[full]), status=201)

    async def _get_model(self, received: Received) -> web.Response:
        model = self._model_of(received)
        return web.json_response(self._model_json(model)) if model else self.refusal(404, "Not found")

    async def _delete_model(self, received: Received) -> web.Response:
        model = self._model_of(received)
        if model is None:
            return self.refusal(404, "Not found")
        if model.owner != OWNER or model.visibility != "private" or model.versions:
            return self.refusal(403, "You can only delete your own private models without versions.")
        del self.models[f"{model.owner}/{model.name}"]
        return web.Response(status=204)

    async def _get_version(self, received: Received) -> web.Response:
        model, version = self._model_of(received), received.match["version"]
        if model is None or version not in model.versions:
            return self.refusal(404, "Not found")
        return web.json_response(_version_json(version, model.versions[version]))

    async def _delete_version(self, received: Received) -> web.Response:
        model, version = self._model_of(received), received.match["version"]
        if model is None or version not in model.versions:
            return self.refusal(404, "Not found")
        if model.owner != OWNER or model.visibility != "private":
            return self.refusal(403, "You can only delete versions of your own private models.")
        del model.versions[version]
        self.deleted_versions.append(version)
        return web.Response(status=202)

    def _model_of(self, received: Received) -> Model | None:
        return self.models.get(f"{received.match['owner']}/{received.match['name']}")

    def _model_json(self, model: Model) -> Json:
        latest = list(model.versions.items())[-1:]
        return {
            "url": f"https://replicate.com/{model.owner}/{model.name}",
            "owner": model.owner,
            "name": model.name,
            "visibility": model.visibility,
            "is_official": model.is_official,
            "latest_version": _version_json(*latest[0]) if latest else None,
        }

    # Files.

    async def _create_file(self, received: Received) -> web.Response:
        content = received.parts.get("content")
        if not content or not content["filename"] or set(received.parts) - {"content", "metadata", "type", "filename"}:
            return self.refusal(400, "Missing content, or a part that nobody knows")
        if len(content["filename"].encode()) > 255:
            return self.refusal(400, "The filename is too long")
        if len(content["body"]) >= self.largest_file:
            return self.refusal(413, "Files must be less than 100MB in size")
        metadata = json.loads(received.parts.get("metadata", {"body": b"{}"})["body"])
        if not isinstance(metadata, dict):
            return self.refusal(400, "metadata must be a JSON object")
        identity = self._new_id("file")
        self.files[identity] = {
            "id": identity,
            "name": content["filename"],
            "content_type": content["type"],
            "size": len(content["body"]),
            "checksums": {"sha256": hashlib.sha256(content["body"]).hexdigest()},
            "metadata": metadata,
            "created_at": _written(self.now()),
            "expires_at": _written(self.now() + FILE_SECONDS),
            "urls": {"get": f"{self.api_url}/files/{identity}"},
        }
        return web.json_response(self.files[identity], status=201)

    async def _delete_file(self, received: Received) -> web.Response:
        if self.files.pop(received.match["id"], None) is None:
            return self.refusal(404, "Not found")
        return web.Response(status=204)

    # Trainings and predictions.

    async def _train(self, received: Received) -> web.Response:
        model, version, body = self._model_of(received), received.match["version"], received.json
        if model is None or version not in model.versions:
            return self.refusal(404, "The requested resource could not be found.")
        known = {"destination", "input", "webhook", "webhook_events_filter"}
        if problem := _fields_problem(body, needed={"destination", "input"}, known=known) or _webhook_problem(body):
            return self._invalid("", problem)
        destination = self.models.get(str(body["destination"]))
        if destination is None or destination.owner != OWNER:
            return self.refusal(404, "The specified training destination does not exist")
        if refusal := self._refused_input(body["input"], model.versions[version], "TrainingInput"):
            return refusal
        full = f"{model.owner}/{model.name}"
        job = self._accept("trainings", full, version, body, destination=body["destination"])
        answer = self._as_json(job)
        if self.names_trainings_as_predictions:
            answer["urls"] = {n: link.replace("/trainings/", "/predictions/") for n, link in answer["urls"].items()}
        return web.json_response(answer, status=201)

    async def _predict(self, received: Received) -> web.Response:
        body = received.json
        known = {"version", "input", "webhook", "webhook_events_filter"}
        if problem := _fields_problem(body, needed={"version", "input"}, known=known) or _webhook_problem(body):
            return self._invalid("", problem)
        wanted = str(body["version"]).rpartition(":")[2]
        for full, model in self.models.items():
            if wanted in model.versions and not model.is_official:
                if refusal := self._refused_input(body["input"], model.versions[wanted], "Input"):
                    return refusal
                job = self._accept("predictions", full, wanted, body)
                return web.json_response(self._as_json(job), status=201)
        return self._invalid("version", "The specified version does not exist (or perhaps you don't have permission)")

    async def _predict_official(self, received: Received) -> web.Response:
        model, body = self._model_of(received), received.json
        if model is None or not model.is_official:
            return self.refusal(404, "The requested resource could not be found.")
        known = {"input", "webhook", "webhook_events_filter"}
        if problem := _fields_problem(body, needed={"input"}, known=known) or _webhook_problem(body):
            return self._invalid("", problem)
        if refusal := self._refused_input(body["input"], list(model.versions.values())[-1], "Input"):
            return refusal
        job = self._accept("predictions", f"{model.owner}/{model.name}", "hidden", body)
        return web.json_response(self._as_json(job), status=201)

    def _refused_input(self, given: Any, openapi: Json | None, name: str) -> web.Response | None:
        """Held against the version's own schema; and a name that it does not have is refused as well."""
        if openapi is None:
            return None
        if unknown := sorted(set(given) - set(openapi["components"]["schemas"][name]["properties"])):
            return self._invalid(f"input.{unknown[0]}", "is not a parameter of this version")
        schema = {"$ref": f"#/components/schemas/{name}", **openapi}
        for problem in Draft202012Validator(schema).iter_errors(given):
            return self._invalid(problem.json_path.replace("$", "input"), problem.message[:200])
        for value in (given.get("input_images"), given.get("image")):
            if value is not None and not re.match(r"(https?://.+|data:image/[a-z]+;base64,.{1,256000}$)", value):
                return self._invalid("input", "Does not match format 'uri'")
        return None

    def _invalid(self, name: str, problem: str) -> web.Response:
        body = {
            "title": "Input validation failed",
            "detail": f"- {name or 'body'}: {problem}\n",
            "status": 422,
            "invalid_fields": [{"type": "invalid", "field": name, "description": problem}],
        }
        return web.Response(status=422, text=json.dumps(body), content_type="application/problem+json")

    def _accept(self, kind: str, model: str, version: str, body: Json, *, destination: str = "") -> Job:
        job = Job(
            id=self._new_id(kind[:-1]),
            kind=kind,
            model=model,
            version=version,
            input=dict(body["input"]),
            created_at=self.now(),
            destination=destination,
            webhook=body.get("webhook", ""),
        )
        self.jobs[job.id] = job
        self.ledger.append(job.id)
        return job

    async def _look(self, received: Received) -> web.Response:
        """Every training is a prediction as well."""
        job = self.jobs.get(received.match["id"])
        if job is None or (job.kind == "predictions" and "/trainings/" in received.path):
            return self.refusal(404, "The requested resource could not be found.")
        job.polls += 1
        if job.status in ("starting", "processing") and self.finishes_after_polls is not None:
            self._begin(job)
            if job.polls >= self.finishes_after_polls:
                self._finish(job)
        return web.json_response(self._as_json(job, _kind_asked_for(received)))

    async def _cancel(self, received: Received) -> web.Response:
        job = self.jobs.get(received.match["id"])
        if job is None:
            return self.refusal(404, "The requested resource could not be found.")
        if job.status not in ENDED:
            job.status = "canceled"
        return web.json_response(self._as_json(job, _kind_asked_for(received)))

    async def _list(self, received: Received) -> web.Response:
        kind = received.path.rpartition("/")[2]
        jobs = sorted((job for job in self.jobs.values() if job.kind == kind), key=lambda job: -job.created_at)
        if after := received.query.get("created_after"):
            jobs = [job for job in jobs if job.created_at >= datetime.fromisoformat(after).timestamp()]
        start = int(received.query.get("cursor", "0"))
        further = f"{self.api_url}/{kind}?cursor={start + self.page_size}"
        page = {
            "next": (self.names_next_page_at or further) if start + self.page_size < len(jobs) else None,
            "previous": None,
            "results": [self._as_json(job) for job in jobs[start : start + self.page_size]],
        }
        return web.json_response(page)

    def _as_json(self, job: Job, kind: str = "") -> Json:
        """A prediction always has an output, null until there is one; a training only names it once there is one."""
        here = f"{self.api_url}/{job.kind}/{job.id}"
        output = {"output": job.output} if job.output is not None or (kind or job.kind) == "predictions" else {}
        return {
            "id": job.id,
            "model": job.model,
            "version": job.version,
            "input": {} if self.hides_input else job.input,
            "logs": job.logs,
            **output,
            "error": job.error,
            "status": job.status,
            "source": "api",
            "created_at": _written(job.created_at),
            "data_removed": job.data_removed,
            "urls": {"get": here, "cancel": f"{here}/cancel", "web": f"https://replicate.com/p/{job.id}"},
        }

    # What becomes of them.

    def _open(self) -> list[Job]:
        return [job for job in self.jobs.values() if job.status not in ENDED]

    def _begin(self, job: Job) -> None:
        if job.status != "starting":
            return
        link = job.input.get("input_images", "")
        if link.startswith(f"{self.api_url}/files/") and link.rpartition("/")[2] not in self.files:
            job.status, job.error = "failed", f"Failed to download {link}: 404 Client Error: Not Found"
            return
        job.status = "processing"

    def _finish(self, job: Job) -> None:
        self._begin(job)
        if job.status in ENDED:
            return
        job.status = "succeeded"
        if job.kind == "trainings":
            self._finish_training(job)
        elif job.model == CAPTION_MODEL:
            job.output = self.caption
        else:
            self._finish_pictures(job)

    def _finish_training(self, job: Job) -> None:
        version = hashlib.sha256(job.id.encode()).hexdigest()
        self.models[job.destination].versions[version] = generation_schema(has_lora=True)
        content = self.next_weights(lora_bytes(job.input.get("lora_rank", 16)))
        link = self.deliver(f"{job.id}/trained_model.tar", "application/x-tar", content)
        job.output = {"version": f"{job.destination}:{version}", "weights": link}
        job.logs += "\nflux_train_replicate: 100%|██████████| 1000/1000 [15:00<00:00, 1.1it/s]\n"

    def _finish_pictures(self, job: Job) -> None:
        count, kept = job.input.get("num_outputs", 1), job.input.get("output_format", "webp")
        made = max(0, count - self.withholds)
        self.withholds = 0
        links = [
            self.deliver(f"{job.id}/out-{index}.{kept}", f"image/{kept}", picture_bytes(job.input, index, kept))
            for index in range(made)
        ]
        job.logs += "".join(f"NSFW content detected in image {index}\n" for index in range(made, count))
        job.output = links[0] if job.model.endswith("flux-1.1-pro") else links

    def deliver(self, path: str, media_type: str, content: bytes) -> str:
        self.delivery[path] = (media_type, content)
        return f"{self.url}/delivery/{path}"

    async def _deliver(self, received: Received) -> web.Response:
        if "authorization" in received.headers:
            self.broken_promises.append(f"the key was sent to {received.path}")
            return web.Response(status=400, text="no key here")
        found = self.delivery.get(received.match["rest"])
        if found is None:
            return web.Response(status=404, text="Not found")
        return web.Response(body=found[1], content_type=found[0])

    async def _site_weights(self, received: Received) -> web.Response:
        model = self._model_of(received)
        if model is None or not model.versions:
            return web.Response(status=404, text="Not found")
        return web.Response(body=tar_of_weights(lora_bytes(16)), content_type="application/x-tar")

    def _new_id(self, kind: str) -> str:
        self._counter += 1
        return hashlib.sha256(f"{kind}{self._counter}".encode()).hexdigest()[:26]


def lora_bytes(rank: int) -> bytes:
    """A small LoRA as diffusers names it; random, because trained weights hardly shrink."""
    chance = np.random.default_rng(rank)
    name = "transformer.single_transformer_blocks.0.attn.to_q"
    weights = {
        f"{name}.lora_A.weight": chance.standard_normal((rank, 64)).astype(np.float32),
        f"{name}.lora_B.weight": chance.standard_normal((64, rank)).astype(np.float32),
    }
    return bytes(save(weights))


def picture_bytes(given: Json, index: int, kept: str) -> bytes:
    colour = hashlib.sha256(f"{given.get('prompt')} {given.get('seed')} {index}".encode()).digest()
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), tuple(colour[:3])).save(buffer, {"jpg": "JPEG"}.get(kept, kept.upper()))
    return buffer.getvalue()


# What may be in an archive of weights: each makes one from the weights.

FOLDER = "output/flux_train_replicate"


def tar_of(*members: tuple[tarfile.TarInfo | str, bytes], mode: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:  # type: ignore[call-overload]
        for name, content in members:
            member = tarfile.TarInfo(name) if isinstance(name, str) else name
            member.size = len(content) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(content) if member.isreg() else None)
    return buffer.getvalue()


def member_of(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def tar_of_weights(weights: bytes) -> bytes:
    return tar_of(
        (member_of("output", tarfile.DIRTYPE), b""),
        (f"{FOLDER}/config.yaml", b"job: extension\n"),
        (f"{FOLDER}/captions/1.txt", b"a photo of TOK"),
        (f"{FOLDER}/lora.safetensors", weights),
    )


def packed_tar_of_weights(weights: bytes) -> bytes:
    return gzip.compress(tar_of_weights(weights))


def bare_weights(weights: bytes) -> bytes:
    return weights


def zip_of_weights(weights: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"{FOLDER}/lora.safetensors", weights)
    return buffer.getvalue()


def tar_with_traversal(weights: bytes) -> bytes:
    return tar_of((f"{FOLDER}/lora.safetensors", weights), ("output/../../evil.safetensors", weights))


def tar_with_absolute_path(weights: bytes) -> bytes:
    return tar_of(("/tmp/lora.safetensors", weights))


def tar_with_symlink(weights: bytes) -> bytes:
    link = member_of(f"{FOLDER}/lora.safetensors", tarfile.SYMTYPE, "/etc/passwd")
    return tar_of((link, b""), (f"{FOLDER}/other.safetensors", weights))


def tar_with_hard_link(weights: bytes) -> bytes:
    link = member_of(f"{FOLDER}/config.yaml", tarfile.LNKTYPE, "/etc/passwd")
    return tar_of((f"{FOLDER}/lora.safetensors", weights), (link, b""))


def tar_with_device(weights: bytes) -> bytes:
    return tar_of((f"{FOLDER}/lora.safetensors", weights), (member_of("zero", tarfile.CHRTYPE), b""))


def truncated_tar(weights: bytes) -> bytes:
    return tar_of_weights(weights)[:-12_000]


def tar_without_weights(_weights: bytes) -> bytes:
    return tar_of((f"{FOLDER}/config.yaml", b"job: extension\n"))


def tar_with_two_weights(weights: bytes) -> bytes:
    return tar_of((f"{FOLDER}/a.safetensors", weights), (f"{FOLDER}/b.safetensors", weights))


def packed_bomb(_weights: bytes) -> bytes:
    return gzip.compress(tar_of((f"{FOLDER}/lora.safetensors", bytes(40 * 2**20))))


def tar_with_huge_header(weights: bytes) -> bytes:
    """A long name that claims two gigabytes."""
    member = member_of("././@LongLink", tarfile.GNUTYPE_LONGNAME)
    member.size = 2 * 2**30
    return member.tobuf(tarfile.GNU_FORMAT) + tar_of_weights(weights)


def nonsense_weights(_weights: bytes) -> bytes:
    return b"these are no weights at all, whatever the link was called"


# Small things.


def _official_schema(name: str) -> Json:
    return pro_schema() if name.endswith("flux-1.1-pro") else generation_schema(has_lora=False)


def _version_json(identity: str, schema: Json | None) -> Json:
    return {"id": identity, "created_at": _written(0.0), "cog_version": "0.9.20", "openapi_schema": schema}


def _kind_asked_for(received: Received) -> str:
    """A training can be asked after as a prediction, and is then described as one."""
    return received.path.split("/")[2]


def _fields_problem(body: Any, *, needed: set[str], known: set[str]) -> str:
    if not isinstance(body, dict):
        return "a JSON object is needed"
    if missing := needed - set(body):
        return f"{min(missing)} is required"
    if unknown := set(body) - known:
        return f"{min(unknown)} is not a field"
    wrong = [name for name, value in body.items() if not isinstance(value, _type_of(name))]
    return f"{wrong[0]} has a wrong type" if wrong else ""


def _type_of(name: str) -> type:
    return {"input": dict, "webhook_events_filter": list}.get(name, str)


def _webhook_problem(body: Json) -> str:
    if "webhook" in body and urlsplit(body["webhook"]).scheme != "https":
        return "webhook: must be an https URL"
    return "" if all(one in EVENTS for one in body.get("webhook_events_filter", [])) else "no such event"


def _written(moment: float) -> str:
    """With nine digits after the second, as Replicate writes."""
    return datetime.fromtimestamp(moment, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"
