"""A weights file from strangers: whatever is in it, it is refused in one way and costs little."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.pictures.learning import learn
from bot.pictures.learnt import MAX_FILE_BYTES, WeightsUnreadable, read_manifest, read_pictures
from bot.pictures.painting import paint


def picture(colour: str = "teal", size: tuple[int, int] = (40, 30)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture(scope="module")
def good() -> bytes:
    return learn([picture("teal"), picture("gold")], ["", ""], mode="style", trigger_word="TOK", iterations=100)


def repacked(good: bytes, change: Callable[[dict[str, Any]], None], **files: bytes) -> bytes:
    """The good file with a changed manifest, and further or other files."""
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()} | files
    manifest = json.loads(contents["manifest.json"])
    change(manifest)
    contents["manifest.json"] = json.dumps(manifest).encode()
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return whole.getvalue()


def unchanged(_manifest: dict[str, Any]) -> None:
    pass


CHANGES: dict[str, Callable[[dict[str, Any]], None]] = {
    "another method": lambda manifest: manifest.update(method="diffusion"),
    "a later version": lambda manifest: manifest.update(version=2),
    "an unknown mode": lambda manifest: manifest.update(mode="evil"),
    "a list for a mode": lambda manifest: manifest.update(mode=["style"]),
    "no pictures": lambda manifest: manifest.update(pictures=[]),
    "pictures by the thousand": lambda manifest: manifest.update(pictures=manifest["pictures"] * 1000),
    "a path outside": lambda manifest: manifest["pictures"][0].update(file="../../etc/passwd"),
    "a huge width": lambda manifest: manifest["pictures"][0].update(width=10**9),
    "a width that is no number": lambda manifest: manifest["pictures"][0].update(width="40"),
    "an endless colour": lambda manifest: manifest["palette"]["colours"][0].__setitem__(0, float("inf")),
    "a colour that is no number": lambda manifest: manifest["palette"]["mean"].__setitem__(0, float("nan")),
    "no palette": lambda manifest: manifest.pop("palette"),
    "weights that do not match": lambda manifest: manifest["palette"]["weights"].pop(),
    "a trigger word without end": lambda manifest: manifest.update(trigger_word="x" * 5000),
    "a picture too many": lambda manifest: manifest["pictures"].append(
        {**manifest["pictures"][0], "file": "atlas/007.jpg"}
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_manifest_is_refused(good: bytes, tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    weights = tmp_path / "weights.zip"
    weights.write_bytes(repacked(good, change))
    with pytest.raises(WeightsUnreadable):
        read_manifest(weights)


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x05\x06" + b"\0" * 18, b"hello", picture()],
    ids=["nothing", "an empty zip", "text", "a picture"],
)
def test_what_is_no_weights_file_is_refused(tmp_path: Path, content: bytes) -> None:
    weights = tmp_path / "weights.zip"
    weights.write_bytes(content)
    with pytest.raises(WeightsUnreadable):
        read_manifest(weights)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnreadable):
        read_manifest(tmp_path / "weights.zip")


def test_a_compressed_entry_is_refused_because_it_could_be_a_bomb(good: bytes, tmp_path: Path) -> None:
    weights = tmp_path / "weights.zip"
    with zipfile.ZipFile(io.BytesIO(good)) as old, zipfile.ZipFile(weights, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    with pytest.raises(WeightsUnreadable):
        read_manifest(weights)


def test_a_file_beyond_the_limit_is_not_even_opened(tmp_path: Path) -> None:
    weights = tmp_path / "weights.zip"
    with weights.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(WeightsUnreadable, match="too large"):
        read_manifest(weights)


@pytest.mark.parametrize(
    "content",
    [b"no picture", picture(size=(41, 30)), picture()[:300]],
    ids=["text", "another size", "cut short"],
)
def test_a_picture_that_is_not_what_the_manifest_says_is_refused(good: bytes, tmp_path: Path, content: bytes) -> None:
    weights = tmp_path / "weights.zip"
    weights.write_bytes(repacked(good, unchanged, **{"atlas/000.jpg": content}))
    with pytest.raises(WeightsUnreadable):
        read_pictures(weights, read_manifest(weights).pictures)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_refused_or_paints(good: bytes, tmp_path: Path, data: st.DataObject) -> None:
    damaged = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    weights = tmp_path / "weights.zip"
    weights.write_bytes(bytes(damaged[: data.draw(st.integers(len(damaged) // 2, len(damaged)))]))
    try:
        paint(weights, "hills", strength=1.0, aspect_ratio="1:1", seed=1, index=0, scale=0.09)
    except WeightsUnreadable:
        return
