"""A report sheet shows every picture with its verdict, small enough to send and large enough to read."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bot.pictures.badges import COLOURS
from bot.pictures.sheets import BACKGROUND, MOST_TILES, SPACE, Mark, Tile, write_report_sheet
from tests.dataset_files import photo, real_photos

SECONDS = 1.0 * 5  # the budget, on a machine that is five times slower or busy


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """As they are trained on: real photographs, at 1536 pixels."""
    folder = tmp_path_factory.mktemp("pictures")
    found = []
    for number, content in enumerate(real_photos().values()):
        (folder / f"{number}.raw").write_bytes(content)
        with Image.open(folder / f"{number}.raw") as image:
            scale = 1536 / max(image.size)
            large = image.convert("RGB").resize((round(image.width * scale), round(image.height * scale)))
        large.save(folder / f"{number}.jpg", "JPEG", quality=95, subsampling=0)
        found.append(folder / f"{number}.jpg")
    return found


def tiles(paths: Sequence[Path], count: int, mark: Mark = Mark.GOOD, label: str = "") -> list[Tile]:
    return [Tile(path=paths[number % len(paths)], number=number + 1, mark=mark, label=label) for number in range(count)]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def share_near(sheet: np.ndarray, colour: tuple[int, int, int]) -> float:
    return float((np.abs(sheet - colour).max(axis=2) < 24).mean())


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 10, 12, 13, 20, 21, 40])
def test_a_sheet_is_neither_too_wide_nor_too_narrow(paths: list[Path], tmp_path: Path, count: int) -> None:
    written = write_report_sheet(tiles(paths, count), tmp_path / "sheet.jpg")
    with Image.open(written) as sheet:
        assert sheet.format == "JPEG"
        assert sheet.width <= 1400
        assert sheet.width > 1300 or count < 3
    blank = share_near(pixels(written), BACKGROUND)
    assert blank < 0.45, "the last row is nearly empty"


def test_a_full_sheet_is_quick_and_small(paths: list[Path], tmp_path: Path) -> None:
    began = time.perf_counter()
    written = write_report_sheet(tiles(paths, 40, Mark.DOUBT, "a little blurry"), tmp_path / "sheet.jpg", beyond=360)
    assert time.perf_counter() - began < SECONDS
    assert written.stat().st_size < 1_500_000


def test_what_does_not_fit_is_counted_on_the_last_tile(paths: list[Path], tmp_path: Path) -> None:
    full = write_report_sheet(tiles(paths, MOST_TILES), tmp_path / "full.jpg")
    more = write_report_sheet(tiles(paths, MOST_TILES), tmp_path / "more.jpg", beyond=360)
    surplus = write_report_sheet(tiles(paths, MOST_TILES + 5), tmp_path / "surplus.jpg")
    seen = [pixels(path) for path in (full, more, surplus)]
    assert len({sheet.shape for sheet in seen}) == 1
    assert np.abs(seen[0][:1500] - seen[1][:1500]).max() == 0
    last = [sheet[-200:, -200:] for sheet in seen]
    assert np.abs(last[0] - last[1]).mean() > 20
    assert np.abs(last[2] - last[1]).mean() < 20


@pytest.mark.parametrize("mark", Mark)
def test_a_verdict_has_a_colour_of_its_own(tmp_path: Path, mark: Mark) -> None:
    path = tmp_path / "picture.jpg"
    photo(3, (1536, 1152)).convert("L").convert("RGB").save(path, quality=95)
    written = write_report_sheet(tiles([path], 3, mark, "a word"), tmp_path / "sheet.jpg")
    seen = {each: share_near(pixels(written), COLOURS[each]) for each in (Mark.GOOD, Mark.DOUBT, Mark.BAD)}
    if mark in (Mark.OUT, Mark.PLAIN):
        assert max(seen.values()) < 0.001
    else:
        assert max(seen, key=lambda each: seen[each]) is mark
        assert seen[mark] > 0.05


def test_verdicts_differ_without_colour(tmp_path: Path) -> None:
    """The symbols at the top right, in grey and with their mean taken off."""
    path = tmp_path / "picture.jpg"
    Image.new("RGB", (800, 800), "#777777").save(path)
    symbols = []
    for mark in Mark:
        with Image.open(write_report_sheet(tiles([path], 3, mark), tmp_path / f"{mark}.jpg")) as sheet:
            side = (sheet.width - 4 * SPACE) // 3
            corner = sheet.convert("1", dither=Image.Dither.NONE).crop(
                (SPACE + side - 90, SPACE + 10, SPACE + side, 110)
            )
            symbols.append(np.asarray(corner))
    differing = [(one != other).mean() for n, one in enumerate(symbols) for other in symbols[:n]]
    assert min(differing) > 0.02


def test_a_picture_left_out_is_grey_and_dim(paths: list[Path], tmp_path: Path) -> None:
    kept = pixels(write_report_sheet(tiles(paths, 3), tmp_path / "kept.jpg"))
    out = pixels(write_report_sheet(tiles(paths, 3, Mark.OUT), tmp_path / "out.jpg"))
    assert out.mean() < kept.mean() * 0.75
    assert (out.max(axis=2) - out.min(axis=2)).mean() < 6


def test_a_long_picture_is_shown_whole(tmp_path: Path) -> None:
    path = tmp_path / "long.jpg"
    long = Image.new("RGB", (1536, 512), "#777777")
    long.paste("#ff00ff", (0, 0, 60, 512))
    long.save(path, quality=95)
    sheet = pixels(write_report_sheet(tiles([path], 1), tmp_path / "sheet.jpg"))
    assert share_near(sheet, (255, 0, 255)) > 0.005


def test_a_rim_is_shown_when_it_is_the_flaw(tmp_path: Path) -> None:
    path = tmp_path / "barred.jpg"
    barred = Image.new("RGB", (1200, 1000), "#777777")
    barred.paste("#ff00ff", (0, 0, 60, 1000))
    barred.save(path, quality=95)
    (tile,) = tiles([path], 1)
    whole = Tile(path=path, number=1, mark=Mark.GOOD, label="", is_whole=True)
    seen = [
        share_near(pixels(write_report_sheet([each], tmp_path / "sheet.jpg")), (255, 0, 255)) for each in (tile, whole)
    ]
    assert seen[0] < 0.005 < seen[1]


@pytest.mark.parametrize("label", ["Моя кошка", "猫", "naïve", "…"])
def test_a_label_that_the_font_may_not_know_is_no_label(label: str) -> None:
    with pytest.raises(AssertionError, match="font"):
        Tile(path=Path("picture.jpg"), number=1, mark=Mark.PLAIN, label=label)


def test_any_label_fits_its_tile(paths: list[Path], tmp_path: Path) -> None:
    """Nothing is written on the ring, whose colour stays plain at the right end of the strip."""
    label = "nearly the same picture as number 123"
    written = write_report_sheet(tiles(paths, 10, Mark.BAD, label), tmp_path / "sheet.jpg")
    sheet = pixels(written)
    side = (1320 + SPACE) // 5 - SPACE
    strip = sheet[SPACE + side - 50 : SPACE + side - 20, SPACE + side - 7 : SPACE + side - 3]
    assert np.abs(strip - COLOURS[Mark.BAD]).max() < 60
