"""One pool of processes for the whole folder, and `hand_over`, which does what a workflow does with an upload."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Executor
from pathlib import Path

import pytest
from PIL import Image

from bot.datasets.images import prepare_image
from bot.datasets.limits import DatasetLimits
from bot.datasets.pool import open_pool
from bot.datasets.preparation import SourceFile, prepare
from bot.datasets.report import LeftOut, Prepared, PreparedImage

Prepare = Callable[[bytes], Image.Image]
VerdictOn = Callable[[bytes], PreparedImage | LeftOut]
HandOver = Callable[..., Awaitable[Prepared]]


@pytest.fixture(scope="session")
def pool() -> Iterator[Executor]:
    with open_pool(2) as processes:
        yield processes


@pytest.fixture
def prepared_into(tmp_path: Path) -> Path:
    return tmp_path / "prepared"


@pytest.fixture
def hand_over(tmp_path: Path, prepared_into: Path, pool: Executor) -> HandOver:
    async def hand_over(
        files: Mapping[str, bytes], *, limits: DatasetLimits | None = None, most: int = 100
    ) -> Prepared:
        sources = []
        for number, (name, content) in enumerate(files.items()):
            path = tmp_path / f"received-{number}"
            path.write_bytes(content)
            sources.append(SourceFile(path=path, name=name))
        return await prepare(sources, into=prepared_into, pool=pool, limits=limits or DatasetLimits(), most=most)

    return hand_over


@pytest.fixture
def verdict_on(tmp_path: Path) -> VerdictOn:
    def verdict_on(content: bytes) -> PreparedImage | LeftOut:
        source = tmp_path / "source"
        source.write_bytes(content)
        (tmp_path / "into").mkdir(exist_ok=True)
        return prepare_image(source, "a.jpg", tmp_path / "into", DatasetLimits())

    return verdict_on


@pytest.fixture
def prepared(verdict_on: VerdictOn, tmp_path: Path) -> Prepare:
    def prepared(content: bytes) -> Image.Image:
        verdict = verdict_on(content)
        assert isinstance(verdict, PreparedImage), verdict
        picture = Image.open(tmp_path / "into" / f"{verdict.sha256}.jpg")
        picture.load()
        assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (verdict.width, verdict.height))
        return picture

    return prepared
