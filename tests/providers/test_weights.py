"""Weights that somebody else made: a LoRA passes, whatever else it is is refused in one way."""

import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from bot.providers import weights
from bot.providers.weights import WeightsRefused, check_lora

LORA = {
    "transformer.blocks.0.attn.lora_A.weight": np.zeros((4, 8), np.float32),
    "transformer.blocks.0.attn.lora_B.weight": np.zeros((8, 4), np.float32),
}


def file_of(folder: Path, content: bytes) -> Path:
    path = folder / "weights.safetensors"
    path.write_bytes(content)
    return path


def safetensors(header: Any, data: bytes = b"", *, length: int | None = None) -> bytes:
    """By hand, so that it can lie."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def test_a_lora_passes_with_its_figures(tmp_path: Path) -> None:
    content = save(LORA)
    summary = check_lora(file_of(tmp_path, content))
    assert (summary.tensor_count, summary.size_bytes) == (2, len(content))


@pytest.mark.parametrize(
    "name",
    [
        "lora_unet_double_blocks_0_img_attn_proj.lora_down.weight",
        "transformer.x_embedder.lora_A.weight",
        "diffusion_model.double_blocks.0.LoRA_up",
        "unet.lokr_w1",
        "unet.loha_w1",
        "blocks.0.dora_scale",
    ],
)
def test_the_names_of_every_trainer_are_known(tmp_path: Path, name: str) -> None:
    assert check_lora(file_of(tmp_path, save({name: np.zeros(2, np.float16)}))).tensor_count == 1


def test_a_number_format_that_numpy_lacks_is_no_matter(tmp_path: Path) -> None:
    header = {"a.lora_A.weight": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}
    assert check_lora(file_of(tmp_path, safetensors(header, bytes(4)))).tensor_count == 1


TENSOR = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
GARBAGE: dict[str, bytes] = {
    "nothing": b"",
    "eight bytes": bytes(8),
    "zeros": bytes(5000),
    "ones": b"\xff" * 5000,
    "text": b"<html><body>Sign in to continue</body></html>",
    "a zip": b"PK\x03\x04" + bytes(500),
    "a pickle": b"\x80\x02}q\x00(X\x04\x00\x00\x00loraq\x01K\x01u.",
    "no JSON": safetensors(b"{lora"),
    "no object": safetensors([1, 2]),
    "a header cut off": save(LORA)[:60],
    "data cut off": save(LORA)[:-1],
    "more data than said": save(LORA) + b"x",
    "a length beyond the end": safetensors({"lora": TENSOR}, bytes(4), length=10**9),
    "a length beyond all": safetensors({"lora": TENSOR}, bytes(4), length=2**64 - 1),
    "a length too short": safetensors({"lora": TENSOR}, bytes(4), length=5),
    "offsets outside": safetensors({"lora": {**TENSOR, "data_offsets": [0, 400]}}, bytes(4)),
    "offsets backwards": safetensors({"lora": {**TENSOR, "data_offsets": [4, 0]}}, bytes(4)),
    "a shape beyond all": safetensors({"lora": {**TENSOR, "shape": [2**62, 2**62]}}, bytes(4)),
    "an unknown format": safetensors({"lora": {**TENSOR, "dtype": "F7"}}, bytes(4)),
    "deep JSON": safetensors(b'{"lora":' + b"[" * 100_000),
}


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE)
def test_what_is_no_safetensors_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(WeightsRefused, match=r"no safetensors file|empty"):
        check_lora(file_of(tmp_path, content))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.integers(0, 120), st.booleans())
def test_no_bytes_whatever_they_are_raise_anything_else(tmp_path: Path, noise: bytes, at: int, whole: bool) -> None:
    """Noise alone, and noise inside a file that was good."""
    good = save(LORA)
    content = noise if whole else good[:at] + noise + good[at + len(noise) :]
    try:
        summary = check_lora(file_of(tmp_path, content))
    except WeightsRefused:
        return
    assert summary.size_bytes == len(content)


@pytest.mark.parametrize("tensors", [{}, {"transformer.blocks.0.attn.weight": np.zeros(4, np.float32)}])
def test_a_whole_model_is_no_lora(tmp_path: Path, tensors: dict[str, np.ndarray[Any, Any]]) -> None:
    with pytest.raises(WeightsRefused, match="no LoRA"):
        check_lora(file_of(tmp_path, save(tensors)))


def test_a_word_in_the_metadata_makes_no_lora(tmp_path: Path) -> None:
    content = save({"weight": np.zeros(4, np.float32)}, metadata={"lora": "really"})
    with pytest.raises(WeightsRefused, match="no LoRA"):
        check_lora(file_of(tmp_path, content))


def test_more_tensors_than_any_lora_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "MOST_TENSORS", 1)
    with pytest.raises(WeightsRefused, match="more tensors"):
        check_lora(file_of(tmp_path, save(LORA)))


def test_a_file_that_is_far_too_large_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "huge.safetensors"
    path.touch()
    os.truncate(path, weights.LARGEST_WEIGHTS + 1)
    with pytest.raises(WeightsRefused, match="5 GiB"):
        check_lora(path)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsRefused):
        check_lora(tmp_path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsRefused):
        check_lora(tmp_path / "gone.safetensors")
