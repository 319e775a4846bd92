"""What a trainer makes of a dataset: its card's wishes, put to the appraisal of the pictures. Pure."""

import math
from dataclasses import dataclass

from bot.datasets.appraising.appraisal import Appraisal, Shot, Wishes, appraise
from bot.datasets.measuring.measures import Measures
from bot.providers.card import CaptionRule, Mode, ProviderCard, Range, TrainerCard
from bot.providers.registry import Providers
from storage.datasets import Dataset

AROUND_A_PICTURE = 512  # bytes in a zip beside the picture and its caption: two entries, and a trigger word put in


@dataclass(frozen=True, kw_only=True)
class CaptionOffer:
    """Who would describe how many pictures; `price_usd` None when the provider does not say what it takes."""

    provider: ProviderCard
    pictures: int
    price_usd: float | None


ANY_TRAINER = TrainerCard(
    id="any",
    title="A trainer",
    base_model="any",
    image_count=Range(lowest=1, highest=400, default=20),
    advised_images=(10, 40),
    advised_side=1024,
    iterations=Range(lowest=1, highest=1, default=1),
    learning_rate=None,
    lora_ranks=(),
    modes=(),
    priorities=(),
    finetune_types=(),
    captions=CaptionRule.OPTIONAL,
    trigger_in_captions=False,
    handover=(),  # no way, and so no bound
    price=None,
    usual_seconds=0,
    deadline_seconds=0,
    can_be_found=False,
)  # what is common to them, where none is switched on: a dataset can still be looked at


def wishes_of(trainer: TrainerCard, mode: Mode, *, has_object_storage: bool) -> Wishes:
    most_bytes = trainer.most_bytes(has_object_storage=has_object_storage)
    advised_least, advised_most = trainer.advised_images
    return Wishes(
        least=int(trainer.image_count.lowest),
        most=int(trainer.image_count.highest),
        most_bytes=math.inf if most_bytes is None else most_bytes,
        advised_least=advised_least,
        advised_most=advised_most,
        keeps_drawings=mode is Mode.STYLE,
    )


def appraisal_of(dataset: Dataset, trainer: TrainerCard, mode: Mode, *, has_object_storage: bool) -> Appraisal:
    """Of the pictures that are in."""
    shots = [
        Shot(
            number=image.number,
            width=image.original_width,
            height=image.original_height,
            size_bytes=image.size_bytes + len((image.caption or "").encode()) + AROUND_A_PICTURE,
            measures=Measures.from_json(image.measures),
            has_caption=image.caption is not None,
        )
        for image in dataset.chosen
    ]
    return appraise(shots, wishes_of(trainer, mode, has_object_storage=has_object_storage))


def caption_offer(dataset: Dataset, providers: Providers) -> CaptionOffer | None:
    """None when nothing is left to describe, or nobody here can."""
    waiting = sum(image.caption is None for image in dataset.chosen)
    captioners = providers.captioners()
    if not waiting or not captioners:
        return None
    provider, captioner = captioners[0]
    each = captioner.usd_per_caption
    return CaptionOffer(provider=provider, pictures=waiting, price_usd=None if each is None else each * waiting)
