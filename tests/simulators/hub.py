"""A strict Hugging Face Hub on the loopback: what `huggingface_hub` 2.4 really asks of it, repositories in memory.

Shapes: PROVIDERS.md section 5 and the client's source. It speaks plain LFS and no Xet. The client alone chooses between
them (`HF_HUB_DISABLE_XET`, read when it is imported), so an open simulator turns Xet off in this process;
a process that a test starts needs `ENVIRONMENT`.
"""

import asyncio
import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Self
from urllib.parse import parse_qs

import yaml
from aiohttp import web
from huggingface_hub import constants

from tests.simulators.hub_repos import Refused, Repo, StoredFile, entry, goes_to_lfs, listed, problem_with_card, sibling
from tests.simulators.service import RESET, RESET_AFTER_EFFECT, Fault, Handler, Json, Received, Service, answers

ENVIRONMENT = {"HF_HUB_DISABLE_XET": "1"}
LFS_WARNING = "ignore:Use 'content=:DeprecationWarning"  # huggingface_hub 2.4 calls httpx2 in its older way to PUT
REPO = "{owner:[^/]+}/{name:[^/]+}"
API = f"/api/models/{REPO}"
LFS = f"/{REPO}.git/info/lfs/objects"
MOST_FILES_PER_COMMIT = 25_000
COMMITS_PER_PAGE = 50

ROUTES = {
    "whoami": "GET /api/whoami-v2",
    "create": "POST /api/repos/create",
    "validate-yaml": "POST /api/validate-yaml",
    "about": f"GET {API}",
    "about-revision": f"GET {API}/revision/{{revision}}",
    "auth-check": f"GET {API}/auth-check",
    "commits": f"GET {API}/commits/{{revision}}",
    "paths-info": f"POST {API}/paths-info/{{revision}}",
    "tree": f"GET {API}/tree/{{revision}}",
    "preupload": f"POST {API}/preupload/{{revision}}",
    "commit": f"POST {API}/commit/{{revision}}",
    "batch": f"POST {LFS}/batch",
    "verify": f"POST {LFS}/verify",
    "upload": "PUT /lfs-store/{oid}",
    "resolve": f"GET /{REPO}/resolve/{{revision}}/{{path:.+}}",
    "resolve-head": f"HEAD /{REPO}/resolve/{{revision}}/{{path:.+}}",
    "stored": "GET /lfs-store/{oid}",
    "stored-head": "HEAD /lfs-store/{oid}",
}
PUBLIC = ("upload", "resolve", "resolve-head", "stored", "stored-head")  # signed links, and files of public ones

FAULTS = {
    "401": answers(
        401, {"error": "Invalid credentials"}, X_Error_Message="Invalid credentials in Authorization header"
    ),
    "403": answers(403, {"error": "You don't have the rights to do that"}, X_Error_Message="Forbidden"),
    "404": answers(404, {"error": "Repository not found"}, X_Error_Code="RepoNotFound"),
    "412": answers(412, {"error": "A commit has happened since. Please refresh and try again."}),
    "429": answers(429, {"error": "Too many requests"}, RateLimit='"api";r=0;t=55', Retry_After="55"),
    "500": answers(500, {"error": "Internal Error - We're working hard to fix this as soon as possible!"}),
    "html-500": answers(500, "<html><body><h1>500</h1></body></html>"),
    "reset": RESET,
    "reset-after": RESET_AFTER_EFFECT,
    "slow": Fault(delay_seconds=30.0),
}


