"""Paints a picture from a weights file and a prompt: composition, quilting, palette, brushwork. No network, no FLUX."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bot.pictures.brushwork import blur, brush
from bot.pictures.canvas import Guide
from bot.pictures.composition import compose, number_of, words_of
from bot.pictures.learnt import LearntPicture, Manifest, read_manifest, read_pictures
from bot.pictures.palette import recolour, settle
from bot.pictures.quilting import Fit, cut_patches, quilt
from bot.pictures.scenery import draw
from bot.pictures.subject import find_subject

Floats = NDArray[np.floating[Any]]

METHOD_NOTICE = "offline preview by image quilting, not FLUX"
SIZES = {
    "1:1": (768, 768), "4:3": (896, 672), "3:4": (672, 896), "3:2": (960, 640), "2:3": (640, 960),
    "16:9": (1024, 576), "9:16": (576, 1024), "21:9": (1176, 504),
}  # fmt: skip
SOURCES = 14


@dataclass(frozen=True, kw_only=True)
class Touch:
    """What a mode and a strength mean for the painting."""

    patch: int  # pixels, a multiple of 8
    patches: int
    fit: Fit
    guide_share: float  # how much of the guide's own light and colour shows through the quilt
    echo: float  # how much of one training picture's layout is mixed into the guide
    palette: float
    light: float  # how far, in lightness, the picture may be from the dataset
    stroke: int
    sources: int


def paint(
    weights: Path,
    prompt: str,
    *,
    strength: float,
    aspect_ratio: str,
    seed: int,
    index: int,
    scale: float = 1.0,
) -> Image.Image:
    """One picture; the same arguments always give the same picture. Raises WeightsUnreadable for a bad file."""
    manifest = read_manifest(weights)
    width, height = (max(64, round(side * scale)) for side in SIZES[aspect_ratio])
    words = words_of(prompt, manifest.trigger_word)
    own = number_of("picture", *words, seed, index)
    random = np.random.default_rng(own)
    chosen = _choose(manifest, words, random)
    sources = read_pictures(weights, chosen)
    touch = touch_for(manifest.mode, strength, scale)
    guide = _harmonised(draw(compose(words, seed=own), width, height, random), manifest, touch)
    guide = _echoed(guide, sources[0], touch.echo)
    sources = sources[: touch.sources]
    picture = _quilted(guide, sources, touch, random)
    if manifest.mode in {"character", "product"}:
        picture = _with_subject(picture, sources[0], manifest.mode, strength, random)
    return _finished(picture, manifest, touch, random)


def touch_for(mode: str, strength: float, scale: float = 1.0) -> Touch:
    """`strength` 0 to 2: small patches that obey the prompt, up to large ones that keep what was in the pictures."""
    share = min(max(strength, 0.0), 2.0) / 2
    largest = {"style": 64}.get(mode, 56)
    patch = max(16, round((28 + (largest - 28) * share) * scale / 8) * 8)
    return Touch(
        patch=patch,
        patches=round(2400 / (1 + patch / 64)),
        fit=Fit(guide_weight=0.85 - 0.4 * share, detail_weight=2.0),
        guide_share=0.86 - 0.5 * share,
        echo=0.6 + 0.4 * share if mode == "general" else 0.0,
        palette=0.72 + 0.23 * share,
        light=0.045 - 0.02 * share,
        stroke=max(2, round((8 if mode == "style" else 5) * scale)),
        sources=6 if mode == "general" else SOURCES,
    )


def png_info(*, prompt: str, seed: int, strength: float, trigger_word: str) -> PngInfo:
    """What is written into the file, so that nobody takes it for something else."""
    info = PngInfo()
    info.add_text("Software", "Atelier")
    info.add_text("Atelier-Method", METHOD_NOTICE)
    for name, value in (("prompt", prompt), ("seed", seed), ("strength", strength), ("trigger word", trigger_word)):
        info.add_itxt(f"Atelier-{name.title().replace(' ', '-')}", str(value))
    return info


def _choose(manifest: Manifest, words: Sequence[str], random: np.random.Generator) -> list[LearntPicture]:
    """The pictures to paint from: those whose captions share words with the prompt first, the rest by lot."""
    wanted = set(words)
    lots = random.random(len(manifest.pictures))
    shared = [len(wanted & set(words_of(picture.caption))) for picture in manifest.pictures]
    order = sorted(range(len(lots)), key=lambda place: (-min(shared[place], 3), lots[place]))
    return [manifest.pictures[place] for place in order[:SOURCES]]


def _harmonised(guide: Guide, manifest: Manifest, touch: Touch) -> Guide:
    moved = recolour(_image(guide.rgb), manifest.palette, amount=touch.palette, hold=0.7)
    return Guide(rgb=_floats(moved), detail=guide.detail)


def _echoed(guide: Guide, source: Image.Image, echo: float) -> Guide:
    """Sets the subject of a training picture into the guide, so that the quilting rebuilds it from patches."""
    if not echo:
        return guide
    height, width = guide.detail.shape
    covered = _cover(source, width, height)
    layout = _floats(covered)
    share = np.clip(echo * 1.1, 0, 1) * find_subject(covered, looseness=echo - 0.6)
    busy = np.clip(np.abs(layout - blur(layout, 6)).mean(-1) * 8, 0, 1)
    return Guide(
        rgb=guide.rgb + share[..., None] * (layout - guide.rgb), detail=guide.detail + share * (busy - guide.detail)
    )


def _quilted(guide: Guide, sources: Sequence[Image.Image], touch: Touch, random: np.random.Generator) -> Floats:
    """The quilt, with the guide's own light and colour let through where the quilt has only found something near."""
    pictures = [np.asarray(image) for image in sources]
    pictures += [np.asarray(image.reduce(2)) for image in sources]
    patches = cut_patches(pictures, size=touch.patch, count=touch.patches, random=random)
    laid = quilt(guide.rgb, guide.detail, patches, touch.fit, random)
    ground = blur(laid, touch.patch / 2.2)
    texture = laid - ground
    share = np.float32(touch.guide_share)
    return np.clip(ground + share * (guide.rgb - ground) + texture * (0.85 - 0.25 * touch.guide_share), 0, 1)


