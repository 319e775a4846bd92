"""The playground's page in a real browser, with the real bot: what a newcomer does, on a desk and on a phone."""

import re
import shutil
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import FilePayload, expect

from tests.page.bot_switch import BotSwitch
from tests.page.visitor import DESKTOP, PATIENCE_MS, PHONE, Visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")

Visit = Callable[..., Awaitable[Visitor]]
Screenshot = Callable[[str], Path]
PROMPT = "TOK at sunset over a calm sea"
MARKUP = "<img src=x onerror=alert(1)> **x**"


async def test_a_newcomer_drops_a_zip_trains_and_sees_a_picture(
    visit: Visit, bot: BotSwitch, sample: Path, screenshot: Screenshot
) -> None:
    ann = await visit(DESKTOP)
    await ann.open_channel("training")
    await ann.drop(sample)
    await ann.page.get_by_test_id("use-with-finetune").click()
    await ann.add_option("name", "Lighthouse")
    await ann.send()
    await ann.sees("Ready to train Lighthouse?")
    await ann.press("Ready to train Lighthouse?", "Start")

    await ann.sees("Training Lighthouse")
    await ann.page.reload()
    await ann.sees("Training Lighthouse")
    await ann.sees("Lighthouse is trained")
    await ann.sees("your model Lighthouse is ready")

    await ann.open_command("generate")
    await ann.page.get_by_test_id("autocomplete-choice").filter(has_text="Lighthouse").click()
    await ann.page.get_by_test_id("option-prompt").fill(PROMPT)
    await ann.add_option("count", "2")
    await ann.send()
    pictures = ann.page.locator(".gallery").last.locator("img")
    await expect(pictures).to_have_count(2, timeout=PATIENCE_MS)
    for picture in await pictures.all():
        await expect(picture).to_have_js_property("complete", True)
        assert await picture.evaluate("picture => picture.naturalWidth") > 0
        assert PROMPT in (await picture.get_attribute("alt") or "")
    await ann.page.screenshot(path=screenshot("playground.png"))

    await pictures.first.click()
    await expect(ann.page.get_by_test_id("lightbox")).to_contain_text(PROMPT)


async def test_a_phone_opens_the_drawer_trains_and_cancels_without_scrolling_sideways(
    visit: Visit, bot: BotSwitch, screenshot: Screenshot
) -> None:
    ann = await visit(PHONE)
    page = ann.page
    assert await ann.wider_than_shown() == []
    await page.get_by_test_id("drawer-button").tap()
    await page.get_by_test_id("channel-gallery").tap()
    await page.get_by_test_id("sample-photos").tap()
    await page.get_by_test_id("option-zip").wait_for(state="attached")
    await page.get_by_test_id("send").tap()
    review = await ann.sees("Ready to train sample-photos?")
    await expect(review.locator(".gallery img")).to_have_js_property("complete", True)
    await page.screenshot(path=screenshot("playground-phone.png"))
    assert await ann.wider_than_shown() == []

    await review.get_by_role("button", name="Advanced").tap()
    await expect(page.get_by_test_id("modal")).to_be_visible()
    assert await ann.wider_than_shown() == []
    await page.get_by_test_id("modal-cancel").tap()

    await review.get_by_role("button", name="Start").tap()
    await expect(ann.card("Training sample-photos")).to_contain_text(re.compile("[1-9][0-9]?%"), timeout=PATIENCE_MS)
    assert await ann.wider_than_shown() == []
    await ann.card("Training sample-photos").get_by_role("button", name="Cancel").tap()
    await ann.sees("Training of sample-photos cancelled")


async def test_ten_photos_chosen_on_a_phone_leave_room_to_send_them(visit: Visit, bot: BotSwitch, sample: Path) -> None:
    ann = await visit(PHONE)
    page = ann.page
    with zipfile.ZipFile(sample) as archive:
        photos = [name for name in archive.namelist() if name.endswith(".jpg")]
        files = [FilePayload(name=name, mimeType="image/jpeg", buffer=archive.read(name)) for name in photos]
    await page.get_by_test_id("file-picker").set_input_files(files)
    await expect(page.get_by_test_id("send")).to_be_in_viewport()
    await page.get_by_test_id("use-with-finetune").tap()
    await expect(page.locator(".option-file.has-file")).to_have_count(len(photos))
    await expect(page.get_by_test_id("choice-panel")).to_be_hidden()
    await expect(page.get_by_test_id("send")).to_be_in_viewport()
    assert await ann.wider_than_shown() == []

    await page.get_by_test_id("composer").fill("in no option")
    await page.get_by_test_id("send").tap()
    await expect(page.get_by_test_id("toast")).to_contain_text("in no option")
    await page.get_by_test_id("composer").press("Escape")
    await expect(page.get_by_test_id("composer")).to_have_value("")


async def test_the_page_says_when_the_bot_is_away_and_when_it_is_back(visit: Visit, bot: BotSwitch) -> None:
    ann = await visit(DESKTOP)
    await ann.open_channel("help")
    banner = ann.page.get_by_test_id("banner")
    await expect(banner).to_have_count(0)
    await bot.cut()
    await expect(banner).to_contain_text("offline", timeout=PATIENCE_MS)
    await bot.on()
    await expect(banner).to_have_count(0, timeout=PATIENCE_MS)
    await ann.open_command("help")
    await ann.send()
    await ann.sees("Train a model on your own pictures")


async def test_what_people_write_is_shown_as_text_in_every_window(visit: Visit, bot: BotSwitch, sample: Path) -> None:
    ann, ben = await visit(DESKTOP), await visit(DESKTOP)
    await ben.page.get_by_test_id("person-Ben").click()
    await ann.page.get_by_test_id("composer").fill(MARKUP)
    await ann.send()
    hostile = Path(shutil.copy(sample, sample.with_name("<img src=x onerror=alert(2)>.zip")))
    await ann.drop(hostile)
    await ann.page.get_by_test_id("use-with-finetune").click()
    await expect(ann.page.locator(".option-file-name")).to_contain_text(hostile.name)
    await ann.add_option("name", MARKUP)
    await ann.send()

    for window in (ann, ben):
        await window.sees("<img src=x onerror=alert(1)> x")
        await window.sees(f"Ready to train {MARKUP}?")
        assert await window.page.locator('img[src="x"]').count() == 0
    await ben.press("Ready to train", "Start")
    await ben.sees("belongs to somebody else")
    await expect(ann.page.get_by_text("belongs to somebody else")).to_have_count(0)
