"""Holds requests and answers against a provider's OpenAPI file; a field that it does not name is refused in a request.

Two habits of these files are no JSON Schema and are read as they are meant: `nullable`, and a `oneOf` whose choices
overlap ("a string" or "hidden").
"""

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

ADDRESS = "urn:contract"


class ProviderContract:
    def __init__(self, path: Path) -> None:
        self._document: dict[str, Any] = _as_meant(json.loads(path.read_text()))
        resource: Resource[Any] = Resource.from_contents(self._document, default_specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource(ADDRESS, resource)

    def problems(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Iterator[str]:
        """What is wrong with the request, one sentence each. A path that the file does not know is one problem."""
        template = self.template_of(method, path)
        if template is None:
            yield f"{method} {path} is not in the contract"
            return
        operation = self._document["paths"][template][method.lower()]
        parameters = [*operation.get("parameters", []), *self._document["paths"][template].get("parameters", [])]
        known = {one["name"] for one in map(self._resolved, parameters) if one.get("in") == "query"}
        yield from (f"{method} {path}: the query names {name}" for name in query if name not in known)
        content = self._resolved(operation.get("requestBody", {})).get("content", {})
        if "application/json" not in content:
            if body is not None:
                yield f"{method} {path} takes no JSON body"
            return
        if body is None:
            yield f"{method} {path} has no JSON body"
            return
        pointer = f"/paths/{_escaped(template)}/{method.lower()}/requestBody/content/application~1json/schema"
        yield from (f"{method} {path}: {problem}" for problem in self._mismatches(pointer, body))

    def answer_problems(self, method: str, path: str, status: int, body: Any) -> Iterator[str]:
        """What is wrong with the answer. The files describe few errors: one that they leave out is not held."""
        template = self.template_of(method, path)
        if template is None:
            yield f"{method} {path} is not in the contract"
            return
        pointer = f"/paths/{_escaped(template)}/{method.lower()}/responses"
        described = self._at(pointer)
        key = next((one for one in (str(status), f"{status // 100}XX", "default") if one in described), None)
        if key is None:
            if status < 400:
                yield f"{method} {path} is never answered with {status}"
            return
        pointer = described[key].get("$ref", f"#{pointer}/{key}").removeprefix("#")
        kinds = [kind for kind in self._at(pointer).get("content", {}) if kind.endswith("json")]
        if kinds:
            schema = f"{pointer}/content/{_escaped(kinds[0])}/schema"
            yield from (f"{method} {path}, {status}: {problem}" for problem in self._schema_problems(schema, body))

    def result_problems(self, path: str, body: Any) -> Iterator[str]:
        """fal: the result of a task that was submitted there is described beside the submission."""
        template = self.template_of("POST", path)
        pointer = f"/paths/{_escaped(template or path)}/post/x-result-schema"
        yield from (f"result of {path}: {problem}" for problem in self._schema_problems(pointer, body))

    def template_of(self, method: str, path: str) -> str | None:
        """The most literal template that fits."""
        fitting = [
            template
            for template, pattern in self._patterns.items()
            if pattern.fullmatch(path) and method.lower() in self._document["paths"][template]
        ]
        return min(fitting, key=lambda template: template.count("{"), default=None)

    @cached_property
    def _patterns(self) -> dict[str, re.Pattern[str]]:
        def step(part: str) -> str:
            if part == "{app_id}":  # fal: an app's name has slashes of its own
                return ".+"
            return "[^/]+" if part.startswith("{") else re.escape(part)

        return {
            template: re.compile("".join(step(part) for part in re.split(r"(\{\w+\})", template)))
            for template in self._document["paths"]
        }

    def _schema_problems(self, pointer: str, body: Any) -> Iterator[str]:
        validator = Draft202012Validator({"$ref": f"{ADDRESS}#{pointer}"}, registry=self._registry)
        error = best_match(validator.iter_errors(body))
        if error is not None:
            yield f"{error.json_path}: {error.message[:300]}"

    def _mismatches(self, pointer: str, body: Any) -> Iterator[str]:
        yield from self._schema_problems(pointer, body)
        schema = self._resolved(self._at(pointer))
        if isinstance(body, dict) and "properties" in schema:
            yield from (f"{name} is not a field" for name in body if name not in schema["properties"])

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            schema = self._at(schema["$ref"].removeprefix("#"))
        return schema

    def _at(self, pointer: str) -> Any:
        here: Any = self._document
        for step in pointer.removeprefix("/").split("/"):
            here = here[step.replace("~1", "/").replace("~0", "~")]
        return here


def _as_meant(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_as_meant(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    meant = {("anyOf" if name == "oneOf" else name): _as_meant(one) for name, one in schema.items()}
    if meant.get("nullable") is True and isinstance(meant.get("type"), str):
        meant["type"] = [meant["type"], "null"]
        meant |= {"enum": [*meant["enum"], None]} if "enum" in meant else {}
    return meant


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
