"""A playground on loopback, and a real discord.py bot in it."""

import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.playground.server import Playground
from tests.playground.bare_wire import PNG, Clock, Wire
from tests.playground.example_bot import ExampleBot, living_in


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def playground(clock: Clock) -> AsyncIterator[Playground]:
    async with Playground(now=clock) as started:
        yield started


@pytest.fixture
async def wire(playground: Playground) -> AsyncIterator[Wire]:
    async with aiohttp.ClientSession() as session:
        yield Wire(playground=playground, session=session)


@pytest.fixture
async def bot(playground: Playground) -> AsyncIterator[ExampleBot]:
    async with living_in(playground) as client:
        yield client


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "my cat.png"
    path.write_bytes(PNG)
    return path


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    path = tmp_path / "cats.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "a")
        archive.writestr("b.txt", "b")
    return path
