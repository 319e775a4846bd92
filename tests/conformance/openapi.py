"""Discord's own description of its REST interface, and what it says about one request and its answer."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from bot.playground.rest import Exchange

Json = dict[str, Any]
ADDRESS = "urn:discord"
ON_PURPOSE = (501, 503)  # the playground's own refusal of what it does not know, and trouble a test has ordered


class OpenApi:
    def __init__(self, path: Path) -> None:
        self._document: Json = json.loads(path.read_text())
        resource = Resource(contents=self._document, specification=DRAFT202012)
        self._registry = Registry().with_resource(ADDRESS, resource)

    def problems(self, exchange: Exchange) -> list[str]:
        """Everything this exchange does that Discord's description does not allow."""
        if exchange.status in ON_PURPOSE:
            return []
        template = self.template(exchange.path)
        method = exchange.method.lower()
        if template is None or method not in self._document["paths"][template]:
            return [f"{exchange.method} {exchange.path} is not described"]
        pointer = f"/paths/{_escaped(template)}/{method}"
        found = [*self._in_query(pointer, template, exchange)]
        if exchange.status < 400:
            found += self._in_request(pointer, exchange)
        found += self._in_answer(pointer, exchange)
        return [f"{exchange.method} {template}: {problem}" for problem in found]

    def template(self, path: str) -> str | None:
        """Literal steps win over named ones: @original is not a message's id."""
        fitting = [template for template, pattern in self._patterns.items() if pattern.fullmatch(path)]
        return min(fitting, key=lambda template: template.count("{"), default=None)

    @cached_property
    def _patterns(self) -> Mapping[str, re.Pattern[str]]:
        return {
            template: re.compile("".join(_step(part) for part in re.split(r"(\{\w+\})", template)))
            for template in self._document["paths"]
        }

    def _in_query(self, pointer: str, template: str, exchange: Exchange) -> Iterator[str]:
        described = [*self._at(pointer).get("parameters", []), *self._document["paths"][template].get("parameters", [])]
        known = {parameter["name"] for parameter in described if parameter.get("in") == "query"}
        for name in exchange.query:
            if name not in known:
                yield f"the query names {name}"

    def _in_request(self, pointer: str, exchange: Exchange) -> Iterator[str]:
        body = self._at(pointer).get("requestBody")
        if exchange.request is None:
            if body is not None and body.get("required"):
                yield "the request has no body"
            return
        if body is None:
            yield "the request has a body"
            return
        media_type = "multipart/form-data" if exchange.filenames else "application/json"
        if media_type not in body["content"]:
            yield f"the request is {media_type}"
            return
        schema = f"{pointer}/requestBody/content/{_escaped(media_type)}/schema"
        yield from self._mismatch("request", schema, with_text_ids(exchange.request))

    def _in_answer(self, pointer: str, exchange: Exchange) -> Iterator[str]:
        responses = self._at(pointer)["responses"]
        status = next((key for key in (str(exchange.status), f"{exchange.status // 100}XX") if key in responses), None)
        if status is None:
            yield f"the answer is {exchange.status}"
            return
        at = f"{pointer}/responses/{status}"
        response = responses[status]
        if "$ref" in response:
            at = response["$ref"].removeprefix("#")
            response = self._at(at)
        if "content" not in response:
            if exchange.response is not None:
                yield f"the answer {exchange.status} has a body"
            return
        body = without_inner_codes(exchange.response) if exchange.status >= 400 else exchange.response
        yield from self._mismatch("answer", f"{at}/content/application~1json/schema", body)

    def _mismatch(self, what: str, pointer: str, value: Any) -> Iterator[str]:
        validator = Draft202012Validator({"$ref": f"{ADDRESS}#{pointer}"}, registry=self._registry)
        error = best_match(validator.iter_errors(value))
        if error is not None:
            yield f"the {what} at {error.json_path}: {error.message[:300]}"

    def _at(self, pointer: str) -> Json:
        here: Any = self._document
        for step in pointer.removeprefix("/").split("/"):
            here = here[step.replace("~1", "/").replace("~0", "~")]
        return dict(here)


def with_text_ids(body: Any) -> Any:
    """discord.py sends some ids as integers, which Discord takes and its description does not know."""
    if isinstance(body, list):
        return [with_text_ids(one) for one in body]
    if not isinstance(body, dict):
        return body
    changed = {key: with_text_ids(value) for key, value in body.items()}
    for attachment in changed.get("attachments") or []:
        attachment["id"] = str(attachment["id"])
    for kind in ("users", "roles"):
        if kind in (allowed := changed.get("allowed_mentions") or {}):
            allowed[kind] = [str(one) for one in allowed[kind]]
    return changed


def without_inner_codes(body: Any) -> Any:
    """`_errors[].code` is a word such as BASE_TYPE_REQUIRED; the description takes it for a number."""
    if isinstance(body, list):
        return [without_inner_codes(one) for one in body]
    if not isinstance(body, dict):
        return body
    changed = {key: without_inner_codes(value) for key, value in body.items()}
    for error in changed.get("_errors", []):
        if isinstance(error.get("code"), str):
            error["code"] = 0
    return changed


def _escaped(step: str) -> str:
    """A step of a JSON pointer inside a URI."""
    return step.replace("~", "~0").replace("/", "~1")


def _step(part: str) -> str:
    return "[^/]+" if part.startswith("{") else re.escape(part)
