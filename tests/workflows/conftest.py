import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor
from pathlib import Path

import psycopg
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


@pytest.fixture(scope="session")
def started_once_sqlite(tmp_path_factory: pytest.TempPathFactory, pool: Executor) -> Path:
    """A database on which the engine has been started: a first start takes a second longer than all later ones."""
    folder = tmp_path_factory.mktemp("template")
    asyncio.run(_start_once(f"sqlite:///{folder / 'template.sqlite3'}", folder, pool))
    return folder / "template.sqlite3"


@pytest.fixture(scope="session")
def started_once_postgres(postgres_server: str, tmp_path_factory: pytest.TempPathFactory, pool: Executor) -> str:
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE template_started")
    url = postgres_server.replace("/postgres?", "/template_started?")
    asyncio.run(_start_once(url, tmp_path_factory.mktemp("template"), pool))
    return "template_started"


async def _start_once(url: str, folder: Path, pool: Executor) -> None:
    database = Database(url)
    await database.open()
    workshop = Workshop(database, folder, pool)
    await workshop.start()
    await workshop.close()
    await database.close()


@pytest.fixture
def sqlite_url(tmp_path: Path, started_once_sqlite: Path) -> str:
    return f"sqlite:///{shutil.copy(started_once_sqlite, tmp_path / 'atelier.sqlite3')}"


@pytest.fixture
def postgres_url(postgres_server: str, started_once_postgres: str, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"test_{abs(hash(request.node.nodeid))}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE {started_once_postgres}')
    yield postgres_server.replace("/postgres?", f"/{name}?")
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def workshop(database: Database, tmp_path: Path, pool: Executor) -> AsyncIterator[Workshop]:
    """On SQLite and on PostgreSQL."""
    workshop = Workshop(database, tmp_path, pool)
    await workshop.start()
    yield workshop
    await workshop.close()
