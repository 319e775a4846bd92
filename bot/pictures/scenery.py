"""Draws a planned scene as smooth colour areas: the guide that the quilting follows. Never shown as it is."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.pictures.canvas import Canvas, Guide, mix
from bot.pictures.composition import Colour, Scene

Floats = NDArray[np.floating[Any]]


def draw(scene: Scene, width: int, height: int, random: np.random.Generator) -> Guide:
    canvas = Canvas(width, height, random)
    _sky(canvas, scene)
    GROUND[scene.ground](canvas, scene)
    if scene.figure:
        _bust(canvas, scene)
    return Guide(rgb=np.clip(canvas.rgb, 0, 1), detail=np.clip(canvas.detail, 0, 1))


def _sky(canvas: Canvas, scene: Scene) -> None:
    top, low = (np.asarray(mix(colour, scene.tints[0], 0.18), np.float32) for colour in (scene.sky_top, scene.sky_low))
    fall = np.clip(canvas.y / scene.horizon, 0, 1)[..., None] ** 1.3
    canvas.rgb = top + fall * (low - top)
    if scene.light:
        strength, reach = (0.55, 0.42) if scene.light == "sun" else (0.30, 0.26)
        canvas.paint(strength * canvas.glow(scene.light_x, scene.light_y, reach), scene.light_colour)
    if scene.stars:
        speckles = canvas.random.random((canvas.height, canvas.width)) > 0.9985
        canvas.paint(0.9 * speckles, (0.95, 0.95, 0.9))
    if scene.light:
        canvas.paint(canvas.disc(scene.light_x, scene.light_y, scene.light_size), scene.light_colour, detail=0.05)
    puffs = np.clip(canvas.noise(2.2, 5, stretch=2.6) + 0.7 * scene.clouds - 0.35, 0, 1) * scene.clouds
    light = mix(scene.sky_low, scene.light_colour, 0.6)
    shade = np.clip(canvas.noise(4, 3, stretch=2) * 0.5 + 0.55, 0, 1)[..., None]
    colour = np.asarray(light, np.float32) * shade + np.asarray(mix(scene.sky_top, light, 0.4), np.float32) * (
        1 - shade
    )
    canvas.paint(puffs * 0.85, colour, detail=0.4)


def _layers(canvas: Canvas, scene: Scene, *, count: int, rise: float, cells: float, roughness: float) -> None:
    """Ridges one before the other, paler the farther away."""
    for layer in range(count):
        nearness = layer / max(1, count - 1)
        base = scene.horizon + (1.0 - scene.horizon) * 0.75 * nearness
        edge = base - rise * (1 - 0.45 * nearness) * canvas.line(cells * (1 + nearness), 6, roughness)
        colour = mix(mix(scene.far, scene.near, nearness), scene.sky_low, scene.haze * (1 - nearness))
        colour = mix(colour, scene.tints[layer % len(scene.tints)], 0.16)
        _slope(canvas, edge, colour, nearness)


def _slope(canvas: Canvas, edge: Floats, colour: Colour, nearness: float) -> None:
    """A ridge lit from above its edge and darker towards its foot."""
    depth = np.clip((canvas.y - edge[None, :]) * 3.0, 0, 1)[..., None]
    grain = canvas.noise(6, 3, stretch=1.5)[..., None] * 0.10
    shaded = np.asarray(colour, np.float32) * (1.18 - 0.45 * depth + grain)
    canvas.paint(canvas.below(edge), np.clip(shaded, 0, 1), detail=0.35 + 0.5 * nearness)


def _hills(canvas: Canvas, scene: Scene) -> None:
    _layers(canvas, scene, count=5, rise=0.07, cells=1.6, roughness=0.35)


def _mountains(canvas: Canvas, scene: Scene) -> None:
    _layers(canvas, scene, count=5, rise=0.13, cells=1.8, roughness=0.55)


def _dunes(canvas: Canvas, scene: Scene) -> None:
    _layers(canvas, scene, count=5, rise=0.08, cells=1.1, roughness=0.18)


def _meadow(canvas: Canvas, scene: Scene) -> None:
    _layers(canvas, scene, count=4, rise=0.05, cells=1.2, roughness=0.3)
    for tint in (*scene.tints, (0.96, 0.90, 0.70)):
        for _ in range(60):
            y = scene.horizon + (1 - scene.horizon) * (0.25 + 0.75 * float(canvas.random.random()) ** 0.7)
            size = 0.004 + 0.02 * (y - scene.horizon)
            _dot(canvas, float(canvas.random.random()), y, size, tint)


def _dot(canvas: Canvas, x: float, y: float, radius: float, colour: Colour) -> None:
    """A small disc, drawn only where it is: many of them would be slow over the whole picture."""
    reach = max(2, round(radius * canvas.height))
    row, column = round(y * canvas.height), round(x * canvas.width)
    rows = slice(max(0, row - reach), row + reach)
    columns = slice(max(0, column - reach), column + reach)
    canvas.rgb[rows, columns] = np.asarray(colour, np.float32) * (0.85 + 0.3 * float(canvas.random.random()))
    canvas.detail[rows, columns] = 0.8


def _sea(canvas: Canvas, scene: Scene) -> None:
    shore = np.full(canvas.width, scene.horizon, np.float32)
    _slope(canvas, shore - 0.03 - 0.035 * canvas.line(1.3, 5, 0.5), mix(scene.far, scene.sky_low, 0.45), 0.0)
    water = canvas.below(shore)
    fall = np.clip((canvas.y - scene.horizon) / (1 - scene.horizon), 0, 1)
    far, near = np.asarray(mix(scene.far, scene.sky_low, 0.5), np.float32), np.asarray(scene.near, np.float32)
    canvas.paint(water, far + (fall**0.7)[..., None] * (near - far), detail=0.55)
    waves = canvas.noise(14, 3, stretch=7) * (0.25 + fall)
    canvas.paint(water * np.clip(waves - 0.15, 0, 1) * 0.6, mix(scene.sky_low, scene.tints[0], 0.2))
    canvas.paint(water * np.clip(-waves - 0.2, 0, 1) * 0.5, mix(scene.near, (0, 0, 0), 0.3))
    if scene.light:
        width = 0.05 + 0.16 * fall
        path = np.exp(-(((canvas.x - scene.light_x) / width) ** 2)) * np.clip(
            canvas.noise(22, 2, stretch=6) + 0.5, 0, 1
        )
        canvas.paint(water * path, scene.light_colour)


def _forest(canvas: Canvas, scene: Scene) -> None:
    for layer in range(4):
        nearness = layer / 3
        base = scene.horizon + 0.05 + 0.3 * nearness - 0.04 * canvas.line(1.5, 4, 0.4)
        height, width = 0.12 + 0.30 * nearness, 0.03 + 0.05 * nearness
        crowns = np.zeros(canvas.width, np.float32)
        across = np.linspace(0, canvas.aspect, canvas.width, dtype=np.float32)
        for _ in range(round(canvas.aspect * (1.4 / width) * 0.8)):
            middle, tall = canvas.random.uniform(0, canvas.aspect), canvas.random.uniform(0.45, 1.0)
            crowns = np.maximum(crowns, tall * np.clip(1 - np.abs(across - middle) / width, 0, 1) ** 0.8)
        ragged = 0.012 * (1 + nearness) * canvas.line(30, 2, 0.5)
        colour = mix(mix(scene.far, scene.near, nearness), scene.sky_low, scene.haze * (1 - nearness) * 0.8)
        colour = mix(colour, scene.tints[layer % len(scene.tints)], 0.12)
        _slope(canvas, base - height * crowns + ragged, colour, nearness)


def _city(canvas: Canvas, scene: Scene) -> None:
    for layer in range(4):
        nearness = layer / 3
        edge = np.full(canvas.width, scene.horizon + 0.08 * nearness, np.float32)
        left = -int(canvas.random.integers(20))
        while left < canvas.width:
            wide = int(canvas.height * canvas.random.uniform(0.035, 0.10) * (0.7 + nearness)) + 2
            tall = canvas.random.uniform(0.06, 0.36) * (1.15 - 0.45 * nearness)
            edge[max(0, left) : left + wide] -= tall if canvas.random.random() > 0.12 else tall * 1.6
            left += wide + int(canvas.random.integers(1, 4))
        colour = mix(mix(scene.far, scene.near, nearness), scene.sky_low, scene.haze * (1 - nearness))
        _slope(canvas, edge, mix(colour, scene.tints[layer % len(scene.tints)], 0.15), nearness)
        _windows(canvas, scene, edge, nearness)


def _windows(canvas: Canvas, scene: Scene, edge: Floats, nearness: float) -> None:
    step = max(4, canvas.height // 56)
    for column in range(step, canvas.width - step, step):
        top = int((float(edge[column]) + 0.02) * canvas.height)
        for row in range(top, min(canvas.height, int((scene.horizon + 0.1) * canvas.height)), step + 2):
            if canvas.random.random() < 0.16 + 0.14 * nearness + 0.15 * scene.stars:
                glow = mix(scene.light_colour, (1.0, 0.82, 0.45), 0.6)
                canvas.rgb[row : row + step // 2, column : column + step // 2] = glow


def _table(canvas: Canvas, scene: Scene) -> None:
    canvas.paint(0.5 * canvas.glow(scene.light_x, 0.35, 0.5), mix(scene.sky_low, scene.tints[0], 0.3))
    edge = np.full(canvas.width, scene.horizon, np.float32)
    _slope(canvas, edge, mix(scene.near, scene.tints[-1], 0.3), 0.6)
    canvas.paint(canvas.below(edge) * 0.4 * canvas.glow(scene.light_x, 0.9, 0.4), scene.sky_low)


def _swirls(canvas: Canvas, scene: Scene) -> None:
    """Bands of colour folded by noise, with a few discs: for prompts that name no place."""
    colours = [scene.sky_top, *scene.tints, scene.sky_low, scene.near, scene.far]
    folded = canvas.y * 2.2 + canvas.x * 0.8 + 0.55 * canvas.noise(1.3, 3) + 0.12 * canvas.noise(4, 2)
    place = np.mod(folded * 1.6, len(colours))
    low = place.astype(int) % len(colours)
    table = np.asarray(colours, np.float32)
    share = np.clip((place - np.floor(place) - 0.75) * 4, 0, 1)[..., None]
    canvas.rgb = table[low] * (1 - share) + table[(low + 1) % len(colours)] * share
    canvas.detail[:] = 0.45
    for index in range(int(canvas.random.integers(2, 6))):
        x, y = canvas.random.uniform(0.1, 0.9, 2)
        radius = float(canvas.random.uniform(0.04, 0.16))
        canvas.paint(canvas.disc(float(x), float(y), radius) * 0.85, colours[(index * 2 + 1) % len(colours)], 0.3)


def _space(canvas: Canvas, scene: Scene) -> None:
    for tint in scene.tints:
        canvas.paint(np.clip(canvas.noise(1.6, 6) - 0.05, 0, 1) * 0.7, mix(tint, scene.sky_low, 0.3), detail=0.4)
    radius = scene.light_size * 4
    x, y = 1 - scene.light_x, scene.horizon
    planet = canvas.disc(x, y, radius)
    lit = np.clip(0.75 - ((canvas.x - x) * canvas.aspect - (canvas.y - y)) / radius * 0.6, 0.05, 1)[..., None]
    bands = (0.85 + 0.25 * np.sin(canvas.y * 60 + canvas.noise(3, 2) * 3))[..., None]
    canvas.paint(
        planet, np.clip(np.asarray(mix(scene.tints[-1], scene.light_colour, 0.35), np.float32) * lit * bands, 0, 1)
    )


def _bust(canvas: Canvas, scene: Scene) -> None:
    """Head and shoulders, lit from one side: enough for the quilting to make a face-like middle."""
    middle = 0.5 + 0.12 * (scene.light_x - 0.5)
    across = (canvas.x - middle) * canvas.aspect / min(canvas.aspect, 1.0)
    skin = mix((0.86, 0.68, 0.56), scene.tints[0], 0.15)
    lit = np.clip(1.0 - across * (1.6 if scene.light_x < 0.5 else -1.6), 0.45, 1.25)[..., None]
    shoulders = 0.80 + 1.1 * across**2
    body = np.clip((canvas.y - shoulders) * canvas.height / 2, 0, 1) * (np.abs(across) < 0.42)
    neck = ((np.abs(across) < 0.075) & (canvas.y > 0.5) & (canvas.y < 0.9)).astype(np.float32)
    hair = np.clip((1 - np.hypot(across / 0.215, (canvas.y - 0.37) / 0.275)) * 12, 0, 1)
    head = np.clip((1 - np.hypot(across / 0.165, (canvas.y - 0.42) / 0.225)) * 12, 0, 1)
    canvas.paint(hair, np.asarray(mix(scene.near, scene.tints[-1], 0.25), np.float32) * 0.6, 0.7)
    canvas.paint(neck, np.clip(np.asarray(skin, np.float32) * lit * 0.8, 0, 1), 0.3)
    canvas.paint(body, np.clip(np.asarray(mix(scene.tints[-1], scene.near, 0.4), np.float32) * lit, 0, 1), 0.7)
    canvas.paint(head, np.clip(np.asarray(skin, np.float32) * lit, 0, 1), 0.25)
    for x, y, wide, tall, share in FEATURES:
        spot = np.exp(-(((across - x) / wide) ** 2) - ((canvas.y - y) / tall) ** 2).astype(np.float32)
        canvas.paint(spot * share, mix(scene.near, (0.2, 0.06, 0.06), 0.5))


# eyes, brows, the shadow of the nose, mouth: across, down, width, height, darkness
FEATURES = (
    (-0.066, 0.405, 0.030, 0.013, 0.9),
    (0.066, 0.405, 0.030, 0.013, 0.9),
    (-0.068, 0.372, 0.042, 0.010, 0.6),
    (0.068, 0.372, 0.042, 0.010, 0.6),
    (0.014, 0.47, 0.014, 0.05, 0.35),
    (0.0, 0.545, 0.050, 0.012, 0.75),
)


GROUND = {
    "hills": _hills,
    "mountains": _mountains,
    "dunes": _dunes,
    "meadow": _meadow,
    "sea": _sea,
    "forest": _forest,
    "city": _city,
    "table": _table,
    "swirls": _swirls,
    "space": _space,
}
