"""Every card in every state: what it says, which buttons it offers, and that Discord would take it."""

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.messages.buttons import Act, Card, button, pattern
from bot.messages.cards import job_card
from bot.messages.results import (
    Share,
    alt_text,
    failure_result,
    model_result,
    picture_file_name,
    pictures_result,
    publish_result,
)
from bot.messages.view import JobView
from bot.providers.card import CaptionRule, Price
from storage.database import now_ms
from storage.dataset_steps import Addition
from storage.history import StageEvent
from storage.jobs import Job
from storage.statuses import ErrorCategory, JobKind, JobStatus, Stage, StageOutcome
from storage.submissions import Submission
from tests.builders import (
    CARD,
    GENERATION,
    PLACE,
    TRAINER,
    TRAINING_SETTINGS,
    add_job,
    caption_job,
    dataset_view,
    finetune_job,
    finetune_submission,
    generate_job,
    import_job,
    publish_job,
)
from tests.messages.reading import assert_discord_takes, buttons_of, labels_of, text_of, walk

# The whole grammar, written down a second time: what a button says must not change by accident.
CUSTOM_ID = re.compile(
    r"atelier:(?P<act>[a-z-]{2,20}):(?P<subject>[0-9]{1,20}(?:-[0-9]{1,4})?):(?P<person>[0-9]{1,20})"
)

NASTY = "**x** _y_ `z` ~~s~~ ||t|| # h\n> q [a](https://evil.example) <@1> <@&2> <#3> <:e:4> @everyone @here"
PREVIEW = replace(CARD, notice="Offline preview, not FLUX.")
FINETUNE_STAGES = (Stage.RECEIVED, Stage.PREPARED, Stage.STAGED, Stage.TRAINING, Stage.ARCHIVED, Stage.ANNOUNCED)
STAGES = {
    JobKind.ADD: (Stage.RECEIVED, Stage.PREPARED),
    JobKind.CAPTION: (Stage.DESCRIBED,),
    JobKind.FINETUNE: FINETUNE_STAGES,
    JobKind.GENERATE: (Stage.RECEIVED, Stage.GENERATING, Stage.ARCHIVED, Stage.ANNOUNCED),
    JobKind.IMPORT: (Stage.RECEIVED, Stage.VERIFIED, Stage.ANNOUNCED),
    JobKind.PUBLISH: (Stage.PUBLISHED, Stage.ANNOUNCED),
}
BUILDERS = {
    JobKind.ADD: add_job,
    JobKind.CAPTION: caption_job,
    JobKind.FINETUNE: finetune_job,
    JobKind.GENERATE: generate_job,
    JobKind.IMPORT: import_job,
    JobKind.PUBLISH: publish_job,
}
EVERYTHING = {key: value for build in BUILDERS.values() for key, value in build().details.items()}
UNDER_WAY_TO_REVIEW = {  # the others begin to run at once
    JobStatus.PREPARING: (JobKind.FINETUNE, JobKind.ADD),
    JobStatus.REVIEW: (JobKind.FINETUNE,),
}


def event(stage: Stage, outcome: StageOutcome | None = StageOutcome.DONE, **changes: Any) -> StageEvent:
    value = StageEvent(
        stage=stage,
        attempt=1,
        started_ms=1_700_000_000_000,
        ended_ms=None if outcome is None else 1_700_000_012_300,
        outcome=outcome,
        error_category=None,
        detail="",
    )
    return replace(value, **changes)


def view(job: Job, **changes: Any) -> JobView:
    kept_as = "Luna" if job.kind in (JobKind.ADD, JobKind.CAPTION) else None
    made = JobView(job=job, events=(), provider=PREVIEW, trainer=TRAINER, dataset=None, kept_as=kept_as)
    return replace(made, **changes)


def job_of(kind: JobKind, status: JobStatus, **changes: Any) -> Job:
    build = BUILDERS[kind]
    finished = {"finished_ms": 1_700_000_300_000} if status.is_final else {}
    failed = {"error_category": ErrorCategory.TIMEOUT, "error_sentence": "It took too long."}
    return build(
        status=status,
        created_ms=1_700_000_000_000,
        **finished,
        **(failed if status is JobStatus.FAILED else {}),
        **changes,
    )


