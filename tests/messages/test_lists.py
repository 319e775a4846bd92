"""Lists, details, timelines and help: what a person asked to see, and nothing when there is nothing."""

from dataclasses import replace
from typing import Any

import pytest

from bot.messages import lists
from bot.messages.buttons import Act
from bot.messages.view import JobView
from bot.permissions import Asker
from storage.database import now_ms
from storage.models import Model
from storage.statuses import ErrorCategory, JobKind, JobStatus, Stage, StageOutcome
from tests.builders import CARD, PLACE, TRAINER, TRAINING_SETTINGS, finetune_job, model, training_set
from tests.messages.reading import assert_discord_takes, buttons_of, labels_of, text_of
from tests.messages.test_cards import EVERY, NASTY, event, job_of

ME = PLACE.person_id
ANN = Asker(person_id=ME)
PREVIEW = replace(CARD, notice="Offline preview, not FLUX.")


def models(number: int, **changes: Any) -> list[Model]:
    return [model(id=str(one), name=f"Model {one}", created_ms=1_700_000_000_000, **changes) for one in range(number)]


def test_a_person_without_models_is_told_how_to_begin() -> None:
    card = lists.models_page([], page=0, total=0, person_id=ME)
    assert_discord_takes(card)
    assert "None yet" in text_of(card)
    assert "/finetune" in text_of(card)
    assert labels_of(card) == []


def test_a_person_without_jobs_is_told_how_to_begin() -> None:
    card = lists.jobs_page([], page=0, total=0, person_id=ME)
    assert_discord_takes(card)
    assert "None yet" in text_of(card)
    assert labels_of(card) == []


def test_a_page_of_models_names_each() -> None:
    text = text_of(lists.models_page(models(3), page=0, total=3, person_id=ME))
    assert text.splitlines() == [
        "### Your models · 3",
        *[f"**Model {one}** · ohwx · flux-fake · <t:1700000000:R>" for one in range(3)],
    ]


@pytest.mark.parametrize(
    ("page", "total", "newer", "older"),
    [
        (0, 9, True, False),
        (1, 9, False, True),
        (1, 17, False, False),
        (0, 12345, True, False),
        (1543, 12345, False, True),
    ],
)
def test_a_longer_list_has_pages(page: int, total: int, newer: bool, older: bool) -> None:
    for card, act in (
        (lists.models_page(models(8), page=page, total=total, person_id=ME), Act.MODELS_PAGE),
        (lists.jobs_page([finetune_job()] * 8, page=page, total=total, person_id=ME), Act.JOBS_PAGE),
    ):
        assert_discord_takes(card)
        assert f"· {total:,}" in text_of(card)
        back, on = buttons_of(card)
        assert (back["label"], on["label"]) == ("Newer", "Older")
        assert (back["disabled"], on["disabled"]) == (newer, older)
        assert back["custom_id"] == f"atelier:{act}:{max(page - 1, 0)}:{ME}"
        assert on["custom_id"] == f"atelier:{act}:{page + 1}:{ME}"


def test_one_page_has_no_buttons() -> None:
    assert labels_of(lists.models_page(models(8), page=0, total=8, person_id=ME)) == []


@pytest.mark.parametrize(("kind", "status"), EVERY)
def test_a_page_of_jobs_says_where_each_stands(kind: JobKind, status: JobStatus) -> None:
    card = lists.jobs_page([job_of(kind, status)], page=0, total=1, person_id=ME)
    assert_discord_takes(card)
    words = {
        JobKind.ADD: "Pictures for **Luna**",
        JobKind.CAPTION: "Captions for **Luna**",
        JobKind.FINETUNE: "Training of **Luna**",
        JobKind.GENERATE: "2 pictures with **Luna**",
        JobKind.IMPORT: "Import of **Luna**",
        JobKind.PUBLISH: "Publishing of **Luna**",
    }
    assert words[kind] in text_of(card)
    assert "<t:1700000000:R>" in text_of(card)


def test_eight_of_the_longest_names_fit_on_a_page() -> None:
    long = [replace(one, name=NASTY[:100]) for one in models(8, trigger_word="w" * 30)]
    assert_discord_takes(lists.models_page(long, page=3, total=12345, person_id=2**63 - 1))
    job = job_of(JobKind.FINETUNE, JobStatus.FAILED, details={"name": NASTY, "settings": TRAINING_SETTINGS})
    assert_discord_takes(lists.jobs_page([job] * 8, page=3, total=12345, person_id=2**63 - 1))


