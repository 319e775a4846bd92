"""Results reach their person once, whatever becomes of the channel, the network or the process meanwhile."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.playground.events import Event, MessageCreated
from bot.playground.person import Person
from bot.playground.reading import labels_of, text_of
from bot.playground.server import Playground
from bot.playground.values import Permission
from storage.statuses import JobStatus
from tests.end_to_end.bot_process import BotProcess
from tests.end_to_end.live_bot import Clock, LiveBot, Message, can_be_started, said_privately, start_of
from tests.end_to_end.stored import count, rows

pytestmark = pytest.mark.asyncio(loop_scope="module")

MINUTES_LATER = 600.0  # Discord has forgotten every nonce
SECONDS = 100.0
FILE_BYTES = 60_000  # what this Discord takes, though it tells its server's bots otherwise
PICTURE_POSTS = r"^/channels/\d+/messages$"


@pytest.fixture
def ann(live: LiveBot) -> Iterator[Person]:
    """She takes direct messages again after each story."""
    ann = live.playground.person("Ann")
    yield ann
    live.playground.world.closed_to_the_bot.discard(ann.id)


async def painted(
    live: LiveBot, ann: Person, model: str, prompt: str, *, channel: str, meanwhile: Callable[[], Any], **options: Any
) -> str:
    """/generate; `meanwhile` happens as soon as the card is there. Answers the job's id, once it is done."""
    card_is_there = asyncio.Event()

    def hear(event: Event) -> None:
        if isinstance(event, MessageCreated) and event.message.ephemeral_for is None:
            card_is_there.set()

    stop_listening = live.playground.world.subscribe(hear)
    await ann.command("generate", channel=channel, model=model, prompt=prompt, **options)
    await asyncio.wait_for(card_is_there.wait(), SECONDS)
    stop_listening()
    meanwhile()
    newest = "SELECT id FROM jobs WHERE kind = 'generate' ORDER BY created_ms DESC LIMIT 1"
    job = await live.job_in(rows(live.data_dir, newest)[0][0], JobStatus.DONE, JobStatus.FAILED)
    assert (job.status, job.error_sentence) == (JobStatus.DONE, None)
    return job.id


async def shown(ann: Person, job_id: str) -> tuple[str, list[Message]]:
    """The words of /jobs show, and the messages with pictures that follow."""
    answer = await ann.command("jobs show", channel="training", job=job_id)
    async with asyncio.timeout(SECONDS):
        while not answer.follow_ups:
            await asyncio.sleep(0.02)
    assert all(one["flags"] & 64 for one in answer.follow_ups), "only the person sees them"
    return said_privately(answer), answer.follow_ups


def letters(ann: Person, prompt: str) -> list[Message]:
    return [one for one in ann.sees("dm") if prompt in text_of(one)]


async def test_a_deleted_channel_leads_to_a_direct_message(live: LiveBot, ann: Person, anns_model: str) -> None:
    prompt = "TOK without a room"
    await painted(
        live, ann, anns_model, prompt, channel="help", meanwhile=lambda: live.playground.delete_channel("help")
    )
    (letter,) = letters(ann, prompt)
    assert len(letter["attachments"]) == 1
    assert "because Discord would not let me post it" in text_of(letter)


async def test_what_nobody_takes_is_kept_and_had_with_jobs_show(live: LiveBot, ann: Person, anns_model: str) -> None:
    prompt = "TOK behind doors"

    def close_everything() -> None:
        live.playground.delete_channel("gallery")
        ann.close_direct_messages()

    job_id = await painted(live, ann, anns_model, prompt, channel="gallery", meanwhile=close_everything, count=2)
    assert letters(ann, prompt) == []
    words, pictures = await shown(ann, job_id)
    assert "Your result is kept here: Discord would not let me post it." in words
    assert [len(one["attachments"]) for one in pictures] == [2]


async def test_where_only_threads_are_allowed_the_result_is_in_one(live: LiveBot, ann: Person, anns_model: str) -> None:
    prompt = "TOK on a thread"
    try:
        await painted(
            live,
            ann,
            anns_model,
            prompt,
            channel="general",
            meanwhile=lambda: live.playground.forbid("general", Permission.SEND_MESSAGES),
        )
        card = await live.sees_text("Your result is in <#", prompt, channel="general")
    finally:
        live.playground.allow("general")
    (result,) = live.playground.messages(card["thread"]["id"])
    assert len(result["attachments"]) == 1


