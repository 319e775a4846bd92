"""What the local provider offers and accepts: its card, and the checks a strict remote service would make. Pure."""

from bot.errors import ProviderRefused
from bot.pictures.painting import SIZES
from bot.providers.card import (
    CaptionerCard,
    CaptionRule,
    FinetuneType,
    GeneratorCard,
    Handover,
    Mode,
    ModelBy,
    Price,
    Priority,
    ProviderCard,
    Range,
    TrainerCard,
)
from bot.providers.checks import check_range

BASE_MODEL = "local-quilting"
TRAINER = TrainerCard(
    id="preview",
    title="Local preview",
    base_model=BASE_MODEL,
    image_count=Range(lowest=4, highest=400, default=12),
    advised_images=(10, 40),  # it needs fewer, but what is tried here goes to the others afterwards
    advised_side=768,  # what it keeps of each picture
    iterations=Range(lowest=100, highest=1000, default=300),
    learning_rate=Range(lowest=1e-6, highest=5e-3, default=1e-4),
    lora_ranks=(32, 16),
    modes=tuple(Mode),
    priorities=(Priority.QUALITY, Priority.SPEED),
    finetune_types=(FinetuneType.LORA, FinetuneType.FULL),
    captions=CaptionRule.DESCRIBED,
    trigger_in_captions=False,
    handover=((Handover.FILE, 2**33),),
    price=Price(),
    usual_seconds=10,
    deadline_seconds=900,
    can_be_found=True,
)
GENERATOR = GeneratorCard(
    id="preview",
    title="Local preview",
    base_models=(BASE_MODEL,),
    needs_model=True,
    strength=Range(lowest=0, highest=2, default=1.0),
    aspect_ratios=tuple(SIZES),
    pictures=Range(lowest=1, highest=4, default=1),
    prompt_characters=2000,
    has_seed=True,
    reference_images=0,
    usd_per_picture=0.0,
    deadline_seconds=300,
    can_be_found=True,
    model_by=(ModelBy.FILE,),
)
CARD = ProviderCard(
    name="local",
    title="Local preview",
    notice="Offline preview: made on this machine by image quilting from your pictures. It is not FLUX.",
    trainers=(TRAINER,),
    generators=(GENERATOR,),
    concurrent_jobs=4,
    submissions_per_minute=None,
    training_poll_seconds=0.5,
    generation_poll_seconds=0.5,
    captioner=CaptionerCard(title="Offline preview", usd_per_caption=0.0),
)


def check_dataset(found: int, said: int) -> None:
    """After looking into the zip: the number of pictures that are really there."""
    check_range(TRAINER.image_count, found, "The number of pictures in the dataset")
    if found != said:
        raise ProviderRefused(f"The dataset holds {found} pictures, not {said} as the request says.")
