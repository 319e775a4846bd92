"""Commands, dialogs and buttons as a person meets them, in a simulation that is not ours."""

import pytest

from bot.client import Atelier
from bot.startup import Resources
from storage.jobs import find_job
from storage.statuses import JobStatus
from tests.builders import finetune_job, generate_job
from tests.simcord.town import Town, text_of, words

pytestmark = pytest.mark.asyncio(loop_scope="module")

COMMANDS = {
    "dataset add",
    "dataset delete",
    "dataset edit",
    "dataset list",
    "dataset show",
    "finetune",
    "generate",
    "help",
    "jobs cancel",
    "jobs retry",
    "jobs server",
    "jobs mine",
    "jobs show",
    "models delete",
    "models import",
    "models list",
    "models publish",
    "models rename",
    "models show",
    "providers",
}


async def test_every_command_is_known_to_discord(town: Town) -> None:
    assert set(town.ann.available_commands(town.training)) == COMMANDS


async def test_help_is_for_the_one_who_asked(town: Town) -> None:
    result = await town.ann.slash(town.training, "help")
    assert result.ephemeral
    assert "Train a model on your own pictures" in words(result)
    assert "It is not FLUX" in words(result)
    assert town.training.last_message is None


@pytest.mark.parametrize(
    ("command", "sentence"), [("models list", "Your models\nNone yet"), ("jobs mine", "Your jobs\nNone yet")]
)
async def test_an_empty_list_says_how_to_begin(town: Town, command: str, sentence: str) -> None:
    result = await town.ann.slash(town.training, command)
    assert result.ephemeral
    assert sentence in words(result)


async def test_finetune_without_a_file_asks_for_everything(town: Town) -> None:
    result = await town.ann.slash(town.training, "finetune", name="Luna", mode="style")
    assert result.modal is not None
    assert result.modal["title"] == "Train a model"
    assert [label["label"] for label in result.modal["components"]] == [
        "Name",
        "Trigger word",
        "What do the pictures show?",
        "Pictures",
    ]
    name, _, mode, files = (label["component"] for label in result.modal["components"])
    assert name["value"] == "Luna"
    assert [option["value"] for option in mode["options"] if option.get("default")] == ["style"]
    assert (files["min_values"], files["max_values"]) == (1, 10)


async def test_a_dialog_with_a_bad_trigger_word_is_answered_privately(town: Town) -> None:
    shown = await town.ann.slash(town.training, "finetune")
    entered = {"name": "Luna", "trigger_word": "two words", "mode": ["style"], "files": [("a.jpg", b"a")]}
    result = await town.ann.submit_modal(shown, entered)
    assert result.ephemeral
    assert "Choose a trigger word of 2 to 30 letters" in words(result)
    assert town.training.last_message is None


async def test_generating_with_an_unknown_model_is_answered_privately(town: Town) -> None:
    result = await town.ann.slash(town.training, "generate", model="nobody", prompt="a fox")
    assert result.ephemeral
    assert "You have no model of that name" in words(result)
    assert town.training.last_message is None


@pytest.mark.parametrize("command", ["models show", "models delete"])
async def test_a_model_that_is_not_there_is_answered_privately(town: Town, command: str) -> None:
    result = await town.ann.slash(town.training, command, model="nobody")
    assert result.ephemeral
    assert "You have no model of that name" in words(result)


async def test_a_job_of_somebody_elses_is_not_shown(town: Town) -> None:
    job_id, _ = await town.ann_has_a_review()
    result = await town.ben.slash(town.training, "jobs show", job=job_id)
    assert result.ephemeral
    assert "Only the person it belongs to" in words(result)
    assert "Luna" not in words(result)


async def test_a_review_card_is_seen_by_all_and_pressed_by_one(town: Town, resources: Resources) -> None:
    job_id, card = await town.ann_has_a_review()
    for label in ("Train anyway", "Advanced", "Cancel", "Edit captions", "Add more", "Edit"):
        pressed = await town.ben.click(card, label=label)
        assert pressed.ephemeral
        assert "That button belongs to somebody else" in words(pressed)
    async with resources.database.reading() as connection:
        job = await find_job(connection, job_id)
    assert job is not None
    assert job.status is JobStatus.REVIEW


async def test_the_advanced_dialog_changes_the_card(town: Town) -> None:
    _, card = await town.ann_has_a_review()
    shown = await town.ann.click(card, label="Advanced")
    entered = {
        "iterations": "150",
        "learning_rate": "0.0002",
        "captioning": False,
        "priority": ["speed"],
        "finetune_type": ["full-16"],
    }
    await town.ann.submit_modal(shown, entered)
    text = text_of([one.to_dict() for one in town.training.last_message.components])
    assert "150 iterations" in text
    assert "full finetune, rank 16 · learning rate 0.0002 · captions off · speed first" in text


async def test_a_number_out_of_range_in_the_dialog_is_answered_privately(town: Town) -> None:
    _, card = await town.ann_has_a_review()
    shown = await town.ann.click(card, label="Advanced")
    result = await town.ann.submit_modal(
        shown, {"iterations": "9999", "priority": ["speed"], "finetune_type": ["lora-16"]}
    )
    assert "Choose iterations from 100 to 1000" in words(result)
    assert result.followups[-1].ephemeral


async def test_buttons_work_after_a_restart(town: Town, resources: Resources) -> None:
    _, card = await town.ann_has_a_review()
    await town.bot.engine.stop()
    await town.env.restart_bot(Atelier(resources, guild_ready_timeout=0.0))
    shown = await town.ann.click(card, label="Advanced")
    assert shown.modal is not None
    assert shown.modal["title"] == "Advanced options"


async def test_a_failed_job_tells_its_story(town: Town) -> None:
    job_id, card = await town.ann_has(finetune_job(status=JobStatus.FAILED))
    result = await town.ann.click(card, label="What happened")
    assert result.ephemeral
    assert "Training of **Luna**" in words(result)
    assert f"job {job_id}" in words(result)


async def test_only_ones_own_jobs_are_offered(town: Town) -> None:
    review, _ = await town.ann_has_a_review()
    done, _ = await town.ann_has(generate_job(status=JobStatus.DONE))
    offered = await town.ann.autocomplete(town.training, "jobs show", "job", "lun")
    assert {choice["value"] for choice in offered} == {review, done}
    offered = await town.ann.autocomplete(town.training, "jobs cancel", "job", "")
    assert [choice["value"] for choice in offered] == [review]
    assert await town.ben.autocomplete(town.training, "jobs show", "job", "") == []
