"""The bot, the playground it lives in, and what a test puts into storage before somebody acts."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from bot.client import Atelier
from bot.playground.person import Answer, Person
from bot.playground.reading import text_of, until
from bot.playground.server import Playground
from bot.playground.values import User
from storage.datasets import Dataset, DatasetImage, DatasetLine, datasets_of_person, find_dataset
from storage.deliveries import deliveries_of
from storage.jobs import Job, add_job, change_job, find_job
from storage.models import add_model
from storage.places import Place
from storage.statuses import JobStatus
from storage.training_sets import add_training_set
from tests.builders import add_job as addition
from tests.builders import dataset, dataset_image, finetune_job, model, store_dataset, training_set
from tests.dataset_files import jpeg_bytes, photo
from tests.fakes import FakeProvider

CHANNEL = "training"
PEOPLE = ("Ann", "Ben")


@dataclass(kw_only=True)
class Stage:
    playground: Playground
    bot: Atelier
    provider: FakeProvider
    numbers: Iterator[int]
    people: set[str]

    def newcomer(self) -> Person:
        """Somebody without models and jobs."""
        world = self.playground.world
        user = User(id=world.snowflakes.take(), name=f"newcomer{next(self.numbers)}")
        world.people[user.id] = user
        return Person(world, user)

    def place_of(self, person: Person) -> Place:
        world = self.playground.world
        return Place(
            server_id=int(world.server.id),
            channel_id=int(world.channel_named(CHANNEL).id),
            person_id=int(person.id),
        )

    async def give_job(self, person: Person, job: Job, **of_dataset: Any) -> dict[str, Any]:
        """A job as it stands, with its dataset; answers its card."""
        job_id = str(next(self.numbers))
        details = {**job.details, "dataset": job_id}
        job = replace(job, id=job_id, place=self.place_of(person), details=details)
        async with self.bot.resources.database.writing() as connection:
            await add_job(connection, job)
            await change_job(connection, job.id, status=job.status)
            await store_dataset(connection, dataset(id=job.id, place=job.place, **of_dataset))
        await self.bot.notifier.refresh(job.id)
        async with self.bot.resources.database.reading() as connection:
            (card,) = await deliveries_of(connection, job.id)
        message_id = str(card.message_id)
        return next(one for one in self.playground.messages(CHANNEL) if one["id"] == message_id)

    async def give_model(self, person: Person, name: str) -> str:
        """A model without a training before it; answers its id."""
        model_id, place = str(next(self.numbers)), self.place_of(person)
        path = self.bot.resources.files.work_folder(model_id) / "weights"
        path.write_bytes(f"weights of {model_id}".encode())
        weights = await self.bot.resources.files.keep(path)
        trained = model(
            id=model_id, place=place, name=name, job_id=model_id, training_set_id=model_id, weights_file=weights
        )
        async with self.bot.resources.database.writing() as connection:
            await add_job(connection, finetune_job(id=model_id, place=place, status=JobStatus.DONE))
            await add_training_set(connection, training_set(id=model_id, place=place, name=name))
            await add_model(connection, trained)
        return model_id

    async def give_dataset(self, person: Person, *images: DatasetImage, name: str = "Luna") -> str:
        """A draft with these pictures, or with five good ones, which really lie in the store; answers its id."""
        dataset_id, place = str(next(self.numbers)), self.place_of(person)
        source = self.bot.resources.files.work_folder(dataset_id) / "picture"
        stored = []
        for image in images or tuple(dataset_image(number) for number in range(1, 6)):
            source.write_bytes(jpeg_bytes(photo(image.number, size=(160, 120))))
            stored.append(replace(image, file=await self.bot.resources.files.keep(source)))
        async with self.bot.resources.database.writing() as connection:
            await add_job(connection, addition(id=dataset_id, place=place, status=JobStatus.DONE))
            await store_dataset(
                connection, dataset(id=dataset_id, place=place, name=name, images=tuple(stored), left_out=())
            )
        return dataset_id

    async def dataset(self, dataset_id: str) -> Dataset:
        async with self.bot.resources.database.reading() as connection:
            found = await find_dataset(connection, dataset_id)
        assert found is not None
        return found

    async def datasets_of(self, person: Person) -> list[DatasetLine]:
        async with self.bot.resources.database.reading() as connection:
            return await datasets_of_person(connection, int(person.id), limit=25)

    async def job(self, job_id: str) -> Job:
        async with self.bot.resources.database.reading() as connection:
            job = await find_job(connection, job_id)
        assert job is not None
        return job

    async def sees(self, *words: str) -> dict[str, Any]:
        """The newest message in the channel that says all of this."""
        return await self.playground.wait_for(
            lambda message: all(one in text_of(message) for one in words), channel=CHANNEL, timeout=60
        )

    async def shows(self, answer: Answer, *words: str) -> dict[str, Any]:
        """The message of this answer, once it says all of this."""

        def look() -> dict[str, Any] | None:
            message = answer.message
            return message if message and all(one in text_of(message) for one in words) else None

        return await until(self.playground.world, look, timeout=60)


async def private_words(answer: Answer) -> str:
    """What only the one who acted reads."""
    message = await answer.final()
    assert message["flags"] & 64, "everybody reads this"
    return text_of(message)


def job_of(card: dict[str, Any]) -> str:
    """The id of the job whose card this is."""
    nonces = [part for part in _custom_ids(card["components"]) if part.startswith("atelier:")]
    return nonces[0].split(":")[2]


def _custom_ids(components: list[dict[str, Any]]) -> Iterator[str]:
    for one in components:
        if "custom_id" in one:
            yield one["custom_id"]
        yield from _custom_ids(one.get("components", []))
