"""The status card: one message per job, edited as the job moves on."""

from collections.abc import Iterator, Sequence

import discord

from bot.messages.buttons import Card
from bot.messages.job_buttons import job_buttons
from bot.messages.left_out import left_out_in_short
from bot.messages.outages import put_right, waiting
from bot.messages.outlooks import is_ready, waits
from bot.messages.report_cards import LIGHT_COLOURS
from bot.messages.review import review_quote, review_report, review_rows
from bot.messages.sheet_pages import SHEET_NAME, sheet_alt_text
from bot.messages.view import DatasetView, JobView
from bot.messages.whereabouts import beside_the_card
from bot.messages.words import COLOURS, STAGE_WORDS, TITLES, count, duration, moment, place_named, plain, progress_bar
from bot.providers.base_models import title_of
from storage.history import StageEvent
from storage.jobs import Job
from storage.statuses import JobKind, JobStatus, Stage, StageOutcome

WORTH_SAYING_MS = 1000
PREPARATION = (Stage.RECEIVED, Stage.PREPARED)
TRAINING = (Stage.STAGED, Stage.TRAINING, Stage.ARCHIVED, Stage.ANNOUNCED)
STAGES = {
    JobKind.ADD: PREPARATION,
    JobKind.CAPTION: (Stage.DESCRIBED,),
    JobKind.FINETUNE: PREPARATION + TRAINING,
    JobKind.GENERATE: (Stage.RECEIVED, Stage.GENERATING, Stage.ARCHIVED, Stage.ANNOUNCED),
    JobKind.IMPORT: (Stage.RECEIVED, Stage.VERIFIED, Stage.ANNOUNCED),
    JobKind.PUBLISH: (Stage.PUBLISHED, Stage.ANNOUNCED),
}
MARKS = {
    StageOutcome.DONE: "✅",
    StageOutcome.FAILED: "❌",
    StageOutcome.CANCELLED: "⏹️",
    StageOutcome.INTERRUPTED: "🔄",
}


def job_card(view: JobView, *, has_sheet: bool = False) -> Card:
    """`has_sheet` for a message that carries the sheet of its dataset."""
    container: discord.ui.Container[Card] = discord.ui.Container(accent_colour=_colour(view))
    for text in _lines(view):
        container.add_item(discord.ui.TextDisplay(text))
    if view.job.status is JobStatus.REVIEW:
        if view.dataset is not None and has_sheet:
            container.add_item(sheet_gallery(view.dataset))
        container.add_item(discord.ui.TextDisplay(review_quote(view)))
    if view.provider.notice and not view.job.status.is_final:
        container.add_item(discord.ui.TextDisplay(f"-# {view.provider.notice}"))
    rows = list(review_rows(view)) if view.job.status is JobStatus.REVIEW else [list(job_buttons(view))]
    for buttons in rows:
        if buttons:
            container.add_item(discord.ui.ActionRow(*buttons))
    return finished_card(container)


def _colour(view: JobView) -> discord.Colour:
    """A review shows its dataset's light."""
    return COLOURS[view.job.status] if view.dataset is None else LIGHT_COLOURS[view.dataset.appraisal.light]


def sheet_gallery(view: DatasetView) -> discord.ui.MediaGallery[Card]:
    """Its message carries the picture under that name."""
    item = discord.MediaGalleryItem(f"attachment://{SHEET_NAME}", description=sheet_alt_text(view))
    return discord.ui.MediaGallery(item)


def finished_card(*items: discord.ui.Item[Card]) -> Card:
    """A card whose buttons are answered by their custom ids, so discord.py need not remember it."""
    card = Card(timeout=None)
    for item in items:
        card.add_item(item)
    card.stop()
    return card


def _lines(view: JobView) -> Iterator[str]:
    job = view.job
    yield f"### {_title(job)}\n{_subtitle(view)}"
    if job.details.get("changed"):
        yield put_right(job.details["changed"])
    match job.status:
        case JobStatus.REVIEW:
            yield review_report(view)
        case JobStatus.FAILED:
            yield f"❌ {plain(job.error_sentence or 'This job failed.', 1000)}"
            if view.events:
                yield stage_line(view)
        case JobStatus.UNCERTAIN:
            yield _doubt(view)
        case JobStatus.CANCELLED:
            yield f"⏹️ Cancelled. {plain(job.note) or 'Nothing more will happen here.'}"
            if view.kept_as is not None and (left := _left_by(view)):
                yield f"-# {left} your dataset **{plain(view.kept_as, 60)}**: /dataset show"
        case JobStatus.CANCELLING:
            yield "⏹️ Stopping…"
        case JobStatus.DONE:
            yield _done(view)
            if elsewhere := beside_the_card(view.deliveries):
                yield elsewhere
        case JobStatus.PREPARING | JobStatus.RUNNING:
            yield stage_line(view)
            yield _progress(view)


def _title(job: Job) -> str:
    words = TITLES[job.kind]
    return words.get(job.status, words[JobStatus.RUNNING]).format(plain(job.details["name"], 60))


