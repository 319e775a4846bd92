"""The simulated Replicate is as strict as the real one, or stricter: what a careless client would get away with."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.providers.benches.bench import certificates
from tests.simulators.replicate import (
    BLIP_VERSION,
    DEV_TRAINER,
    DEV_VERSION,
    KEY,
    OFFICIAL,
    OWNER,
    ReplicateSimulator,
)

DESTINATION = f"{OWNER}/bikes"
TRAININGS = f"models/{DEV_TRAINER}/versions/{DEV_VERSION}/trainings"
INPUT = {"input_images": "https://s.example/d.zip", "trigger_word": "TOK", "steps": 100}
PREDICTION = {"version": BLIP_VERSION, "input": {"image": "data:image/png;base64,AAAA"}}


@pytest.fixture
async def service() -> AsyncIterator[ReplicateSimulator]:
    simulator = ReplicateSimulator()
    simulator._contract = None  # its own strictness is what is tried here
    async with simulator:
        yield simulator


@pytest.fixture
async def client(service: ReplicateSimulator) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=f"{service.api_url}/", headers=headers, verify=certificates()) as client:
        model = {"owner": OWNER, "name": "bikes", "visibility": "private", "hardware": "cpu"}
        assert (await client.post("models", json=model)).status_code == 201
        yield client


@pytest.mark.parametrize("header", [{}, {"Authorization": f"Token {KEY}"}, {"Authorization": "Bearer r8_other"}])
async def test_only_the_right_key_opens(service: ReplicateSimulator, header: dict[str, str]) -> None:
    async with httpx.AsyncClient(base_url=service.api_url, headers=header, verify=certificates()) as stranger:
        answer = await stranger.get("/account")
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["title"] == "Unauthenticated"


async def test_a_right_training_is_accepted(service: ReplicateSimulator, client: httpx.AsyncClient) -> None:
    answer = await client.post(TRAININGS, json={"destination": DESTINATION, "input": INPUT})
    assert answer.status_code == 201
    assert service.ledger == [answer.json()["id"]]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 422),
        ({"input": INPUT}, 422),
        ({"destination": DESTINATION}, 422),
        ({"destination": 7, "input": INPUT}, 422),
        ({"destination": "somebody/else", "input": INPUT}, 404),
        ({"destination": DESTINATION, "input": INPUT, "surprise": 1}, 422),
        ({"destination": DESTINATION, "input": {**INPUT, "training_steps": 100}}, 422),
        ({"destination": DESTINATION, "input": {**INPUT, "steps": 2}}, 422),
        ({"destination": DESTINATION, "input": {**INPUT, "steps": "100"}}, 422),
        ({"destination": DESTINATION, "input": {**INPUT, "lora_rank": 129}}, 422),
        ({"destination": DESTINATION, "input": {**INPUT, "input_images": "/home/me/d.zip"}}, 422),
        ({"destination": DESTINATION, "input": {"steps": 100}}, 422),
        ({"destination": DESTINATION, "input": INPUT, "webhook": "http://bot.example/hook"}, 422),
        ({"destination": DESTINATION, "input": INPUT, "webhook_events_filter": ["finished"]}, 422),
    ],
)
async def test_a_wrong_training_is_refused(
    service: ReplicateSimulator, client: httpx.AsyncClient, body: Any, status: int
) -> None:
    assert (await client.post(TRAININGS, json=body)).status_code == status
    assert service.ledger == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("predictions", {**PREDICTION, "version": "f" * 64}, 422),
        ("predictions", {**PREDICTION, "destination": DESTINATION}, 422),
        ("predictions", {**PREDICTION, "input": {"image": "data:image/png;base64," + "A" * 256_001}}, 422),
        ("predictions", {**PREDICTION, "input": {"image": "x", "prompt": "x"}}, 422),
        (f"models/{DEV_TRAINER}/predictions", {"input": {}}, 404),
        (f"models/{OFFICIAL[0]}/predictions", {"input": {"prompt": "x", "aspect_ratio": "1:7"}}, 422),
        (f"models/{OFFICIAL[0]}/predictions", {"input": {"prompt": "x", "num_outputs": 5}}, 422),
        (f"models/{OFFICIAL[2]}/predictions", {"input": {"prompt": "x", "num_outputs": 1}}, 422),
        (f"models/{OFFICIAL[0]}/predictions", {"input": {"prompt": "x"}, "version": "hidden"}, 422),
    ],
)
async def test_a_wrong_prediction_is_refused(
    service: ReplicateSimulator, client: httpx.AsyncClient, path: str, body: Any, status: int
) -> None:
    assert (await client.post(path, json=body)).status_code == status
    assert service.ledger == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 409),
        ({"owner": "somebody"}, 403),
        ({"name": "With Spaces"}, 422),
        ({"hardware": "gpu-of-dreams"}, 422),
        ({"visibility": "secret"}, 422),
        ({"surprise": "1"}, 422),
    ],
)
async def test_a_wrong_model_is_refused(client: httpx.AsyncClient, changes: dict[str, str], status: int) -> None:
    model = {"owner": OWNER, "name": "bikes", "visibility": "private", "hardware": "cpu", **changes}
    assert (await client.post("models", json=model)).status_code == status


async def test_a_key_at_the_results_is_a_broken_promise(client: httpx.AsyncClient, service: ReplicateSimulator) -> None:
    link = service.deliver("a/out-0.png", "image/png", b"picture")
    assert (await client.get(link)).status_code == 400
    assert service.broken_promises
    service.broken_promises.clear()


async def test_an_unknown_route_names_itself(client: httpx.AsyncClient, service: ReplicateSimulator) -> None:
    assert (await client.get("deployments")).status_code == 501
    assert service.unknown_routes == ["GET /v1/deployments"]
    service.unknown_routes.clear()


async def test_a_task_lives_by_being_looked_at(client: httpx.AsyncClient) -> None:
    started = (await client.post("predictions", json=PREDICTION)).json()
    seen = [(await client.get(started["urls"]["get"])).json()["status"] for _ in range(2)]
    assert [started["status"], *seen] == ["starting", "processing", "succeeded"]