EVERY = [
    (kind, status)
    for kind, status in itertools.product(JobKind, JobStatus)
    if kind in UNDER_WAY_TO_REVIEW.get(status, JobKind)
]


def share(names: list[str]) -> Share:
    """All the pictures of a job in one message."""
    return Share(attached=dict(enumerate(names, start=1)), made=len(names))


def stages_so_far(kind: JobKind) -> Iterator[tuple[StageEvent, ...]]:
    stages = STAGES[kind]
    for number in range(len(stages) + 1):
        done = tuple(event(stage) for stage in stages[:number])
        yield done
        for outcome in (None, StageOutcome.FAILED, StageOutcome.CANCELLED, StageOutcome.INTERRUPTED):
            yield (*done, *(event(stage, outcome, attempt=2) for stage in stages[number : number + 1]))


@pytest.mark.parametrize(("kind", "status"), EVERY)
def test_every_card_is_one_that_discord_takes(kind: JobKind, status: JobStatus) -> None:
    for events in stages_so_far(kind):
        for data in (None, dataset_view()):
            card = job_card(view(job_of(kind, status), events=events, dataset=data))
            assert_discord_takes(card)
            assert text_of(card).startswith("### ")
            assert "Luna" in text_of(card)
            assert f"<@{PLACE.person_id}>" in text_of(card)
            assert ("-# Offline preview, not FLUX." in text_of(card)) is not status.is_final
            assert "None" not in text_of(card)


@pytest.mark.parametrize(("kind", "status"), EVERY)
def test_the_longest_words_still_fit(kind: JobKind, status: JobStatus) -> None:
    nasty = (NASTY * 3)[:200]
    settings = {**TRAINING_SETTINGS, "trigger_word": "w" * 30}
    details = {
        **EVERYTHING,
        "name": nasty,
        "settings": settings,
        "prompt": (NASTY * 30)[:2000],
        "source": (NASTY * 30)[:500],
    }
    job = job_of(kind, status, details=details, note=nasty, progress=0.5, ready_at_ms=1)
    job = replace(job, error_sentence=(NASTY * 12)[:1000] if status is JobStatus.FAILED else None)
    left_out = tuple((f"{number}{nasty}"[:200], nasty) for number in range(400))
    events = tuple(
        event(stage, StageOutcome.FAILED, attempt=9, detail=nasty, error_category=ErrorCategory.NETWORK)
        for stage in Stage
    )
    card = job_card(view(job, events=events, dataset=dataset_view(left_out=left_out), provider=PREVIEW))
    assert_discord_takes(card)


STUDIO = ["Edit captions", "Add more", "Edit"]
DECISIONS = ["Submit again (may be charged)", "Give up", "What happened"]
BUTTONS = {
    (JobKind.FINETUNE, JobStatus.PREPARING): ["Cancel"],
    (JobKind.FINETUNE, JobStatus.REVIEW): [
        *STUDIO,
        "All files left out",
        "Start",
        "Advanced",
        "Change trigger word",
        "Cancel",
    ],
    (JobKind.FINETUNE, JobStatus.RUNNING): ["Cancel"],
    (JobKind.FINETUNE, JobStatus.UNCERTAIN): DECISIONS,
    (JobKind.FINETUNE, JobStatus.FAILED): ["What happened"],
    (JobKind.ADD, JobStatus.PREPARING): ["Cancel"],
    (JobKind.ADD, JobStatus.RUNNING): ["Cancel"],
    (JobKind.ADD, JobStatus.UNCERTAIN): DECISIONS,
    (JobKind.ADD, JobStatus.DONE): ["Open"],
    (JobKind.ADD, JobStatus.FAILED): ["What happened"],
    (JobKind.CAPTION, JobStatus.RUNNING): ["Cancel"],
    (JobKind.CAPTION, JobStatus.UNCERTAIN): DECISIONS,
    (JobKind.CAPTION, JobStatus.DONE): ["Open"],
    (JobKind.CAPTION, JobStatus.FAILED): ["What happened"],
    (JobKind.GENERATE, JobStatus.RUNNING): ["Cancel"],
    (JobKind.GENERATE, JobStatus.UNCERTAIN): DECISIONS,
    (JobKind.GENERATE, JobStatus.FAILED): ["What happened"],
    (JobKind.IMPORT, JobStatus.RUNNING): ["Cancel"],
    (JobKind.IMPORT, JobStatus.FAILED): ["What happened"],
    (JobKind.PUBLISH, JobStatus.RUNNING): ["Cancel"],
    (JobKind.PUBLISH, JobStatus.FAILED): ["What happened"],
    (JobKind.IMPORT, JobStatus.UNCERTAIN): DECISIONS,
    (JobKind.PUBLISH, JobStatus.UNCERTAIN): DECISIONS,
}


