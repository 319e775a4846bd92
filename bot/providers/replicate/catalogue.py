"""What Replicate says about itself and is stable for a while: the account, models, what they take, hardware, a secret.

Read over the wire and remembered; `replicate.py` asks here before it sends anything.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.errors import ProviderBroken, ProviderGone, ProviderRefused
from bot.providers.caching import Cache
from bot.providers.replicate.cards import TITLE
from bot.providers.replicate.replies import explain, mapping, text
from bot.providers.replicate.requests import Version, model_path
from bot.providers.replicate.schemas import Schema, input_schema
from bot.providers.replies import Reply, meaning_of
from bot.providers.wire import Wire

ACCOUNT_SECONDS = 3600.0
MODEL_SECONDS = 1800.0
VERSION_SECONDS = 86400.0  # a version never changes
HARDWARE_SECONDS = 86400.0
SECRET_SECONDS = 86400.0
MOST_HARDWARE = 200
VERSION_ID = re.compile(r"[0-9a-f]{8,64}")


@dataclass(frozen=True, kw_only=True)
class Described:
    """The latest version of a model: its id, "" for an official model that has none, and what it takes."""

    version: str
    schema: Schema


class Catalogue:
    """Every method raises `ProviderError`s, `ProviderBroken` where an answer is not what it should be."""

    def __init__(self, wire: Wire, cache: Cache) -> None:
        self._wire = wire
        self._cache = cache

    async def account(self) -> str:
        """The user or organization that the key belongs to; it owns what the key creates."""
        username = await self._cache.get("replicate account", self._read_account, seconds=ACCOUNT_SECONDS)
        return str(username)

    def forget_account(self) -> None:
        self._cache.forget("replicate account")

    async def latest(self, model: str, schema_name: str) -> Described:
        """The latest version of "owner/name". Raises `ProviderGone` when there is no such model or version."""

        async def load() -> Described:
            return self._described(await self._read(model_path(model)), schema_name)

        described: Described = await self._cache.get(
            ("replicate model", model, schema_name), load, seconds=MODEL_SECONDS
        )
        return described

    async def schema_of(self, version: Version) -> Schema:
        """What a trained version takes."""

        async def load() -> Schema:
            body = await self._read(_path_of(version))
            return input_schema(mapping(body).get("openapi_schema"), "Input")

        schema: Schema = await self._cache.get(("replicate version", version), load, seconds=VERSION_SECONDS)
        return schema

    async def has_version(self, version: Version) -> bool:
        """Whether a trained version is there now. Not remembered."""
        try:
            await self._read(_path_of(version))
        except ProviderGone:
            return False
        return True

    async def version_at(self, address: str) -> str:
        """The latest version of the model that is described there, as "owner/name:hash". Not remembered."""
        fields = mapping(await self._read(address))
        latest = mapping(fields.get("latest_version"))
        return f"{text(fields, 'owner')}/{text(fields, 'name')}:{text(latest, 'id')}"

    async def hardware(self) -> Sequence[str]:
        """The skus on offer, one or more."""
        skus: Sequence[str] = await self._cache.get("replicate hardware", self._read_hardware, seconds=HARDWARE_SECONDS)
        return skus

    async def webhook_secret(self) -> str:
        secret = await self._cache.get("replicate webhooks", self._read_secret, seconds=SECRET_SECONDS)
        return str(secret)

    async def ensure_model(self, owner: str, name: str, *, hardware: str) -> None:
        """Create a private model; that it is there already, private and ours, is just as well.

        A repeated creation is answered with 409 (seen in a client) or perhaps with 422: either is looked into.
        """
        body = {"owner": owner, "name": name, "visibility": "private", "hardware": hardware}
        reply = await self._wire.act("POST", "models", body=body, accepted=(409, 422))
        if reply.status in (409, 422) and not _exists(reply):
            raise explain(reply) or meaning_of(reply, TITLE)
        there = mapping(await self._read(model_path(f"{owner}/{name}")) if reply.status >= 400 else reply.json())
        is_ours = str(there.get("owner")).lower() == owner.lower() and there.get("name") == name
        if not is_ours or there.get("visibility") != "private":
            raise ProviderRefused(
                "Replicate did not make a private model for this training, so nothing was sent.",
                advice=f"look at the model {name} and at REPLICATE_OWNER",
            )

    def _described(self, body: Any, schema_name: str) -> Described:
        version = mapping(body).get("latest_version")
        if version is None:
            raise ProviderGone("Replicate does not offer this model any more: please choose another one.")
        fields = mapping(version)
        identity = str(fields.get("id"))
        schema = input_schema(fields.get("openapi_schema"), schema_name)
        return Described(version=identity if VERSION_ID.fullmatch(identity) else "", schema=schema)

    async def _read(self, path: str) -> Any:
        return (await self._wire.read(path)).json()

    async def _read_account(self) -> str:
        return text(mapping(await self._read("account")), "username", longest=200)

    async def _read_hardware(self) -> Sequence[str]:
        offered = await self._read("hardware")
        listed = offered[:MOST_HARDWARE] if isinstance(offered, list) else []
        named = [one.get("sku") for one in listed if isinstance(one, dict)]
        if skus := [sku for sku in named if isinstance(sku, str) and sku]:
            return skus
        raise ProviderBroken("Replicate does not say which hardware it has.")

    async def _read_secret(self) -> str:
        return text(mapping(await self._read("webhooks/default/secret")), "key", longest=500)


def _path_of(version: Version) -> str:
    return model_path(f"{version.owner}/{version.name}", "versions", version.id)


def _exists(reply: Reply) -> bool:
    return reply.status == 409 or "exist" in reply.said().lower()
