"""A message is posted once: after a lost answer, a crash, a forgotten nonce, and with or without a look back."""

import pytest

from bot.delivery.marks import NONCE_CHARACTERS, mark_of, nonce_of
from bot.errors import DiscordUnreachable
from bot.playground.events import Event, MessageCreated
from bot.playground.reading import text_of
from bot.playground.values import Permission
from storage.deliveries import Slot
from storage.statuses import JobStatus, Message, Route
from tests.builders import finetune_job
from tests.dataset_files import jpeg_bytes, photo
from tests.delivery.newsroom import MESSAGES, MINUTES_LATER, Newsroom

SLOTS = [
    Slot(job_id=job_id, message=message, round=round_, part=part)
    for job_id in ("1001", "9" * 32)
    for message in Message
    for round_ in (0, 12)
    for part in (0, 1, 10)
]


def test_every_message_has_a_nonce_and_a_mark_of_its_own() -> None:
    assert len({nonce_of(slot) for slot in SLOTS}) == len({mark_of(slot) for slot in SLOTS}) == len(SLOTS)
    assert all(len(nonce_of(slot)) <= NONCE_CHARACTERS for slot in SLOTS)
    assert all(2**30 <= mark_of(slot) < 2**31 for slot in SLOTS), "far from the numbers Discord gives"


def test_a_nonce_and_a_mark_never_change() -> None:
    """A message that was posted by an earlier version must be found by the next one."""
    slot = Slot(job_id="1001", message=Message.RESULT)
    assert (nonce_of(slot), mark_of(slot)) == ("7e3aa8e575d20f7c52dbe25a6", 2117773541)


async def test_the_mark_is_on_the_message_before_and_after_an_edit(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job())
    mark = mark_of(Slot(job_id=job.id, message=Message.CARD))
    for status in (JobStatus.PREPARING, JobStatus.RUNNING, JobStatus.DONE):
        await newsroom.change(job.id, status=status)
        await newsroom.notifier.refresh(job.id)
        (card,) = newsroom.messages()
        assert card["components"][0]["id"] == mark


@pytest.mark.parametrize("seconds", [0.0, MINUTES_LATER])
async def test_a_result_whose_answer_was_lost_is_posted_once(newsroom: Newsroom, seconds: float) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    newsroom.playground.lose_next_answer("POST", MESSAGES)
    with pytest.raises(DiscordUnreachable):
        await newsroom.announce(job)
    newsroom.clock.advance(seconds)
    await newsroom.announce(job)
    (result,) = newsroom.messages()
    (delivery,) = await newsroom.deliveries(job.id, Message.RESULT)
    assert (delivery.message_id, delivery.route) == (int(result["id"]), Route.CHANNEL)
    assert newsroom.asked("POST") == 1, "it was found, not posted again"


