"""After the storm every button must answer within three seconds: a sample of them is pressed."""

import random
import time
from collections import defaultdict

from bot.playground.person import DidNotRespond
from tests.faults.people import CHANNEL, Message, People, acts_of

OF_EACH_KIND = 8
CHANGING = frozenset({"delete-model", "delete-dataset"})


async def press_some(people: People, lot: random.Random) -> tuple[list[str], list[float]]:
    """The silent ones, and how many seconds each answer took."""
    silent: list[str] = []
    seconds: list[float] = []

    async def press(message: Message, act: str) -> None:
        custom_id = acts_of(message)[act]
        began = time.monotonic()
        try:
            await people.person(custom_id.rpartition(":")[2]).press(message, custom_id)
        except DidNotRespond:
            silent.append(f"no answer to {custom_id}")
        seconds.append(time.monotonic() - began)

    for person in people.everybody:
        for command in ("jobs mine", "models list", "dataset list"):
            began = time.monotonic()
            try:
                await person.command(command, channel=CHANNEL)
            except DidNotRespond:
                silent.append(f"no answer to /{command}")
            seconds.append(time.monotonic() - began)
    by_act: dict[str, list[Message]] = defaultdict(list)
    for message in people.latest.values():
        for act in acts_of(message):
            by_act[act].append(message)
    for act, messages in sorted(by_act.items()):
        if act not in CHANGING:
            for message in lot.sample(messages, min(OF_EACH_KIND, len(messages))):
                await press(message, act)
    return silent, seconds
