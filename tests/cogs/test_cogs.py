"""Every command, button and dialog: one sentence back at once, for the one who acted, and the card says the rest."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.playground.person import DidNotRespond
from bot.playground.reading import labels_of, media_of, text_of
from bot.workflows.endings import BUG_SENTENCE
from storage.models import find_model
from storage.statuses import JobStatus
from tests.builders import GENERATION, TRAINING_SETTINGS, finetune_job, generate_job
from tests.cogs.stage import CHANNEL, Stage, job_of, private_words

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_help_is_private(stage: Stage) -> None:
    answer = await stage.newcomer().command("help", channel=CHANNEL)
    assert "Train a model on your own pictures" in await private_words(answer)


@pytest.mark.parametrize("command", ["models list", "jobs mine"])
async def test_empty_lists_say_how_to_begin(stage: Stage, command: str) -> None:
    assert "None yet" in await private_words(await stage.newcomer().command(command, channel=CHANNEL))


async def test_models_are_shown_renamed_and_deleted(stage: Stage) -> None:
    ann = stage.newcomer()
    model_id = await stage.give_model(ann, "Luna *the* cat")
    assert "Luna \\*the\\* cat" in await private_words(await ann.command("models list", channel=CHANNEL))
    shown = await private_words(await ann.command("models show", channel=CHANNEL, model="luna *THE* cat"))
    assert "Trigger word **ohwx**" in shown
    assert "4 pictures" in shown
    (choice,) = await ann.autocomplete("models rename", option="model", typed="LUNA", channel=CHANNEL, name="Selene")
    renamed = await ann.command("models rename", channel=CHANNEL, model=choice["value"], name=" Selene ")
    assert "is called **Selene** now" in await private_words(renamed)
    question = await ann.command("models delete", channel=CHANNEL, model=model_id)
    assert "Delete **Selene** for good?" in await private_words(question)
    deleted = await ann.press(question, "Delete for good")
    assert deleted.is_deferred
    async with stage.bot.resources.database.reading() as connection:
        stored = await find_model(connection, model_id)
    assert stored is not None
    await stage.playground.wait_for(lambda message: "**Selene** is deleted." in text_of(message), channel=CHANNEL)
    async with asyncio.timeout(10):
        while stage.bot.resources.files.has(stored.weights_file):
            await asyncio.sleep(0.02)
    assert await ann.autocomplete("models show", option="model", typed="", channel=CHANNEL) == []


async def test_a_name_that_is_taken_is_refused_after_the_deferral(stage: Stage) -> None:
    ann = stage.newcomer()
    await stage.give_model(ann, "Luna")
    await stage.give_model(ann, "Selene")
    answer = await ann.command("models rename", channel=CHANNEL, model="Luna", name="SELENE")
    assert "You already have a model called SELENE" in await private_words(answer)


async def test_somebody_elses_model_is_not_shown_used_or_offered(stage: Stage) -> None:
    ann, ben = stage.newcomer(), stage.newcomer()
    model_id = await stage.give_model(ann, "Luna")
    assert await ben.autocomplete("generate", option="model", typed="", channel=CHANNEL, prompt="x") == []
    for command, options in (
        ("models show", {"model": model_id}),
        ("models delete", {"model": model_id}),
        ("models rename", {"model": model_id, "name": "Mine"}),
        ("generate", {"model": model_id, "prompt": "a fox"}),
    ):
        answer = await ben.command(command, channel=CHANNEL, options=options)
        assert "Only the person it belongs to may use this model" in await private_words(answer)


async def test_a_long_list_has_pages(stage: Stage) -> None:
    ann = stage.newcomer()
    for number in range(9):
        await stage.give_model(ann, f"Model {number}")
    for command, oldest in (("models list", "Model 0"), ("jobs mine", "Training of **Luna**")):
        page = await ann.command(command, channel=CHANNEL)
        assert "· 9" in page.text
        await ann.press(page, "Older")
        assert oldest in page.text
        assert page.text.count("<t:") == 1
        await ann.press(page, "Newer")
        assert page.text.count("<t:") == 8


async def test_a_page_that_is_gone_shows_the_last_one(stage: Stage) -> None:
    ann = stage.newcomer()
    ids = [await stage.give_model(ann, f"Model {number}") for number in range(9)]
    page = await ann.command("models list", channel=CHANNEL)
    await stage.bot.workflows.models.delete(ids[0], int(ann.id))
    await ann.press(page, "Older")
    assert page.text.count("<t:") == 8
    assert page.labels == []


async def test_generate_offers_models_and_shapes_and_posts_pictures(stage: Stage) -> None:
    ann = stage.newcomer()
    model_id = await stage.give_model(ann, "Luna")
    (choice,) = await ann.autocomplete("generate", option="model", typed="lu", channel=CHANNEL, prompt="x")
    assert choice == {"name": "Luna · ohwx · flux-fake", "value": model_id}
    shapes = await ann.autocomplete(
        "generate", option="aspect_ratio", typed="16", channel=CHANNEL, prompt="x", model="m"
    )
    assert [one["value"] for one in shapes] == ["16:9"]
    options = {"model": model_id, "prompt": "ohwx in a *tree*", "count": 2, "seed": 7}
    await ann.command("generate", channel=CHANNEL, options=options)
    result = await stage.sees(f"<@{ann.id}> **Luna**", "ohwx in a \\*tree\\*")
    assert len(media_of(result)) == 2
    assert "seed 7" in text_of(result)
    again = await ann.press(result, "Again, new seed")
    assert again.is_ephemeral
    await stage.playground.wait_for(
        lambda message: f"<@{ann.id}> **Luna**" in text_of(message) and message["id"] != result["id"],
        channel=CHANNEL,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"aspect_ratio": "7:3"}, "Choose an aspect ratio"), ({"prompt": "   "}, "the prompt is empty")],
)
async def test_a_generation_that_cannot_work_is_refused_privately(
    stage: Stage, options: dict[str, Any], sentence: str
) -> None:
    ann = stage.newcomer()
    model_id = await stage.give_model(ann, "Luna")
    answer = await ann.command("generate", channel=CHANNEL, options={"model": model_id, "prompt": "x", **options})
    assert sentence in await private_words(answer)


async def test_a_file_that_is_no_picture_is_refused_on_its_card(stage: Stage, textfile: Path) -> None:
    ann = stage.newcomer()
    await ann.command(
        "finetune", channel=CHANNEL, options={"picture_1": textfile, "trigger_word": "ohwx", "name": "Notes"}
    )
    card = await stage.sees("Notes was not trained", f"<@{ann.id}>")
    told = await ann.press(card, "What happened")
    assert "file_error" in await private_words(told)


async def test_the_dialog_hands_files_over_too(stage: Stage, textfile: Path) -> None:
    ann = stage.newcomer()
    dialog = await ann.command("finetune", channel=CHANNEL, options={"name": "Moss", "mode": "style"})
    assert dialog.modal is not None
    await ann.submit(dialog, {"Pictures": [textfile, textfile]})
    assert "style" in text_of(await stage.sees("Moss was not trained", f"<@{ann.id}>"))


async def test_a_bad_trigger_word_in_the_dialog_is_a_private_sentence(stage: Stage, textfile: Path) -> None:
    ann = stage.newcomer()
    dialog = await ann.command("finetune", channel=CHANNEL, options={"name": "Moss"})
    answer = await ann.submit(dialog, {"Trigger word": "two words", "Pictures": [textfile]})
    assert "Choose a trigger word" in await private_words(answer)


async def test_where_the_bot_may_not_post_it_says_what_is_missing(stage: Stage, textfile: Path) -> None:
    ann = stage.newcomer()
    stage.playground.forbid(CHANNEL)
    try:
        for command, options in (
            ("finetune", {}),
            ("finetune", {"zip": textfile}),
            ("generate", {"model": "Luna", "prompt": "x"}),
        ):
            answer = await ann.command(command, channel=CHANNEL, options=options)
            assert "I may not post here: ask an admin to give me" in await private_words(answer)
    finally:
        stage.playground.allow(CHANNEL)


async def test_a_review_is_changed_and_started_by_its_person(stage: Stage) -> None:
    ann = stage.newcomer()
    card = await stage.give_job(ann, finetune_job(status=JobStatus.REVIEW))
    dialog = await ann.press(card, "Advanced")
    await ann.submit(dialog, {"Iterations": "150", "Learning rate": "0.0002", "Type": "full-16", "Priority": "speed"})
    changed = await stage.sees("150 iterations", f"<@{ann.id}>")
    assert "full finetune, rank 16 · learning rate 0.0002" in text_of(changed)
    dialog = await ann.press(card, "Advanced")
    assert dialog.modal is not None
    refused = await ann.submit(dialog, {"Iterations": "99"})
    assert "Choose iterations from 100 to 1000" in text_of(await refused.final())
    await ann.press(card, "Start")
    failed = await stage.sees("Luna was not trained", f"<@{ann.id}>", "run /finetune again")
    assert labels_of(failed) == ["What happened"]


@pytest.mark.parametrize(("word", "filled_in"), [("ohwz", "ohwz"), ("harbour", "harbourxo")])
async def test_a_trigger_word_is_changed_on_the_review_also_a_rare_one(stage: Stage, word: str, filled_in: str) -> None:
    ann = stage.newcomer()
    settings = {**TRAINING_SETTINGS, "trigger_word": word}
    details = {"name": "Luna", "trainer": "trainer", "settings": settings}
    card = await stage.give_job(ann, finetune_job(status=JobStatus.REVIEW, details=details))
    dialog = await ann.press(card, "Change trigger word")
    assert dialog.modal is not None
    assert dialog.modal["components"][0]["component"]["value"] == filled_in
    await ann.submit(dialog, {"Trigger word": "ohwx"})
    await stage.sees(f"<@{ann.id}>", "trigger word ohwx")
    assert (await stage.job(job_of(card))).details["settings"] == {**settings, "trigger_word": "ohwx"}


async def test_a_button_of_somebody_elses_job_says_so(stage: Stage) -> None:
    ann, ben = stage.newcomer(), stage.newcomer()
    many = tuple((f"{number}.pdf", "is not a picture") for number in range(9))
    card = await stage.give_job(ann, finetune_job(status=JobStatus.REVIEW), left_out=many)
    for label in ("Start", "Advanced", "Change trigger word", "Cancel", "All files left out"):
        assert "belongs to somebody else" in await private_words(await ben.press(card, label))
    assert (await stage.job(job_of(card))).status is JobStatus.REVIEW
    told = await private_words(await ann.press(card, "All files left out"))
    assert "8.pdf is not a picture" in told


async def test_a_long_list_of_files_left_out_comes_as_a_file_that_only_its_person_gets(stage: Stage) -> None:
    ann = stage.newcomer()
    many = tuple((f"{number}.pdf", "is not a picture") for number in range(900))
    card = await stage.give_job(ann, finetune_job(status=JobStatus.REVIEW), left_out=many)
    assert "0.pdf" not in text_of(card)
    answer = await ann.press(card, "All files left out")
    assert "more: all of them are in the list." in await private_words(answer)
    assert [one["filename"] for one in (answer.message or {})["attachments"]] == ["files-left-out.txt"]


async def test_cancel_stops_a_review_and_pressing_an_old_button_is_too_late(stage: Stage) -> None:
    ann = stage.newcomer()
    card = await stage.give_job(ann, finetune_job(status=JobStatus.REVIEW))
    job_id = job_of(card)
    (choice,) = await ann.autocomplete("jobs cancel", option="job", typed="lun", channel=CHANNEL)
    assert choice["value"] == job_id
    answer = await ann.command("jobs cancel", channel=CHANNEL, options={"job": job_id})
    assert "Stopping it" in await private_words(answer)
    await stage.sees("Training of Luna cancelled", f"<@{ann.id}>")
    late = await ann.command("jobs cancel", channel=CHANNEL, options={"job": job_id})
    assert "too late to stop that job: it is cancelled already" in await private_words(late)
    assert await ann.autocomplete("jobs cancel", option="job", typed="", channel=CHANNEL) == []
    assert len(await ann.autocomplete("jobs show", option="job", typed="", channel=CHANNEL)) == 1


async def test_a_job_is_shown_to_its_person_only(stage: Stage) -> None:
    ann, ben = stage.newcomer(), stage.newcomer()
    card = await stage.give_job(ann, finetune_job(status=JobStatus.REVIEW))
    job = {"job": job_of(card)}
    assert f"job {job['job']}" in await private_words(await ann.command("jobs show", channel=CHANNEL, options=job))
    foreign = await ben.command("jobs show", channel=CHANNEL, options=job)
    assert "Only the person it belongs to may see this job" in await private_words(foreign)
    for command in ("jobs show", "jobs cancel"):
        unknown = await ann.command(command, channel=CHANNEL, options={"job": "404"})
        assert "job" in await private_words(unknown)


async def test_buttons_of_a_job_that_is_gone_say_so(stage: Stage) -> None:
    """Nothing removes a job today; a database put back from a backup may not know one."""
    ann = stage.newcomer()
    channel = stage.bot.get_partial_messageable(stage.place_of(ann).channel_id)
    view = discord.ui.View(timeout=None)
    for act in ("start", "cancel", "advanced", "left-out", "timeline", "again", "delete-model"):
        view.add_item(discord.ui.Button(label=act, custom_id=f"atelier:{act}:999999:{ann.id}"))
    sent = await channel.send("old", view=view)
    view.stop()
    card = next(one for one in stage.playground.messages(CHANNEL) if one["id"] == str(sent.id))
    for act in ("start", "cancel", "advanced", "left-out", "timeline", "again", "delete-model"):
        words = await private_words(await ann.press(card, act))
        assert any(end in words for end in ("not known any more", "is gone", "gone already", "no such job")), (
            act,
            words,
        )


async def test_a_bug_is_an_apology_for_the_person_and_a_traceback_for_the_log(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_arguments: Any, **_options: Any) -> None:
        raise ZeroDivisionError("secret detail")

    ann = stage.newcomer()
    model_id = await stage.give_model(ann, "Luna")
    monkeypatch.setattr(stage.bot.workflows.models, "rename", broken)
    with caplog.at_level(logging.ERROR):
        answer = await ann.command("models rename", channel=CHANNEL, model=model_id, name="Selene")
        words = await private_words(answer)
    assert BUG_SENTENCE in words
    assert "secret detail" not in words
    assert "ZeroDivisionError: secret detail" in caplog.text


async def test_an_interaction_that_has_died_is_let_go(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    ann = stage.newcomer()
    stage.playground.fail_next("POST", r"/interactions/.*/callback$", 404)
    with caplog.at_level(logging.WARNING), pytest.raises(DidNotRespond):
        await ann.command("models show", channel=CHANNEL, model="nobody")
    assert "could not be told" in caplog.text


async def test_a_dialog_from_before_a_restart_says_so(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = stage.newcomer()
    dialog = await ann.command("finetune", channel=CHANNEL, options={"name": "Moss"})
    monkeypatch.setattr(stage.bot, "_process", "another")
    dialogs = stage.bot._connection._view_store._modals
    async with asyncio.timeout(5):
        while dialog.modal["custom_id"] not in dialogs:  # type: ignore[index]
            await asyncio.sleep(0.01)
    dialogs.clear()
    answer = await ann.submit(dialog, {"Pictures": [Path(__file__)]})
    assert "I was restarted while that dialog was open" in await private_words(answer)


async def test_commands_are_told_to_discord_only_when_they_changed(stage: Stage) -> None:
    def told() -> int:
        return sum(one.method == "PUT" and one.path.endswith("/commands") for one in stage.playground.exchanges)

    before = told()
    await stage.bot._tell_discord_the_commands()
    assert told() == before
    (stage.bot.resources.settings.data_dir / "commands.sha256").write_text("old")
    await stage.bot._tell_discord_the_commands()
    assert told() == before + 1


async def test_a_generation_card_offers_to_stop(stage: Stage) -> None:
    ann = stage.newcomer()
    card = await stage.give_job(ann, generate_job(details={"name": "Luna", "model": "1", **GENERATION}))
    await ann.press(card, "Cancel")
    await stage.sees("Cancelled. Nothing more will happen here.", f"<@{ann.id}>")


async def test_nothing_was_asked_of_discord_that_it_does_not_know(stage: Stage) -> None:
    assert stage.playground.unknown_routes == []