@pytest.mark.parametrize(("kind", "status"), EVERY)
def test_a_card_offers_what_can_be_done_now_and_nothing_else(kind: JobKind, status: JobStatus) -> None:
    assert labels_of(job_card(view(job_of(kind, status), dataset=dataset_view()))) == BUTTONS.get((kind, status), [])


def test_an_id_can_be_attached_where_the_provider_can_be_asked_for_it() -> None:
    asked = job_card(view(job_of(JobKind.GENERATE, JobStatus.UNCERTAIN, error_sentence="X?"), can_attach=True))
    assert labels_of(asked) == ["It ran: attach id", *DECISIONS]
    assert "Nothing more is sent" in text_of(asked)
    assert "attach its id" in text_of(asked)


RETRIED = finetune_submission(verdict=ErrorCategory.SERVICE_ERROR)


@pytest.mark.parametrize(
    ("submissions", "price", "label"),
    [
        ((), Price(once=1.0), "Retry"),
        ((replace(RETRIED, verdict=None),), Price(once=1.0), "Retry"),
        ((RETRIED,), Price(once=1.0), "Retry (charged again)"),
        ((RETRIED,), None, "Retry (charged again)"),
        ((RETRIED,), Price(), "Retry"),
        ((replace(RETRIED, round=0), replace(RETRIED, round=1, verdict=None)), Price(once=1.0), "Retry"),
    ],
)
def test_a_retry_says_whether_it_is_charged_again(
    submissions: tuple[Submission, ...], price: Price | None, label: str
) -> None:
    job = job_of(JobKind.FINETUNE, JobStatus.FAILED, round=max((one.round for one in submissions), default=0))
    job = replace(job, finished_ms=now_ms())
    trainer = replace(TRAINER, price=price)
    assert labels_of(job_card(view(job, submissions=submissions, trainer=trainer))) == [label, "What happened"]


def test_what_must_be_changed_first_is_not_offered_again() -> None:
    job = job_of(JobKind.GENERATE, JobStatus.FAILED)
    job = replace(job, finished_ms=now_ms(), error_category=ErrorCategory.MODERATION)
    assert labels_of(job_card(view(job))) == ["What happened"]


TITLES = {
    (JobKind.FINETUNE, JobStatus.PREPARING): "### Getting Luna ready",
    (JobKind.FINETUNE, JobStatus.REVIEW): "### Ready to train Luna?",
    (JobKind.FINETUNE, JobStatus.RUNNING): "### Training Luna",
    (JobKind.FINETUNE, JobStatus.CANCELLING): "### Training Luna",
    (JobKind.FINETUNE, JobStatus.DONE): "### Luna is trained",
    (JobKind.FINETUNE, JobStatus.FAILED): "### Luna was not trained",
    (JobKind.FINETUNE, JobStatus.CANCELLED): "### Training of Luna cancelled",
    (JobKind.GENERATE, JobStatus.RUNNING): "### Generating with Luna",
    (JobKind.GENERATE, JobStatus.DONE): "### Pictures with Luna",
    (JobKind.GENERATE, JobStatus.FAILED): "### No pictures with Luna",
}


@pytest.mark.parametrize(("kind", "status"), TITLES)
def test_a_title_says_where_the_job_stands(kind: JobKind, status: JobStatus) -> None:
    assert text_of(job_card(view(job_of(kind, status)))).splitlines()[0] == TITLES[kind, status]


