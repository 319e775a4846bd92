"""A channel that refuses: a thread, a direct message, or the result is kept; each way once, and its person can tell."""

import pytest

from bot.errors import DiscordUnreachable
from bot.messages.cards import job_card
from bot.messages.lists import timeline
from bot.permissions import Asker
from bot.playground.reading import text_of
from bot.playground.values import Permission
from storage.statuses import JobStatus, Message, Route
from tests.builders import finetune_job
from tests.dataset_files import jpeg_bytes, photo
from tests.delivery.newsroom import MINUTES_LATER, Newsroom
from tests.messages.reading import text_of as text_of_card

POSTS = r"^/channels/\d+/messages$"


async def test_where_sending_is_forbidden_the_result_goes_into_a_thread_of_its_card(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    await newsroom.notifier.refresh(job.id)
    newsroom.playground.forbid("training", Permission.SEND_MESSAGES)
    await newsroom.announce(job)
    (card,) = newsroom.messages()
    (result,) = newsroom.playground.messages(card["id"])
    assert card["thread"]["name"] == "Luna"
    assert [one["id"] for one in result["mentions"]] == [newsroom.ann.id]
    (delivery,) = await newsroom.deliveries(job.id, Message.RESULT)
    assert (delivery.route, delivery.posted_in) == (Route.THREAD, int(card["id"]))
    await newsroom.change(job.id, status=JobStatus.DONE)
    await newsroom.notifier.refresh(job.id)
    assert f"Your result is in <#{card['id']}>" in text_of(newsroom.messages()[0])


async def test_a_thread_that_is_there_already_is_used(newsroom: Newsroom) -> None:
    """The process died after it had begun the thread, and before it knew."""
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    await newsroom.notifier.refresh(job.id)
    newsroom.playground.forbid("training", Permission.SEND_MESSAGES)
    newsroom.playground.lose_next_answer("POST", r"/threads$")
    with pytest.raises(DiscordUnreachable):
        await newsroom.announce(job)
    await newsroom.announce(job)
    (card,) = newsroom.messages()
    assert len(newsroom.playground.messages(card["id"])) == 1


@pytest.mark.parametrize(
    "forbidden",
    [
        Permission.VIEW_CHANNEL,
        Permission.SEND_MESSAGES | Permission.CREATE_PUBLIC_THREADS,
        Permission.SEND_MESSAGES | Permission.SEND_MESSAGES_IN_THREADS,
    ],
)
async def test_where_nothing_may_be_written_the_result_is_a_direct_message(
    newsroom: Newsroom, forbidden: Permission
) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    await newsroom.notifier.refresh(job.id)
    newsroom.playground.forbid("training", forbidden)
    await newsroom.announce(job)
    (letter,) = newsroom.letters()
    assert "your model **Luna** is ready" in text_of(letter)
    because = "This comes to you here because Discord would not let me post it in"
    assert text_of(letter).endswith(f"{because} <#{newsroom.place.channel_id}>.")
    (delivery,) = await newsroom.deliveries(job.id, Message.RESULT)
    assert (delivery.route, delivery.posted_in) == (Route.DIRECT, int(letter["channel_id"]))


async def test_a_deleted_channel_leads_to_a_direct_message(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    await newsroom.notifier.refresh(job.id)
    newsroom.playground.delete_channel("training")
    await newsroom.announce(job)
    assert len(newsroom.letters()) == 1
    await newsroom.change(job.id, status=JobStatus.DONE)
    await newsroom.notifier.refresh(job.id)
    after = await newsroom.job(job.id)
    assert after.shown_ms == after.updated_ms, "there is no card left to repair"


async def test_a_person_who_takes_no_letters_finds_the_result_kept(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    await newsroom.notifier.refresh(job.id)
    newsroom.playground.forbid("training", Permission.SEND_MESSAGES | Permission.CREATE_PUBLIC_THREADS)
    newsroom.ann.close_direct_messages()
    for _ in range(2):
        await newsroom.announce(job)
    (delivery,) = await newsroom.deliveries(job.id, Message.RESULT)
    assert (delivery.route, delivery.posted_in, delivery.message_id) == (Route.KEPT, None, None)
    assert newsroom.asked("POST", "/threads") == 1
    refused = [one for one in newsroom.playground.exchanges if one.status == 403]
    assert len(refused) == 3, "each way is tried once"
    await newsroom.change(job.id, status=JobStatus.DONE)
    await newsroom.notifier.refresh(job.id)
    assert "Your result is kept: Discord would not let me post it." in text_of(newsroom.messages()[0])
    view = await newsroom.notifier.view_of(job.id)
    assert "Your result is kept here: Discord would not let me post it." in text_of_card(
        timeline(view, Asker(person_id=view.job.place.person_id))
    )


async def test_without_a_card_there_is_no_thread(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    newsroom.playground.forbid("training", Permission.SEND_MESSAGES)
    await newsroom.announce(job)
    assert newsroom.asked("POST", "/threads") == 0
    assert len(newsroom.letters()) == 1


async def test_a_card_that_was_deleted_begins_no_thread(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    await newsroom.notifier.refresh(job.id)
    (card,) = newsroom.messages()
    newsroom.playground.world.remove(newsroom.playground.world.message(card["channel_id"], card["id"]))
    newsroom.playground.forbid("training", Permission.SEND_MESSAGES)
    await newsroom.announce(job)
    assert len(newsroom.letters()) == 1


@pytest.mark.parametrize("seconds", [0.0, MINUTES_LATER])
async def test_a_letter_whose_answer_was_lost_is_sent_once(newsroom: Newsroom, seconds: float) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    newsroom.playground.delete_channel("training")
    channel = newsroom.playground.world.direct_channel(newsroom.ann.id)
    newsroom.playground.lose_next_answer("POST", f"/channels/{channel.id}/messages$")
    with pytest.raises(DiscordUnreachable):
        await newsroom.announce(job)
    newsroom.clock.advance(seconds)
    await newsroom.announce(job)
    assert len(newsroom.letters()) == 1
    (delivery,) = await newsroom.deliveries(job.id, Message.RESULT)
    assert delivery.route is Route.DIRECT


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 401])
async def test_a_discord_that_is_away_is_no_closed_channel(newsroom: Newsroom, status: int) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    body = {"message": "x", "retry_after": 0.001, "global": False, "code": 0}
    newsroom.playground.fail_next("POST", POSTS, 503 if status > 500 else status, body, times=5)
    with pytest.raises(DiscordUnreachable):
        await newsroom.announce(job)
    (delivery,) = await newsroom.deliveries(job.id, Message.RESULT)
    assert (delivery.route, delivery.is_settled) == (Route.CHANNEL, False)


@pytest.mark.parametrize(
    ("status", "code"), [(404, 10003), (403, 50001), (403, 50013), (400, 50083), (400, 50035), (403, 160005)]
)
async def test_whatever_the_channel_refuses_for_the_result_finds_its_person(
    newsroom: Newsroom, status: int, code: int
) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    newsroom.playground.fail_next("POST", POSTS, status, {"message": "No.", "code": code})
    await newsroom.announce(job)
    assert (newsroom.messages(), len(newsroom.letters())) == ([], 1)


async def test_a_failure_is_told_directly_as_well(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.FAILED, error_sentence="It broke."))
    newsroom.playground.delete_channel("training")
    await newsroom.notifier.deliver(job.id, Message.FAILURE)
    assert "It broke." in text_of(newsroom.letters()[0])


async def test_what_was_parted_stays_together(newsroom: Newsroom) -> None:
    job = await newsroom.store_pictures(*(jpeg_bytes(photo(number, size=(64, 48))) for number in range(12)))
    newsroom.playground.fail_next("POST", POSTS, 403)
    await newsroom.announce(job)
    assert [len(letter["attachments"]) for letter in newsroom.letters()] == [10, 2]
    assert newsroom.messages() == []


async def test_a_card_is_only_ever_in_its_channel(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job())
    newsroom.playground.forbid("training", Permission.SEND_MESSAGES)
    await newsroom.notifier.refresh(job.id)
    assert await newsroom.deliveries(job.id, Message.CARD) == []
    newsroom.playground.allow("training")
    await newsroom.notifier.refresh(job.id)
    assert (len(newsroom.messages()), newsroom.letters()) == (1, [])
    assert newsroom.asked("GET") == 0, "what was refused is certainly not there"


async def test_a_result_in_its_channel_is_not_spoken_of_on_the_card(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    await newsroom.announce(job)
    await newsroom.change(job.id, status=JobStatus.DONE)
    view = await newsroom.notifier.view_of(job.id)
    for card in (job_card(view), timeline(view, Asker(person_id=view.job.place.person_id))):
        assert "Your result" not in text_of_card(card)


async def test_a_result_whose_stage_failed_is_not_told_again_in_the_next_round(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    newsroom.playground.lose_next_answer("POST", POSTS)
    with pytest.raises(DiscordUnreachable):
        await newsroom.announce(job)
    await newsroom.change(job.id, round=1)
    await newsroom.announce(await newsroom.job(job.id))
    assert len(newsroom.messages()) == 1
