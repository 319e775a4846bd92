"""fal.ai as data: what it trains and generates with, within which limits and at which price. Pure.

Facts: PROVIDERS.md section 4 and fal.openapi.json. Neither gives ranges; where a comment names no source, a range is
our own caution inside what fal is known to take.
"""

from bot.providers.card import (
    CaptionRule,
    GeneratorCard,
    Handover,
    Mode,
    ModelBy,
    Price,
    ProviderCard,
    Range,
    TrainerCard,
)

KLEIN_4B_TRAINER = "fal-ai/flux-2-klein-4b-base-trainer"
KLEIN_9B_TRAINER = "fal-ai/flux-2-klein-9b-base-trainer"
FLUX_2_TRAINER = "fal-ai/flux-2-trainer"
FLUX_2_TRAINER_V2 = "fal-ai/flux-2-trainer-v2"
FAST_TRAINER = "fal-ai/flux-lora-fast-training"
TURBO_TRAINER = "fal-ai/turbo-flux-trainer"
PORTRAIT_TRAINER = "fal-ai/flux-lora-portrait-trainer"
KREA_TRAINER = "fal-ai/flux-krea-trainer"

FLUX_LORA = "fal-ai/flux-lora"
KREA_LORA = "fal-ai/flux-krea-lora"
FLUX_2_LORA = "fal-ai/flux-2/lora"
KLEIN_4B_LORA = "fal-ai/flux-2/klein/4b/lora"
KLEIN_9B_LORA = "fal-ai/flux-2/klein/9b/lora"
KLEIN_9B_BASE_LORA = "fal-ai/flux-2/klein/9b/base/lora"
FLUX_DEV = "fal-ai/flux/dev"
FLUX_2_PRO = "fal-ai/flux-2-pro"
ULTRA = "fal-ai/flux-pro/v1.1-ultra"

TRAINING_DEADLINE_SECONDS = 3 * 3600.0
GENERATION_DEADLINE_SECONDS = 600.0

LARGEST_LINKED = 2**30  # bytes; fal names no limit, a gibibyte of pictures is more than any trainer needs
LARGEST_INLINE = 20 * 2**20  # bytes of zip; trainers take data URIs of any size, this cap is our own caution
HANDOVER = ((Handover.LINK, LARGEST_LINKED), (Handover.INLINE, LARGEST_INLINE))

# Width and height in multiples of 16 and never above 1024 x 1024, so that one picture is billed as one megapixel.
# Each side is within the 512 to 2048 of Flux2LoraInput.image_size.
SIZES = {
    "1:1": (1024, 1024), "4:3": (1152, 864), "3:4": (864, 1152), "3:2": (1248, 832), "2:3": (832, 1248),
    "16:9": (1360, 768), "9:16": (768, 1360), "21:9": (1536, 656),
}  # fmt: skip


def _trainer(
    trainer_id: str,
    title: str,
    base_model: str,
    *,
    price: Price,
    usual_seconds: float,
    learning_rate: Range | None = None,
    steps: int = 1000,
    modes: tuple[Mode, ...] = tuple(Mode),
    captions: CaptionRule = CaptionRule.OPTIONAL,
    advised_images: tuple[int, int] = (10, 40),
) -> TrainerCard:
    """`advised_images`: "10+" in section 4.4, the most that suits every trainer in section 7; klein: section 1.8."""
    return TrainerCard(
        id=trainer_id,
        title=title,
        base_model=base_model,
        image_count=Range(lowest=4, highest=400, default=15),  # "at least 4 images"
        advised_images=advised_images,
        advised_side=1024,  # section 1.8 for klein; the others name none, and FLUX.1 was made for a megapixel as well
        iterations=Range(lowest=100, highest=10_000, default=steps),
        learning_rate=learning_rate,
        lora_ranks=(),
        modes=modes,
        priorities=(),
        finetune_types=(),
        captions=captions,
        trigger_in_captions=True,  # none of them puts it into captions that are there (section 4.4)
        handover=HANDOVER,
        price=price,
        usual_seconds=usual_seconds,
        deadline_seconds=TRAINING_DEADLINE_SECONDS,
        can_be_found=False,
    )


FLUX_2_RATE = Range(lowest=1e-6, highest=1e-3, default=5e-5)

