from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor
from pathlib import Path

import pytest

from bot.datasets.pool import open_pool
from storage.database import Database
from tests.dataset_files import photo_zip
from tests.workflows.workshop import Workshop


@pytest.fixture(scope="session")
def pool() -> Iterator[Executor]:
    with open_pool(1) as pool:
        yield pool


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photo_zip(tmp_path_factory.mktemp("photos") / "luna.zip", count=5)


@pytest.fixture
async def workshop(database: Database, tmp_path: Path, pool: Executor) -> AsyncIterator[Workshop]:
    """On SQLite and on PostgreSQL."""
    workshop = Workshop(database, tmp_path, pool)
    await workshop.start()
    yield workshop
    await workshop.close()
