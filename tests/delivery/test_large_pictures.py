"""Pictures that Discord would not take as they are: smaller, parted, by link or kept; never a job that breaks."""

import io
import os
from typing import Any

import discord
import pytest
from PIL import Image

from bot.messages.buttons import Card
from bot.playground.reading import labels_of, text_of
from storage.pictures import pictures_of_job
from storage.statuses import Message, Route
from tests.dataset_files import jpeg_bytes, photo
from tests.delivery.newsroom import MESSAGES, Newsroom

POSTS = r"^/channels/\d+/messages$"
TOO_LARGE = {"message": "Request entity too large", "code": 40005}


def noise(width: int = 400, height: int = 300) -> bytes:
    """A PNG that is as large as its pixels."""
    into = io.BytesIO()
    Image.frombytes("RGB", (width, height), os.urandom(width * height * 3)).save(into, "PNG")
    return into.getvalue()


def small(number: int = 0) -> bytes:
    return jpeg_bytes(photo(number, size=(64, 48)))


def sizes(message: dict[str, Any]) -> list[int]:
    return [one["size"] for one in message["attachments"]]


async def test_a_picture_beyond_the_servers_limit_is_made_smaller(newsroom: Newsroom) -> None:
    job = await newsroom.store_pictures(small(), noise(2000, 1900))
    await newsroom.announce(job)
    (result,) = newsroom.messages()
    assert [one["filename"] for one in result["attachments"]] == ["luna-7-1.jpg", "luna-7-2.jpg"]
    assert max(sizes(result)) <= 10 << 20
    assert (newsroom.asked("POST"), result["attachments"][1]["width"]) == (1, 2000)


@pytest.mark.parametrize("file_bytes", [50 << 20])
async def test_a_boosted_server_takes_the_picture_as_it_is(newsroom: Newsroom) -> None:
    picture = noise(2000, 1900)
    job = await newsroom.store_pictures(picture)
    await newsroom.announce(job)
    assert sizes(newsroom.messages()[0]) == [len(picture)]
    assert newsroom.messages()[0]["attachments"][0]["filename"] == "luna-7-1.png"


@pytest.mark.parametrize("file_bytes", [50 << 20])
async def test_a_letter_has_no_boost(newsroom: Newsroom) -> None:
    job = await newsroom.store_pictures(noise(2000, 1900))
    newsroom.playground.delete_channel("training")
    await newsroom.announce(job)
    (letter,) = newsroom.letters()
    assert sizes(letter)[0] <= 10 << 20
    (delivery,) = await newsroom.deliveries(job.id, Message.RESULT)
    assert delivery.route is Route.DIRECT


@pytest.mark.parametrize("file_bytes", [2 << 20])
async def test_a_limit_that_nobody_told_us_is_found_by_halving(newsroom: Newsroom) -> None:
    """A proxy, or an experiment of Discord's: 413 with code 40005."""
    job = await newsroom.store_pictures(small(), noise(1700, 1600))
    await newsroom.announce(job)
    (result,) = newsroom.messages()
    assert len(result["attachments"]) == 2
    assert [one.status for one in newsroom.playground.exchanges if one.path.endswith("/messages")] == [413, 413, 200]


async def test_when_nothing_is_small_enough_the_message_says_where_the_pictures_are(newsroom: Newsroom) -> None:
    job = await newsroom.store_pictures(small(), small(1))
    newsroom.playground.fail_next("POST", POSTS, 413, TOO_LARGE, times=3)
    await newsroom.announce(job)
    (result,) = newsroom.messages()
    assert result["attachments"] == []
    for number in (1, 2):
        assert f"Picture {number} could not be posted: it is kept. Try **/jobs show**" in text_of(result)
    assert labels_of(result) == ["Again, new seed"]
    (delivery,) = await newsroom.deliveries(job.id, Message.RESULT)
    assert (delivery.pictures, delivery.route) == ((0, 1), Route.CHANNEL)


async def test_a_discord_that_finds_everything_too_large_ends_the_trying(newsroom: Newsroom) -> None:
    job = await newsroom.store_pictures(small())
    newsroom.playground.fail_next("POST", POSTS, 413, TOO_LARGE, times=100)
    await newsroom.announce(job)
    assert newsroom.asked("POST", "/messages") == 4
    (delivery,) = await newsroom.deliveries(job.id, Message.RESULT)
    assert (delivery.route, delivery.pictures) == (Route.KEPT, (0,))


async def test_with_object_storage_a_picture_that_does_not_fit_is_a_link(newsroom: Newsroom) -> None:
    job = await newsroom.store_pictures(small(), b"\x89PNG" + os.urandom(11 << 20))
    async with newsroom.database.reading() as connection:
        _, second = await pictures_of_job(connection, job.id)
    newsroom.links[second.file] = "https://bucket.example/picture?signature=1"
    await newsroom.announce(job)
    (result,) = newsroom.messages()
    assert "Picture 2 is too large for Discord: [download it](https://bucket.example/picture?signature=1)" in text_of(
        result
    )
    assert len(result["attachments"]) == 1


async def test_a_picture_that_is_gone_from_the_disk_does_not_hold_up_the_others(newsroom: Newsroom) -> None:
    job = await newsroom.store_pictures(small(), small(1))
    async with newsroom.database.reading() as connection:
        first, _ = await pictures_of_job(connection, job.id)
    newsroom.files.remove(first.file)
    await newsroom.announce(job)
    (result,) = newsroom.messages()
    assert [one["filename"] for one in result["attachments"]] == ["luna-7-2.jpg"]
    assert "Picture 1 could not be posted" in text_of(result)


async def test_more_than_a_request_holds_is_parted(newsroom: Newsroom) -> None:
    pictures = [noise(1800, 1650) for _ in range(3)]
    assert 3 * len(pictures[0]) > 25 << 20 > len(pictures[0]) * 2
    job = await newsroom.store_pictures(*pictures)
    await newsroom.announce(job)
    first, second = newsroom.messages()
    assert (len(sizes(first)), len(sizes(second))) == (2, 1)
    assert (labels_of(first), labels_of(second)) == ([], ["Again, new seed"])
    async with newsroom.database.reading() as connection:
        posted = [one.message_id for one in await pictures_of_job(connection, job.id)]
    assert posted == [int(first["id"]), int(first["id"]), int(second["id"])]


async def test_the_pictures_of_a_job_are_shown_again_to_who_asks(newsroom: Newsroom) -> None:
    job = await newsroom.store_pictures(*(small(number) for number in range(12)))
    shown: list[list[str]] = []

    async def post(_card: Card, files: list[discord.File]) -> None:
        shown.append([file.filename for file in files])
        for file in files:
            file.close()

    await newsroom.notifier.show_pictures(job.id, post, bytes_per_file=10 << 20)
    assert [len(names) for names in shown] == [10, 2]
    assert await newsroom.deliveries(job.id, Message.RESULT) == [], "that was no announcement"
    assert newsroom.asked("POST", MESSAGES.strip("$")) == 0
