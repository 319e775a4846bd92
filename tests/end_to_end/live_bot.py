"""The real bot in this process, in a playground. Used by every test that tells a story through Discord."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import discord
from discord.gateway import DiscordWebSocket

from bot.client import Atelier
from bot.playground.person import Answer, Person
from bot.playground.reading import labels_of, text_of
from bot.playground.server import Playground
from bot.playground.values import User
from bot.startup import Resources, open_resources
from bot.workflows.wakeups import Wakeups
from storage.database import now_ms
from storage.jobs import Job, add_job, find_job
from storage.models import add_model
from storage.places import Place
from storage.statuses import JobStatus
from storage.training_sets import add_training_set
from tests.builders import finetune_job, model, settings, training_set

Message = dict[str, Any]
JOB_SECONDS = 100.0  # far more than it takes: a busy machine is no failure
STARTS = ("Start", "Train anyway")  # the second when the light of the dataset is not green


class Clock:
    """The playground's time, which a test can move."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)


class LiveBot:
    """`start` and `stop` may be repeated: the data directory and the playground stay, as in a restart."""

    def __init__(
        self,
        playground: Playground,
        clock: Clock,
        data_dir: Path,
        *,
        wakeups: Wakeups | None = None,
        now_ms: Callable[[], int] = now_ms,
        **variables: str,
    ) -> None:
        self.playground = playground
        self.clock = clock
        self.data_dir = data_dir
        self._wakeups = wakeups
        self._now_ms = now_ms
        self._variables = variables
        self._stack = contextlib.AsyncExitStack()
        self.resources: Resources

    async def start(self, **variables: str) -> None:
        chosen = settings(
            self.data_dir,
            DISCORD_TOKEN=self.playground.token,
            DISCORD_API_URL=self.playground.api_url,
            DISCORD_GATEWAY_URL=self.playground.gateway_url,
            **{**self._variables, **variables},
        )
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(_remember_addresses())
            self.resources = await stack.enter_async_context(open_resources(chosen))
            self.resources = replace(self.resources, now_ms=self._now_ms)
            if self._wakeups is not None:
                self.resources = replace(self.resources, wakeups=self._wakeups)
            bot = await stack.enter_async_context(Atelier(self.resources, guild_ready_timeout=0.1))
            running = asyncio.create_task(bot.start(self.playground.token))
            stack.push_async_callback(_end, running)
            await self.playground.bot_ready(timeout=20)
            self._stack = stack.pop_all()

    async def stop(self) -> None:
        await self._stack.aclose()
        # The stopped engine leaves its own closed pool behind; this loop lives on.
        async with asyncio.timeout(5):
            while self.playground._gateway.is_online:
                await asyncio.sleep(0.01)

    # People and what is theirs.

    def newcomer(self, name: str) -> Person:
        """Somebody nobody else in the tests has met."""
        world = self.playground.world
        user = User(id=world.snowflakes.take(), name=name)
        world.people[user.id] = user
        return Person(world, user)

    def place_of(self, person: Person, channel: str = "training") -> Place:
        world = self.playground.world
        return Place(
            server_id=int(world.server.id),
            channel_id=int(world.channel_named(channel).id),
            person_id=int(person.id),
        )

    async def give_model(self, person: Person, name: str) -> str:
        """A model in storage without a training before it; answers its id."""
        model_id, place = self.playground.world.snowflakes.take(), self.place_of(person)
        details = {**finetune_job().details, "name": name, "trainer": "preview"}
        job = finetune_job(id=model_id, place=place, status=JobStatus.DONE, provider="local", details=details)
        async with self.resources.database.writing() as connection:
            await add_job(connection, job)
            await add_training_set(connection, training_set(id=model_id, place=place, name=name))
            await add_model(
                connection,
                model(
                    id=model_id,
                    place=place,
                    name=name,
                    job_id=model_id,
                    training_set_id=model_id,
                    provider="local",
                    base_model="local-quilting",
                ),
            )
        return model_id

    # What people see.

    async def sees(
        self, matches: Callable[[Message], bool], *, channel: str = "training", timeout: float = JOB_SECONDS
    ) -> Message:
        return await self.playground.wait_for(matches, channel=channel, timeout=timeout)

    async def sees_text(self, text: str, *also: str, channel: str = "training") -> Message:
        """The newest message that says all of this."""
        return await self.sees(lambda message: all(one in text_of(message) for one in (text, *also)), channel=channel)

    async def review_card(self, name: str, *, channel: str = "training") -> Message:
        return await self.sees(
            lambda message: can_be_started(message) and f"Ready to train {name}?" in text_of(message),
            channel=channel,
        )

    def messages_about(self, text: str, channel: str = "training") -> list[Message]:
        return [message for message in self.playground.messages(channel) if text in text_of(message)]

    # Stories many tests begin with.

    async def hand_over(self, person: Person, pictures: Path, name: str, *, channel: str = "training") -> Message:
        """/finetune up to the review card."""
        await person.command("finetune", channel=channel, zip=pictures, name=name)
        return await self.review_card(name, channel=channel)

    async def train(self, person: Person, pictures: Path, name: str, *, channel: str = "training") -> str:
        """/finetune up to the message that the model is ready; answers the model's id."""
        card = await self.hand_over(person, pictures, name, channel=channel)
        await person.press(card, start_of(card))
        await self.sees_text(f"{name} is trained", channel=channel)
        return job_id_on(card)

    async def generate(self, person: Person, model_id: str, prompt: str, **options: Any) -> Message:
        """/generate up to the message with the pictures, which is the newest of this prompt."""
        before = {message["id"] for message in self.playground.messages("training")}
        await person.command("generate", channel="training", model=model_id, prompt=prompt, **options)
        return await self.sees(
            lambda message: message["id"] not in before and bool(message["attachments"]) and prompt in text_of(message)
        )

    async def pictures(self, prompt: str) -> Message:
        """The message with the pictures that somebody asked for."""
        return await self.sees(lambda message: bool(message["attachments"]) and prompt in text_of(message))

    async def job(self, job_id: str) -> Job:
        async with self.resources.database.reading() as connection:
            found = await find_job(connection, job_id)
        assert found is not None
        return found

    async def job_in(self, job_id: str, *statuses: JobStatus) -> Job:
        async with asyncio.timeout(JOB_SECONDS):
            while (job := await self.job(job_id)).status not in statuses:
                await asyncio.sleep(0.02)
        return job


def can_be_started(card: Message) -> bool:
    return any(label in STARTS for label in labels_of(card))


def start_of(card: Message) -> str:
    """What the button says that starts the training."""
    return next(label for label in labels_of(card) if label in STARTS)


def job_id_on(card: Message) -> str:
    """Every button on a card names its job."""
    buttons = [one for row in card["components"][0]["components"] for one in row.get("components", [])]
    return str(buttons[0]["custom_id"].split(":")[2])


def said_privately(answer: Answer) -> str:
    assert answer.is_ephemeral
    return answer.text


def _remember_addresses() -> Callable[[], None]:
    """discord.py keeps its addresses on classes: afterwards they are what they were."""
    base, gateway = discord.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY

    def restore() -> None:
        discord.http.Route.BASE = base
        DiscordWebSocket.DEFAULT_GATEWAY = gateway

    return restore


async def _end(running: asyncio.Task[None]) -> None:
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