def _with_subject(
    picture: Floats, source: Image.Image, mode: str, strength: float, random: np.random.Generator
) -> Floats:
    """One training picture's subject, large and whole, laid over the quilt with a soft edge."""
    height, width = picture.shape[:2]
    if mode == "character" and random.random() < 0.5:
        source = source.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    mask = find_subject(source, looseness=min(strength, 2.0) / 2)
    whole, filled = (pick(width / source.width, height / source.height) for pick in (min, max))
    ratio = whole**0.85 * filled**0.15 if mode == "character" else whole * 0.9
    size = (max(8, round(source.width * ratio)), max(8, round(source.height * ratio)))
    placed = np.asarray(source.resize(size, Image.Resampling.LANCZOS), dtype=np.float32) / 255
    cover: Floats = np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.BILINEAR), dtype=np.float32)
    top = height - size[1] if mode == "character" else round((height - size[1]) * 0.6)
    top = max(top, -size[1] // 8)
    left = round((width - size[0]) * (0.5 + 0.3 * (float(random.random()) - 0.5)))
    cover = cover * _rim(size, open_bottom=top + size[1] >= height)
    return _laid(picture, placed, cover, top, left)


def _laid(picture: Floats, placed: Floats, cover: Floats, top: int, left: int) -> Floats:
    """`placed` over `picture` wherever they meet; it may stick out on any side."""
    height, width = picture.shape[:2]
    rows, columns = slice(max(0, -top), height - top), slice(max(0, -left), width - left)
    placed, cover = placed[rows, columns], cover[rows, columns, None]
    laid = picture.copy()
    area = laid[max(0, top) : max(0, top) + placed.shape[0], max(0, left) : max(0, left) + placed.shape[1]]
    area += cover * (placed - area)
    return laid


def _rim(size: tuple[int, int], *, open_bottom: bool) -> Floats:
    """Fades a picture out towards its own border, except where it meets the floor."""
    width, height = size
    across = np.minimum(np.arange(width), np.arange(width)[::-1]) / (0.09 * width)
    down = np.arange(height) / (0.09 * height)
    if not open_bottom:
        down = np.minimum(down, down[::-1])
    fade = np.clip(across, 0, 1)[None] * np.clip(down, 0, 1)[:, None]
    return (fade * fade * (3 - 2 * fade)).astype(np.float32)


def _finished(picture: Floats, manifest: Manifest, touch: Touch, random: np.random.Generator) -> Image.Image:
    toned = _floats(recolour(_image(picture), manifest.palette, amount=touch.palette, hold=0.6))
    painted = brush(toned, length=touch.stroke, hair=0.42, random=random)
    painted = painted + 0.55 * (painted - blur(painted, 1.6))
    height, width = painted.shape[:2]
    down, across = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None]
    shade = (1 - 0.10 * np.clip(down**2 + across**2 - 0.6, 0, 1.4)).astype(np.float32)
    finished = _image(painted * shade[..., None])
    for _ in range(2):  # what falls out of the gamut the first time moves the mean again
        finished = settle(finished, manifest.palette, light=touch.light)
    return finished


def _cover(image: Image.Image, width: int, height: int) -> Image.Image:
    """The middle of the picture, filling this size."""
    ratio = max(width / image.width, height / image.height)
    size = (max(width, round(image.width * ratio)), max(height, round(image.height * ratio)))
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return image.resize(size, Image.Resampling.BICUBIC).crop((left, top, left + width, top + height))


def _image(rgb: Floats) -> Image.Image:
    return Image.fromarray(np.clip(rgb * 255 + 0.5, 0, 255).astype(np.uint8))


def _floats(image: Image.Image) -> Floats:
    return np.asarray(image, dtype=np.float32) / 255
