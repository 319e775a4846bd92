"""What Black Forest Labs offers here: its card, made from the table of endpoints. Pure."""

from bot.providers.bfl.endpoints import ENDPOINTS, LARGEST_DATASET, TITLE, Endpoint
from bot.providers.card import (
    CaptionRule,
    FinetuneType,
    GeneratorCard,
    Handover,
    Mode,
    ModelBy,
    Priority,
    ProviderCard,
    Range,
    TrainerCard,
)

NAME = "bfl"
ASPECT_RATIOS = ("1:1", "4:3", "3:4", "3:2", "2:3", "16:9", "9:16", "21:9", "9:21")  # 21:9 to 9:21 are taken
ONE_PICTURE = Range(lowest=1, highest=1, default=1)
PROMPT_CHARACTERS = 4000  # the schemas name no limit; a Discord text field holds as many

NO_TRAINING = (
    "Black Forest Labs switched training off on 31 October 2025: choose a trainer at fal or Replicate instead."
)
RETIRED = (
    "Black Forest Labs retired its finetunes of 2025 on 31 October 2025: train the model again with a trainer "
    "at fal or Replicate."
)

# FinetuneInputs in bfl.openapi.json; the number of images, and that they are reduced to one megapixel: archived
# docs.bfl.ai/finetuning (section 1.5).
TRAINER = TrainerCard(
    id="finetune",
    title="FLUX.1 [pro] finetune (2025)",
    base_model="flux-pro",
    image_count=Range(lowest=1, highest=20, default=10),
    advised_images=(5, 20),
    advised_side=1024,
    iterations=Range(lowest=100, highest=1000, default=300),
    learning_rate=Range(lowest=1e-6, highest=5e-3, default=1e-4),
    lora_ranks=(32, 16),
    modes=tuple(Mode),
    priorities=(Priority.QUALITY, Priority.SPEED, Priority.HIGH_RES_ONLY),
    finetune_types=(FinetuneType.FULL, FinetuneType.LORA),
    captions=CaptionRule.DESCRIBED,
    trigger_in_captions=False,
    handover=((Handover.INLINE, LARGEST_DATASET),),
    price=None,
    usual_seconds=1800.0,
    deadline_seconds=6 * 3600.0,
    can_be_found=False,  # whether the list shows a training that still runs is not documented
)


def card_of(*, legacy_finetune: bool) -> ProviderCard:
    """`legacy_finetune`: the account can still use the finetuning of 2025."""
    return ProviderCard(
        name=NAME,
        title=TITLE,
        notice="",
        trainers=(TRAINER,) if legacy_finetune else (),
        generators=tuple(_generator(endpoint, legacy_finetune=legacy_finetune) for endpoint in ENDPOINTS),
        concurrent_jobs=24,  # docs.bfl.ml: 24 active tasks; flux-kontext-max alone has 6 and answers 429 above
        submissions_per_minute=None,
        training_poll_seconds=10.0,
        generation_poll_seconds=1.0,  # 0.5 to 2 seconds are advised
        no_training="" if legacy_finetune else NO_TRAINING,
    )


def _generator(endpoint: Endpoint, *, legacy_finetune: bool) -> GeneratorCard:
    strength = endpoint.default_strength
    return GeneratorCard(
        id=endpoint.id,
        title=endpoint.title,
        base_models=(endpoint.base_model,) if endpoint.base_model else (),
        needs_model=endpoint.base_model is not None,
        strength=None if strength is None else Range(lowest=0.0, highest=2.0, default=strength),
        aspect_ratios=ASPECT_RATIOS,
        pictures=ONE_PICTURE,
        prompt_characters=PROMPT_CHARACTERS,
        has_seed=True,
        reference_images=len(endpoint.image_fields),
        usd_per_picture=endpoint.usd_per_picture,
        deadline_seconds=600.0,
        can_be_found=False,  # there is no list of generations
        model_by=(ModelBy.REMOTE,) if endpoint.base_model else (),
        retired=RETIRED if endpoint.is_retired and not legacy_finetune else "",
    )