def test_a_running_card_marks_every_stage() -> None:
    events = (
        event(Stage.RECEIVED),
        event(Stage.PREPARED, StageOutcome.INTERRUPTED),
        event(Stage.PREPARED, attempt=2),
        event(Stage.STAGED, StageOutcome.FAILED),
        event(Stage.TRAINING, None, attempt=3),
    )
    job = job_of(
        JobKind.FINETUNE, JobStatus.RUNNING, progress=0.42, note="step 126 of 300", ready_at_ms=1_700_000_099_000
    )
    lines = text_of(job_card(view(job, events=events))).splitlines()
    assert lines[2:8] == [
        "✅ Received · 12 s",
        "✅ Prepared · 12 s",
        "❌ Staged · 12 s",
        "▶️ **Training** · attempt 3",
        "▫️ Archived",
        "▫️ Announced",
    ]
    assert lines[8] == "▰▰▰▰▰▱▱▱▱▱▱▱  42% · ready <t:1700000099:R>"
    real = text_of(job_card(view(job, events=events, provider=CARD))).splitlines()
    assert real[8:] == [lines[8], "-# step 126 of 300"]


def test_a_job_that_nobody_works_on_yet_waits_for_its_turn() -> None:
    job = job_of(JobKind.FINETUNE, JobStatus.RUNNING)
    text = text_of(job_card(view(job, events=(event(Stage.RECEIVED), event(Stage.PREPARED)))))
    assert "Waiting for its turn." in text


def test_the_pictures_under_review_are_shown_where_the_message_carries_them() -> None:
    shown = view(job_of(JobKind.FINETUNE, JobStatus.REVIEW), dataset=dataset_view())
    card = job_card(shown, has_sheet=True)
    assert_discord_takes(card)
    (gallery,) = [one for one in walk(card.to_components()) if one["type"] == 12]
    assert gallery["items"][0]["media"]["url"] == "attachment://pictures.jpg"
    assert "1 1.jpg" in gallery["items"][0]["description"]
    assert all(one["type"] != 12 for one in walk(job_card(shown).to_components()))


def test_a_saved_picture_is_called_after_its_model() -> None:
    job = job_of(JobKind.GENERATE, JobStatus.DONE)
    assert picture_file_name(job, 2, "png") == "luna-7-2.png"
    assert picture_file_name(job, 2, "webp") == "luna-7-2.webp"
    for name in (NASTY, "猫", "../../etc/passwd", ""):
        assert re.fullmatch(
            r"[a-z0-9-]+\.png", picture_file_name(replace(job, details={**job.details, "name": name}), 1, "png")
        )


def test_a_review_says_how_much_was_left_out_and_what_it_will_cost() -> None:
    left_out = tuple((f"file-{number}.pdf", "is not a picture") for number in range(7))
    card = job_card(view(job_of(JobKind.FINETUNE, JobStatus.REVIEW), dataset=dataset_view(left_out=left_out)))
    text = text_of(card)
    assert "🟢 **4 pictures** · sharp, varied and enough of them." in text
    assert "**Fake trainer at Fake provider**" in text
    assert "**$1.50** · about 10 min" in text
    assert "LoRA, rank 32 · automatic learning rate · captions on · quality first" in text
    assert "**Files left out: 7**\n-# not a picture (7)" in text
    assert ".pdf" not in text
    assert labels_of(card) == [*STUDIO, "All files left out", "Start", "Advanced", "Change trigger word", "Cancel"]


def test_a_review_with_changed_settings_says_so() -> None:
    settings = {**TRAINING_SETTINGS, "learning_rate": 0.0002, "captioning": False, "finetune_type": "full"}
    job = job_of(JobKind.FINETUNE, JobStatus.REVIEW, details={"name": "Luna", "settings": settings})
    text = text_of(job_card(view(job, dataset=dataset_view(left_out=()))))
    assert "full finetune, rank 32 · learning rate 0.0002 · captions off" in text
    assert "left out" not in text


def test_a_failed_job_says_why_and_where() -> None:
    job = job_of(JobKind.FINETUNE, JobStatus.FAILED)
    text = text_of(job_card(view(job, events=(event(Stage.TRAINING, StageOutcome.FAILED),))))
    assert "❌ It took too long." in text
    assert "❌ Training · 12 s" in text


