"""What the playground's gateway dispatches, held against the types of discord-api-types.

The schemas are made by `gateway_schemas/generate.mjs`.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from jsonschema import Draft7Validator
from jsonschema.protocols import Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from tests.conformance.conftest import named_by
from tests.conformance.rich_story import Recorded

ADDRESS = "urn:gateway"
EVENTS = ("READY", "GUILD_CREATE", "INTERACTION_CREATE", "MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE")
INTERACTIONS = {2: "command", 3: "component", 4: "autocomplete", 5: "modal submit"}

Json = dict[str, Any]


@pytest.fixture(scope="module")
def validators() -> Mapping[str, Validator]:
    path = named_by("GATEWAY_SCHEMAS", "name the file that tests/conformance/gateway_schemas/generate.mjs has written.")
    document = json.loads(path.read_text())
    registry = Registry().with_resource(ADDRESS, Resource(contents=document, specification=DRAFT7))
    types = document["definitions"]["Events"]["properties"]
    return {event: Draft7Validator({"$ref": ADDRESS + types[event]["$ref"]}, registry=registry) for event in EVENTS}


def problems_of(validators: Mapping[str, Validator], event: Json) -> list[str]:
    errors = validators[event["t"]].iter_errors(event)
    return [f"{event['t']} at {error.json_path}: {error.message[:300]}" for error in errors]


def test_every_event_is_as_its_type_says(validators: Mapping[str, Validator], recorded: Recorded) -> None:
    known = [event for event in recorded.events if event["t"] in EVENTS]
    assert sorted({problem for event in known for problem in problems_of(validators, event)}) == []


def test_a_message_menu_is_as_its_type_says(validators: Mapping[str, Validator], recorded_menus: Recorded) -> None:
    used = [one for one in recorded_menus.events if one["t"] == "INTERACTION_CREATE" and one["d"]["data"]["type"] == 3]
    assert len(used) == 4
    assert [problem for event in used for problem in problems_of(validators, event)] == []
    for key in ("target_id", "resolved"):
        data = {name: value for name, value in used[0]["d"]["data"].items() if name != key}
        assert problems_of(validators, {**used[0], "d": {**used[0]["d"], "data": data}}) != []


@pytest.mark.parametrize("name", EVENTS)
def test_the_story_holds_every_event(recorded: Recorded, name: str) -> None:
    assert any(event["t"] == name for event in recorded.events)


def test_no_event_is_left_unlooked_at(recorded: Recorded) -> None:
    assert {event["t"] for event in recorded.events} == set(EVENTS)


@pytest.mark.parametrize("kind", INTERACTIONS, ids=list(INTERACTIONS.values()))
def test_the_story_holds_every_kind_of_interaction(recorded: Recorded, kind: int) -> None:
    assert interaction(recorded, kind)


def _without_a_token(data: Json) -> None:
    del data["token"]


def _with_a_numeric_id(data: Json) -> None:
    data["id"] = 7


def _with_an_unknown_kind(data: Json) -> None:
    data["type"] = 77


def _with_foreign_data(data: Json) -> None:
    data["data"] = {"guild_id": None}


@pytest.mark.parametrize("kind", INTERACTIONS, ids=list(INTERACTIONS.values()))
@pytest.mark.parametrize("spoil", [_without_a_token, _with_a_numeric_id, _with_an_unknown_kind, _with_foreign_data])
def test_a_wrong_interaction_is_noticed(
    validators: Mapping[str, Validator], recorded: Recorded, kind: int, spoil: Callable[[Json], None]
) -> None:
    event = interaction(recorded, kind)
    spoilt = {**event, "d": dict(event["d"])}
    spoil(spoilt["d"])
    assert problems_of(validators, spoilt) != []


def interaction(recorded: Recorded, kind: int) -> Json:
    return next(one for one in recorded.events if one["t"] == "INTERACTION_CREATE" and one["d"]["type"] == kind)
