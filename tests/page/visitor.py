"""Somebody in front of the playground's page: what they can do there, and every trouble their browser had."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Locator, Page, Response, ViewportSize, expect

DESKTOP: dict[str, Any] = {"viewport": ViewportSize(width=1280, height=800)}
PHONE: dict[str, Any] = {
    "viewport": ViewportSize(width=390, height=844),
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
FILE_IN_HAND = """([data, name]) => {
    const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, { type: "application/zip" }));
    return transfer;
}"""
WIDER_THAN_SHOWN = """() => [document.documentElement, ...document.querySelectorAll("#scroller, dialog, .modal-fields")]
    .filter((node) => node.scrollWidth > node.clientWidth + 1).map((node) => node.outerHTML.slice(0, 80))"""
PATIENCE_MS = 30_000


class Visitor:
    """One window. Waits until what it looks for is there."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.troubles: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda said: said.type in ("error", "warning") and self.troubles.append(said.text))
        page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        page.on("requestfailed", lambda request: self.troubles.append(f"failed: {request.url}"))
        page.on("response", self._note)

    def _note(self, response: Response) -> None:
        if response.status >= 400:
            self.troubles.append(f"{response.status}: {response.url}")

    async def open(self, url: str) -> None:
        await self.page.goto(url)
        await self.wait_until_ready()

    async def wait_until_ready(self) -> None:
        """The page knows the bot's commands."""
        await expect(self.page.get_by_test_id("bot-status")).to_contain_text("online", timeout=PATIENCE_MS)

    async def open_channel(self, name: str) -> None:
        await self.page.get_by_test_id(f"channel-{name}").click()
        await expect(self.page.get_by_test_id("composer")).to_have_attribute("placeholder", f"Message #{name}")

    async def drop(self, path: Path) -> None:
        data = base64.b64encode(path.read_bytes()).decode()
        transfer = await self.page.evaluate_handle(FILE_IN_HAND, [data, path.name])
        for event in ("dragenter", "dragover", "drop"):
            await self.page.dispatch_event("#scroller", event, {"dataTransfer": transfer})

    async def open_command(self, name: str) -> None:
        await self.page.get_by_test_id("composer").fill(f"/{name}")
        await self.page.get_by_test_id("command-choice").first.click()

    async def add_option(self, name: str, value: str) -> None:
        await self.page.get_by_test_id("optional-options").click()
        await self.page.locator(f'[data-testid="optional-choice"][data-value="{name}"]').click()
        await self.page.get_by_test_id(f"option-{name}").fill(value)

    async def send(self) -> None:
        await self.page.get_by_test_id("send").click()

    def card(self, words: str) -> Locator:
        """The newest message that says this."""
        return self.page.get_by_test_id("message").filter(has_text=words).last

    async def sees(self, words: str) -> Locator:
        card = self.card(words)
        await expect(card).to_be_visible(timeout=PATIENCE_MS)
        return card

    async def press(self, words: str, label: str) -> None:
        await self.card(words).get_by_role("button", name=label, exact=True).click()

    async def use_menu(self, words: str, name: str) -> None:
        """Chooses a command in the menu of the newest message that says this."""
        card = self.card(words)
        await card.hover()
        await card.get_by_test_id("message-menu").click()
        await self.page.get_by_role("menuitem", name=name).click()

    async def hold(self, place: Locator, *, seconds: float) -> None:
        async with self.finger_on(place):
            await asyncio.sleep(seconds)

    @asynccontextmanager
    async def finger_on(self, place: Locator) -> AsyncIterator[None]:
        """A finger that stays where it is and is lifted in the end."""
        box = await place.bounding_box()
        assert box is not None
        spot = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        screen = await self.page.context.new_cdp_session(self.page)
        await screen.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [spot]})
        yield
        await screen.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        await screen.detach()

    async def wider_than_shown(self) -> list[str]:
        found: list[str] = await self.page.evaluate(WIDER_THAN_SHOWN)
        return found
