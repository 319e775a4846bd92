"""A version's own schema is a stranger's document: only what matters is taken out, and inputs are held against it."""

import json
from typing import Any

import pytest

from bot.errors import ProviderBroken, ProviderRefused
from bot.providers.replicate.schemas import fitting, input_schema


def document(properties: dict[str, Any], *, required: Any = (), **others: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return {"components": {"schemas": {"Input": schema, **others}}}


def taken(value: dict[str, Any], **others: Any) -> dict[str, Any]:
    """What is left of the schema of one value."""
    flat: dict[str, Any] = input_schema(document({"x": value}, **others), "Input")["properties"]["x"]
    return flat


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"type": "integer", "minimum": 1, "title": "X", "default": 3}, {"type": "integer", "minimum": 1}),
        ({"allOf": [{"$ref": "#/components/schemas/kind"}], "default": "a"}, {"type": "string", "enum": ["a", "b"]}),
        ({"$ref": "#/components/schemas/kind"}, {"type": "string", "enum": ["a", "b"]}),
        ({"anyOf": [{"type": "integer", "maximum": 9}, {"type": "null"}]}, {"type": "integer", "maximum": 9}),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, {}),
        ({"$ref": "#/components/schemas/nobody"}, {}),
        ({"$ref": "https://evil.example/schema.json"}, {}),
        ({"$ref": 7, "allOf": 7, "anyOf": 7, "type": ["odd"], "enum": "odd", "minimum": "1"}, {}),
        ({"type": "string", "pattern": "(a+)+$", "format": "uri", "if": {}, "not": {}}, {"type": "string"}),
        ({"minimum": True, "maximum": float("nan"), "enum": [{"deep": 1}]}, {}),
        ({"enum": []}, {}),
    ],
)
def test_only_what_matters_is_taken_out_of_a_schema(value: dict[str, Any], expected: dict[str, Any]) -> None:
    assert taken(value, kind={"type": "string", "enum": ["a", "b"], "title": "kind"}) == expected


def test_a_schema_that_refers_to_itself_ends() -> None:
    loop = {"allOf": [{"$ref": "#/components/schemas/loop"}], "type": "string"}
    assert taken({"$ref": "#/components/schemas/loop"}, loop=loop) == {"type": "string"}


def test_a_value_that_is_no_schema_takes_anything() -> None:
    assert input_schema(document({"x": 7, "y": None}), "Input")["properties"] == {"x": {}, "y": {}}


def test_what_is_taken_out_can_be_stored() -> None:
    schema = input_schema(document({"x": {"type": "number", "minimum": 0.5}}, required=["x", 7]), "Input")
    assert json.loads(json.dumps(schema)) == schema
    assert schema["required"] == ["x"]


@pytest.mark.parametrize(
    "openapi",
    [None, [], {}, {"components": 7}, {"components": {"schemas": {"Input": 7}}}, document({}),
     document({f"p{number}": {} for number in range(201)}), {"components": {"schemas": {"Input": {"properties": []}}}}],
)  # fmt: skip
def test_without_a_readable_schema_it_is_broken(openapi: Any) -> None:
    with pytest.raises(ProviderBroken):
        input_schema(openapi, "Input")


SCHEMA = input_schema(
    document(
        {
            "steps": {"type": "integer", "minimum": 3, "maximum": 6000},
            "scale": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 2},
            "kind": {"enum": ["a", "b"]},
            "word": {"type": "string", "minLength": 2, "maxLength": 4},
            "link": {"type": "string"},
        },
        required=["link"],
    ),
    "Input",
)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"steps": 2}, "steps must be at least 3"),
        ({"steps": 6001}, "steps must be at most 6000"),
        ({"steps": 3.5}, "steps must be of type integer"),
        ({"scale": 0}, "scale must be more than 0"),
        ({"scale": 2}, "scale must be less than 2"),
        ({"kind": "c"}, "kind must be one of a, b"),
        ({"word": "a"}, "word must have at least 2 characters"),
        ({"word": "abcde"}, "word must have at most 4 characters"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_in_our_words(wanted: dict[str, Any], said: str) -> None:
    with pytest.raises(ProviderRefused, match=said):
        fitting(SCHEMA, {"link": "https://s.example/x", **wanted}, wishes={})


def test_a_refusal_does_not_quote_a_link() -> None:
    schema = input_schema(document({"link": {"type": "string", "maxLength": 5}}), "Input")
    with pytest.raises(ProviderRefused) as caught:
        fitting(schema, {"link": "https://s.example/x?sig=secret"}, wishes={})
    assert "secret" not in str(caught.value)


def test_what_is_not_known_is_dropped_and_so_is_a_wish_that_is_not_liked() -> None:
    given = fitting(SCHEMA, {"link": "x", "unknown": 1}, wishes={"kind": "c", "word": "abc", "other": 1})
    assert given == {"link": "x", "word": "abc"}


def test_something_needed_that_nobody_has_is_named() -> None:
    with pytest.raises(ProviderRefused, match="also needs link"):
        fitting(SCHEMA, {"steps": 5}, wishes={})
