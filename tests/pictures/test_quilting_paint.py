"""Learning and painting: what comes out depends on the pictures, the prompt, the mode, the strength and the seed."""

import importlib.util
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bot.pictures import palette
from bot.pictures.learning import learn
from bot.pictures.learnt import read_manifest
from bot.pictures.painting import SIZES, paint, png_info
from bot.pictures.palette import colour_distance, measure

SCALE = 0.34
WARM = ((150, 40, 20), (220, 120, 40), (240, 190, 90), (90, 30, 20))
COOL = ((20, 60, 120), (50, 130, 170), (150, 200, 220), (15, 30, 60))


def drawn_picture(colours: tuple[tuple[int, int, int], ...], number: int) -> bytes:
    """A coloured ground with a large round thing in the middle and smaller ones about."""
    random = np.random.default_rng(number)
    image = Image.new("RGB", (180, 150), colours[number % len(colours)])
    pen = ImageDraw.Draw(image)
    for index in range(30):
        x, y, radius = random.integers(0, 180), random.integers(0, 150), random.integers(3, 18)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colours[index % len(colours)])
    pen.ellipse(
        (55, 35, 125, 125), fill=colours[(number + 2) % len(colours)], outline=colours[(number + 3) % 4], width=4
    )
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def learnt(
    folder: Path, name: str, pictures: list[Path | bytes], mode: str = "style", captions: list[str] | None = None
) -> Path:
    captions = captions or ["" for _ in pictures]
    weights = folder / f"{name}.zip"
    weights.write_bytes(learn(pictures, captions, mode=mode, trigger_word="TOK", iterations=200))
    return weights


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="module")
def warm(folder: Path) -> Path:
    return learnt(folder, "warm", [drawn_picture(WARM, number) for number in range(5)])


@pytest.fixture(scope="module")
def cool(folder: Path) -> Path:
    return learnt(folder, "cool", [drawn_picture(COOL, number) for number in range(5)])