# Prices: section 4.4. klein 4B has the published rate of its edit variant, klein 9B that of FLUX.2 [dev]: both are
# guesses until somebody reads api.fal.ai/v1/models/pricing. The FLUX.1 trainers' modes: `is_style`, `training_style`;
# the portrait trainer knows none.
TRAINERS = (
    _trainer(
        KLEIN_4B_TRAINER,
        "FLUX.2 [klein] base 4B trainer",
        "flux.2-klein-base-4b",
        price=Price(per_iteration=0.0046, is_certain=False),
        usual_seconds=900,
        learning_rate=FLUX_2_RATE,
        captions=CaptionRule.DEFAULTED,
        advised_images=(20, 40),
    ),
    _trainer(
        KLEIN_9B_TRAINER,
        "FLUX.2 [klein] base 9B trainer",
        "flux.2-klein-base-9b",
        price=Price(per_iteration=0.0064, is_certain=False),
        usual_seconds=1200,
        learning_rate=FLUX_2_RATE,
        captions=CaptionRule.DEFAULTED,
        advised_images=(20, 40),
    ),
    _trainer(
        FLUX_2_TRAINER,
        "FLUX.2 [dev] trainer",
        "flux.2-dev",
        price=Price(per_iteration=0.0064),
        usual_seconds=1800,
        learning_rate=FLUX_2_RATE,
        captions=CaptionRule.DEFAULTED,
    ),
    _trainer(
        FLUX_2_TRAINER_V2,
        "FLUX.2 [dev] trainer v2",
        "flux.2-dev",
        price=Price(per_iteration=0.0064),
        usual_seconds=1800,
        learning_rate=FLUX_2_RATE,
        captions=CaptionRule.DEFAULTED,
    ),
    _trainer(
        FAST_TRAINER,
        "FLUX.1 [dev] fast trainer",
        "flux.1-dev",
        price=Price(per_iteration=0.002, is_certain=False),
        usual_seconds=300,
    ),
    _trainer(
        TURBO_TRAINER,
        "FLUX.1 [dev] turbo trainer",
        "flux.1-dev",
        price=Price(per_iteration=0.0024),
        usual_seconds=300,
        learning_rate=Range(lowest=1e-6, highest=1e-2, default=0.00115),
    ),
    _trainer(
        PORTRAIT_TRAINER,
        "FLUX.1 [dev] portrait trainer",
        "flux.1-dev",
        price=Price(per_iteration=0.0024, is_certain=False),
        usual_seconds=900,
        learning_rate=Range(lowest=1e-6, highest=1e-3, default=9e-5),
        steps=2500,
        modes=(),
    ),
    _trainer(
        KREA_TRAINER,
        "FLUX.1 Krea [dev] trainer",
        "flux.1-krea-dev",
        price=Price(per_iteration=0.002, is_certain=False),  # as the fast trainer, whose input it shares
        usual_seconds=300,
    ),
)


def _generator(
    generator_id: str,
    title: str,
    *,
    base_model: str = "",
    usd: float | None,
    most_pictures: int = 4,
    aspect_ratios: tuple[str, ...] = tuple(SIZES),
) -> GeneratorCard:
    """With a base model it is one that needs a LoRA. Scale 0 to 4: LoRAInput.scale."""
    return GeneratorCard(
        id=generator_id,
        title=title,
        base_models=(base_model,) if base_model else (),
        needs_model=bool(base_model),
        strength=Range(lowest=0, highest=4, default=1) if base_model else None,
        aspect_ratios=aspect_ratios,
        pictures=Range(lowest=1, highest=most_pictures, default=1),
        prompt_characters=2000,
        has_seed=True,
        reference_images=0,
        usd_per_picture=usd,
        deadline_seconds=GENERATION_DEADLINE_SECONDS,
        can_be_found=False,
        model_by=(ModelBy.REMOTE, ModelBy.LINK) if base_model else (),
    )


# US dollars for one picture of one megapixel: section 4.5 for FLUX.2 [dev] and klein 9B base; those of flux-lora, dev,
# pro and ultra are on their pages at fal.ai/models. None where neither names one. flux-2-pro has no `num_images`.
GENERATORS = (
    _generator(KLEIN_4B_LORA, "FLUX.2 [klein] 4B with LoRA", base_model="flux.2-klein-base-4b", usd=None),
    _generator(KLEIN_9B_LORA, "FLUX.2 [klein] 9B with LoRA", base_model="flux.2-klein-base-9b", usd=None),
    _generator(KLEIN_9B_BASE_LORA, "FLUX.2 [klein] base 9B with LoRA", base_model="flux.2-klein-base-9b", usd=0.02),
    _generator(FLUX_2_LORA, "FLUX.2 [dev] with LoRA", base_model="flux.2-dev", usd=0.021),
    _generator(FLUX_LORA, "FLUX.1 [dev] with LoRA", base_model="flux.1-dev", usd=0.035),
    _generator(KREA_LORA, "FLUX.1 Krea [dev] with LoRA", base_model="flux.1-krea-dev", usd=None),
    _generator(FLUX_DEV, "FLUX.1 [dev]", usd=0.025),
    _generator(FLUX_2_PRO, "FLUX.2 [pro]", usd=0.03, most_pictures=1),
    _generator(
        ULTRA,
        "FLUX1.1 [pro] ultra",
        usd=0.06,
        aspect_ratios=("1:1", "4:3", "3:4", "3:2", "2:3", "16:9", "9:16", "21:9", "9:21"),  # FluxProV11UltraInput
    ),
)

CARD = ProviderCard(
    name="fal",
    title="fal.ai",
    notice="",
    trainers=TRAINERS,
    generators=GENERATORS,
    concurrent_jobs=2,  # running at once on a new account; more wait in fal's queue and are not refused (section 4.6)
    submissions_per_minute=None,
    training_poll_seconds=10.0,  # section 4.6: 5 to 15 for trainings
    generation_poll_seconds=1.0,
)