def test_a_job_that_failed_without_a_sentence_still_says_something() -> None:
    job = replace(job_of(JobKind.FINETUNE, JobStatus.FAILED), error_sentence=None)
    assert "❌ This job failed." in text_of(job_card(view(job)))


@pytest.mark.parametrize(("kind", "status"), EVERY)
def test_a_persons_words_are_shown_and_not_obeyed(kind: JobKind, status: JobStatus) -> None:
    """No bold, no quote, no heading: and a notification is impossible because nothing is allowed to be mentioned."""
    details = {**EVERYTHING, "name": NASTY, "prompt": NASTY, "source": NASTY}
    job = replace(job_of(kind, status, details=details), note=NASTY, error_sentence=NASTY)
    data = dataset_view(left_out=((NASTY, NASTY),))
    for line in text_of(job_card(view(job, dataset=data))).splitlines():
        assert not re.search(r"(?<!\\)\*\*x", line)
        assert not re.search(r"(?<!\\)`z", line)
        assert not re.search(r"(?<!\\)\|\|t", line)
        assert not re.match(r"\s*# h|> q", line), "a line break of a person's begins no line of ours"


def test_a_markdown_link_of_a_persons_is_not_a_link() -> None:
    details = {"name": "[free](https://evil.example)", "settings": TRAINING_SETTINGS}
    text = text_of(job_card(view(job_of(JobKind.FINETUNE, JobStatus.DONE, details=details))))
    assert "\\[free](https://evil.example)" in text
    assert not re.search(r"(?<!\\)\[free", text)


def test_results_mention_their_person_and_show_every_picture() -> None:
    done = job_of(JobKind.GENERATE, JobStatus.DONE)
    card = pictures_result(done, PREVIEW, share(["2002-1.png", "2002-2.png"]))
    assert_discord_takes(card)
    assert text_of(card).startswith(f"<@{PLACE.person_id}> **Luna**\n> a fox in snow")
    assert "1:1 · strength 1 · seed 7" in text_of(card)
    assert "Offline preview" in text_of(card)
    assert labels_of(card) == ["Again, new seed"]
    (gallery,) = [one for one in card.to_components()[0]["components"] if one["type"] == 12]
    assert [item["media"]["url"] for item in gallery["items"]] == ["attachment://2002-1.png", "attachment://2002-2.png"]
    assert all(item["description"] for item in gallery["items"])


def test_a_trained_model_is_announced_with_its_word() -> None:
    card = model_result(job_of(JobKind.FINETUNE, JobStatus.DONE), CARD)
    assert_discord_takes(card)
    assert text_of(card).startswith(f"<@{PLACE.person_id}> your model **Luna** is ready.")
    assert "the word **ohwx**" in text_of(card)


@pytest.mark.parametrize("kind", JobKind)
def test_a_failure_is_announced_with_its_sentence(kind: JobKind) -> None:
    card = failure_result(job_of(kind, JobStatus.FAILED))
    assert_discord_takes(card)
    assert "It took too long." in text_of(card)
    assert_discord_takes(failure_result(replace(job_of(kind, JobStatus.FAILED), error_sentence=None)))


@pytest.mark.parametrize("count", [1, 4, 10])
def test_a_result_with_the_longest_words_fits(count: int) -> None:
    details = {"name": NASTY[:100], **GENERATION, "prompt": (NASTY * 30)[:2000], "count": count, "model": "1"}
    job = job_of(JobKind.GENERATE, JobStatus.DONE, details=details)
    card = pictures_result(job, PREVIEW, share([f"{job.id}-{number}.png" for number in range(count)]))
    assert_discord_takes(card)


def test_an_alternative_text_is_within_its_limit_and_says_what_is_shown() -> None:
    job = job_of(JobKind.GENERATE, JobStatus.DONE)
    assert alt_text(job, 2) == "Picture 2 of 2, generated with Luna: a fox in snow"
    long = replace(job, details={**job.details, "prompt": "p" * 2000})
    assert len(alt_text(long, 1)) == 1024
    assert alt_text(long, 1).endswith("…")


