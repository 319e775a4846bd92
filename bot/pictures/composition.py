"""What a prompt asks for, as a plan of a scene: light, ground, horizon, colours. Words it does not know still count."""

import hashlib
import re
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

Colour = tuple[float, float, float]

GROUNDS = ("hills", "mountains", "sea", "forest", "city", "dunes", "meadow", "table", "swirls", "space")
HASHED_GROUNDS = ("hills", "sea", "mountains", "dunes", "meadow", "swirls", "swirls")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """All positions are shares of the picture. `light` is "sun", "moon" or nothing; `figure` asks for a bust."""

    ground: str = ""
    sky_top: Colour = (0.38, 0.58, 0.84)
    sky_low: Colour = (0.86, 0.90, 0.92)
    far: Colour = (0.55, 0.66, 0.74)
    near: Colour = (0.20, 0.30, 0.22)
    light: str = "sun"
    light_colour: Colour = (1.0, 0.96, 0.84)
    light_x: float = 0.5
    light_y: float = 0.3
    light_size: float = 0.07
    horizon: float = 0.6
    clouds: float = 0.5
    stars: bool = False
    haze: float = 0.3
    figure: bool = False
    tints: tuple[Colour, ...] = field(default=())


_SUNSET = {"sky_top": (0.28, 0.22, 0.46), "sky_low": (0.99, 0.68, 0.36), "far": (0.62, 0.36, 0.42),
           "near": (0.16, 0.09, 0.16), "light_colour": (1.0, 0.86, 0.55), "light_y": 0.5}  # fmt: skip
_DAWN = {"sky_top": (0.45, 0.52, 0.75), "sky_low": (0.99, 0.82, 0.74), "far": (0.66, 0.60, 0.70),
         "near": (0.24, 0.24, 0.32), "light_colour": (1.0, 0.92, 0.80), "light_y": 0.48}  # fmt: skip
_NIGHT = {"sky_top": (0.02, 0.03, 0.10), "sky_low": (0.14, 0.20, 0.36), "far": (0.10, 0.14, 0.24),
          "near": (0.02, 0.03, 0.06), "light": "moon", "light_colour": (0.93, 0.95, 1.0), "stars": True,
          "light_y": 0.2, "light_size": 0.055, "clouds": 0.2}  # fmt: skip
_DAY = {"sky_top": (0.30, 0.56, 0.90), "sky_low": (0.88, 0.94, 0.97), "light_y": 0.16}
_STORM = {"sky_top": (0.20, 0.23, 0.28), "sky_low": (0.56, 0.58, 0.60), "far": (0.36, 0.40, 0.44),
          "near": (0.12, 0.14, 0.15), "light": "", "clouds": 1.0}  # fmt: skip
_FOG = {"haze": 0.85, "clouds": 0.7, "light": "", "sky_top": (0.70, 0.73, 0.76), "sky_low": (0.90, 0.90, 0.89)}
_SNOW = {"near": (0.86, 0.90, 0.95), "far": (0.66, 0.73, 0.84), "sky_top": (0.58, 0.68, 0.82)}
_SEA = {"ground": "sea", "near": (0.06, 0.22, 0.34), "far": (0.40, 0.58, 0.66)}
_FOREST = {"ground": "forest", "near": (0.07, 0.16, 0.09), "far": (0.50, 0.62, 0.50), "horizon": 0.55}
_CITY = {"ground": "city", "near": (0.12, 0.12, 0.17), "far": (0.52, 0.54, 0.62), "horizon": 0.72}
_DESERT = {"ground": "dunes", "near": (0.62, 0.38, 0.20), "far": (0.88, 0.70, 0.48), "clouds": 0.1}
_MEADOW = {"ground": "meadow", "near": (0.22, 0.42, 0.16), "far": (0.62, 0.74, 0.50), "horizon": 0.5}
_TABLE = {"ground": "table", "near": (0.42, 0.29, 0.20), "sky_top": (0.30, 0.29, 0.30), "sky_low": (0.62, 0.58, 0.52),
          "light": "", "clouds": 0.3, "horizon": 0.68}  # fmt: skip
_SPACE = {**_NIGHT, "ground": "space", "sky_low": (0.10, 0.05, 0.18)}
_PORTRAIT = {"figure": True, "light": "", "clouds": 0.6, "horizon": 0.8}