async def test_what_was_announced_is_never_announced_again(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    await newsroom.announce(job)
    newsroom.clock.advance(MINUTES_LATER)
    await newsroom.announce(job)
    assert newsroom.asked("POST") == 1
    assert newsroom.asked("GET") == 0, "what is known need not be looked for"


async def test_a_message_is_found_among_many_that_came_after_it(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    newsroom.playground.lose_next_answer("POST", MESSAGES)
    await newsroom.ann.say("before", channel="training")
    with pytest.raises(DiscordUnreachable):
        await newsroom.announce(job)
    for number in range(230):
        await newsroom.ann.say(f"chatter {number}", channel="training")
    newsroom.clock.advance(MINUTES_LATER)
    await newsroom.announce(job)
    assert newsroom.asked("POST") == 1


async def test_looking_back_has_an_end(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    newsroom.playground.fail_next("POST", MESSAGES, 503, times=1)
    with pytest.raises(DiscordUnreachable):
        await newsroom.announce(job)
    for number in range(700):
        await newsroom.ann.say(f"chatter {number}", channel="training")
    await newsroom.announce(job)
    assert newsroom.asked("GET") == 5
    assert text_of(newsroom.messages()[-1]).startswith(f"<@{newsroom.ann.id}> your model")


async def test_another_jobs_message_is_not_taken_for_ones_own(newsroom: Newsroom) -> None:
    other = await newsroom.store(finetune_job(id="1002", status=JobStatus.RUNNING))
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    newsroom.playground.fail_next("POST", MESSAGES, 503)
    with pytest.raises(DiscordUnreachable):
        await newsroom.announce(job)
    await newsroom.announce(other)
    await newsroom.announce(job)
    ids = {(await newsroom.deliveries(one.id, Message.RESULT))[0].message_id for one in (job, other)}
    assert ids == {int(message["id"]) for message in newsroom.messages()}
    assert len(ids) == 2


async def test_without_the_right_to_read_back_the_nonce_still_merges(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.RUNNING))
    newsroom.playground.forbid("training", Permission.READ_MESSAGE_HISTORY)
    newsroom.playground.lose_next_answer("POST", MESSAGES)
    with pytest.raises(DiscordUnreachable):
        await newsroom.announce(job)
    await newsroom.announce(job)
    assert (newsroom.asked("POST"), len(newsroom.messages())) == (2, 1)
    newsroom.playground.allow("training")
    newsroom.playground.fail_next("GET", MESSAGES, 403)
    again = await newsroom.store(finetune_job(id="1002", status=JobStatus.RUNNING))
    newsroom.playground.lose_next_answer("POST", MESSAGES)
    with pytest.raises(DiscordUnreachable):
        await newsroom.announce(again)
    await newsroom.announce(again)
    assert len(newsroom.messages()) == 2


async def test_a_job_that_is_tried_again_announces_again(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job(error_sentence="It broke."))
    await newsroom.notifier.refresh(job.id)
    for round_ in (0, 1):
        await newsroom.change(job.id, status=JobStatus.FAILED, round=round_)
        for _ in range(2):
            await newsroom.notifier.deliver(job.id, Message.FAILURE)
        await newsroom.notifier.refresh(job.id)
    told = await newsroom.deliveries(job.id, Message.FAILURE)
    assert [(one.slot.round, one.slot.part) for one in told] == [(0, 0), (1, 0)]
    assert len(await newsroom.deliveries(job.id, Message.CARD)) == 1
    assert len(newsroom.messages()) == 3


async def test_a_question_and_a_failure_of_one_job_are_two_messages(newsroom: Newsroom) -> None:
    job = await newsroom.store(finetune_job(status=JobStatus.UNCERTAIN, error_sentence="Was it accepted?"))
    await newsroom.notifier.deliver(job.id, Message.QUESTION)
    await newsroom.notifier.deliver(job.id, Message.FAILURE)
    asked, failed = newsroom.messages()
    assert text_of(asked) == f"<@{newsroom.ann.id}> **Luna** needs your decision.\nWas it accepted?"
    assert "did not work out" in text_of(failed)


@pytest.mark.parametrize("lost", [0, 1])
async def test_a_result_that_was_parted_goes_on_where_it_stopped(newsroom: Newsroom, lost: int) -> None:
    """Twelve pictures are two messages; the answer to one of them is lost."""
    job = await newsroom.store_pictures(*(jpeg_bytes(photo(number, size=(64, 48))) for number in range(12)))

    def lose(event: Event) -> None:
        if isinstance(event, MessageCreated) and len(newsroom.messages()) == lost:
            newsroom.playground.lose_next_answer("POST", MESSAGES)

    stop_listening = newsroom.playground.world.subscribe(lose)
    if lost == 0:
        newsroom.playground.lose_next_answer("POST", MESSAGES)
    with pytest.raises(DiscordUnreachable):
        await newsroom.announce(job)
    stop_listening()
    newsroom.clock.advance(MINUTES_LATER)
    await newsroom.announce(job)
    await newsroom.announce(job)
    assert [len(message["attachments"]) for message in newsroom.messages()] == [10, 2]
    parts = await newsroom.deliveries(job.id, Message.RESULT)
    assert [one.pictures for one in parts] == [tuple(range(10)), (10, 11)]
    assert [one.message_id for one in parts] == [int(message["id"]) for message in newsroom.messages()]
    first, second = newsroom.messages()
    assert ([one["id"] for one in first["mentions"]], second["mentions"]) == ([newsroom.ann.id], [])
    assert newsroom.asked("POST") == 2
