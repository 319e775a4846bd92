"""The loose type of Discord's JSON, for every module of the playground."""

from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
