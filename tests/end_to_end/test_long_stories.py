"""Stories in which something happens while a job is at work: people leave, the bot restarts, time runs out."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.playground.person import Person
from bot.playground.reading import labels_of, text_of
from bot.playground.server import Playground
from storage.statuses import JobStatus
from tests.end_to_end.live_bot import Clock, LiveBot, Message, job_id_on, said_privately, start_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

A_QUARTER_OF_AN_HOUR = 15 * 60.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LiveBot]:
    """The bot as elsewhere, but its work takes a while."""
    clock = Clock()
    async with Playground(now=clock, message_limit=None) as playground:
        bot = LiveBot(
            playground,
            clock,
            tmp_path_factory.mktemp("data"),
            LOCAL_TRAINING_TIME="2s",
            LOCAL_GENERATION_TIME="1s",
        )
        await bot.start()
        yield bot
        await bot.stop()


async def at_work(live: LiveBot, person: Person, pictures: Path, name: str) -> Message:
    """A training that has been accepted and is not finished."""
    card = await live.hand_over(person, pictures, name)
    await person.press(card, start_of(card))
    return await live.sees(lambda one: f"Training {name}" in text_of(one) and "▶️ **Training**" in text_of(one))


async def test_a_training_can_be_cancelled_while_it_runs(live: LiveBot, ann: Person, photos: Path) -> None:
    card = await at_work(live, ann, photos, "Halted")
    await ann.press(card, "Cancel")
    cancelled = await live.sees_text("Training of Halted cancelled")
    assert labels_of(cancelled) == []
    assert (await live.job(job_id_on(card))).status is JobStatus.CANCELLED
    answer = await ann.command("models show", model="Halted")
    assert "no model of that name" in answer.text
    assert live.messages_about("your model **Halted** is ready") == []


async def test_buttons_from_before_a_restart_still_work(live: LiveBot, ann: Person, photos: Path) -> None:
    card = await live.hand_over(ann, photos, "Reborn")
    unwanted = await live.hand_over(ann, photos, "Unwanted")
    await live.stop()
    await live.start()
    dialog = await ann.press(card, "Advanced")
    await ann.submit(dialog, {"Iterations": "400"})
    await live.sees_text("Ready to train Reborn?", "400 iterations")
    await ann.press(unwanted, "Cancel")
    await live.sees_text("Training of Unwanted cancelled")
    await ann.press(card, start_of(card))
    await live.sees_text("Reborn is trained")
    result = await live.generate(ann, "Reborn", "TOK before the night")
    await live.stop()
    await live.start()
    await ann.press(result, "Again, new seed")
    await live.sees(lambda one: bool(one["attachments"]) and "TOK before" in text_of(one) and one["id"] != result["id"])


async def test_a_dialog_from_before_a_restart_is_answered(live: LiveBot, ann: Person, photos: Path) -> None:
    dialog = await ann.command("finetune", channel="training", name="Forgotten")
    await live.stop()
    await live.start()
    answer = await ann.submit(dialog, {"Pictures": [photos]})
    assert said_privately(answer) == "I was restarted while that dialog was open: please open it again."
    assert live.messages_about("Forgotten") == []


async def test_a_restart_in_the_middle_of_a_training_loses_nothing(live: LiveBot, ann: Person, photos: Path) -> None:
    card = await at_work(live, ann, photos, "Steady")
    await live.stop()
    await live.start()
    done = await live.sees_text("Steady is trained")
    assert done["id"] == card["id"]
    assert len(live.messages_about("your model **Steady** is ready")) == 1
    accepted = (live.data_dir / "local" / "accepted.log").read_text().splitlines()
    assert len([line for line in accepted if line.startswith(f"{job_id_on(card)} ")]) == 1


async def test_a_result_comes_after_the_interaction_has_expired(live: LiveBot, ann: Person, photos: Path) -> None:
    card = await at_work(live, ann, photos, "Thorough")
    live.clock.advance(A_QUARTER_OF_AN_HOUR + 60)
    ready = await live.sees_text("your model **Thorough** is ready")
    assert [person["id"] for person in ready["mentions"]] == [ann.id]
    done = await live.sees_text("Thorough is trained")
    assert done["id"] == card["id"]


async def test_a_removed_card_does_not_stop_its_job(live: LiveBot, ann: Person, photos: Path) -> None:
    card = await at_work(live, ann, photos, "Tidied")
    world = live.playground.world
    world.remove(world.message(card["channel_id"], card["id"]))
    await live.sees_text("your model **Tidied** is ready")
    assert (await live.job_in(job_id_on(card), JobStatus.DONE, JobStatus.FAILED)).status is JobStatus.DONE


async def test_a_channel_closed_during_a_training_keeps_the_model(live: LiveBot, photos: Path) -> None:
    ivy = live.newcomer("Ivy")
    card = await at_work(live, ivy, photos, "Kept")
    live.playground.forbid("training")
    try:
        job = await live.job_in(job_id_on(card), JobStatus.DONE, JobStatus.FAILED)
    finally:
        live.playground.allow("training")
    assert job.status is JobStatus.DONE
    assert "your model **Kept** is ready" in text_of(ivy.sees("dm")[0])
    assert "Kept" in (await ivy.command("models list")).text


async def test_a_lost_connection_is_taken_up_again(live: LiveBot, ann: Person, photos: Path) -> None:
    await at_work(live, ann, photos, "Tenacious")
    await live.playground.reset_connections()
    await live.playground.bot_ready()
    await live.sees_text("your model **Tenacious** is ready")