class HubSimulator(Service):
    """Repositories of `username` can be written; those of others are read. Unknown routes end the test."""

    def __init__(self, *, token: str = "hf_simulatedtokensimulatedtoken", username: str = "atelier-bot") -> None:
        super().__init__()
        self.token = token
        self.username = username
        self.role = "write"
        self.organisations: list[str] = []
        self.repos: dict[str, Repo] = {}
        self.stored: dict[str, bytes] = {}
        self.before_commit: Callable[[], None] | None = None
        self._xet_was_disabled = constants.HF_HUB_DISABLE_XET
        handlers: dict[str, Callable[[Received], web.Response]] = {
            "whoami": self._whoami,
            "create": self._create,
            "validate-yaml": self._validate_yaml,
            "about": self._about,
            "about-revision": self._about,
            "auth-check": self._auth_check,
            "commits": self._commits,
            "paths-info": self._paths_info,
            "tree": self._tree,
            "preupload": self._preupload,
            "commit": self._commit,
            "batch": self._batch,
            "verify": self._verify,
            "upload": self._upload,
            "resolve": self._resolve,
            "resolve-head": self._resolve,
            "stored": self._download,
            "stored-head": self._download,
        }
        for name, handler in handlers.items():
            method, _, path = ROUTES[name].partition(" ")
            self.route(method, path, self._answering(handler), is_public=name in PUBLIC)

    # What tests say and ask.

    @property
    def endpoint(self) -> str:
        return self.url

    def fail_next(self, route: str, *what: str) -> None:
        """The next requests to a route of `ROUTES` meet these of `FAULTS`, one each."""
        self.order(ROUTES[route], *(FAULTS[one] for one in what))

    def called(self, route: str) -> int:
        """How often a route of `ROUTES` was asked, failures included."""
        method, _, path = ROUTES[route].partition(" ")
        pattern = re.compile(re.sub(r"\{path:\.\+\}", ".+", re.sub(r"\{\w+(:\[\^/\]\+)?\}", "[^/]+", path)))
        return sum(one.method == method and bool(pattern.fullmatch(one.path)) for one in self.requests)

    def add_repo(
        self, repo_id: str, files: Mapping[str, bytes], *, private: bool = False, gated: bool = False, card: Any = None
    ) -> Repo:
        """A repository that somebody else filled. `card` becomes the front matter of its README."""
        everything = dict(files)
        if card is not None:
            everything["README.md"] = f"---\n{yaml.safe_dump(card)}---\n".encode()
        repo = self._new_repo(repo_id, private=private)
        repo.gated = gated
        stored = {
            path: StoredFile(data=data, is_lfs=goes_to_lfs(path, data, len(data))) for path, data in everything.items()
        }
        self.stored |= {one.sha256: one.data for one in stored.values() if one.is_lfs}
        repo.add_commit("Upload", "", {**repo.head.files, **stored})
        return repo

    async def __aenter__(self) -> Self:
        self._xet_was_disabled = constants.HF_HUB_DISABLE_XET
        constants.HF_HUB_DISABLE_XET = True
        return await super().__aenter__()

    async def __aexit__(self, *problem: object) -> None:
        constants.HF_HUB_DISABLE_XET = self._xet_was_disabled
        await super().__aexit__(*problem)

    # Who may come in.

    def is_authorised(self, received: Received) -> bool:
        return received.headers.get("authorization") == f"Bearer {self.token}"

    def refusal(self, status: int, sentence: str, *, code: str = "") -> web.Response:
        headers = {"X-Error-Message": sentence, **({"X-Error-Code": code} if code else {})}
        return web.json_response({"error": sentence}, status=status, headers=headers)

    def _answering(self, handler: Callable[[Received], web.Response]) -> Handler:
        async def answer(received: Received) -> web.Response:
            await asyncio.sleep(0)
            try:
                return handler(received)
            except Refused as refused:
                plain = self.refusal(refused.status, refused.sentence, code=refused.code)
                if not refused.body:
                    return plain
                return web.json_response(
                    refused.body, status=refused.status, headers={"X-Error-Message": refused.sentence}
                )

        return answer

    def _repo(self, received: Received, *, to_write: bool = False) -> Repo:
        repo_id = f"{received.match['owner']}/{received.match['name']}"
        repo = self.repos.get(repo_id)
        is_ours = received.match["owner"] in (self.username, *self.organisations)
        if repo is None or (repo.private and not (is_ours and self.is_authorised(received))):
            raise Refused(404, "Repository not found", code="RepoNotFound")
        if to_write and not is_ours:
            raise Refused(403, "You don't have the rights to write there")
        return repo

    # Accounts and repositories.

    def _whoami(self, _: Received) -> web.Response:
        token = {"displayName": "atelier", "role": self.role}
        orgs = [{"type": "org", "name": name} for name in self.organisations]
        auth = {"type": "access_token", "accessToken": token}
        return web.json_response({"type": "user", "name": self.username, "orgs": orgs, "auth": auth})

    def _create(self, received: Received) -> web.Response:
        wanted = _json_object(received, {"name", "organization"}, {"visibility", "type"})
        owner = wanted["organization"] or self.username
        if owner not in (self.username, *self.organisations):
            raise Refused(403, "You don't have the rights to create a model under this namespace")
        if wanted.get("type", "model") != "model" or wanted.get("visibility", "public") not in ("public", "private"):
            raise Refused(400, "Invalid repo type or visibility")
        if not re.fullmatch(r"[\w.-]{1,96}", wanted["name"], re.ASCII):
            raise Refused(400, "Invalid repo name")
        repo_id = f"{owner}/{wanted['name']}"
        url = f"{self.endpoint}/{repo_id}"
        if repo_id in self.repos:
            raise Refused(
                409, "You already created this model repo", error="You already created this model repo", url=url
            )
        self._new_repo(repo_id, private=wanted.get("visibility") == "private")
        return web.json_response({"url": url, "name": repo_id, "id": hashlib.md5(repo_id.encode()).hexdigest()})

    def _new_repo(self, repo_id: str, *, private: bool) -> Repo:
        repo = self.repos[repo_id] = Repo(repo_id=repo_id, private=private)
        attributes = StoredFile(data=b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n", is_lfs=False)
        repo.add_commit("initial commit", "", {".gitattributes": attributes})
        return repo

    def _about(self, received: Received) -> web.Response:
        repo = self._repo(received)
        commit = repo.at(received.match.get("revision", "main"))
        with_sizes = received.query.get("blobs") == "true"
        about: Json = {
            "_id": "1",
            "id": repo.repo_id,
            "modelId": repo.repo_id,
            "author": repo.repo_id.partition("/")[0],
            "sha": commit.oid,
            "private": repo.private,
            "gated": "manual" if repo.gated else False,
            "disabled": False,
            "tags": [],
            "siblings": [sibling(path, file, with_sizes) for path, file in sorted(commit.files.items())],
            "createdAt": "2026-11-21T10:00:00.000Z",
            "lastModified": "2026-11-21T10:00:00.000Z",
        }
        if repo.card is not None:
            about["cardData"] = repo.card
        return web.json_response(about)

    def _auth_check(self, received: Received) -> web.Response:
        if self._repo(received).gated:
            raise Refused(403, "Access to this model is restricted", code="GatedRepo")
        return web.json_response({})

    def _commits(self, received: Received) -> web.Response:
        repo = self._repo(received)
        repo.at(received.match["revision"])
        page = int(received.query.get("p", "0"))
        found = repo.commits[::-1][page * COMMITS_PER_PAGE : (page + 1) * COMMITS_PER_PAGE]
        more = len(repo.commits) > (page + 1) * COMMITS_PER_PAGE
        link = {"Link": f'<{self.endpoint}{received.path}?p={page + 1}>; rel="next"'} if more else {}
        return web.json_response([listed(one, self.username) for one in found], headers=link)

    def _paths_info(self, received: Received) -> web.Response:
        if not received.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            raise Refused(400, "paths-info takes a form")
        files = self._repo(received).at(received.match["revision"]).files
        asked = parse_qs(received.body.decode()).get("paths", [])
        return web.json_response([entry(path, files[path]) for path in asked if path in files])

    def _tree(self, received: Received) -> web.Response:
        files = self._repo(received).at(received.match["revision"]).files
        everything = received.query.get("recursive", "false").lower() == "true"
        return web.json_response([entry(path, file) for path, file in files.items() if everything or "/" not in path])

    # Uploading and committing.

    def _validate_yaml(self, received: Received) -> web.Response:
        asked = _json_object(received, {"content", "repoType"}, set())
        if problem := problem_with_card(asked["content"]):
            errors = [{"message": problem}]
            raise Refused(400, "Invalid metadata", errors=errors, warnings=[])
        return web.json_response({"errors": [], "warnings": []})

    def _preupload(self, received: Received) -> web.Response:
        repo = self._repo(received, to_write=True)
        answer = []
        for file in _json_object(received, {"files"}, {"gitIgnore"})["files"]:
            sample = base64.b64decode(file["sample"], validate=True)
            is_lfs = goes_to_lfs(file["path"], sample, file["size"])
            there = repo.head.files.get(file["path"])
            oid = (there.sha256 if there.is_lfs else there.blob_id) if there else None
            mode = "lfs" if is_lfs else "regular"
            answer.append(
                {"path": file["path"], "uploadMode": mode, "shouldIgnore": False, **({"oid": oid} if oid else {})}
            )
        return web.json_response({"files": answer})

    def _batch(self, received: Received) -> web.Response:
        self._repo(received, to_write=True)
        if received.headers.get("content-type") != "application/vnd.git-lfs+json":
            raise Refused(415, "LFS takes application/vnd.git-lfs+json")
        asked = json.loads(received.body)
        if asked["operation"] != "upload" or "basic" not in asked["transfers"] or asked["hash_algo"] != "sha256":
            raise Refused(422, "Only basic uploads by SHA-256 are simulated")
        objects = [self._upload_actions(received, one["oid"], one["size"]) for one in asked["objects"]]
        return web.Response(
            body=json.dumps({"transfer": "basic", "objects": objects}), content_type="application/vnd.git-lfs+json"
        )

    def _upload_actions(self, received: Received, oid: str, size: int) -> Json:
        if oid in self.stored:
            return {"oid": oid, "size": size}
        upload = f"{self.endpoint}/lfs-store/{oid}?X-Amz-Signature=signed{oid[:8]}&size={size}"
        verify = f"{self.endpoint}{received.path.removesuffix('/batch')}/verify"
        return {"oid": oid, "size": size, "actions": {"upload": {"href": upload}, "verify": {"href": verify}}}

    def _upload(self, received: Received) -> web.Response:
        oid = received.match["oid"]
        if received.query.get("X-Amz-Signature") != f"signed{oid[:8]}":
            raise Refused(403, "SignatureDoesNotMatch")
        if "authorization" in received.headers:
            raise Refused(400, "Only one auth mechanism allowed")
        data = received.body
        if hashlib.sha256(data).hexdigest() != oid or len(data) != int(received.query["size"]):
            raise Refused(400, "BadDigest")
        self.stored[oid] = data
        return web.Response(headers={"ETag": f'"{hashlib.md5(data).hexdigest()}"'})

    def _verify(self, received: Received) -> web.Response:
        asked = _json_object(received, {"oid", "size"}, set())
        if len(self.stored.get(asked["oid"], b"")) != asked["size"]:
            raise Refused(404, "That object was not uploaded")
        return web.json_response({})

    def _commit(self, received: Received) -> web.Response:
        repo = self._repo(received, to_write=True)
        if received.headers.get("content-type") != "application/x-ndjson":
            raise Refused(415, "A commit is application/x-ndjson")
        if self.before_commit is not None:
            self.before_commit()
        lines = [json.loads(line) for line in received.body.splitlines()]
        if not lines or lines[0]["key"] != "header" or received.match["revision"] != "main":
            raise Refused(400, "A commit begins with its header, on main")
        header = lines[0]["value"]
        if header.get("parentCommit", repo.head.oid) != repo.head.oid:
            raise Refused(412, "A commit has happened since. Please refresh and try again.")
        if not header["summary"] or "\n" in header["summary"] or len(lines) - 1 > MOST_FILES_PER_COMMIT:
            raise Refused(400, "A commit has one line of summary and at most 25000 files")
        added = dict(self._added(line) for line in lines[1:])
        if "README.md" in added and (problem := problem_with_card(added["README.md"].data.decode())):
            raise Refused(400, problem)
        made = repo.add_commit(header["summary"], header["description"], {**repo.head.files, **added})
        url = f"{self.endpoint}/{repo.repo_id}/commit/{made.oid}"
        return web.json_response({"success": True, "commitOid": made.oid, "commitUrl": url, "hookOutput": ""})

    def _added(self, line: Json) -> tuple[str, StoredFile]:
        value = line["value"]
        path = str(value["path"])
        if path.startswith("/") or ".." in path.split("/") or not path.isprintable():
            raise Refused(400, f"Invalid path {path!r}")
        match line["key"]:
            case "file":
                try:
                    data = base64.b64decode(value["content"], validate=True)
                except binascii.Error as problem:
                    raise Refused(400, "Not base64") from problem
                if goes_to_lfs(path, data[:512], len(data)):
                    raise Refused(400, f"{path} must be uploaded as LFS")
                return path, StoredFile(data=data, is_lfs=False)
            case "lfsFile":
                stored = self.stored.get(value["oid"])
                if stored is None or value["algo"] != "sha256" or len(stored) != value["size"]:
                    raise Refused(400, f"The LFS object of {path} was not uploaded")
                return path, StoredFile(data=stored, is_lfs=True)
        raise Refused(400, f"{line['key']} is not simulated")

    # Downloading.

    def _resolve(self, received: Received) -> web.Response:
        if "authorization" in received.headers and not self.is_authorised(received):
            raise Refused(401, "Invalid credentials in Authorization header")
        repo = self._repo(received)
        if repo.gated:
            raise Refused(403, "Access to this model is restricted", code="GatedRepo")
        commit = repo.at(received.match["revision"])
        file = commit.files.get(received.match["path"])
        if file is None:
            raise Refused(404, "Entry not found", code="EntryNotFound")
        headers = {"X-Repo-Commit": commit.oid, "Accept-Ranges": "bytes"}
        if not file.is_lfs:
            return web.Response(body=file.data, headers={**headers, "ETag": f'"{file.blob_id}"'})
        headers |= {
            "X-Linked-Size": str(len(file.data)),
            "X-Linked-Etag": f'"{file.sha256}"',
            "ETag": f'"{file.sha256}"',
        }
        location = f"{self.endpoint}/lfs-store/{file.sha256}?X-Amz-Signature=read{file.sha256[:8]}"
        return web.Response(status=302, headers={**headers, "Location": location})

    def _download(self, received: Received) -> web.Response:
        oid = received.match["oid"]
        if received.query.get("X-Amz-Signature") != f"read{oid[:8]}" or oid not in self.stored:
            raise Refused(403, "AccessDenied")
        return web.Response(body=self.stored[oid], headers={"ETag": f'"{oid}"'}, content_type="binary/octet-stream")


def _json_object(received: Received, needed: set[str], allowed: set[str]) -> Json:
    body = received.json
    if not isinstance(body, dict):
        raise Refused(415, "application/json is wanted here")
    if not needed <= set(body) <= needed | allowed:
        raise Refused(400, f"Not the fields that are wanted here: {sorted(body)}")
    return body
