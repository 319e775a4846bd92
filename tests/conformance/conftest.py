"""Each story is told once; every test here reads what was recorded."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.conformance import menu_story, rich_story
from tests.conformance.rich_story import Recorded


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return asyncio.run(rich_story.record(tmp_path_factory.mktemp("story")))


@pytest.fixture(scope="session")
def recorded_menus(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return asyncio.run(menu_story.record(tmp_path_factory.mktemp("menus")))


def named_by(variable: str, advice: str) -> Path:
    """What somebody else wrote is not in this repository: here its tests are skipped, in CI they fail."""
    value = os.environ.get(variable)
    path = Path(value) if value else None
    if path is not None and path.exists():
        return path
    reason = f"{variable} is not set: {advice}" if path is None else f"{variable}={path} does not exist: {advice}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
