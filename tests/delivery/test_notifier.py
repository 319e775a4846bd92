"""The notifier and a real client, on the wire to the playground: what a card shows, and what a result says."""

import pytest

from bot.delivery.notifier import FORGET_SECONDS
from bot.errors import DiscordUnreachable
from bot.playground.reading import labels_of, media_of, text_of
from storage.pictures import pictures_of_job
from storage.statuses import ErrorCategory, JobStatus, Message
from tests.builders import dataset, dataset_image, finetune_job, store_dataset
from tests.dataset_files import jpeg_bytes, photo
from tests.delivery.newsroom import MESSAGES, MINUTES_LATER, ONE_MESSAGE, Newsroom


async def test_a_card_is_posted_once_and_edited_from_then_on(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job())
    await newsroom.notifier.refresh(job.id)
    (card,) = newsroom.messages()
    (delivery,) = await newsroom.deliveries(job.id, Message.CARD)
    assert (delivery.message_id, delivery.posted_in) == (int(card["id"]), newsroom.place.channel_id)
    assert "Getting Luna ready" in text_of(card)
    await newsroom.change(job.id, status=JobStatus.RUNNING)
    await newsroom.notifier.refresh(job.id)
    (card,) = newsroom.messages()
    assert "Training Luna" in text_of(card)
    assert labels_of(card) == ["Cancel"]


async def test_a_card_whose_answer_was_lost_is_not_posted_twice(newsroom: Newsroom) -> None:
    """A process may die between Discord's answer and our row, and come back when the nonce is forgotten."""
    job = await newsroom.store(finetune_job())
    newsroom.playground.lose_next_answer("POST", MESSAGES)
    await newsroom.notifier.refresh(job.id)
    (delivery,) = await newsroom.deliveries(job.id, Message.CARD)
    assert delivery.message_id is None
    assert (await newsroom.job(job.id)).shown_ms == 0
    newsroom.clock.advance(MINUTES_LATER)
    await newsroom.notifier.refresh(job.id)
    (card,) = newsroom.messages()
    (delivery,) = await newsroom.deliveries(job.id, Message.CARD)
    assert delivery.message_id == int(card["id"])


async def test_a_card_that_was_removed_is_let_go(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job())
    await newsroom.notifier.refresh(job.id)
    world = newsroom.playground.world
    (card,) = newsroom.messages()
    world.remove(world.message(card["channel_id"], card["id"]))
    await newsroom.change(job.id, status=JobStatus.RUNNING)
    await newsroom.notifier.refresh(job.id)
    assert newsroom.messages() == []
    after = await newsroom.job(job.id)
    assert after.shown_ms == after.updated_ms, "it is not stale: nobody will ever see it"


async def test_a_shown_card_says_which_change_it_shows(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job())
    await newsroom.notifier.refresh(job.id)
    before = await newsroom.job(job.id)
    assert before.shown_ms == before.updated_ms > 0
    newsroom.playground.forbid("training")
    await newsroom.change(job.id, status=JobStatus.FAILED)
    await newsroom.notifier.refresh(job.id)
    stale = await newsroom.job(job.id)
    assert before.shown_ms == stale.shown_ms < stale.updated_ms
    newsroom.playground.allow("training")
    await newsroom.notifier.refresh(job.id)
    after = await newsroom.job(job.id)
    assert after.shown_ms == after.updated_ms == stale.updated_ms


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


async def test_a_discord_that_cannot_be_reached_is_asked_again_later(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    await newsroom.playground.stop()
    with pytest.raises(DiscordUnreachable):
        await newsroom.announce(job)
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
    await newsroom.announce(job)
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
    await newsroom.notifier.deliver(job.id, Message.FAILURE)
    assert "**Luna** did not work out.\nThe pictures were refused." in text_of(newsroom.messages()[0])


async def test_pictures_are_posted_with_their_texts_and_remember_their_message(newsroom: Newsroom) -> None:
    job = await newsroom.store_pictures(*(jpeg_bytes(photo(number, size=(64, 48))) for number in range(2)))
    await newsroom.announce(job)
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
        await store_dataset(connection, dataset(place=newsroom.place, images=(dataset_image(1, file=sheet),)))
    await newsroom.change(job.id, status=JobStatus.REVIEW)
    await newsroom.notifier.refresh(job.id)
    (card,) = newsroom.messages()
    assert len(media_of(card)) == 1
    assert labels_of(card) == [
        "Edit captions",
        "Add more",
        "Edit",
        "All files left out",
        "Advanced",
        "Change trigger word",
        "Cancel",
    ], "one picture is too few"
    await newsroom.change(job.id, status=JobStatus.RUNNING)
    await newsroom.notifier.refresh(job.id)
    (card,) = newsroom.messages()
    assert (media_of(card), card["attachments"]) == ([], [])


async def test_a_card_that_is_first_posted_at_its_review_shows_its_pictures(newsroom: Newsroom) -> None:
    """Discord may be away while the pictures are prepared."""
    job = await newsroom.store(finetune_job())
    sheet = await newsroom.keep(jpeg_bytes(photo(1, size=(64, 48))))
    async with newsroom.database.writing() as connection:
        await store_dataset(connection, dataset(place=newsroom.place, images=(dataset_image(1, file=sheet),)))
    await newsroom.change(job.id, status=JobStatus.REVIEW)
    await newsroom.notifier.refresh(job.id)
    (card,) = newsroom.messages()
    assert len(media_of(card)) == 1
