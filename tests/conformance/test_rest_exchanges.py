"""Every request the bot sends and every answer the playground gives, held against Discord's own description."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.playground.rest import Exchange
from tests.conformance.conftest import named_by
from tests.conformance.openapi import OpenApi
from tests.conformance.rich_story import Recorded

CALLBACK = "/interactions/{interaction_id}/{interaction_token}/callback"
ORIGINAL = "/webhooks/{webhook_id}/{webhook_token}/messages/@original"
MESSAGE = "/channels/{channel_id}/messages"


@pytest.fixture(scope="module")
def openapi() -> OpenApi:
    folder = named_by("SPECS_DIR", "name the folder that holds discord.openapi.json, from discord/discord-api-spec.")
    path = folder / "discord.openapi.json"
    assert path.is_file(), f"There is no {path}."
    return OpenApi(path)


def test_every_exchange_is_as_discord_describes_it(openapi: OpenApi, recorded: Recorded) -> None:
    problems = [problem for exchange in recorded.exchanges for problem in openapi.problems(exchange)]
    assert sorted(set(problems)) == []


def test_every_exchange_about_message_menus_is_as_discord_describes_it(
    openapi: OpenApi, recorded_menus: Recorded
) -> None:
    problems = [problem for exchange in recorded_menus.exchanges for problem in openapi.problems(exchange)]
    assert sorted(set(problems)) == []


def test_the_story_uses_everything_the_bot_uses(openapi: OpenApi, recorded: Recorded) -> None:
    used = {(exchange.method, openapi.template(exchange.path)) for exchange in recorded.exchanges}
    assert used >= {
        ("GET", "/users/@me"),
        ("GET", "/gateway/bot"),
        ("PUT", "/applications/{application_id}/commands"),
        ("POST", CALLBACK),
        ("PATCH", ORIGINAL),
        ("DELETE", ORIGINAL),
        ("POST", "/webhooks/{webhook_id}/{webhook_token}"),
        ("POST", MESSAGE),
        ("PATCH", MESSAGE + "/{message_id}"),
    }
    callbacks = {exchange.request["type"] for exchange in recorded.exchanges if exchange.path.endswith("/callback")}
    assert callbacks == {4, 5, 6, 7, 8, 9}
    assert any(exchange.filenames for exchange in recorded.exchanges)
    assert {exchange.status for exchange in recorded.exchanges} >= {200, 204, 404}


def _with_a_long_content(request: Any) -> None:
    request["data"]["content"] = "x" * 2001


def _with_an_unknown_kind(request: Any) -> None:
    request["type"] = 77


def _without_its_kind(request: Any) -> None:
    del request["type"]


@pytest.mark.parametrize("spoil", [_with_a_long_content, _with_an_unknown_kind, _without_its_kind])
def test_a_wrong_request_is_noticed(openapi: OpenApi, recorded: Recorded, spoil: Callable[[Any], None]) -> None:
    honest = next(one for one in recorded.exchanges if one.path.endswith("/callback") and one.request["type"] == 4)
    assert openapi.problems(honest) == []
    spoilt = replace(honest, request={**honest.request, "data": dict(honest.request["data"])})
    spoil(spoilt.request)
    assert openapi.problems(spoilt) != []


def test_a_wrong_answer_is_noticed(openapi: OpenApi, recorded: Recorded) -> None:
    honest = next(one for one in recorded.exchanges if one.method == "POST" and one.path.endswith("/messages"))
    nameless = {key: value for key, value in honest.response.items() if key != "author"}
    assert openapi.problems(replace(honest, response=nameless)) != []
    assert openapi.problems(replace(honest, status=204)) != []


def test_an_undescribed_route_is_noticed(openapi: OpenApi) -> None:
    exchange = Exchange(method="POST", path="/playground", query={}, request=None, status=200, response=None)
    assert openapi.problems(exchange) == ["POST /playground is not described"]
