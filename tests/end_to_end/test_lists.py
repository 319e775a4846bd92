"""What people look up: their models and jobs, the choices offered while they type, and help."""

from pathlib import Path

import pytest

from bot.playground.person import Person
from bot.playground.reading import text_of
from tests.end_to_end.live_bot import LiveBot, job_id_on, said_privately

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_autocomplete_offers_at_most_25_and_follows_what_is_typed(live: LiveBot) -> None:
    eve = live.newcomer("Eve")
    for number in range(60):
        await live.give_model(eve, f"{'Fox' if number % 3 == 0 else 'Owl'} {number:02}")
    offered = await eve.autocomplete("generate", option="model", typed="", channel="training")
    assert len(offered) == 25
    assert offered[0]["name"].startswith("Owl 59")
    foxes = await eve.autocomplete("generate", option="model", typed="fOx", channel="training")
    assert len(foxes) == 20
    assert all("Fox" in choice["name"] for choice in foxes)
    assert [one["name"] for one in await eve.autocomplete("models show", option="model", typed="07")] == ["Owl 07"]
    assert await eve.autocomplete("generate", option="model", typed="%", channel="training") == []


async def test_models_are_listed_shown_renamed_and_deleted(live: LiveBot, ben: Person) -> None:
    fay = live.newcomer("Fay")
    assert "None yet" in said_privately(await fay.command("models list"))
    model_id = await live.give_model(fay, "Rex")
    assert "**Rex** · ohwx · Local preview" in said_privately(await fay.command("models list"))
    assert "300 iterations" in said_privately(await fay.command("models show", model=model_id))
    renamed = await fay.command("models rename", model=model_id, name="Max")
    assert text_of(await renamed.final()) == "**Rex** is called **Max** now."
    assert "Only the person it belongs to" in said_privately(await ben.command("models show", model=model_id))
    question = await fay.command("models delete", model="max")
    assert "Delete **Max** for good?" in said_privately(question)
    await fay.press(question, "Delete for good")
    await live.sees(lambda one: text_of(one) == "**Max** is deleted.", channel="general")
    assert "no model of that name" in said_privately(await fay.command("models show", model="Max"))
    assert "None yet" in said_privately(await fay.command("models list"))


async def test_a_long_list_of_models_has_pages(live: LiveBot) -> None:
    gus = live.newcomer("Gus")
    for number in range(10):
        await live.give_model(gus, f"Model {number}")
    page = await gus.command("models list")
    assert "Model 9" in page.text
    older = await gus.press(page, "Older")
    assert "Model 0" in older.text
    newer = await gus.press(older, "Newer")
    assert "Model 9" in newer.text


async def test_jobs_are_listed_and_shown_and_cancelled(live: LiveBot, ben: Person, photos: Path) -> None:
    hal = live.newcomer("Hal")
    card = await live.hand_over(hal, photos, "Slow")
    assert "Training of **Slow** · waiting for you" in said_privately(await hal.command("jobs mine"))
    choices = await hal.autocomplete("jobs cancel", option="job", typed="slo")
    assert [choice["value"] for choice in choices] == [job_id_on(card)]
    shown = said_privately(await hal.command("jobs show", job=job_id_on(card)))
    assert "**Received**" in shown
    assert "**Prepared**" in shown
    assert await ben.autocomplete("jobs show", option="job", typed="slo") == []
    stranger = await ben.command("jobs cancel", job=job_id_on(card))
    assert text_of(await stranger.final()) == "Only the person it belongs to may change this job."
    answer = await hal.command("jobs cancel", job=job_id_on(card))
    assert text_of(await answer.final()) == "Stopping it. Its card will say when it has stopped."
    await live.sees_text("Training of Slow cancelled")
    assert await hal.autocomplete("jobs cancel", option="job", typed="slo") == []
    late = await hal.command("jobs cancel", job=job_id_on(card))
    assert "too late" in text_of(await late.final())


async def test_help_says_how_to_begin(live: LiveBot, ann: Person) -> None:
    answer = await ann.command("help")
    assert "/finetune" in said_privately(answer)
    assert "/generate" in answer.text
