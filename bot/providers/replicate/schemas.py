"""What a version of a model on Replicate takes, read from its own OpenAPI document, and inputs held against it. Pure.

A document is a stranger's: only the few keywords that matter are taken out of it, so that nothing in it can make the
check slow or fail (no patterns, no formats, no references that go in circles).
"""

import math
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from bot.errors import ProviderBroken, ProviderRefused

MOST_PROPERTIES = 200
MOST_CHOICES = 500
DEEPEST = 8
SCHEMAS = "#/components/schemas/"
TYPES = ("string", "integer", "number", "boolean", "array", "object")
BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength")
SAYS = {
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "enum": "must be one of {}",
    "type": "must be of type {}",
}

Schema = Mapping[str, Any]


def input_schema(openapi: Any, name: str) -> dict[str, Any]:
    """The schema called `name` (`Input` or `TrainingInput`), without references, as JSON.

    Cog writes a choice as `{"allOf": [{"$ref": "#/components/schemas/lora_type"}]}` and an optional value as
    `nullable` or `anyOf` with null (replicate.com/docs/reference/openapi). Raises `ProviderBroken` without a schema.
    """
    schema = _named(openapi, name)
    properties = schema.get("properties") if schema else None
    if not isinstance(properties, dict) or not 0 < len(properties) <= MOST_PROPERTIES:
        raise ProviderBroken(
            "Replicate does not say what this model takes, so nothing was sent: please choose another one.",
            advice=f"no readable {name} in openapi_schema.components.schemas",
        )
    required = schema.get("required") if schema else None
    return {
        "type": "object",
        "properties": {str(key): _flat(value, openapi, DEEPEST) for key, value in properties.items()},
        "required": [key for key in required if isinstance(key, str)] if isinstance(required, list) else [],
    }


def knows(schema: Schema, name: str) -> bool:
    return name in schema["properties"]


def fitting(schema: Schema, wanted: Mapping[str, Any], *, wishes: Mapping[str, Any]) -> dict[str, Any]:
    """What of both is sent: a name that the schema does not know is dropped, and a wish that it does not like too.

    Raises `ProviderRefused`, with a sentence, for a wanted value that it does not like.
    """
    known = {name: value for name, value in wanted.items() if knows(schema, name)}
    liked = {name: value for name, value in wishes.items() if knows(schema, name) and _likes(schema, name, value)}
    whole = {**known, **liked}
    for problem in Draft202012Validator(schema).iter_errors(whole):
        raise ProviderRefused(f"Replicate does not take this: {_said(problem)}.")
    return whole


def _likes(schema: Schema, name: str, value: Any) -> bool:
    return bool(Draft202012Validator(schema["properties"][name]).is_valid(value))


def _said(problem: ValidationError) -> str:
    """In our words: the library's would quote the value, which may be a signed link."""
    name = ".".join(str(step) for step in problem.absolute_path)[:100]
    rule: str = str(problem.validator)
    limit: Any = problem.validator_value
    value: Any = problem.instance
    if rule == "required":
        missing = [name for name in limit if name not in value]
        return f"the model also needs {', '.join(missing)[:200]}, which I do not know"
    shown = ", ".join(map(str, limit)) if isinstance(limit, list) else f"{limit}"
    return f"{name} {SAYS.get(rule, 'is not as it should be').format(shown[:200])}"


def _named(openapi: Any, name: str) -> dict[str, Any] | None:
    here = openapi
    for step in ("components", "schemas", name):
        here = here.get(step) if isinstance(here, dict) else None
    return here if isinstance(here, dict) else None


def _flat(schema: Any, openapi: Any, depth: int) -> dict[str, Any]:
    """The schema of one value: its own keywords over those of what it refers to."""
    if not isinstance(schema, dict) or depth == 0:
        return {}
    flat: dict[str, Any] = {}
    for other in _referred(schema, openapi):
        flat |= _flat(other, openapi, depth - 1)
    return flat | _kept(schema)


def _referred(schema: dict[str, Any], openapi: Any) -> list[Any]:
    found: list[Any] = []
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith(SCHEMAS):
        found.append(_named(openapi, reference.removeprefix(SCHEMAS)))
    if isinstance(every := schema.get("allOf"), list):
        found += every[:10]
    if isinstance(either := schema.get("anyOf"), list):
        values = [one for one in either[:10] if not (isinstance(one, dict) and one.get("type") == "null")]
        found += values if len(values) == 1 else []
    return found


def _kept(schema: dict[str, Any]) -> dict[str, Any]:
    """Keywords of a right type only. An old exclusiveMinimum is a boolean: then the bound itself is kept as it is."""
    kept: dict[str, Any] = {}
    if schema.get("type") in TYPES:
        kept["type"] = schema["type"]
    choices = schema.get("enum")
    if isinstance(choices, list) and 0 < len(choices) <= MOST_CHOICES and all(map(_is_plain, choices)):
        kept["enum"] = choices
    for bound in BOUNDS:
        if _is_number(schema.get(bound)):
            kept[bound] = schema[bound]
    return kept


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)
