"""Looks at a `.safetensors` file that somebody else made: is it one, is it a LoRA? Blocking; reads the header only."""

from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

MOST_TENSORS = 50_000
LARGEST_WEIGHTS = 5 * 2**30  # bytes; fal takes LoRAs of up to 5 GB
LORA_WORDS = ("lora", "lokr", "loha", "dora_scale")


class WeightsRefused(ValueError):
    """Why, in half a sentence that goes after "The weights cannot be used: "."""


@dataclass(frozen=True, kw_only=True)
class WeightsSummary:
    tensor_count: int
    size_bytes: int


def check_lora(path: Path) -> WeightsSummary:
    """Raises `WeightsRefused`, and nothing else, whatever the bytes are."""
    try:
        size = path.stat().st_size
    except OSError:
        raise WeightsRefused("the file is not there") from None
    if not 8 < size <= LARGEST_WEIGHTS:
        raise WeightsRefused("the file is empty or larger than 5 GiB")
    try:
        with safe_open(path, framework="numpy") as file:
            names = list(file.keys())
    except (SafetensorError, OSError, ValueError, MemoryError):
        raise WeightsRefused("they are no safetensors file, or a broken one") from None
    if len(names) > MOST_TENSORS:
        raise WeightsRefused("the file holds more tensors than any LoRA does")
    if not any(word in name.lower() for name in names for word in LORA_WORDS):
        raise WeightsRefused("the file holds no LoRA: hand over the LoRA itself, not a whole model")
    return WeightsSummary(tensor_count=len(names), size_bytes=size)
