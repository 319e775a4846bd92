"""A playground with the real bot in it, and a browser that looks at its page.

Starting them takes longer than most of what is looked at, so the stories share one world, each in a channel of its own.
"""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from bot.pictures.sample import write_sample
from bot.playground.server import Playground
from tests.page.bot_switch import BotSwitch
from tests.page.visitor import Visitor

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DOCUMENTS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("sample") / "lighthouse.zip")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def playground(sample: Path) -> AsyncIterator[Playground]:
    async with Playground(sample=sample) as playground:
        yield playground


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(playground: Playground, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotSwitch]:
    switch = BotSwitch(playground, tmp_path_factory.mktemp("data"))
    await switch.on()
    yield switch
    await switch.off()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("looking at the page needs Chromium (apt install chromium)")
    async with async_playwright() as player:
        browser = await player.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def visit(browser: Browser, playground: Playground) -> AsyncIterator[Callable[..., Awaitable[Visitor]]]:
    """Opens the page in a window of its own; in the end no window may have had any trouble."""
    visitors: list[Visitor] = []

    async def open_page(screen: dict[str, Any]) -> Visitor:
        context = await browser.new_context(**screen)
        visitor = Visitor(await context.new_page())
        visitors.append(visitor)
        await visitor.open(playground.page_url)
        return visitor

    yield open_page
    for visitor in visitors:
        await visitor.page.context.close()
    assert [trouble for visitor in visitors for trouble in visitor.troubles] == []


@pytest.fixture
def screenshot(tmp_path: Path) -> Callable[[str], Path]:
    """Where a screenshot goes: under docs/ when KEEP_SCREENSHOTS is set, so that a plain run changes no file."""
    folder = DOCUMENTS if os.environ.get("KEEP_SCREENSHOTS") else tmp_path
    return lambda name: folder / name
