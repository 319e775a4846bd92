"""What the local provider offers and accepts: its card, and the checks a strict remote service would make. Pure."""

from bot.errors import ProviderRefused
from bot.pictures.painting import SIZES
from bot.providers.contract import GenerationRequest, Mode, ProviderCard, Range, TrainingRequest

MOST_SEED = 2**32 - 1

CARD = ProviderCard(
    name="local",
    title="Local preview",
    notice="Offline preview: made on this machine by image quilting from your pictures. It is not FLUX.",
    base_models=("local-quilting",),
    image_count=Range(lowest=4, highest=400, default=12),
    iterations=Range(lowest=100, highest=1000, default=300),
    learning_rate=Range(lowest=1e-6, highest=5e-3, default=1e-4),
    strength=Range(lowest=0, highest=2, default=1.0),
    pictures_per_job=Range(lowest=1, highest=4, default=1),
    lora_ranks=(16, 32),
    modes=tuple(Mode),
    aspect_ratios=tuple(SIZES),
    prompt_characters=2000,
    concurrent_jobs=2,
    poll_seconds=0.5,
    training_deadline_seconds=900,
    generation_deadline_seconds=300,
    tasks_can_be_found=True,
)


def check_training(request: TrainingRequest) -> None:
    settings = request.settings
    _within(CARD.image_count, request.image_count, "The number of pictures")
    _within(CARD.iterations, settings.iterations, "The number of iterations")
    if settings.learning_rate is not None:
        _within(CARD.learning_rate, settings.learning_rate, "The learning rate")
    if settings.lora_rank not in CARD.lora_ranks:
        raise ProviderRefused(f"The LoRA rank must be one of {', '.join(map(str, CARD.lora_ranks))}.")
    if settings.mode not in CARD.modes:
        raise ProviderRefused("The mode is not one of those offered.")
    _text(settings.trigger_word, 100, "The trigger word")


def check_dataset(found: int, said: int) -> None:
    """After looking into the zip: the number of pictures that are really there."""
    _within(CARD.image_count, found, "The number of pictures in the dataset")
    if found != said:
        raise ProviderRefused(f"The dataset holds {found} pictures, not {said} as the request says.")


def check_generation(request: GenerationRequest) -> None:
    _text(request.prompt, CARD.prompt_characters, "The prompt")
    _within(CARD.strength, request.strength, "The strength")
    _within(CARD.pictures_per_job, request.count, "The number of pictures")
    _within(Range(lowest=0, highest=MOST_SEED, default=0), request.seed, "The seed")
    if request.aspect_ratio not in CARD.aspect_ratios:
        raise ProviderRefused(f"The aspect ratio must be one of {', '.join(CARD.aspect_ratios)}.")


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
