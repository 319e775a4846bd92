"""Draws a small sample dataset, ten pictures of a lighthouse, for people who have none at hand."""

import io
import math
import random
import zipfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

SIDE = 768
COUNT = 10
Colour = tuple[int, int, int]
SKIES: tuple[tuple[Colour, Colour, Colour], ...] = (  # top, horizon, sea
    ((92, 148, 214), (236, 226, 205), (38, 92, 138)),
    ((52, 58, 110), (244, 148, 96), (58, 66, 110)),
    ((24, 30, 66), (88, 92, 142), (22, 36, 70)),
    ((150, 190, 214), (250, 240, 224), (72, 138, 150)),
    ((214, 120, 98), (254, 214, 148), (118, 92, 112)),
)


def write_sample(path: Path) -> Path:
    """A zip of drawn pictures, each with a caption; the same bytes every time."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number in range(COUNT):
            picture = io.BytesIO()
            draw_lighthouse(number).save(picture, "JPEG", quality=90)
            stem = f"lighthouse-{number + 1:02d}"
            archive.writestr(zipfile.ZipInfo(f"{stem}.jpg"), picture.getvalue())
            archive.writestr(zipfile.ZipInfo(f"{stem}.txt"), "a lighthouse on a rock above the sea")
    return path


def draw_lighthouse(number: int) -> Image.Image:
    chance = random.Random(number)  # noqa: S311 - a drawing, not a secret
    top, horizon, sea = SKIES[number % len(SKIES)]
    image = _sky(top, horizon)
    draw = ImageDraw.Draw(image)
    line = int(SIDE * chance.uniform(0.58, 0.7))
    _sun(image, chance, line)
    _clouds(image, chance, line)
    _sea(draw, chance, line, sea, horizon)
    foot = int(SIDE * chance.uniform(0.3, 0.7))
    _rock(draw, chance, foot, line)
    _tower(draw, foot, line - 40, chance.uniform(0.8, 1.25))
    return image.filter(ImageFilter.GaussianBlur(0.6))


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _sky(top: Colour, horizon: Colour) -> Image.Image:
    strip = Image.new("RGB", (1, SIDE))
    for y in range(SIDE):
        strip.putpixel((0, y), _mix(top, horizon, min(y / (SIDE * 0.65), 1.0)))
    return strip.resize((SIDE, SIDE))


def _sun(image: Image.Image, chance: random.Random, line: int) -> None:
    x, y, size = chance.randint(90, SIDE - 90), chance.randint(80, line - 90), chance.randint(34, 58)
    glow = Image.new("L", image.size)
    ImageDraw.Draw(glow).ellipse((x - size * 2, y - size * 2, x + size * 2, y + size * 2), fill=120)
    glow = glow.filter(ImageFilter.GaussianBlur(size))
    ImageDraw.Draw(glow).ellipse((x - size, y - size, x + size, y + size), fill=255)
    image.paste((255, 244, 214), (0, 0), glow.filter(ImageFilter.GaussianBlur(2)))


def _clouds(image: Image.Image, chance: random.Random, line: int) -> None:
    mask = Image.new("L", image.size)
    draw = ImageDraw.Draw(mask)
    for _ in range(chance.randint(2, 5)):
        x, y = chance.randint(0, SIDE), chance.randint(40, line - 140)
        for _ in range(9):
            dx, dy, radius = chance.randint(-90, 90), chance.randint(-14, 14), chance.randint(16, 38)
            draw.ellipse((x + dx - radius * 2, y + dy - radius, x + dx + radius * 2, y + dy + radius), fill=120)
    image.paste((255, 250, 246), (0, 0), mask.filter(ImageFilter.GaussianBlur(12)))


def _sea(draw: ImageDraw.ImageDraw, chance: random.Random, line: int, sea: Colour, horizon: Colour) -> None:
    for y in range(line, SIDE):
        draw.line((0, y, SIDE, y), fill=_mix(_mix(sea, horizon, 0.45), sea, min((y - line) / 90, 1.0)))
    for _ in range(150):
        y = line + int((SIDE - line) * chance.random() ** 1.5)
        x, length = chance.randint(-40, SIDE), 10 + (y - line) // 4
        shine = _mix(sea, (255, 255, 255), chance.uniform(0.15, 0.45))
        draw.arc((x, y - 4, x + length, y + 4), 200, 340, fill=shine, width=2)


def _rock(draw: ImageDraw.ImageDraw, chance: random.Random, foot: int, line: int) -> None:
    base: Colour = (74, 66, 60)
    width = chance.randint(170, 260)
    ridge = [
        (foot + dx, line - 40 + int(abs(dx) ** 1.5 / 26) + chance.randint(-7, 7)) for dx in range(-width, width + 1, 17)
    ]
    water = line + 60
    above = [(x, y) for x, y in ridge if y < water]
    draw.polygon([(above[0][0], water), *above, (above[-1][0], water)], fill=base)
    for x, y in above[1:-2:2]:
        facet = [(x, y), (x + 24, y + 12), (x + 9, min(y + 40, water))]
        draw.polygon(facet, fill=_mix(base, (150, 138, 122), 0.5))


def _tower(draw: ImageDraw.ImageDraw, foot: int, ground: int, scale: float) -> None:
    height, wide, narrow = int(280 * scale), int(46 * scale), int(30 * scale)
    bands = 7
    for band in range(bands):
        low, high = ground - height * band // bands, ground - height * (band + 1) // bands
        left = wide - (wide - narrow) * band / bands
        right = wide - (wide - narrow) * (band + 1) / bands
        colour = (192, 54, 48) if band % 2 else (242, 236, 226)
        draw.polygon([(foot - left, low), (foot + left, low), (foot + right, high), (foot - right, high)], fill=colour)
    top = ground - height
    draw.rectangle((foot - narrow - 10, top - 8, foot + narrow + 10, top), fill=(60, 60, 66))
    draw.rectangle((foot - narrow + 6, top - 8 - 40 * scale, foot + narrow - 6, top - 8), fill=(255, 226, 140))
    roof = top - 8 - 40 * scale
    draw.polygon([(foot - narrow - 4, roof), (foot + narrow + 4, roof), (foot, roof - 34 * scale)], fill=(150, 40, 38))
    for step in range(3):
        y = ground - height * (0.25 + 0.22 * step)
        draw.rectangle((foot - 6, y, foot + 6, y + 18 * math.sqrt(scale)), fill=(70, 84, 104))
