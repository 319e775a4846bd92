"""What Replicate offers here: its card, and the addresses and limits around it, each with its source. Pure data.

Prices: replicate.com/pricing. Limits: replicate.com/docs/topics/predictions/rate-limits and its HTTP reference.
"""

from collections.abc import Mapping
from dataclasses import replace

from bot.providers.card import (
    CaptionerCard,
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

NAME = "replicate"
TITLE = "Replicate"
API_URL = "https://api.replicate.com/v1"
SITE_URL = "https://replicate.com"  # serves a trained version's weights as /{owner}/{model}/_weights
HOSTS = frozenset({"api.replicate.com", "replicate.com", "replicate.delivery", ".replicate.delivery"})
CALLS_PER_MINUTE = 2400  # 3000 are allowed, of which 600 may create predictions

TRAINED_VERSION = "replicate/trained-version"
DEV_TRAINER = "ostris/flux-dev-lora-trainer"
FAST_TRAINER = "replicate/fast-flux-trainer"
BASE_MODEL = "flux.1-dev"
CAPTION_MODEL = "salesforce/blip"

LARGEST_LINKED_DATASET = 2 * 2**30  # bytes; no limit is documented, this one is ours
LARGEST_UPLOAD = 99_000_000  # bytes; POST /files refuses 100 MB and more, its form fields included
LARGEST_DATA_URL = 256_000  # characters; anything above must be an address

# github.com/replicate/flux-fine-tuner predict.py (`custom` needs a width and a height, so it is not offered)
ASPECT_RATIOS = ("1:1", "4:3", "3:4", "3:2", "2:3", "4:5", "5:4", "16:9", "9:16", "21:9", "9:21")
PROMPT_CHARACTERS = 4000  # the schemas name no limit; a Discord text field holds as many
HANDOVER = ((Handover.LINK, LARGEST_LINKED_DATASET), (Handover.UPLOAD, LARGEST_UPLOAD))

# github.com/replicate/flux-fine-tuner train.py. The price is ours: an H100 costs 0.001525 a second, one iteration
# takes about one, and describing pictures and storing the result some minutes more.
DEV = TrainerCard(
    id=DEV_TRAINER,
    title="FLUX.1 [dev] LoRA (ostris)",
    base_model=BASE_MODEL,
    image_count=Range(lowest=2, highest=400, default=15),  # no limit is documented
    advised_images=(10, 40),  # "10+" in section 2.2; the most that suits every trainer in section 7
    advised_side=1024,  # the largest of `resolution`
    iterations=Range(lowest=3, highest=6000, default=1000),
    learning_rate=Range(lowest=1e-6, highest=1e-2, default=4e-4),
    lora_ranks=(16, 8, 32, 64),  # 1 to 128 are taken
    modes=(),
    priorities=(),
    finetune_types=(),
    captions=CaptionRule.DESCRIBED,  # `autocaption`
    trigger_in_captions=False,
    handover=HANDOVER,
    price=Price(once=0.5, per_iteration=0.0016, is_certain=False),
    usual_seconds=1800.0,
    deadline_seconds=6 * 3600.0,
    can_be_found=True,
)

# Its schema is read when it is used: only clients' code is public, and they say 2 minutes and 1.5 to 2 US dollars.
FAST = replace(
    DEV,
    id=FAST_TRAINER,
    title="FLUX.1 [dev] fast LoRA",
    learning_rate=None,
    lora_ranks=(),
    modes=(Mode.CHARACTER, Mode.STYLE, Mode.PRODUCT, Mode.GENERAL),  # `lora_type` subject or style
    captions=CaptionRule.OPTIONAL,
    price=Price(once=2.0, is_certain=False),
    usual_seconds=150.0,
    deadline_seconds=2 * 3600.0,
)

WITH_MODEL = GeneratorCard(
    id=TRAINED_VERSION,
    title="FLUX.1 [dev] with your model",
    base_models=(BASE_MODEL,),
    needs_model=True,
    strength=Range(lowest=-1.0, highest=2.0, default=1.0),  # `lora_scale`
    aspect_ratios=ASPECT_RATIOS,
    pictures=Range(lowest=1, highest=4, default=1),
    prompt_characters=PROMPT_CHARACTERS,
    has_seed=True,
    reference_images=0,
    usd_per_picture=None,  # a private model bills its hardware by the second, perhaps its start-up as well
    deadline_seconds=1800.0,
    can_be_found=True,
    model_by=(ModelBy.REMOTE,),
)
FLUX_DEV = replace(
    WITH_MODEL,
    id="black-forest-labs/flux-dev",
    title="FLUX.1 [dev]",
    base_models=(),
    needs_model=False,
    strength=None,
    usd_per_picture=0.025,
    model_by=(),
)
FLUX_SCHNELL = replace(FLUX_DEV, id="black-forest-labs/flux-schnell", title="FLUX.1 [schnell]", usd_per_picture=0.003)
FLUX_PRO = replace(
    FLUX_DEV,
    id="black-forest-labs/flux-1.1-pro",
    title="FLUX1.1 [pro]",
    aspect_ratios=tuple(ratio for ratio in ASPECT_RATIOS if ratio not in ("21:9", "9:21")),
    pictures=Range(lowest=1, highest=1, default=1),
    usd_per_picture=0.04,
)

# What one description costs is not published: the model runs on hardware that is billed by the second (section 2.5).
# How long one takes, and how many are asked for at once, is ours; 600 predictions a minute may be created.
CAPTIONER = CaptionerCard(title="BLIP", usd_per_caption=None)

CARD = ProviderCard(
    name=NAME,
    title=TITLE,
    notice="",
    trainers=(DEV, FAST),
    generators=(WITH_MODEL, FLUX_DEV, FLUX_SCHNELL, FLUX_PRO),
    concurrent_jobs=10,
    submissions_per_minute=600,  # section 2.5; with little credit 6: then a 429 says when to come back
    training_poll_seconds=15.0,
    generation_poll_seconds=2.0,
    settles_in_seconds=30.0,
    captioner=CAPTIONER,
)


def card_without(gone: Mapping[str, str]) -> ProviderCard:
    """`gone` names trainers and generators that Replicate no longer has, with why in a sentence."""
    return replace(
        CARD,
        trainers=tuple(replace(one, retired=gone.get(one.id, "")) for one in CARD.trainers),
        generators=tuple(replace(one, retired=gone.get(one.id, "")) for one in CARD.generators),
        no_training=gone.get(DEV_TRAINER, "") if {DEV_TRAINER, FAST_TRAINER} <= gone.keys() else "",
    )
