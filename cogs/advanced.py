"""The Advanced dialog of a training under review: it asks what this trainer knows, and nothing else."""

from typing import Any

import discord

from bot.client import Atelier
from bot.providers.card import FinetuneType, Priority, Range, TrainerCard
from bot.providers.tasks import TrainingSettings
from bot.workflows.requests import AdvancedChoices
from cogs.answers import Dialog

KIND_WORDS = {FinetuneType.LORA: "LoRA", FinetuneType.FULL: "Full finetune"}
PRIORITY_WORDS = {
    Priority.SPEED: "Speed",
    Priority.QUALITY: "Quality",
    Priority.HIGH_RES_ONLY: "High resolution only",
}


class AdvancedDialog(Dialog, title="Advanced options"):
    def __init__(self, bot: Atelier, job_id: str, settings: TrainingSettings, trainer: TrainerCard) -> None:
        super().__init__(bot)
        self._job_id = job_id
        self._iterations = _iterations(settings, trainer)
        self._rate = _learning_rate(settings, trainer)
        self._captioning = _captioning(settings, trainer)
        self._priority = _priority(settings, trainer)
        self._kind = _kind_and_rank(settings, trainer)
        for text, description, field in (
            ("Iterations", _span(trainer.iterations, "more takes longer and learns closer"), self._iterations),
            ("Learning rate", _rate_words(trainer), self._rate),
            ("Captioning", "Let the trainer describe pictures that have no caption", self._captioning),
            ("Priority", None, self._priority),
            ("Type", None, self._kind),
        ):
            if field is not None:
                self.add_item(discord.ui.Label(text=text, description=description, component=field))

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer()
        choices = AdvancedChoices(
            iterations=self._iterations.value,
            learning_rate=self._rate.value if self._rate else "",
            captioning=self._captioning.value if self._captioning else None,
            priority=self._priority.values[0] if self._priority else "",
            finetune_type_and_rank=self._kind.values[0] if self._kind else "",
        )
        await interaction.client.workflows.review.change(self._job_id, interaction.user.id, choices)


def _iterations(settings: TrainingSettings, trainer: TrainerCard) -> discord.ui.TextInput[Any]:
    longest = len(f"{trainer.iterations.highest:.0f}")
    return discord.ui.TextInput(
        default=str(settings.iterations), required=False, max_length=longest, custom_id="iterations"
    )


def _learning_rate(settings: TrainingSettings, trainer: TrainerCard) -> discord.ui.TextInput[Any] | None:
    if trainer.learning_rate is None:
        return None
    rate = settings.learning_rate
    return discord.ui.TextInput(
        default=None if rate is None else f"{rate:g}",
        required=False,
        max_length=12,
        placeholder="automatic",
        custom_id="learning_rate",
    )


def _captioning(settings: TrainingSettings, trainer: TrainerCard) -> discord.ui.Checkbox[Any] | None:
    if not trainer.describes_pictures:
        return None
    return discord.ui.Checkbox(default=settings.captioning, custom_id="captioning")


def _priority(settings: TrainingSettings, trainer: TrainerCard) -> discord.ui.Select[Any] | None:
    if len(trainer.priorities) < 2:
        return None
    options = [
        discord.SelectOption(label=PRIORITY_WORDS[word], value=word, default=word is settings.priority)
        for word in sorted(trainer.priorities)
    ]
    return discord.ui.Select(options=options, custom_id="priority")


def _kind_and_rank(settings: TrainingSettings, trainer: TrainerCard) -> discord.ui.Select[Any] | None:
    kinds = trainer.finetune_types or (FinetuneType.LORA,)
    if len(kinds) * len(trainer.lora_ranks) < 2:
        return None
    chosen = (settings.finetune_type, settings.lora_rank)
    options = [
        discord.SelectOption(
            label=f"{KIND_WORDS[kind]}, rank {rank}", value=f"{kind}-{rank}", default=(kind, rank) == chosen
        )
        for kind in kinds
        for rank in sorted(trainer.lora_ranks)
    ]
    return discord.ui.Select(options=options, custom_id="finetune_type")


def _span(allowed: Range, meaning: str) -> str:
    return f"{_number(allowed.lowest)} to {_number(allowed.highest)}; {meaning}"


def _number(value: float) -> str:
    """0.000001 rather than 1e-06."""
    return f"{value:.7f}".rstrip("0").rstrip(".")


def _rate_words(trainer: TrainerCard) -> str:
    return "" if trainer.learning_rate is None else _span(trainer.learning_rate, "empty for automatic")
