"""The notifier and a real client, on the wire to the playground: what appears once, and what goes wrong."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.errors import DiscordUnreachable, NotDelivered
from bot.notifier import FORGET_SECONDS, Notifier
from bot.playground.reading import labels_of, media_of, text_of
from bot.playground.server import Playground
from bot.providers.registry import Providers
from storage.database import Database
from storage.datasets import add_dataset
from storage.files import Files
from storage.jobs import Job, add_job, change_job, find_job
from storage.models import add_model
from storage.pictures import Picture, add_picture, pictures_of_job
from storage.places import Place
from storage.statuses import ErrorCategory, JobStatus
from tests.builders import dataset, finetune_job, generate_job, model
from tests.dataset_files import jpeg_bytes, photo
from tests.fakes import FakeProvider

MESSAGES = r"/messages$"
ONE_MESSAGE = r"/messages/\d+$"


@dataclass(kw_only=True)
class Newsroom:
    """A notifier that writes into the playground, the storage it reads, and a clock a test moves."""

    playground: Playground
    database: Database
    files: Files
    notifier: Notifier
    now: list[float]

    @property
    def place(self) -> Place:
        world = self.playground.world
        channel = world.channel_named("training")
        ann = self.playground.person("Ann")
        return Place(server_id=int(world.server.id), channel_id=int(channel.id), person_id=int(ann.id))

    async def store(self, job: Job) -> Job:
        job = replace(job, place=self.place)
        async with self.database.writing() as connection:
            await add_job(connection, job)
            await change_job(connection, job.id, error_category=job.error_category, error_sentence=job.error_sentence)
        return job

    async def change(self, job_id: str, **changes: Any) -> None:
        async with self.database.writing() as connection:
            await change_job(connection, job_id, **changes)

    async def job(self, job_id: str) -> Job:
        async with self.database.reading() as connection:
            job = await find_job(connection, job_id)
        assert job is not None
        return job

    def messages(self) -> list[dict[str, Any]]:
        return self.playground.messages("training")

    def asked(self, method: str) -> int:
        return sum(exchange.method == method and "/messages" in exchange.path for exchange in self.playground.exchanges)

    async def keep(self, content: bytes) -> str:
        path = self.files.work_folder("incoming") / "file"
        path.write_bytes(content)
        return await self.files.keep(path)


@pytest.fixture
async def newsroom(sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Newsroom]:
    files = Files(tmp_path / "files")
    async with Playground() as playground, discord.Client(intents=discord.Intents.none()) as client:
        monkeypatch.setattr(discord.http.Route, "BASE", playground.api_url)
        await client.login(playground.token)
        now = [100.0]
        notifier = Notifier(
            client=client,
            database=sqlite,
            files=files,
            providers=Providers([FakeProvider(tmp_path / "provider")]),
            edit_interval_seconds=2.0,
            now=lambda: now[0],
        )
        yield Newsroom(playground=playground, database=sqlite, files=files, notifier=notifier, now=now)
    files.close()


async def test_a_card_is_posted_once_and_edited_from_then_on(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job())
    await newsroom.notifier.refresh(job.id)
    (card,) = newsroom.messages()
    assert (await newsroom.job(job.id)).message_id == int(card["id"])
    assert "Getting Luna ready" in text_of(card)
    await newsroom.change(job.id, status=JobStatus.RUNNING)
    await newsroom.notifier.refresh(job.id)
    (card,) = newsroom.messages()
    assert "Training Luna" in text_of(card)
    assert labels_of(card) == ["Cancel"]
    assert not newsroom.playground.unknown_routes


async def test_a_card_whose_answer_was_lost_is_not_posted_twice(newsroom: Newsroom) -> None:
    """A process may die between Discord's answer and our row; the nonce makes the second post the first one."""
    job = await newsroom.store(finetune_job())
    newsroom.playground.lose_next_answer("POST", MESSAGES)
    await newsroom.notifier.refresh(job.id)
    assert (await newsroom.job(job.id)).message_id is None
    await newsroom.notifier.refresh(job.id)
    (card,) = newsroom.messages()
    assert (await newsroom.job(job.id)).message_id == int(card["id"])


