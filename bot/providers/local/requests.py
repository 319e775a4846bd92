"""What the local provider offers and accepts: its card, and the checks a strict remote service would make. Pure."""

from bot.errors import ProviderRefused
from bot.pictures.painting import SIZES
from bot.providers.card import (
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
from bot.providers.tasks import GenerationRequest, TrainingRequest

MOST_SEED = 2**32 - 1

BASE_MODEL = "local-quilting"
TRAINER = TrainerCard(
    id="preview",
    title="Local preview",
    base_model=BASE_MODEL,
    image_count=Range(lowest=4, highest=400, default=12),
    iterations=Range(lowest=100, highest=1000, default=300),
    learning_rate=Range(lowest=1e-6, highest=5e-3, default=1e-4),
    lora_ranks=(32, 16),
    modes=tuple(Mode),
    priorities=(Priority.QUALITY, Priority.SPEED),
    finetune_types=(FinetuneType.LORA, FinetuneType.FULL),
    captioning=True,
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
)


def check_training(request: TrainingRequest) -> None:
    if request.trainer != TRAINER.id:
        raise ProviderRefused(f"There is no trainer {request.trainer[:50]} here.")
    settings = request.settings
    _within(TRAINER.image_count, request.image_count, "The number of pictures")
    _within(TRAINER.iterations, settings.iterations, "The number of iterations")
    if settings.learning_rate is not None and TRAINER.learning_rate is not None:
        _within(TRAINER.learning_rate, settings.learning_rate, "The learning rate")
    if settings.lora_rank not in TRAINER.lora_ranks:
        raise ProviderRefused(f"The LoRA rank must be one of {', '.join(map(str, TRAINER.lora_ranks))}.")
    if settings.mode not in TRAINER.modes:
        raise ProviderRefused("The mode is not one of those offered.")
    _text(settings.trigger_word, 100, "The trigger word")


def check_dataset(found: int, said: int) -> None:
    """After looking into the zip: the number of pictures that are really there."""
    _within(TRAINER.image_count, found, "The number of pictures in the dataset")
    if found != said:
        raise ProviderRefused(f"The dataset holds {found} pictures, not {said} as the request says.")


def check_generation(request: GenerationRequest) -> None:
    if request.generator != GENERATOR.id:
        raise ProviderRefused(f"There is no generator {request.generator[:50]} here.")
    if request.model is None or request.model.base_model != BASE_MODEL:
        raise ProviderRefused("The local preview makes pictures only with a model that it trained itself.")
    if request.images:
        raise ProviderRefused("The local preview takes no reference pictures.")
    _text(request.prompt, GENERATOR.prompt_characters, "The prompt")
    if GENERATOR.strength is not None:
        _within(GENERATOR.strength, request.strength, "The strength")
    _within(GENERATOR.pictures, request.count, "The number of pictures")
    _within(Range(lowest=0, highest=MOST_SEED, default=0), request.seed, "The seed")
    if request.aspect_ratio not in GENERATOR.aspect_ratios:
        raise ProviderRefused(f"The aspect ratio must be one of {', '.join(GENERATOR.aspect_ratios)}.")


def _within(allowed: Range, value: float, what: str) -> None:
    if not allowed.holds(value):
        raise ProviderRefused(f"{what} must be from {allowed.lowest:g} to {allowed.highest:g}.")


def _text(value: str, longest: int, what: str) -> None:
    if not value.strip():
        raise ProviderRefused(f"{what} must not be empty.")
    if len(value) > longest:
        raise ProviderRefused(f"{what} must have at most {longest} characters.")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ProviderRefused(f"{what} holds characters that are no text.")
