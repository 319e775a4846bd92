"""A finetune under review: the report card of its dataset, the quote, and what can be done before anything is spent."""

from collections.abc import Iterator

import discord

from bot.datasets.captions.trigger_words import Verdict, judge, rarer
from bot.messages.buttons import Act, Card, button
from bot.messages.left_out import left_out_in_short
from bot.messages.offers import quote, trainer_title
from bot.messages.report_cards import captions_line, report, start_button, studio_buttons
from bot.messages.sheet_pages import hides_some
from bot.messages.view import DatasetView, JobView
from bot.messages.words import count, plain
from bot.providers.base_models import title_of

SUCCESS = discord.ButtonStyle.success


def review_report(view: JobView) -> str:
    """Above the sheet."""
    if view.trainer is None:
        return "❌ That trainer is not offered here any more. Cancel this, and train your dataset with another."
    if view.frozen is not None:
        return f"**{count(len(view.frozen.images), 'picture', 'pictures')}** ready, as they were when you started it."
    if view.dataset is None:
        return "❌ The dataset of this training was deleted. Cancel it, and start again with **/finetune**."
    return report(view.dataset)


def review_quote(view: JobView) -> str:
    """Below the sheet: words, captions, how much was left out; who trains what, for how much, how long."""
    lines = [line for line in (_word(view), _captions(view)) if line]
    if view.dataset is not None:
        lines += left_out_in_short(view.dataset.dataset.left_out)
    where = view.provider.title if view.trainer is None else trainer_title(view.provider, view.trainer)
    lines.append(f"**{where}**\n-# {' · '.join(_settings(view))}")
    if view.trainer is not None:
        lines.append(quote(view.trainer, view.job.details["settings"]["iterations"], view.usual))
    return "\n".join(lines)


def review_rows(view: JobView) -> Iterator[list[discord.ui.Button[Card]]]:
    """What can be done about the pictures, then the decision."""
    job, person_id = view.job, view.job.place.person_id
    if view.dataset is not None:
        yield list(studio_buttons(view.dataset))
        yield list(_all_of_it(view.dataset))
    decide: list[discord.ui.Button[Card]] = []
    if view.trainer is not None:
        decide.append(button(Act.ADVANCED, "Advanced", subject=job.id, person_id=person_id))
        decide.append(button(Act.WORD, "Change trigger word", subject=job.id, person_id=person_id))
    if view.frozen is not None and view.trainer is not None:
        decide.insert(0, button(Act.START, "Start", subject=job.id, person_id=person_id, style=SUCCESS))
    elif view.dataset is not None and (start := start_button(view.dataset, Act.START, "Start")):
        decide.insert(0, start)
    decide.append(button(Act.CANCEL, "Cancel", subject=job.id, person_id=person_id, style=discord.ButtonStyle.danger))
    yield decide


def _all_of_it(view: DatasetView) -> Iterator[discord.ui.Button[Card]]:
    """What the channel is not shown, for its person alone."""
    person_id = view.dataset.place.person_id
    if hides_some(view):
        yield button(Act.OPEN_DATASET, "All pictures", subject=view.subject, person_id=person_id)
    if view.dataset.left_out:
        yield button(Act.LEFT_OUT, "All files left out", subject=view.subject, person_id=person_id)


def _word(view: JobView) -> str:
    """Empty for a word that means nothing yet."""
    word = view.job.details["settings"]["trigger_word"]
    why = {Verdict.PLAIN: "a plain word", Verdict.NAME: "a known name", Verdict.RARE: ""}[judge(word)]
    if not why:
        return ""
    return f"⚠️ **{plain(word)}** is {why}, and already means something: **{plain(rarer(word))}** would be yours alone."


def _captions(view: JobView) -> str:
    if view.dataset is None:
        return ""
    settings = view.job.details["settings"]
    return captions_line(view.dataset, trigger_word=settings["trigger_word"], describes=settings["captioning"])


def _settings(view: JobView) -> Iterator[str]:
    """What this trainer knows, and nothing that it does not."""
    settings, trainer = view.job.details["settings"], view.trainer
    if trainer is None:
        return
    yield title_of(trainer.base_model)
    yield f"{settings['iterations']:,} iterations"
    if trainer.lora_ranks:
        yield f"{'LoRA' if settings['finetune_type'] == 'lora' else 'full finetune'}, rank {settings['lora_rank']}"
    if trainer.learning_rate is not None:
        rate = settings["learning_rate"]
        yield "automatic learning rate" if rate is None else f"learning rate {rate:g}"
    if trainer.describes_pictures:
        yield f"captions {'on' if settings['captioning'] else 'off'}"
    if trainer.priorities:
        yield f"{settings['priority'].replace('_', ' ')} first"