LEXICON: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "table": (("table", "room", "interior", "studio", "kitchen", "still", "indoors", "desk", "product"), _TABLE),
    "sea": (("sea", "ocean", "beach", "lake", "river", "water", "wave", "coast", "harbour", "harbor", "boat"), _SEA),
    "forest": (("forest", "tree", "wood", "jungle", "pine", "park"), _FOREST),
    "city": (("city", "street", "building", "skyline", "town", "tower", "urban", "castle", "temple", "palace"), _CITY),
    "mountain": (("mountain", "alps", "peak", "cliff", "volcano", "canyon"), {"ground": "mountains"}),
    "hill": (("hill", "valley", "village", "landscape", "countryside"), {"ground": "hills"}),
    "desert": (("desert", "dune", "sand", "sahara", "mars"), _DESERT),
    "meadow": (("meadow", "field", "garden", "flower", "grass", "spring", "blossom"), _MEADOW),
    "abstract": (("abstract", "dream", "pattern", "swirl", "texture", "music", "psychedelic"), {"ground": "swirls"}),
    "space": (("space", "galaxy", "planet", "cosmos", "universe", "nebula", "rocket"), _SPACE),
    "snow": (("snow", "winter", "ice", "snowy", "frozen", "arctic"), _SNOW),
    "portrait": (("portrait", "face", "person", "woman", "man", "girl", "boy", "selfie", "bust"), _PORTRAIT),
    "day": (("day", "noon", "sunny", "bright", "summer", "daylight", "sun"), _DAY),
    "dawn": (("dawn", "sunrise", "morning", "pastel"), _DAWN),
    "sunset": (("sunset", "dusk", "golden", "evening", "autumn", "fire"), _SUNSET),
    "storm": (("storm", "rain", "thunder", "cloudy", "stormy", "grey", "gray", "rainy"), _STORM),
    "fog": (("fog", "mist", "misty", "foggy", "haze", "smoke"), _FOG),
    "night": (("night", "midnight", "moon", "star", "dark", "starry", "moonlit", "neon", "moonlight"), _NIGHT),
}

COLOURS: dict[str, Colour] = {
    "red": (0.82, 0.16, 0.15), "crimson": (0.70, 0.08, 0.18), "orange": (0.94, 0.52, 0.14),
    "yellow": (0.96, 0.83, 0.25), "gold": (0.86, 0.68, 0.24), "green": (0.24, 0.60, 0.28),
    "emerald": (0.08, 0.55, 0.40), "teal": (0.10, 0.52, 0.54), "turquoise": (0.20, 0.74, 0.74),
    "blue": (0.18, 0.38, 0.78), "azure": (0.30, 0.62, 0.92), "indigo": (0.28, 0.20, 0.60),
    "purple": (0.50, 0.24, 0.62), "violet": (0.56, 0.34, 0.78), "pink": (0.95, 0.60, 0.72),
    "magenta": (0.80, 0.20, 0.60), "brown": (0.44, 0.28, 0.17), "white": (0.95, 0.95, 0.94),
    "black": (0.06, 0.06, 0.07), "silver": (0.74, 0.76, 0.79),
}  # fmt: skip


def words_of(prompt: str, trigger_word: str = "") -> tuple[str, ...]:
    """The prompt's words in small letters, without the trigger word, which every prompt has."""
    found = re.findall(r"\w+", prompt.casefold())
    hidden = set(re.findall(r"\w+", trigger_word.casefold()))
    return tuple(word for word in found if word not in hidden)


def compose(words: tuple[str, ...], *, seed: int) -> Scene:
    """The scene for these words: the words decide what, the seed only moves it about."""
    known = {_singular(word) for word in words} | set(words)
    scene = Scene()
    for synonyms, changes in LEXICON.values():
        if known & set(synonyms):
            scene = replace(scene, **changes)
    tints = tuple(COLOURS[word] for word in words if word in COLOURS)[:4]
    return _place(replace(scene, tints=tints), words, seed)


def number_of(*parts: object) -> int:
    """A stable 64-bit number for these values, the same on every machine and in every process."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big")


def _place(scene: Scene, words: tuple[str, ...], seed: int) -> Scene:
    """Unknown words hash into where things are, and into a ground when no word named one."""
    from_words = np.random.default_rng(number_of("scene", *words))
    from_seed = np.random.default_rng(number_of("place", seed, *words))
    ground = scene.ground or ("table" if scene.figure else str(from_words.choice(HASHED_GROUNDS)))
    tints = scene.tints or tuple(_hashed_tint(from_words) for _ in range(2))
    return replace(
        scene,
        ground=ground,
        tints=tints,
        horizon=float(np.clip(scene.horizon + from_words.normal(0, 0.05) + from_seed.normal(0, 0.04), 0.38, 0.82)),
        light_x=float(np.clip(from_words.uniform(0.2, 0.8) + from_seed.normal(0, 0.12), 0.12, 0.88)),
        light_y=float(np.clip(scene.light_y + from_seed.normal(0, 0.04), 0.1, 0.6)),
        light_size=scene.light_size * float(from_seed.uniform(0.8, 1.5)),
    )


def _hashed_tint(random: np.random.Generator) -> Colour:
    names = tuple(COLOURS)
    return COLOURS[names[int(random.integers(len(names) - 2))]]


def _singular(word: str) -> str:
    return word.removesuffix("s")
