"""The status card: one message per job, edited as the job moves on."""

from collections.abc import Iterator, Sequence

import discord

from bot.messages.buttons import Card
from bot.messages.job_buttons import LEFT_OUT_LINES, job_buttons
from bot.messages.offers import quote, trainer_title
from bot.messages.outages import put_right, waiting
from bot.messages.outlooks import is_ready, waits
from bot.messages.view import JobView
from bot.messages.whereabouts import beside_the_card
from bot.messages.words import COLOURS, STAGE_WORDS, TITLES, count, duration, moment, place_named, plain, progress_bar
from bot.providers.base_models import title_of
from storage.history import StageEvent
from storage.jobs import Job
from storage.statuses import JobKind, JobStatus, Stage, StageOutcome

WORTH_SAYING_MS = 1000
SHEET_NAME = "pictures.jpg"
PREPARATION = (Stage.RECEIVED, Stage.PREPARED)
TRAINING = (Stage.STAGED, Stage.TRAINING, Stage.ARCHIVED, Stage.ANNOUNCED)
STAGES = {
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


def job_card(view: JobView) -> Card:
    container: discord.ui.Container[Card] = discord.ui.Container(accent_colour=COLOURS[view.job.status])
    for text in _lines(view):
        container.add_item(discord.ui.TextDisplay(text))
    if shows_sheet(view):  # pictures before the small print
        container.add_item(
            discord.ui.MediaGallery(
                discord.MediaGalleryItem(f"attachment://{SHEET_NAME}", description=sheet_alt_text(view))
            )
        )
    if view.provider.notice and not view.job.status.is_final:
        container.add_item(discord.ui.TextDisplay(f"-# {view.provider.notice}"))
    buttons = list(job_buttons(view))
    if buttons:
        container.add_item(discord.ui.ActionRow(*buttons))
    return finished_card(container)


def finished_card(*items: discord.ui.Item[Card]) -> Card:
    """A card whose buttons are answered by their custom ids, so discord.py need not remember it."""
    card = Card(timeout=None)
    for item in items:
        card.add_item(item)
    card.stop()
    return card


def shows_sheet(view: JobView) -> bool:
    """Whether the card shows its dataset as one picture, which its message must then carry."""
    return view.job.status is JobStatus.REVIEW and view.dataset is not None and view.dataset.sheet_file is not None


def sheet_alt_text(view: JobView) -> str:
    names = ", ".join(plain(image.name, 40) for image in view.dataset.images[:20]) if view.dataset else ""
    return f"The pictures of {plain(view.job.details['name'], 60)}: {names}"[:1024]


def _lines(view: JobView) -> Iterator[str]:
    job = view.job
    yield f"### {_title(job)}\n{_subtitle(view)}"
    if job.details.get("changed"):
        yield put_right(job.details["changed"])
    match job.status:
        case JobStatus.REVIEW:
            yield _review(view)
        case JobStatus.FAILED:
            yield f"❌ {plain(job.error_sentence or 'This job failed.', 1000)}"
            if view.events:
                yield stage_line(view)
        case JobStatus.UNCERTAIN:
            yield _doubt(view)
        case JobStatus.CANCELLED:
            yield f"⏹️ Cancelled. {plain(job.note) or 'Nothing more will happen here.'}"
        case JobStatus.CANCELLING:
            yield "⏹️ Stopping…"
        case JobStatus.DONE:
            yield _done(job)
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
            return (
                f"-# {person} · trigger word {plain(settings['trigger_word'])} · {settings['mode']} · "
                f"{settings['iterations']} iterations"
            )
        case JobKind.GENERATE:
            parts = [
                person,
                count(details["count"], "picture", "pictures"),
                *generation_facts(job),
                view.provider.title,
            ]
            return f"> {plain(details['prompt'], 300)}\n-# {' · '.join(parts)}"
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
        return "Looking at every picture. Nothing is spent before you press *Start*."
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


def _review(view: JobView) -> str:
    dataset = view.dataset
    pictures = count(len(dataset.images) if dataset else 0, "picture", "pictures")
    where = view.provider.title if view.trainer is None else trainer_title(view.provider, view.trainer)
    lines = [f"**{pictures}** ready for **{where}**", f"-# {' · '.join(_settings(view))}"]
    if view.trainer is not None:
        lines.append(quote(view.trainer, view.job.details["settings"]["iterations"]))
    if dataset and dataset.left_out:
        lines.append(f"\n**Left out: {count(len(dataset.left_out), 'file', 'files')}**")
        lines += [f"- {plain(name, 60)} {plain(reason, 120)}" for name, reason in dataset.left_out[:LEFT_OUT_LINES]]
        if len(dataset.left_out) > LEFT_OUT_LINES:
            lines.append(f"- … and {len(dataset.left_out) - LEFT_OUT_LINES} more")
    return "\n".join(lines)


def _settings(view: JobView) -> Iterator[str]:
    """What this trainer knows, and nothing that it does not."""
    settings, trainer = view.job.details["settings"], view.trainer
    if trainer is None:
        return
    if trainer.lora_ranks:
        yield f"{'LoRA' if settings['finetune_type'] == 'lora' else 'full finetune'}, rank {settings['lora_rank']}"
    if trainer.learning_rate is not None:
        rate = settings["learning_rate"]
        yield "automatic learning rate" if rate is None else f"learning rate {rate:g}"
    if trainer.describes_pictures:
        yield f"captions {'on' if settings['captioning'] else 'off'}"
    if trainer.priorities:
        yield f"{settings['priority'].replace('_', ' ')} first"
    yield title_of(trainer.base_model)


def _doubt(view: JobView) -> str:
    """Nothing happens until its person has decided."""
    job = view.job
    look = "look there for it and attach its id, or " if view.can_attach else ""
    return (
        f"❔ {plain(job.error_sentence or '', 1000)}\nNothing more is sent, and nothing more is charged, until you "
        f"decide: {look}submit it again, or give up."
    )


def _done(job: Job) -> str:
    took = f" in {duration(job.finished_ms - job.created_ms)}" if job.finished_ms else ""
    return f"✅ Done{took}."