@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("subject", ["1", "9" * 20, 0, 12, "1-0", f"{'9' * 20}-9999"])
def test_a_buttons_id_says_what_to_what_and_for_whom(act: Act, subject: str | int) -> None:
    custom_id = button(act, "Press", subject=subject, person_id=2**63 - 1).custom_id
    assert custom_id is not None
    assert len(custom_id) <= 100
    for expression in (CUSTOM_ID, re.compile(pattern(act))):
        found = expression.fullmatch(custom_id)
        assert found is not None
        assert (found["subject"], found["person"]) == (str(subject), str(2**63 - 1))
    assert not any(re.fullmatch(pattern(other), custom_id) for other in Act if other is not act)


def test_every_button_on_every_card_belongs_to_its_person() -> None:
    cards: list[Card] = [
        job_card(view(job_of(kind, status), dataset=dataset_view(left_out=(("a", "b"),) * 9))) for kind, status in EVERY
    ]
    cards.append(pictures_result(job_of(JobKind.GENERATE, JobStatus.DONE), CARD, share(["a.png"])))
    ids = [one["custom_id"] for card in cards for one in buttons_of(card)]
    assert len(ids) > 10
    for custom_id in ids:
        found = CUSTOM_ID.fullmatch(custom_id)
        assert found is not None
        assert found["person"] == str(PLACE.person_id)
        assert Act(found["act"])


def test_an_import_says_what_comes_from_where() -> None:
    text = text_of(job_card(view(job_of(JobKind.IMPORT, JobStatus.RUNNING), provider=CARD)))
    assert text.splitlines()[:2] == [
        "### Importing Luna",
        f"-# <@{PLACE.person_id}> · FLUX.1 [dev] · trigger word ohwx · ann/luna",
    ]
    assert "▫️ Verified" in text


@pytest.mark.parametrize(("private", "words"), [(True, "private"), (False, "public")])
def test_a_publication_says_who_will_see_it(private: bool, words: str) -> None:
    job = publish_job(details={**publish_job().details, "private": private})
    text = text_of(job_card(view(job, provider=CARD)))
    assert "### Publishing Luna" in text
    assert f"{words} repository on the Hugging Face Hub" in text


MORE_TITLES = {
    (JobKind.ADD, JobStatus.PREPARING): "### Adding pictures to Luna",
    (JobKind.ADD, JobStatus.DONE): "### Pictures added to Luna",
    (JobKind.ADD, JobStatus.FAILED): "### Nothing was added to Luna",
    (JobKind.ADD, JobStatus.CANCELLED): "### Adding to Luna cancelled",
    (JobKind.CAPTION, JobStatus.RUNNING): "### Describing the pictures of Luna",
    (JobKind.CAPTION, JobStatus.DONE): "### The pictures of Luna are described",
    (JobKind.CAPTION, JobStatus.FAILED): "### The pictures of Luna were not all described",
    (JobKind.CAPTION, JobStatus.CANCELLED): "### Describing Luna cancelled",
    (JobKind.IMPORT, JobStatus.CANCELLING): "### Importing Luna",
    (JobKind.IMPORT, JobStatus.DONE): "### Luna is imported",
    (JobKind.IMPORT, JobStatus.FAILED): "### Luna was not imported",
    (JobKind.IMPORT, JobStatus.CANCELLED): "### Import of Luna cancelled",
    (JobKind.PUBLISH, JobStatus.DONE): "### Luna is published",
    (JobKind.PUBLISH, JobStatus.FAILED): "### Luna was not published",
    (JobKind.PUBLISH, JobStatus.CANCELLED): "### Publishing of Luna cancelled",
    (JobKind.GENERATE, JobStatus.CANCELLED): "### Generating with Luna",
}


@pytest.mark.parametrize(("kind", "status"), MORE_TITLES)
def test_every_other_job_says_where_it_stands_too(kind: JobKind, status: JobStatus) -> None:
    card = job_card(view(job_of(kind, status)))
    assert_discord_takes(card)
    assert text_of(card).splitlines()[0] == MORE_TITLES[kind, status]


def test_an_addition_says_how_many_files_it_was_given_and_nothing_of_a_start() -> None:
    card = job_card(view(job_of(JobKind.ADD, JobStatus.PREPARING), events=(event(Stage.RECEIVED, None),)))
    assert f"-# <@{PLACE.person_id}> · 2 files handed over" in text_of(card)
    assert "Looking at every picture." in text_of(card)
    assert "Start" not in text_of(card)


