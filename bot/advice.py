"""What a trainer makes of a dataset: its card's wishes, put to the appraisal of the pictures. Pure."""

from bot.datasets.appraisal import Appraisal, Shot, Wishes, appraise
from bot.datasets.measures import Measures
from bot.providers.card import Mode, TrainerCard
from storage.datasets import Dataset


def wishes_of(trainer: TrainerCard, mode: Mode) -> Wishes:
    advised_least, advised_most = trainer.advised_images
    return Wishes(
        least=int(trainer.image_count.lowest),
        most=int(trainer.image_count.highest),
        advised_least=advised_least,
        advised_most=advised_most,
        keeps_drawings=mode is Mode.STYLE,
    )


def appraisal_of(dataset: Dataset, trainer: TrainerCard, mode: Mode) -> Appraisal:
    """Of the pictures that are in."""
    shots = [
        Shot(
            number=image.number,
            width=image.original_width,
            height=image.original_height,
            measures=Measures.from_json(image.measures),
            has_caption=image.caption is not None,
        )
        for image in dataset.chosen
    ]
    return appraise(shots, wishes_of(trainer, mode))
