"""The report card of a dataset: a light, one sentence of advice, what was found where. Its sheet: `sheet_pages`."""

from collections.abc import Iterator, Sequence

import discord

from bot.datasets.appraising.appraisal import Appraisal, Flaw, Light, Remark
from bot.messages.buttons import Act, Card, button
from bot.messages.view import DatasetView
from bot.messages.words import count, plain
from bot.providers.card import CaptionRule

LIGHTS = {Light.GREEN: "🟢", Light.YELLOW: "🟡", Light.RED: "🔴"}
LIGHT_COLOURS = {
    Light.GREEN: discord.Colour(0x23A55A),
    Light.YELLOW: discord.Colour(0xF0B232),
    Light.RED: discord.Colour(0xDA373C),
}
FLAW_WORDS = {  # the gravest first
    Flaw.SURPLUS: "more than the trainer takes",
    Flaw.FLAT: "hardly any contrast",
    Flaw.BLURRED: "blurry",
    Flaw.DARK: "too dark",
    Flaw.BRIGHT: "too bright",
    Flaw.NARROW: "very long and narrow",
    Flaw.SCREEN: "a screenshot or text",
    Flaw.TWIN: "nearly the same as another",
    Flaw.SMALL: "too small",
    Flaw.BORDERED: "bars around it",
}
NUMBERS_TOLD = 12


def report(view: DatasetView) -> str:
    """The light with its sentence, then a line for each sort of flaw."""
    pictures = count(len(view.dataset.chosen), "picture", "pictures")
    lines = [f"{LIGHTS[view.appraisal.light]} **{pictures}** · {advice(view)}"]
    lines += [f"- {words}: {numbered(numbers)}" for words, numbers in _by_flaw(view.appraisal)]
    return "\n".join(lines)


def advice(view: DatasetView) -> str:
    """The one thing most worth doing."""
    appraisal, trainer = view.appraisal, view.trainer
    least, most = trainer.advised_images
    fitting = len(view.dataset.chosen) - len(appraisal.left_aside)
    sentences = {
        Remark.TOO_FEW: f"add {count(appraisal.missing, 'more picture', 'more pictures')}: "
        f"{trainer.title} takes {trainer.image_count.lowest:g} at least.",
        Remark.TOO_FEW_GOOD: f"add {count(appraisal.missing_good, 'good picture', 'good pictures')}: "
        f"without the marked ones {trainer.title} has too few.",
        Remark.TOO_LARGE: f"too large together: {fitting} of them fit in what {trainer.title} takes here, "
        + (f"and it needs {trainer.image_count.lowest:g}." if appraisal.missing else "the others are left aside."),
        Remark.MANY_FLAWED: "many of these would teach the model mistakes: leave out the marked ones, add better ones.",
        Remark.TOO_MANY: f"{trainer.title} takes {trainer.image_count.highest:g} at most: the others are left aside.",
        Remark.ALIKE: "they look much alike: add other angles, light and backgrounds.",
        Remark.FEW: f"this can work; {least} or more usually work better.",
        Remark.LOW_RESOLUTION: f"most are below {trainer.advised_side} pixels: larger ones train sharper.",
        Remark.PARTLY_CAPTIONED: "some have captions and some have none: write them for all, or for none.",
        Remark.MANY: f"{most} good ones are enough here, and more may only take longer.",
    }
    urgent = (Remark.TOO_FEW, Remark.TOO_FEW_GOOD, Remark.TOO_LARGE, Remark.MANY_FLAWED, Remark.TOO_MANY)
    found = [remark for remark in sentences if remark in appraisal.remarks]
    if found and found[0] in urgent:
        return sentences[found[0]]
    if appraisal.flagged:
        return f"better without {numbered(appraisal.flagged)}."
    if found:
        return sentences[found[0]]
    if appraisal.findings:
        return "good to train; look once at the marked ones."
    return "sharp, varied and enough of them."


def captions_line(view: DatasetView, *, trigger_word: str = "", describes: bool = True) -> str:
    """What becomes of pictures that have no caption, by the trainer's own rule; empty when there is nothing to say.

    `describes` is whether the trainer was told to describe them, where it can.
    """
    chosen = view.dataset.chosen
    without = sum(image.caption is None for image in chosen)
    word = f"“{plain(trigger_word)}”" if trigger_word else "the trigger word"
    if not chosen:
        return ""
    if not without:
        return "Every picture has a caption."
    others = {
        CaptionRule.OPTIONAL: "that is fine here",
        CaptionRule.DESCRIBED: "the trainer describes those itself" if describes else "they are learnt without",
        CaptionRule.DEFAULTED: f"those learn as {word} alone",
    }[view.trainer.captions]
    pictures = "No picture has" if without == len(chosen) else f"{count(without, 'picture has', 'pictures have')} no"
    return f"{pictures}{' a' if without == len(chosen) else ''} caption: {others}."


def numbered(numbers: Sequence[int]) -> str:
    told = ", ".join(str(number) for number in sorted(numbers)[:NUMBERS_TOLD])
    more = len(numbers) - NUMBERS_TOLD
    return f"{told} and {more} more" if more > 0 else told


def studio_buttons(view: DatasetView) -> Iterator[discord.ui.Button[Card]]:
    """What can be done about the pictures, here as on a training's card."""
    subject, person_id, primary = view.subject, view.dataset.place.person_id, discord.ButtonStyle.primary
    if view.appraisal.flagged:
        label = f"Leave out flagged ({len(view.appraisal.flagged)})"
        yield button(Act.LEAVE_OUT_FLAGGED, label, subject=subject, person_id=person_id, style=primary)
    needed = discord.ButtonStyle.primary if Remark.TOO_FEW in view.appraisal.remarks else discord.ButtonStyle.secondary
    if view.dataset.chosen:
        yield button(Act.CAPTIONS, "Edit captions", subject=subject, person_id=person_id)
    yield button(Act.ADD_MORE, "Add more", subject=subject, person_id=person_id, style=needed)
    yield button(Act.EDIT_DATASET, "Edit", subject=subject, person_id=person_id)
    if view.dataset.last_act is not None and view.dataset.steps > 1:  # the first one is how it came to be
        step = f"{subject}-{view.dataset.last_step}"
        yield button(Act.UNDO, "Undo", subject=step, person_id=person_id)


def start_button(view: DatasetView, act: Act, label: str) -> discord.ui.Button[Card] | None:
    """None while the trainer would refuse, and where there is none."""
    if view.appraisal.missing or view.provider is None:
        return None
    is_good = view.appraisal.light is Light.GREEN
    return button(
        act,
        label if is_good else "Train anyway",
        subject=view.subject,
        person_id=view.dataset.place.person_id,
        style=discord.ButtonStyle.success if is_good else discord.ButtonStyle.secondary,
    )


def _by_flaw(appraisal: Appraisal) -> Iterator[tuple[str, list[int]]]:
    """Each picture under its gravest flaw; twins name each other."""
    for flaw, words in FLAW_WORDS.items():
        numbers = [number for number, findings in appraisal.findings.items() if findings[0].flaw is flaw]
        if numbers:
            yield words, numbers