def painted(weights: Path, prompt: str = "TOK a sunset over the sea", **changes: object) -> Image.Image:
    settings = {"strength": 1.0, "aspect_ratio": "1:1", "seed": 1, "index": 0, "scale": SCALE} | changes
    return paint(weights, prompt, **settings)  # type: ignore[arg-type]


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of softened pixels, 0 to 255: brush hairs do not count, shapes do."""
    small = [np.asarray(image.resize((24, 24), Image.Resampling.BOX), dtype=float) for image in (one, other)]
    return float(np.abs(small[0] - small[1]).mean())


def photographs() -> dict[str, Path]:
    places = {"skimage": "data", "sklearn": "datasets/images"}
    found: dict[str, Path] = {}
    for package, folder in places.items():
        spec = importlib.util.find_spec(package)
        if spec and spec.origin:
            found |= {path.stem: path for path in (Path(spec.origin).parent / folder).iterdir()}
    return found


def test_learning_the_same_pictures_gives_the_same_bytes() -> None:
    pictures = [drawn_picture(WARM, number) for number in range(4)]
    one, other = (learn(pictures, [""] * 4, mode="style", trigger_word="TOK", iterations=100) for _ in range(2))
    assert one == other


def test_more_iterations_describe_the_colours_better() -> None:
    samples = np.concatenate(
        [palette.sample_colours(Image.open(io.BytesIO(drawn_picture(WARM, number)))) for number in range(6)]
    )
    start = palette.first_palette(samples)

    def error(colours: np.ndarray) -> float:
        return float(((samples[:, None] - colours[None]) ** 2).sum(-1).min(1).mean())

    short = palette.refine(samples, start, first=0, last=5)
    long = palette.refine(samples, start, first=0, last=400)
    assert error(long) < error(short) < error(start)


def test_refining_in_chunks_is_the_same_as_refining_at_once() -> None:
    samples = palette.sample_colours(Image.open(io.BytesIO(drawn_picture(COOL, 1))))
    start = palette.first_palette(samples)
    half = palette.refine(samples, start, first=0, last=30)
    assert np.array_equal(
        palette.refine(samples, half, first=30, last=60), palette.refine(samples, start, first=0, last=60)
    )


def test_learning_reports_rising_progress_up_to_one() -> None:
    heard: list[float] = []
    pictures = [drawn_picture(WARM, number) for number in range(4)]
    learn(pictures, [""] * 4, mode="style", trigger_word="TOK", iterations=200, report=heard.append)
    assert heard == sorted(heard)
    assert len(heard) == 8
    assert heard[-1] == 1.0


def test_transparent_and_turned_pictures_are_learnt_as_they_look(folder: Path) -> None:
    clear, turned = io.BytesIO(), io.BytesIO()
    Image.new("RGBA", (60, 40), (0, 0, 0, 0)).save(clear, "PNG")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (60, 40), "red").save(turned, "JPEG", exif=exif)
    manifest = read_manifest(learnt(folder, "odd", [clear.getvalue(), turned.getvalue()]))
    assert manifest.pictures[0].mean[0] > 0.99
    assert (manifest.pictures[1].width, manifest.pictures[1].height) == (40, 60)


def test_what_is_no_picture_cannot_be_learnt() -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        learn([b"hello"], [""], mode="style", trigger_word="TOK", iterations=100)


def test_the_same_request_paints_the_same_picture(warm: Path) -> None:
    assert painted(warm).tobytes() == painted(warm).tobytes()


@pytest.mark.parametrize(
    "changes",
    [{"prompt": "TOK a city at night"}, {"prompt": "melancholy zebra"}, {"seed": 2}, {"index": 1}],
    ids=["another scene", "unknown words", "another seed", "the next picture"],
)
def test_another_request_paints_a_clearly_different_picture(warm: Path, changes: dict[str, object]) -> None:
    assert difference(painted(warm), painted(warm, **changes)) > 6


def test_the_trigger_word_does_not_change_the_scene(warm: Path) -> None:
    assert painted(warm, "TOK mountains").tobytes() == painted(warm, "mountains").tobytes()


def test_a_stronger_model_paints_another_picture(warm: Path) -> None:
    assert difference(painted(warm, strength=0.2), painted(warm, strength=2.0)) > 4


def test_night_is_darker_than_day(cool: Path) -> None:
    night, day = (np.asarray(painted(cool, f"mountains at {time}").convert("L")).mean() for time in ("night", "noon"))
    assert night < day - 15


@pytest.mark.parametrize("strength", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("prompt", ["a blue sea at night", "a red desert sunset"])
def test_colours_stay_closer_to_the_own_drawings(warm: Path, cool: Path, prompt: str, strength: float) -> None:
    for own, other in ((warm, cool), (cool, warm)):
        seen = measure([painted(own, prompt, strength=strength, scale=0.25)])
        assert colour_distance(seen, read_manifest(own).palette) < colour_distance(seen, read_manifest(other).palette)


@pytest.mark.parametrize("mode", ["style", "character"])
def test_colours_stay_closer_to_the_own_photographs(folder: Path, mode: str) -> None:
    found = photographs()
    names = ["coffee", "flower", "china"]
    if not set(names) <= set(found):
        pytest.skip("the example photographs are not installed")
    weights = {name: learnt(folder, f"{name}-{mode}", [found[name]], mode) for name in names}
    palettes = {name: read_manifest(path).palette for name, path in weights.items()}
    for strength in (0.0, 1.0):
        for name, path in weights.items():
            seen = measure([painted(path, "a forest at dawn", strength=strength, scale=0.25)])
            distances = {other: colour_distance(seen, palettes[other]) for other in names}
            assert min(distances, key=lambda other: distances[other]) == name


def test_the_modes_paint_different_pictures(folder: Path) -> None:
    pictures: list[Path | bytes] = [drawn_picture(WARM, number) for number in range(5)]
    seen = [
        painted(learnt(folder, f"mode-{mode}", pictures, mode)) for mode in ("general", "character", "style", "product")
    ]
    for place, one in enumerate(seen):
        for other in seen[place + 1 :]:
            assert difference(one, other) > 3


def test_a_character_stays_recognisable(folder: Path) -> None:
    """The large round thing in the middle is there, in its own colour, in character mode and not in style mode."""
    file = io.BytesIO()
    image = Image.new("RGB", (180, 180), (225, 220, 210))
    ImageDraw.Draw(image).ellipse((50, 40, 130, 140), fill=(170, 20, 30))
    image.save(file, "PNG")
    red = {}
    for mode in ("character", "style"):
        weights = learnt(folder, f"round-{mode}", [file.getvalue()], mode)
        pixels = np.asarray(painted(weights, "a foggy field"), dtype=int)
        side = pixels.shape[0]
        middle = pixels[side * 4 // 10 : side * 7 // 10, side * 4 // 10 : side * 6 // 10].reshape(-1, 3)
        red[mode] = float(((middle[:, 0] - middle[:, 1]) > 70).mean())
    assert red["character"] > 0.8
    assert red["style"] < 0.5


def test_a_caption_that_shares_words_with_the_prompt_is_preferred(folder: Path) -> None:
    pictures: list[Path | bytes] = [drawn_picture(WARM, number) for number in range(4)] + [drawn_picture(COOL, 1)]
    captions = ["a loaf of bread"] * 4 + ["a whale"]
    weights = learnt(folder, "captions", pictures, "character", captions)
    whale, bread = (
        np.asarray(painted(weights, f"TOK {thing}"), dtype=float).mean((0, 1)) for thing in ("whale", "bread")
    )
    assert whale[2] - whale[0] > bread[2] - bread[0]


@pytest.mark.parametrize("aspect_ratio", SIZES)
def test_pictures_have_the_shape_that_was_asked_for(warm: Path, aspect_ratio: str) -> None:
    across, down = (int(part) for part in aspect_ratio.split(":"))
    picture = painted(warm, aspect_ratio=aspect_ratio, scale=0.15)
    assert picture.width / picture.height == pytest.approx(across / down, rel=0.03)


WORDS = ("sea", "forest", "city", "mountain", "hill", "desert", "meadow", "abstract", "space", "table", "portrait")


@pytest.mark.parametrize("word", [*WORDS, "", "Привет 🌍", "\x00\ud800"])
def test_any_prompt_paints_something(warm: Path, word: str) -> None:
    picture = np.asarray(painted(warm, word, scale=0.12), dtype=float)
    assert picture.std() > 8


def test_the_file_says_what_it_is(warm: Path) -> None:
    file = io.BytesIO()
    info = png_info(prompt="été 🌍", seed=7, strength=1.5, trigger_word="TOK")
    painted(warm, scale=0.1).save(file, "PNG", pnginfo=info)
    with Image.open(file) as image:
        assert image.info == {
            "Software": "Atelier",
            "Atelier-Method": "offline preview by image quilting, not FLUX",
            "Atelier-Prompt": "été 🌍",
            "Atelier-Seed": "7",
            "Atelier-Strength": "1.5",
            "Atelier-Trigger-Word": "TOK",
        }
