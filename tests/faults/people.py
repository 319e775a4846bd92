"""People who ask for datasets, trainings and pictures without end, press Start, and read what the channel says."""

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.playground import payloads
from bot.playground.client_rules import ClientRefused
from bot.playground.events import Event, MessageCreated, MessageDeleted, MessageUpdated
from bot.playground.person import DidNotRespond, Person
from bot.playground.reading import buttons_of, text_of
from bot.playground.server import Playground
from bot.playground.values import User
from storage.statuses import JobStatus
from tests.faults.stored import AT_REST, Stored

Message = dict[str, Any]
CHANNEL = "training"
AT_ONCE = 14  # jobs under way
PEOPLE = 6
TRAINERS = {
    "replicate": ("ostris/flux-dev-lora-trainer", "replicate/fast-flux-trainer"),
    "fal": ("fal-ai/flux-2-klein-4b-base-trainer", "fal-ai/flux-lora-fast-training", "fal-ai/turbo-flux-trainer"),
    "bfl": ("finetune",),
    "local": ("preview",),
}
GENERATORS = {
    "replicate": ("black-forest-labs/flux-dev", "black-forest-labs/flux-1.1-pro"),
    "fal": ("fal-ai/flux/dev", "fal-ai/flux-2-pro"),
    "bfl": ("flux-2-pro", "flux-dev"),
    "together": ("black-forest-labs/FLUX.1-schnell", "black-forest-labs/FLUX.2-pro"),
    "local": (),
}
CELLS = [
    ("add", "atelier"),
    *(("finetune", name) for name in TRAINERS),
    *(("generate", name) for name in GENERATORS),
]
FIRST = ("finetune", "local")  # all that the local provider is asked for later waits for it
COMMANDS = {"add": "dataset add"}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One command; `was_heard` when the bot acknowledged it in time."""

    kind: str
    provider: str
    mark: str
    person: Person
    was_heard: bool


class People:
    """`latest` is every message as it is now, by id."""

    def __init__(self, playground: Playground, stored: Stored, lot: random.Random, photos: Path) -> None:
        self.world = playground.world
        self._playground = playground
        self._stored = stored
        self._lot = lot
        self._photos = photos
        self.everybody = [self._newcomer(number) for number in range(PEOPLE)]
        self._asked_for: Counter[tuple[str, str]] = Counter()
        self._pressing: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_asking = True
        self._is_done = False
        self.asked: list[Asked] = []
        self.latest: dict[str, Message] = {}
        self._stop_listening = playground.world.subscribe(self._hear)

    def _newcomer(self, number: int) -> Person:
        user = User(id=self.world.snowflakes.take(), name=f"Person {number}")
        self.world.people[user.id] = user
        return Person(self.world, user)

    def _hear(self, event: Event) -> None:
        if isinstance(event, MessageCreated | MessageUpdated):
            self.latest[event.message.id] = payloads.message(self.world, event.message)
        elif isinstance(event, MessageDeleted):
            self.latest.pop(event.message.id, None)

    def person(self, person_id: str) -> Person:
        return next(person for person in self.everybody if person.id == person_id)

    # What they do, over and over.

    async def live(self) -> None:
        """Until `leave`; after `stop_asking` they only press what is there."""
        while not self._is_done:
            statuses = self._stored.statuses()
            under_way = sum(status not in AT_REST for status in statuses.values())
            if self._is_asking and under_way + len(self._tasks) < AT_ONCE and self._sees_the_bot():
                self._in_background(self._ask())
            for message in self.waiting_for_start():
                self._press_in_background(message, "start" if self._lot.random() < 0.96 else "cancel")
            for job_id in (job_id for job_id, status in statuses.items() if status is JobStatus.UNCERTAIN):
                self._decide(job_id)
            await asyncio.sleep(0.1)

    def _sees_the_bot(self) -> bool:
        """Few try a bot that is shown as offline."""
        return self._playground._gateway.is_online or self._lot.random() < 0.02

    async def have_asked_for_everything(self, *, within_seconds: float) -> None:
        """And were taken in. On a slow machine the first local model may come after the last kill."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                while not {job.cell for job in self._stored.jobs()} >= set(CELLS):
                    await asyncio.sleep(0.2)

    def stop_asking(self) -> None:
        self._is_asking = False

    async def leave(self) -> None:
        self._is_done = True
        self._stop_listening()
        await asyncio.gather(*self._tasks)

    @property
    def is_busy(self) -> bool:
        return bool(self._tasks)

    def waiting_for_start(self) -> list[Message]:
        return [message for message in self.latest.values() if acts_of(message).get("start")]

    async def _ask(self) -> None:
        cell = min(self._askable(), key=lambda cell: (self._asked_for[cell], cell != FIRST, self._lot.random()))
        self._asked_for[cell] += 1
        kind, provider = cell
        person = self._lot.choice(self.everybody)
        if kind == "add":
            mark = f"Data{self._asked_for.total():04}"
            options: dict[str, Any] = {"dataset": mark, "zip": self._photos}
        elif kind == "finetune":
            mark = f"Model{self._asked_for.total():04}"
            trainer = f"{provider}:{self._lot.choice(TRAINERS[provider])}"
            options = {"name": mark, "trigger_word": mark, "zip": self._photos, "trainer": trainer}
        else:
            mark = f"scene{self._asked_for.total():04}"
            person, model = self._model_for(provider, person)
            if not model:
                return
            options = {"model": model, "prompt": f"{mark} in the rain", "count": self._lot.randint(1, 3)}
        was_heard = True
        try:
            await person.command(COMMANDS.get(kind, kind), channel=CHANNEL, options=options)
        except DidNotRespond:
            was_heard = False
        self.asked.append(Asked(kind=kind, provider=provider, mark=mark, person=person, was_heard=was_heard))

    def _askable(self) -> list[tuple[str, str]]:
        """Nobody asks the local provider for pictures before it has trained a model: it makes none without."""
        has_model = any(trained_at == "local" for _, _, trained_at in self._stored.models())
        return [cell for cell in CELLS if has_model or cell != ("generate", "local")]

    def _model_for(self, provider: str, person: Person) -> tuple[Person, str]:
        """A model trained there, with its person, or what needs none; the local provider always needs one."""
        own = [(owner, model) for model, owner, trained_at in self._stored.models() if trained_at == provider]
        if own and (provider == "local" or self._lot.random() < 0.4):
            owner, model = self._lot.choice(own)
            return self.person(str(owner)), model
        ready = GENERATORS[provider]
        return person, f"{provider}:{self._lot.choice(ready)}" if ready else ""

    def _press_in_background(self, message: Message, act: str) -> None:
        custom_id = acts_of(message).get(act)
        if custom_id is None or message["id"] in self._pressing:
            return
        self._pressing.add(message["id"])

        async def press() -> None:
            with contextlib.suppress(DidNotRespond, ClientRefused):
                await self.person(custom_id.rpartition(":")[2]).press(message, custom_id)
            await asyncio.sleep(0.5)  # the card follows the press
            self._pressing.discard(message["id"])

        self._in_background(press())

    def _decide(self, job_id: str) -> None:
        """Nobody can say whether it ran: its person presses one of the buttons that they are offered."""
        for message in self.latest.values():
            acts = {act: one for act, one in acts_of(message).items() if f":{job_id}:" in one and act != "timeline"}
            if acts:
                self._press_in_background(message, self._lot.choice(list(acts)))
                return

    def _in_background(self, doing: Awaitable[None]) -> None:
        task = asyncio.ensure_future(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # What they read.

    def interactions_with(self, mark: str) -> list[Any]:
        needle = f'"{mark}'
        return [one for one in self.world.interactions.values() if needle in json.dumps(one.data)]

    def messages(self, matches: Callable[[Message], bool]) -> list[Message]:
        return [message for message in self.latest.values() if matches(message)]


def acts_of(message: Message) -> dict[str, str]:
    """The enabled buttons of ours, by what they do; values are custom ids such as `atelier:start:<job>:<person>`."""
    ids = [
        button["custom_id"] for button in buttons_of(message) if "custom_id" in button and not button.get("disabled")
    ]
    return {custom_id.split(":")[1]: custom_id for custom_id in ids if custom_id.startswith("atelier:")}


def says(message: Message, *words: str) -> bool:
    text = text_of(message)
    return all(word in text for word in words)