def test_an_addition_that_is_done_counts_what_came_in_and_what_did_not() -> None:
    left_out = tuple((f"{number}.pdf", "is not a picture") for number in range(6))
    done = job_of(JobKind.ADD, JobStatus.DONE, note="12 in it now.")
    text = text_of(job_card(view(done, addition=Addition(pictures=1, left_out=left_out))))
    assert "✅ 1 picture added in 5 min 0 s. 12 in it now." in text
    assert "**Files left out: 6**" in text
    assert "-# not a picture (6)" in text
    assert ".pdf" not in text


def test_an_addition_with_the_longest_names_left_out_fits() -> None:
    left_out = tuple((f"{number}{NASTY * 2}", NASTY * 2) for number in range(500))
    done = job_of(JobKind.ADD, JobStatus.DONE, details={**add_job().details, "name": NASTY})
    assert_discord_takes(job_card(view(done, addition=Addition(pictures=400, left_out=left_out))))


def test_a_description_says_of_how_many_pictures_and_by_whom() -> None:
    card = job_card(view(job_of(JobKind.CAPTION, JobStatus.RUNNING, progress=0.5), provider=CARD))
    assert f"-# <@{PLACE.person_id}> · 4 pictures · Fake provider" in text_of(card)
    assert "▰▰▰▰▰▰▱▱▱▱▱▱  50%" in text_of(card)


@pytest.mark.parametrize("build", [add_job, caption_job])
def test_the_dataset_of_a_finished_job_is_one_press_away(build: Callable[..., Job]) -> None:
    (button,) = buttons_of(job_card(view(build(status=JobStatus.DONE))))
    assert button["custom_id"] == f"atelier:open-dataset:1001:{PLACE.person_id}"


def test_an_imported_model_is_announced_with_its_word() -> None:
    card = model_result(job_of(JobKind.IMPORT, JobStatus.DONE), CARD)
    assert_discord_takes(card)
    assert "your model **Luna** is ready" in text_of(card)
    assert "the word **ohwx**" in text_of(card)


@pytest.mark.parametrize(("private", "words"), [(True, "only who may read it there"), (False, "everybody")])
def test_a_publication_is_announced_with_a_link_and_who_can_see_it(private: bool, words: str) -> None:
    url = "https://huggingface.co/ann/luna-1001"
    card = publish_result(publish_job(details={**publish_job().details, "private": private}), url)
    assert f"<@{PLACE.person_id}> **Luna** is on the Hugging Face Hub; {words} can see it." in text_of(card)
    (button,) = buttons_of(card)
    assert (button["label"], button["style"], button["url"]) == ("Open on the Hub", 5, url)
    assert "custom_id" not in button
    assert 1 <= card.content_length() <= 4000


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ["At work."]),
        ({"note": "Step 3 of *many*"}, ["Step 3 of \\*many\\*"]),
        ({"note": "n", "progress": 0.25}, ["▰▰▰▱▱▱▱▱▱▱▱▱  25%", "-# n"]),
        ({"ready_at_ms": 1_700_000_099_000, "progress": 0.25}, ["▰▰▰▱▱▱▱▱▱▱▱▱  25% · ready <t:1700000099:R>"]),
        ({"progress": 1.0, "ready_at_ms": 1_700_000_099_000}, ["▰▰▰▰▰▰▰▰▰▰▰▰  100%"]),
    ],
)
def test_progress_that_nobody_knows_is_no_empty_bar(changes: dict[str, Any], words: list[str]) -> None:
    at_work = (event(Stage.RECEIVED), event(Stage.GENERATING, None))
    card = job_card(view(job_of(JobKind.GENERATE, JobStatus.RUNNING, **changes), events=at_work, provider=CARD))
    assert_discord_takes(card)
    lines = text_of(card).splitlines()
    assert lines[-len(words) :] == words


