"""Lists and details that a person asks for: models, jobs, a job's timeline, help. Seen by that person only."""

from collections.abc import Mapping, Sequence

import discord

from bot.messages.buttons import Act, Card, button
from bot.messages.cards import finished_card
from bot.messages.job_buttons import retry_button
from bot.messages.outlooks import in_line
from bot.messages.view import JobView
from bot.messages.whereabouts import on_asking
from bot.messages.words import (
    COLOURS,
    KIND_WORDS,
    STAGE_WORDS,
    STATUS_WORDS,
    count,
    duration,
    moment,
    place_named,
    plain,
)
from bot.permissions import Asker
from bot.providers.base_models import title_of
from bot.providers.card import ProviderCard, TrainerCard
from storage.history import StageEvent
from storage.jobs import Job
from storage.models import Model
from storage.statuses import JobKind, JobStatus, StageOutcome
from storage.training_sets import TrainingSet

PER_PAGE = 8
TEXT_CHARACTERS = 3800  # of the 4000 that all texts of one card may hold together
NOBODY_WAITS: Mapping[str, int] = {}
BLURPLE = discord.Colour(0x5865F2)


def models_page(models: Sequence[Model], *, page: int, total: int, person_id: int) -> Card:
    if not total:
        return _card("### Your models\nNone yet. Hand over a zip of pictures with **/finetune** and train your first.")
    lines = [
        f"**{plain(model.name, 60)}** · {plain(model.trigger_word)} · {title_of(model.base_model)} · "
        f"{moment(model.created_ms)}"
        for model in models
    ]
    text = f"### Your models · {total:,}\n" + "\n".join(lines)
    return _card(text, *pager(Act.MODELS_PAGE, page=page, total=total, person_id=person_id))


def server_jobs_page(jobs: Sequence[Job], *, page: int, total: int, person_id: int) -> Card:
    """Everybody's jobs, for who may see them."""
    if not total:
        return _card("### Jobs of this server\nNone yet.")
    lines = [
        f"{_job_mark(job)} <@{job.place.person_id}> {_job_words(job)} · {STATUS_WORDS[job.status]} · "
        f"{moment(job.created_ms)}"
        for job in jobs
    ]
    text = f"### Jobs of this server · {total:,}\n" + "\n".join(lines)
    return _card(text, *pager(Act.SERVER_JOBS_PAGE, page=page, total=total, person_id=person_id))


def jobs_page(
    jobs: Sequence[Job], *, page: int, total: int, person_id: int, positions: Mapping[str, int] = NOBODY_WAITS
) -> Card:
    """`positions` in line of those that wait, by id."""
    if not total:
        return _card("### Your jobs\nNone yet. Start with **/finetune**, or **/generate** when you have a model.")
    lines = [
        f"{_job_mark(job)} {_job_words(job)} · "
        f"{in_line(positions[job.id]) if job.id in positions else STATUS_WORDS[job.status]} · {moment(job.created_ms)}"
        for job in jobs
    ]
    text = f"### Your jobs · {total:,}\n" + "\n".join(lines)
    return _card(text, *pager(Act.JOBS_PAGE, page=page, total=total, person_id=person_id))


def model_details(model: Model, learnt_from: TrainingSet | None, provider: ProviderCard) -> Card:
    lines = [
        f"### {plain(model.name, 60)}",
        f"Trigger word **{plain(model.trigger_word)}** · {title_of(model.base_model)}",
        _origin(model, learnt_from, provider),
    ]
    if model.published:
        lines.append(f"Published: <{model.published}>")
    if provider.notice:
        lines.append(f"-# {provider.notice}")
    return _card("\n".join(lines))


def _origin(model: Model, learnt_from: TrainingSet | None, provider: ProviderCard) -> str:
    settings, when = model.settings, moment(model.created_ms)
    if "source" in settings:
        return f"Imported {when} from {place_named(settings['source'], 200)}"
    parts = [f"Trained {when} at {provider.title}"]
    parts += [count(len(learnt_from.images), "picture", "pictures")] if learnt_from else []
    parts += [f"{settings['iterations']} iterations", str(settings["mode"])]
    parts += [f"learning rate {settings['learning_rate']:g}"] if settings["learning_rate"] is not None else []
    parts += [f"{settings['finetune_type']}, rank {settings['lora_rank']}"] if settings["lora_rank"] else []
    return " · ".join(parts)


def delete_question(model: Model, person_id: int) -> Card:
    return _card(
        f"Delete **{plain(model.name, 60)}** for good? Its weights are removed; pictures made with it stay.",
        button(
            Act.DELETE_MODEL,
            "Delete for good",
            subject=model.id,
            person_id=person_id,
            style=discord.ButtonStyle.danger,
        ),
        colour=COLOURS[JobStatus.FAILED],
    )