def test_a_model_says_what_it_was_trained_on() -> None:
    card = lists.model_details(model(created_ms=1_700_000_000_000), training_set(), PREVIEW)
    assert_discord_takes(card)
    text = text_of(card)
    assert "### Luna" in text
    assert "Trigger word **ohwx** · flux-fake" in text
    assert "Trained <t:1700000000:R> at Fake provider · 4 pictures · 300 iterations · style · lora, rank 32" in text
    assert "-# Offline preview" in text


def test_a_model_whose_training_set_is_gone_is_still_shown() -> None:
    settings = {**TRAINING_SETTINGS, "learning_rate": 0.0002, "lora_rank": 0}
    text = text_of(lists.model_details(model(settings=settings), None, CARD))
    assert "at Fake provider · 300 iterations · style · learning rate 0.0002" in text
    assert "rank" not in text


def test_an_imported_model_says_where_it_came_from() -> None:
    imported = model(settings={"source": "ann/luna"}, training_set_id=None, base_model="flux.2-dev", published=None)
    text = text_of(lists.model_details(imported, None, CARD))
    assert "FLUX.2 [dev]" in text.replace("\\", "")
    assert "from ann/luna" in text


def test_a_published_model_names_its_page() -> None:
    shown = model(published="https://huggingface.co/ann/luna-1001")
    assert "<https://huggingface.co/ann/luna-1001>" in text_of(lists.model_details(shown, training_set(), CARD))


def test_deleting_asks_first() -> None:
    card = lists.delete_question(model(name=NASTY[:50]), ME)
    assert_discord_takes(card)
    assert "for good?" in text_of(card)
    (button,) = buttons_of(card)
    assert (button["label"], button["style"]) == ("Delete for good", 4)
    assert button["custom_id"] == f"atelier:delete-model:1001:{ME}"


def test_a_timeline_tells_every_attempt() -> None:
    events = (
        event(Stage.RECEIVED),
        event(Stage.TRAINING, StageOutcome.INTERRUPTED),
        event(
            Stage.TRAINING,
            StageOutcome.FAILED,
            attempt=2,
            error_category=ErrorCategory.RATE_LIMIT,
            detail="It is **busy**.",
        ),
        event(Stage.TRAINING, None, attempt=3),
    )
    job = job_of(JobKind.FINETUNE, JobStatus.FAILED)
    card = lists.timeline(JobView(job=job, events=events, provider=CARD), ANN)
    assert_discord_takes(card)
    assert text_of(card).splitlines() == [
        "### ❌ Training of **Luna**",
        "Failed · asked for <t:1700000000:R>",
        "<t:1700000000:T> **Received** · 12 s",
        "<t:1700000000:T> **Training** · 12 s · interrupted",
        "<t:1700000000:T> **Training** (attempt 2) · 12 s · failed · rate_limit: It is \\*\\*busy\\*\\*.",
        "▶️ **Training** (attempt 3) · since <t:1700000000:R>",
        "",
        "**timeout** · It took too long.",
        "-# job 1001",
    ]


@pytest.mark.parametrize(
    ("asker", "is_told"),
    [
        (ANN, False),
        (Asker(person_id=ME, manages_server=PLACE.server_id), True),
        (Asker(person_id=ME + 1, operates=True), True),
    ],
)
def test_advice_is_for_who_can_follow_it(asker: Asker, is_told: bool) -> None:
    failed = event(
        Stage.TRAINING, StageOutcome.FAILED, error_category=ErrorCategory.PAYMENT, advice="Add credit at Replicate."
    )
    job = job_of(JobKind.FINETUNE, JobStatus.FAILED)
    card = lists.timeline(JobView(job=job, events=(failed,), provider=CARD), asker)
    assert ("Add credit" in text_of(card)) is is_told


def test_a_timeline_can_be_exported_by_whoever_sees_it_and_retried_by_its_person() -> None:
    job = replace(job_of(JobKind.FINETUNE, JobStatus.FAILED), finished_ms=now_ms())
    operator = Asker(person_id=ME + 1, operates=True)
    for asker, labels in ((ANN, ["Retry", "Debug export"]), (operator, ["Debug export"])):
        buttons = buttons_of(lists.timeline(JobView(job=job, events=(), provider=CARD), asker))
        assert [one["label"] for one in buttons] == labels
        assert all(one["custom_id"].endswith(f":{asker.person_id}") for one in buttons)