def test_a_preview_shows_no_note_beside_its_notice() -> None:
    job = job_of(JobKind.GENERATE, JobStatus.RUNNING, progress=0.5, note="painting")
    text = text_of(job_card(view(job, events=(event(Stage.GENERATING, None),))))
    assert "painting" not in text
    assert text.splitlines()[-1] == "-# Offline preview, not FLUX."


@pytest.mark.parametrize("note", ["Fake provider may charge for it.", ""])
def test_a_cancelled_job_says_whether_it_may_still_cost_something(note: str) -> None:
    text = text_of(job_card(view(job_of(JobKind.FINETUNE, JobStatus.CANCELLED, note=note), provider=CARD)))
    assert f"⏹️ Cancelled. {note or 'Nothing more will happen here.'}" in text


@pytest.mark.parametrize(
    ("shown", "wanted", "words"),
    [
        (3, 4, "🚫 1 picture is missing: Fake provider held back or could not make what you asked for."),
        (1, 4, "🚫 3 pictures are missing: Fake provider held back or could not make what you asked for."),
        (4, 4, None),
    ],
)
def test_pictures_that_were_held_back_are_counted(shown: int, wanted: int, words: str | None) -> None:
    job = job_of(JobKind.GENERATE, JobStatus.DONE, details={**generate_job().details, "count": wanted})
    card = pictures_result(job, CARD, share([f"luna-7-{number}.png" for number in range(shown)]))
    assert_discord_takes(card)
    assert ("🚫" in text_of(card)) is (words is not None)
    if words is not None:
        assert words in text_of(card)


def test_pictures_without_a_model_name_their_generator_and_no_strength() -> None:
    details = {**generate_job().details, "model": None, "name": "FLUX.1 [schnell]", "strength": None}
    job = job_of(JobKind.GENERATE, JobStatus.DONE, details=details)
    for card in (pictures_result(job, CARD, share(["a.png", "b.png"])), job_card(view(job, provider=CARD))):
        assert_discord_takes(card)
        assert "schnell" in text_of(card)
        assert "strength" not in text_of(card)
        assert "1:1 · seed 7 · Fake provider" in text_of(card)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"price": Price(once=0.5, per_iteration=0.01)}, "**$3.50** · about 10 min"),
        ({"price": Price(per_iteration=0.01, is_certain=False)}, "**about $3.00** · about 10 min"),
        ({"price": Price()}, "Costs nothing"),
        ({"price": None}, "does not say what it costs"),
    ],
)
def test_a_review_quotes_what_this_training_will_cost(changes: dict[str, Any], words: str) -> None:
    shown = view(
        job_of(JobKind.FINETUNE, JobStatus.REVIEW), dataset=dataset_view(), trainer=replace(TRAINER, **changes)
    )
    card = job_card(shown)
    assert_discord_takes(card)
    assert words in text_of(card)


def test_a_review_shows_only_what_its_trainer_knows() -> None:
    plain_trainer = replace(
        TRAINER,
        learning_rate=None,
        lora_ranks=(),
        priorities=(),
        finetune_types=(),
        captions=CaptionRule.OPTIONAL,
        modes=(),
    )
    job = job_of(JobKind.FINETUNE, JobStatus.REVIEW)
    text = text_of(job_card(view(job, dataset=dataset_view(left_out=()), trainer=plain_trainer)))
    for unknown in ("rank", "learning rate", "captions on", "captions off", "first"):
        assert unknown not in text
    assert "-# flux-fake · 300 iterations" in text.splitlines()


def test_a_review_whose_trainer_is_not_offered_any_more_says_so_and_can_only_be_cancelled() -> None:
    card = job_card(view(job_of(JobKind.FINETUNE, JobStatus.REVIEW), trainer=None, provider=CARD))
    assert_discord_takes(card)
    assert "That trainer is not offered here any more" in text_of(card)
    assert "deleted" not in text_of(card)
    assert labels_of(card) == ["Cancel"]


def test_a_review_whose_dataset_was_deleted_says_so_and_offers_no_start() -> None:
    card = job_card(view(job_of(JobKind.FINETUNE, JobStatus.REVIEW), provider=CARD))
    assert_discord_takes(card)
    assert "The dataset of this training was deleted." in text_of(card)
    assert labels_of(card) == ["Advanced", "Change trigger word", "Cancel"]