def timeline(view: JobView, asker: Asker) -> Card:
    """For whoever may see it; who operates the bot or its server reads the advice too."""
    job, for_operator = view.job, asker.operates or asker.manages_server is not None
    lines = [
        f"### {_job_mark(job)} {_job_words(job)}",
        f"{STATUS_WORDS[job.status].capitalize()} · asked for {moment(job.created_ms)}",
    ]
    end = [f"\n{where}"] if (where := on_asking(view.deliveries)) else []
    is_said = any(event.detail == job.error_sentence for event in view.events)
    end += (
        [f"\n**{job.error_category}** · {plain(job.error_sentence, 1000)}"]
        if job.error_sentence and not is_said
        else []
    )
    end.append(f"-# job {job.id}")
    events = [_event(event, for_operator) for event in view.events] or ["No stage has begun yet."]
    room = TEXT_CHARACTERS - sum(len(line) + 1 for line in lines + end)
    buttons = [button(Act.EXPORT, "Debug export", subject=job.id, person_id=asker.person_id)]
    if job.may_be_retried and asker.person_id == job.place.person_id:
        buttons.insert(0, retry_button(view))
    return _card("\n".join(lines + _latest_that_fit(events, room) + end), *buttons, colour=COLOURS[job.status])


def _latest_that_fit(lines: Sequence[str], room: int) -> list[str]:
    """The last lines, and a mark where earlier ones had to go."""
    kept: list[str] = []
    for line in reversed(lines):
        room -= len(line) + 1
        if room < len("…\n"):
            return ["…", *reversed(kept)]
        kept.append(line)
    return kept[::-1]


def help_card(providers: Sequence[ProviderCard], trainer: TrainerCard | None) -> Card:
    """`trainer` is the one that /finetune begins with; None when nothing here trains."""
    lines = ["### Train a model on your own pictures"] if trainer else ["### Make pictures"]
    if trainer is not None:
        low, high = trainer.image_count.lowest, trainer.image_count.highest
        lines += [
            f"1. **/finetune** with a zip of {low:g} to {high:g} pictures; without a zip it asks for up to 10 files.",
            "2. Look at the report card, mend what it marks, press **Start**, and watch it train.",
            "3. **/generate**: choose your model, write a prompt with its trigger word, get pictures.",
        ]
    else:
        lines += [f"-# {card.no_training}" for card in providers if card.no_training]
        lines += ["**/generate**: write a prompt, get pictures. **/models import** brings a LoRA that exists."]
    lines += [
        "### And then",
        "**/dataset** add, list, show, edit, delete: collect pictures over days, from messages of yours too",
        "**/models** list, show, rename, import, publish, delete · **/jobs** mine, show, retry, cancel",
        "**/providers** says who trains and generates here, and what it costs",
    ]
    lines += [f"-# {card.notice}" for card in providers if card.notice]
    return _card("\n".join(lines))


def offers(paragraphs: Sequence[str]) -> Card:
    """As many whole paragraphs as one card holds."""
    kept: list[str] = []
    for paragraph in paragraphs:
        if sum(map(len, kept)) + len(kept) + len(paragraph) > TEXT_CHARACTERS:
            kept.append("…")
            break
        kept.append(paragraph)
    return _card("\n".join(kept))


def sentence(text: str) -> Card:
    return _card(text)


def _card(text: str, *buttons: discord.ui.Button[Card], colour: discord.Colour = BLURPLE) -> Card:
    container: discord.ui.Container[Card] = discord.ui.Container(discord.ui.TextDisplay(text), accent_colour=colour)
    if buttons:
        container.add_item(discord.ui.ActionRow(*buttons))
    return finished_card(container)


def pager(act: Act, *, page: int, total: int, person_id: int) -> list[discord.ui.Button[Card]]:
    last = (total - 1) // PER_PAGE
    if last <= 0:
        return []
    return [
        button(act, "Newer", subject=max(page - 1, 0), person_id=person_id, disabled=page <= 0),
        button(act, "Older", subject=page + 1, person_id=person_id, disabled=page >= last),
    ]


def _job_mark(job: Job) -> str:
    return {
        JobStatus.DONE: "✅",
        JobStatus.FAILED: "❌",
        JobStatus.CANCELLED: "⏹️",
        JobStatus.REVIEW: "🟡",
        JobStatus.UNCERTAIN: "❔",
    }.get(job.status, "▶️")


def _job_words(job: Job) -> str:
    name = plain(job.details["name"], 60)
    if job.kind is JobKind.GENERATE:
        return f"{count(job.details['count'], 'picture', 'pictures')} with **{name}**"
    return f"{KIND_WORDS[job.kind]} **{name}**"


def _event(event: StageEvent, for_operator: bool) -> str:
    word = STAGE_WORDS[event.stage]
    attempt = f" (attempt {event.attempt})" if event.attempt > 1 else ""
    if event.ended_ms is None or event.outcome is None:
        return f"▶️ **{word}**{attempt} · since {moment(event.started_ms)}"
    took = duration(event.ended_ms - event.started_ms)
    why = f" · {event.error_category}: {plain(event.detail, 200)}" if event.error_category else ""
    outcome = "" if event.outcome is StageOutcome.DONE else f" · {event.outcome}"
    advice = f"\n-# ↳ {plain(event.advice, 300)}" if for_operator and event.advice else ""
    return f"{moment(event.started_ms, 'T')} **{word}**{attempt} · {took}{outcome}{why}{advice}"
