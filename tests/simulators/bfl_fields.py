"""What each Black Forest Labs endpoint takes, written down a second time: the simulator shares nothing with the bot.

JSON schemas in the words of bfl.openapi.json and PROVIDERS.md 1.2, 1.4 and 1.5, closed: an unknown field is refused.
"""

from typing import Any

from jsonschema import Draft202012Validator

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
SEED: Schema = {"type": ["integer", "null"]}
FORMAT: Schema = {"enum": ["jpeg", "png", "webp"]}
WEBHOOK: Schema = {
    "webhook_url": {"type": "string", "minLength": 1, "maxLength": 2083, "pattern": "^https?://[^\\s]+$"},
    "webhook_secret": TEXT,
}
USER: Schema = {"user": {"type": "string", "minLength": 1, "maxLength": 256}}


def whole(lowest: int, highest: int, step: int = 1) -> Schema:
    return {"type": "integer", "minimum": lowest, "maximum": highest, "multipleOf": step}


def number(lowest: float, highest: float) -> Schema:
    return {"type": "number", "minimum": lowest, "maximum": highest}


def takes(*required: str, **fields: Schema) -> Schema:
    return {"type": "object", "required": list(required), "properties": fields, "additionalProperties": False}


def images(count: int) -> Schema:
    return {"input_image" if one == 1 else f"input_image_{one}": TEXT for one in range(1, count + 1)}


GENERATION: Schema = {"prompt": TEXT, "seed": SEED, "output_format": FORMAT, **WEBHOOK}
SMALL: Schema = {"width": whole(256, 1440, 32), "height": whole(256, 1440, 32)}
LARGE: Schema = {"width": whole(64, 4096, 16), "height": whole(64, 4096, 16)}
RATIO: Schema = {"aspect_ratio": {"type": "string", "pattern": "^[1-9][0-9]?:[1-9][0-9]?$"}}
UPSAMPLED: Schema = {"prompt_upsampling": FLAG}
FLUX_1: Schema = {**GENERATION, **UPSAMPLED, "image_prompt": TEXT, "safety_tolerance": whole(0, 6)}
FLUX_2: Schema = {**GENERATION, **USER, **LARGE, "safety_tolerance": whole(0, 5)}
ULTRA: Schema = {**FLUX_1, **RATIO, "image_prompt_strength": number(0, 1)}
KONTEXT = takes("prompt", **{**GENERATION, **USER, **RATIO, **UPSAMPLED, **images(4), "safety_tolerance": whole(0, 6)})
PRO = takes("prompt", **FLUX_2, **images(8), disable_pup=FLAG)
KLEIN = takes("prompt", **FLUX_2, **images(4))
LORA: Schema = {"finetune_id": TEXT}
KLEIN_LORA = takes("prompt", "finetune_id", **FLUX_2, **images(4), **LORA, finetune_strength=number(0, 2))
STEPPED: Schema = {"steps": whole(1, 50), "guidance": number(1.5, 5)}

ENDPOINTS: dict[str, Schema] = {
    "flux-2-pro": PRO,
    "flux-2-pro-preview": PRO,
    "flux-2-max": PRO,
    "flux-2-flex": takes("prompt", **FLUX_2, **images(8), **UPSAMPLED, steps=whole(1, 50), guidance=number(1.5, 10)),
    "flux-2-klein-4b": KLEIN,
    "flux-2-klein-9b": KLEIN,
    "flux-2-klein-9b-preview": KLEIN,
    "flux-kontext-pro": KONTEXT,
    "flux-kontext-max": KONTEXT,
    "flux-pro-1.1": takes(**FLUX_1, **USER, **SMALL),
    "flux-pro-1.1-ultra": takes(**ULTRA, **USER, raw=FLAG),
    "flux-dev": takes(**FLUX_1, **USER, **SMALL, **STEPPED),
}
# The base model that each takes LoRAs of.
LORA_BASES = {
    f"flux-2-klein-{variant}-finetuned": f"flux.2-klein-{variant}"
    for variant in ("4b", "9b", "9b-kv", "9b-kv-bf16", "base-4b", "base-9b")
}
ENDPOINTS |= dict.fromkeys(LORA_BASES, KLEIN_LORA)

# Retired on 2025-10-31: served when the simulator is told that the account still has them.
LEGACY_BASES = {"flux-pro-finetuned": "flux-pro", "flux-pro-1.1-ultra-finetuned": "flux-pro"}
LEGACY: dict[str, Schema] = {
    "flux-pro-finetuned": takes("finetune_id", **FLUX_1, **SMALL, **STEPPED, **LORA, finetune_strength=number(0, 2)),
    "flux-pro-1.1-ultra-finetuned": takes("finetune_id", **ULTRA, **LORA, finetune_strength=number(0, 2)),
}
FINETUNE = takes(
    "file_data",
    "finetune_comment",
    "mode",
    **WEBHOOK,
    file_data=TEXT,
    finetune_comment=TEXT,
    mode={"enum": ["general", "character", "style", "product"]},
    trigger_word=TEXT,
    iterations=whole(100, 1000),
    learning_rate={"type": ["number", "null"], "minimum": 1e-6, "maximum": 5e-3},
    captioning=FLAG,
    priority={"enum": ["speed", "quality", "high_res_only"]},
    finetune_type={"enum": ["lora", "full"]},
    lora_rank={"enum": [16, 32]},
)
DELETE = takes("finetune_id", finetune_id=TEXT)


def problems(schema: Schema, body: Any) -> list[dict[str, Any]]:
    """As pydantic says it: where, what, and the whole input once more."""
    return [
        {"loc": ["body", *error.path], "msg": error.message[:200], "type": str(error.validator), "input": body}
        for error in Draft202012Validator(schema).iter_errors(body)
    ]
