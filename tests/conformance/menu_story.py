"""Menus of messages with every sort of answer, told with a small bot because Atelier has but one menu."""

from pathlib import Path

from bot.playground.server import Playground
from tests.conformance.rich_story import Recorded
from tests.dataset_files import photo_zip
from tests.playground.example_bot import living_in


async def record(folder: Path) -> Recorded:
    async with Playground(message_limit=None) as playground, living_in(playground):
        ann, ben = playground.person("Ann"), playground.person("Ben")
        said = await ann.say("my pictures", channel="training", files=[photo_zip(folder / "luna.zip", 5)])
        weighed = await ben.use_menu(said, "Weigh the Files")
        await weighed.final()
        repeated = await ben.use_menu(said, "repeat")
        await ben.use_menu(repeated, "repeat")
        letter = await ann.say("psst", channel="dm")
        await ann.use_menu(letter, "repeat")
        return Recorded(exchanges=tuple(playground.exchanges), events=tuple(playground.dispatched))
