"""What everybody promises who describes pictures, the same tests for each."""

import asyncio
import importlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.datasets.captions.captions import MAX_CAPTION_CHARACTERS, cleaned_caption
from bot.errors import ProviderError, ProviderRefused
from bot.providers.card import CaptionerCard
from bot.providers.contract import Ability, Captions, abilities_of
from bot.providers.registry import Providers
from tests.dataset_files import jpeg_bytes, photo, png_bytes
from tests.providers.benches.bench import Bench, Mishap, each_mishap

PROVIDERS = ("local", "replicate", "fal", "bfl", "together")
DESCRIBE = ("local", "replicate")
TOO_LARGE = 20 * 2**20 + 1


@pytest.fixture
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    folder = tmp_path / "bench"
    folder.mkdir()
    async with importlib.import_module(f"tests.providers.benches.{request.param}").open_bench(folder) as opened:
        yield opened


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.jpg"
    path.write_bytes(jpeg_bytes(photo(1, size=(96, 80))))
    return path


everybody = pytest.mark.parametrize("bench", PROVIDERS, indirect=True)
who_describes = pytest.mark.parametrize("bench", DESCRIBE, indirect=True)


def captioner_of(bench: Bench) -> Captions:
    assert isinstance(bench.provider, Captions)
    return bench.provider


def card_of(bench: Bench) -> CaptionerCard:
    card = bench.provider.card.captioner
    assert card is not None
    return card


async def described(bench: Bench, picture: Path) -> str:
    describing = asyncio.create_task(captioner_of(bench).caption(picture))
    async with asyncio.timeout(60):
        while not describing.done():
            await bench.finish()
            await asyncio.sleep(0.02)
        return await describing


@everybody
def test_who_describes_says_so_on_the_card(bench: Bench) -> None:
    name, card = bench.provider.card.name, bench.provider.card.captioner
    assert (card is not None) == isinstance(bench.provider, Captions) == (name in DESCRIBE)
    assert (Ability.CAPTION in abilities_of(bench.provider)) == (name in DESCRIBE)
    assert Providers([bench.provider]).captioners() == ([(bench.provider.card, card)] if card else [])


@who_describes
def test_a_captioners_card_is_sound(bench: Bench) -> None:
    card = card_of(bench)
    assert card.title
    assert card.usd_per_caption is None or card.usd_per_caption >= 0


@who_describes
@pytest.mark.parametrize("kind", ["jpg", "png"])
async def test_a_picture_is_described_in_a_line_of_plain_text(bench: Bench, tmp_path: Path, kind: str) -> None:
    encoded = jpeg_bytes if kind == "jpg" else png_bytes
    (tmp_path / f"picture.{kind}").write_bytes(encoded(photo(1, size=(96, 80))))
    said = await described(bench, tmp_path / f"picture.{kind}")
    assert said == cleaned_caption(said)
    assert 0 < len(said) <= MAX_CAPTION_CHARACTERS


@who_describes
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.jpg", b"no picture at all"),
        ("sound.webp", b"RIFF\x10\0\0\0WAVEfmt "),
        ("empty.png", b""),
        ("large.jpg", b"\xff\xd8\xff" + bytes(TOO_LARGE)),
        ("gone.jpg", None),
    ],
)
async def test_what_cannot_be_described_is_refused_and_costs_nothing(
    bench: Bench, tmp_path: Path, name: str, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ProviderRefused) as caught:
        await described(bench, tmp_path / name)
    assert_a_sentence(caught.value)
    assert str(tmp_path) not in caught.value.sentence
    assert bench.paid() == 0


@who_describes
@each_mishap
async def test_what_befalls_a_description_is_said_and_it_is_asked_for_once(
    bench: Bench, picture: Path, mishap: Mishap, error: type[ProviderError], paid: int
) -> None:
    if not bench.cause(mishap):
        pytest.skip(f"{bench.provider.card.title} cannot meet this: {mishap}")
    with pytest.raises(error) as caught:
        await described(bench, picture)
    assert_a_sentence(caught.value)
    assert bench.paid() == (0 if card_of(bench).usd_per_caption == 0 else paid)
    assert await described(bench, picture), "the next one goes through"


@who_describes
async def test_a_look_that_fails_in_passing_hinders_no_description(bench: Bench, picture: Path) -> None:
    bench.stop_answering_once()
    assert await described(bench, picture)
    assert bench.paid() <= 1


@who_describes
async def test_several_pictures_are_described_at_once(bench: Bench, picture: Path) -> None:
    said = await asyncio.gather(*(described(bench, picture) for _ in range(2)))
    assert len(set(said)) == 1


def assert_a_sentence(error: ProviderError) -> None:
    assert 0 < len(error.sentence) < 400
    assert error.sentence.endswith(".")
