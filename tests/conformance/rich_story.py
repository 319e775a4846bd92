"""One story with everything the bot can do in it; what went over the wire is what the tests here look at."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from PIL import ImageFilter

from bot.playground.person import Person
from bot.playground.reading import text_of
from bot.playground.rest import Exchange
from bot.playground.server import Playground
from tests.dataset_files import jpeg_bytes, photo, photo_files, photo_zip, zip_of
from tests.end_to_end.live_bot import Clock, LiveBot, start_of

EVERY_ORDINARY_INTENT = (1 << 0) | (1 << 9) | (1 << 12)  # guilds, guild messages, direct messages


@dataclass(frozen=True, kw_only=True)
class Recorded:
    exchanges: tuple[Exchange, ...]
    events: tuple[dict[str, Any], ...]


async def record(folder: Path) -> Recorded:
    clock = Clock()
    async with Playground(now=clock, message_limit=None) as playground:
        live = LiveBot(playground, clock, folder / "data")
        await live.start()
        try:
            async with eavesdropping(playground):
                await _tell(live, playground.person("Ann"), playground.person("Ben"), folder)
        finally:
            await live.stop()
        return Recorded(exchanges=tuple(playground.exchanges), events=tuple(playground.dispatched))


@asynccontextmanager
async def eavesdropping(playground: Playground) -> AsyncIterator[None]:
    """A second session that, unlike the bot, is told of messages too."""
    address = f"{playground.gateway_url}?v=10&encoding=json"
    async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
        await socket.receive_json()
        identity = {"os": "linux", "browser": "test", "device": "test"}
        data = {"token": playground.token, "intents": EVERY_ORDINARY_INTENT, "properties": identity}
        await socket.send_json({"op": 2, "d": data})
        assert (await socket.receive_json())["t"] == "READY"
        yield


async def _tell(live: LiveBot, ann: Person, ben: Person, folder: Path) -> None:
    await ann.command("help")
    await ann.command("models list")
    model_id = await _train(live, ann, ben, folder)
    await _collect(live, ann, folder)
    await _generate(live, ann, model_id)
    await _look_around(live, ann, ben, model_id)
    await _fail(live, ann, folder)
    question = await ann.command("models delete", model=model_id)
    await ann.press(question, "Delete for good")
    await live.sees(lambda one: "is deleted" in text_of(one), channel="general")
    await asyncio.sleep(0.1)


async def _train(live: LiveBot, ann: Person, ben: Person, folder: Path) -> str:
    loose = [folder / name for name in photo_files(4, seed=3)]
    for path, content in zip(loose, photo_files(4, seed=3).values(), strict=True):
        path.write_bytes(content)
    dialog = await ann.command("finetune", channel="training", name="Dialog")
    await ann.submit(dialog, {"Pictures": loose})
    card = await live.review_card("Dialog")
    await ben.press(card, start_of(card))
    wrong = await ann.submit(await ann.press(card, "Advanced"), {"Iterations": "9"})
    await wrong.final()
    await ann.submit(await ann.press(card, "Advanced"), {"Iterations": "200"})
    await live.sees_text("Ready to train Dialog?", "200 iterations")
    await ann.press(card, "Cancel")
    await live.sees_text("Training of Dialog cancelled")
    return await live.train(ann, photo_zip(folder / "luna.zip", 5), "Luna")


async def _collect(live: LiveBot, ann: Person, folder: Path) -> None:
    blurred = jpeg_bytes(photo(44, palette="cool").filter(ImageFilter.GaussianBlur(14)))
    shore = zip_of({**photo_files(7, seed=6), "zz-blurred.jpg": blurred}, folder / "shore.zip")
    said = await ann.say("from the shore", channel="training", files=[shore])
    dialog = await ann.use_menu(said, "Add my pictures to a dataset")
    await ann.submit(dialog, {"Name of a new dataset": "Shore"})
    added = await live.sees_text("Pictures added to Shore")
    dialog = await ann.command("dataset add", channel="training")
    await ann.submit(dialog, {"Pictures": [shore]})
    await live.sees_text("Nothing was added to Shore")
    await (await ann.command("dataset list", channel="training")).final()
    card = await (await ann.press(added, "Open")).final()
    await ann.press(card, "Leave out flagged (1)")
    await live.sees_text("### Shore", "**7 pictures**")
    await ann.submit(await ann.press(card, "Edit"), {"Name": "Harbour", "Leave out": "1, 2"})
    await live.sees_text("### Harbour", "**5 pictures**")
    await ann.press(card, "Undo")
    await live.sees_text("### Harbour", "**7 pictures**")
    page = await (await ann.press(card, "Edit captions")).final()
    await ann.submit(await ann.press(page, "Write these"), {"caption-3": "a pier"})
    await live.sees_text("### Captions of Harbour", "1 of 7 written")
    await ann.press(page, "Next")
    await ann.submit(await ann.press(page, "Find and replace"), {"Find": "pier", "Replace with": "harbour"})
    await ann.command("dataset edit", channel="training", dataset="Harbour")
    await ann.autocomplete("dataset show", option="dataset", typed="har", channel="training")
    await ann.press(page, "Describe 6 for me (free)")
    await live.sees_text("The pictures of Harbour are described")
    question = await (await ann.press(card, "Delete")).final()
    await ann.press(question, "Delete for good")
    await live.sees_text("**Harbour** is deleted")


async def _generate(live: LiveBot, ann: Person, model_id: str) -> None:
    await ann.autocomplete("generate", option="model", typed="lu", channel="training")
    await ann.autocomplete("generate", option="aspect_ratio", typed="1", channel="training")
    result = await live.generate(ann, model_id, "TOK at noon", count=2, aspect_ratio="16:9", seed=1, strength=0.5)
    await ann.press(result, "Again, new seed")
    await live.sees(
        lambda one: bool(one["attachments"]) and "TOK at noon" in text_of(one) and one["id"] != result["id"]
    )
    refused = await ann.command("generate", channel="training", model=model_id, prompt="  ")
    await refused.final()


async def _look_around(live: LiveBot, ann: Person, ben: Person, model_id: str) -> None:
    for number in range(9):
        await live.give_model(ann, f"Other {number}")
    page = await ann.command("models list")
    await ann.press(page, "Older")
    await ann.command("models show", model=model_id)
    await ben.command("models show", model=model_id)
    renamed = await ann.command("models rename", model=model_id, name="Moon")
    await renamed.final()
    await ann.command("jobs mine")
    jobs = await ann.autocomplete("jobs show", option="job", typed="")
    await ann.command("jobs show", job=jobs[-1]["value"])
    late = await ann.command("jobs cancel", job=jobs[0]["value"])
    await late.final()


async def _fail(live: LiveBot, ann: Person, folder: Path) -> None:
    broken = folder / "broken.zip"
    broken.write_bytes(b"this is no zip")
    await ann.command("finetune", channel="training", zip=broken, name="Broken")
    card = await live.sees_text("Broken was not trained")
    await ann.press(card, "What happened")
    live.playground.forbid("help")
    await ann.command("finetune", channel="help", zip=broken, name="Nowhere")
    card = await live.hand_over(ann, folder / "luna.zip", "Removed")
    world = live.playground.world
    world.remove(world.message(card["channel_id"], card["id"]))
    jobs = await ann.autocomplete("jobs cancel", option="job", typed="removed")
    cancelled = await ann.command("jobs cancel", job=jobs[0]["value"])
    await cancelled.final()
    await live.playground.person("Ben").say("Well done, Ann!", channel="training", files=[folder / "luna.zip"])