def test_the_jobs_of_a_server_name_their_people() -> None:
    jobs = [job_of(JobKind.FINETUNE, status) for status in JobStatus]
    card = lists.server_jobs_page(jobs, page=0, total=20, person_id=ME)
    assert_discord_takes(card)
    assert text_of(card).count(f"<@{PLACE.person_id}>") == len(jobs)
    assert labels_of(card) == ["Newer", "Older"]
    assert "None yet" in text_of(lists.server_jobs_page([], page=0, total=0, person_id=ME))


def test_a_timeline_without_events_says_so() -> None:
    card = lists.timeline(JobView(job=job_of(JobKind.GENERATE, JobStatus.RUNNING), events=(), provider=CARD), ANN)
    assert "No stage has begun yet." in text_of(card)
    assert_discord_takes(card)


def test_a_very_long_timeline_fits_and_keeps_its_end() -> None:
    """The reason and the job's number are at the end, and are what somebody asking for help needs."""
    events = tuple(
        event(Stage.TRAINING, StageOutcome.FAILED, attempt=n, error_category=ErrorCategory.NETWORK, detail="x" * 1000)
        for n in range(1, 200)
    )
    card = lists.timeline(JobView(job=job_of(JobKind.FINETUNE, JobStatus.FAILED), events=events, provider=CARD), ANN)
    assert_discord_takes(card)
    assert text_of(card).rstrip().endswith("-# job 1001")
    assert "It took too long." in text_of(card)


def test_help_names_every_command_and_how_to_begin() -> None:
    card = lists.help_card([PREVIEW], TRAINER)
    assert_discord_takes(card)
    for words in (
        "/finetune",
        "/dataset",
        "/generate",
        "/models",
        "/jobs",
        "/providers",
        "4 to 50 pictures",
        "Offline preview",
    ):
        assert words in text_of(card)


def test_help_where_nobody_trains_says_why_and_what_is_left() -> None:
    card = lists.help_card([replace(CARD, trainers=(), no_training="It was switched off.")], None)
    assert_discord_takes(card)
    assert "It was switched off." in text_of(card)
    assert "/finetune" not in text_of(card)
    assert "/models import" in text_of(card).replace("*", "")


def test_a_sentence_is_a_card() -> None:
    card = lists.sentence("Stopping it.")
    assert_discord_takes(card)
    assert text_of(card) == "Stopping it."


@pytest.mark.parametrize("source", ["ann/luna", "https://huggingface.co/ann/luna", "bfl:luna-1", NASTY])
def test_an_imported_model_is_a_card_that_says_nothing_of_a_training(source: str) -> None:
    imported = model(
        settings={"source": source, "public_link": "https://huggingface.co/x?token=secret"},
        training_set_id=None,
        weights_file=None,
        base_model="flux.2-dev",
    )
    card = lists.model_details(imported, None, CARD)
    assert_discord_takes(card)
    for absent in ("Trained", "iterations", "secret", "None"):
        assert absent not in text_of(card)


def test_a_model_that_was_never_published_names_no_page() -> None:
    assert "Published" not in text_of(lists.model_details(model(), training_set(), CARD))


@pytest.mark.parametrize("kind", [JobKind.IMPORT, JobKind.PUBLISH])
def test_the_timeline_of_an_import_and_a_publication_is_told(kind: JobKind) -> None:
    stages = {JobKind.IMPORT: (Stage.RECEIVED, Stage.VERIFIED), JobKind.PUBLISH: (Stage.PUBLISHED,)}[kind]
    events = (
        *(event(stage) for stage in stages[:-1]),
        event(stages[-1], StageOutcome.FAILED, error_category=ErrorCategory.PAYMENT, detail="No money left."),
    )
    card = lists.timeline(JobView(job=job_of(kind, JobStatus.FAILED), events=events, provider=CARD), ANN)
    assert_discord_takes(card)
    words = {
        JobKind.IMPORT: ("Import of **Luna**", "**Verified**"),
        JobKind.PUBLISH: ("Publishing of", "**Published**"),
    }
    for one in (*words[kind], "payment: No money left."):
        assert one in text_of(card)


def test_models_of_known_bases_are_listed_by_their_titles() -> None:
    text = text_of(lists.models_page(models(1, base_model="flux.2-klein-9b"), page=0, total=1, person_id=ME))
    assert "FLUX.2 [klein] 9B" in text.replace("\\", "")


def test_offers_are_paragraphs_of_one_card() -> None:
    card = lists.offers(["### One provider", "### Another"])
    assert_discord_takes(card)
    assert text_of(card) == "### One provider\n### Another"
