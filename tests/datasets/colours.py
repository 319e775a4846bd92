"""Plain pictures, and how near two colours or pictures are to each other."""

from PIL import Image, ImageChops, ImageStat

RED, WHITE = (200, 30, 30), (255, 255, 255)


def is_near(colour: object, wanted: tuple[int, int, int], tolerance: int = 6) -> bool:
    assert isinstance(colour, tuple)
    return all(abs(have - want) <= tolerance for have, want in zip(colour, wanted, strict=True))


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    bands = ImageStat.Stat(ImageChops.difference(one, other)).mean
    return sum(bands) / len(bands)


def plain(mode: str, colour: float | tuple[float, ...], size: tuple[int, int] = (300, 300)) -> Image.Image:
    return Image.new(mode, size, colour)