def _subtitle(view: JobView) -> str:
    job, details, person = view.job, view.job.details, f"<@{view.job.place.person_id}>"
    match job.kind:
        case JobKind.FINETUNE:
            settings = details["settings"]
            iterations = [] if job.status is JobStatus.REVIEW else [f"{settings['iterations']:,} iterations"]
            word = f"trigger word {plain(settings['trigger_word'])}"
            return f"-# {' · '.join([person, word, settings['mode'], *iterations])}"
        case JobKind.GENERATE:
            parts = [
                person,
                count(details["count"], "picture", "pictures"),
                *generation_facts(job),
                view.provider.title,
            ]
            return f"> {plain(details['prompt'], 300)}\n-# {' · '.join(parts)}"
        case JobKind.ADD:
            return f"-# {person} · {count(len(details['uploads']), 'file', 'files')} handed over"
        case JobKind.CAPTION:
            return f"-# {person} · {count(details['count'], 'picture', 'pictures')} · {view.provider.title}"
        case JobKind.IMPORT:
            parts = [person, title_of(details["base_model"]), f"trigger word {plain(details['trigger_word'])}"]
            return f"-# {' · '.join([*parts, place_named(details['source'])])}"
        case JobKind.PUBLISH:
            return f"-# {person} · {'private' if details['private'] else 'public'} repository on the Hugging Face Hub"


def generation_facts(job: Job) -> list[str]:
    """What made the pictures, as far as it applies."""
    details = job.details
    strength = [] if details["strength"] is None else [f"strength {details['strength']:g}"]
    return [details["aspect_ratio"], *strength, f"seed {details['seed']}"]


def stage_line(view: JobView) -> str:
    """One mark per stage: done, at work, or, while the job is alive, still to come."""
    met = {event.stage for event in view.events}
    stages = [stage for stage in STAGES[view.job.kind] if stage in met or not view.job.status.is_final]
    return "\n".join(_stage(stage, view.events) for stage in stages)


def _stage(stage: Stage, events: Sequence[StageEvent]) -> str:
    last = next((event for event in reversed(events) if event.stage is stage), None)
    word = STAGE_WORDS[stage]
    if last is None:
        return f"▫️ {word}"
    if last.outcome is None or last.ended_ms is None:
        again = f" · attempt {last.attempt}" if last.attempt > 1 else ""
        return f"▶️ **{word}**{again}"
    took = last.ended_ms - last.started_ms
    return f"{MARKS[last.outcome]} {word}{f' · {duration(took)}' if took >= WORTH_SAYING_MS else ''}"


def _progress(view: JobView) -> str:
    job = view.job
    if job.status is JobStatus.PREPARING:
        promise = " Nothing is spent before you press *Start*." if job.kind is JobKind.FINETUNE else ""
        looking = f"Looking at every picture.{promise}"
        return f"{progress_bar(job.progress)}\n-# {plain(job.note)}" if job.progress else looking
    if view.outage is not None:
        return waiting(view.provider.title, view.outage, view.elsewhere)
    if view.outlook is not None and view.outlook.position is not None:
        return waits(view.outlook, view.outlook.position)
    if all(event.ended_ms is not None for event in view.events) and job.progress == 0:
        return "Waiting for its turn."
    left = f" · {ready}" if job.progress < 1 and (ready := _ready(view)) else ""
    note = plain(job.note) if job.note and not view.provider.notice else ""
    if job.progress == 0:  # many providers never say how far they are: no bar is better than an empty one
        return f"{note or 'At work'}{left}" if left else note or "At work."
    return f"{progress_bar(job.progress)}{left}" + (f"\n-# {note}" if note else "")


def _ready(view: JobView) -> str:
    """What the provider says, or what happened here before; empty when nobody knows."""
    if view.job.ready_at_ms is not None:
        return f"ready {moment(view.job.ready_at_ms)}"
    return is_ready(view.outlook) if view.outlook is not None else ""


def _doubt(view: JobView) -> str:
    """Nothing happens until its person has decided."""
    job = view.job
    look = "look there for it and attach its id, or " if view.can_attach else ""
    return (
        f"❔ {plain(job.error_sentence or '', 1000)}\nNothing more is sent, and nothing more is charged, until you "
        f"decide: {look}submit it again, or give up."
    )


def _left_by(view: JobView) -> str:
    """What a cancelled job leaves behind, worded to go on with "your dataset"."""
    match view.job.kind:
        case JobKind.FINETUNE:
            return "Its pictures stay in"
        case JobKind.ADD if view.addition is not None:
            return "What was added before stays in"
        case JobKind.CAPTION:
            return "Captions that were written until then were charged, and stay in"
        case _:
            return ""


def _done(view: JobView) -> str:
    job = view.job
    took = f" in {duration(job.finished_ms - job.created_ms)}" if job.finished_ms else ""
    if view.addition is None:
        return f"✅ Done{took}." + (f" {plain(job.note)}" if job.note else "")
    what = [count(view.addition.pictures, "picture", "pictures")] if view.addition.pictures else []
    what += [count(view.addition.captions, "caption", "captions")] if view.addition.captions else []
    pictures = " and ".join(what) or "0 pictures"
    note = f" {plain(job.note)}" if job.note else ""
    return "\n".join([f"✅ {pictures} added{took}.{note}", *left_out_in_short(view.addition.left_out)])
