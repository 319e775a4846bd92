"""The dialogs that ask for a training: with files, or for a dataset that is there already."""

from collections.abc import Iterable
from typing import Any, Self

import discord

from bot.client import Atelier
from bot.datasets.captions.trigger_words import rarer
from bot.messages.offers import trainer_choice
from bot.providers.card import Mode
from bot.providers.registry import choice_of
from bot.workflows.requests import DEFAULT_TRIGGER_WORD, LOOSE_UPLOADS, FinetuneRequest
from cogs.answers import CHOICES, Dialog, Interaction, place_of, take_in, upload_of, weight_of
from storage.datasets import Dataset
from storage.models import free_model_name

MODES = {
    Mode.CHARACTER: "a person, pet or figure",
    Mode.STYLE: "a way of drawing or painting",
    Mode.PRODUCT: "an object",
    Mode.GENERAL: "anything else",
}


class FinetuneDialog(Dialog, title="Train a model"):
    """What /finetune asks when it was given no file."""

    def __init__(self, bot: Atelier, *, name: str | None, trigger_word: str | None, mode: str, trainer: str) -> None:
        super().__init__(bot)
        self._bot = bot
        self._trainer = trainer
        self._name, self._word, self._mode = _name(name), _word(trigger_word), _mode(mode)
        self._files: discord.ui.FileUpload[Any] = discord.ui.FileUpload(
            min_values=1, max_values=LOOSE_UPLOADS, custom_id="files"
        )
        for text, description, field in (
            *_subject_fields(self._name, self._word, self._mode),
            ("Pictures", f"Up to {LOOSE_UPLOADS} files: pictures, or a zip of them", self._files),
        ):
            self.add_item(discord.ui.Label(text=text, description=description, component=field))

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        request = FinetuneRequest(
            name=self._name.value,
            trigger_word=self._word.value,
            mode=self._mode.values[0],
            uploads=tuple(map(upload_of, self._files.values)),
            trainer=self._trainer,
        )
        await request_finetune(self._bot, interaction, request)


class TrainDialog(Dialog, title="Train on this dataset"):
    """Nothing is spent yet: a review card follows."""

    def __init__(self, bot: Atelier, dataset: Dataset, *, name: str) -> None:
        super().__init__(bot)
        self._bot = bot
        self._dataset_id = dataset.id
        self._name, self._word, self._mode = (
            _name(name),
            _word(rarer(dataset.name.lower())),
            _mode(Mode.GENERAL),
        )
        self._trainer = _trainer(bot)
        for text, description, field in (
            *_subject_fields(self._name, self._word, self._mode),
            ("Trainer", "Who trains it. The card that follows shows the pictures in this channel", self._trainer),
        ):
            self.add_item(discord.ui.Label(text=text, description=description, component=field))

    @classmethod
    async def ask(cls, interaction: Interaction, dataset: Dataset) -> Self:
        """With a name that is free."""
        async with interaction.client.resources.database.reading() as connection:
            name = await free_model_name(connection, interaction.user.id, dataset.name)
        return cls(interaction.client, dataset, name=name)

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        request = FinetuneRequest(
            name=self._name.value,
            trigger_word=self._word.value,
            mode=self._mode.values[0],
            uploads=(),
            trainer=self._trainer.values[0],
            dataset=self._dataset_id,
        )
        await request_finetune(self._bot, interaction, request)


async def request_finetune(bot: Atelier, interaction: Interaction, request: FinetuneRequest) -> None:
    job_id, place, weight = str(interaction.id), place_of(interaction), weight_of(interaction)
    await take_in(interaction, lambda: bot.workflows.finetune.request(job_id, place, request, weight=weight))


def _subject_fields(*fields: discord.ui.Item[Any]) -> Iterable[tuple[str, str | None, discord.ui.Item[Any]]]:
    name, word, mode = fields
    return (
        ("Name", "What to call the model", name),
        ("Trigger word", "A rare word that will call your subject in a prompt", word),
        ("What do the pictures show?", None, mode),
    )


def _name(default: str | None) -> discord.ui.TextInput[Any]:
    return discord.ui.TextInput(default=default, max_length=50, placeholder="Luna the cat", custom_id="name")


def _word(default: str | None) -> discord.ui.TextInput[Any]:
    return discord.ui.TextInput(
        default=default, required=False, max_length=30, placeholder=DEFAULT_TRIGGER_WORD, custom_id="trigger_word"
    )


def _mode(default: str) -> discord.ui.Select[Any]:
    options = [
        discord.SelectOption(label=item.capitalize(), description=words, value=item, default=item == default)
        for item, words in MODES.items()
    ]
    return discord.ui.Select(options=options, custom_id="mode")


def _trainer(bot: Atelier) -> discord.ui.Select[Any]:
    """The first is chosen; raises `BadInput` when nothing here trains."""
    providers = bot.resources.providers
    first = choice_of(*providers.trainer_meant(""))
    options = [
        discord.SelectOption(label=trainer_choice(*offer), value=choice_of(*offer), default=choice_of(*offer) == first)
        for offer in providers.trainers()[:CHOICES]
    ]
    return discord.ui.Select(options=options, custom_id="trainer")
