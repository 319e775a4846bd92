"""A notifier that writes into the playground, the storage it reads, and clocks that a test moves."""

from dataclasses import dataclass, field, replace
from typing import Any

from bot.delivery.notifier import Notifier
from bot.playground.person import Person
from bot.playground.server import Playground
from storage.database import Database
from storage.deliveries import Delivery, deliveries_of
from storage.files import Files
from storage.jobs import Job, add_job, change_job, find_job
from storage.models import add_model
from storage.pictures import Picture, add_picture
from storage.places import Place
from storage.statuses import JobStatus, Message
from storage.training_sets import add_training_set
from tests.builders import finetune_job, generate_job, model, training_set
from tests.playground.bare_wire import Clock

MESSAGES = r"/messages$"
ONE_MESSAGE = r"/messages/\d+$"
MINUTES_LATER = 600.0  # Discord has forgotten every nonce


@dataclass(kw_only=True)
class Newsroom:
    """`now` is the notifier's clock, `clock` is Discord's; `links` are those of the object storage, by file."""

    playground: Playground
    database: Database
    files: Files
    notifier: Notifier
    now: list[float]
    clock: Clock
    links: dict[str, str] = field(default_factory=dict)

    @property
    def ann(self) -> Person:
        return self.playground.person("Ann")

    @property
    def place(self) -> Place:
        world = self.playground.world
        channel = world.channel_named("training")
        return Place(server_id=int(world.server.id), channel_id=int(channel.id), person_id=int(self.ann.id))

    async def store(self, job: Job) -> Job:
        job = replace(job, place=self.place)
        async with self.database.writing() as connection:
            await add_job(connection, job)
            await change_job(connection, job.id, error_category=job.error_category, error_sentence=job.error_sentence)
        return job

    async def store_pictures(self, *contents: bytes, **changes: Any) -> Job:
        """A generation whose pictures are archived and not announced yet."""
        await self.store(finetune_job(status=JobStatus.DONE))
        wanted = generate_job()
        job = await self.store(replace(wanted, details={**wanted.details, "count": len(contents)}, **changes))
        async with self.database.writing() as connection:
            await add_training_set(connection, training_set(place=self.place))
            await add_model(connection, model(place=self.place))
            for position, content in enumerate(contents):
                picture = Picture(
                    job_id=job.id,
                    position=position,
                    place=self.place,
                    model_id="1001",
                    file=await self.keep(content),
                    prompt="a fox in snow",
                    seed=7,
                )
                await add_picture(connection, picture)
        return job

    async def change(self, job_id: str, **changes: Any) -> None:
        async with self.database.writing() as connection:
            await change_job(connection, job_id, **changes)

    async def job(self, job_id: str) -> Job:
        async with self.database.reading() as connection:
            job = await find_job(connection, job_id)
        assert job is not None
        return job

    async def deliveries(self, job_id: str, message: Message) -> list[Delivery]:
        async with self.database.reading() as connection:
            return [one for one in await deliveries_of(connection, job_id) if one.slot.message is message]

    async def announce(self, job: Job) -> None:
        await self.notifier.deliver(job.id, Message.RESULT)

    def messages(self) -> list[dict[str, Any]]:
        return self.playground.messages("training")

    def letters(self) -> list[dict[str, Any]]:
        """What Ann reads in her direct messages."""
        return self.ann.sees("dm")

    def asked(self, method: str, path: str = "/messages") -> int:
        return sum(exchange.method == method and path in exchange.path for exchange in self.playground.exchanges)

    async def keep(self, content: bytes) -> str:
        path = self.files.work_folder("incoming") / "file"
        path.write_bytes(content)
        return await self.files.keep(path)
