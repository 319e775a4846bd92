"""The bot's resources with fakes in the places of what lies outside."""

from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from bot.datasets.limits import DatasetLimits
from bot.downloads import Downloads
from bot.hub.hub import Hub
from bot.operators import Operators
from bot.providers.contract import Provider
from bot.providers.registry import Providers
from bot.startup import Resources, open_weights_source
from bot.webhooks import Hooks
from storage.database import Database
from storage.files import Files
from tests.builders import settings


def resources_with(
    *providers: Provider,
    folder: Path,
    database: Database,
    files: Files,
    pool: Executor,
    client: httpx.AsyncClient,
    variables: dict[str, str] | None = None,
    **others: Any,
) -> Resources:
    chosen = settings(folder, **(variables or {}))
    resources = Resources(
        settings=chosen,
        database=database,
        files=files,
        downloads=Downloads(client, extra_hosts=frozenset({"127.0.0.1"})),
        providers=Providers(providers),
        pool=pool,
        drawing=pool,
        limits=DatasetLimits(),
        weights=open_weights_source(chosen, client),
        hooks=Hooks(public_url=None, key="key"),
        hub=Hub(endpoint="http://127.0.0.1:9"),
        operators=Operators(frozenset(chosen.operator_ids), channel_id=chosen.operator_channel),
    )
    return replace(resources, **others)