async def test_a_result_of_several_messages_calls_its_person_once(
    live: LiveBot, ann: Person, anns_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.planning.FILES_PER_MESSAGE", 2)
    prompt = "TOK in parts"
    await painted(live, ann, anns_model, prompt, channel="training", meanwhile=lambda: None, count=3)
    parts = [one for one in live.messages_about(prompt) if one["attachments"]]
    assert [len(one["attachments"]) for one in parts] == [2, 1]
    assert [len(one["mentions"]) for one in parts] == [1, 0]
    assert [labels_of(one) for one in parts] == [[], ["Again, new seed"]]


async def test_a_result_whose_answer_is_lost_is_posted_once(live: LiveBot, ann: Person, anns_model: str) -> None:
    prompt = "TOK, did you hear?"

    def lose() -> None:
        live.playground.lose_next_answer("POST", PICTURE_POSTS)
        live.clock.advance(MINUTES_LATER)

    await painted(live, ann, anns_model, prompt, channel="training", meanwhile=lose)
    assert len([one for one in live.messages_about(prompt) if one["attachments"]]) == 1


async def test_a_command_whose_acknowledgement_is_not_heard_leaves_nobody_waiting(
    live: LiveBot, ann: Person, anns_model: str
) -> None:
    live.playground.lose_next_answer("POST", r"^/interactions/\d+/[^/]+/callback")
    answer = await ann.command("generate", channel="training", model=anns_model, prompt="TOK, did you say so?")
    assert "Please try again" in text_of(await answer.final())
    assert live.messages_about("TOK, did you say so?") == []


async def test_pictures_of_a_running_job_are_not_shown(live: LiveBot, ann: Person, photos: Path) -> None:
    await live.hand_over(ann, photos, "Waiting")
    job_id = rows(live.data_dir, "SELECT id FROM jobs ORDER BY created_ms DESC LIMIT 1")[0][0]
    answer = await ann.command("jobs show", channel="training", job=job_id)
    assert "Waiting" in said_privately(answer)
    assert answer.follow_ups == []


async def test_a_picture_too_large_for_the_channel_is_had_with_jobs_show(
    live: LiveBot, ann: Person, anns_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = "TOK, enormous"
    monkeypatch.setattr(live.playground.world, "file_bytes", FILE_BYTES)
    job_id = await painted(live, ann, anns_model, prompt, channel="training", meanwhile=lambda: None)
    result = await live.sees_text("could not be posted: it is kept", prompt)
    assert result["attachments"] == []
    _, (pictures,) = await shown(ann, job_id)
    assert [one["size"] <= FILE_BYTES for one in pictures["attachments"]] == [True]


async def test_a_kill_between_posting_and_noting_posts_nothing_twice_an_hour_later(
    tmp_path: Path, photos: Path
) -> None:
    clock = Clock()
    async with Playground(now=clock, message_limit=None) as playground, BotProcess(playground, tmp_path) as bot:
        ann = playground.person("Ann")
        await ann.command("finetune", channel="training", zip=photos, name="Echo")
        review = await playground.wait_for(can_be_started, timeout=SECONDS)
        playground.lose_next_answer("POST", PICTURE_POSTS)
        await ann.press(review, start_of(review))
        await playground.wait_for(lambda one: "your model **Echo** is ready" in text_of(one), timeout=SECONDS)
        await bot.kill()
        assert count(bot.data_dir, "deliveries", message="result") == 1
        assert rows(bot.data_dir, "SELECT message_id FROM deliveries WHERE message = 'result'") == [(None,)]
        clock.advance(3600.0)
        await bot.start()
        await playground.wait_for(lambda one: "Echo is trained" in text_of(one), timeout=SECONDS)
        results = [one for one in playground.messages("training") if "is ready" in text_of(one)]
        assert len(results) == 1
        noted = rows(bot.data_dir, "SELECT message_id FROM deliveries WHERE message = 'result'")
        assert noted == [(int(results[0]["id"]),)]