async def test_a_result_whose_answer_was_lost_is_not_posted_twice(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    newsroom.playground.lose_next_answer("POST", MESSAGES)
    with pytest.raises(DiscordUnreachable):
        await newsroom.notifier.deliver(job.id)
    await newsroom.notifier.deliver(job.id)
    assert len(newsroom.messages()) == 1


async def test_a_card_that_was_removed_is_let_go(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job())
    await newsroom.change(job.id, message_id=123456789)
    await newsroom.notifier.refresh(job.id)
    assert newsroom.messages() == []


@pytest.mark.parametrize("status", [403, 404, 400, 503])
async def test_a_card_that_cannot_be_shown_never_stops_a_job(newsroom: Newsroom, status: int) -> None:
    job = await newsroom.store(finetune_job())
    newsroom.playground.fail_next("POST", MESSAGES, status, times=10)
    await newsroom.notifier.refresh(job.id)
    assert newsroom.messages() == []


async def test_a_card_that_cannot_be_edited_never_stops_a_job(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job())
    await newsroom.notifier.refresh(job.id)
    newsroom.playground.forbid("training")
    await newsroom.notifier.refresh(job.id)
    newsroom.playground.allow("training")
    newsroom.playground.lose_next_answer("PATCH", ONE_MESSAGE)
    await newsroom.notifier.refresh(job.id)


@pytest.mark.parametrize(
    ("status", "meaning"),
    [(403, NotDelivered), (404, NotDelivered), (400, NotDelivered), (413, NotDelivered), (503, DiscordUnreachable)],
)
async def test_why_a_result_could_not_be_posted_is_told_by_meaning(
    newsroom: Newsroom, status: int, meaning: type[Exception]
) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    newsroom.playground.fail_next("POST", MESSAGES, status, times=10)
    with pytest.raises(meaning):
        await newsroom.notifier.deliver(job.id)


async def test_a_channel_that_is_closed_to_us_keeps_the_result(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    newsroom.playground.forbid("training")
    with pytest.raises(NotDelivered, match="your result is kept") as caught:
        await newsroom.notifier.deliver(job.id)
    assert "View Channel, Send Messages and Attach Files" in caught.value.advice


async def test_a_discord_that_cannot_be_reached_is_asked_again_later(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    await newsroom.playground.stop()
    with pytest.raises(DiscordUnreachable):
        await newsroom.notifier.deliver(job.id)
    await newsroom.notifier.refresh(job.id)


async def test_progress_is_shown_at_most_as_often_as_allowed(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    for seconds, edits in ((100.0, 0), (101.0, 0), (101.9, 0), (102.0, 1), (103.9, 1), (104.5, 2)):
        newsroom.now[0] = seconds
        await newsroom.notifier.refresh_soon(job.id)
        assert (newsroom.asked("POST"), newsroom.asked("PATCH")) == (1, edits), seconds


async def test_a_card_that_cannot_be_shown_is_not_tried_more_often(newsroom: Newsroom) -> None:
    """Discord shuts out a bot that sends too many requests it may not send."""
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    newsroom.playground.forbid("training")
    for _ in range(3):
        await newsroom.notifier.refresh_soon(job.id)
    assert newsroom.asked("POST") == 1


async def test_a_change_of_state_is_shown_at_once(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    await newsroom.notifier.refresh_soon(job.id)
    await newsroom.change(job.id, status=JobStatus.DONE)
    await newsroom.notifier.refresh(job.id)
    assert "Luna is trained" in text_of(newsroom.messages()[0])


async def test_a_job_that_ended_long_ago_is_remembered_no_more(newsroom: Newsroom) -> None:
    old = await newsroom.store(finetune_job(status=JobStatus.DONE))
    await newsroom.notifier.refresh(old.id)
    newsroom.now[0] += FORGET_SECONDS + 1
    young = await newsroom.store(finetune_job(id="1002", status=JobStatus.RUNNING))
    await newsroom.notifier.refresh(young.id)
    assert set(newsroom.notifier._edited_at) == set(newsroom.notifier._locks) == {young.id}


async def test_a_card_mentions_nobody_and_a_result_only_its_person(newsroom: Newsroom) -> None:
    ben = newsroom.playground.person("Ben")
    name = f"<@{ben.id}> @everyone @here"
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    await newsroom.change(job.id, details={**job.details, "name": name})
    await newsroom.notifier.refresh(job.id)
    await newsroom.notifier.deliver(job.id)
    card, result = newsroom.messages()
    assert card["mentions"] == []
    assert [user["id"] for user in result["mentions"]] == [str(job.place.person_id)]
    assert result["mention_everyone"] is False
    assert result["mention_roles"] == []


async def test_a_failure_is_told_with_its_sentence(newsroom: Newsroom) -> None:
    job = await newsroom.store(
        finetune_job(error_category=ErrorCategory.MODERATION, error_sentence="The pictures were refused.")
    )
    await newsroom.change(job.id, status=JobStatus.FAILED)
    await newsroom.notifier.deliver(job.id)
    assert "**Luna** did not work out.\nThe pictures were refused." in text_of(newsroom.messages()[0])


async def test_pictures_are_posted_with_their_texts_and_remember_their_message(newsroom: Newsroom) -> None:
    await newsroom.store(finetune_job(status=JobStatus.DONE))
    job = await newsroom.store(generate_job())
    async with newsroom.database.writing() as connection:
        await add_dataset(connection, dataset(place=newsroom.place))
        await add_model(connection, model(place=newsroom.place))
        for position in range(2):
            content = jpeg_bytes(photo(position, size=(64, 48)))
            picture = Picture(
                job_id=job.id,
                position=position,
                place=newsroom.place,
                model_id="1001",
                file=await newsroom.keep(content),
                prompt="a fox in snow",
                seed=7,
            )
            await add_picture(connection, picture)
    await newsroom.notifier.deliver(job.id)
    (result,) = newsroom.messages()
    assert [one["filename"] for one in result["attachments"]] == ["luna-7-1.jpg", "luna-7-2.jpg"]
    assert len(media_of(result)) == 2
    assert result["attachments"][0]["description"] == "Picture 1 of 2, generated with Luna: a fox in snow"
    async with newsroom.database.reading() as connection:
        assert {one.message_id for one in await pictures_of_job(connection, job.id)} == {int(result["id"])}


async def test_a_review_shows_its_pictures_and_a_started_training_does_not(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job())
    await newsroom.notifier.refresh(job.id)
    sheet = await newsroom.keep(jpeg_bytes(photo(1, size=(64, 48))))
    async with newsroom.database.writing() as connection:
        await add_dataset(connection, dataset(id=job.id, place=newsroom.place, sheet_file=sheet))
    await newsroom.change(job.id, status=JobStatus.REVIEW)
    await newsroom.notifier.refresh(job.id)
    (card,) = newsroom.messages()
    assert len(media_of(card)) == 1
    assert labels_of(card) == ["Start", "Advanced", "Cancel"]
    await newsroom.change(job.id, status=JobStatus.RUNNING)
    await newsroom.notifier.refresh(job.id)
    (card,) = newsroom.messages()
    assert (media_of(card), card["attachments"]) == ([], [])


async def test_a_card_that_is_first_posted_at_its_review_shows_its_pictures(newsroom: Newsroom) -> None:
    """Discord may be away while the pictures are prepared."""
    job = await newsroom.store(finetune_job())
    sheet = await newsroom.keep(jpeg_bytes(photo(1, size=(64, 48))))
    async with newsroom.database.writing() as connection:
        await add_dataset(connection, dataset(id=job.id, place=newsroom.place, sheet_file=sheet))
    await newsroom.change(job.id, status=JobStatus.REVIEW)
    await newsroom.notifier.refresh(job.id)
    (card,) = newsroom.messages()
    assert len(media_of(card)) == 1
