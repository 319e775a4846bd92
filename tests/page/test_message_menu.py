"""The menu of a message in a real browser: found by a mouse, the keyboard and a finger, gone without commands."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from bot.playground.server import Playground
from tests.page.visitor import DESKTOP, PATIENCE_MS, PHONE, Visitor
from tests.playground.bare_wire import PNG
from tests.playground.example_bot import ExampleBot, living_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

Visit = Callable[..., Awaitable[Visitor]]
MENUS = ["Weigh the Files", "repeat", "Fill in", "Ignore"]
SILENCE = "The application did not respond"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def playground() -> AsyncIterator[Playground]:
    async with Playground() as playground:
        yield playground


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(playground: Playground) -> AsyncIterator[ExampleBot]:
    async with living_in(playground) as bot:
        yield bot


async def test_a_mouse_uses_a_menu_and_reads_the_answer(visit: Visit, bot: ExampleBot, playground: Playground) -> None:
    ben = playground.person("Ben")
    await ben.say("Two of my cats", channel="gallery")
    ann = await visit(DESKTOP)
    await ann.open_channel("gallery")
    cats = await ann.sees("Two of my cats")
    button = cats.get_by_test_id("message-menu")
    await expect(button).to_have_css("opacity", "0")
    await cats.hover()
    await expect(button).to_have_css("opacity", "1")
    await button.click()
    entries = ann.page.get_by_test_id("menu-entry")
    await expect(entries.locator(".menu-entry-words")).to_have_text([f"{name}Atelier" for name in MENUS])
    await entries.filter(has_text="Weigh").click()
    await expect(entries).to_have_count(0)
    answer = await ann.sees("ben: Two of my cats")
    await expect(answer).to_contain_text("AnnusedWeigh the Files")
    await expect(answer).to_contain_text("Only you can see this")
    await expect(answer.get_by_test_id("message-menu")).to_have_count(0)


async def test_the_keyboard_opens_walks_and_leaves_a_menu(
    visit: Visit, bot: ExampleBot, playground: Playground
) -> None:
    await playground.person("Ben").say("Reachable", channel="training")
    ann = await visit(DESKTOP)
    await ann.open_channel("training")
    button = (await ann.sees("Reachable")).get_by_test_id("message-menu")
    await ann.page.locator("#scroller").focus()
    await ann.page.keyboard.press("Tab")
    await expect(button).to_be_focused()
    await expect(button).to_have_css("opacity", "1")
    for leaving in ("Escape", "Tab"):
        await ann.page.keyboard.press("Enter")
        entries = ann.page.get_by_role("menuitem")
        await expect(entries.first).to_be_focused()
        await expect(button).to_have_attribute("aria-expanded", "true")
        await ann.page.keyboard.press(leaving)
        await expect(entries).to_have_count(0)
        await expect(button).to_be_focused()
    await ann.page.keyboard.press("Enter")
    await ann.page.keyboard.press("ArrowUp")
    await ann.page.keyboard.press("ArrowUp")
    await ann.page.keyboard.press("Enter")
    await expect(ann.page.get_by_test_id("modal")).to_contain_text("Your pictures")


async def test_a_finger_finds_the_button_or_holds_the_message(
    visit: Visit, bot: ExampleBot, playground: Playground
) -> None:
    ben = playground.person("Ben")
    await ben.say("A long story", channel="help")
    await ben.say("that goes on", channel="help")
    ann = await visit(PHONE)
    await ann.page.get_by_test_id("drawer-button").tap()
    await ann.page.get_by_test_id("channel-help").tap()
    entries = ann.page.get_by_role("menuitem")
    for words in ("A long story", "that goes on"):
        button = (await ann.sees(words)).get_by_test_id("message-menu")
        await button.tap()
        await expect(entries).to_have_count(len(MENUS))
        assert await ann.wider_than_shown() == []
        await ann.page.touchscreen.tap(20, 200)
        await expect(entries).to_have_count(0)

    story = (await ann.sees("that goes on")).locator(".message-body")
    await ann.hold(story, seconds=0.1)
    await expect(entries).to_have_count(0)
    await ann.hold(story, seconds=0.7)
    await expect(entries).to_have_count(len(MENUS))
    await entries.filter(has_text="repeat").tap()
    await expect(ann.page.get_by_test_id("message")).to_have_count(3, timeout=PATIENCE_MS)
    await expect(ann.card("that goes on")).to_contain_text("Annusedrepeat")
    assert await ann.wider_than_shown() == []


async def test_a_picture_that_is_held_opens_the_menu_and_not_the_picture(
    visit: Visit, bot: ExampleBot, playground: Playground, tmp_path: Path
) -> None:
    path = tmp_path / "cat.png"
    path.write_bytes(PNG)
    await playground.person("Ben").say("Hold this", channel="general", files=[path])
    ann = await visit(PHONE)
    picture = (await ann.sees("Hold this")).locator(".gallery-picture")
    entries = ann.page.get_by_role("menuitem")
    async with ann.finger_on(picture):
        await entries.first.wait_for()
    await ann.page.wait_for_timeout(500)
    await expect(entries).to_have_count(len(MENUS))
    await expect(ann.page.get_by_test_id("lightbox")).to_be_hidden()


async def test_a_menu_that_nobody_answers_says_so(visit: Visit, bot: ExampleBot, playground: Playground) -> None:
    await playground.person("Ben").say("Silence", channel="general")
    ann = await visit(DESKTOP)
    await ann.use_menu("Silence", "Ignore")
    await ann.page.get_by_text("Sending command").wait_for()
    await expect(ann.page.get_by_test_id("command-failure")).to_contain_text(SILENCE, timeout=PATIENCE_MS)


async def test_without_commands_there_is_no_menu(visit: Visit, bot: ExampleBot, playground: Playground) -> None:
    await playground.person("Ben").say("Nothing here", channel="general")
    ann = await visit(PHONE)
    shown = await ann.sees("Nothing here")
    button = shown.get_by_test_id("message-menu")
    await expect(button).to_be_visible()
    playground.world.register_commands(None, [])
    await expect(button).to_be_hidden()
    await ann.hold(shown.locator(".message-body"), seconds=0.7)
    await expect(ann.page.get_by_role("menuitem")).to_have_count(0)
    await bot.tree.sync()
    await expect(button).to_be_visible()
