"""Holds a request against the card it was made from, before anything is sent: the same for every provider. Pure."""

from bot.errors import ProviderGone, ProviderRefused
from bot.providers.card import GeneratorCard, ProviderCard, Range, TrainerCard
from bot.providers.tasks import GenerationRequest, ModelInUse, TrainingRequest

SEEDS = Range(lowest=0, highest=2**32 - 1, default=0)
LONGEST_TRIGGER_WORD = 100


def check_training(card: ProviderCard, request: TrainingRequest) -> TrainerCard:
    """The trainer that is meant. Raises `ProviderRefused`."""
    trainer = card.trainer(request.trainer)
    if trainer is None:
        raise ProviderRefused(
            card.no_training if not card.trainers else f"{card.title} has no such trainer: choose another."
        )
    if trainer.retired:
        raise ProviderGone(trainer.retired)
    settings = request.settings
    check_range(trainer.image_count, request.image_count, "The number of pictures")
    check_range(trainer.iterations, settings.iterations, "The number of iterations")
    if settings.learning_rate is not None and trainer.learning_rate is not None:
        check_range(trainer.learning_rate, settings.learning_rate, "The learning rate")
    if trainer.lora_ranks and settings.lora_rank not in trainer.lora_ranks:
        raise ProviderRefused(f"The LoRA rank must be one of {', '.join(map(str, sorted(trainer.lora_ranks)))}.")
    if trainer.modes and settings.mode not in trainer.modes:
        raise ProviderRefused(f"The mode must be one of {', '.join(trainer.modes)}.")
    check_text(settings.trigger_word, LONGEST_TRIGGER_WORD, "The trigger word")
    return trainer


def check_generation(card: ProviderCard, request: GenerationRequest) -> GeneratorCard:
    """The generator that is meant. Raises `ProviderRefused`, or `ProviderGone` for a retired one."""
    generator = card.generator(request.generator)
    if generator is None:
        raise ProviderRefused(f"{card.title} has no such generator: choose another.")
    if generator.retired:
        raise ProviderGone(generator.retired)
    check_text(request.prompt, generator.prompt_characters, "The prompt")
    check_range(generator.pictures, request.count, "The number of pictures in one request")
    check_range(SEEDS, request.seed, "The seed")
    if request.aspect_ratio not in generator.aspect_ratios:
        raise ProviderRefused(f"The aspect ratio must be one of {', '.join(generator.aspect_ratios)}.")
    if request.images and not generator.reference_images:
        raise ProviderRefused(f"{generator.title} takes no reference pictures.")
    if len(request.images) > generator.reference_images:
        raise ProviderRefused(f"{generator.title} takes at most {generator.reference_images} reference pictures.")
    _check_model(generator, request.model)
    if request.model is not None and generator.strength is not None:
        check_range(generator.strength, request.strength, "The strength")
    return generator


def _check_model(generator: GeneratorCard, model: ModelInUse | None) -> None:
    if model is None and generator.needs_model:
        raise ProviderRefused(f"{generator.title} needs a model: choose one.")
    if model is None:
        return
    if not generator.base_models:
        raise ProviderRefused(f"{generator.title} takes no model: leave it out, or choose another generator.")
    if model.base_model not in generator.base_models:
        raise ProviderRefused(f"{generator.title} cannot use this model: it was made for another base model.")


def check_range(allowed: Range, value: float, what: str) -> None:
    """Raises `ProviderRefused`."""
    if not allowed.holds(value):
        raise ProviderRefused(f"{what} must be from {allowed.lowest:g} to {allowed.highest:g}.")


def check_text(value: str, longest: int, what: str) -> None:
    """Raises `ProviderRefused`."""
    if not value.strip():
        raise ProviderRefused(f"{what} must not be empty.")
    if len(value) > longest:
        raise ProviderRefused(f"{what} must have at most {longest} characters.")
    if any("\ud800" <= sign <= "\udfff" for sign in value):
        raise ProviderRefused(f"{what} holds characters that are no text.")
